"""Labels from f5c's tags in SAM and BAM files."""

from pathlib import Path

import pytest

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import events_of, kept_reads, open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.runtime.ledger import Ledger
from tests.support.labels import bam_record, read_of, write_bam

REVERSE, SUPPLEMENTARY = 16, 2048


def from_sam(path: Path, read: Read) -> Events | None:
    """Label one read."""
    source = open_labels("sam_resquiggle", [path], SourceConfig())
    try:
        return source.events(read)
    finally:
        source.close()


@pytest.mark.parametrize("suffix", [".bam", ".sam"])
@pytest.mark.parametrize("flag", [0, REVERSE])
def test_run_strings_are_in_signal_order_on_both_strands(tmp_path: Path, suffix: str, flag: int) -> None:
    """Extra samples are a hole in the coverage; skipped bases take no samples."""
    record = bam_record("r1", "ACGT", flag=flag, si="10,26,7,3", ss="3I4,2D5I4,")
    events = from_sam(write_bam(tmp_path / f"r{suffix}", record), read_of("r1"))

    assert events is not None
    assert events.start.tolist() == [13, 22]
    assert events.coverage.tolist() == [[13, 17], [22, 26]]


def test_the_primary_record_wins_over_a_longer_one(tmp_path: Path) -> None:
    """A supplementary alignment labels another part of the same signal."""
    records = [
        bam_record("r1", "A", flag=SUPPLEMENTARY, si="0,60,0,9", ss="60,"),
        bam_record("r1", si="70,80,0,9", ss="10,"),
    ]
    events = from_sam(write_bam(tmp_path / "r.bam", *records), read_of("r1"))

    assert events is not None
    assert events.start.tolist() == [70]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"si": "0,6,0,1", "ss": "5,"}, "label_span"),
        ({"si": "98,103,0,1", "ss": "5,"}, "label_outside_signal"),
        ({"si": "0,5,0,1", "ss": "5?"}, "label_unreadable"),
        ({"si": "0,5", "ss": "5,"}, "label_unreadable"),
        ({"si": "0,5,0,1"}, "label_unreadable"),
    ],
)
def test_records_that_do_not_fit_are_named_drops(tmp_path: Path, tags: dict[str, str], reason: str) -> None:
    """Another span, beyond the signal, not a run string, not four numbers, one tag alone."""
    with pytest.raises(LabelError, match="read r1: ") as caught:
        from_sam(write_bam(tmp_path / "r.bam", bam_record("r1", **tags)), read_of("r1"))

    assert caught.value.reason == reason


def test_a_record_of_skipped_bases_only_is_not_a_label(tmp_path: Path) -> None:
    """It has no event."""
    assert from_sam(write_bam(tmp_path / "r.bam", bam_record("r1", si="5,5,0,9", ss="9D")), read_of("r1")) is None


def test_a_plain_alignment_is_a_format_error(tmp_path: Path) -> None:
    """The message names the command that writes the tags."""
    with pytest.raises(FormatError, match="the tag 'si'; make the file with f5c eventalign --sam"):
        from_sam(write_bam(tmp_path / "r.bam", bam_record("r1", "ACT")), read_of("r1"))


def test_a_tag_that_is_not_text_is_a_named_drop(tmp_path: Path) -> None:
    """A damaged byte in one record costs that read its label, and no other's."""
    path = write_bam(tmp_path / "r.sam", *(bam_record(name, si="0,5,0,1", ss="5,") for name in ("r1", "r2")))
    path.write_bytes(path.read_bytes().replace(b"ss:Z:5,", b"ss:Z:5\xff", 1))
    with pytest.raises(LabelError) as caught:
        from_sam(path, read_of("r1"))

    assert caught.value.reason == "label_unreadable"
    assert from_sam(path, read_of("r2")) is not None


@pytest.mark.real
def test_the_reported_file_costs_one_read_its_label(real_data: Path) -> None:
    """One of its 19 run strings holds a byte that is not text."""
    folder, ledger = real_data / "rna002_sequin_f5c_ss", Ledger()
    files = [real_data / "field_reports/damaged/sam_resquiggle-0-traceback.bam"]
    source = open_labels("sam_resquiggle", files, SourceConfig())
    with open_reads(folder / "reads.blow5") as reads:
        kept = list(kept_reads(reads, source, ledger, lambda read: events_of(source, read)))
    source.close()

    assert len(kept) == 18
    assert dict(ledger.counts) == {"label_unreadable": 1, "no_label": 1}

"""Labels from programs that find poly(A) tails."""

from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LabelSource
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from tests.support.labels import POLYA_HEADER, bam_record, polya_row, read_of, spans, write_bam

RNA = read_of("r1", 100, kit="SQK-RNA002")
CDNA = read_of("r1", 100, experiment="genomic_dna")
TAILFINDR = "read_id,tail_start,tail_end,samples_per_nt,tail_length,file_path\n"
TAILFINDR_CDNA = "read_id,read_type,tail_is_valid,tail_start,tail_end,samples_per_nt,tail_length,file_path\n"
SUMMARY = "filename\tread_id\tpoly_tail_length\tpoly_tail_start\tpoly_tail_end\tpoly_tail2_start\tpoly_tail2_end\n"

Label = Callable[[str, Read], tuple[Events | None, LabelSource]]


def from_file(path: Path, read: Read) -> tuple[Events | None, LabelSource]:
    """Label one read; the returned source is closed."""
    source = open_labels("polya", [path], SourceConfig())
    try:
        return source.events(read), source
    finally:
        source.close()


@pytest.fixture
def label(tmp_path: Path) -> Label:
    """Label one read from the text of a table."""

    def labelled(text: str, read: Read) -> tuple[Events | None, LabelSource]:
        path = tmp_path / "tails.txt"
        path.write_text(text)
        return from_file(path, read)

    return labelled


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (POLYA_HEADER + polya_row("r1", 2, 3, 40, 60), 2),
        (TAILFINDR + "r1,40,60,27.3,59.2,/f\n", 0),
        (SUMMARY + "f.pod5\tr1\t69\t40\t60\t-1\t-1\n", 0),
    ],
)
def test_rna_is_adapter_then_tail_then_transcript(label: Label, text: str, start: int) -> None:
    """Regions tile the read to its end; nanopolish's leader counts as adapter."""
    events, _ = label(text, RNA)

    assert spans(events) == [(start, 40, 0), (40, 60, 1), (60, 100, 2)]


@pytest.mark.parametrize(
    "text", [TAILFINDR_CDNA + "r1,polyT,TRUE,40,60,9,9,/f\n", SUMMARY + "f.pod5\tr1\t69\t40\t60\t-1\t-1\n"]
)
def test_of_dna_only_the_tail_is_labelled(label: Label, text: str) -> None:
    """Its transcript may come first."""
    events, _ = label(text, CDNA)

    assert spans(events) == [(40, 60, 1)]


def test_a_tail_at_the_edge_has_no_neighbour_there(label: Label) -> None:
    """A region without samples is left out."""
    events, _ = label(TAILFINDR + "r1,0,100,9,9,/f\n", RNA)

    assert spans(events) == [(0, 100, 1)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (POLYA_HEADER + polya_row("r1", 2, 3, 40, 60, "SUFFCLIP"), "label_qc_suffclip"),
        (POLYA_HEADER + polya_row("r1", -1, -1, -1, -1, "READ_FAILED_LOAD"), "label_qc_read_failed_load"),
        (POLYA_HEADER + polya_row("r1", 2, 3, 40, 101), "label_outside_signal"),
        (POLYA_HEADER + polya_row("r1", 2, 3, 40, 40), "label_empty"),
        (POLYA_HEADER + polya_row("r1", 50, 51, 40, 60), "label_empty"),
        (TAILFINDR_CDNA + "r1,polyA,FALSE,40,60,9,9,/f\n", "label_qc_false"),
    ],
)
def test_rows_that_must_not_be_used_are_named_drops(label: Label, text: str, reason: str) -> None:
    """Another verdict, a tail beyond the signal or without samples, an adapter after the tail, an invalid tail."""
    with pytest.raises(LabelError, match="read r1: ") as caught:
        label(text, RNA)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "text", [TAILFINDR_CDNA + "r1,invalid,NA,NA,NA,NA,NA,/f\n", SUMMARY + "f.pod5\tr1\t0\t-1\t-1\t-1\t-1\n"]
)
def test_a_read_without_a_tail_has_no_label(label: Label, text: str) -> None:
    """The programs write NA and -1."""
    assert label(text, RNA)[0] is None


def test_the_first_good_row_of_a_read_wins(label: Label) -> None:
    """The others are counted."""
    rows = [polya_row("r1", 2, 3, 30, 60, "ADAPTER"), polya_row("r1", 2, 3, 40, 60), polya_row("r1", 2, 3, 50, 60)]
    events, source = label(POLYA_HEADER + "".join(rows), RNA)

    assert events is not None
    assert events.start.tolist() == [2, 40, 60]
    assert source.notes == {"other_records": 2}


def test_dorados_tag_contains_the_tail(tmp_path: Path) -> None:
    """Its numbers are anchor, start and end."""
    events, _ = from_file(write_bam(tmp_path / "r.bam", bam_record("r1", "ACT", pa=[38, 40, 60, -1, -1])), RNA)

    assert spans(events) == [(0, 40, 0), (40, 60, 1), (60, 100, 2)]


def test_of_a_split_read_the_first_part_with_a_tail_is_used(tmp_path: Path) -> None:
    """Its places count from ``sp``, where its adapter begins; its transcript ends with its ``ns`` samples."""
    parts = [
        bam_record(f"p{sp}", "A", pa=[anchor, start, start + 9, -1, -1], sp=sp, ns=30, pi="r1")
        for sp, anchor, start in PARTS
    ]
    events, _ = from_file(write_bam(tmp_path / "r.bam", *parts), RNA)
    of_cdna, _ = from_file(tmp_path / "r.bam", CDNA)

    assert spans(events) == [(30, 40, 0), (40, 49, 1), (49, 60, 2)]
    assert spans(of_cdna) == [(8, 17, 1)]


PARTS = [(60, 5, 10), (30, 5, 10), (0, 0, 8)]
"""Start of a part, of its anchor and of its tail; without an adapter, a tail of RNA is a guess."""


def test_a_tail_without_an_adapter_before_it_is_a_named_drop(tmp_path: Path) -> None:
    """Dorado sought it from the read's first sample on."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "ACT", pa=[0, 0, 60, -1, -1]))
    with pytest.raises(LabelError) as caught:
        from_file(path, RNA)

    assert caught.value.reason == "label_qc_no_adapter"


@pytest.mark.parametrize("places", [[40, 60], 40, array("f", [38, 40, 60])])
def test_another_pa_tag_is_a_named_drop(tmp_path: Path, places: object) -> None:
    """Too few numbers, a single number, fractions."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "A", pa=places))
    with pytest.raises(LabelError) as caught:
        from_file(path, RNA)

    assert caught.value.reason == "label_unreadable"


@pytest.mark.parametrize("text", ["", "read_id,start,end\nr1,0,5\n", TAILFINDR + "r1,forty,60,9,9,/f\n"])
def test_a_file_that_is_not_such_a_table_is_a_format_error(label: Label, text: str) -> None:
    """An empty file, other columns, words instead of numbers."""
    with pytest.raises(FormatError, match=r"tails\.txt: (no|row 2: column tail_start: 'forty' is not a number)"):
        label(text, RNA)


def test_verdicts_of_any_program_are_read(label: Label) -> None:
    """R writes TRUE, a table saved anew by Python True."""
    expected, _ = label(TAILFINDR + "r1,40,60,9,9,/f\n", CDNA)
    for verdict in ("TRUE", "True", "true"):
        found, _ = label(TAILFINDR_CDNA + f"r1,polyA,{verdict},40,60,9,9,/f\n", CDNA)

        assert spans(found) == spans(expected) != []
    with pytest.raises(LabelError) as caught:
        label(TAILFINDR_CDNA + "r1,polyA,False,40,60,9,9,/f\n", CDNA)

    assert caught.value.reason == "label_qc_false"


@pytest.mark.real
def test_a_table_from_the_field(real_data: Path) -> None:
    """Saved anew by Python: the tail at samples 4353 to 6103."""
    table = real_data / "field_reports" / "labels" / "tailfindr_python_bool.csv"
    with open_reads(real_data / "rna002_polya_regions" / "basecalled_test.fast5") as reads:
        events = [from_file(table, read)[0] for read in reads]
    [found] = [each for each in events if each is not None]

    assert (int(found.start[1]), int(found.end[1])) == (4353, 6103)


@pytest.mark.real
@pytest.mark.parametrize("source", ["polya", "bam_moves"])
def test_cram_is_refused_in_one_line(source: str, real_data: Path) -> None:
    """It has no random access."""
    path = real_data / "field_reports" / "labels" / "one_read.cram"
    with pytest.raises(FormatError, match=r"one_read\.cram: CRAM, which has no random access; convert it"):
        open_labels(source, [path], SourceConfig())

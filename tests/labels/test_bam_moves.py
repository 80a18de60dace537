"""Labels from the move tables of BAM and SAM files."""

import gzip
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LabelSource
from poreconv.reads.read import Read
from tests.support.labels import bam_record, read_of, spans, write_bam

MOVES = [5, 1, 0, 1, 1, 0]
REVERSE, SECONDARY, SUPPLEMENTARY = 16, 256, 2048


def from_bam(
    files: Sequence[Path], *reads: Read, margin: bool = False, source: str = "bam_moves"
) -> tuple[list[Events | None], LabelSource]:
    """Label reads; the returned source is closed."""
    opened = open_labels(source, files, SourceConfig(move_margin=margin))
    try:
        return [opened.events(read) for read in reads], opened
    finally:
        opened.close()


def moves_of(folder: Path, *reads: Read, name: str = "r1", sequence: str = "ACT", **fields: Any) -> Events:
    """Label a read (default: r1 of 100 samples of DNA) from one record with 5 blocks of 5 samples from sample 10."""
    path = write_bam(folder / "r.bam", bam_record(name, sequence, **({"mv": MOVES, "ts": 10, "ns": 100} | fields)))
    (events,), _ = from_bam([path], *(reads or [read_of("r1")]))
    assert events is not None
    return events


def test_a_base_reaches_from_its_move_to_the_next(tmp_path: Path) -> None:
    """The last base reaches to the end of the last block."""
    assert spans(moves_of(tmp_path)) == [(10, 20, 0), (20, 25, 1), (25, 35, 3)]


def test_a_record_on_the_reverse_strand_gives_the_reads_own_bases(tmp_path: Path) -> None:
    """BAM holds the reverse complement of the sequence, and the moves in signal order."""
    assert moves_of(tmp_path, sequence="AGT", flag=REVERSE).label.tolist() == [0, 1, 3]


def test_rna_is_read_from_the_end_of_its_sequence(tmp_path: Path) -> None:
    """The 3' end goes through the pore first."""
    assert moves_of(tmp_path, read_of("r1", kit="SQK-RNA004")).label.tolist() == [3, 1, 0]


@pytest.mark.parametrize(
    ("group", "label"), [("a1_rna004_130bps_sup@v5.1.0", [3, 1, 0]), ("a1_dna_r10.4.1_e8.2_400bps_hac@v5", [0, 1, 3])]
)
def test_the_basecallers_model_states_rna_where_the_signal_file_does_not(
    tmp_path: Path, group: str, label: list[int]
) -> None:
    """Dorado names the read group after the model."""
    assert moves_of(tmp_path, read_of("r1", experiment=""), RG=group).label.tolist() == label


def test_without_orientation_events_have_places_only(tmp_path: Path) -> None:
    """The read is counted."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "ACT", mv=MOVES, ts=10))
    (events,), source = from_bam([path], read_of("r1", experiment=""))

    assert spans(events) == [(10, 20, -1), (20, 25, -1), (25, 35, -1)]
    assert source.notes == {"orientation_unknown": 1}


def test_a_split_read_has_the_labels_of_all_its_parts(tmp_path: Path) -> None:
    """Each part's samples begin at ``sp`` in the parent's signal; parts may be in any order."""
    second = bam_record("b", "GG", mv=[5, 1, 1], ts=0, ns=40, sp=60, pi="r1")
    first = bam_record("a", "ACT", mv=MOVES, ts=10, ns=60, sp=0, pi="r1")
    (events, child), _ = from_bam([write_bam(tmp_path / "r.bam", second, first)], read_of("r1"), read_of("a"))

    assert spans(events) == [(10, 20, 0), (20, 25, 1), (25, 35, 3), (60, 65, 2), (65, 70, 2)]
    assert child is None


def test_parts_that_overlap_are_a_named_drop(tmp_path: Path) -> None:
    """Old dorado versions left trimmed samples out of ``sp``."""
    parts = [bam_record(name, "ACT", mv=MOVES, ts=10, sp=sp, pi="r1") for name, sp in (("a", 0), ("b", 10))]
    with pytest.raises(LabelError) as caught:
        from_bam([write_bam(tmp_path / "r.bam", *parts)], read_of("r1"))

    assert caught.value.reason == "label_order"


@pytest.mark.parametrize("other", [SECONDARY, SUPPLEMENTARY])
def test_the_primary_record_wins(tmp_path: Path, other: int) -> None:
    """It is used even if longer records come before or after it; these are counted."""
    primary = bam_record("r1", "ACT", mv=MOVES, ts=10, flag=0)
    longer = bam_record("r1", "ACTGGG", mv=[5, 1, 1, 1, 1, 1, 1], ts=0, flag=other)
    (events,), source = from_bam([write_bam(tmp_path / "r.bam", longer, primary, longer)], read_of("r1"))

    assert events is not None
    assert events.start.tolist() == [10, 20, 25]
    assert source.notes == {"other_records": 2}


def test_minimap2s_strand_does_not_hide_the_trimmed_samples(tmp_path: Path) -> None:
    """``minimap2 -y -ax splice`` writes a second tag called ts."""
    record = bam_record("r1", "ACT", mv=MOVES, ns=100)
    fields = [*record.to_dict()["tags"], "ts:A:+", "ts:i:10"]
    twice = type(record).from_dict(record.to_dict() | {"tags": fields}, record.header)
    (events,), _ = from_bam([write_bam(tmp_path / "r.bam", twice)], read_of("r1"))

    assert events is not None
    assert events.start.tolist() == [10, 20, 25]


def test_a_move_of_two_leaves_a_base_without_a_place(tmp_path: Path) -> None:
    """The event is that of the second base."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "ACT", mv=[5, 1, 2], ts=0))
    (events,), source = from_bam([path], read_of("r1"))

    assert spans(events) == [(0, 5, 0), (5, 10, 3)]
    assert source.notes == {"bases_without_place": 1}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"ns": 101}, "label_length"),
        ({"ns": 60, "sp": 50, "pi": "r1", "name": "part"}, "label_length"),
        ({"ts": 80}, "label_outside_signal"),
        ({"ts": "+"}, "label_incomplete"),
        ({"sequence": "ACTG"}, "label_moves"),
        ({"sequence": ""}, "label_moves"),
        ({"mv": [0, 1, 1, 1]}, "label_unreadable"),
        ({"mv": [5]}, "label_unreadable"),
        ({"mv": 5}, "label_unreadable"),
        ({"mv": [5, 4, -1]}, "label_unreadable"),
    ],
)
def test_records_that_do_not_fit_are_named_drops(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    """Too many samples, blocks beyond the signal, no trim, other bases, a broken move table."""
    with pytest.raises(LabelError, match="read r1: ") as caught:
        moves_of(tmp_path, **fields)

    assert caught.value.reason == reason


def test_a_table_without_a_move_is_no_label(tmp_path: Path) -> None:
    """There is no event in it."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "", mv=[5, 0, 0], ts=0))

    assert from_bam([path], read_of("r1"))[0] == [None]


@pytest.mark.parametrize("suffix", [".bam", ".sam"])
def test_any_record_of_a_long_file_is_found(tmp_path: Path, suffix: str) -> None:
    """Records in any order, in a file longer than the blocks that htslib reads."""
    numbers = range(1500)
    records = [bam_record(f"r{n}", "A" * 50, mv=[5, *[1] * 50], ts=n) for n in numbers]
    path = write_bam(tmp_path / f"r{suffix}", *records)
    asked = random.Random(0).sample(numbers, 200)
    found, _ = from_bam([path], *(read_of(f"r{n}", 2000) for n in asked))

    assert [events.start[0] for events in found if events is not None] == asked


def test_files_count_as_one(tmp_path: Path) -> None:
    """Each read is found in its own file."""
    paths = [write_bam(tmp_path / f"{n}.bam", bam_record(f"r{n}", "A", mv=[5, 1], ts=n)) for n in (1, 2)]
    found, _ = from_bam(paths, read_of("r2"), read_of("r1"))

    assert [spans(events) for events in found] == [[(2, 7, 0)], [(1, 6, 0)]]


def test_a_file_without_move_tables_is_a_format_error(tmp_path: Path) -> None:
    """The message states the option that writes them."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "ACT"))

    with pytest.raises(FormatError, match=r"r\.bam: none of its 1 records has the tag 'mv'; .*--emit-moves"):
        from_bam([path])


def test_a_file_that_is_not_a_bam_is_a_format_error(tmp_path: Path) -> None:
    """Text, an empty file, a truncated BAM, a damaged one, a gzipped SAM, a SAM without header."""
    bam = write_bam(tmp_path / "r.bam", *(bam_record(f"r{n}", "ACT", mv=MOVES, ts=n) for n in range(2000)))
    sam = write_bam(tmp_path / "r.sam", bam_record("r1", "ACT", mv=MOVES, ts=0)).read_bytes()
    whole = bam.read_bytes()
    contents = {"text": b"hello\n", "empty": b"", "cut": whole[: len(whole) // 2], "packed.sam.gz": gzip.compress(sam)}
    contents["damaged"] = whole[:3000] + bytes(200) + whole[3200:]
    contents["bare.sam"] = sam[sam.index(b"r1") :]
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FormatError, match=f"{name}: .*; "):
            from_bam([tmp_path / name])


def test_a_margin_leaves_only_samples_that_are_surely_inside(tmp_path: Path) -> None:
    """One stride on each side of each start is uncovered; the events stay."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "ACT", mv=[5, 1, 0, 0, 1, 1, 0], ts=10))
    plain, weak = [from_bam([path], read_of("r1"), margin=margin)[0][0] for margin in (False, True)]

    assert spans(weak) == spans(plain) == [(10, 25, 0), (25, 30, 1), (30, 40, 3)]
    assert weak is not None
    assert weak.coverage.tolist() == [[15, 20], [35, 40]]


def test_a_read_that_is_all_margin_is_a_named_drop(tmp_path: Path) -> None:
    """No sample would be left to learn from."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "ACT", mv=[5, 1, 1, 1], ts=10))
    with pytest.raises(LabelError, match="leave out move_margin") as caught:
        from_bam([path], read_of("r1"), margin=True)

    assert caught.value.reason == "label_margin"


def test_memory_holds_no_move_tables(tmp_path: Path) -> None:
    """The index holds the place of a record, not its contents."""
    path = write_bam(tmp_path / "r.bam", bam_record("r1", "A" * 5000, mv=[5, *[1] * 5000], ts=0))
    source = open_labels("bam_moves", [path], SourceConfig())
    kept = [value for value in vars(vars(source)["_records"]).values() if isinstance(value, dict)]
    source.close()

    assert max(len(repr(value)) for value in kept) < 200

"""Labels from basecalls in fast5 files: move tables and event tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LabelSource
from tests.support.labels import add_basecall, event_rows, fast5, read_of, spans


@pytest.fixture
def moves() -> Iterator[LabelSource]:
    """Guppy's move tables."""
    source = open_labels("fast5_moves", [], SourceConfig())
    yield source
    source.close()


@pytest.fixture
def tables() -> Iterator[LabelSource]:
    """Albacore's event tables."""
    source = open_labels("fast5_events", [], SourceConfig())
    yield source
    source.close()


def test_moves_start_where_their_own_segmentation_does(moves: LabelSource, tmp_path: Path) -> None:
    """Of two basecalls with different trims the newest is used, with its own trim; the other is counted."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, 0, sequence="AC", move=[1, 1], first=10, stride=5)
        add_basecall(read, 1, sequence="GT", move=[1, 0, 1], first=40, stride=2)
    events = moves.events(read_of("r1", source=tmp_path / "r.fast5"))

    assert spans(events) == [(40, 44, 2), (44, 46, 3)]
    assert moves.notes == {"other_basecalls": 1}


def test_a_margin_leaves_only_samples_that_are_surely_inside(tmp_path: Path) -> None:
    """One stride on each side of each move is uncovered."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, sequence="AC", move=[1, 0, 0, 1, 0], first=10, stride=5)
    source = open_labels("fast5_moves", [], SourceConfig(move_margin=True))
    events = source.events(read_of("r1", source=tmp_path / "r.fast5"))
    source.close()

    assert spans(events) == [(10, 25, 0), (25, 35, 1)]
    assert events is not None
    assert events.coverage.tolist() == [[15, 20], [30, 35]]


def test_a_newer_basecall_without_moves_is_ignored(moves: LabelSource, tmp_path: Path) -> None:
    """It contains no places."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, 0, sequence="A", move=[1], first=10, stride=5)
        add_basecall(read, 1, sequence="AC", first=40)

    assert spans(moves.events(read_of("r1", source=tmp_path / "r.fast5"))) == [(10, 15, 0)]


@pytest.mark.parametrize(("sequence", "kit"), [("AACU", ""), ("AACT", "SQK-RNA001")])
def test_rna_sequences_are_read_backwards(moves: LabelSource, tmp_path: Path, sequence: str, kit: str) -> None:
    """The signal begins at the 3' end; RNA is recognised by a U or by the kit."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, sequence=sequence, move=[1, 1, 0, 1, 1], first=0, stride=10)
    events = moves.events(read_of("r1", source=tmp_path / "r.fast5", kit=kit, experiment=""))

    assert spans(events) == [(0, 10, 3), (10, 30, 1), (30, 40, 0), (40, 50, 0)]


def test_moves_of_unknown_direction_have_places_only(moves: LabelSource, tmp_path: Path) -> None:
    """Places don't depend on the direction; the read is counted."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, sequence="AC", move=[1, 1], first=0, stride=10)
    events = moves.events(read_of("r1", source=tmp_path / "r.fast5", experiment=""))

    assert spans(events) == [(0, 10, -1), (10, 20, -1)]
    assert moves.notes == {"orientation_unknown": 1}


def test_two_bases_in_one_block_are_one_event_of_the_last(moves: LabelSource, tmp_path: Path) -> None:
    """The first base has no place of its own, and is counted."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, sequence="ACG", move=[0, 1, 2], first=0, stride=10)
    events = moves.events(read_of("r1", source=tmp_path / "r.fast5"))

    assert spans(events) == [(10, 20, 0), (20, 30, 2)]
    assert moves.notes == {"bases_without_place": 1}


@pytest.mark.parametrize(
    ("basecall", "reason"),
    [
        ({"sequence": "ACG", "move": [1, 1], "stride": 5}, "label_moves"),
        ({"sequence": "AC", "move": [1, 1]}, "label_incomplete"),
        ({"sequence": "AC", "move": [1, 1], "stride": 5, "first": None}, "label_incomplete"),
        ({"sequence": "AC", "move": [1, 1], "stride": 5, "first": 91}, "label_outside_signal"),
    ],
)
def test_move_tables_that_do_not_fit_are_named_drops(
    moves: LabelSource, tmp_path: Path, basecall: dict[str, Any], reason: str
) -> None:
    """Too few moves, no stride, no segmentation, blocks beyond the signal."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, **basecall)
    with pytest.raises(LabelError) as caught:
        moves.events(read_of("r1", source=tmp_path / "r.fast5"))

    assert caught.value.reason == reason


STATES = ["GGAGG", "GGCGG", "GGCGG", "GGTGG"]
MOVE = [0, 1, 0, 2]
SECONDS = np.array([10, 14, 17, 20]) / 4000.0
LENGTHS = np.array([4, 3, 3, 10])
WRITTEN = [(10, 14, 0), (14, 20, 1), (20, 30, 3)]


@pytest.mark.parametrize(
    ("start", "length"),
    [
        (np.array([10, 14, 17, 20], np.uint64), LENGTHS.astype(np.uint64)),
        (np.array([10, 14, 17, 20], np.int64) + 500_000, LENGTHS),
        (SECONDS + 125.0, LENGTHS / 4000.0),
        (SECONDS, LENGTHS / 4000.0),
    ],
    ids=[
        "samples of the read",
        "samples of the sequencing run",
        "seconds of the sequencing run",
        "seconds of the read",
    ],
)
def test_every_way_of_writing_starts_gives_the_same_events(
    tables: LabelSource, tmp_path: Path, start: np.ndarray, length: np.ndarray
) -> None:
    """Samples or seconds, counted from the read's start or from the sequencing run's."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, events=event_rows(STATES, MOVE, start, length))
    events = tables.events(read_of("r1", source=tmp_path / "r.fast5", start_sample=500_000))

    assert spans(events) == WRITTEN


@pytest.mark.parametrize(("stride", "duration"), [(5, 100), (None, 23)])
def test_rows_without_starts_tile_the_segment(
    tables: LabelSource, tmp_path: Path, stride: int | None, duration: int
) -> None:
    """Rows have the basecall's stride, else the segment's duration divided by the number of rows, rounded down."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, events=event_rows(STATES, MOVE), first=30, stride=stride, duration=duration)

    assert spans(tables.events(read_of("r1", source=tmp_path / "r.fast5"))) == [(30, 35, 0), (35, 45, 1), (45, 50, 3)]


def test_in_the_first_seconds_of_a_sequencing_run_the_segmentation_decides(tables: LabelSource, tmp_path: Path) -> None:
    """Both counts fit the signal; the one that starts at ``first_sample_template`` is used."""
    rows = event_rows(STATES, MOVE, np.array([50, 54, 57, 60]), LENGTHS)
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, events=rows, first=10)

    assert spans(tables.events(read_of("r1", source=tmp_path / "r.fast5", start_sample=40))) == WRITTEN


@pytest.mark.parametrize(
    ("start", "length", "first", "start_sample"),
    [
        (np.array([50, 54, 57, 60]), LENGTHS, None, 40),
        (np.array([50, 54, 57, 60]) + 9_000, LENGTHS, 0, 40),
        ((SECONDS + 7200).astype(np.float32), LENGTHS / 4000, 10, 7200 * 4000),
    ],
    ids=["nothing decides", "nothing fits", "too coarse"],
)
def test_starts_that_cannot_be_placed_are_named_drops(
    tables: LabelSource,
    tmp_path: Path,
    start: np.ndarray,
    length: np.ndarray,
    first: int | None,
    start_sample: int,
) -> None:
    """A read is dropped rather than given shifted labels."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, events=event_rows(STATES, MOVE, start, length), first=first)
    with pytest.raises(LabelError) as caught:
        tables.events(read_of("r1", source=tmp_path / "r.fast5", start_sample=start_sample))

    assert caught.value.reason == "label_start"


def test_removed_rows_are_not_covered(tables: LabelSource, tmp_path: Path) -> None:
    """Old basecallers left rows out; their samples belong to no base."""
    rows = event_rows(STATES[:2], [1, 1], np.array([10, 20]), np.array([4, 5]))
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, events=rows, first=10)
    events = tables.events(read_of("r1", source=tmp_path / "r.fast5"))

    assert events is not None
    assert events.coverage.tolist() == [[10, 14], [20, 25]]


def test_skipped_bases_of_event_tables_are_counted(tables: LabelSource, tmp_path: Path) -> None:
    """A move of 2 leaves one base without a place."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, events=event_rows(STATES, MOVE), stride=5)
    tables.events(read_of("r1", source=tmp_path / "r.fast5"))

    assert tables.notes == {"bases_without_place": 1}


def test_event_detection_without_moves_is_not_a_label(tables: LabelSource, tmp_path: Path) -> None:
    """A table without states does not come from a basecaller."""
    detected = np.zeros(3, [("start", "<u8"), ("length", "<u8"), ("mean", "<f4")])
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, events=detected)

    assert tables.events(read_of("r1", source=tmp_path / "r.fast5")) is None


def test_a_table_longer_than_the_signal_is_not_read(moves: LabelSource, tmp_path: Path) -> None:
    """The size of a table is checked before memory is allocated."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, move=[1], stride=1)
        template = read.handle["Analyses/Basecall_1D_000/BaseCalled_template"]
        del template["Move"]
        template.create_dataset("Move", (10**15,), np.uint8, chunks=(1024,))
    with pytest.raises(LabelError, match="1000000000000000 rows for 100 samples"):
        moves.events(read_of("r1", source=tmp_path / "r.fast5"))

"""Tombo's labels, and what all labels in fast5 files have in common."""

from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.labels.opening import open_labels
from poreconv.labels.parsing.fast5 import OPEN_FILES
from poreconv.labels.sources import LabelSource
from tests.support.labels import add_tombo, as_single, fast5, read_of, spans

TOMBO_ROWS = [(0, 4, "A"), (4, 6, "C"), (10, 10, "T")]


@pytest.fixture
def tombo() -> Iterator[LabelSource]:
    """Tombo's labels."""
    source = open_labels("tombo", [], SourceConfig())
    yield source
    source.close()


def test_single_read_files_are_read_too(tombo: LabelSource, tmp_path: Path) -> None:
    """Their analyses are at the root."""
    with fast5(tmp_path / "multi.fast5", "r1") as (read,):
        add_tombo(read, TOMBO_ROWS, first=10)
    as_single(tmp_path / "multi.fast5", tmp_path / "single.fast5")
    events = tombo.events(read_of("r1", source=tmp_path / "single.fast5"))

    assert spans(events) == [(10, 14, 0), (14, 20, 1), (20, 30, 3)]


def test_each_read_of_a_file_has_its_own_labels(tombo: LabelSource, tmp_path: Path) -> None:
    """A read without an analysis has none."""
    with fast5(tmp_path / "r.fast5", "r1", "r2", "r3") as (one, two, _):
        add_tombo(one, [(0, 5, "A")], first=0)
        add_tombo(two, [(0, 5, "G")], first=50)
    labels = [tombo.events(read_of(name, source=tmp_path / "r.fast5")) for name in ("r2", "r1", "r3")]

    assert spans(labels[0]) == [(50, 55, 2)]
    assert spans(labels[1]) == [(0, 5, 0)]
    assert labels[2] is None


def test_few_files_stay_open_and_none_after_close(tombo: LabelSource, tmp_path: Path) -> None:
    """Many files don't exhaust file handles."""
    before = h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE)
    counts = []
    for number in range(OPEN_FILES + 3):
        path = tmp_path / f"{number}.fast5"
        with fast5(path, "r1") as (read,):
            add_tombo(read, TOMBO_ROWS, first=number)
        tombo.events(read_of("r1", source=path))
        counts.append(h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) - before)
    tombo.close()

    assert max(counts) == OPEN_FILES
    assert h5py.h5f.get_obj_count(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE) == before


def test_a_table_without_its_columns_is_a_named_drop(tombo: LabelSource, tmp_path: Path) -> None:
    """The read is dropped; the file's other reads are not."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, TOMBO_ROWS, first=10)
        del read.handle["Analyses/RawGenomeCorrected_000/BaseCalled_template/Events"].attrs["read_start_rel_to_raw"]
    with pytest.raises(LabelError, match="its labels can't be read") as caught:
        tombo.events(read_of("r1", source=tmp_path / "r.fast5"))

    assert caught.value.reason == "label_unreadable"


@pytest.mark.parametrize(("rna", "kit"), [(True, ""), (None, "SQK-RNA002")])
def test_rna_events_count_from_the_signals_end(tombo: LabelSource, tmp_path: Path, rna: bool | None, kit: str) -> None:
    """Reversed [s, e) is raw [n - e, n - s), in signal order; without Tombo's attribute the kit decides."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, TOMBO_ROWS, first=10, rna=rna)
    events = tombo.events(read_of("r1", source=tmp_path / "r.fast5", kit=kit, experiment="rna"))

    assert spans(events) == [(70, 80, 3), (80, 86, 1), (86, 90, 0)]


def test_tombos_attribute_has_precedence_over_the_kit(tombo: LabelSource, tmp_path: Path) -> None:
    """It states what Tombo did."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, TOMBO_ROWS, first=10, rna=False)
    events = tombo.events(read_of("r1", source=tmp_path / "r.fast5", kit="SQK-RNA002"))

    assert spans(events)[0] == (10, 14, 0)


def test_a_resquiggle_of_unknown_direction_is_a_named_drop(tombo: LabelSource, tmp_path: Path) -> None:
    """Where neither Tombo nor the file states RNA or DNA, the direction is not guessed."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, TOMBO_ROWS, first=10, rna=None)
    with pytest.raises(LabelError) as caught:
        tombo.events(read_of("r1", source=tmp_path / "r.fast5", experiment=""))

    assert caught.value.reason == "label_orientation"


def test_a_failed_resquiggle_is_not_a_label(tombo: LabelSource, tmp_path: Path) -> None:
    """Tombo writes the reason to ``status``."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, TOMBO_ROWS, first=10, status="Poor raw to expected signal matching")

    assert tombo.events(read_of("r1", source=tmp_path / "r.fast5")) is None


def test_the_newest_successful_resquiggle_wins(tombo: LabelSource, tmp_path: Path) -> None:
    """The others are counted."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, [(0, 5, "A")], first=0)
        add_tombo(read, [(0, 5, "A")], first=7, group="RawGenomeCorrected_001")
        add_tombo(read, [(0, 5, "A")], first=9, group="RawGenomeCorrected_002", status="failed")
    events = tombo.events(read_of("r1", source=tmp_path / "r.fast5"))

    assert spans(events) == [(7, 12, 0)]
    assert tombo.notes == {"other_resquiggles": 1}


def test_masked_bases_have_no_class(tombo: LabelSource, tmp_path: Path) -> None:
    """An N has a place and no class."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, [(0, 5, "N"), (5, 5, "U")], first=0)

    assert spans(tombo.events(read_of("r1", source=tmp_path / "r.fast5"))) == [(0, 5, -1), (5, 10, 3)]


@pytest.mark.parametrize(
    ("rows", "reason"), [([(0, 5, "A"), (4, 5, "A")], "label_order"), ([(0, 0, "A")], "label_empty")]
)
def test_broken_tables_are_named_drops(
    tombo: LabelSource, tmp_path: Path, rows: list[tuple[int, int, str]], reason: str
) -> None:
    """Overlaps and empty events are refused."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, rows, first=0)
    with pytest.raises(LabelError) as caught:
        tombo.events(read_of("r1", source=tmp_path / "r.fast5"))

    assert caught.value.reason == reason


def test_a_table_in_another_file_is_a_named_drop(tombo: LabelSource, tmp_path: Path) -> None:
    """What a file names is not opened."""
    for name in ("one", "other"):
        with fast5(tmp_path / f"{name}.fast5", "r1") as (read,):
            add_tombo(read, TOMBO_ROWS, first=10)
    with h5py.File(tmp_path / "one.fast5", "r+") as file:
        del file["read_r1/Analyses"]
        file["read_r1/Analyses"] = h5py.ExternalLink(tmp_path / "other.fast5", "read_r1/Analyses")
    with pytest.raises(LabelError) as caught:
        tombo.events(read_of("r1", source=tmp_path / "one.fast5"))

    assert caught.value.reason == "label_outside_file"

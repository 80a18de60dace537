"""Labels from events aligned to a reference, in the read's own fast5 file."""

from pathlib import Path

import pytest

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LabelSource
from tests.support.labels import add_aligned_to_ref, add_basecall, fast5, read_of, spans

ROWS = [(10 / 4000, 10 / 4000, 8, "GGAGG"), (30 / 4000, 10 / 4000, 9, "GGNGG")]


def from_fast5(path: Path, start_sample: int = 0) -> tuple[Events | None, LabelSource]:
    """Label read r1 of 100 samples; the returned source is closed."""
    source = open_labels("aligned_to_ref", [], SourceConfig())
    try:
        return source.events(read_of("r1", source=path, start_sample=start_sample)), source
    finally:
        source.close()


def test_ignored_events_are_not_covered_and_other_letters_have_no_class(tmp_path: Path) -> None:
    """The table has no rows for events that the aligner ignored."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_aligned_to_ref(read, ROWS)
    events, _ = from_fast5(tmp_path / "r.fast5")

    assert spans(events) == [(10, 20, 0), (30, 40, -1)]
    assert events is not None
    assert events.coverage.tolist() == [[10, 20], [30, 40]]


def test_the_newest_alignment_with_a_table_wins(tmp_path: Path) -> None:
    """A workflow that failed leaves a group without a table; the other alignments are counted."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_aligned_to_ref(read, ROWS)
        add_aligned_to_ref(read, ROWS[1:], group="AlignToRef_001")
        read.add_analysis("align_to_ref", "AlignToRef_002", {"return_status": "Exception thrown"})
    events, source = from_fast5(tmp_path / "r.fast5")

    assert spans(events) == [(30, 40, -1)]
    assert source.notes == {"other_alignments": 1}


def test_a_basecall_is_not_an_alignment(tmp_path: Path) -> None:
    """A file with a basecall only has no label."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_basecall(read, sequence="ACT", move=[1, 1, 1], stride=5)

    assert from_fast5(tmp_path / "r.fast5")[0] is None


def test_times_that_fit_from_both_zeros_are_a_named_drop(tmp_path: Path) -> None:
    """In the first seconds of a sequencing run, starts may count from the read's start or from the run's."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_aligned_to_ref(read, ROWS)
    with pytest.raises(LabelError, match="nothing decides") as caught:
        from_fast5(tmp_path / "r.fast5", start_sample=5)

    assert caught.value.reason == "label_start"

"""Several label sources for one read: labels are used where they agree."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from poreconv.config import IGNORE, PrepareConfig, TruthConfig, from_flat
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, StoreError
from poreconv.events.events import Events
from poreconv.events.tasks import task_named
from poreconv.labels.combining import Agreement, agreed
from tests.support.signal_files import reads_made, write_multi
from tests.support.stores import STEP, steps

BASES = ("A", "C", "G", "T")


def tiles(*edge: int, label: str = "") -> Events:
    """Return events from edge to edge."""
    classes = [BASES.index(base) for base in label] or None
    return Events.of(edge[:-1], edge[1:], label=classes, classes=BASES)


def test_boundaries_without_a_partner_are_ignored() -> None:
    """20 has a partner at 21; 30 and 44 have none, and are ignored with a sample on each side."""
    both = agreed(
        [tiles(10, 20, 30, 60), tiles(10, 21, 44, 60)],
        70,
        Agreement(task_named("boundary"), 1),
    )
    target = task_named("boundary").target(both, 70)

    assert np.flatnonzero(target == 1).tolist() == [10, 20]
    assert np.flatnonzero(target[10:60] == IGNORE).tolist() == [19, 20, 21, 33, 34, 35]


def test_two_boundaries_cannot_share_a_partner() -> None:
    """Matches are one to one: of 20 and 22 only one is confirmed by 21."""
    both = agreed(
        [tiles(10, 20, 22, 40), tiles(10, 21, 40)],
        50,
        Agreement(task_named("boundary"), 1),
    )

    assert np.flatnonzero(task_named("boundary").target(both, 50) == 1).tolist() == [10, 20]


def test_samples_of_two_classes_are_ignored() -> None:
    """Samples that are A in one source and C in the other are ignored, and so are samples that one does not cover."""
    both = agreed(
        [tiles(0, 10, 20, label="AC"), tiles(2, 12, 30, label="AC")],
        30,
        Agreement(task_named("base"), 1),
    )

    assert (
        task_named("base").target(both, 30).tolist() == [IGNORE] * 2 + [0] * 8 + [IGNORE] * 2 + [1] * 8 + [IGNORE] * 10
    )


edges = st.lists(st.integers(1, 100), min_size=2, max_size=30, unique=True).map(sorted)


@given(edges, st.integers(0, 3))
def test_labels_agree_with_themselves(edge: list[int], tolerance: int) -> None:
    """No covered sample is lost."""
    events = tiles(*edge)
    both = agreed([events, events], 110, Agreement(task_named("boundary"), tolerance))

    assert both.coverage.tolist() == events.coverage.tolist()


@given(edges, edges, st.integers(0, 3))
def test_what_is_left_is_of_the_first_source(one: list[int], other: list[int], tolerance: int) -> None:
    """Every boundary that is learnt is one of the first source, with one of the second near it."""
    target = task_named("boundary").target(
        agreed([tiles(*one), tiles(*other)], 110, Agreement(task_named("boundary"), tolerance)),
        110,
    )
    learnt = np.flatnonzero(target == 1)

    assert set(learnt) <= set(one[:-1])
    assert all(min(abs(np.array(other) - place)) <= tolerance for place in learnt)


def prepared_from(folder: Path, second: str, **settings: object) -> Store:
    """Prepare two reads with their steps in a table of intervals, and ``second`` as a PAF."""
    reads = reads_made(2)
    write_multi(folder / "reads.fast5", reads)
    (folder / "one.tsv").write_text(steps(reads))
    (folder / "other.paf").write_text(second)
    config = from_flat(PrepareConfig, {"agreement_samples": 1, "workers": 1} | settings)
    return prepare(
        [folder],
        labels=["intervals", "resquiggle_paf"],
        labels_from=[f"intervals={folder / 'one.tsv'}", f"resquiggle_paf={folder / 'other.paf'}"],
        out=folder / "store",
        config=config,
    )


def paf(*cuts: int, number: int = 0) -> str:
    """Return the PAF record of a made read with events between ``cuts``."""
    read = reads_made(2)[number]
    runs = "".join(f"{length}," for length in np.diff(cuts))
    columns = [read.read_id, len(read.adc), cuts[0], cuts[-1], "+", "r", 9, 0, 9, 9, 9, 255, f"ss:Z:{runs}"]
    return "\t".join(map(str, columns)) + "\n"


def test_a_store_of_labels_that_agree(tmp_path: Path) -> None:
    """The read without a record in one source is dropped; of the other, the boundaries of both sources are kept."""
    store = prepared_from(tmp_path, paf(0, STEP, 2 * STEP + 4, 3 * STEP))

    assert store.info.ledger.counts == {"no_label": 1}
    assert store.info.ledger.notes == {"not_labelled_by_resquiggle_paf": 1}
    assert np.flatnonzero(store.read_target(0) == 1).tolist() == [0, STEP]


def test_reads_whose_labels_agree_nowhere_are_dropped(tmp_path: Path) -> None:
    """Labels that cover different samples have no sample in common."""
    read = reads_made(1)[0]
    (tmp_path / "a").mkdir()
    with pytest.raises(StoreError, match="no_agreement 1"):
        prepared_from(tmp_path / "a", paf(len(read.adc) - 1, len(read.adc)))


@pytest.mark.parametrize(
    ("settings", "message"), [({"task": "base"}, "their classes differ"), ({"agreement_samples": -1}, "negative")]
)
def test_what_cannot_agree_is_refused(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    """Places alone cannot confirm bases."""
    with pytest.raises(ConfigError, match=message):
        prepared_from(tmp_path, paf(0, STEP), **settings)


def test_one_source_has_nothing_to_agree_with(tmp_path: Path) -> None:
    """Agreement needs at least two sources."""
    write_multi(tmp_path / "reads.fast5", reads_made(1))
    (tmp_path / "labels.tsv").write_text(steps(reads_made(1)))
    with pytest.raises(ConfigError, match="name another source"):
        prepare(
            [tmp_path],
            labels="intervals",
            labels_from=[tmp_path / "labels.tsv"],
            out=tmp_path / "store",
            config=PrepareConfig(truth=TruthConfig(agreement_samples=1)),
        )

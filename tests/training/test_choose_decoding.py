from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from poreconv.config import IGNORE, DecodeConfig
from poreconv.inference.decoding.boundaries import BoundaryDecoder
from poreconv.inference.decoding.dwell import LifeTable
from poreconv.training.choose_decoding import Judged, best_boundary_decoding, calibrated, count_dwells

HAZARDS = LifeTable().hazards()


class Counted(LifeTable):
    """A life table that keeps the events it gets."""

    def update(self, dwell: NDArray[np.int64], ended: NDArray[np.bool_]) -> None:
        """Remember."""
        self.seen = list(zip(dwell.tolist(), ended.tolist(), strict=True))


def blurred(n_reads: int, doubt: float, seed: int = 0) -> Judged:
    """Reads with boundaries every 9 samples, and probabilities that share some of theirs with a neighbour's."""
    rng, judged = np.random.default_rng(seed), []
    for _ in range(n_reads):
        target = np.zeros(900, np.int8)
        target[4::9] = 1
        p_T = rng.uniform(0.001, 0.05, 900)
        at = np.flatnonzero(target)
        side = rng.random(len(at)) < doubt
        p_T[at], p_T[at + 1] = np.where(side, 0.4, 0.9), np.where(side, 0.35, 0.05)
        judged.append((np.stack([1 - p_T, p_T]).astype(np.float32), target))
    return judged


@pytest.mark.parametrize(
    ("target", "events"),
    [
        ([1, 0, 0, 1, 0], [(3, True), (2, False)]),
        ([0, 1, 0, IGNORE, 0, 1, 1], [(2, False), (1, True), (1, False)]),
        ([0, IGNORE, 0], []),
        ([], []),
    ],
)
def test_dwells_are_counted_up_to_where_something_is_known(target: list[int], events: list[tuple[int, bool]]) -> None:
    """An event ends at the next boundary; at a gap, or the read's end, it may have gone on."""
    table = Counted()
    count_dwells(table, np.array(target, np.int8))

    assert table.seen == events


def test_plain_peaks_are_taken_where_nothing_is_better() -> None:
    """A network that is sure needs no more than peaks; of thresholds as good the middle one."""
    chosen = best_boundary_decoding(blurred(3, 0.0), DecodeConfig(), HAZARDS)

    assert chosen.method == "peaks"
    assert (chosen.dwell_weight, chosen.dwell_hazards) == (0, ())
    assert 0.1 < chosen.threshold < 0.95


def test_the_choice_finds_what_it_was_chosen_on() -> None:
    """Whatever is chosen, it decodes the reads that it was chosen on."""
    judged = blurred(3, 0.5)
    chosen = best_boundary_decoding(judged, DecodeConfig(), HAZARDS)
    plain = replace(chosen, temperature=1.0)

    assert best_boundary_decoding(judged, DecodeConfig(), HAZARDS) == chosen
    assert all(len(BoundaryDecoder((), plain).boundaries(p_CT[1])) for p_CT, _ in judged)


def test_other_tasks_have_no_threshold() -> None:
    """Only the temperature is chosen; samples of which nothing is known don't count."""
    judged = [(p_CT, target.copy()) for p_CT, target in blurred(2, 0.3)]
    before = calibrated(judged, DecodeConfig())
    longer = [
        (np.concatenate([p_CT, p_CT], 1), np.concatenate([target, np.full_like(target, IGNORE)]))
        for p_CT, target in judged
    ]

    assert calibrated(longer, DecodeConfig()) == before
    assert (before.method, before.threshold, before.dwell_hazards) == ("peaks", 0.5, ())
    assert before.temperature != 1


def test_reads_without_a_boundary_are_no_crash() -> None:
    """Where nothing is true, nothing can be chosen, and the defaults hold."""
    flat = [(np.full((2, 50), 0.5, np.float32), np.zeros(50, np.int8))]
    chosen = best_boundary_decoding(flat, DecodeConfig(), HAZARDS)

    assert (chosen.method, chosen.temperature, chosen.bias) == ("peaks", 1, ())

"""The levels of a read's known sequence, and how well events fit them along the best path.

Each event belongs to one k-mer, in order. Several events may share a k-mer (superfluous boundaries), and k-mers may
have none (missed boundaries), at a cost. An event belongs only to k-mers near it: in a band around the path that
`refine` finds from the labels.

Source:
    Viterbi 1967, doi:10.1109/TIT.1967.1054010; the states and moves are those of nanopolish's eventalign (Simpson et
    al. 2017, doi:10.1038/nmeth.4184). The implementation is our own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from poreconv.config import RefineConfig
from poreconv.evaluation.metrics.levels import Fit
from poreconv.events.events import Events
from poreconv.labels.refinement import Refined, refine_pieces
from poreconv.pore_models.model import PoreModel
from poreconv.reads.read import Read

BAND_DWELLS = 6.0
"""Farthest that an event may lie from the place of its k-mer, in mean dwells of the read."""
AWAY = 0.5
"""Distance from its level at which an event costs 1/2, in SDs of the table's levels; the cost grows with its square.

Three times the usual distance of true events: at that one, which is right for finding k-mers, any cut finds k-mers that
fit it. On R10.4.1 and R9.4.1 reads even cuts then correlate at 0.96 and 0.95, aligners' boundaries at 0.98; with this
one at 0.91 and 0.88, and 0.97."""
SHARED, SKIPPED = 2.0, 3.0
"""Costs of an event that shares its k-mer with the one before, and of each k-mer without an event."""


@dataclass(frozen=True, slots=True, eq=False)
class KnownLevels:
    """The k-mers of a read's sequence: their levels, and about where they are."""

    pieces: tuple[Refined, ...]
    """One for each interval that the labels cover."""
    spread: float
    """SD of the table's levels, in its unit."""

    @classmethod
    def of(cls, read: Read, labels: Events, model: PoreModel) -> Self:
        """Find the places of the k-mers, and the read's scale.

        Args:
            read: The read.
            labels: Coarse events of its bases; see `refine_events`.
            model: Table of levels.

        Raises:
            LabelError: The sequence does not fit the read; see `refine_events`.
        """
        pieces = refine_pieces(read, labels, model, RefineConfig())
        return cls(tuple(piece for _, piece in pieces), float(model.level_mean.std()))

    @property
    def intervals(self) -> NDArray[np.int64]:
        """Intervals ``[start, end)`` of the k-mers, samples, shape ``(m, 2)``."""
        return np.array([piece.edge[[0, -1]] for piece in self.pieces])

    def fit(self, mean_pa: NDArray[np.float64], cut: Events) -> Fit:
        """Align events to the k-mers, span by span, and count.

        Args:
            mean_pa: Mean current of each event, pA, shape ``(n_events,)``.
            cut: The events, which cover the judged part; see `JudgedPart.cut`.
        """
        total = np.zeros(len(Fit._fields))
        for start, end in cut.coverage:
            piece = next(piece for piece in self.pieces if piece.edge[0] <= start and end <= piece.edge[-1])
            inside = slice(*np.searchsorted(cut.start, [start, end]))
            total += self._fit(piece, mean_pa[inside], (cut.start[inside] + cut.end[inside]) / 2)
        return Fit(*total.tolist())

    def _fit(self, piece: Refined, mean_pa: NDArray[np.float64], centre: NDArray[np.float64]) -> NDArray[np.float64]:
        z = (mean_pa - piece.scale.shift) / piece.scale.gain
        band = BAND_DWELLS * (piece.edge[-1] - piece.edge[0]) / len(piece.level)
        low = np.searchsorted(piece.edge[1:] + band, centre, side="right")
        high = np.searchsorted(piece.edge[:-1] - band, centre, side="right")
        kmer = best_kmers(z, piece.level, low, high, 0.5 / (AWAY * self.spread) ** 2, SHARED, SKIPPED)
        y, times = piece.level[kmer], np.bincount(kmer - kmer[0])
        squares = (((z - y) / self.spread) ** 2).sum()
        sums = (z.sum(), y.sum(), (z * z).sum(), (y * y).sum(), (z * y).sum())
        return np.array([len(z), *sums, squares, len(times), (times == 0).sum(), (times == 1).sum()], np.float64)


@njit(cache=True)
def best_kmers(
    z: NDArray[np.float64],
    level: NDArray[np.float64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    weight: float,
    shared: float,
    skipped: float,
) -> NDArray[np.int64]:  # (float64[:], float64[:], int64[:], int64[:], float64, float64, float64)
    """Choose a k-mer for each event, in order, minimising squared distances and the costs of the moves.

    Args:
        z: Mean of each event on the scale of the levels, shape ``(n,)``.
        level: Level of each k-mer, shape ``(n_kmers,)``.
        low: First k-mer that each event may belong to, ascending, shape ``(n,)``.
        high: K-mer after the last that each event may belong to, ascending, greater than ``low``, shape ``(n,)``.
        weight: Cost of an event at distance 1 from its level; the cost grows with the squared distance.
        shared: Cost of an event that has the same k-mer as the one before.
        skipped: Cost of each k-mer between those of two neighbouring events.

    Returns:
        K-mer of each event, not descending, shape ``(n,)``.
    """
    n, width = len(z), (high - low).max()
    cost, before = np.full((2, width), np.inf), np.zeros((n, width), np.int64)
    for i in range(n):
        now, last = cost[i % 2], cost[(i + 1) % 2]
        now[:] = np.inf
        forward, source = np.inf, low[i]  # the best cost of moving on to k from an earlier k-mer, and that k-mer
        for k in range(low[i - 1] if i else low[i], high[i]):
            if i and low[i - 1] < k <= high[i - 1]:
                forward += skipped
                if last[k - 1 - low[i - 1]] < forward:
                    forward, source = last[k - 1 - low[i - 1]], k - 1
            elif i:
                forward += skipped
            if k < low[i]:
                continue
            best, origin = (forward, source) if i else (0.0, k)
            if i and low[i - 1] <= k < high[i - 1] and last[k - low[i - 1]] + shared < best:
                best, origin = last[k - low[i - 1]] + shared, k
            now[k - low[i]] = best + weight * (z[i] - level[k]) ** 2
            before[i, k - low[i]] = origin
    kmer = np.empty(n, np.int64)
    kmer[n - 1] = low[n - 1] + np.argmin(cost[(n - 1) % 2][: high[n - 1] - low[n - 1]])
    for i in range(n - 1, 0, -1):
        kmer[i - 1] = before[i, kmer[i] - low[i]]
    return kmer

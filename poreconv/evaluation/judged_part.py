"""The part of a read on which methods are judged without true labels: the same samples for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import SignalError
from poreconv.events.events import Events
from poreconv.events.targets import samples_of
from poreconv.events.tasks import task_named
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.reads.scaling import Steps, normalise_read

SHORTEST_DWELLS = 10
"""Length from which a span is judged, in usual dwells."""
FEWEST = 10
"""Fewest boundaries of the model in the part for a read to be judged."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgedPart:
    """Spans of a read in which a molecule moves through the pore; all methods are cut at their ends.

    They lie between the model's first and last boundary, in the windows whose current steps from level to level, by
    which the read is normalised too (`Steps`: no open pore, stall or tail). Events of the model that are longer than
    the targets' limit (25 usual dwells) are left out, for every method.
    """

    current: NDArray[np.float32]
    """Normalised current of the whole read, as the network would get it at the read's own rate, ``(n_samples,)``."""
    spans: NDArray[np.int64]
    """Intervals ``[start, end)`` in samples, shape ``(m, 2)``, ascending, disjoint."""
    span_all: int
    """Samples from the model's first boundary to its last, those that are not judged included."""

    @classmethod
    def of(cls, read: Read, found: Events, recipe: Recipe, within: NDArray[np.int64] | None = None) -> Self:
        """Choose the part.

        Args:
            read: The read.
            found: The model's events, at the read's own rate.
            recipe: The model's recipe.
            within: Intervals outside of which nothing is judged, shape ``(m, 2)``; default: none.

        Raises:
            SignalError: The model finds hardly any boundary in what could be judged (``few_events``), or the read is
                flat.
        """
        scaled_alike = recipe.as_trained(read)
        usual = scaled_alike.dwell_samples or recipe.mean_dwell * read.sample_rate_hz / recipe.sample_rate_hz
        judged = _inside(found.start[[0, -1]].reshape(1, 2), len(read.adc)) if len(found) else np.zeros(0, bool)
        span_all = int(judged.sum())
        if span_all:
            if scaled_alike.dwell_samples is not None:
                judged &= Steps(usual).places(read.adc)
            long = found.duration > task_named(recipe.task).longest_event(usual)
            judged[samples_of(found.start[long], found.duration[long])] = False
            if within is not None:
                judged &= _inside(within, len(read.adc))
                judged[within[:, 1] - 1] = False  # so that no span lies in two intervals
        spans = _stretches(judged)
        spans = spans[spans[:, 1] - spans[:, 0] >= SHORTEST_DWELLS * usual]
        part = cls(normalise_read(scaled_alike, clip=recipe.normalisation.clip), spans, span_all)
        if part.n_inside(found.start) < FEWEST:
            raise SignalError(
                f"{read.where}: the model finds fewer than {FEWEST} boundaries where a molecule moves through the pore;"
                " leave the read out",
                reason="few_events",
            )
        return part

    @property
    def n_samples(self) -> int:
        """Number of judged samples."""
        return int((self.spans[:, 1] - self.spans[:, 0]).sum())

    def inside(self, boundaries: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the boundaries that lie inside a span; its first sample is not one.

        Args:
            boundaries: Samples, ascending, shape ``(n,)``.
        """
        span = np.searchsorted(self.spans[:, 0], boundaries, side="left") - 1
        inside = (span >= 0) & (boundaries < self.spans[np.maximum(span, 0), 1])
        return np.asarray(boundaries[inside])

    def n_inside(self, boundaries: NDArray[np.int64]) -> int:
        """Return the number of boundaries inside the spans.

        Args:
            boundaries: Samples, ascending, shape ``(n,)``.
        """
        return len(self.inside(boundaries)) if len(self.spans) else 0

    def cut(self, boundaries: NDArray[np.int64]) -> Events:
        """Cut the spans at boundaries.

        Args:
            boundaries: Samples, ascending, shape ``(n,)``; those outside the spans do not count.

        Returns:
            Events that cover the spans.
        """
        start = np.unique(np.concatenate([self.spans[:, 0], self.inside(boundaries)]))
        span = np.searchsorted(self.spans[:, 0], start, side="right") - 1
        end = np.minimum(np.append(start[1:], len(self.current)), self.spans[span, 1])
        return Events.of(start, end, coverage=self.spans)


def _inside(intervals: NDArray[np.int64], n_samples: int) -> NDArray[np.bool_]:
    inside = np.zeros(n_samples, bool)
    inside[samples_of(intervals[:, 0], intervals[:, 1] - intervals[:, 0])] = True
    return inside


def _stretches(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Intervals of the samples that are inside, shape ``(m, 2)``."""
    edge = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0, append=0))
    return edge.reshape(-1, 2).astype(np.int64)

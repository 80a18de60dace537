"""Baselines that find as many boundaries as they are asked for, so that methods are compared at an equal number.

Each has a strength: the greater it is, the fewer boundaries are found. It is searched for each read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from poreconv.config import require
from poreconv.evaluation.baselines.own import BaselineFunction, own_baseline
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.runtime.registry import given, is_own, name_of, short_name

GRADED = {
    "ttest": "poreconv.evaluation.baselines.ttest:at_strength",
    "changepoint": "poreconv.evaluation.baselines.changepoint:at_strength",
    "uniform": "poreconv.evaluation.baselines.uniform:at_strength",
}
"""Baselines with a strength: name -> ``"module:attribute"``."""

CLOSE = 0.002
"""Relative difference of the numbers of boundaries at which the search ends."""
MOST_TRIES = 24
"""Most strengths that are tried; then the closest number counts."""
FACTOR = 4.0
"""Factor between two strengths until one finds too many boundaries and one too few."""

Graded = Callable[[Read, float], NDArray[np.int64]]
"""Returns the boundaries of a read, or of a piece of one: samples, ascending, shape ``(n,)``."""


class Numbered(Protocol):
    """Finds a number of boundaries in some spans of a read."""

    def __call__(self, read: Read, spans: NDArray[np.int64], n: int) -> NDArray[np.int64]:
        """Return about ``n`` boundaries, samples, ascending.

        Args:
            read: The read.
            spans: Intervals ``[start, end)`` of its samples, shape ``(m, 2)``, ascending, disjoint.
            n: Number of boundaries inside the spans, their starts not counted.
        """
        ...


def numbered_baselines(asked: Iterable[str | BaselineFunction] | None, recipe: Recipe) -> dict[str, Numbered]:
    """Return baselines by name.

    Args:
        asked: Names in ``GRADED``; or the user's own, which find as many boundaries as they do. Default: all of
            ``GRADED``.
        recipe: Recipe of the model.

    Raises:
        ConfigError: There is no such baseline, or several have one name.
    """
    chosen = list(GRADED if asked is None else asked)
    found = dict(_numbered(each, recipe) for each in chosen)
    require(len(found) == len(chosen), f"baselines: several have one name among {', '.join(found)}; rename one")
    return found


def _numbered(asked: str | BaselineFunction, recipe: Recipe) -> tuple[str, Numbered]:
    found: Any = given(GRADED, asked, kind="baseline of the judge levels")
    if isinstance(asked, str) and not is_own(asked):
        return asked, partial(_at_number, found)
    detect = own_baseline(name_of(asked), found)
    return short_name(asked), lambda read, spans, n: detect(read, recipe).start


def _at_number(find: Graded, read: Read, spans: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    pieces = [replace(read, adc=read.adc[start:end]) for start, end in spans]
    found = at_number(lambda strength: [find(piece, strength) for piece in pieces], n)
    moved = [start + places for start, places in zip(spans[:, 0], found, strict=True)]
    return np.concatenate([np.zeros(0, np.int64), *moved])


def at_number(find: Callable[[float], Sequence[NDArray[np.int64]]], n: int) -> Sequence[NDArray[np.int64]]:
    """Search the strength at which about ``n`` boundaries are found.

    Between a strength that finds too many and one that finds too few, the next is interpolated on logarithmic axes, or,
    every third time, in their middle.

    Args:
        find: Returns the boundaries of each piece at a strength.
        n: The number.

    Returns:
        The boundaries of each piece; of all that were tried, those whose number is closest to ``n``.
    """
    strength, many, few = 1.0, (0.0, 0), (math.inf, 0)
    best: Sequence[NDArray[np.int64]] = []
    closest = math.inf
    for tried in range(MOST_TRIES):
        found = find(strength)
        number = sum(map(len, found))
        if abs(number - n) < closest:
            best, closest = found, abs(number - n)
        if closest <= CLOSE * n:
            break
        many, few = ((strength, number), few) if number > n else (many, (strength, number))
        strength = _between(many, few, n, halved=tried % 3 == 2)
    return best


def _between(many: tuple[float, int], few: tuple[float, int], n: int, *, halved: bool) -> float:
    """The next strength to try; pairs are a strength and the number that it finds."""
    if many[0] == 0:
        return few[0] / FACTOR
    if few[0] == math.inf:
        return many[0] * FACTOR
    low, high = math.log(many[0]), math.log(few[0])
    above, below = math.log(many[1]), math.log(max(few[1], 1))
    share = 0.5 if halved or above == below else (above - math.log(max(n, 1))) / (above - below)
    return math.exp(low + min(max(share, 0.02), 0.98) * (high - low))

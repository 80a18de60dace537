"""What labels show of a read's regions: the order of the classes, and how short a stretch of each may be."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from poreconv.config import IGNORE, DecodeConfig, TrainConfig, require
from poreconv.events.targets import stretch_events
from poreconv.training.objectives import TrainingSplit

SHORT = 0.05
"""Quantile of the lengths of a class's stretches that stands for a short one: a few labels may be cut, or wrong."""


@dataclass(frozen=True)
class RegionRules:
    """How the regions of a read follow each other."""

    order: tuple[str, ...] = ()
    """The classes in the signal's order, each at most once; empty: they have none."""
    shortest: tuple[int, ...] = ()
    """Number of samples of the shortest stretch of each class; empty: of any length."""

    def added_to(self, decoding: DecodeConfig) -> DecodeConfig:
        """Return a decoding that keeps the rules.

        Args:
            decoding: Of the likeliest class of each sample.
        """
        if self.order:
            return replace(decoding, method="ordered", order=self.order, shortest=self.shortest)
        return replace(decoding, method="segmental", shortest=self.shortest) if self.shortest else decoding


def region_rules(split: TrainingSplit, config: TrainConfig) -> RegionRules:
    """Learn the rules from the training split; there are none for tasks whose classes are no regions.

    Args:
        split: The training data.
        config: ``ordered`` and ``shortest``.

    Raises:
        ConfigError: ``ordered`` is asked for, and the task's classes are no regions or have no single order.
    """
    task, classes = split.recipe.asked, split.recipe.classes
    asked = config.ordered == "yes"
    require(task.regions or not asked, f"ordered: only for regions, and this task is {task.name}; leave it out")
    if not task.regions:
        return RegionRules()
    order = () if config.ordered == "no" else order_of(split.targets(), classes, required=asked)
    shortest = shortest_of(split.targets(), classes, config.shortest) if config.shortest else ()
    return RegionRules(order, shortest)


def shortest_of(targets: Iterable[NDArray[np.int8]], classes: tuple[str, ...], share: float) -> tuple[int, ...]:
    """Estimate how many samples the shortest stretch of each class has.

    Args:
        targets: Class of each sample, ``IGNORE`` where none is known; one array per read, shape ``(n_samples,)``.
        classes: Names of the classes.
        share: Of the length of a short stretch of the class, see `SHORT`.

    Returns:
        One number per class, at least 1.
    """
    found = [np.zeros(0, np.int64) for _ in classes]
    for target in targets:
        events = stretch_events(target, classes)
        found = [np.append(each, events.duration[events.label == i]) for i, each in enumerate(found)]
    return tuple(max(1, round(share * float(np.quantile(each, SHORT)))) if len(each) else 1 for each in found)


def order_of(
    targets: Iterable[NDArray[np.int8]], classes: tuple[str, ...], *, required: bool = False
) -> tuple[str, ...]:
    """Find the order in which classes follow each other in reads; samples without a class are skipped.

    Args:
        targets: Class of each sample, ``IGNORE`` where none is known; one array per read, shape ``(n_samples,)``.
        classes: Names of the classes.
        required: Whether it is an error if there is none.

    Returns:
        The names in the signal's order; classes that never follow or precede another come last. Empty if a class comes
        both before and after another, or twice, or if no read has two classes.

    Raises:
        ConfigError: There is none, and it is required.
    """
    before_CC = np.zeros((len(classes), len(classes)), bool)
    for target in targets:
        known = target[target != IGNORE]
        in_turn = known[np.flatnonzero(np.diff(known, prepend=IGNORE))]
        before_CC[in_turn[:-1], in_turn[1:]] = True
    for k in range(len(classes)):  # transitive: before k is before all that k is before
        before_CC |= np.outer(before_CC[:, k], before_CC[k])
    both = np.argwhere(before_CC & before_CC.T)
    names = " both before and after ".join(classes[i] for i in both[0]) if len(both) else ""
    require(
        not (required and names),
        f"ordered: {names} in the training reads; only regions that have one order, each once, are decoded so; leave it"
        " out",
    )
    if names or not (required or before_CC.any()):
        return ()
    alone = ~(before_CC.any(axis=0) | before_CC.any(axis=1))
    return tuple(classes[i] for i in np.lexsort([before_CC.sum(axis=0), alone]))

"""The split that each read belongs to: train, validation or test.

Reads are split in groups: each read on its own, or all reads of a run, a channel or a reference together.
"""

import hashlib
from collections.abc import Iterable
from typing import Literal

from poreconv.config import SplitConfig

SplitName = Literal["train", "validation", "test"]

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
"""The splits; where there are few groups, the first of them are filled first."""


def group_of(by: str, *, read_id: str, run_id: str, channel: int, reference: str = "") -> str:
    """Return the name of a read's group.

    Args:
        by: By what the reads are split, see `SplitConfig`.
        read_id: The read's id.
        run_id: Id of its sequencing run.
        channel: Its channel.
        reference: Name of the sequence that it was aligned to, for splits by reference.
    """
    return {"read": read_id, "run": run_id, "channel": f"{run_id}:{channel}", "reference": reference}[by]


def share_of(seed: int, group: str) -> float:
    """Return the first 64 bits of BLAKE2b over seed and group as a share of 2**64, 0 to 1.

    Args:
        seed: Seed of the rule.
        group: Name of the group.
    """
    digest = hashlib.blake2b(f"{seed}:{group}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def intervals(config: SplitConfig) -> dict[SplitName, tuple[float, float]]:
    """Return the interval of each split: a group whose share lies in it is in that split.

    Args:
        config: The rule.

    Returns:
        Split -> lower end, and upper end, which is outside; without the splits whose share is 0.
    """
    not_train = config.test + config.validation
    ends: dict[SplitName, tuple[float, float]] = {
        "train": (not_train, 1.0), "validation": (config.test, not_train), "test": (0.0, config.test),
    }  # fmt: skip
    return {split: (low, high) for split, (low, high) in ends.items() if low < high}


def split_of(config: SplitConfig, *, read_id: str, run_id: str, channel: int, reference: str = "") -> SplitName:
    """Return the split that a rule gives a read; it is the same in every store with the same rule.

    Args:
        config: The rule: seed, shares, and by what the reads are split.
        read_id: The read's id.
        run_id: Id of its sequencing run.
        channel: Its channel.
        reference: Name of the sequence that it was aligned to, for splits by reference.
    """
    group = group_of(config.by, read_id=read_id, run_id=run_id, channel=channel, reference=reference)
    return split_of_group(config, group)


def split_of_group(config: SplitConfig, group: str) -> SplitName:
    """Return the split that a rule gives a group.

    Args:
        config: The rule.
        group: Name of the group, see `group_of`.
    """
    share = share_of(config.seed, group)
    if share < config.test:
        return "test"
    return "validation" if share < config.test + config.validation else "train"


def moved_groups(config: SplitConfig, groups: Iterable[str]) -> dict[str, SplitName]:
    """Choose the groups to move into splits that the rule leaves empty.

    An empty split receives one group: of the split with most groups, the one whose share lies nearest to the empty
    split's interval. Where there are fewer groups than splits, the first of ``SPLITS`` are filled. A group that is
    alone stays where it is: one split is not enough to train.

    Args:
        config: The rule; a split whose share is 0 stays empty.
        groups: Names of all groups, in any order.

    Returns:
        Group -> split to which it is moved; empty where no split is.
    """
    share = {group: share_of(config.seed, group) for group in sorted(set(groups))}
    if len(share) < 2:
        return {}
    members: dict[SplitName, list[str]] = {split: [] for split in SPLITS}
    for group in share:
        members[split_of_group(config, group)].append(group)
    ends, moved = intervals(config), dict[str, SplitName]()
    filled = list(ends)[: len(share)]
    for split in filled:
        if not members[split]:
            donor = max(SPLITS, key=lambda name: len(members[name]) - (name in filled))  # a filled one keeps a group
            group = min(members[donor], key=lambda name: _distance(share[name], *ends[split]))
            members[donor].remove(group)
            members[split].append(group)
            moved[group] = split
    return moved


def _distance(share: float, low: float, high: float) -> float:
    return max(low - share, share - high, 0.0)


def dealt(config: SplitConfig, groups: Iterable[str], n_folds: int) -> list[list[str]]:
    """Deal groups into folds, in turn, in the order of their shares.

    Args:
        config: The rule; its seed decides the order.
        groups: Names of all groups, in any order.
        n_folds: Number of folds.

    Returns:
        The groups of each fold; their numbers differ by 1 at most.
    """
    ordered = sorted(set(groups), key=lambda group: (share_of(config.seed, group), group))
    return [ordered[first::n_folds] for first in range(n_folds)]

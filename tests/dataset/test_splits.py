from collections import Counter

from hypothesis import assume, given, strategies as st

from poreconv.config import SplitConfig
from poreconv.dataset.splits import SPLITS, dealt, intervals, moved_groups, share_of, split_of_group

GROUPS = st.sets(st.text(min_size=1, max_size=9), min_size=1, max_size=12)


@st.composite
def rules(draw: st.DrawFn) -> SplitConfig:
    """Return a rule with shares in per cent, 0 included."""
    test = draw(st.integers(0, 100))
    validation = draw(st.integers(0, min(99, 100 - test)))
    return SplitConfig(validation=validation / 100, test=test / 100, seed=draw(st.integers(0, 9)))


def members(rule: SplitConfig, groups: set[str]) -> Counter[str]:
    """Return the number of groups in each split, after some were moved."""
    moved = moved_groups(rule, groups)
    return Counter(moved.get(group) or split_of_group(rule, group) for group in groups)


@given(rules(), GROUPS)
def test_no_split_with_a_share_is_left_empty(rule: SplitConfig, groups: set[str]) -> None:
    """Of a few groups each split gets one; where there are fewer groups than splits, training comes first."""
    assume(len(groups) > 1)
    asked = list(intervals(rule))

    assert [split for split in asked if members(rule, groups)[split]] == asked[: len(groups)]


@given(rules(), GROUPS)
def test_a_split_without_a_share_stays_empty(rule: SplitConfig, groups: set[str]) -> None:
    """None of the reads is put where none was asked for."""
    assert set(members(rule, groups)) <= set(intervals(rule))


@given(rules(), GROUPS)
def test_no_more_is_moved_than_is_needed(rule: SplitConfig, groups: set[str]) -> None:
    """One group goes into each split that the rule leaves empty, and none into any other."""
    by_rule = {split_of_group(rule, group) for group in groups}
    moved = moved_groups(rule, groups)

    assert len(set(moved.values())) == len(moved)
    assert by_rule.isdisjoint(moved.values())


@given(rules(), st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=12))
def test_the_order_of_the_reads_does_not_matter(rule: SplitConfig, groups: list[str]) -> None:
    """The same groups give the same splits and folds."""
    assert moved_groups(rule, groups) == moved_groups(rule, reversed(groups))
    assert dealt(rule, groups, 3) == dealt(rule, sorted(groups), 3)


def test_a_group_that_is_alone_is_not_moved() -> None:
    """One split is not enough to train, and the read is where any other store has it."""
    assert all(moved_groups(SplitConfig(seed=seed), ["alone"]) == {} for seed in range(20))


def test_the_nearest_group_is_moved() -> None:
    """It is the one that a slightly larger share of the split would have included."""
    rule = next(
        rule for rule in map(_seeded, range(99)) if {split_of_group(rule, name) for name in "abcdef"} == {"train"}
    )
    share = {name: share_of(rule.seed, name) for name in "abcdef"}
    first, second = sorted(share, key=share.__getitem__)[:2]

    assert moved_groups(rule, "abcdef") == {first: "validation", second: "test"}


def _seeded(seed: int) -> SplitConfig:
    return SplitConfig(seed=seed)


@given(rules(), GROUPS, st.integers(2, 6))
def test_each_group_is_in_one_fold(rule: SplitConfig, groups: set[str], n_folds: int) -> None:
    """The numbers of groups differ by one at most."""
    folds = dealt(rule, groups, n_folds)
    sizes = [len(fold) for fold in folds]

    assert len(folds) == n_folds
    assert sorted(group for fold in folds for group in fold) == sorted(groups)
    assert max(sizes) - min(sizes) <= 1


def test_splits_are_filled_in_the_order_of_their_use() -> None:
    """Without training reads the others are of no use, and without validation reads no checkpoint is chosen."""
    assert SPLITS == ("train", "validation", "test")
    assert members(SplitConfig(), {"a", "b"}) == {"train": 1, "validation": 1}
    assert members(SplitConfig(), {"a", "b", "c"}) == {"train": 1, "validation": 1, "test": 1}

"""The actions that a person takes in the studio are counted by the rule that the study gives."""

import numpy as np
import pytest

from poreconv.events.events import Events
from scripts.studies.studio_loop import figure
from scripts.studies.studio_person import actions, actions_without

CLASSES = ("adapter", "polya", "transcript")


def regions(*ends: int, classes: tuple[str, ...] = CLASSES) -> Events:
    """Make regions that follow each other, of the classes in order."""
    labels = [CLASSES.index(name) for name in classes]
    return Events.of(np.array((0, *ends[:-1])), np.array(ends), label=np.array(labels), classes=CLASSES)


TRUTH = regions(1000, 2000, 5000)


@pytest.mark.parametrize(
    ("proposed", "expected"),
    [
        (TRUTH, 1),
        (regions(1050, 1950, 5000), 1),
        (regions(1051, 2000, 5000), 2),
        (regions(1051, 1949, 5000), 3),
        (regions(1000, 5000, classes=("adapter", "transcript")), 1 + 2 + 1),
        (regions(1000, 2000, 5000, classes=("adapter", "transcript", "transcript")), 1 + 2),
        (regions(1000, 2000, 4000, 5000, classes=("adapter", "polya", "transcript", "adapter")), 1 + 1 + 2),
        (regions(5000, classes=("transcript",)), 1 + 1 + 4),
    ],
)
def test_actions_with_proposals(proposed: Events, expected: int) -> None:
    """One accepts all; two delete, add or change the class of a region; one moves an end, or a shared one."""
    assert actions(TRUTH, proposed) == expected


def test_actions_without_proposals() -> None:
    """A drag and a key for each region."""
    assert actions_without(TRUTH) == 6


def test_the_figure_is_drawn_from_the_results() -> None:
    """A bar for each number of the summaries."""
    names = ("marks_by_studio", "marks_at_random", "actions", "actions_in_loop", "actions_without")
    drawn = figure({"summaries": [{"set": "simulated"} | dict.fromkeys(names, 2.0)]})

    assert [len(axes.patches) for axes in drawn.axes] == [2, 3]

"""How scores of the judge ``levels`` are tabulated and described: without a sequence, and with one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from poreconv.evaluation.presentation import Presentation
from poreconv.evaluation.words import percent

if TYPE_CHECKING:
    from poreconv.evaluation.result import Evaluation

LABELS = "labels"
"""Name, among the methods, of the events of the labels."""

LEAST = "changepoint"
"""Name, among the methods, of the one that minimises the variance within events."""

NUMBER = (
    "All methods are judged on the same samples, between the model's first and last boundary where the current steps"
    " from level to level, and the baselines are set to find as many boundaries there as the model, read by read; few"
    " sure boundaries, or many superfluous ones, would flatter a method. Number: its boundaries over the model's."
)


class LevelsPresentation(Presentation):
    """Variance and jumps of the current, at an equal number of events."""

    read_scores: ClassVar[tuple[str, ...]] = ("explained", "within_between", "jump_ratio")
    read_columns: ClassVar[dict[str, str]] = {
        "explained": "explained", "within_between": "within / between", "jump_ratio": "jump ratio",
    }  # fmt: skip
    intervals: ClassVar[tuple[str, ...]] = ("explained", "within_between", "jump_ratio")
    meaning = "Share of the current's variance that lies between events, not within them"
    references: ClassVar[tuple[str, ...]] = (LEAST,)
    judged_by = ", judged by levels"
    of_pictures = "Scores"
    undefined = "the current of these reads does not vary"
    note = (
        "Explained: share of the variance of the normalised current that lies between events, weighted by their"
        " samples. Within / between: mean squared deviation of the samples from their event's mean, over the variance"
        " of the events' means; smaller is better. Jump ratio: mean change of the current at a boundary over that"
        f" anywhere. {LEAST} minimises the variance within events: it shows what can be had, not which boundaries are"
        " true. Boundaries of aligners that know the sequence score less, about as ttest does; uniform shows what"
        f" chance scores. {NUMBER}"
    )

    @property
    def headline(self) -> str:
        """Key of the headline score."""
        return self.read_scores[0]

    def columns(self, classes: tuple[str, ...]) -> dict[str, str]:
        """Return variance, jumps and numbers."""
        return {
            "explained": "explained", "within / between": "within_between", "jump ratio": "jump_ratio",
            "events/s": "events_per_s", "number": "number",
        }  # fmt: skip

    def how_good(self, result: Evaluation) -> str:
        """Describe variance and jumps."""
        scores = result.model_scores
        return (
            f"{percent(scores['explained'])} of the variance of the current lies between its events; at its boundaries"
            f" the current changes {scores['jump_ratio']:.2f} times as much as anywhere."
        )

    def balance(self, result: Evaluation) -> str:
        """Describe the variance that is left within events."""
        scores = result.model_scores
        return (
            f"{percent(1 - scores['explained'])} of the variance is left within its events, of which it finds"
            f" {scores['events_per_s']:,.0f} per second. Part of that is noise, which no boundary explains."
        )


class SequenceLevelsPresentation(LevelsPresentation):
    """The same, and how events fit the levels of a known sequence."""

    read_scores: ClassVar[tuple[str, ...]] = ("correlation", "distance", "one_event", "explained")
    read_columns: ClassVar[dict[str, str]] = {
        "correlation": "r", "distance": "distance", "one_event": "one event", "explained": "explained",
    }  # fmt: skip
    intervals: ClassVar[tuple[str, ...]] = ("correlation", "distance", "within_between", "jump_ratio")
    meaning = "Correlation of the events' mean currents with the levels of the known sequence"
    undefined = "no event has a level"
    note = (
        "r: Pearson correlation of the events' mean currents and the levels of their k-mers, along the path that fits"
        " best near the labels. Distance: root mean square of their differences, in SDs of the table's levels. One"
        " event: share of the k-mers with exactly one; skipped: with none. The row labels: the labels' own events, in"
        f" their own number. {LevelsPresentation.note}"
    )
    references: ClassVar[tuple[str, ...]] = (LABELS,)

    def columns(self, classes: tuple[str, ...]) -> dict[str, str]:
        """Return the fit to the levels, then variance, jumps and numbers."""
        of_sequence = {
            "r": "correlation", "distance": "distance", "one event": "one_event", "skipped": "skipped",
            "events/k-mer": "events_per_kmer",
        }  # fmt: skip
        return of_sequence | super().columns(classes)

    def how_good(self, result: Evaluation) -> str:
        """Describe correlation and distance."""
        scores = result.model_scores
        return (
            f"The mean currents of its events correlate with the levels of the known sequence at"
            f" {scores['correlation']:.3f}, and are {scores['distance']:.2f} SDs of the levels away from them."
        )

    def balance(self, result: Evaluation) -> str:
        """Describe k-mers with too few and too many events."""
        scores = result.model_scores
        more = 1 - scores["one_event"] - scores["skipped"]
        return (
            f"{percent(scores['one_event'])} of the k-mers have exactly one event, {percent(scores['skipped'])} have"
            f" none (a missed boundary), and {percent(more)} have several (superfluous boundaries)."
        )

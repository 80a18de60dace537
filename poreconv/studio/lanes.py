"""Lanes below a squiggle: the events of label sources and of a model, to compare with marks or to accept."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from poreconv.config import StudioConfig
from poreconv.errors import ReadDropped
from poreconv.events.events import UNNAMED, Events
from poreconv.labels.marks import Mark, MarkedKind
from poreconv.labels.opening import LabelsAsked, choose_labels
from poreconv.labels.sources import LabelSource
from poreconv.models.own import Networks
from poreconv.reads.read import Read

if TYPE_CHECKING:  # slow to import, and used only with a model
    from poreconv.inference.labeller import Labeller

MODEL = "model"
"""Name of the lane of a model."""

MOST_EVENTS = 2000
"""Most events of a lane that are sent at a time; of more only their coverage is."""

MOST_READS = 16
"""Reads whose events are kept."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The events of one lane in a part of a read, as lists."""

    name: str
    n_events: int
    """In the whole read."""
    problem: str = ""
    """Why there are none."""
    dense: bool = False
    """Whether there are too many here, so that what follows is their coverage alone."""
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    score: list[float] = field(default_factory=list)


class ModelLane:
    """A model, or for each read the one that fits, loaded when it is first used.

    Args:
        model: A trained model, or ``auto``.
        config: How it runs.
        networks: The user's own network, if the model has one.

    Raises:
        ConfigError: See `found_model`.
    """

    def __init__(self, model: Path | str, config: StudioConfig, networks: Networks) -> None:
        from poreconv.inference.auto import finds_bases, found_model  # slow to import, and needed only here
        from poreconv.inference.labeller import load

        self._load = partial(load, config=config.inference, networks=networks, fit=config.fit)
        self._model = found_model(model, finds_bases, config.inference, networks, config.fit)
        self._loaded: dict[Any, Labeller] = {}

    def events(self, read: Read) -> Events:
        """Find the events of a read.

        Args:
            read: The read.

        Raises:
            MismatchError: The model was not trained for such reads.
            SignalError: The read is empty or flat.
        """
        fitting = self._model.name_for(read)
        if fitting not in self._loaded:
            self._loaded[fitting] = self._load(fitting)
        return self._loaded[fitting](read)


class Lanes:
    """Label sources and perhaps a model, open; a context manager. Several threads may ask.

    Args:
        labels: Label sources; each has a lane.
        labels_from: Their files.
        model: A trained model, or ``auto``; None: no lane of a model.
        config: Settings of the sources and of the model.
        networks: The user's own network, if the model has one.

    Raises:
        ConfigError: See `choose_labels` and `found_model`.
    """

    def __init__(
        self,
        labels: LabelsAsked,
        labels_from: Sequence[Path | str],
        model: Path | str | None,
        config: StudioConfig,
        networks: Networks = None,
    ) -> None:
        self._model = None if model is None else ModelLane(model, config, networks)
        self._found: OrderedDict[str, dict[str, Events | str]] = OrderedDict()
        self._lock = threading.Lock()
        with ExitStack() as stack:
            self._sources: dict[str, LabelSource] = {
                choice.name: stack.enter_context(closing(choice.open(config.sources)))
                for choice in (choose_labels(labels, labels_from) if labels else ())
            }
            self._files = stack.pop_all()

    @property
    def names(self) -> list[str]:
        """Names of the lanes."""
        return [*self._sources, *([MODEL] if self._model else [])]

    def of(self, read: Read) -> dict[str, Events | str]:
        """Return the events of a read by lane; a text where there are none.

        Args:
            read: The read.
        """
        with self._lock:
            if read.read_id not in self._found:
                sources = {name: _events(source.events, read) for name, source in self._sources.items()}
                model = {MODEL: _events(self._model.events, read)} if self._model else {}
                self._found[read.read_id] = sources | model
            self._found.move_to_end(read.read_id)
            while len(self._found) > MOST_READS:
                self._found.popitem(last=False)
            return self._found[read.read_id]

    def close(self) -> None:
        """Close the label sources."""
        self._files.close()

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the label sources."""
        self.close()


def _events(label: Any, read: Read) -> Events | str:
    try:
        found: Events | None = label(read)
    except ReadDropped as exc:
        return str(exc)
    return "no label for this read" if found is None else found


def lane_of(name: str, events: Events | str, start: int, end: int) -> Lane:
    """Return the part of a lane that is to be drawn.

    Args:
        name: Of the lane.
        events: Of the whole read; a text: why there are none.
        start: First sample.
        end: Sample after the last.
    """
    if isinstance(events, str):
        return Lane(name, 0, problem=events)
    here = np.flatnonzero(events.within(start, end))
    if len(here) > MOST_EVENTS:
        covered = events.coverage[(events.coverage[:, 1] > start) & (events.coverage[:, 0] < end)][:MOST_EVENTS]
        return Lane(name, len(events), dense=True, start=covered[:, 0].tolist(), end=covered[:, 1].tolist())
    names = [*events.classes, UNNAMED]
    return Lane(
        name,
        len(events),
        start=events.start[here].tolist(),
        end=events.end[here].tolist(),
        label=[names[label] for label in events.label[here]],
        score=[round(score, 4) for score in events.score[here].tolist()],
    )


def marks_of(events: Events, used_as: MarkedKind, least_score: float = 0.0) -> list[Mark]:
    """Return new marks of the events of one read.

    Args:
        events: Of the read.
        used_as: The kind of marks; of a read's class the event of the highest score counts.
        least_score: Events with a lower score are left out.
    """
    kept = np.flatnonzero(events.score >= least_score)
    if used_as == "read":
        kept = kept[np.argsort(-events.score[kept], kind="stable")[:1]]
    names = [*events.classes, UNNAMED]
    places = zip(events.start[kept].tolist(), events.end[kept].tolist(), events.label[kept].tolist(), strict=True)
    if used_as == "boundary":
        return [Mark(0, used_as, start, start + 1) for start, _, _ in places]
    return [Mark(0, used_as, start, end, names[label]) for start, end, label in places]

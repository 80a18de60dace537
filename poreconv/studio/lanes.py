"""Lanes below a squiggle: the events of label sources and of models, to compare with marks or to accept."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, TimeoutError as NotYet
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from poreconv.config import StudioConfig
from poreconv.errors import PoreconvError, ReadDropped, WorkerError
from poreconv.events.events import UNNAMED, Events
from poreconv.labels.marks import BACKGROUND, Mark, MarkedKind
from poreconv.labels.opening import LabelsAsked, choose_labels
from poreconv.labels.sources import LabelSource
from poreconv.models.header import read_header
from poreconv.models.own import Networks
from poreconv.models.shipped import AUTO, find_bundle
from poreconv.reads.read import Read
from poreconv.studio.worker import EventsJob, Found, Place, Worker

MODEL, PROPOSALS = "model", "proposals"
"""Names of the lanes of the user's model, and of the newest one that learnt from the marks."""

FINDING = "the model is looking for events"
"""Stands in a lane meanwhile."""

PATIENCE_S = 0.3
"""Time that an answer waits for a model; what takes longer is asked for again."""

MOST_CURVES = 128 << 20
"""Memory of the probabilities that are kept, bytes; those of the read that is looked at are kept at any length."""

Answer = Found | str | None
"""What a lane has for a read: a text where there are no events; None where a model is looking for them."""

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
    pending: bool = False
    """Whether a model is still looking for them."""
    curves: list[str] = field(default_factory=list)
    """Classes whose probability at each sample is known."""
    start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    score: list[float] = field(default_factory=list)


class Lanes:
    """Label sources and models; a context manager. Several threads may ask.

    Args:
        labels: Label sources; each has a lane.
        labels_from: Their files.
        model: A trained model, or ``auto``; None: no lane of one.
        config: Settings of the sources and of the model.
        networks: The user's own network, if the model has one.
        worker: The process in which models find events.

    Raises:
        ConfigError: See `choose_labels` and `found_model`.
    """

    def __init__(
        self,
        labels: LabelsAsked,
        labels_from: Sequence[Path | str],
        model: Path | str | None,
        config: StudioConfig,
        networks: Networks,
        worker: Worker,
    ) -> None:
        self._model = None if model is None else _model_found(model, config, networks)
        self._worker, self._proposing = worker, ""
        self._of_sources: OrderedDict[str, dict[str, Answer]] = OrderedDict()
        self._of_models: OrderedDict[tuple[str, str], Future[Found]] = OrderedDict()
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
        models = [*([MODEL] if self._model else []), *([PROPOSALS] if self._proposing else [])]
        return [*self._sources, *models]

    def propose(self, model: Path) -> None:
        """Let a model make the proposals from now on.

        Args:
            model: Its bundle.
        """
        self._proposing = str(model)

    def of(self, read: Read, patience_s: float | None = PATIENCE_S) -> dict[str, Answer]:
        """Return what each lane has for a read.

        Args:
            read: The read.
            patience_s: Longest time to wait for each model, seconds; None: any.
        """
        found = {**self._labels(read)}
        for lane in (name for name in self.names if name not in self._sources):
            try:
                found[lane] = self.found(lane, read, patience_s)
            except NotYet:
                found[lane] = None
            except PoreconvError as exc:
                found[lane] = str(exc)
        return found

    def _labels(self, read: Read) -> dict[str, Answer]:
        with self._lock:
            if read.read_id not in self._of_sources:
                sources = {name: _events(source.events, read) for name, source in self._sources.items()}
                self._of_sources[read.read_id] = sources
            self._of_sources.move_to_end(read.read_id)
            while len(self._of_sources) > MOST_READS:
                self._of_sources.popitem(last=False)
            return self._of_sources[read.read_id]

    def found(self, lane: str, read: Read, patience_s: float | None = None) -> Found:
        """Return what the model of a lane finds in a read.

        Args:
            lane: `MODEL` or `PROPOSALS`.
            read: The read.
            patience_s: Longest time to wait, seconds; default: any.

        Raises:
            KeyError: There is no such lane.
            PoreconvError: The model cannot be used, or not for this read.
            TimeoutError: It takes longer.
        """
        model = self._name_for(lane, read)
        with self._lock:
            key = model, read.read_id
            if key not in self._of_models or _died(self._of_models[key]):
                place = Place(read.source or Path(), read.read_id)
                self._of_models[key] = self._worker.submit(EventsJob(place, model))
            self._of_models.move_to_end(key)
            self._forget()
            future = self._of_models[key]
        return future.result(patience_s)

    def _name_for(self, lane: str, read: Read) -> str:
        if lane == PROPOSALS and self._proposing:
            return self._proposing
        if lane != MODEL or self._model is None:
            raise KeyError(lane)
        return str(self._model.name_for(read))

    def _forget(self) -> None:
        """Forget what was not asked for longest."""
        done = [each.result() for each in self._of_models.values() if each.done() and each.exception() is None]
        n_bytes, most = sum(found.n_bytes for found in done), MOST_READS * 2
        while len(self._of_models) > most or (n_bytes > MOST_CURVES and len(self._of_models) > 1):
            _, oldest = self._of_models.popitem(last=False)
            if oldest.done() and oldest.exception() is None:
                n_bytes -= oldest.result().n_bytes
            else:
                oldest.cancel()

    def close(self) -> None:
        """Close the label sources."""
        self._files.close()

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the label sources."""
        self.close()


def _model_found(model: Path | str, config: StudioConfig, networks: Networks) -> Any:
    """Find the user's model; a network that is given may be for learning alone."""
    from poreconv.inference.auto import finds_bases, found_model  # slow to import, and needed only here

    is_auto = str(model) == AUTO and not Path(model).is_file()
    own = not is_auto and read_header(find_bundle(model)).recipe.own_network is not None
    return found_model(model, finds_bases, config.inference, networks if own else None, config.fit)


def _died(future: Future[Found]) -> bool:
    """Return whether the process died that was to look for events, so that another may be asked."""
    return future.done() and isinstance(future.exception(), WorkerError)


def _events(label: Any, read: Read) -> Answer:
    try:
        events: Events | None = label(read)
    except ReadDropped as exc:
        return str(exc)
    return "no label for this read" if events is None else Found(events)


def lane_of(name: str, found: Answer, start: int, end: int) -> Lane:
    """Return the part of a lane that is to be drawn.

    Args:
        name: Of the lane.
        found: Of the whole read.
        start: First sample.
        end: Sample after the last.
    """
    if found is None:
        return Lane(name, 0, problem=FINDING, pending=True)
    if isinstance(found, str):
        return Lane(name, 0, problem=found)
    events, curves = found.events, [curve for curve, _ in found.curves]
    here = np.flatnonzero(events.within(start, end))
    if len(here) > MOST_EVENTS:
        covered = events.coverage[(events.coverage[:, 1] > start) & (events.coverage[:, 0] < end)][:MOST_EVENTS]
        places = {"start": covered[:, 0].tolist(), "end": covered[:, 1].tolist()}
        return Lane(name, len(events), dense=True, curves=curves, **places)
    names = [*events.classes, UNNAMED]
    return Lane(
        name,
        len(events),
        curves=curves,
        start=events.start[here].tolist(),
        end=events.end[here].tolist(),
        label=[names[label] for label in events.label[here]],
        score=[round(score, 4) for score in events.score[here].tolist()],
    )


def marks_of(events: Events, used_as: MarkedKind, least_score: float = 0.0) -> list[Mark]:
    """Return new marks of the events of one read; of intervals the background becomes what was looked at.

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
    marks = [Mark(0, used_as, start, end, names[label]) for start, end, label in places]
    if used_as == "interval":
        return [replace(mark, kind="seen", label="") if mark.label == BACKGROUND else mark for mark in marks]
    return marks

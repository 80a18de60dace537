"""The process in which models find events, so that the server stays quick."""

import itertools
import multiprocessing
import queue
import threading
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from poreconv.config import StudioConfig
from poreconv.errors import PoreconvError, WorkerError
from poreconv.events.events import Events
from poreconv.models.header import read_header
from poreconv.models.own import Networks, sent_networks
from poreconv.models.shipped import find_bundle
from poreconv.reads.pieces import LastFile
from poreconv.reads.read import Read
from poreconv.runtime.executors import go_to_background
from poreconv.studio.offering import doubt
from poreconv.studio.pyramid import Pyramid

if TYPE_CHECKING:  # slow to import, and used in the worker process alone
    from poreconv.inference.labeller import Labeller

MOST_SAMPLES = 1 << 20
"""Of a read, from its beginning, in which its doubt is measured."""

CERTAIN = 255
"""Number that stands for the probability 1 in a curve."""

POLITENESS = 1
"""Little: somebody waits for what is found."""

URGENT, LATER = 0, 1
"""Order in which jobs are done."""

# C classes, T samples


@dataclass(frozen=True, slots=True)
class Found:
    """What a model finds in a read."""

    events: Events
    curves: tuple[tuple[str, Pyramid], ...] = ()
    """Probability at each sample, 0 to `CERTAIN`, of each class of which pictures show it."""

    @property
    def n_bytes(self) -> int:
        """Memory of the curves."""
        return sum(pyramid.n_bytes for _, pyramid in self.curves)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a read is stored."""

    source: Path
    """Its file."""
    read_id: str


@dataclass(frozen=True, slots=True)
class EventsJob:
    """Find the events of a read; the result is `Found`."""

    place: Place
    model: str
    """A bundle, or the name of a shipped model."""


@dataclass(frozen=True, slots=True)
class DoubtJob:
    """Measure how much a network would learn from marks of a read; the result is a number, see `doubt`."""

    place: Place
    model: str
    previous: str
    """The model before it; empty: none, or one of other classes."""


Job = EventsJob | DoubtJob


class Models:
    """What does the jobs, in the worker process.

    Args:
        config: How models run.
        networks: The user's own network, for models that have one.
    """

    def __init__(self, config: StudioConfig, networks: Networks) -> None:
        self._config, self._networks = config, networks
        self._file = LastFile()
        self._loaded: dict[str, Labeller] = {}

    def __call__(self, job: Job) -> Any:
        """Do a job.

        Args:
            job: The job.

        Raises:
            PoreconvError: The read or the model is unusable, or they do not fit.
        """
        read = self._file.open(job.place.source)[job.place.read_id]
        if isinstance(job, EventsJob):
            return self._found(read, self._labeller(job.model))
        beginning = replace(read, adc=read.adc[:MOST_SAMPLES])
        p_CT, *previous_CT = (
            self._labeller(model).probabilities(beginning) for model in (job.model, job.previous) if model
        )
        return doubt(p_CT, *previous_CT)

    def _found(self, read: Read, labeller: "Labeller") -> Found:
        p_CT = labeller.probabilities(read)
        task, classes = labeller.recipe.asked, labeller.recipe.classes
        tracks = task.tracks(classes) if task.quantity == "probability" else {}
        curves = [(name, Pyramid(_curve(p_CT[row], len(read.adc)))) for row, name in tracks.items()]
        return Found(labeller.decode(read, p_CT), tuple(curves))

    def _labeller(self, model: str) -> "Labeller":
        if model not in self._loaded:
            from poreconv.inference.labeller import load

            own = read_header(find_bundle(model)).recipe.own_network is not None
            networks = self._networks if own else None
            config = self._config
            self._loaded[model] = load(model, config=config.inference, networks=networks, fit=config.fit)
        return self._loaded[model]


def _curve(p_T: NDArray[np.float32], n_samples: int) -> NDArray[np.uint8]:
    """Make a curve, shape ``(n_samples,)``, of probabilities at the model's own sample rate."""
    at_rate = p_T if len(p_T) == n_samples else p_T[np.arange(n_samples) * len(p_T) // n_samples]
    return np.round(np.clip(at_rate, 0, 1) * CERTAIN).astype(np.uint8)


def _serve(server: Connection, config: StudioConfig, networks: Networks) -> None:
    """Do jobs until the server is gone."""
    go_to_background(POLITENESS)
    models = Models(config, networks)
    with suppress(EOFError, OSError):
        while True:
            job = server.recv()
            try:
                found = models(job)
            except PoreconvError as exc:
                found = exc
            server.send(found)


@dataclass(order=True, slots=True)
class _Waiting:
    urgency: int
    number: int
    job: Job | None = field(compare=False)
    """None: no more come."""
    future: "Future[Any]" = field(compare=False)


class Worker:
    """Does jobs in a process that starts with the first one, and anew where it died; several threads may ask.

    Args:
        config: How models run.
        networks: The user's own network, for models that have one.
    """

    def __init__(self, config: StudioConfig, networks: Networks = None) -> None:
        self._given = (config, sent_networks(networks))
        self._waiting: queue.PriorityQueue[_Waiting] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._thread = threading.Thread(target=self._pass_on, daemon=True, name="models")
        self._thread.start()

    def submit(self, job: Job, urgency: int = URGENT) -> "Future[Any]":
        """Have a job done, after those that are as urgent and came before.

        Args:
            job: The job.
            urgency: `URGENT` or `LATER`.

        Returns:
            Its result; raises what `Models` raises, or WorkerError where the process died.
        """
        future: Future[Any] = Future()
        self._waiting.put(_Waiting(urgency, next(self._numbers), job, future))
        return future

    def _pass_on(self) -> None:
        while (waiting := self._waiting.get()).job is not None:
            if not waiting.future.set_running_or_notify_cancel():
                continue
            try:
                found = self._done(waiting.job)
            except (EOFError, OSError):
                self._pipe = None
                found = WorkerError(
                    "the process that runs the model died, possibly out of memory; look at shorter reads"
                )
            if isinstance(found, Exception):
                waiting.future.set_exception(found)
            else:
                waiting.future.set_result(found)

    def _done(self, job: Job) -> Any:
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")  # a fork would copy the server's threads and locks
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other, *self._given), daemon=True, name="models")
            self._process.start()
            other.close()
        self._pipe.send(job)
        return self._pipe.recv()

    def close(self) -> None:
        """End the process, in the middle of a job if there is one."""
        self._waiting.put(_Waiting(-1, 0, None, Future()))
        if self._process is not None:
            self._process.terminate()

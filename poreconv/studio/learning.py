"""A network learns from the marks of a project, in a process of its own; the server starts, watches and stops it."""

import multiprocessing
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from poreconv.config import StudioConfig, require
from poreconv.labels.marks import DATABASE, Marks
from poreconv.labels.project import MARKS_FOR, Learnt, ProjectModel, models_in, next_model, usable_models
from poreconv.models.own import Networks
from poreconv.runtime.progress import TimeLeft
from poreconv.runtime.records import to_json
from poreconv.runtime.registry import name_of

LONGEST_END_S = 60.0
"""Time that the process may take to write its model when the server ends."""

LEAST_READS = 2
"""A network learns from one read at least, and is judged on another."""


STOP = "stop"
"""What the server sends to end the training early."""


@dataclass(frozen=True)
class Lesson:
    """What is learnt from, and how; it pickles."""

    paths: tuple[Path, ...]
    """Signal files and folders."""
    model: ProjectModel
    """Its place, where the marks have been copied."""
    task: str
    config: StudioConfig
    network: Networks = None
    """The user's own network, as they gave it; None: that of the model to start from, or of the preset."""


@dataclass(frozen=True)
class Report:
    """What the process reports: how far it is, or how it ended."""

    title: str = ""
    """What is done."""
    share: float = 0.0
    note: str = ""
    ended: bool = False
    problem: str = ""
    """Why it failed, in one line; empty: it did not."""


@dataclass(frozen=True)
class Model:
    """A model of the project, as the page shows it."""

    number: int
    learnt: Learnt


@dataclass(frozen=True)
class Learning:
    """What the page shows of learning."""

    running: bool = False
    title: str = ""
    """What is done now."""
    share: float = 0.0
    note: str = ""
    left: str = ""
    """How long still, in words; empty: not known."""
    problem: str = ""
    """Why the last training failed."""
    models: list[Model] = field(default_factory=list)
    doubts: int = 0
    """Reads of which the doubt of the newest model is known."""


class Learner:
    """Starts and stops the learning of a project; several threads may ask.

    Args:
        paths: Signal files and folders.
        marks: The project's marks, used with the lock alone.
        lock: Of the marks.
        config: How a network learns.
        networks: The user's own network, from the command line.
        learnt: Called, in another thread, when there is a new model.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        marks: Marks,
        lock: threading.Lock,
        config: StudioConfig,
        networks: Networks,
        learnt: Callable[[], None],
    ) -> None:
        self._paths, self._marks, self._lock, self._config = tuple(paths), marks, lock, config
        self._network = None if isinstance(networks, Mapping) else networks
        self._learnt, self._folder = learnt, marks.path.parent
        self._starting = threading.Lock()
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._state = Learning(models=self._models())

    @property
    def running(self) -> bool:
        """Whether a network learns now."""
        return self._state.running

    def state(self) -> Learning:
        """Return how far it is, and the models that there are."""
        return self._state

    def _models(self) -> list[Model]:
        found = [(model.number, model.learnt) for model in usable_models(self._folder)]
        return [Model(number, replace(learnt, paths=())) for number, learnt in found if learnt is not None]

    def start(self) -> None:
        """Begin to learn from the marks as they are now; one that was killed with these marks goes on.

        Raises:
            ConfigError: A network learns already, or there are too few marks.
        """
        with self._starting:
            require(not self._state.running, "learn: a network learns already; wait for it, or stop it")
            lesson = self._lesson()
            context = multiprocessing.get_context("spawn")  # a fork would copy the server's threads and locks
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_take, args=(lesson, other), daemon=False, name="learning")
            self._process.start()
            other.close()
            self._state = Learning(running=True, title="starting", models=self._state.models)
            threading.Thread(target=self._watch, args=(lesson.model,), daemon=True, name="learning").start()

    def _lesson(self) -> Lesson:
        """Copy the marks to the place of a model, and write the list of the reads to learn from."""
        config, network = self._config, "" if self._network is None else name_of(self._network)
        with self._lock:
            used_as, version = self._marks.used_as, self._marks.version
            with_seen = {used_as} if used_as == "read" else {used_as, "seen"}
            counts = self._marks.counts()
            read_ids = sorted(read_id for read_id, kinds in counts.items() if with_seen & kinds.keys())
            require(
                len(read_ids) >= LEAST_READS,
                f"learn: {len(read_ids)} marked reads; mark {LEAST_READS} or more (ten are a good beginning), and what"
                " was looked at",
            )
            plan = to_json([version, used_as, config.preset, config.max_time, config.max_steps, network, read_ids])
            model = self._place(plan)
            if not _plan_of(model):
                self._marks.copy_to(model.folder)
                model.read_ids.write_text("\n".join(read_ids), encoding="utf-8")
                _plan(model).write_text(plan, encoding="utf-8")
        return Lesson(self._paths, model, MARKS_FOR[used_as], config, self._network)

    def _place(self, plan: str) -> ProjectModel:
        """Return the place of a model that was killed with the same plan; else a new one."""
        for model in models_in(self._folder)[-1:]:
            if model.learnt is None and _plan_of(model) == plan:
                return model
            if model.learnt is None and not model.bundle.exists():
                shutil.rmtree(model.folder)  # nothing is lost: other marks, and no model
        return next_model(self._folder)

    def _watch(self, model: ProjectModel) -> None:
        """Follow the process to its end."""
        pipe, process, left, began, title = self._pipe, self._process, TimeLeft(), time.monotonic(), ""
        report = Report()
        with suppress(EOFError, OSError):
            while pipe is not None and not report.ended:
                report = pipe.recv()
                if report.title != title:
                    left, began, title = TimeLeft(), time.monotonic(), report.title
                words = left(time.monotonic() - began, report.share)
                self._state = Learning(True, report.title, report.share, report.note, words, models=self._state.models)
        if process is not None:
            process.join()
        problem = report.problem
        if not report.ended:
            code = None if process is None else process.exitcode
            problem = (
                f"the process that learns ended (exit code {code}), possibly out of memory; Learn goes on from there"
            )
        if model.learnt is not None:
            self._learnt()
        self._state = Learning(problem=problem, models=self._models())

    def stop(self) -> None:
        """Ask the process to end early, with a model that is usable."""
        if self._state.running and self._pipe is not None:
            with suppress(OSError):
                self._pipe.send(STOP)

    def close(self) -> None:
        """End the process, with a usable model where there is one."""
        self.stop()
        if self._process is not None:
            self._process.join(LONGEST_END_S)
            self._process.kill()


def _take(lesson: Lesson, server: Connection) -> None:
    from poreconv.studio.lesson import take  # the training libraries, which the server does without

    take(lesson, server)


def _plan(model: ProjectModel) -> Path:
    return model.folder / "plan.json"


def _plan_of(model: ProjectModel) -> str:
    try:
        return _plan(model).read_text(encoding="utf-8") if (model.folder / DATABASE).is_file() else ""
    except OSError:
        return ""

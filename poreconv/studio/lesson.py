"""What a network learns from the marks of a project: `prepare`, `train` and the score, in a process of its own."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

from poreconv.commands.evaluate import evaluate
from poreconv.commands.prepare import prepare
from poreconv.commands.train import Trained, train
from poreconv.config import EvaluateConfig, FilesConfig, PrepareConfig, StudioConfig, TrainConfig, WorkConfig
from poreconv.dataset.store import Store, distinct
from poreconv.errors import PoreconvError
from poreconv.evaluation.result import Evaluation
from poreconv.labels.project import Judged, Learnt
from poreconv.models.fitting import chosen_model, stated
from poreconv.models.header import ONNX
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import shipped_headers, shipped_paths
from poreconv.reads.read import Read
from poreconv.runtime.executors import go_to_background
from poreconv.runtime.machine import one_line, refused
from poreconv.runtime.progress import progress_watched
from poreconv.studio.learning import STOP, Lesson, Report

POLITENESS = 10
"""Much: a training takes minutes, and the page is to stay quick meanwhile."""


def take(lesson: Lesson, server: Connection) -> None:
    """Learn, in this process: it ends early when the server sends `STOP`, or is no longer there; the model is usable.

    Args:
        lesson: What is learnt.
        server: Receives `Report` s.
    """
    go_to_background(POLITENESS)
    with _Watch(server) as watch:
        try:
            with progress_watched(watch):
                _learn(lesson, watch)
            problem = ""
        except KeyboardInterrupt:
            problem = "" if lesson.model.learnt else "stopped before there was a model"
        except PoreconvError as exc:
            problem = str(exc)
        except (OSError, MemoryError) as exc:
            problem = str(refused(exc))
        except Exception as exc:
            watch.end(f"{type(exc).__name__}: {one_line(exc)}; please report it, with what the terminal shows")
            raise
        watch.end(problem)


class _Watch:
    """Passes progress on to the server, and raises KeyboardInterrupt once it asks to stop, or is gone."""

    def __init__(self, server: Connection) -> None:
        self._server, self._is_stopping = server, False

    def __call__(self, title: str, share: float, note: str) -> None:
        if self._is_stopping:
            return
        try:
            self._server.send(Report(title, share, note))
            self._is_stopping = self._server.poll() and self._server.recv() == STOP
        except (OSError, EOFError):
            self._is_stopping = True
        if self._is_stopping:
            raise KeyboardInterrupt

    def end(self, problem: str) -> None:
        with suppress(OSError):
            self._server.send(Report(ended=True, problem=problem))

    def __enter__(self) -> "_Watch":
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.close()


def _learn(lesson: Lesson, watch: _Watch) -> None:
    model, stopped = lesson.model, False
    with _noted() as notes:
        store = _prepared(lesson)
        started_from = "" if lesson.network is not None else start_for(store, lesson.config)
        watch(f"train, from {started_from or 'scratch'}", 0.0, "")
        evaluation = None
        try:
            evaluation = _trained(lesson, started_from).evaluation
        except KeyboardInterrupt:
            if not model.bundle.is_file():
                raise
            stopped = True
            with suppress(PoreconvError):  # there may be no read to judge on
                config = EvaluateConfig(split="test", files=lesson.config.files)
                evaluation = evaluate(model.bundle, model.store, baselines=[], config=config, networks=lesson.network)
    learnt = Learnt(
        task=lesson.task,
        classes=store.info.classes,
        marked_reads=len(store),
        started_from=started_from,
        stopped=stopped,
        judged=None if evaluation is None else judged_by(evaluation),
        notes=tuple(notes),
        paths=lesson.paths,
    )
    model.finish(learnt)


def _prepared(lesson: Lesson) -> Store:
    """Prepare a store of the marked reads, by the split rule of every store, or open the one that is there."""
    model, config = lesson.model, lesson.config
    files = FilesConfig(skip_bad_files=config.files.skip_bad_files, read_ids=model.read_ids)
    asked = PrepareConfig(task=lesson.task, sources=config.sources, files=files, work=WorkConfig(workers=1))
    return prepare(lesson.paths, labels="studio", labels_from=[model.folder], out=model.store, config=asked)


def _trained(lesson: Lesson, started_from: str) -> Trained:
    asked, own = lesson.config, lesson.network
    config = TrainConfig(
        preset=asked.preset, max_time=asked.max_time, max_steps=asked.max_steps, start_from=started_from or None
    )
    return train(lesson.model.store, out=lesson.model.run, network=own, config=config)


def start_for(store: Store, config: StudioConfig) -> str:
    """Return the name of the shipped model to start from: of the same task and classes, trained on such reads.

    Args:
        store: What is learnt from.
        config: With the chemistry of reads whose files do not contain it.

    Returns:
        Of several the closest one; empty: none fits.
    """
    chemistries = store.text("chemistry")
    reads = [stated(store.read(chemistries.index(code)), config.fit) for code in distinct([store], "chemistry")]
    fitting = {name: recipe for name, recipe in _to_start_from().items() if _fits(recipe, store, reads)}
    return chosen_model(fitting, reads[0]) if fitting else ""


def _to_start_from() -> Mapping[str, Recipe]:
    paths = shipped_paths()
    return {name: header.recipe for name, header in shipped_headers().items() if paths[name].suffix != ONNX}


def _fits(recipe: Recipe, store: Store, reads: list[Read]) -> bool:
    alike = recipe.task == store.info.task and {*recipe.classes} == {*store.info.classes}
    return alike and all(recipe.trained_for(read) for read in reads)


def judged_by(evaluation: Evaluation) -> Judged:
    """Return what the page shows of an evaluation.

    Args:
        evaluation: On the reads that were put aside.
    """
    key, name = evaluation.recipe.asked.headline
    scores = evaluation.model_scores
    value, low, high = (_finite(scores.get(f"{key}{end}")) for end in ("", "_low", "_high"))
    words = "" if value is None else evaluation.presentation.how_good(evaluation)
    return Judged(name, value, low, high, evaluation.ledger.kept, str(evaluation.data.get("split", "test")), words)


def _finite(value: float | None) -> float | None:
    return None if value is None or value != value else value  # noqa: PLR0124 - NaN


@contextmanager
def _noted() -> Iterator[list[str]]:
    """Yield a list that receives the warnings for the user."""
    notes = list[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", module=r"poreconv\.")
        warnings.showwarning = lambda message, *_: notes.append(one_line(Warning(message)))
        yield notes

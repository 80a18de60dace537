"""How much marks would teach, read by read: measured in the background with the newest model, and kept beside it.

Which reads are measured: some of those that are not marked, drawn at random once, so that the list opens quickly
however many reads there are. Reads that the split rule of a store puts aside for the score (`SplitConfig`, a hash of
the read's id) are not measured, because they are never offered for their doubt; see `offered`.
"""

import threading
import time
from collections.abc import Callable, Collection

from poreconv.config import SplitConfig
from poreconv.dataset.splits import share_of, split_of
from poreconv.errors import ConfigError, PoreconvError
from poreconv.labels.marks import Marks
from poreconv.labels.project import ProjectModel, usable_models
from poreconv.runtime.files import whole_file
from poreconv.runtime.records import from_json, to_json
from poreconv.studio.catalogue import Catalogue
from poreconv.studio.offering import offered
from poreconv.studio.worker import LATER, DoubtJob, Place, Worker

MOST_READS = 500
"""Reads among which those to mark are chosen."""

SEED = 1
"""Of the draw of these reads; another one than that of the split rule, whose order they would have else."""

PAUSE_S, SAVE_EVERY_S = 0.5, 10.0
"""Between two looks for a new model, and between two times that the doubts are written."""


def is_aside(read_id: str) -> bool:
    """Return whether the split rule puts a read aside for the score.

    Args:
        read_id: Id of the read.
    """
    return split_of(SplitConfig(), read_id=read_id, run_id="", channel=0) == "test"


class Doubts:
    """The doubts of the newest model; several threads may ask.

    Args:
        catalogue: The reads.
        marks: The project's marks, used with the lock alone.
        lock: Of the marks.
        worker: The process in which models run.
        busy: Returns whether a network learns, so that the processor is needed.
    """

    def __init__(
        self, catalogue: Catalogue, marks: Marks, lock: threading.Lock, worker: Worker, busy: Callable[[], bool]
    ) -> None:
        self._catalogue, self._marks, self._lock, self._worker, self._busy = catalogue, marks, lock, worker, busy
        self._folder, self._closing = marks.path.parent, threading.Event()
        self._model: ProjectModel | None = None
        self._known: dict[str, float] = {}
        self._saved_at = 0.0
        self._thread = threading.Thread(target=self._measure, daemon=True, name="doubts")
        self._thread.start()

    @property
    def known(self) -> dict[str, float]:
        """Read id -> doubt of the newest model, of the reads measured so far."""
        return self._known

    def order(self, marked: Collection[str]) -> list[str]:
        """Return the ids of the reads to mark next, see `offered`; none before there is a model.

        Args:
            marked: Ids of the reads that are marked.
        """
        known = dict(self._known)
        aside = [read_id for read_id in self._drawn() if is_aside(read_id)] if known else []
        return offered(dict.fromkeys(aside, 0.0) | known, marked, SEED, aside)

    def _drawn(self) -> list[str]:
        """Return the ids of the reads among which those to mark are chosen."""
        return sorted(self._catalogue.read_ids(), key=lambda read_id: share_of(SEED, read_id))[:MOST_READS]

    def _measure(self) -> None:
        while not self._closing.wait(PAUSE_S):
            models = usable_models(self._folder)
            if not models or self._busy() or not self._catalogue.complete:
                continue
            if models[-1] != self._model:
                self._model, self._known = models[-1], _read(models[-1])
            with self._lock:
                marked = self._marks.counts()
            left = [each for each in self._drawn() if not (is_aside(each) or each in marked or each in self._known)]
            for read_id in left:
                if self._closing.is_set() or self._busy():
                    break
                self._known[read_id] = self._doubt(read_id, models)
                self._save(last=False)
            if left:
                self._save(last=True)

    def _doubt(self, read_id: str, models: list[ProjectModel]) -> float:
        """Return the doubt on a read; 0 where the model cannot label it."""
        newest, *before = [str(model.bundle) for model in reversed(models) if _alike(model, models[-1])]
        place = Place(self._catalogue[read_id].source, read_id)
        job = DoubtJob(place, newest, before[0] if before else "")
        try:
            return float(self._worker.submit(job, LATER).result())
        except PoreconvError:
            return 0.0

    def _save(self, *, last: bool) -> None:
        if self._model is not None and (last or time.monotonic() - self._saved_at > SAVE_EVERY_S):
            self._saved_at = time.monotonic()
            with whole_file(self._model.doubts) as partial:
                partial.write_text(to_json(self._known), encoding="utf-8")

    def close(self) -> None:
        """Stop measuring, after the read that is being measured."""
        self._closing.set()
        self._thread.join()


def _alike(model: ProjectModel, other: ProjectModel) -> bool:
    """Return whether two models have the same outputs."""
    one, another = model.learnt, other.learnt
    return one is not None and another is not None and (one.task, one.classes) == (another.task, another.classes)


def _read(model: ProjectModel) -> dict[str, float]:
    try:
        return from_json(model.doubts.read_bytes(), dict[str, float])
    except (OSError, ConfigError):
        return {}

"""Reads and labels -> a store, in parallel over jobs; the store exists whole or not at all, a killed run is continued.

Two passes. The first, in several processes, reads, checks and labels, and stages signal and events in a file for each
job (`poreconv.dataset.labelling_pass`). The second writes targets and store (`poreconv.dataset.writing_pass`).
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from poreconv.config import PrepareConfig
from poreconv.dataset.guard import Guard
from poreconv.dataset.labelling_pass import LabellingPass, StagedJob, open_labelling
from poreconv.dataset.preparation import Preparation
from poreconv.dataset.store import FILES, Store
from poreconv.dataset.writing_pass import WritingPass
from poreconv.errors import StoreError
from poreconv.labels.opening import LabelsAsked, choose_labels, sendable_to
from poreconv.reads.pieces import plan_jobs
from poreconv.reads.readers import find_files
from poreconv.reads.selection import Selection
from poreconv.runtime.executors import run_all
from poreconv.runtime.files import check_only, replace_folder
from poreconv.runtime.jobs import JobFolder, missing
from poreconv.runtime.progress import Progress
from poreconv.runtime.records import to_plain

LABELLING_SHARE = 0.9
"""Share of a preparation's time that the first pass takes, for its progress."""


def prepare(
    paths: Sequence[Path],
    *,
    labels: LabelsAsked,
    out: Path,
    labels_from: Sequence[Path | str] = (),
    config: PrepareConfig | None = None,
    read_info: Sequence[Path | str] = (),
    guard: Guard | None = None,
    progress: Progress = lambda share, note="": None,
    overwrite: bool = False,
) -> Store:
    """Prepare a store from signal files and labels.

    Args:
        paths: Signal files and folders.
        labels: Name in ``LABEL_SOURCES``, or the user's own; or several: the first that has a label for a read counts.
        out: The store's folder; if this very preparation has made it before, it is opened.
        labels_from: The label sources' files; ``NAME=FILE`` where several sources read files.
        config: Task, split and processes.
        read_info: BAM files or sequencing summaries, for mean quality and reference; see `poreconv.dataset.read_info`.
        guard: Decides which reads may go in, such as those that a model has not seen in training; default: all may.
        progress: Called with the share of the work that is done, 0 to 1, and a note.
        overwrite: Replace a store that exists, once the new one is complete, and start anew where a preparation was
            killed; default: it is continued.

    Returns:
        The open store.

    Raises:
        StoreError: ``out`` is something else, or no read was kept.
        PoreconvError: A file or table that cannot be used.
    """
    config = config or PrepareConfig()
    chosen = choose_labels(labels, labels_from)
    info_files = tuple(map(Path, read_info))
    preparation = Preparation(tuple(find_files(paths)), chosen, config, guard, info_files)
    if overwrite:
        check_only(out, FILES, what="store")
    elif out.exists():
        return _open_finished(preparation, out)
    with open_labelling(preparation) as labelling:
        source_classes = labelling.source.classes
        classes = preparation.task.classes(source_classes)
        planned = plan_jobs(preparation.files, Selection.of(config.files))
        with JobFolder(out, preparation.plan, anew=overwrite) as folder:
            jobs = [(job, folder.path(number, ".parquet")) for number, job in enumerate(planned)]
            _label_all(jobs, labelling, progress)
    writing = WritingPass(preparation, classes, source_classes, [path for _, path in jobs])
    writing.write(folder.folder / "store", lambda share: progress(LABELLING_SHARE + (1 - LABELLING_SHARE) * share))
    replace_folder(folder.folder / "store", out)
    folder.remove()
    return Store(out)


def _open_finished(preparation: Preparation, out: Path) -> Store:
    """Open the store that this very preparation has made before."""
    remedy = "--overwrite replaces it, or choose another --out"
    try:
        store = Store(out)
    except StoreError as exc:
        raise StoreError(f"{out}: exists already, and is not a usable store ({exc}); {remedy}") from exc
    if store.info.provenance != to_plain(preparation.provenance()):
        raise StoreError(f"{out}: exists already, made from other reads, labels or settings; {remedy}")
    if JobFolder.exists_for(out):  # killed after the store was complete
        JobFolder.remove_for(out)
    return store


def _label_all(jobs: list[StagedJob], labelling: LabellingPass, progress: Progress) -> None:
    preparation = labelling.preparation
    to_do = missing([path for _, path in jobs])
    left = [job for job in jobs if job[1] in to_do]
    opening = partial(open_labelling, replace(preparation, files=()))  # a worker needs its own files only
    work = sendable_to(preparation.config.work, preparation.labels)
    done_jobs = run_all(opening, left, work, here=labelling)
    for done, _ in enumerate(done_jobs, start=len(jobs) - len(left) + 1):
        progress(LABELLING_SHARE * done / len(jobs), f"{done} of {len(jobs)} jobs")

"""Signal files, coarse labels and a table of k-mer levels -> a table of exact events."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

from poreconv.config import LabelConfig, RefineConfig, require
from poreconv.errors import LabelError, ReadDropped
from poreconv.event_parts import check_out, finish, first_of_each, write_part
from poreconv.events import Events
from poreconv.files import Parts, fingerprint, sha256
from poreconv.jobs import Job, plan, reads_of, run_all
from poreconv.kmer_tables import read_pore_model
from poreconv.kmers import PoreModel
from poreconv.labels import LabelSource
from poreconv.labels.several import Assigned, assign_files, open_several
from poreconv.ledger import Ledger
from poreconv.progress import progress_bar
from poreconv.read import Read
from poreconv.readers import find_files
from poreconv.refine import refine_events

Task = tuple[Job, Path]
"""Some reads, and the part that their events go into."""
BASES = ("A", "C", "G", "T")
"""Classes of a label source that knows the sequence."""


@dataclass(frozen=True)
class _Work:
    """What every worker needs."""

    labels: Assigned
    pore_model: Path
    config: RefineConfig

    @contextmanager
    def opened(self) -> Iterator[tuple[LabelSource, PoreModel]]:
        """The label source and the table, once per process; closed afterwards in this one."""
        source, model = _opened(self)
        try:
            yield source, model
        finally:
            _opened.cache_clear()
            source.close()


@lru_cache(maxsize=1)
def _opened(work: _Work) -> tuple[LabelSource, PoreModel]:
    return open_several(work.labels, LabelConfig()), read_pore_model(work.pore_model)


def refine(
    paths: Path | str | Sequence[Path | str],
    *,
    labels: str | Sequence[str],
    pore_model: Path | str,
    out: Path | str,
    labels_from: Sequence[Path | str] = (),
    config: RefineConfig | None = None,
) -> Ledger:
    """Move coarse boundaries to where the current steps; a run that was killed goes on where it was.

    Args:
        paths: Signal files and folders: one, or several.
        labels: Name in ``LABEL_SOURCES``, of a source that knows bases: a move table, or another alignment; or several:
            the first that has a label for a read counts.
        pore_model: Table of k-mer levels, see `poreconv.kmer_tables.read_pore_model`.
        out: ``labels.tsv`` or ``labels.parquet``, which label source ``intervals`` reads; ``score`` is the read's
            quality, the correlation of its events with their levels. Or ``labels.paf``, places only, for source
            ``resquiggle_paf``. The drop ledger goes to ``<out>.ledger.json``.
        labels_from: The label sources' files; ``NAME=FILE`` where several sources read files.
        config: How, and in how many processes.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format; or the labels know no bases.
        FormatError: A file that cannot be used.
    """
    several, out = [paths] if isinstance(paths, Path | str) else paths, Path(out)
    check_out(out)
    files = find_files([Path(path) for path in several])
    assigned = assign_files([labels] if isinstance(labels, str) else labels, labels_from)
    work = _Work(assigned, Path(pore_model), config or RefineConfig())
    with work.opened() as (source, _):
        names = ", ".join(name for name, _ in assigned)
        require(source.classes == BASES, f"labels {names}: know no bases, so there are no levels; take bam_moves")
        parts = Parts(out, _plan(files, work))
        tasks = [(job, parts.path(number, ".parquet")) for number, job in enumerate(plan(files))]
        _refine_all(work, tasks)
    return finish(parts, len(tasks), out)


def _plan(files: list[Path], work: _Work) -> dict[str, object]:
    settings = asdict(replace(work.config, workers=0))
    labels = [[name, fingerprint(list(paths))] for name, paths in work.labels]
    return {"inputs": fingerprint(files), "labels": labels, "pore": sha256([work.pore_model]), "config": settings}


def _refine_all(work: _Work, tasks: list[Task]) -> None:
    left = [task for task in tasks if not task[1].exists()]
    done = len(tasks) - len(left)
    with progress_bar("refine") as report:
        for number, _ in enumerate(run_all(partial(_refine_job, work), left, work.config.workers), start=done + 1):
            report(number / len(tasks))


def _refine_job(work: _Work, task: Task) -> None:
    job, out = task
    ledger = Ledger()
    reads = first_of_each(reads_of(job, ledger, skip_bad_files=work.config.skip_bad_files), ledger)
    source, model = _opened(work)
    source.notes.clear()  # those of the job before
    write_part(out, _refined(reads, source, model, work.config, ledger), ledger)


def _refined(
    reads: Iterator[Read], source: LabelSource, model: PoreModel, config: RefineConfig, ledger: Ledger
) -> Iterator[tuple[Read, Events]]:
    for read in reads:
        try:
            yield read, refine_events(read, _coarse(source, read), model, config)
        except ReadDropped as exc:
            ledger.drop(exc, read_id=read.read_id, source=read.source)
    ledger.notes.update(source.notes)


def _coarse(source: LabelSource, read: Read) -> Events:
    events = source.events(read)
    if events is None or not len(events):
        raise LabelError(f"{read.where}: no label; give the file that has it with --labels_from", reason="no_label")
    return events

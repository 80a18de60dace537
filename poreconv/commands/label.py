"""A trained model and signal files -> a table of events."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from poreconv.config import LabelRunConfig
from poreconv.event_parts import check_out, finish, first_of_each, write_part
from poreconv.files import Parts, fingerprint, sha256
from poreconv.infer import Labeller, load
from poreconv.jobs import Job, plan, reads_of
from poreconv.ledger import Ledger
from poreconv.progress import progress_bar
from poreconv.readers import find_files


def label(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    config: LabelRunConfig | None = None,
    skip_bad_files: bool = False,
) -> Ledger:
    """Label reads; a run that was killed goes on where it was.

    Args:
        model: The bundle that `train` wrote.
        paths: Signal files and folders: one, or several.
        out: ``events.tsv`` or ``events.parquet``; the drop ledger goes to ``<out>.ledger.json``.
        config: Batch size, chunk length, precision.
        skip_bad_files: Pass over files that cannot be opened instead of stopping.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format.
        MismatchError: The model was not trained for such reads.
    """
    model, out = Path(model), Path(out)
    check_out(out)
    several = [paths] if isinstance(paths, Path | str) else paths
    files = find_files([Path(path) for path in several])
    labeller = load(model, config)
    settings = {"config": asdict(labeller.config), "model": sha256([model]), "skip_bad_files": skip_bad_files}
    parts = Parts(out, {"inputs": fingerprint(files), **settings})
    jobs = plan(files)
    with progress_bar("label") as report:
        for number, job in enumerate(jobs):
            if not parts.path(number, ".parquet").exists():
                _label_job(labeller, job, parts.path(number, ".parquet"), skip_bad_files=skip_bad_files)
            report((number + 1) / len(jobs))
    return finish(parts, len(jobs), out)


def _label_job(labeller: Labeller, job: Job, out: Path, *, skip_bad_files: bool) -> None:
    """Label the reads of one job into a part: a table of events, and in its metadata the reads and the ledger."""
    ledger = Ledger()
    reads = first_of_each(reads_of(job, ledger, skip_bad_files=skip_bad_files), ledger)
    write_part(out, labeller.label(reads, ledger), ledger)

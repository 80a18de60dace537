"""Signal files and labels from any source -> the one table of events that everything here reads."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from poreconv.config import FilesConfig
from poreconv.event_parts import check_out, tabulate
from poreconv.events import Events
from poreconv.labels.several import (
    Assigned,
    assign_files,
    each_kept,
    events_of,
    fingerprints,
    opened,
    source_of_process,
)
from poreconv.ledger import Ledger
from poreconv.read import Read


def convert(
    paths: Path | str | Sequence[Path | str],
    *,
    labels: str | Sequence[str],
    out: Path | str,
    labels_from: Sequence[Path | str] = (),
    config: FilesConfig | None = None,
) -> Ledger:
    """Write labels as a table; a run that was killed goes on where it was.

    Args:
        paths: Signal files and folders: one, or several.
        labels: Name in ``LABEL_SOURCES``, or several: the first that has a label for a read counts.
        out: ``labels.tsv`` or ``labels.parquet``, which label source ``intervals`` reads, or ``labels.paf``, places
            only, for source ``resquiggle_paf``. The drop ledger goes to ``<out>.ledger.json``.
        labels_from: The label sources' files; ``NAME=FILE`` where several sources read files.
        config: Processes, and how the sources speak.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format.
        FormatError: A file that cannot be used.
    """
    check_out(Path(out))
    config = config or FilesConfig()
    assigned = assign_files([labels] if isinstance(labels, str) else labels, labels_from)
    settings = {"labels": fingerprints(assigned), "config": asdict(replace(config, workers=0))}
    with opened(assigned, config):
        return tabulate(
            paths,
            Path(out),
            partial(_converted, assigned, config),
            what="convert",
            settings=settings,
            workers=config.workers,
            skip_bad_files=config.skip_bad_files,
        )


def _converted(
    assigned: Assigned, config: FilesConfig, reads: Iterator[Read], ledger: Ledger
) -> Iterator[tuple[Read, Events]]:
    source = source_of_process(assigned, config)
    return each_kept(reads, source, ledger, partial(events_of, source))

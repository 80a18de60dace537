"""Signal files, coarse labels and a table of k-mer levels -> a table of exact events."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from poreconv.config import RefineConfig, require
from poreconv.events.events import Events
from poreconv.events.tabulation import Find, check_out, tabulate
from poreconv.events.targets import BASES
from poreconv.labels.opening import (
    Assigned,
    assign_files,
    each_kept,
    events_of,
    fingerprints,
    opened,
)
from poreconv.labels.refinement import refine_events
from poreconv.labels.sources import LabelSource
from poreconv.pore_models.model import PoreModel
from poreconv.pore_models.tables import find_pore_model, read_pore_model
from poreconv.reads.read import Read
from poreconv.runtime.files import sha256
from poreconv.runtime.ledger import Ledger


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
        pore_model: Table of k-mer levels, or the name of a shipped one, such as ``dna_r10.4.1``; see
            `poreconv.pore_models.tables.read_pore_model`.
        out: The suffix tells the format: a key of ``WRITERS``, see `convert`. ``score`` is the read's quality, the
            correlation of its events with their levels. The drop ledger goes to ``<out>.ledger.json``.
        labels_from: The label sources' files; ``NAME=FILE`` where several sources read files.
        config: How, and in how many processes.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, or its suffix names no format; or the labels know no bases.
        FormatError: A file that cannot be used.
    """
    check_out(Path(out))
    config, pore = config or RefineConfig(), find_pore_model(Path(pore_model))
    assigned = assign_files([labels] if isinstance(labels, str) else labels, labels_from)
    settings = {k: v for k, v in asdict(config).items() if k != "work"}  # where the jobs are done decides nothing
    with opened(assigned, config.sources) as source:
        names = ", ".join(name for name, _ in assigned)
        require(source.classes == BASES, f"labels {names}: know no bases, so there are no levels; take bam_moves")
        return tabulate(
            paths,
            Path(out),
            partial(_refining, assigned, pore, config),
            what="refine",
            settings={"labels": fingerprints(assigned), "pore": sha256([pore]), "config": settings},
            files=config.files,
            work=config.work,
            here=partial(_refined, source, read_pore_model(pore), config),
        )


@contextmanager
def _refining(assigned: Assigned, pore_model: Path, config: RefineConfig) -> Iterator[Find]:
    with opened(assigned, config.sources) as source:
        yield partial(_refined, source, read_pore_model(pore_model), config)


def _refined(
    source: LabelSource, model: PoreModel, config: RefineConfig, reads: Iterator[Read], ledger: Ledger
) -> Iterator[tuple[Read, Events]]:
    return each_kept(reads, source, ledger, lambda read: refine_events(read, events_of(source, read), model, config))

"""Signal files, coarse labels and a table of k-mer levels -> a table of exact events."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from poreconv.config import RefineConfig, require
from poreconv.event_parts import check_out, tabulate
from poreconv.events import Events
from poreconv.files import sha256
from poreconv.kmer_tables import find_pore_model, read_pore_model
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
from poreconv.once import once
from poreconv.read import Read
from poreconv.refinement import refine_events
from poreconv.targets import BASES


@dataclass(frozen=True)
class _Work:
    """What every worker needs."""

    labels: Assigned
    pore_model: Path
    config: RefineConfig

    def settings(self) -> dict[str, object]:
        """All that decides the result besides the reads' files, as JSON types."""
        config = asdict(self.config.anywhere())
        return {"labels": fingerprints(self.labels), "pore": sha256([self.pore_model]), "config": config}


_pore_model = once(read_pore_model)
"""Read once in each process."""


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
            `poreconv.kmer_tables.read_pore_model`.
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
    work = _Work(assign_files([labels] if isinstance(labels, str) else labels, labels_from), pore, config)
    with opened(work.labels, config) as source:
        names = ", ".join(name for name, _ in work.labels)
        require(source.classes == BASES, f"labels {names}: know no bases, so there are no levels; take bam_moves")
        return tabulate(
            paths,
            Path(out),
            partial(_refined, work),
            what="refine",
            settings=work.settings(),
            where=config,
            skip_bad_files=config.skip_bad_files,
        )


def _refined(work: _Work, reads: Iterator[Read], ledger: Ledger) -> Iterator[tuple[Read, Events]]:
    source, model = source_of_process(work.labels, work.config), _pore_model(work.pore_model)
    return each_kept(
        reads, source, ledger, lambda read: refine_events(read, events_of(source, read), model, work.config)
    )

"""Signal files, coarse labels and a table of k-mer levels -> a table of exact events."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from poreconv.config import RefineConfig, require
from poreconv.events.events import Events
from poreconv.events.tabulation import ReadAnalysis, check_apart, check_out, tabulate
from poreconv.events.targets import BASES
from poreconv.labels.opening import (
    LabelsAsked,
    SourceChoices,
    choose_labels,
    events_of,
    fingerprints,
    kept_reads,
    label_files,
    opened,
    sendable_to,
)
from poreconv.labels.refinement import refine_events
from poreconv.labels.sources import LabelSource
from poreconv.pore_models.model import PoreModel
from poreconv.pore_models.tables import find_pore_model, read_pore_model
from poreconv.reads.read import Read
from poreconv.runtime.files import sha256
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.outputs import writes_out


@writes_out
def refine(
    paths: Path | str | Sequence[Path | str],
    *,
    labels: LabelsAsked,
    pore_model: Path | str,
    out: Path | str,
    labels_from: Sequence[Path | str] = (),
    config: RefineConfig | None = None,
    overwrite: bool = False,
) -> Ledger:
    """Move coarse boundaries to the steps of the current. A killed command resumes when it is started again.

    Args:
        paths: Signal files and folders: one, or several.
        labels: Name in ``LABEL_SOURCES`` of a source with bases, such as move tables or another alignment, or your own,
            see `prepare`; or several: for each read the first that has a label is used.
        pore_model: Table of k-mer levels, or the name of a shipped one, such as ``dna_r10.4.1``; see
            `poreconv.pore_models.tables.read_pore_model`.
        out: Table of events; the suffix names the format, a key of ``WRITERS``, see `convert`. ``score`` is the read's
            quality: the correlation of its events' means with their levels. The drop ledger is written to
            ``<out>.ledger.json``.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        config: How boundaries are refined, and processes.
        overwrite: Replace ``out`` if it exists, and start anew where a command was killed.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: ``out`` exists, its suffix names no format, or the labels have no bases.
        FormatError: A file cannot be used.
    """
    check_out(Path(out), overwrite=overwrite)
    config, pore = config or RefineConfig(), find_pore_model(Path(pore_model))
    chosen = choose_labels(labels, labels_from)
    check_apart(Path(out), label_files(chosen))
    settings = {k: v for k, v in asdict(config).items() if k != "work"}  # where jobs run does not change the result
    with opened(chosen, config.sources) as source:
        names = ", ".join(choice.name for choice in chosen)
        require(
            source.classes == BASES,
            f"labels {names}: without bases, so without levels; use a source with bases, such as bam_moves",
        )
        return tabulate(
            paths,
            Path(out),
            partial(_refining, chosen, pore, config),
            command="refine",
            settings={"labels": fingerprints(chosen), "pore": sha256([pore]), "config": settings},
            files=config.files,
            work=sendable_to(config.work, chosen),
            here=partial(_refined, source, read_pore_model(pore), config),
            overwrite=overwrite,
        )


@contextmanager
def _refining(chosen: SourceChoices, pore_model: Path, config: RefineConfig) -> Iterator[ReadAnalysis]:
    with opened(chosen, config.sources) as source:
        yield partial(_refined, source, read_pore_model(pore_model), config)


def _refined(
    source: LabelSource, model: PoreModel, config: RefineConfig, reads: Iterator[Read], ledger: Ledger
) -> Iterator[tuple[Read, Events]]:
    return kept_reads(reads, source, ledger, lambda read: refine_events(read, events_of(source, read), model, config))

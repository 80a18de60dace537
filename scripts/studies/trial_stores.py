"""The stores that `try_training` trains on: sets of real reads, where two label sources agree, and simulated reads."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from poreconv.commands.prepare import prepare
from poreconv.commands.simulate import simulate
from poreconv.config import (
    MoleculeConfig,
    PoreConfig,
    PrepareConfig,
    SimulateConfig,
    SourceConfig,
    SplitConfig,
    SquiggleConfig,
    TruthConfig,
)
from poreconv.dataset.store import Store
from poreconv.events.events import Events
from poreconv.events.matching import partners
from poreconv.events.writers import writer_for
from poreconv.events.writers.table import events_table
from poreconv.labels.opening import open_labels
from poreconv.reads.readers import open_reads
from poreconv.reads.steps import find_steps
from scripts.studies.results import data_folder
from scripts.studies.sets import ECOLI, HUMAN, LAMBDA

R10_SPLIT = SplitConfig(test=0.0, validation=0.3)
"""Stores that train together have one rule. R10.4.1 has few reads, and its test reads are another lab's."""

SETS = {"r9.4.1": (LAMBDA, ECOLI), "r10.4.1": (replace(HUMAN, split=R10_SPLIT),)}
"""Chemistry -> what trains, and is judged."""

LEVELS = "kmer_models/uncalled4/dna_r10.4.1_400bps_9mer.npz"

REACH = 2
"""Samples by which f5c's detector may place a simulated boundary elsewhere."""


def _with_ecoli(folder: Path) -> Store:
    """E. coli's reads under the rule of R10.4.1's."""
    return replace(ECOLI, split=R10_SPLIT).store(folder)


def _where_two_agree(folder: Path) -> Store:
    """The human reads where both of their label sources have a boundary."""
    sam = data_folder() / HUMAN.name / "sorted_eventalign.bam"
    sources = {"resquiggle_paf": HUMAN.label_paths()[0], "sam_resquiggle": sam}
    return prepare(
        HUMAN.reads_path(),
        labels=list(sources),
        labels_from=[f"{source}={file}" for source, file in sources.items()],
        out=folder / "human_agreed",
        config=PrepareConfig(split=R10_SPLIT, truth=TruthConfig(agreement_samples=1)),
    )


def _simulated(folder: Path) -> Store:
    """Simulated reads with all of their events."""
    reads = _simulated_reads(folder)
    return _simulated_store(reads, reads.with_name("events.tsv"), folder / "simulated")


def _simulated_as_f5c(folder: Path) -> Store:
    """Simulated reads with the events that f5c would find."""
    reads = _simulated_reads(folder)
    return _simulated_store(reads, reads.with_name("as_f5c.parquet"), folder / "simulated_as_f5c")


MORE: dict[str, Callable[[Path], Store]] = {
    "E. coli": _with_ecoli,
    "where two sources agree": _where_two_agree,
    "simulated": _simulated,
    "simulated as f5c": _simulated_as_f5c,
}
"""Name -> makes a further store for r10.4.1, once, given the folder of its stores."""


def _simulated_store(reads: Path, events: Path, out: Path) -> Store:
    return prepare(reads, labels="intervals", labels_from=[events], out=out, config=PrepareConfig(split=R10_SPLIT))


def _simulated_reads(folder: Path) -> Path:
    """Simulated R10.4.1 reads; beside them their events, and the events as f5c would find them. Made once."""
    made = folder / "simulated_reads"
    if not (made / "as_f5c.parquet").exists():
        settings = SquiggleConfig(
            molecule=MoleculeConfig(chemistry="dna_r10.4.1"), pore=PoreConfig(pore_model=data_folder() / LEVELS)
        )
        simulate("squiggle", out=made, common=SimulateConfig(reads=150, seed=1, format="pod5"), config=settings)
        _write_as_f5c(made, made / "as_f5c.parquet")
    return made / "reads.pod5"


def _write_as_f5c(folder: Path, out: Path) -> None:
    """The simulated events as f5c would find them: a boundary that its detector doesn't see joins two events."""
    labels = open_labels("intervals", [folder / "events.tsv"], SourceConfig())
    with closing(labels), closing(writer_for(out)(out)) as writer, open_reads(folder / "reads.pod5") as reads:
        for read in reads:
            events = labels.events(read)
            if events is None:
                continue
            seen = find_steps(read.pa)
            partner = partners(events.start, seen, REACH)
            start = seen[partner[partner >= 0]]
            writer.write(events_table(read, Events.of(start, np.append(start[1:], events.end[-1]))))

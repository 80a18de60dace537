"""Stores small enough for tests, made by the same code as a user's."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from poreconv.commands.simulate import simulate
from poreconv.config import (
    HeartbeatConfig,
    MoleculeConfig,
    PrepareConfig,
    SimulateConfig,
    SplitConfig,
    SquiggleConfig,
    from_flat,
)
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store
from poreconv.reads.read import Read
from tests.support.signal_files import reads_made, write_multi

HALVES = SplitConfig(validation=0.3, test=0.3)
"""A split that gives each side some of few reads."""

SHORT = SquiggleConfig(
    noise_pa=1.0, drift_pa=1.0, molecule=MoleculeConfig(bases_mean=120, bases_min=80, adapter_samples=100)
)
"""Squiggles of about a thousand samples, easily segmented."""


def simulated(folder: Path, simulator: str = "squiggle", n_reads: int = 20, seed: int = 0) -> Path:
    """Simulate reads; gives the folder with reads.fast5 and events.tsv."""
    config = SHORT if simulator == "squiggle" else HeartbeatConfig()
    return simulate(simulator, out=folder, common=SimulateConfig(reads=n_reads, seed=seed), config=config)


def store_of(reads: Path, out: Path, **fields: Any) -> Path:
    """Prepare a store of simulated reads; ``fields`` are those of PrepareConfig."""
    config = from_flat(PrepareConfig, {"split": HALVES, "workers": 1} | fields)
    return prepare(
        [reads / "reads.fast5"], labels="intervals", labels_from=[reads / "events.tsv"], out=out, config=config
    ).path


def squiggle_store(folder: Path, n_reads: int = 20, seed: int = 0) -> Path:
    """A store of simulated squiggles, task `boundary`."""
    return store_of(simulated(folder / "reads", "squiggle", n_reads, seed), folder / "store")


def heartbeat_store(folder: Path, n_reads: int = 40, seed: int = 0) -> Path:
    """A store of simulated heartbeats, task `segment`."""
    reads = simulated(folder / "reads", "heartbeat", n_reads, seed)
    return store_of(reads, folder / "store", task="segment", outside="background")


def typed_store(
    folder: Path, intervals: Sequence[tuple[int, int, int, str]], reads: Sequence[Read], **fields: Any
) -> Store:
    """A store of given reads with intervals typed by hand: rows of read number, start, end, label."""
    folder.mkdir(parents=True, exist_ok=True)
    write_multi(folder / "reads.fast5", reads)
    rows = [f"{reads[number].read_id}\t{start}\t{end}\t{label}" for number, start, end, label in intervals]
    (folder / "events.tsv").write_text("\n".join(["read_id\tstart\tend\tlabel", *rows]) + "\n")
    return Store(store_of(folder, folder / "store", **fields))


def reads_of_lengths(*lengths: int, seed: int = 0) -> list[Read]:
    """Reads whose samples count from 0, so that a window shows its place."""
    made = [reads_made(1, seed + i, adc=np.arange(length, dtype=np.int16)) for i, length in enumerate(lengths)]
    return [read for [read] in made]

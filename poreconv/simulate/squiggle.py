"""Simulate squiggles: open pore, adapter, poly(A) tail and bases, with a level for each k-mer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poreconv.config import SimulateConfig, SquiggleConfig
from poreconv.events.events import Events
from poreconv.pore_models.model import kmer_indices
from poreconv.reads.chemistry import chemistry_named
from poreconv.reads.read import Read
from poreconv.simulate import Simulated, current, device
from poreconv.simulate.chemistries import UsualSettings, usual_settings
from poreconv.simulate.pore import Pore, Steps, pore_of
from poreconv.simulate.sequences import Draw, Fasta, random_bases

NAME = "squiggle"
CLASSES = ("A", "C", "G", "T")
DNA_REGIONS = ("open_pore", "adapter", "dna")
RNA_REGIONS = ("open_pore", "adapter", "polya", "transcript")
"""Regions of a read in signal order."""
LENGTH_SHAPE = 3.0
"""Shape of the read lengths' gamma distribution."""
ADAPTER_DWELL = 40
"""Samples of each level of the adapter, which passes the pore slowly."""
OPEN_PORE_PA = 220.0
"""Current of the open pore before a read."""


def simulate(common: SimulateConfig, config: SquiggleConfig) -> Iterator[Simulated]:
    """Simulate squiggles lazily; the files that the config names are read before the first.

    Args:
        common: Number of reads and seed; read i depends only on the seed, i and ``config``.
        config: Settings of the pore and the reads.

    Returns:
        For each read: its record; one event per base, in signal order, whose class is the base that determines the
        level of its k-mer (`PoreModel.centre`); and regions that cover the read. The events cover the bases, first to
        last, but not adapter and tail.

    Raises:
        FormatError: The table of k-mer levels or the FASTA cannot be read.
        ConfigError: No sequence of the FASTA is long enough.
    """
    return map(SequencingRun.of(common.seed, config).read, range(common.reads))


@dataclass(frozen=True, slots=True)
class SequencingRun:
    """What the reads of one simulation share."""

    seed: int
    """Seed of the simulation."""
    config: SquiggleConfig
    """Settings of the pore and the reads."""
    usual: UsualSettings
    """Settings of the chemistry, with those of the config in their place."""
    pore: Pore
    """Distributions of each k-mer's events."""
    sequence: Draw
    """Source of the reads' bases."""

    @classmethod
    def of(cls, seed: int, config: SquiggleConfig) -> SequencingRun:
        """Read the files that a config names, and complete it with the usual settings of its chemistry.

        Args:
            seed: Seed of the simulation.
            config: Settings of the pore and the reads.

        Raises:
            FormatError: The table of k-mer levels or the FASTA cannot be read.
            ConfigError: No sequence of the FASTA is long enough.
        """
        chemistry, molecule = usual_settings(config), config.molecule
        pore = pore_of(config, chemistry)
        least = molecule.bases_min + pore.k - 1
        both_strands = not chemistry_named(molecule.chemistry).rna
        sequence = random_bases if molecule.fasta is None else Fasta(molecule.fasta, least, both_strands=both_strands)
        return cls(seed, config, chemistry, pore, sequence)

    @property
    def rna(self) -> bool:
        """Whether the molecules are RNA, which passes the pore 3' to 5'."""
        return chemistry_named(self.config.molecule.chemistry).rna

    def read(self, index: int) -> Simulated:
        """Simulate one read.

        Args:
            index: Number of the read, from 0; with the seed it determines the read.
        """
        rng = np.random.default_rng([self.seed, index])
        codes, n_tail = self._molecule(rng)
        lead = [_open_pore(rng, self.config), _adapter(rng, self.config, self.usual), self._tail(rng, n_tail)]
        bases, label = self._bases(rng, codes)
        steps = Steps.joined([*lead, bases])
        end = sum(part.samples for part in lead) + np.cumsum(bases.dwell)
        events = Events.of(end - bases.dwell, end, label=label, classes=CLASSES)
        adc = self._through_device(rng, steps)
        return Simulated(self._record(rng, index, adc), events, _regions([*lead, bases], rna=self.rna))

    def _molecule(self, rng: np.random.Generator) -> tuple[NDArray[np.int8], int]:
        """Bases of a read, 5' to 3', including those that complete the outermost k-mers; and the length of its tail."""
        config = self.config
        extra = rng.gamma(LENGTH_SHAPE, (config.molecule.bases_mean - config.molecule.bases_min) / LENGTH_SHAPE)
        codes = self.sequence(rng, config.molecule.bases_min + round(extra) + self.pore.k - 1)
        if not self.usual.polya_mean:
            return codes, 0
        behind = self.pore.k - 1 - self.pore.centre
        tail = np.zeros(behind, np.int8)
        n_tail = max(1, round(rng.normal(self.usual.polya_mean, config.molecule.polya_sd)))
        return np.concatenate([codes[: len(codes) - behind], tail]), n_tail

    def _tail(self, rng: np.random.Generator, n: int) -> Steps:
        """One long step: within a row of A, the current does not change where a base begins."""
        each = self.pore.steps(rng, np.zeros(n, np.int64))
        return Steps(each.level_pa[:1], each.sd_pa[:1], each.dwell.sum(keepdims=True)[: min(n, 1)])

    def _bases(self, rng: np.random.Generator, codes: NDArray[np.int8]) -> tuple[Steps, NDArray[np.int8]]:
        """Events and classes of the bases in signal order: RNA's 3' end comes first."""
        pore, order = self.pore, slice(None, None, -1 if self.rna else 1)
        kmers = kmer_indices(codes, pore.k)[order]
        label = codes[pore.centre :][: len(kmers)][order]
        steps = pore.steps(rng, kmers)
        _stall(rng, steps.dwell, self.usual)
        return steps, label

    def _through_device(self, rng: np.random.Generator, steps: Steps) -> NDArray[np.int16]:
        """Digitise a read's current, with the random scale and shift of its pore and with drift."""
        config, calibration = self.config, device.CALIBRATION
        factor, shift_pa = rng.normal(1, config.scale_sd), rng.normal(0, config.shift_pa)
        knots_pa = rng.normal(0, config.drift_pa, device.DRIFT_KNOTS)
        weights = current.noise_weights(config.noise_correlation, config.noise_memory)
        return current.counts(
            steps.level_pa * np.float32(factor / calibration.scale)
            + np.float32(shift_pa / calibration.scale - calibration.offset),
            steps.sd_pa * np.float32(factor / calibration.scale),
            steps.dwell,
            rng.standard_normal(steps.samples + 1, np.float32),
            np.array([*weights, config.noise_memory], np.float32),
            np.float32(config.spill),
            (knots_pa / calibration.scale).astype(np.float32),
        )

    def _record(self, rng: np.random.Generator, index: int, adc: NDArray[np.int16]) -> Read:
        return Read(
            read_id=device.read_id(NAME, self.seed, index),
            adc=adc,
            calibration=device.CALIBRATION,
            sample_rate_hz=self.usual.sample_rate_hz,
            channel=int(rng.integers(1, device.CHANNELS + 1)),
            mux=int(rng.integers(1, device.MUXES + 1)),
            read_number=index,
            start_sample=int(rng.integers(0, 2**32)),
            end_reason="signal_positive",
            median_before=OPEN_PORE_PA,
            run_id=device.run_id(NAME, self.seed),
            pore=self.usual.flow_cell,
            kit=self.usual.kit,
            experiment="rna" if self.rna else "genomic_dna",
        )


def _open_pore(rng: np.random.Generator, config: SquiggleConfig) -> Steps:
    """One step, far above all others."""
    return _flat(OPEN_PORE_PA, config.noise_pa, rng.uniform(0.5, 1.5) * config.molecule.open_pore_samples)


def _flat(level_pa: float, noise_pa: float, samples: float) -> Steps:
    """One step; none if it has no samples."""
    n = [round(samples)] if round(samples) else []
    return Steps(np.full(len(n), level_pa, np.float32), np.full(len(n), noise_pa, np.float32), np.array(n, np.int64))


def _adapter(rng: np.random.Generator, config: SquiggleConfig, usual: UsualSettings) -> Steps:
    """Slow steps, lower than most levels of the bases."""
    n = round(usual.adapter_samples * rng.uniform(0.5, 1.5))
    dwell = np.diff(np.append(np.arange(0, n, ADAPTER_DWELL), n))
    low_pa = usual.level_mean_pa - usual.level_sd_pa
    level_pa = low_pa + usual.level_sd_pa / 2 * rng.standard_normal(len(dwell), np.float32)
    return Steps(level_pa.astype(np.float32), np.full(len(dwell), config.noise_pa, np.float32), dwell.astype(np.int64))


def _stall(rng: np.random.Generator, dwell: NDArray[np.int64], usual: UsualSettings) -> None:
    """Lengthen some events, in place."""
    stalled = rng.integers(0, len(dwell), rng.binomial(len(dwell), usual.stall_rate))
    np.add.at(dwell, stalled, np.rint(rng.exponential(usual.stall_samples, len(stalled))).astype(np.int64))


def _regions(parts: list[Steps], *, rna: bool) -> Events:
    """Regions of the parts of a read that have samples."""
    samples = np.array([part.samples for part in parts])
    end = np.cumsum(samples)
    classes = RNA_REGIONS if rna else DNA_REGIONS
    label = np.array([0, 1, 2, 3] if rna else [0, 1, -1, 2])
    present = samples > 0
    return Events.of((end - samples)[present], end[present], label=label[present], classes=classes)

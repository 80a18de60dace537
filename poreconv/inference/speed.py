"""How fast molecules pass the pore, without a basecall: the number of boundaries that a shipped model expects."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from poreconv.config import BOUNDARY, FitConfig, InferenceConfig
from poreconv.inference.decoding.boundaries import peaks
from poreconv.inference.worker_model import TrainedModel
from poreconv.models.fitting import check_stated, stated
from poreconv.reads.current import adapter_end
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger


@dataclass(frozen=True)
class Speedometer:
    """What counts the bases of a chemistry's reads."""

    model: str
    """Name of the shipped model of boundaries."""
    per_base: float
    """Boundaries that it expects for each base: the sum of its probabilities at their peaks."""
    per_s: float
    """Boundaries that it expects in each second besides, where there are none."""

    def passed(self, probability_T: NDArray[np.float32], sample_rate_hz: float) -> NDArray[np.float64]:
        """Return the number of bases that began before each sample, and before the end.

        Args:
            probability_T: Probability of a boundary at each sample, shape ``(n_samples,)``.
            sample_rate_hz: Of these samples.

        Returns:
            Shape ``(n_samples + 1,)``; it may fall where nothing passes.
        """
        peak = peaks(probability_T)
        expected = np.zeros(len(probability_T) + 1)
        expected[peak + 1] = probability_T[peak]
        by_time = np.arange(len(expected)) * (self.per_s / sample_rate_hz)
        return np.asarray((np.cumsum(expected) - by_time) / self.per_base)


SPEEDOMETERS = {
    "dna_r9.4.1": Speedometer("dna_r9.4.1_boundary_fast", 0.801, 34.8),
    "dna_r10.4.1": Speedometer("dna_r10.4.1_boundary_fast", 0.671, 65.9),
    "rna001": Speedometer("rna002_boundary_fast", 0.539, 16.4),
    "rna002": Speedometer("rna002_boundary_fast", 0.539, 16.4),
    "rna004": Speedometer("rna004_boundary_fast", 0.743, 0.0),
}
"""Chemistry -> what counts its bases. RNA004's model learnt from the reads that judge it; models of one tRNA each have
a median error of 4.4 to 5.4 % on the two others.

Source: `scripts/studies/health_speed.py`, which measures them on other reads than those on which it judges.
"""

STALL_DWELLS = 25
"""Usual dwells in which less than one base passes where a molecule is stalled: as many as an aligner's event has that
no target contains."""


class Passage(NamedTuple):
    """How a molecule passed the pore."""

    bases: float
    """Number of bases, about."""
    duration_s: float
    """Time from the end of the adapter, or the read's first sample, to its last."""
    stalled: float
    """Share of that time in which it stood still."""

    @property
    def bases_per_s(self) -> float:
        """Mean speed, stalls included."""
        return self.bases / self.duration_s if self.duration_s else math.nan


NOT_KNOWN = Passage(math.nan, math.nan, math.nan)
"""Of a read whose chemistry has no speedometer."""


def passage_of(read: Read, probability_T: NDArray[np.float32], speedometer: Speedometer) -> Passage:
    """Count the bases of a read.

    Args:
        read: The read.
        probability_T: Probability of a boundary at each of its samples, perhaps at another sample rate.
        speedometer: Of its chemistry.
    """
    rate_hz = read.sample_rate_hz * len(probability_T) / len(read.adc)
    after_T = probability_T[math.ceil(adapter_end(read) / read.sample_rate_hz * rate_hz) :]
    passed = speedometer.passed(after_T, rate_hz)
    window = round(STALL_DWELLS * rate_hz / (read.chemistry.bases_per_s or math.inf))
    return Passage(max(float(passed[-1]), 0.0), len(after_T) / rate_hz, _share_stalled(passed, window))


def _share_stalled(passed: NDArray[np.float64], window: int) -> float:
    """Return the share of the samples in windows in which less than one base begins."""
    n_samples = len(passed) - 1
    if not 0 < window <= n_samples:
        return 0.0
    stalls = (passed[window:] - passed[:-window] < 1).astype(np.int64)
    change = np.zeros(n_samples + 1, np.int64)
    change[: len(stalls)] += stalls
    change[window : window + len(stalls)] -= stalls
    return float(np.mean(np.cumsum(change[:-1]) > 0))


Timed = tuple[Read, str, Passage]
"""A read, the name of the model that counted its bases, or nothing, and its passage."""


@dataclass(frozen=True)
class SpeedModels:
    """The models of `SPEEDOMETERS`; it pickles, and loads a model where a read needs it."""

    models: dict[str, TrainedModel]
    """By name."""
    chemistry: str = ""
    """Of reads whose files do not contain it."""

    @classmethod
    def find(cls, chemistry: str = "") -> Self:
        """Find the models.

        Args:
            chemistry: Code of the chemistry of reads whose files do not contain it, or only a part of it.

        Raises:
            ConfigError: There is no such chemistry.
        """
        names = sorted({speedometer.model for speedometer in SPEEDOMETERS.values()})
        fit = FitConfig(resample=True)
        models = {name: TrainedModel.find(name, InferenceConfig(), fit=fit).settled() for name in names}
        check_stated(FitConfig(chemistry=chemistry), [model.recipe for model in models.values()])
        return cls(models, chemistry)

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the results, as JSON types."""
        measured = {code: asdict(speedometer) for code, speedometer in SPEEDOMETERS.items()}
        models = {name: model.settings for name, model in self.models.items()}
        return {"chemistry": self.chemistry, "speedometers": measured, "models": models}

    @contextmanager
    def opened(self) -> Iterator[Callable[[Iterable[Read], Ledger], Iterator[Timed]]]:
        """Yield the function that times reads; it drops those that are empty or flat."""
        with ExitStack() as stack:
            yield _Timer(self, stack)

    def named_for(self, read: Read) -> str:
        """Return the code of the speedometer for a read; empty where none fits.

        Args:
            read: The read, of known chemistry.
        """
        code = read.chemistry.code
        speedometer = SPEEDOMETERS.get(code)
        if speedometer is None:
            return ""
        recipe = self.models[speedometer.model].recipe
        return "" if recipe.misfit(read, FitConfig(resample=True)) else code


class _Timer:
    """Times reads in order; those of one speedometer that follow each other go through its model together."""

    def __init__(self, models: SpeedModels, stack: ExitStack) -> None:
        self._models, self._stack = models, stack
        self._labellers: dict[str, Any] = {}

    def __call__(self, reads: Iterable[Read], ledger: Ledger) -> Iterator[Timed]:
        fit = FitConfig(chemistry=self._models.chemistry)
        known = (stated(read, fit) for read in reads)
        for code, group in groupby(known, key=self._models.named_for):
            if code:
                yield from self._timed(SPEEDOMETERS[code], group, ledger)
            else:
                yield from ((read, "", NOT_KNOWN) for read in group)

    def _timed(self, speedometer: Speedometer, reads: Iterator[Read], ledger: Ledger) -> Iterator[Timed]:
        waiting = deque[Read]()

        def taken() -> Iterator[Read]:
            for read in reads:
                waiting.append(read)
                yield read

        for given, probabilities_CT in self._labeller(speedometer.model).with_probabilities(taken(), ledger):
            while (read := waiting.popleft()).read_id != given.read_id:
                pass  # it was dropped
            yield read, speedometer.model, passage_of(read, probabilities_CT[BOUNDARY], speedometer)

    def _labeller(self, name: str) -> Any:
        if name not in self._labellers:
            self._labellers[name] = self._stack.enter_context(self._models.models[name].opened())
        return self._labellers[name]

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from poreconv.commands.simulate import simulate
from poreconv.config import MoleculeConfig, SimulateConfig, SquiggleConfig
from poreconv.errors import ConfigError
from poreconv.inference.speed import SPEEDOMETERS, SpeedModels, Speedometer, Timed, passage_of
from poreconv.models.shipped import shipped_headers
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.runtime.ledger import Ledger

PLAIN = Speedometer("", 0.8, 0.0)
"""Expects 0.8 boundaries per base."""


def read_of(n_samples: int, chemistry: str = "dna_r10.4.1") -> Read:
    """A read of noise at 4 kHz."""
    pa = np.random.default_rng(0).normal(90, 12, n_samples).astype(np.float32)
    return Read.from_array(pa, 4000, chemistry=chemistry)


def likely_at(n_samples: int, place: NDArray[np.int64]) -> NDArray[np.float32]:
    """Probabilities that are 0.8 at some samples, else 0."""
    probability_T = np.zeros(n_samples, np.float32)
    probability_T[place] = 0.8
    return probability_T


def test_a_speed_is_bases_over_time() -> None:
    """A boundary each 10 samples at 4 kHz, of which the model expects 0.8, is 400 bases per second."""
    passage = passage_of(read_of(4000), likely_at(4000, np.arange(5, 4000, 10)), PLAIN)

    assert passage.bases == pytest.approx(400)
    assert passage.bases_per_s == pytest.approx(400)
    assert passage.stalled == 0


def test_boundaries_that_come_with_time_are_no_bases() -> None:
    """Of 400 a second, 40 are expected where there are none."""
    speedometer = Speedometer("", 0.8, 0.8 * 40)
    passage = passage_of(read_of(8000), likely_at(8000, np.arange(5, 8000, 10)), speedometer)

    assert passage.bases_per_s == pytest.approx(360)


def test_nothing_that_passes_is_never_less_than_nothing() -> None:
    """Fewer boundaries than time alone explains are no negative speed."""
    assert passage_of(read_of(4000), likely_at(4000, np.array([7])), Speedometer("", 0.8, 60.0)).bases == 0


def test_a_stall_is_where_no_base_passes_for_long() -> None:
    """From the last base before it to the first one after it, and counted in the speed."""
    place = np.concatenate([np.arange(5, 2000, 10), np.arange(4005, 6000, 10)])
    passage = passage_of(read_of(6000), likely_at(6000, place), PLAIN)

    assert passage.stalled == pytest.approx(2000 / 6000, abs=0.005)
    assert passage.bases_per_s == pytest.approx(400 / 1.5, rel=0.01)


def test_an_adapter_counts_neither_in_bases_nor_in_time() -> None:
    """Of RNA, the molecule begins where the current rises."""
    rng = np.random.default_rng(0)
    pa = np.concatenate([rng.normal(62, 4, 4000), rng.normal(92, 10, 4000)]).astype(np.float32)
    place = np.concatenate([np.arange(5, 4000, 10), np.arange(4010, 8000, 40)])
    passage = passage_of(Read.from_array(pa, 4000, chemistry="rna004"), likely_at(8000, place), PLAIN)

    assert passage.duration_s == pytest.approx(1, abs=0.07)
    assert passage.bases_per_s == pytest.approx(100, rel=0.1)


def test_probabilities_may_have_a_rate_of_their_own() -> None:
    """A model that reads 4 kHz at 3 kHz gives the same speed."""
    at_4khz = passage_of(read_of(8000), likely_at(8000, np.arange(8, 8000, 16)), PLAIN)
    at_3khz = passage_of(read_of(8000), likely_at(6000, np.arange(6, 6000, 12)), PLAIN)

    assert at_3khz.bases_per_s == pytest.approx(at_4khz.bases_per_s)
    assert at_3khz.duration_s == at_4khz.duration_s == 2


def test_every_speedometer_is_a_shipped_model() -> None:
    """It fits the reads that it is given, and some of them are of its training's chemistry."""
    headers = shipped_headers()
    for code, speedometer in SPEEDOMETERS.items():
        assert code in headers[speedometer.model].recipe.chemistries


def timed(reads: Iterable[Read], ledger: Ledger | None = None, chemistry: str = "") -> list[Timed]:
    """Reads with their passage."""
    with SpeedModels.find(chemistry).opened() as time:
        return list(time(reads, ledger or Ledger()))


def test_reads_of_all_kinds_come_in_their_order() -> None:
    """Those without a speedometer too, and those that are dropped do not."""
    flat = replace(read_of(3000), read_id="flat", adc=np.full(3000, 80, np.float32))
    kinds = ("dna_r10.4.1", "dna_r9.4.1", "dna_r10", "rna004", "rna002", "unknown")
    reads = [replace(read_of(3000 + i, kind), read_id=kind) for i, kind in enumerate(kinds)]
    ledger = Ledger()
    found = timed([reads[0], flat, *reads[1:]], ledger)

    assert [read.read_id for read, _, _ in found] == [*kinds]
    assert [kind for kind, (_, model, _) in zip(kinds, found, strict=True) if not model] == ["dna_r10", "unknown"]
    assert [read.chemistry.code for read, _, _ in found] == [*kinds]
    assert dict(ledger.counts) == {"flat": 1}


def test_a_lower_rate_has_no_speed() -> None:
    """A model cannot read 3 kHz at 4 kHz."""
    [(_, model, passage)] = timed([replace(read_of(3000), sample_rate_hz=3000.0)])

    assert model == ""
    assert np.isnan(passage.bases_per_s)


def test_a_chemistry_can_be_stated() -> None:
    """For reads whose files do not contain it."""
    [(_, model, _)] = timed([read_of(3000, "")], chemistry="dna_r10.4.1")

    assert model == "dna_r10.4.1_boundary_fast"
    with pytest.raises(ConfigError, match="chemistry: 'dna_r11'"):
        SpeedModels.find("dna_r11")


@pytest.mark.parametrize("chemistry", ["dna_r9.4.1", "dna_r10.4.1"])
def test_simulated_reads_have_their_speed(chemistry: str, tmp_path: Path) -> None:
    """Within a quarter, at speeds that differ twofold: the models learnt from real reads."""
    for dwell in (8, 16):
        molecule = MoleculeConfig(chemistry=chemistry, dwell_mean=dwell, stall_rate=0, adapter_samples=0)  # type: ignore[arg-type]
        config = SquiggleConfig(molecule=replace(molecule, bases_mean=600, bases_min=400))
        folder = simulate("squiggle", out=tmp_path / str(dwell), common=SimulateConfig(reads=3), config=config)
        with open_reads(folder) as reads:
            speeds = [passage.bases_per_s for _, _, passage in timed(reads)]

        assert np.median(speeds) == pytest.approx(4000 / dwell, rel=0.25)

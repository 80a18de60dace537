import uuid
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from poreconv.commands import simulate as command
from poreconv.config import (
    HeartbeatConfig,
    MoleculeConfig,
    SignalFormat,
    SimulateConfig,
    SquiggleConfig,
    from_flat,
)
from poreconv.errors import ConfigError
from poreconv.events.events import Events
from poreconv.pore_models.model import kmer_indices, random_pore_model
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.readers.writing import writable
from poreconv.runtime.registry import lookup
from poreconv.simulate import SIMULATORS
from poreconv.simulate.device import CALIBRATION, to_counts

CONFIGS = {"heartbeat": HeartbeatConfig(), "squiggle": SquiggleConfig(molecule=MoleculeConfig(bases_mean=300))}
"""A config for each simulator; one without fails the tests."""


def simulate(name: str, reads: int = 3, seed: int = 5, config: object = None) -> list[tuple[Read, Events]]:
    """Return the reads of a simulator with their events."""
    made = lookup(SIMULATORS, name, kind="simulator")(SimulateConfig(reads, seed), config or CONFIGS[name])
    return [(one.read, one.events) for one in made]


@pytest.mark.parametrize("name", SIMULATORS)
def test_reads_are_a_function_of_seed_and_number(name: str) -> None:
    """Read 1 of 2 equals read 1 of 4, and another seed gives another read."""
    (read, events), (same, same_events) = simulate(name, 2)[1], simulate(name, 4)[1]
    other, _ = simulate(name, 2, seed=6)[1]

    assert np.array_equal(read.adc, same.adc)
    assert np.array_equal(events.start, same_events.start)
    assert read.read_id == same.read_id != other.read_id
    assert not np.array_equal(read.adc, other.adc)


@pytest.mark.parametrize("name", SIMULATORS)
def test_reads_look_like_a_sequencers(name: str) -> None:
    """Counts are int16, ids are UUIDs and differ, the run id is 40 hexadecimal digits, the same for the run."""
    reads = [read for read, _ in simulate(name)]

    assert {str(uuid.UUID(read.read_id)) for read in reads} == {read.read_id for read in reads}
    assert len({read.read_id for read in reads}) == 3
    assert all(read.adc.dtype == np.int16 and read.channel >= 1 for read in reads)
    assert len({read.run_id for read in reads}) == 1
    assert len(bytes.fromhex(reads[0].run_id)) == 20


@pytest.mark.parametrize("name", SIMULATORS)
def test_events_fit_the_read(name: str) -> None:
    """Events and their coverage lie inside the read, and every event has a class."""
    for read, events in simulate(name):
        assert events.end.max() <= events.coverage.max() <= len(read.adc)
        assert events.label.min() >= 0


@pytest.mark.parametrize("name", SIMULATORS)
def test_no_reads_is_an_empty_stream(name: str) -> None:
    """Zero reads asked for are zero reads given."""
    assert simulate(name, 0) == []


def test_simulators_share_no_read_ids() -> None:
    """A heartbeat and a squiggle of the same seed are different reads."""
    ids = [read.read_id for name in SIMULATORS for read, _ in simulate(name)]

    assert len(set(ids)) == len(ids)


def test_counts_are_the_inverse_of_pa() -> None:
    """Digitising and calibrating again is off by half a count at most."""
    pa = np.linspace(-50, 300, 1000, dtype=np.float32)

    assert np.abs(CALIBRATION.to_pa(to_counts(pa)) - pa).max() <= 0.501 * CALIBRATION.scale


def test_beats_stand_above_the_baseline() -> None:
    """Inside a beat the current is higher than outside, by about the mean of its half sine."""
    config = HeartbeatConfig(noise_pa=0, drift_pa=0, height_min_pa=30, height_max_pa=30)
    for read, events in simulate("heartbeat", config=config):
        pa = read.pa
        beat = np.concatenate([pa[start:end] for start, end in zip(events.start, events.end, strict=True)])

        assert beat.mean() == pytest.approx(80 + 30 * 2 / np.pi, abs=0.5)
        assert np.delete(pa, np.flatnonzero(pa > 80.2)).mean() == pytest.approx(80, abs=0.1)


def test_heartbeat_covers_the_whole_trace() -> None:
    """The samples without a beat are known to be background."""
    read, events = simulate("heartbeat")[0]

    assert events.classes == ("beat",)
    assert events.coverage.tolist() == [[0, len(read.adc)]]
    assert read.chemistry.code == "unknown"


def test_as_many_beats_as_fit_never_touch() -> None:
    """In the tightest trace that the config allows, beats still have a sample between them."""
    config = HeartbeatConfig(samples=61, beats_min=4, beats_max=4, width_min=14, width_max=14)
    for _, events in simulate("heartbeat", 50, config=config):
        assert (events.start[1:] > events.end[:-1]).all()


def test_beats_keep_to_their_place() -> None:
    """Beats lie in ``[beats_start, beats_end)`` and reach both its ends; the coverage is still the whole trace."""
    config = HeartbeatConfig(samples=100, beats_start=30, beats_end=60, beats_max=1, width_max=20)
    events = [events for _, events in simulate("heartbeat", 200, config=config)]

    assert min(e.start.min() for e in events) == 30
    assert max(e.end.max() for e in events) == 60
    assert all(e.coverage.tolist() == [[0, 100]] for e in events)


def test_a_place_may_be_just_as_wide_as_its_beat() -> None:
    """So the lecture's ``y = [0 0 0 1 1 1 0 0 0 0]`` can be had."""
    config = HeartbeatConfig(samples=10, beats_max=1, beats_start=3, beats_end=6, width_min=3, width_max=3)
    _, events = simulate("heartbeat", 1, config=config)[0]

    assert (events.start.tolist(), events.end.tolist()) == ([3], [6])


@pytest.mark.parametrize(("start", "end"), [(-1, 50), (60, 50), (0, 401), (0, 11)])
def test_a_place_that_holds_no_beat_is_a_config_error(start: int, end: int) -> None:
    """A place outside the trace, or shorter than a beat, is refused."""
    with pytest.raises(ConfigError, match=r"beats_start|too few for 1 beats"):
        HeartbeatConfig(beats_max=1, beats_start=start, beats_end=end)


def test_a_trace_may_have_no_beat() -> None:
    """With ``beats_max`` 0, traces are background, and covered as such."""
    read, events = simulate("heartbeat", 1, config=HeartbeatConfig(beats_min=0, beats_max=0))[0]

    assert len(events) == 0
    assert events.coverage.tolist() == [[0, len(read.adc)]]


def test_squiggle_bases_follow_the_adapter_without_gaps() -> None:
    """Coverage runs from the first base, behind the adapter, to the end of the read."""
    for read, events in simulate("squiggle"):
        assert events.coverage.tolist() == [[events.start[0], len(read.adc)]]
        assert 300 <= events.start[0] <= 900
        assert (events.duration >= 1).all()


def test_squiggle_is_r9_dna() -> None:
    """The metadata name a known chemistry."""
    read, events = simulate("squiggle")[0]

    assert read.chemistry.code == "dna_r9.4.1"
    assert events.classes == ("A", "C", "G", "T")


def test_dwells_have_the_mean_asked_for() -> None:
    """Mean dwell is the config's."""
    dwell = np.concatenate([events.duration for _, events in simulate("squiggle", 20)])

    assert dwell.mean() == pytest.approx(9, rel=0.05)


def test_levels_are_the_pores() -> None:
    """Without noise, drift and variation, each event is at the level of a k-mer whose central base is its class."""
    exact = {"noise_pa": 0, "level_noise_pa": 0, "drift_pa": 0, "shift_pa": 0, "scale_sd": 0, "spill": 0}
    pore = {"k": 3, "level_mean_pa": 90, "level_sd_pa": 14}
    config = from_flat(SquiggleConfig, {"bases_mean": 300} | pore | exact)
    level_pa = random_pore_model(3, 0, 90, 14).level_mean
    read, events = simulate("squiggle", 1, config=config)[0]
    kmer = kmer_indices(events.label, 3)

    assert np.allclose(read.pa[events.start[1:-1]], level_pa[kmer], atol=0.1)


def test_reads_of_two_seeds_come_from_one_pore() -> None:
    """Another seed changes the reads and not the pore, so that a model can be tested on them."""
    exact = {"noise_pa": 0, "level_noise_pa": 0, "drift_pa": 0, "shift_pa": 0, "scale_sd": 0, "spill": 0}
    config = from_flat(SquiggleConfig, {"bases_mean": 2000, "adapter_samples": 0, "k": 1} | exact)
    levels = [np.unique(simulate("squiggle", 1, seed, config)[0][0].adc) for seed in (1, 2)]

    assert levels[0].tolist() == levels[1].tolist()


@pytest.mark.parametrize("memory", [0.5, 0.7])
def test_noise_within_events_has_the_sd_and_correlation_asked_for(memory: float) -> None:
    """Noise has the SD of the pore; neighbouring samples correlate, and more distant ones less."""
    exact = {"drift_pa": 0, "shift_pa": 0, "scale_sd": 0, "level_sd_pa": 0, "level_noise_pa": 0, "noise_spread": 0}
    noise = {"noise_pa": 4, "noise_correlation": 0.5, "noise_memory": memory}
    read, _ = simulate(
        "squiggle",
        1,
        config=from_flat(SquiggleConfig, {"k": 1, "adapter_samples": 0} | noise | exact),
    )[0]
    noise_pa = read.pa - 90
    correlation = [np.corrcoef(noise_pa[:-lag], noise_pa[lag:])[0, 1] for lag in (1, 2, 3)]

    assert noise_pa.std() == pytest.approx(4, rel=0.3)
    assert correlation == pytest.approx([0.5, 0.5 * memory, 0.5 * memory**2], abs=0.08)


def test_events_differ_in_noise() -> None:
    """With ``noise_spread``, the logarithms of the events' SDs spread more than without."""
    spread = [_log_sd(simulate("squiggle", 1, config=SquiggleConfig(noise_spread=s))[0]).std() for s in (0, 0.8)]

    assert spread[1] > spread[0] + 0.2


def _log_sd(pair: tuple[Read, Events]) -> np.ndarray:
    """Logarithm of the SD of each event of 10 samples or more."""
    read, events = pair
    spans = zip(events.start, events.end, strict=True)
    return np.log([read.adc[start + 1 : end - 1].std() for start, end in spans if end - start >= 10])


def test_a_step_spills_into_the_samples_beside_it() -> None:
    """The last sample before a step and the first after it each take a share of the other level; nothing else does."""
    exact = {"noise_pa": 0, "drift_pa": 0, "shift_pa": 0, "scale_sd": 0, "k": 1, "adapter_samples": 0}
    (sharp, events), (soft, _) = (
        simulate("squiggle", 1, config=from_flat(SquiggleConfig, {"spill": s} | exact))[0] for s in (0, 0.2)
    )
    moved = np.flatnonzero(np.abs(sharp.adc - soft.adc) > 1)
    edges = np.union1d(events.start, events.start - 1)

    assert len(moved) > len(events)
    assert np.isin(moved, edges).all()


def test_every_format_that_can_be_written_can_be_asked_for() -> None:
    """The setting lists the formats that the readers can write."""
    assert {f".{name}" for name in get_args(SignalFormat)} == set(writable())


@pytest.mark.parametrize("form", get_args(SignalFormat))
@pytest.mark.parametrize("name", SIMULATORS)
def test_the_same_reads_come_in_every_format(name: str, form: str, tmp_path: Path) -> None:
    """With their truth beside them."""
    expected = simulate(name, 2)
    command.simulate(name, out=tmp_path / "sim", common=SimulateConfig(2, 5, form), config=CONFIGS[name])
    with open_reads(tmp_path / "sim") as stream:
        got = list(stream)

    more = {"squiggle": "regions.tsv", "heartbeat": "values.tsv"}[name]
    assert {path.name for path in (tmp_path / "sim").iterdir()} == {f"reads.{form}", "events.tsv", more}
    for read, (written, _) in zip(got, expected, strict=True):
        assert (read.read_id, read.chemistry, read.sample_rate_hz) == (
            written.read_id,
            written.chemistry,
            written.sample_rate_hz,
        )
        assert np.array_equal(read.adc, written.adc)
    rows = (tmp_path / "sim" / "events.tsv").read_text().splitlines()
    assert len(rows) == 1 + sum(len(events) for _, events in expected)


def test_reads_of_another_format_are_not_put_beside_others(tmp_path: Path) -> None:
    """There is one table of truth in a folder."""
    command.simulate("heartbeat", out=tmp_path, common=SimulateConfig(1), config=HeartbeatConfig())
    with pytest.raises(ConfigError, match=r"contains reads\.fast5 already"):
        command.simulate("heartbeat", out=tmp_path, common=SimulateConfig(1, 0, "pod5"), config=HeartbeatConfig())

    assert not (tmp_path / "reads.pod5").exists()


def test_unknown_format_is_a_config_error() -> None:
    """The message names the known ones."""
    with pytest.raises(ConfigError, match="choose one of fast5, pod5, blow5, slow5"):
        SimulateConfig(format="bam")  # type: ignore[arg-type]


def test_negative_seed_is_a_config_error() -> None:
    """A seed that numpy cannot take is refused where it is given."""
    with pytest.raises(ConfigError, match="seed: -1"):
        SimulateConfig(seed=-1)

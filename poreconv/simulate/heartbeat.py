"""The trace of the lecture: beats of random place, height and width in noise and drift."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from poreconv.config import HeartbeatConfig, SimulateConfig
from poreconv.events.events import Events
from poreconv.reads.read import Read
from poreconv.simulate import Simulated, device

NAME = "heartbeat"


def simulate(common: SimulateConfig, config: HeartbeatConfig) -> Iterator[Simulated]:
    """Yield traces and their beats.

    Args:
        common: Number of traces and seed; trace i depends only on the seed, i and ``config``.
        config: Settings of the traces.

    Yields:
        A read of unknown chemistry, and events of the single class ``beat``, whose value is the beat's height in pA,
        and whose coverage is the whole trace.
    """
    for index in range(common.reads):
        rng = np.random.default_rng([common.seed, index])
        events, trace_pa = _beats(rng, config), _background_pa(rng, config)
        height_pa = rng.uniform(config.height_min_pa, config.height_max_pa, len(events))
        _add_beats(trace_pa, events, height_pa)
        read = _read(rng, common.seed, index, trace_pa, config)
        yield Simulated(read, replace(events, value=height_pa.astype(np.float32)))


def _beats(rng: np.random.Generator, config: HeartbeatConfig) -> Events:
    """Draw beats within `HeartbeatConfig.place`, at least a sample apart, all arrangements equally likely."""
    n = int(rng.integers(config.beats_min, config.beats_max + 1))
    width = rng.integers(config.width_min, config.width_max + 1, n)
    first, end = config.place
    spare = end - first - int(width.sum()) - max(0, n - 1)
    start = first + np.sort(rng.integers(0, spare + 1, n)) + np.cumsum(width) - width + np.arange(n)
    return Events.of(start, start + width, classes=("beat",), coverage=[[0, config.samples]])


def _background_pa(rng: np.random.Generator, config: HeartbeatConfig) -> NDArray[np.float32]:
    trace_pa = config.baseline_pa + device.drift(rng, config.samples, config.drift_pa)
    trace_pa += rng.normal(0, config.noise_pa, config.samples).astype(np.float32)
    return trace_pa


def _add_beats(trace_pa: NDArray[np.float32], events: Events, height_pa: NDArray[np.float64]) -> None:
    for start, width, height in zip(events.start, events.duration, height_pa, strict=True):
        trace_pa[start : start + width] += height * np.sin(np.pi * (np.arange(width) + 0.5) / width)


def _read(
    rng: np.random.Generator, seed: int, index: int, trace_pa: NDArray[np.float32], config: HeartbeatConfig
) -> Read:
    return Read(
        read_id=device.read_id(NAME, seed, index),
        adc=device.to_counts(trace_pa),
        calibration=device.CALIBRATION,
        sample_rate_hz=config.sample_rate_hz,
        channel=int(rng.integers(1, device.CHANNELS + 1)),
        mux=1,
        read_number=index,
        start_sample=index * config.samples,
        run_id=device.run_id(NAME, seed),
    )

"""Settings that were left open: those of the preset for a store's task, made to fit the lengths of its events."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np

from poreconv.config import PRESETS, Preset, TrainConfig, require
from poreconv.dataset.store import Store, subsample_reads
from poreconv.models.architectures import Strided
from poreconv.models.networks.outside import Own
from poreconv.runtime.registry import entry
from poreconv.training.objectives import MOST_SAMPLES

LEAST_REACH, MOST_STRIDE = 60, 10
"""Bounds of the samples that a network sees to each side, and of the samples per frame. With 10 it sees 2,550 samples;
on RNA002, whose poly(A) tails have 2,000, a network that sees twice as many finds no better regions."""

DILATIONS = (1, 2, 4, 8, 16, 32, 64, 128)
"""Of the blocks of the largest network; shorter events need fewer."""

REACHES_PER_WINDOW, FRAMES_PER_STEP = 5, 10_000
"""Length of a window, and frames of all windows of a step, which decide how long a step takes."""

LEAST_BATCH, MOST_BATCH = 8, 32

LEAST_STEM = 7
"""Kernel of the first convolution, samples, at least; else three frames."""

OPEN = ("max_steps", "batch_size", "chunk_samples", "learning_rate")
"""Settings of which 0 stands for the preset's."""


class Asked(NamedTuple):
    """What is trained, with nothing left open but what the model to start from decides."""

    network: str | Own | None
    settings: Any
    config: TrainConfig


def settled(stores: Sequence[Store], network: str | Own | None, settings: Any, config: TrainConfig) -> Asked:
    """Fill in what was left open.

    Args:
        stores: Stores that are trained on.
        network: See `network_asked`.
        settings: See `network_asked`.
        config: How to train; a 0 in the settings of a `Preset` is left open.

    Raises:
        ConfigError: There is no such preset, or it is for another task than the stores'.
    """
    preset = _preset_for(stores[0].info.task, config.preset)
    config = replace(config, ordered=preset.ordered if config.ordered == "auto" else config.ordered)
    left_open = [name for name in OPEN if not getattr(config, name)]
    of_preset = settings is None and config.start_from is None and network in {None, preset.network}
    if not (left_open or of_preset):  # the lengths of the events, which take long to read, decide nothing
        return Asked(network, settings, config)
    found = _fitting(preset, stores) if preset.by_length else Asked(preset.network, None, _numbers(preset))
    if of_preset:
        network, settings = preset.network, found.settings
    return Asked(network, settings, replace(config, **{name: getattr(found.config, name) for name in left_open}))


def _preset_for(task: str, name: str | None) -> Preset:
    if name is None:
        return next((preset for preset in PRESETS.values() if preset.task == task), next(iter(PRESETS.values())))
    preset = entry(PRESETS, name, kind="preset")
    fitting = ", ".join(each for each, other in PRESETS.items() if other.task == task)
    require(
        preset.task == task,
        f"preset: {name} is for stores of task {preset.task}, and this one is of task {task}; "
        + (f"use {fitting}" if fitting else "leave it out"),
    )
    return preset


def _numbers(preset: Preset) -> TrainConfig:
    return TrainConfig(**{name: getattr(preset, name) for name in OPEN})


def _fitting(preset: Preset, stores: Sequence[Store]) -> Asked:
    """Choose reach, windows and batch by the typical length of the events of the class that has the shortest ones."""
    length = _typical_length(stores)
    stride = int(np.clip(length // sum(DILATIONS), 1, MOST_STRIDE))
    reaches = np.cumsum(DILATIONS) * stride
    n_blocks = min(int(np.searchsorted(reaches, max(length, LEAST_REACH))) + 1, len(DILATIONS))
    window = REACHES_PER_WINDOW * int(reaches[n_blocks - 1])
    batch = int(np.clip(FRAMES_PER_STEP * stride // window, LEAST_BATCH, MOST_BATCH))
    stem = max(3 * stride, LEAST_STEM) // 2 * 2 + 1
    network = Strided(channels=32, stride=stride, stem_kernel=stem, dilations=DILATIONS[:n_blocks])
    numbers = replace(preset, chunk_samples=window, batch_size=batch)
    return Asked(preset.network, asdict(network), _numbers(numbers))


def _typical_length(stores: Sequence[Store]) -> float:
    """Median length of the events of the class whose events are shortest, samples."""
    lengths = [np.zeros(0) for _ in stores[0].info.classes]
    for store, row in subsample_reads(stores, "train", MOST_SAMPLES):
        events = store.task.events(store.read_target(row), store.info.classes)
        lengths = [np.append(each, events.duration[events.label == i]) for i, each in enumerate(lengths)]
    return min((float(np.median(each)) for each in lengths if len(each)), default=LEAST_REACH)

from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest

from poreconv import config as module
from poreconv.config import (
    AugmentConfig,
    DecodeConfig,
    FilesConfig,
    FilterConfig,
    FlowCellConfig,
    HeartbeatConfig,
    InferenceConfig,
    LabelConfig,
    NormalisationConfig,
    PrepareConfig,
    SimulateConfig,
    SplitConfig,
    SquiggleConfig,
    StreamConfig,
    TrainConfig,
)
from poreconv.errors import ConfigError
from poreconv.models.architectures import ARCHITECTURES

IMPOSSIBLE: list[tuple[type[Any], dict[str, Any]]] = [
    (SplitConfig, {"validation": -0.1}),
    (SplitConfig, {"validation": 0.5, "test": 0.6}),
    (SplitConfig, {"test": float("nan")}),
    (PrepareConfig, {"workers": -1}),
    (LabelConfig, {"workers": -1}),
    (LabelConfig, {"batch_size": -1}),
    (FilterConfig, {"min_labelled": 1.1}),
    (FilterConfig, {"min_samples": 10, "max_samples": 9}),
    (NormalisationConfig, {"clip": 0}),
    (AugmentConfig, {"noise": -1}),
    (AugmentConfig, {"stretch": 1}),
    (TrainConfig, {"max_steps": -1}),
    (TrainConfig, {"learning_rate": -1}),
    (TrainConfig, {"ordered": "maybe"}),
    (TrainConfig, {"warmup": 1}),
    (TrainConfig, {"class_balance": 2}),
    (TrainConfig, {"seed": -1}),
    (TrainConfig, {"loader_workers": -1}),
    (TrainConfig, {"max_time": "10:00"}),
    (TrainConfig, {"max_time": "00:00:ten:00"}),
    (TrainConfig, {"max_time": "10"}),
    (TrainConfig, {"max_time": "30m1h"}),
    (TrainConfig, {"max_time": "0m"}),
    (FilesConfig, {"limit": 0}),
    (InferenceConfig, {"batch_size": -1}),
    (InferenceConfig, {"chunk_samples": 63}),
    (StreamConfig, {"hop_samples": 0}),
    (FlowCellConfig, {"channels": 0}),
    (FlowCellConfig, {"speed": 0.0}),
    (FlowCellConfig, {"push_s": 0}),
    (SimulateConfig, {"reads": -1}),
    (HeartbeatConfig, {"beats_min": 3, "beats_max": 1}),
    (HeartbeatConfig, {"samples": 20}),
    (SquiggleConfig, {"k": 10}),
    (SquiggleConfig, {"dwell_mean": 0.5}),
    (DecodeConfig, {"threshold": 1}),
    (ARCHITECTURES["heartbeat"].settings, {"pool": 2}),
    (ARCHITECTURES["dense"].settings, {"window": 0}),
    (ARCHITECTURES["tcn"].settings, {"kernel": 4}),
    (ARCHITECTURES["tcn"].settings, {"dilations": ()}),
    (ARCHITECTURES["strided"].settings, {"stem_kernel": 3, "stride": 4}),
]


@pytest.mark.parametrize(("kind", "fields"), IMPOSSIBLE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_an_impossible_setting_is_refused(kind: type[Any], fields: dict[str, Any]) -> None:
    """It never gets as far as a file, and the message names it."""
    with pytest.raises(ConfigError) as caught:
        module.from_flat(kind, fields)

    assert any(word in str(caught.value) for word in [*fields, "split", "augment", "dwell", "shares"])


CONFIGS = [kind for name, kind in vars(module).items() if name.endswith("Config")]


@pytest.mark.parametrize("kind", [*CONFIGS, *(each.settings for each in ARCHITECTURES.values())])
def test_the_defaults_are_possible_and_frozen(kind: type[Any]) -> None:
    """Every setting has a default that works, and none changes under way."""
    made = kind()
    name = next(iter(vars(made)))

    with pytest.raises(FrozenInstanceError):
        setattr(made, name, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10m", 600), ("90s", 90), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172800), ("00:00:10:00", 600)],
)
def test_training_times_are_written_in_several_ways(text: str, seconds: int) -> None:
    """With units, or as days, hours, minutes, seconds."""
    assert TrainConfig(max_time=text).time_limit == timedelta(seconds=seconds)

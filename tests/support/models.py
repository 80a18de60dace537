"""Networks small enough for tests, and bundles of them with random weights."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from poreconv.config import DecodeConfig, InferenceConfig
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.labeller import Labeller
from poreconv.models.architectures import Alexnet, Campolina, Crnn, Dense, Heartbeat, Resnet, Strided, Tcn, Unet, Vgg
from poreconv.models.bundle import save_bundle
from poreconv.models.card import Card, TrainingSet
from poreconv.models.networks import build_network
from poreconv.models.networks.network import Network
from poreconv.models.recipe import Recipe

torch.set_num_threads(1)  # where tests share cores with other work, threads wait for each other

FP32 = InferenceConfig(precision="32")

TINY: dict[str, Any] = {
    "heartbeat": Heartbeat(channels=4, layers=2, pool=3),
    "dense": Dense(window=30, hidden=5),
    "tcn": Tcn(channels=8, kernel=3, dilations=(1, 2, 4), cycles=2, stem_kernel=5),
    "strided": Strided(channels=8, stride=5, stem_kernel=9, kernel=3, dilations=(1, 2)),
    "alexnet": Alexnet(channels=(4, 6, 6, 6, 6), dense=8, dropout=0.1, batch_norm=True),
    "vgg": Vgg(channels=(4, 6), convolutions=(1, 2), dense=8),
    "resnet": Resnet(channels=(4, 6), blocks=2, stem_kernel=5),
    "unet": Unet(channels=(4, 6, 8)),
    "crnn": Crnn(channels=6, stem_kernel=3, stride=5, kernel=9, hidden=5, layers=2),
    "campolina": Campolina(channels=(4, 6, 8), kernel=5, window=5, step_window=3),
}
"""Name in MODELS -> settings of a tiny network, for every architecture."""


def tiny_network(name: str, n_classes: int = 2) -> Network:
    """Make an untrained tiny network."""
    return build_network(name, TINY[name], n_classes)


def random_network(name: str, n_classes: int = 2, settings: Any = None, seed: int = 0) -> Network:
    """Make a network in evaluation mode with random weights and batch statistics, whose outputs vary along a read."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build_network(name, TINY[name] if settings is None else settings, n_classes)
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm1d):
                layer.running_mean.normal_(0, 0.3)
                layer.running_var.uniform_(0.3, 2)
                nn.init.uniform_(layer.weight, 0.5, 2)
                nn.init.normal_(layer.bias, 0, 0.3)
    return network.eval()


def labeller_of(name: str, config: InferenceConfig | None = None, settings: Any = None, **fields: Any) -> Labeller:
    """A labeller with random weights, in fp32 on the CPU unless ``config`` is given."""
    recipe, config = recipe_for(name, settings, **fields), config or FP32
    network = random_network(name, len(recipe.classes), settings)
    return Labeller(TorchBackend(network, config.precision, "cpu"), recipe, config)


def recipe_for(name: str, settings: Any = None, **fields: Any) -> Recipe:
    """Make the recipe of a boundary model; ``fields`` overrides."""
    chosen = TINY[name] if settings is None else settings
    values: dict[str, Any] = {
        "task": "boundary",
        "classes": ("inside", "boundary"),
        "network": name,
        "network_settings": vars(chosen),
        "sample_rate_hz": 4000.0,
        "chemistries": ("dna_r9.4.1",),
        "class_counts": (800, 100),
        "mean_dwell": 9.0,
        "decoding": DecodeConfig(threshold=0.4),
    }
    return Recipe(**(values | fields))


def card_for(**fields: Any) -> Card:
    """Make a card; ``fields`` overrides."""
    values: dict[str, Any] = {
        "summary": "Boundaries of bases in reads of R9.4.1 DNA",
        "data": (TrainingSet("lambda", "example.org/lambda", "CC0", 24, 2_354_007),),
        "scores": {
            "lambda, test": {"f1_1": 0.884, "f1_1_low": 0.877, "f1_1_high": 0.891, "n_reads": 10.0},
            "E. coli | other run": {"f1_1": 0.7},
        },
        "limits": "RNA; modified bases; reads of under 200 samples",
        "trained_by": "scripts/train_shipped lambda --max_time 00:00:10:00",
        "licence": "MIT",
    }
    return Card(**(values | fields))


def ship(folder: Path, name: str, model: str = "tcn", **fields: Any) -> Path:
    """Put a bundle of a random network into a folder of shipped models, its card beside it."""
    recipe, card = recipe_for(model, **fields), card_for()
    path = folder / f"{name}.safetensors"
    save_bundle(path, random_network(model, len(recipe.classes)), recipe, card)
    path.with_suffix(".md").write_text(card.to_markdown(name, recipe))
    return path


def bundle_at(path: Path, name: str = "tcn", **fields: Any) -> Path:
    """Write a bundle of a random network."""
    recipe = recipe_for(name, **fields)
    save_bundle(path, random_network(name, len(recipe.classes)), recipe)
    return path

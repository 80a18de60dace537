"""One training: its inputs, its folder, and what becomes of it."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, ModelCheckpoint

from poreconv.config import DecodeConfig, TrainConfig, require
from poreconv.dataset.confounding import warn_confounded
from poreconv.dataset.store import Store, open_stores, some_reads
from poreconv.errors import ConfigError
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.decoding.dwell import LifeTable
from poreconv.inference.decoding.ordered import order_of
from poreconv.inference.decoding.temperature import taken_back
from poreconv.inference.labeller import Labeller
from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.models.networks import build_network
from poreconv.models.networks.fused import Images
from poreconv.runtime.files import whole_file
from poreconv.runtime.progress import Report
from poreconv.runtime.registry import entry
from poreconv.training.callbacks import BundleOnInterrupt, Clock, Stop, Watch
from poreconv.training.choose_decoding import choose_decoding, count_dwells
from poreconv.training.data import SquiggleData
from poreconv.training.distributed import is_first, part
from poreconv.training.module import SCORE, SampleLabeller, balanced_weights
from poreconv.training.recipes import recipe_of, start_from, taught_by
from poreconv.training.trainer import interruptible, make_trainer, memory_kept, quiet, require_alike, uses_bf16

BUNDLE = "model.safetensors"


class Run:
    """One training: its inputs, its folder, and what becomes of it.

    Args:
        paths: The stores.
        out: Folder of the run.
        network: Name in ``ARCHITECTURES``.
        settings: The architecture's settings, or None.
        config: How to train.
    """

    def __init__(self, paths: Sequence[Path], out: Path, network: str, settings: Any, config: TrainConfig) -> None:
        self._config, self.out = config, out
        self.stores = open_stores(paths, allow_mixed=config.allow_mixed)
        L.seed_everything(config.seed, verbose=False)
        chosen = settings or entry(ARCHITECTURES, network, kind="network").settings()
        self._recipe = recipe_of(self.stores, network, asdict(chosen), config)
        built = build_network(network, chosen, len(self._recipe.classes))
        if config.start_from is not None:
            self._recipe = start_from(config.start_from, built, self._recipe)
        teacher = None
        if config.teacher is not None:
            taught, self._recipe = taught_by(config.teacher, self._recipe)
            teacher = Images(taught, torch.bfloat16 if uses_bf16(config) else torch.float32)
        if is_first():
            warn_confounded(self._recipe.confounded)
        weights = balanced_weights(self._recipe.class_counts, config.class_balance)
        self.labeller = SampleLabeller(built, self._recipe.task, weights, config, teacher)
        self.data = SquiggleData(self.stores, config, built.size.margin)
        self._order = region_order(self.stores) if config.ordered else ()
        self._claim()

    @property
    def bundle(self) -> Path:
        """Where the trained model lies, or will."""
        return self.out / BUNDLE

    @property
    def _checkpoints(self) -> Path:
        return self.out / "checkpoints"

    @property
    def finished(self) -> bool:
        """Whether the bundle is there and nothing is left to go on with."""
        return self.bundle.exists() and not self._checkpoints.exists()

    def _claim(self) -> None:
        """Write down what this run is; another training's folder is not touched."""
        plan = json.dumps({"recipe": json.loads(self._recipe.to_json()), "config": asdict(self._config)}, indent=1)
        described = self.out / "run.json"
        if described.read_text() != plan if described.exists() else self.bundle.exists():
            raise ConfigError(f"{self.out}: holds a training with other stores or settings; choose another --out")
        with whole_file(described) as partial:
            partial.write_text(plan)

    def fit(self, report: Report) -> None:
        """Train to the end, or until interrupted; either way a bundle is written."""
        last = self._checkpoints / "last.ckpt"
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        with quiet(), interruptible(), memory_kept():
            trainer = self.trainer(report)
            trainer.fit(self.labeller, self.data, ckpt_path=last if last.exists() else None, weights_only=True)
        if is_first():
            self._finish(report)
        part()

    def _finish(self, report: Report) -> None:
        self.write_bundle()
        report(1.0, "choosing how to decode")
        self.write_bundle(self.decoding())
        self._remove_checkpoints()

    @property
    def device(self) -> str | None:
        """Where its network runs: None is for the best there is."""
        return "cpu" if self._config.accelerator == "cpu" else None

    def _remove_checkpoints(self) -> None:
        """All at once: half of them would look like a training to go on with."""
        done = self._checkpoints.replace(self.out / ".checkpoints.done")
        shutil.rmtree(done)

    def trainer(self, report: Report) -> L.Trainer:
        """Lightning's trainer with all that a run needs.

        Raises:
            ConfigError: There is no such accelerator here, or several processes cannot train this network.
        """
        trainer = make_trainer(self._config, self.out, self._callbacks(report))
        require_alike(trainer, self.labeller.network)
        return trainer

    def _callbacks(self, report: Report) -> list[Callback]:
        best = ModelCheckpoint(
            self._checkpoints,
            "best",
            monitor=SCORE,
            mode="max",
            enable_version_counter=False,
            auto_insert_metric_name=False,
        )
        last = ModelCheckpoint(self._checkpoints, "last", save_on_train_epoch_end=True, enable_version_counter=False)
        stop = Stop(SCORE, mode="max", patience=self._config.patience)
        clock = [Clock(self._config.max_time)] if self._config.max_time else []
        rate = LearningRateMonitor("step")
        return [*clock, Watch(report), rate, BundleOnInterrupt(self.write_bundle), stop, best, last]

    def write_bundle(self, decoding: DecodeConfig | None = None) -> None:
        """Write the best checkpoint so far; before the first validation, the weights as they are.

        Args:
            decoding: How to decode; default: peaks over the threshold of that validation, which is there at once.
        """
        best = self._checkpoints / "best.ckpt"
        if best.exists():
            self.labeller.load_state_dict(torch.load(best, map_location="cpu", weights_only=True)["state_dict"])
        decoding = decoding or DecodeConfig(round(float(self.labeller.threshold), 4))
        if self._order:
            decoding = replace(decoding, method="ordered", order=self._order)
        save_bundle(self.bundle, self.labeller.network, replace(self._recipe, decoding=decoding))

    def decoding(self) -> DecodeConfig:
        """How to decode what the written network says: chosen on whole validation reads, labelled as `label` does."""
        network, recipe = load_bundle(self.bundle)
        bias = taken_back(self.labeller.class_weights.tolist())
        uncalibrated = replace(recipe, decoding=DecodeConfig(bias=bias))
        labeller = Labeller(TorchBackend(network, device=self.device), uncalibrated)
        places = some_reads(self.stores, "validation", MOST_SAMPLES)
        reads = (store.read(row) for store, row in places)
        targets = (store.read_target(row) for store, row in places)
        judged = [(p, target) for (_, p), target in zip(labeller.probabilities(reads), targets, strict=True)]
        hazards = dwell_hazards(self.stores) if self._recipe.task == "boundary" else ()
        return choose_decoding(judged, self._recipe.task, bias, hazards)


MOST_SAMPLES = 2**22
"""Samples that choose how to decode, and samples in which dwells are counted: enough for a handful of numbers."""


def region_order(stores: Sequence[Store]) -> tuple[str, ...]:
    """In which order the classes follow each other in the training split; see `order_of`."""
    info = stores[0].info
    require(info.task == "segment", f"ordered: task {info.task} has no regions; leave it out")
    return order_of((store.read_target(row) for store, row in some_reads(stores, "train", MOST_SAMPLES)), info.classes)


def dwell_hazards(stores: Sequence[Store]) -> tuple[float, ...]:
    """How long events of the training split last; see `LifeTable`."""
    table = LifeTable()
    for store, row in some_reads(stores, "train", MOST_SAMPLES):
        count_dwells(table, store.read_target(row))
    return table.hazards()

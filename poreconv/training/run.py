"""A training run: its inputs, its folder, and the bundle that it writes."""

import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, ModelCheckpoint
from numpy.typing import NDArray

from poreconv.config import DecodeConfig, Precision, TrainConfig
from poreconv.dataset.store import Store, subsample_reads
from poreconv.errors import BundleError, SignalError
from poreconv.inference.backends.pytorch import TorchBackend, default_device
from poreconv.inference.labeller import Labeller
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.models.networks.choice import NetworkChoice
from poreconv.models.networks.fused import fastest
from poreconv.models.networks.network import Network
from poreconv.models.networks.outside import OutsideNetwork, Own
from poreconv.runtime.files import remove_partials, whole_file
from poreconv.runtime.progress import Progress
from poreconv.runtime.records import to_json
from poreconv.runtime.registry import errors_of
from poreconv.training.callbacks import BundleOnInterrupt, Clock, KeepHandler, RefuseNotFinite, ReportProgress, Stop
from poreconv.training.choose_decoding import Judged
from poreconv.training.data import SquiggleData
from poreconv.training.distributed import go_on_alone, is_first
from poreconv.training.fine_tuning import freeze_below, network_asked, start_from
from poreconv.training.module import SCORE, SampleModule
from poreconv.training.objectives import MOST_SAMPLES, TrainingSplit, objective_of
from poreconv.training.plugins import NO_PLUGINS, Plugins
from poreconv.training.presets import settled
from poreconv.training.recipes import load_teacher, recipe_of
from poreconv.training.regions import region_rules
from poreconv.training.resuming import BEST, LAST, check_same, checkpoint_to_resume, models_begun_with
from poreconv.training.trainer import (
    interruptible,
    loaders_watched,
    make_trainer,
    memory_kept,
    quiet,
    require_alike,
    require_shared_memory,
    uses_bf16,
)

BUNDLE = "model.safetensors"
"""Name of the bundle in the folder of a training run."""

CHECKPOINTS, DONE = "checkpoints", ".checkpoints.done"
"""Names of the folder of checkpoints, and of the same while it is removed."""

FILES = ("run.json", BUNDLE, "logs", CHECKPOINTS, DONE, "folds")
"""Names in the folder of a training run."""


class TrainingRun:
    """A training run: its inputs, its folder, and the bundle that it writes.

    Args:
        stores: Open stores, see `open_stores`.
        out: Folder of the training run.
        network: See `network_asked`; what is left open is `settled`.
        settings: See `network_asked`.
        config: How to train.
        plugins: What else of the user's own takes part; default: nothing.

    Raises:
        StoreError: A split has no labelled read.
        ConfigError: A setting does not fit the stores, ``out`` holds another training run, or the user's own network,
            loss or transform fails on one window.
        BundleError: The model to start from, or the teacher, is not a trained model.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        out: Path,
        network: str | Own | None,
        settings: Any,
        config: TrainConfig,
        plugins: Plugins = NO_PLUGINS,
    ) -> None:
        network, settings, config = settled(stores, network, settings, config)
        self.stores, self.out, self.config, self.plugins = stores, out, config, plugins
        L.seed_everything(config.seed, verbose=False)
        choice = network_asked(network, settings, config)
        self.own = choice.own
        """The user's own network; None: it is in ``ARCHITECTURES``."""
        self._has_own_code = choice.own is not None or bool(plugins)
        self._sources = plugins.described() | choice.described()
        self.recipe = recipe_of(self.stores, choice.name, choice.settings, config)
        """What labelling repeats; the decoding is chosen at the end."""
        built, dtype = self._built(choice), torch.bfloat16 if uses_bf16(config) else torch.float32
        choice.try_out(built, config.chunk_samples, default_device(self.device), dtype)
        if config.start_from is not None:
            self.recipe = start_from(config.start_from, choice, built, self.recipe)
        if config.freeze:
            freeze_below(built, choice.head(built))
        teacher = None
        if config.teacher is not None:
            taught, self.recipe = load_teacher(config.teacher, self.recipe, self.own)
            teacher = fastest(taught, dtype)
        self._split = TrainingSplit(self.recipe, self.stores)
        loss = plugins.make_loss(len(self.recipe.classes), self.recipe.asked)
        balance = config.class_balance if loss is None else 0.0  # a loss of one's own weighs the classes as it likes
        self.module = SampleModule(built, objective_of(self._split, balance), config, teacher, loss)
        self.data = SquiggleData(self.stores, config, built.size.margin, plugins.make_transforms())
        self._rules = region_rules(self._split, config)
        self._claim()

    def _built(self, choice: NetworkChoice) -> Network:
        """Build the network; what is measured of the user's own stands in the recipe."""
        built = choice.build(len(self.recipe.classes), self.config.chunk_samples)
        if isinstance(built, OutsideNetwork):
            self.recipe = replace(self.recipe, own_network=built.measured)
        return built

    @property
    def bundle(self) -> Path:
        """Path of the bundle, whether it is written yet or not."""
        return self.out / BUNDLE

    @property
    def judges(self) -> Sequence["TrainingRun"]:
        """The training runs whose models are to be judged in this one's place, each on its own test reads."""
        return [self]

    @property
    def _checkpoints(self) -> Path:
        return self.out / CHECKPOINTS

    @property
    def finished(self) -> bool:
        """Whether the bundle is written, and no checkpoint is left to resume from."""
        return self.bundle.exists() and not self._checkpoints.exists()

    def _claim(self) -> None:
        """Write what this training run is into its folder; refuse the folder of another one."""
        models = models_begun_with(self.config)
        same = replace(self.config, loader_workers=0)  # by which no result changes
        plan = {"recipe": self.recipe, "config": same, "own": self._sources, "models": models}
        described = self.out / "run.json"
        check_same(described, plan, begun=self.bundle.exists() or self._checkpoints.exists())
        if is_first():
            remove_partials(described, self.bundle)
            remove_partials(self._checkpoints / LAST, self._checkpoints / BEST)
            shutil.rmtree(self.out / DONE, ignore_errors=True)
            with whole_file(described) as partial:
                partial.write_text(to_json(plan, indent=1), encoding="utf-8")

    def fit(self, progress: Progress) -> None:
        """Train to the end, or until interrupted; either way a bundle is written.

        Args:
            progress: Called with the share that is done, and step, loss and score.

        Raises:
            BundleError: The weights, or the scores of the trained network, are not finite; no bundle is written.
            ConfigError: This machine has no such accelerator, several processes cannot train this network, or the
                weights have become NaN or infinite.
            KeyboardInterrupt: Ctrl-C; the bundle is written.
            MachineError: It has not enough shared memory for the loader processes.
            WorkerError: A loader process died.
        """
        with quiet(), interruptible(), memory_kept():
            trainer = self.trainer(progress)
            before = checkpoint_to_resume(self._checkpoints)
            if is_first():  # another process may be here before the first has claimed the folder
                self._checkpoints.mkdir(parents=True, exist_ok=True)
            own_errors = errors_of("train", "training with your own code") if self._has_own_code else nullcontext()
            with own_errors, loaders_watched():
                trainer.fit(self.module, self.data, ckpt_path=before, weights_only=True)
        if is_first():
            self._finish(progress)
        go_on_alone()

    def _finish(self, progress: Progress) -> None:
        self.write_bundle()
        progress(1.0, "choosing how to decode")
        try:
            decoding = self.decoding()
        except (BundleError, SignalError) as exc:
            self.bundle.unlink()
            raise BundleError(
                f"{self.bundle}: not written, since the network's scores are not finite; train it anew (--overwrite)"
                " with a lower learning_rate"
            ) from exc
        self.write_bundle(decoding)
        self._remove_checkpoints()

    @property
    def device(self) -> str | None:
        """Device that the trained network runs on; None: CUDA if there is one, else the CPU."""
        return "cpu" if self.config.accelerator == "cpu" else None

    def _remove_checkpoints(self) -> None:
        """Remove all at once, by a rename first: some of them alone would look like a training run to resume."""
        done = self._checkpoints.replace(self.out / DONE)
        shutil.rmtree(done)

    def trainer(self, progress: Progress) -> L.Trainer:
        """Make Lightning's trainer with the callbacks of this training run.

        Args:
            progress: Called with the share that is done, and step, loss and score.

        Raises:
            ConfigError: This machine has no such accelerator, or several processes cannot train this network.
            MachineError: It has not enough shared memory for the loader processes.
        """
        require_shared_memory(self.config)
        trainer = make_trainer(self.config, self.out, self._callbacks(progress), self.plugins.make_loggers())
        require_alike(trainer, self.module.network)
        return trainer

    def _callbacks(self, progress: Progress) -> list[Callback]:
        best = ModelCheckpoint(
            self._checkpoints,
            "best",
            monitor=SCORE,
            mode="max",
            enable_version_counter=False,
            auto_insert_metric_name=False,
        )
        last = ModelCheckpoint(self._checkpoints, "last", save_on_train_epoch_end=True, enable_version_counter=False)
        stop = Stop(SCORE, mode="max", patience=self.config.patience)
        clock = [Clock(self.config.time_limit)] if self.config.time_limit else []
        rate = LearningRateMonitor("step")
        return [
            *clock,
            ReportProgress(progress, self.config.max_steps),
            rate,
            RefuseNotFinite(),
            KeepHandler(),
            BundleOnInterrupt(self.write_bundle),
            stop,
            best,
            last,
            *self.plugins.make_callbacks(),
        ]

    def write_bundle(self, decoding: DecodeConfig | None = None) -> None:
        """Write the best checkpoint so far as a bundle; before the first validation, the current weights.

        Args:
            decoding: How to decode; default: what needs no further computation.
        """
        best = self._checkpoints / BEST
        if best.exists():
            self.module.load_state_dict(torch.load(best, map_location="cpu", weights_only=True)["state_dict"])
        decoding = decoding or self._rules.added_to(self.module.objective.preliminary())
        save_bundle(self.bundle, self.module.network, replace(self.recipe, decoding=decoding))

    def decoding(self) -> DecodeConfig:
        """Choose how to decode the written network's logits, on reads that it was not trained on."""
        return self._rules.added_to(self.module.objective.decoding(self.judged(), self._split))

    def judged(self) -> Judged:
        """Return what the decoding is chosen on: the outputs of the written network on whole validation reads."""
        return self.outputs("validation", MOST_SAMPLES)

    def outputs(self, split: str, most_samples: int) -> list[tuple[NDArray[np.float32], NDArray[Any]]]:
        """Run the written network on whole reads, as `label` does.

        Args:
            split: The split of the reads.
            most_samples: About the largest total number of samples; of more, reads are taken at even intervals.

        Returns:
            For each read the outputs before a decoding is chosen, shape ``(C, T)``, and the target, shape ``(T,)``.
        """
        network, recipe = load_bundle(self.bundle, self.own)
        undecided = replace(recipe, decoding=self.module.objective.undecided)
        precision: Precision = "bf16" if uses_bf16(self.config) else "32"
        labeller = Labeller(TorchBackend(network, precision, self.device), undecided)
        places = subsample_reads(self.stores, split, most_samples)
        reads = (store.read(row) for store, row in places)
        targets = (store.read_target(row) for store, row in places)
        return [(p_CT, target) for (_, p_CT), target in zip(labeller.with_probabilities(reads), targets, strict=True)]

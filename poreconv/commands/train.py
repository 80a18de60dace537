"""Stores -> a trained model."""

import json
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, LearningRateMonitor, ModelCheckpoint

from poreconv.backends.pytorch import TorchBackend
from poreconv.baselines import detectors_for
from poreconv.bundle import load_bundle, save_bundle
from poreconv.config import ARCHITECTURES, DecodeConfig, TrainConfig, require
from poreconv.confounding import confounded, warn_confounded
from poreconv.data import SquiggleData
from poreconv.dwell import LifeTable
from poreconv.errors import ConfigError, PoreconvError
from poreconv.evaluation import RUN_EVALUATION, Evaluation, write_evaluation
from poreconv.files import whole_file
from poreconv.fitting import (
    BundleOnInterrupt,
    Clock,
    Stop,
    Watch,
    interruptible,
    make_trainer,
    memory_kept,
    quiet,
    require_alike,
    uses_bf16,
)
from poreconv.header import first_line
from poreconv.infer import Labeller, load
from poreconv.judging import Truths, judge
from poreconv.labeller import SCORE, SampleLabeller, balanced_weights
from poreconv.models import build_network
from poreconv.models.images import Images
from poreconv.models.network import Network
from poreconv.ordered import order_of
from poreconv.processes import is_first, part
from poreconv.progress import Report, progress_bar
from poreconv.recipe import Recipe
from poreconv.report import write_report
from poreconv.store import Store, distinct, open_stores, some_reads
from poreconv.temperature import taken_back
from poreconv.tuning import choose_decoding, count_dwells

BUNDLE, REPORT = "model.safetensors", "report.html"


def train(
    stores: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    model: str = "unet",
    settings: Any = None,
    config: TrainConfig | None = None,
    with_report: bool = True,
) -> Path:
    """Train a model; a run that was killed or interrupted goes on where it was.

    With ``config.devices`` the whole program may be started several times (see there): what else it does, each of them
    does. The first writes; all return when the bundle is there.

    Args:
        stores: Folders that `prepare` made: one, or several.
        out: Folder of the run: the bundle ``model.safetensors``, ``report.html``, logs, and checkpoints while it lasts.
        model: Name in ``MODELS``.
        settings: The architecture's settings, such as ``config.Unet(channels=(16, 32, 64))``; default: its own.
        config: How to train.
        with_report: Whether to judge the model when it is done, and write ``report.html`` and ``evaluation.json``.

    Returns:
        Path of the bundle: the best checkpoint by the validation split, with the decoding chosen there.

    Raises:
        StoreError: A store cannot be used, or they don't fit together.
        ConfigError: ``out`` holds another training.
    """
    several = [stores] if isinstance(stores, Path | str) else stores
    run = Run([Path(path) for path in several], Path(out), model, settings, config or TrainConfig())
    if not run.finished:
        with progress_bar(f"train {model}", shown=is_first()) as report:
            run.fit(report)
    if with_report and is_first() and not run.reported:
        with progress_bar("judge it") as report:
            run.write_report(report)
    return run.bundle


class Run:
    """One training: its inputs, its folder, and what becomes of it.

    Args:
        paths: The stores.
        out: Folder of the run.
        model: Name in ``MODELS``.
        settings: The architecture's settings, or None.
        config: How to train.
    """

    def __init__(self, paths: Sequence[Path], out: Path, model: str, settings: Any, config: TrainConfig) -> None:
        self._config, self._out = config, out
        self._stores = open_stores(paths, allow_mixed=config.allow_mixed)
        L.seed_everything(config.seed, verbose=False)
        if model not in ARCHITECTURES:
            raise ConfigError(f"model {model!r} is not known; choose one of {', '.join(ARCHITECTURES)}")
        chosen = settings or ARCHITECTURES[model]()
        self._recipe = recipe_of(self._stores, model, asdict(chosen), config)
        network = build_network(model, chosen, len(self._recipe.classes))
        if config.start_from is not None:
            self._recipe = start_from(config.start_from, network, self._recipe)
        teacher = None
        if config.teacher is not None:
            taught, self._recipe = taught_by(config.teacher, self._recipe)
            teacher = Images(taught, torch.bfloat16 if uses_bf16(config) else torch.float32)
        if is_first():
            warn_confounded(self._recipe.confounded)
        weights = balanced_weights(self._recipe.class_counts, config.class_balance)
        self.labeller = SampleLabeller(network, self._recipe.task, weights, config, teacher)
        self.data = SquiggleData(self._stores, config, network.size.margin)
        self._order = region_order(self._stores) if config.ordered else ()
        self._claim()

    @property
    def bundle(self) -> Path:
        """Where the trained model lies, or will."""
        return self._out / BUNDLE

    @property
    def _checkpoints(self) -> Path:
        return self._out / "checkpoints"

    @property
    def finished(self) -> bool:
        """Whether the bundle is there and nothing is left to go on with."""
        return self.bundle.exists() and not self._checkpoints.exists()

    @property
    def reported(self) -> bool:
        """Whether the page is there; it is written last."""
        return (self._out / REPORT).exists()

    def _claim(self) -> None:
        """Write down what this run is; another training's folder is not touched."""
        plan = json.dumps({"recipe": json.loads(self._recipe.to_json()), "config": asdict(self._config)}, indent=1)
        described = self._out / "run.json"
        if described.read_text() != plan if described.exists() else self.bundle.exists():
            raise ConfigError(f"{self._out}: holds a training with other stores or settings; choose another --out")
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

    def write_report(self, report: Report) -> None:
        """Judge the bundle on test reads, or, where there are none, on those of validation, and write the page.

        What cannot be judged is warned of: the model is there all the same.
        """
        try:
            result = self._judge(report)
            result = replace(result, data={"model": str(self.bundle), **result.data})
            write_evaluation(self._out / RUN_EVALUATION, result)
            write_report(self._out / REPORT, result, self._out)
        except PoreconvError as exc:
            warnings.warn(f"{self._out}: no report on the model: {exc}", stacklevel=2)

    def _judge(self, report: Report) -> Evaluation:
        labeller = load(self.bundle, device=self._device)
        split = "test" if some_reads(self._stores, "test", MOST_JUDGED) else "validation"
        truths = Truths(self._stores, labeller.recipe, split, most_samples=MOST_JUDGED, guarded=split == "test")
        return judge(labeller, truths, detectors_for(labeller.recipe.task), report)

    @property
    def _device(self) -> str | None:
        return "cpu" if self._config.accelerator == "cpu" else None

    def _remove_checkpoints(self) -> None:
        """All at once: half of them would look like a training to go on with."""
        done = self._checkpoints.replace(self._out / ".checkpoints.done")
        shutil.rmtree(done)

    def trainer(self, report: Report) -> L.Trainer:
        """Lightning's trainer with all that a run needs.

        Raises:
            ConfigError: There is no such accelerator here, or several processes cannot train this network.
        """
        trainer = make_trainer(self._config, self._out, self._callbacks(report))
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
        labeller = Labeller(TorchBackend(network, device=self._device), uncalibrated)
        places = some_reads(self._stores, "validation", MOST_SAMPLES)
        reads = (store.read(row) for store, row in places)
        targets = (store.read_target(row) for store, row in places)
        judged = [(p, target) for (_, p), target in zip(labeller.probabilities(reads), targets, strict=True)]
        hazards = dwell_hazards(self._stores) if self._recipe.task == "boundary" else ()
        return choose_decoding(judged, self._recipe.task, bias, hazards)


MOST_SAMPLES = 2**22
"""Samples that choose how to decode, and samples in which dwells are counted: enough for a handful of numbers."""

MOST_JUDGED = 2**21
"""Samples on which the report judges: a minute's work with all baselines."""


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


def recipe_of(stores: Sequence[Store], model: str, settings: Mapping[str, Any], config: TrainConfig) -> Recipe:
    """What labelling must repeat, as the stores and settings have it; the decoding comes after training."""
    info = stores[0].info
    counts = [store.info.counts["train"] for store in stores]
    class_counts = tuple(sum(count[name] for count in counts) for name in info.classes)
    events, of_reads = max(sum(count["events"] for count in counts), 1), info.task == "read"
    return Recipe(
        task=info.task,
        classes=info.classes,
        model=model,
        model_config={name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()},
        sample_rate_hz=distinct(stores, "sample_rate_hz")[0],
        resampled_from_hz=resampled_from(stores),
        chemistries=tuple(distinct(stores, "chemistry")),
        class_counts=class_counts,
        mean_dwell=(sum(count["samples"] for count in counts) if of_reads else sum(class_counts)) / events,
        split=info.split,
        runs=tuple(distinct(stores, "run_id")),
        confounded=confounded(stores),
        normalisation=config.normalisation,
        labels=tuple(dict.fromkeys(label for store in stores for label in store.info.labels)),
        data=tuple(store.info.content_hash for store in stores),
        poreconv_version=version("poreconv"),
    )


def start_from(model: str, network: Network, recipe: Recipe) -> Recipe:
    """Give a network another model's weights; gives the recipe with what trained them.

    Raises:
        ConfigError: The model has other classes, or another architecture or size.
        BundleError: It is no trained model.
    """
    theirs, before = load_bundle(model)
    try:
        alike = (before.model, before.classes) == (recipe.model, recipe.classes)
        require(alike, f"it is a {before.model} with classes {', '.join(before.classes)}")
        network.load_state_dict(theirs.state_dict())
    except (ConfigError, RuntimeError) as exc:
        raise ConfigError(
            f"start_from: {model} does not fit a {recipe.model} of these settings with classes"
            f" {', '.join(recipe.classes)}: {first_line(exc)}; choose its own architecture and settings"
        ) from exc
    learnt_apart = tuple(sorted({*recipe.confounded, *before.confounded}))
    return replace(recipe, before=before.seen, confounded=learnt_apart)


def taught_by(model: str, recipe: Recipe) -> tuple[Network, Recipe]:
    """A teacher, and the recipe with what trained it: what it saw, the network that learns from it has seen too.

    Raises:
        ConfigError: It says other things, or of other signal.
        BundleError: It is no trained model.
    """
    network, theirs = load_bundle(model)
    require(network.receptive_field is not None, f"teacher: {model} sees whole reads; take one of bounded context")
    known = (theirs.task, theirs.classes, theirs.normalisation, theirs.sample_rate_hz)
    alike = known == (recipe.task, recipe.classes, recipe.normalisation, recipe.sample_rate_hz)
    require(
        alike and recipe.task != "read",
        f"teacher: {model} tells {theirs.task} {', '.join(theirs.classes)} at {theirs.sample_rate_hz:g} Hz, and this is"
        f" {recipe.task} {', '.join(recipe.classes)} at {recipe.sample_rate_hz:g} Hz; take a teacher of the same",
    )
    return network, replace(recipe, before=(*recipe.before, *theirs.seen))


def resampled_from(stores: Sequence[Store]) -> tuple[float, ...]:
    """Sample rates of the reads as they were recorded, if any store was resampled."""
    return tuple(distinct(stores, "recorded_hz")) if any(store.info.resampled for store in stores) else ()

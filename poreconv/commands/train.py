"""Stores -> a trained model."""

import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger
from torch import nn

from poreconv.config import TrainConfig
from poreconv.dataset.confounding import warn_confounded
from poreconv.dataset.store import open_stores, subsample_reads
from poreconv.errors import PoreconvError
from poreconv.evaluation.baselines.choice import baselines_for
from poreconv.evaluation.baselines.own import BaselineFunction
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.judge import Trial, judge_together
from poreconv.evaluation.metrics.own import MetricsAsked, OwnMetrics
from poreconv.evaluation.report import cautions_of_training, write_report
from poreconv.evaluation.result import RUN_EVALUATION, Evaluation, Scores, read_evaluation, write_evaluation
from poreconv.evaluation.truths import Truths
from poreconv.evaluation.words import FOLDS
from poreconv.inference.labeller import load
from poreconv.models.header import read_header
from poreconv.models.networks.outside import Own
from poreconv.runtime.files import check_only, hidden_beside, remove_partials, replace_folder
from poreconv.runtime.outputs import claimed
from poreconv.runtime.progress import progress_bar
from poreconv.training.distributed import is_first
from poreconv.training.folds import FoldedRun
from poreconv.training.plugins import LossFunction, Plugins, Transform
from poreconv.training.resuming import forget_if_empty
from poreconv.training.run import FILES, TrainingRun

REPORT = "report.html"
"""Name of the page in the folder of a training run."""

MOST_JUDGED = 2**21
"""Limit of the samples that the report is computed on: about a minute with all baselines."""


@dataclass(frozen=True)
class Trained:
    """What a training made."""

    bundle: Path
    """The trained model."""
    folder: Path
    """Folder of the training run, with logs and report."""

    @cached_property
    def evaluation(self) -> Evaluation | None:
        """The result on test reads, or on validation reads if there are none; None without a report."""
        path = self.folder / RUN_EVALUATION
        return read_evaluation(path) if path.exists() else None

    @property
    def cautions(self) -> list[str]:
        """What the course of the training shows against the model, in sentences: too few steps."""
        return cautions_of_training(self.folder) if (self.folder / "logs").exists() else []

    @property
    def scores(self) -> dict[str, Scores]:
        """Method (``model``, then the baselines) -> key of a score -> its value; empty without a report."""
        return {} if self.evaluation is None else self.evaluation.scores


def train(
    stores: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    network: str | Own | None = None,
    settings: Any = None,
    config: TrainConfig | None = None,
    loss: str | LossFunction | type[nn.Module] | None = None,
    transforms: Sequence[str | Transform] = (),
    callbacks: Sequence[str | Callback | Callable[[], Callback]] = (),
    loggers: Sequence[str | Logger | Callable[[], Logger]] = (),
    baselines: Sequence[str | BaselineFunction] | None = None,
    metrics: MetricsAsked = (),
    with_report: bool = True,
    overwrite: bool = False,
) -> Trained:
    """Train a model. A killed or interrupted training run is resumed when it is started again.

    With ``config.devices`` the whole program may be started several times (see there), and each process does all that
    the program does besides. Only the first writes; all return when the bundle is written.

    Args:
        stores: Folders that `prepare` made: one, or several.
        out: Folder of the training run: the bundle ``model.safetensors``, ``report.html``, logs, and checkpoints until
            it is finished; with ``config.folds`` also a training run for each fold, in ``folds``.
        network: Name in ``ARCHITECTURES``; or your own: ``my.py:Net``, ``package.module:Net``, a class or a function,
            or a module, of which a copy is trained. It maps ``(B,1,T)`` to ``(B,C,T)``, or to a frame per so many
            samples. Default: the network of ``config.start_from``, else that of ``config.preset``.
        settings: The architecture's settings, such as ``Unet(channels=(16, 32, 64))``; for your own a dict of plain
            values, by keyword. A class or function with a parameter ``n_classes`` receives their number too. Default:
            those of ``config.start_from``, else those that fit the labels (task `segment`), else the defaults.
        config: How to train.
        loss: Your own in place of the task's: ``my.py:loss``, ``package.module:loss``, a function, or a module or its
            class. It returns the mean loss of outputs ``(B, C, T)`` and targets ``(B, T)``, which are -1 (task `value`:
            NaN) where nothing is known. ``config.class_balance`` has no effect on it.
        transforms: Your own changes of training windows, after ``config.augment``: ``(x, y) -> (x, y)``, normalised
            signal and targets of one window, shape ``(T,)`` each; with a parameter ``rng``, random numbers from it
            repeat when the training is resumed.
        callbacks: Lightning's callbacks, besides those of poreconv: by name, as ``my.py:Mine``, objects, or classes,
            which are called for each training.
        loggers: Lightning's loggers, besides those of CSV files and of TensorBoard.
        baselines: Of the report; see `evaluate`.
        metrics: Of the report; see `evaluate`.
        with_report: Whether to evaluate the finished model, and write ``report.html`` and ``evaluation.json``.
        overwrite: Start anew, and replace a training run that exists once this one is complete; until then it is in the
            folder ``.<name>.new`` beside it.

    Returns:
        The bundle, which is the best checkpoint by the validation split, with the decoding chosen there (see
        `FoldedRun` for ``config.folds``); its scores, and the folder.

    Raises:
        StoreError: A store cannot be used, or the stores do not fit together.
        ConfigError: A setting does not fit the stores or this machine, ``out`` holds another training run, or something
            of your own fails on one window.
        BundleError: The model to start from, or the teacher, is not a trained model, or its network is your own and not
            given as ``network``.
    """
    several, config = [stores] if isinstance(stores, Path | str) else stores, config or TrainConfig()
    opened = open_stores([Path(path) for path in several], allow_mixed=config.allow_mixed)
    kind, info = FoldedRun if config.folds else TrainingRun, opened[0].info
    own_metrics = OwnMetrics(metrics, criterion_of(info.task), info.classes)
    judging = partial(judge_together, detectors=baselines_for(info.task, baselines), metrics=own_metrics)
    plugins = Plugins(loss, transforms, callbacks, loggers)
    with _place(Path(out), overwrite=overwrite) as place:
        run = kind(opened, place, network, settings, config, plugins)
        if is_first():
            warn_confounded(run.recipe.confounded)
        if not run.finished:
            with progress_bar(f"train {run.recipe.network}", shown=is_first()) as progress, _forgotten_if_refused(run):
                run.fit(progress)
        if with_report and is_first() and not (run.out / REPORT).exists():  # the page is written last
            with progress_bar("evaluate the model") as progress:
                _write_report(run, Path(out) / run.bundle.name, partial(judging, progress=progress))
    return Trained(Path(out) / run.bundle.name, Path(out))


@contextmanager
def _place(out: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield the folder to train in: ``out``, or one beside it that replaces it when the training run is complete."""
    place = hidden_beside(out, ".new") if overwrite else out
    with claimed(out) if is_first() else nullcontext():
        if overwrite and is_first():
            check_only(out, (*FILES, REPORT, RUN_EVALUATION), what="training run")
            shutil.rmtree(place, ignore_errors=True)
        if is_first():
            remove_partials(place / REPORT, place / RUN_EVALUATION)
        try:
            yield place
        except KeyboardInterrupt as exc:
            if overwrite:
                raise KeyboardInterrupt(
                    f"interrupted; {out} is as it was, and the new training run in {place}"
                ) from exc
            raise
        if overwrite and is_first():
            replace_folder(place, out)


@contextmanager
def _forgotten_if_refused(run: TrainingRun) -> Iterator[None]:
    try:
        yield
    except PoreconvError:
        if is_first():
            forget_if_empty(run.out, FILES)
        raise


def _write_report(run: TrainingRun, bundle: Path, judging: Callable[..., Evaluation]) -> None:
    """Evaluate the bundle on test reads, or on validation reads if there are none, and write the report.

    An error becomes a warning, since the model is finished.
    """
    try:
        result = _judge(run, bundle, judging)
        write_evaluation(run.out / RUN_EVALUATION, result)
        write_report(run.out / REPORT, result, run.out)
    except PoreconvError as exc:
        warnings.warn(f"{run.out}: no report on the model: {exc}", stacklevel=2)


def _judge(run: TrainingRun, bundle: Path, judging: Callable[..., Evaluation]) -> Evaluation:
    recipe = read_header(run.bundle).recipe
    tested = any(subsample_reads(each.stores, "test", MOST_JUDGED) for each in run.judges)
    trials = [_trial(each, "test" if tested else "validation", MOST_JUDGED // len(run.judges)) for each in run.judges]
    result = judging(trials, recipe)
    data = {"model": str(bundle), **result.data}
    if run.config.folds:
        whole = Truths(run.stores, recipe, "all").describe()
        data |= {FOLDS: run.config.folds, "split": whole["split"], "stores": whole["stores"]}
    return replace(result, data=data)


def _trial(run: TrainingRun, split: str, most_samples: int) -> Trial:
    labeller = load(run.bundle, device=run.device, networks=run.own)
    return Trial(
        labeller,
        Truths(run.stores, labeller.recipe, split, most_samples=most_samples, guarded=split == "test"),
    )

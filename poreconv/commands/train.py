"""Stores -> a trained model."""

import shutil
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from poreconv.config import TrainConfig
from poreconv.dataset.confounding import warn_confounded
from poreconv.dataset.store import open_stores, subsample_reads
from poreconv.errors import PoreconvError
from poreconv.evaluation.criteria import baselines_for
from poreconv.evaluation.judge import Trial, judge_together
from poreconv.evaluation.report import write_report
from poreconv.evaluation.result import RUN_EVALUATION, Evaluation, write_evaluation
from poreconv.evaluation.truths import Truths
from poreconv.evaluation.words import FOLDS
from poreconv.inference.labeller import load
from poreconv.models.header import read_header
from poreconv.models.networks.outside import Own
from poreconv.runtime.files import check_only, replace_folder
from poreconv.runtime.progress import Progress, progress_bar
from poreconv.training.distributed import is_first
from poreconv.training.folds import FoldedRun
from poreconv.training.run import FILES, TrainingRun

REPORT = "report.html"
"""Name of the page in the folder of a training run."""

MOST_JUDGED = 2**21
"""Limit of the samples that the report is computed on: about a minute with all baselines."""


def train(
    stores: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    network: str | Own | None = None,
    settings: Any = None,
    config: TrainConfig | None = None,
    with_report: bool = True,
    overwrite: bool = False,
) -> Path:
    """Train a model. A killed or interrupted training run is resumed when it is started again.

    With ``config.devices`` the whole program may be started several times (see there), and each process does all that
    the program does besides. Only the first writes; all return when the bundle is written.

    Args:
        stores: Folders that `prepare` made: one, or several.
        out: Folder of the training run: the bundle ``model.safetensors``, ``report.html``, logs, and checkpoints until
            it is finished; with ``config.folds`` also a training run for each fold, in ``folds``.
        network: Name in ``ARCHITECTURES``; or your own: ``my.py:Net``, ``package.module:Net``, a class or a function,
            or a module, of which a copy is trained. It maps ``(B,1,T)`` to ``(B,C,T)``, or to a frame per so many
            samples. Default: the network of ``config.start_from``, else a unet.
        settings: The architecture's settings, such as ``Unet(channels=(16, 32, 64))``; for your own a dict of plain
            values, by keyword. A class or function with a parameter ``n_classes`` receives their number too. Default:
            those of ``config.start_from``, else the defaults.
        config: How to train.
        with_report: Whether to evaluate the finished model, and write ``report.html`` and ``evaluation.json``.
        overwrite: Start anew, and replace a training run that exists once this one is complete; until then it is in the
            folder ``.<name>.new`` beside it.

    Returns:
        Path of the bundle: the best checkpoint by the validation split, with the decoding chosen there; see `FoldedRun`
        for ``config.folds``.

    Raises:
        StoreError: A store cannot be used, or the stores do not fit together.
        ConfigError: A setting does not fit the stores or this machine, ``out`` holds another training run, or your own
            network fails on one window.
        BundleError: The model to start from, or the teacher, is not a trained model, or its network is your own and not
            given as ``network``.
    """
    several, config = [stores] if isinstance(stores, Path | str) else stores, config or TrainConfig()
    opened = open_stores([Path(path) for path in several], allow_mixed=config.allow_mixed)
    kind = FoldedRun if config.folds else TrainingRun
    with _place(Path(out), overwrite=overwrite) as place:
        run = kind(opened, place, network, settings, config)
        if is_first():
            warn_confounded(run.recipe.confounded)
        if not run.finished:
            with progress_bar(f"train {run.recipe.network}", shown=is_first()) as progress:
                run.fit(progress)
        if with_report and is_first() and not (run.out / REPORT).exists():  # the page is written last
            with progress_bar("evaluate the model") as progress:
                _write_report(run, Path(out) / run.bundle.name, progress)
    return Path(out) / run.bundle.name


@contextmanager
def _place(out: Path, *, overwrite: bool) -> Iterator[Path]:
    """Yield the folder to train in: ``out``, or one beside it that replaces it when the training run is complete."""
    place = out.with_name(f".{out.name}.new") if overwrite else out
    if overwrite and is_first():
        check_only(out, (*FILES, REPORT, RUN_EVALUATION), what="training run")
        shutil.rmtree(place, ignore_errors=True)
    try:
        yield place
    except KeyboardInterrupt as exc:
        if overwrite:
            raise KeyboardInterrupt(f"interrupted; {out} is as it was, and the new training run in {place}") from exc
        raise
    if overwrite and is_first():
        replace_folder(place, out)


def _write_report(run: TrainingRun, bundle: Path, progress: Progress) -> None:
    """Evaluate the bundle on test reads, or on validation reads if there are none, and write the report.

    An error becomes a warning, since the model is finished.
    """
    try:
        result = _judge(run, bundle, progress)
        write_evaluation(run.out / RUN_EVALUATION, result)
        write_report(run.out / REPORT, result, run.out)
    except PoreconvError as exc:
        warnings.warn(f"{run.out}: no report on the model: {exc}", stacklevel=2)


def _judge(run: TrainingRun, bundle: Path, progress: Progress) -> Evaluation:
    recipe = read_header(run.bundle).recipe
    tested = any(subsample_reads(each.stores, "test", MOST_JUDGED) for each in run.judges)
    trials = [_trial(each, "test" if tested else "validation", MOST_JUDGED // len(run.judges)) for each in run.judges]
    result = judge_together(trials, recipe, baselines_for(recipe.task), progress)
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

"""Stores -> a trained model."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from poreconv.config import TrainConfig
from poreconv.dataset.store import subsample_reads
from poreconv.errors import PoreconvError
from poreconv.evaluation.criteria import baselines_for
from poreconv.evaluation.judge import judge
from poreconv.evaluation.report import write_report
from poreconv.evaluation.result import RUN_EVALUATION, Evaluation, write_evaluation
from poreconv.evaluation.truths import Truths
from poreconv.inference.labeller import load
from poreconv.runtime.progress import Progress, progress_bar
from poreconv.training.distributed import is_first
from poreconv.training.run import TrainingRun

REPORT = "report.html"
"""Name of the page in the folder of a training run."""

MOST_JUDGED = 2**21
"""Limit of the samples that the report is computed on: about a minute with all baselines."""


def train(
    stores: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    network: str = "unet",
    settings: Any = None,
    config: TrainConfig | None = None,
    with_report: bool = True,
) -> Path:
    """Train a model. A killed or interrupted training run is resumed when it is started again.

    With ``config.devices`` the whole program may be started several times (see there), and each process does all that
    the program does besides. Only the first writes; all return when the bundle is written.

    Args:
        stores: Folders that `prepare` made: one, or several.
        out: Folder of the training run: the bundle ``model.safetensors``, ``report.html``, logs, and checkpoints until
            it is finished.
        network: Name in ``ARCHITECTURES``.
        settings: The architecture's settings, such as ``Unet(channels=(16, 32, 64))``; default: its defaults.
        config: How to train.
        with_report: Whether to evaluate the finished model, and write ``report.html`` and ``evaluation.json``.

    Returns:
        Path of the bundle: the best checkpoint by the validation split, with the decoding chosen there.

    Raises:
        StoreError: A store cannot be used, or the stores do not fit together.
        ConfigError: A setting does not fit the stores or this machine, or ``out`` holds another training run.
        BundleError: The model to start from, or the teacher, is not a trained model.
    """
    several = [stores] if isinstance(stores, Path | str) else stores
    run = TrainingRun([Path(path) for path in several], Path(out), network, settings, config or TrainConfig())
    if not run.finished:
        with progress_bar(f"train {network}", shown=is_first()) as progress:
            run.fit(progress)
    if with_report and is_first() and not (run.out / REPORT).exists():  # the page is written last
        with progress_bar("evaluate the model") as progress:
            _write_report(run, progress)
    return run.bundle


def _write_report(run: TrainingRun, progress: Progress) -> None:
    """Evaluate the bundle on test reads, or on validation reads if there are none, and write the report.

    An error becomes a warning, since the model is finished.
    """
    try:
        result = _judge(run, progress)
        result = replace(result, data={"model": str(run.bundle), **result.data})
        write_evaluation(run.out / RUN_EVALUATION, result)
        write_report(run.out / REPORT, result, run.out)
    except PoreconvError as exc:
        warnings.warn(f"{run.out}: no report on the model: {exc}", stacklevel=2)


def _judge(run: TrainingRun, progress: Progress) -> Evaluation:
    labeller = load(run.bundle, device=run.device)
    split = "test" if subsample_reads(run.stores, "test", MOST_JUDGED) else "validation"
    truths = Truths(run.stores, labeller.recipe, split, most_samples=MOST_JUDGED, guarded=split == "test")
    return judge(labeller, truths, baselines_for(labeller.recipe.task), progress)

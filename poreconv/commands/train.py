"""Stores -> a trained model."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from poreconv.config import TrainConfig
from poreconv.dataset.store import some_reads
from poreconv.errors import PoreconvError
from poreconv.evaluation.baselines import detectors_for
from poreconv.evaluation.judge import judge
from poreconv.evaluation.report import write_report
from poreconv.evaluation.result import RUN_EVALUATION, Evaluation, write_evaluation
from poreconv.evaluation.truths import Truths
from poreconv.inference.labeller import load
from poreconv.runtime.progress import Report, progress_bar
from poreconv.training.distributed import is_first
from poreconv.training.run import Run

REPORT = "report.html"
"""Name of the page in the folder of a training run."""

MOST_JUDGED = 2**21
"""Samples on which the report judges: a minute's work with all baselines."""


def train(
    stores: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    network: str = "unet",
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
        network: Name in ``ARCHITECTURES``.
        settings: The network's settings, such as ``Unet(channels=(16, 32, 64))``; default: its own.
        config: How to train.
        with_report: Whether to judge the model when it is done, and write ``report.html`` and ``evaluation.json``.

    Returns:
        Path of the bundle: the best checkpoint by the validation split, with the decoding chosen there.

    Raises:
        StoreError: A store cannot be used, or they don't fit together.
        ConfigError: ``out`` holds another training.
    """
    several = [stores] if isinstance(stores, Path | str) else stores
    run = Run([Path(path) for path in several], Path(out), network, settings, config or TrainConfig())
    if not run.finished:
        with progress_bar(f"train {network}", shown=is_first()) as report:
            run.fit(report)
    if with_report and is_first() and not (run.out / REPORT).exists():  # the page is written last
        with progress_bar("judge it") as report:
            _write_report(run, report)
    return run.bundle


def _write_report(run: Run, report: Report) -> None:
    """Judge the bundle on test reads, or, where there are none, on those of validation, and write the page.

    What cannot be judged is warned of: the model is there all the same.
    """
    try:
        result = _judge(run, report)
        result = replace(result, data={"model": str(run.bundle), **result.data})
        write_evaluation(run.out / RUN_EVALUATION, result)
        write_report(run.out / REPORT, result, run.out)
    except PoreconvError as exc:
        warnings.warn(f"{run.out}: no report on the model: {exc}", stacklevel=2)


def _judge(run: Run, report: Report) -> Evaluation:
    labeller = load(run.bundle, device=run.device)
    split = "test" if some_reads(run.stores, "test", MOST_JUDGED) else "validation"
    truths = Truths(run.stores, labeller.recipe, split, most_samples=MOST_JUDGED, guarded=split == "test")
    return judge(labeller, truths, detectors_for(labeller.recipe.task), report)

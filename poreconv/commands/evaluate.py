"""Scores of a trained model, beside those of baselines."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.markup import escape
from rich.table import Table

from poreconv.config import EvaluateConfig, PrepareConfig
from poreconv.dataset import prepare as preparation
from poreconv.dataset.confounding import warn_confounded
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError
from poreconv.evaluation.baselines import Baseline
from poreconv.evaluation.criteria import baselines_for, criterion_of
from poreconv.evaluation.judge import judge
from poreconv.evaluation.report import PAGE, write_report
from poreconv.evaluation.result import Evaluation, write_evaluation
from poreconv.evaluation.truths import Truths
from poreconv.inference.labeller import Labeller, load
from poreconv.models.shipped import UnseenReads
from poreconv.runtime.progress import Progress, progress_bar


def evaluate(
    model: Path | str,
    data: Path | str | Sequence[Path | str],
    *,
    labels: str | Sequence[str] | None = None,
    labels_from: Sequence[Path | str] = (),
    read_info: Sequence[Path | str] = (),
    baselines: Sequence[str] | None = None,
    out: Path | str | None = None,
    config: EvaluateConfig | None = None,
) -> Evaluation:
    """Judge a model on a store's split, or on labelled files.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model.
        data: One store; or signal files and folders, with ``labels``, which are first prepared into a temporary store.
        labels: For files: name in ``LABEL_SOURCES``, or several; default: ``data`` is a store.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        read_info: For files: BAM files or sequencing summaries with the reads' references, for a model whose data were
            split by reference.
        baselines: Names in ``BASELINES`` of the baselines beside the model; default: all that suit its task.
        out: Where to write the result as JSON; the report is written beside it, as ``.html``. Default: nowhere.
        config: Split, precision and so on.

    Returns:
        Scores of the model and the baselines on the same samples. Reads that the model's own split rule assigned to
        training or validation are dropped.

    Raises:
        ConfigError: ``data`` are files and there are no labels, or a store and there are; or ``out`` is named as the
            report, not as JSON.
        StoreError: No read is left to judge on.
    """
    config = config or EvaluateConfig()
    paths = [Path(path) for path in ([data] if isinstance(data, Path | str) else data)]
    _check_kind(paths, labels)
    out = None if out is None else Path(out)
    if out is not None and out.suffix == PAGE:
        raise ConfigError(
            f"{out}: give the name of the JSON, such as {out.with_suffix('.json')}; the report is written beside it"
        )
    labeller = load(model, config.inference)
    detectors = baselines_for(labeller.recipe.task, baselines)
    warn_confounded(labeller.recipe.confounded)
    with progress_bar("evaluate") as progress:
        if labels is None:
            result = judge(labeller, Truths([Store(paths[0])], labeller.recipe, config.split), detectors, progress)
        else:
            result = _judge_files(labeller, paths, labels, labels_from, read_info, detectors, config, progress)
    result = replace(result, data={"model": str(model), **result.data})
    if out is not None:
        write_evaluation(out, result)
        write_report(out.with_suffix(PAGE), result)
    return result


def _check_kind(paths: Sequence[Path], labels: str | Sequence[str] | None) -> None:
    """Accept one store without labels, or files with labels."""
    stores = [path for path in paths if (path / "dataset.json").is_file()]
    if labels is None and not stores:
        raise ConfigError(
            f"{paths[0]}: not a store (it has no dataset.json); to evaluate on signal files, give their --labels"
        )
    if labels is None and len(paths) > 1:
        raise ConfigError(f"{paths[0]} and {len(paths) - 1} more: a model is evaluated on one store; give one")
    if labels is not None and stores:
        raise ConfigError(f"{stores[0]}: a store contains its labels; leave out --labels")


def _judge_files(
    labeller: Labeller,
    paths: Sequence[Path],
    labels: str | Sequence[str],
    labels_from: Sequence[Path | str],
    read_info: Sequence[Path | str],
    detectors: Mapping[str, Baseline],
    config: EvaluateConfig,
    progress: Progress,
) -> Evaluation:
    recipe = labeller.recipe
    prepare_config = PrepareConfig(
        task=recipe.task,
        split=recipe.split,
        resample_hz=recipe.sample_rate_hz if recipe.resampled_from_hz else None,
        truth=config.truth,
        sources=config.sources,
        files=config.files,
        work=config.work,
    )
    with TemporaryDirectory(prefix="poreconv-evaluate-") as folder:
        store = preparation.prepare(
            paths,
            labels=labels,
            out=Path(folder) / "store",
            labels_from=labels_from,
            read_info=read_info,
            config=prepare_config,
            guard=UnseenReads(recipe),
            progress=lambda share: progress(share / 2),
        )
        result = judge(labeller, Truths([store], recipe, "all"), detectors, lambda share: progress((1 + share) / 2))
        preparing = store.info.ledger
    preparing.kept = 0
    result.ledger.merge(preparing)
    names = [labels] if isinstance(labels, str) else list(labels)
    return replace(result, data={"files": [str(path) for path in paths], "labels": names})


def render(result: Evaluation) -> Table:
    """Return the table for the terminal: one row per method.

    Args:
        result: What `evaluate` returned.
    """
    criterion = criterion_of(result.recipe.task)
    columns = criterion.columns(result.recipe.classes)
    first = next(iter(result.scores.values()))
    title = f"{result.recipe.task}, {first['n_reads']:,.0f} reads, 95 % intervals over reads"
    table = Table(title=title, caption=escape(result.recipe.confounder) or None)
    for name in ("", *columns):
        table.add_column(escape(name), justify="right" if name else "left")
    for method, scores in result.scores.items():
        table.add_row(method, *[_cell(scores, key, interval=key in criterion.intervals) for key in columns.values()])
    return table


def _cell(scores: dict[str, float], key: str, *, interval: bool) -> str:
    if key not in scores:
        return ""
    if key.startswith("absolute"):
        return f"{scores[key]:.0f}"
    return f"{scores[key]:.3f}" + (f" ({scores[key + '_low']:.3f}-{scores[key + '_high']:.3f})" if interval else "")

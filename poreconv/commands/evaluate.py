"""Scores of a trained model, beside those of baselines."""

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.markup import escape
from rich.table import Table

from poreconv.config import EvaluateConfig, PrepareConfig, SplitConfig, require
from poreconv.dataset import prepare as preparation
from poreconv.dataset.confounding import warn_confounded
from poreconv.dataset.read_info import UNKNOWN, read_info as read_infos
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError
from poreconv.evaluation.baselines import Baseline
from poreconv.evaluation.baselines.choice import baselines_for
from poreconv.evaluation.baselines.graded import numbered_baselines
from poreconv.evaluation.baselines.own import BaselineFunction
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.judge import judge
from poreconv.evaluation.levels import Sequences, judge_levels
from poreconv.evaluation.metrics.own import MetricsAsked, OwnMetrics
from poreconv.evaluation.report import write_report
from poreconv.evaluation.result import Evaluation, write_evaluation
from poreconv.evaluation.truths import Truths, unseen
from poreconv.evaluation.words import COUNTED, INCLUDE_TRAINING, marks
from poreconv.events.targets import BASES
from poreconv.inference.heads import check_heads
from poreconv.inference.labeller import Labeller, load
from poreconv.inference.worker_model import FIT
from poreconv.labels.opening import LabelsAsked, choose_labels, events_of, opened
from poreconv.models.fitting import JudgeableReads
from poreconv.models.own import Networks
from poreconv.models.recipe import USUAL, Recipe
from poreconv.pore_models.tables import read_pore_model
from poreconv.reads.readers import open_reads
from poreconv.reads.selection import Selection
from poreconv.runtime.files import PAGE
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.outputs import writes_out
from poreconv.runtime.progress import Progress, progress_bar

LEVELS = "levels"
"""The judge that needs no true labels; see `EvaluateConfig.judge`."""


@writes_out
def evaluate(
    model: Path | str,
    data: Path | str | Sequence[Path | str],
    *,
    labels: LabelsAsked | None = None,
    labels_from: Sequence[Path | str] = (),
    pore_model: Path | str | None = None,
    read_info: Sequence[Path | str] = (),
    baselines: Sequence[str | BaselineFunction] | None = None,
    metrics: MetricsAsked = (),
    out: Path | str | None = None,
    config: EvaluateConfig | None = None,
    networks: Networks = None,
) -> Evaluation:
    """Judge a model on a store's split, or on labelled files; without labels, by ``config.judge`` ``levels``.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model.
        data: One store; or signal files and folders, with ``labels``, which are first prepared into a temporary store.
        labels: For files: name in ``LABEL_SOURCES``, or your own, see `prepare`; or several. Default: ``data`` is a
            store; or, judged by levels, files without a known sequence.
        labels_from: Files of the label sources; ``NAME=FILE`` if several sources read files.
        pore_model: Judged by levels, with labels that contain bases: table of k-mer levels, or the name of a shipped
            one; see `refine`.
        read_info: For files: BAM files or sequencing summaries with the reads' references, for a model whose data were
            split by reference.
        baselines: Names in ``BASELINES`` of the baselines beside the model; or your own: ``my.py:detect``,
            ``package.module:detect``, or a function of a read that returns its `Events`. Default: all that suit its
            task. Judged by levels, those in ``GRADED``, which are set to find as many boundaries as the model.
        metrics: Your own, scored beside those of the task: by name, as ``my.py:Mine``; functions of the found and the
            true `Events` of a read that return a number; or metrics of torchmetrics. In a dict by the name of the
            score, or in a list.
        out: Where to write the result as JSON; the report is written beside it, as ``.html``. Default: nowhere.
        config: Split, precision and so on.
        networks: The network of a bundle that was trained with the user's own; see `load`.

    Returns:
        Scores of the model and the baselines on the same samples. Reads that the model's own split assigned to
        training or validation are dropped, or, with ``config.include_training``, judged and counted.

    Raises:
        ConfigError: ``data`` are files and there are no labels, or a store and there are; ``out`` is named as the
            report, not as JSON; or the judge cannot judge this model, or in this way.
        StoreError: No read is left to judge on.
    """
    config = config or EvaluateConfig()
    paths = [Path(path) for path in ([data] if isinstance(data, Path | str) else data)]
    _check_kind(paths, labels, config)
    out = None if out is None else Path(out)
    if out is not None and out.suffix == PAGE:
        raise ConfigError(
            f"{out}: give the name of the JSON, such as {out.with_suffix('.json')}; the report is written beside it"
        )
    labeller = load(model, config.inference, networks=networks, fit=config.fit)
    warn_confounded(labeller.recipe.confounded)
    asked = Asked(paths, labels, labels_from, read_info, baselines, config)
    with progress_bar("evaluate") as progress:
        if config.judge == LEVELS:
            require(not metrics, "metrics: they need true labels; leave them out with --judge levels")
            result = _by_levels(labeller, asked, pore_model, progress)
        else:
            require(pore_model is None, "pore_model: only the judge levels uses one; give --judge levels")
            result = _by_truth(labeller, asked, metrics, progress)
    marked = {INCLUDE_TRAINING: True} if config.include_training else {}
    result = replace(result, data={"model": str(model), **_way(labeller), **marked, **result.data})
    if out is not None:
        write_evaluation(out, result)
        write_report(out.with_suffix(PAGE), result)
    return result


def _way(labeller: Labeller) -> dict[str, Any]:
    """Return what was chosen, or asked for, by which a score may differ in the third digit; and what let reads in."""
    fit = {} if labeller.fit == USUAL else {FIT: asdict(labeller.fit)}
    return {"backend": labeller.config.backend, "precision": labeller.config.precision, **fit}


def _check_kind(paths: Sequence[Path], labels: LabelsAsked | None, config: EvaluateConfig) -> None:
    """Accept one store without labels, or files: with labels, or judged without."""
    stores = [path for path in paths if _is_store(path)]
    if labels is None and not stores and config.judge != LEVELS:
        raise ConfigError(
            f"{paths[0]}: not a store (it has no dataset.json); to evaluate on signal files, give their --labels"
        )
    if stores and labels is None and len(paths) > 1:
        raise ConfigError(f"{paths[0]} and {len(paths) - 1} more: a model is evaluated on one store; give one")
    if stores and labels is None and (config.files.read_ids or config.files.limit):
        raise ConfigError(f"{paths[0]}: read_ids and limit choose reads of signal files; a store is judged as it is")
    if labels is not None and stores:
        raise ConfigError(f"{stores[0]}: a store contains its labels; leave out --labels")


@dataclass(frozen=True)
class Asked:
    """On what a model is to be judged, and beside what."""

    paths: Sequence[Path]
    labels: LabelsAsked | None
    labels_from: Sequence[Path | str]
    read_info: Sequence[Path | str]
    baselines: Sequence[str | BaselineFunction] | None
    config: EvaluateConfig

    @property
    def of_store(self) -> bool:
        """Whether it is to be judged on a store."""
        return _is_store(self.paths[0])


def _truths(asked: Asked, recipe: Recipe) -> Truths:
    return Truths([Store(asked.paths[0])], recipe, asked.config.split, guarded=not asked.config.include_training)


def _is_store(path: Path) -> bool:
    return (path / "dataset.json").is_file()


def _by_truth(labeller: Labeller, asked: Asked, metrics: MetricsAsked, progress: Progress) -> Evaluation:
    recipe = labeller.recipe
    detectors = baselines_for(recipe.task, asked.baselines)
    own_metrics = OwnMetrics(metrics, criterion_of(recipe.task), recipe.classes)
    if asked.labels is None:
        return judge(labeller, _truths(asked, recipe), detectors, progress, own_metrics)
    return _judge_files(labeller, asked, asked.labels, detectors, progress, own_metrics)


def _by_levels(labeller: Labeller, asked: Asked, pore_model: Path | str | None, progress: Progress) -> Evaluation:
    recipe, config, ledger = labeller.recipe, asked.config, Ledger()
    require(
        recipe.asked.needs_starts and not recipe.asked.uses_classes,
        f"judge levels: the model is of task {recipe.task}, and levels judge boundaries alone; leave out --judge",
    )
    detectors = numbered_baselines(asked.baselines, recipe)
    if asked.of_store:
        truths = _truths(asked, recipe)
        require(pore_model is None, "pore_model: a store contains no bases; give signal files with --labels")
        result = judge_levels(labeller, truths.reads(ledger), len(truths), detectors, ledger, progress)
        return replace(result, data=truths.describe() | result.data)
    check_heads(labeller, asked.paths, config.files)
    with ExitStack() as stack:
        sequences, data = _sequences(asked, pore_model, stack)
        stream = stack.enter_context(
            open_reads(
                asked.paths,
                ledger=ledger,
                skip_bad_files=config.files.skip_bad_files,
                selection=Selection.of(config.files),
            )
        )
        known = read_infos([Path(path) for path in asked.read_info])
        pairs = ((read, known.get(read.read_id, UNKNOWN).reference) for read in stream)
        reads = unseen(pairs, recipe, ledger, guarded=not config.include_training)
        result = judge_levels(labeller, reads, len(stream), detectors, ledger, progress, sequences)
    return replace(result, data={"files": [str(path) for path in asked.paths], **data, **result.data})


def _sequences(
    asked: Asked, pore_model: Path | str | None, stack: ExitStack
) -> tuple[Sequences | None, dict[str, Any]]:
    """Open what contains the reads' sequences, and describe it; without labels there is none."""
    if asked.labels is None:
        require(pore_model is None, "pore_model: the sequence is not known; give --labels that contain bases")
        return None, {"labels": []}
    if pore_model is None:
        raise ConfigError("labels: to compare with their levels, give the table of k-mer levels with --pore_model")
    chosen = choose_labels(asked.labels, asked.labels_from)
    names = [choice.name for choice in chosen]
    source = stack.enter_context(opened(chosen, asked.config.sources))
    require(
        source.classes == BASES,
        f"labels {', '.join(names)}: without bases, so without levels; use a source with bases, such as bam_moves",
    )
    sequences = Sequences(partial(events_of, source), read_pore_model(Path(pore_model)))
    return sequences, {"labels": names, "pore_model": str(pore_model)}


def _judge_files(
    labeller: Labeller,
    asked: Asked,
    labels: LabelsAsked,
    detectors: Mapping[str, Baseline],
    progress: Progress,
    metrics: OwnMetrics,
) -> Evaluation:
    config = asked.config
    check_heads(labeller, asked.paths, config.files)
    recipe, seen_too = labeller.recipe, config.include_training
    resampled = recipe.resampled_from_hz or config.fit.resample
    prepare_config = PrepareConfig(
        task=recipe.task,
        split=SplitConfig() if seen_too else recipe.split,  # one by reference needs the reads' references
        resample_hz=recipe.sample_rate_hz if resampled else None,
        truth=config.truth,
        sources=config.sources,
        files=config.files,
        work=config.work,
    )
    with TemporaryDirectory(prefix="poreconv-evaluate-") as folder:
        store = preparation.prepare(
            asked.paths,
            labels=labels,
            out=Path(folder) / "store",
            labels_from=asked.labels_from,
            read_info=asked.read_info,
            config=prepare_config,
            guard=JudgeableReads(recipe, seen_too, config.fit),
            progress=lambda share, *note: progress(share / 2, *note),
        )
        truths = Truths([store], recipe, "all", guarded=not seen_too)
        result = judge(labeller, truths, detectors, lambda share, *note: progress((1 + share) / 2, *note), metrics)
        preparing, sources = store.info.ledger, list(store.info.labels)
    preparing.kept = 0
    result.ledger.merge(preparing)
    return replace(result, data={"files": [str(path) for path in asked.paths], "labels": sources})


def render(result: Evaluation) -> Table:
    """Return the table for the terminal: one row per method.

    Args:
        result: What `evaluate` returned.
    """
    shown, columns = result.presentation, result.columns
    first = next(iter(result.scores.values()))
    title = f"{result.recipe.task}{shown.judged_by}, {first['n_reads']:,.0f} reads, 95 % intervals over reads"
    table = Table(title=title, caption=escape(" ".join(marks(result))) or None)
    for name in ("", *columns):
        table.add_column(escape(name), justify="right" if name else "left")
    for method, scores in result.scores.items():
        table.add_row(method, *[_cell(scores, key, interval=key in shown.intervals) for key in columns.values()])
    return table


def tables(result: Evaluation) -> list[Table]:
    """Return the tables for the terminal: that of the methods, and one of the model's classes if the task has one.

    Args:
        result: What `evaluate` returned.
    """
    columns = result.presentation.class_columns
    classes = Table(title="each class, by the model")
    for name in ("", *columns):
        classes.add_column(escape(name), justify="right" if name else "left")
    for name in result.recipe.classes:
        cells = [_cell(result.model_scores, f"{key}_{name}", interval=False) for key in columns.values()]
        classes.add_row(escape(name), *cells)
    return [render(result), classes] if columns else [render(result)]


def _cell(scores: dict[str, float], key: str, *, interval: bool) -> str:
    if key not in scores:
        return ""
    if key.startswith(COUNTED):
        return "-" if math.isnan(scores[key]) else f"{scores[key]:,.0f}"
    low, high = (scores[f"{key}_{end}"] if interval else math.nan for end in ("low", "high"))
    return f"{scores[key]:.3f}" + ("" if math.isnan(low) else f" ({low:.3f}-{high:.3f})")  # one read has none

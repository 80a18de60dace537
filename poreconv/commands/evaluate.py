"""How good a trained model is, beside detectors that learnt nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.markup import escape
from rich.table import Table

from poreconv import preparation
from poreconv.baselines import BASELINES, Baseline, baselines_of
from poreconv.config import IGNORE, EvaluateConfig, PrepareConfig, TruthConfig
from poreconv.confounding import warn_confounded
from poreconv.errors import ConfigError, ReadDropped, StoreError
from poreconv.events import Events
from poreconv.files import whole_file
from poreconv.infer import Labeller, load
from poreconv.ledger import Ledger
from poreconv.metrics import BoundaryMetric, ReadMetric, ReliabilityMetric, SegmentMetric, to_dict
from poreconv.progress import Report, progress_bar
from poreconv.read import Read
from poreconv.recipe import Recipe
from poreconv.registry import lookup
from poreconv.store import Store
from poreconv.targets import boundaries, encode


@dataclass(frozen=True)
class Evaluation:
    """What came out."""

    scores: dict[str, dict[str, float]]
    """Method (``model``, and the baselines) -> score -> value; see `BoundaryMetric`, `SegmentMetric` and
    `ReadMetric`."""
    recipe: Recipe
    ledger: Ledger
    data: dict[str, Any]
    """What it was judged on."""
    reliability: list[dict[str, float]] = field(default_factory=list)
    """The model's probabilities and the shares that they stand for, by bin; see `ReliabilityMetric`."""
    confusion: list[list[int]] = field(default_factory=list)
    """The model's reads (task `read`) or samples, by true class (row) and predicted class (column; of samples the last
    is for no class); empty for task `boundary`."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "scores": {method: to_dict(scores) for method, scores in self.scores.items()},
            "recipe": json.loads(self.recipe.to_json()),
            "reliability": self.reliability,
            "confusion": self.confusion,
            "data": self.data,
            "ledger": self.ledger.to_dict(),
        }


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
        data: One store; or signal files and folders, with ``labels``. Files are first prepared into a temporary store.
        labels: For files: name in ``LABEL_SOURCES``, or several.
        labels_from: The label sources' files; ``NAME=FILE`` where several sources read files.
        read_info: For files: BAM files or sequencing summaries that tell the reads' references, for a model whose split
            goes by them.
        baselines: Names in ``BASELINES`` to stand beside the model; default: all that make sense for its task.
        out: Where to write the result as JSON.
        config: Split, precision and so on.

    Returns:
        Scores of the model and the baselines on the same samples. Reads that the model's own split rule put into
        training or validation are dropped by name.

    Raises:
        ConfigError: Files without labels, or a store with them.
        StoreError: No read is left to judge on.
    """
    config = config or EvaluateConfig()
    paths = [Path(path) for path in ([data] if isinstance(data, Path | str) else data)]
    _check_kind(paths, labels)
    labeller = load(model, config.run)
    beside = baselines_of(labeller.recipe.task) if baselines is None else baselines
    detectors = {name: lookup(BASELINES, name, kind="baseline") for name in beside}
    warn_confounded(labeller.recipe.confounded)
    with progress_bar("evaluate") as report:
        if labels is None:
            result = _judge(labeller, Store(paths[0]), config.split, detectors, report)
        else:
            result = _judge_files(labeller, paths, labels, labels_from, read_info, detectors, config, report)
    if out is not None:
        with whole_file(Path(out)) as partial:
            partial.write_text(json.dumps(result.to_dict(), indent=1))
    return result


def _check_kind(paths: Sequence[Path], labels: str | Sequence[str] | None) -> None:
    """Refuse anything but one store without labels, or files with them."""
    stores = [path for path in paths if (path / "dataset.json").is_file()]
    if labels is None and not stores:
        raise ConfigError(
            f"{paths[0]}: no store (no dataset.json in it); to judge on signal files, give their --labels"
        )
    if labels is None and len(paths) > 1:
        raise ConfigError(f"{paths[0]} and {len(paths) - 1} more: give one store; a model is judged on one at a time")
    if labels is not None and stores:
        raise ConfigError(f"{stores[0]}: a store, which has its labels in it; leave out --labels")


def _judge_files(
    labeller: Labeller,
    paths: Sequence[Path],
    labels: str | Sequence[str],
    labels_from: Sequence[Path | str],
    read_info: Sequence[Path | str],
    detectors: Mapping[str, Baseline],
    config: EvaluateConfig,
    report: Report,
) -> Evaluation:
    recipe = labeller.recipe
    how = PrepareConfig(
        task=recipe.task,
        split=recipe.split,
        resample_hz=recipe.sample_rate_hz if recipe.resampled_from_hz else None,
        **{setting.name: getattr(config, setting.name) for setting in fields(TruthConfig)},
    )
    with TemporaryDirectory(prefix="poreconv-evaluate-") as folder:
        store = preparation.prepare(
            paths,
            labels=labels,
            out=Path(folder) / "store",
            labels_from=labels_from,
            read_info=read_info,
            config=how,
            guard=recipe,
            progress=lambda share: report(share / 2),
        )
        result = _judge(labeller, store, "all", detectors, lambda share: report((1 + share) / 2))
        before = Ledger.from_dict(store.info.ledger)
    before.kept = 0
    result.ledger.merge(before)
    return replace(result, data={"files": [str(path) for path in paths], "labels": labels})


def _judge(
    labeller: Labeller, store: Store, split: str, detectors: Mapping[str, Baseline], report: Report
) -> Evaluation:
    recipe, ledger = labeller.recipe, Ledger()
    judges = {name: Judge(recipe) for name in ("model", *detectors)}
    truths = Truths(store, recipe, split)
    for read, probabilities_CT in labeller.probabilities(truths.reads(ledger), ledger):
        target = truths.target(read)
        judges["model"].update(target, labeller.decode(read, probabilities_CT), probabilities_CT)
        for name, detect in detectors.items():
            judges[name].update(target, detect(read, recipe))
        ledger.kept += 1
        report(ledger.reads_in / max(len(truths), 1))
    if not ledger.kept:
        raise StoreError(f"{store.path}: no read of split {split} is left to judge on; {ledger.summary()}")
    data = {
        "store": str(store.path),
        "split": split,
        "labels": list(store.info.labels),
        "hash": store.info.content_hash,
    }
    scores = {name: judge.compute() for name, judge in judges.items()}
    of_model = judges["model"]
    return Evaluation(scores, recipe, ledger, data, of_model.reliability.table(), of_model.confusion)


class Truths:
    """The reads of a store's split that a model may be judged on, and what is true of them.

    Raises:
        ConfigError: The store's task or classes are not the model's.
    """

    def __init__(self, store: Store, recipe: Recipe, split: str) -> None:
        unknown = set(store.info.classes) - set(recipe.classes)
        if store.info.task != recipe.task or unknown:
            raise ConfigError(
                f"{store.path}: task {store.info.task}, classes {store.info.classes}, and the model was trained on task"
                f" {recipe.task}, classes {recipe.classes}; prepare it alike"
            )
        self._store, self._recipe = store, recipe
        self._class_of = np.array([*map(recipe.classes.index, store.info.classes), IGNORE], np.int8)
        read_ids = store.text("read_id")
        self._row = {read_ids[row]: int(row) for row in store.rows(split)}
        self._reference = store.text("reference")

    def __len__(self) -> int:
        """Number of reads in the split, those that will be dropped included."""
        return len(self._row)

    def reads(self, ledger: Ledger) -> Iterator[Read]:
        """The reads that training has not seen; the others go into the ledger."""
        for row in self._row.values():
            read = self._store.read(row)
            try:
                self._recipe.check_unseen(read, self._reference[row])
            except ReadDropped as exc:
                ledger.drop(exc, read_id=read.read_id, source=read.source)
                continue
            yield read

    def target(self, read: Read) -> NDArray[np.int8]:
        """The class of each sample as the model numbers them, shape ``(n_samples,)``."""
        return np.asarray(self._class_of[self._store.read_target(self._row[read.read_id])], np.int8)


class Judge:
    """Compares one method's events with the truth, inside the coverage alone."""

    def __init__(self, recipe: Recipe) -> None:
        self._task, self._n_classes = recipe.task, len(recipe.classes)
        self._metric = _metric_for(recipe)
        self.reliability = ReliabilityMetric(recipe.task)
        self._has_probabilities = False

    def update(
        self, target: NDArray[np.int8], events: Events, probabilities_CT: NDArray[np.float32] | None = None
    ) -> None:
        """Add one read: true class of each sample, what was found, and how probable the method takes each class to be.

        Probabilities are judged sample by sample, so not those at another sample rate than the truth's; those of a
        whole read are the same at any rate.
        """
        if probabilities_CT is not None and (self._task == "read" or probabilities_CT.shape[1] == len(target)):
            self._has_probabilities = True
            self.reliability.update(target, probabilities_CT)
        if self._task == "boundary":
            found = events.start[target[events.start] != IGNORE]
            self._metric.update(boundaries(target), found)
        elif self._task == "read":
            certain_CT = np.eye(self._n_classes)[:, events.label]
            self._metric.update(target, certain_CT if probabilities_CT is None else probabilities_CT)
        else:
            self._metric.update(target, encode(events, len(target), self._task))

    @property
    def confusion(self) -> list[list[int]]:
        """Reads or samples by true and predicted class; empty where there are no classes."""
        table: list[list[int]] = [] if isinstance(self._metric, BoundaryMetric) else self._metric.confusion().tolist()
        return table

    def compute(self) -> dict[str, float]:
        """All scores; ``ece``, the expected calibration error, only of a method that told probabilities."""
        scores: dict[str, float] = self._metric.compute()
        return scores | ({"ece": float(self.reliability.compute())} if self._has_probabilities else {})


def _metric_for(recipe: Recipe) -> BoundaryMetric | ReadMetric | SegmentMetric:
    if recipe.task == "boundary":
        return BoundaryMetric()
    return ReadMetric(recipe.classes) if recipe.task == "read" else SegmentMetric(recipe.classes)


BOUNDARY_COLUMNS = {
    "F1 exact": "f1_0",
    "±1": "f1_1",
    "±2": "f1_2",
    "±3": "f1_3",
    "±5": "f1_5",
    "precision ±1": "precision_1",
    "recall ±1": "recall_1",
    "R-value ±2": "r_value",
    "over-seg.": "over_segmentation",
    "|d| median": "absolute_median",
    "|d| p95": "absolute_p95",
    "ECE": "ece",
}
"""Column -> score; distances in samples."""

SEGMENT_COLUMNS = {"sample IoU": "mean_sample_iou", "segment IoU": "mean_segment_iou"}
READ_COLUMNS = {"AUROC": "auroc"}
"""Columns that stand beside accuracy and F1."""


def render(result: Evaluation) -> Table:
    """The table for the terminal: one row per method."""
    columns = _columns(result.recipe)
    first = next(iter(result.scores.values()))
    title = f"{result.recipe.task}, {first['n_reads']:,.0f} reads, 95 % intervals over reads"
    table = Table(title=title, caption=escape(result.recipe.confounder) or None)
    for name in ("", *columns):
        table.add_column(escape(name), justify="right" if name else "left")
    for method, scores in result.scores.items():
        table.add_row(method, *[_cell(scores, key) for key in columns.values()])
    return table


def _columns(recipe: Recipe) -> dict[str, str]:
    if recipe.task == "boundary":
        return BOUNDARY_COLUMNS
    per_class = {f"F1 {name}": f"f1_{name}" for name in recipe.classes}
    of_task = READ_COLUMNS if recipe.task == "read" else SEGMENT_COLUMNS
    return {"accuracy": "accuracy", "macro F1": "macro_f1", **of_task, **per_class, "ECE": "ece"}


def _cell(scores: dict[str, float], key: str) -> str:
    if key not in scores:
        return ""
    if key.startswith("absolute"):
        return f"{scores[key]:.0f}"
    interval = key in {"f1_1", "macro_f1", "accuracy"}
    return f"{scores[key]:.3f}" + (f" ({scores[key + '_low']:.3f}-{scores[key + '_high']:.3f})" if interval else "")

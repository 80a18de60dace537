"""Judge models of whole reads (task `read`) on real reads: native against unmodified 18S rRNA, and 5mC against C.

Usage: python -m scripts.studies.classify_reads [NAME...] [--folds 5] [--max_steps 200] [--json classify_reads.json]

The sets are looked for in $PORECONV_DATA, else in ../shared/data. Each read is judged once, by a model that was
trained on the other folds' reads; scores and confusion are pooled over the folds. Prints a table in Markdown, and in
it what the classes are confounded with: in both sets each class is another run, so the scores show how well reads of
these runs are distinguished, by whatever differs.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from poreconv.commands.train import train
from poreconv.config import AugmentConfig, FilesConfig, PrepareConfig, SplitConfig, TrainConfig, WorkConfig
from poreconv.dataset.prepare import prepare
from poreconv.errors import ConfoundedWarning
from poreconv.evaluation.baselines.majority import detect
from poreconv.evaluation.metrics import ReadMetric, ReliabilityMetric
from poreconv.evaluation.read_criterion import ReadCriterion
from poreconv.events.tasks import task_named
from poreconv.inference.labeller import load
from poreconv.models.architectures import Strided
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from scripts.studies.results import MarkdownTable, required_data, study_parser, write_results

Paths = Mapping[str, Path]
"""Class -> where its reads lie."""

SETS: dict[str, dict[str, str]] = {
    "rna002_18s_tombo": {"ivt": "ivt", "wt": "wt"},
    "dna_r1041_4khz_remora": {"C": "can_reads.pod5", "5mC": "mod_reads.pod5"},
}
"""Set -> class -> folder or file of its reads."""

NETWORK = Strided(channels=32, stride=10, stem_kernel=31)
TRAINING = TrainConfig(
    batch_size=8,
    chunk_samples=4000,
    validate_every=100,
    precision="32",
    accelerator="cpu",
    augment=AugmentConfig(noise=0.1, scale=0.1, shift=0.1),
)
SPLIT = SplitConfig(test=0.0, validation=0.2)


@dataclass(frozen=True)
class Judged:
    """One method on the reads of one set."""

    set: str
    method: str
    confounder: str
    classes: tuple[str, ...]
    scores: dict[str, float]
    confusion: list[list[int]]
    """By true class (row) and predicted class (column)."""
    ece: float | None = None
    """Expected calibration error; None: the method has no probabilities."""


def _judge(name: str, paths: Paths, n_folds: int, config: TrainConfig, work: Path) -> tuple[Judged, Judged]:
    """Judge models on one set in folds, and the most frequent class beside."""
    classes, reliability, criterion = tuple(sorted(paths)), ReliabilityMetric(), ReadCriterion(task_named("read"))
    model, majority, confounder = ReadMetric(classes), ReadMetric(classes), ""
    for fold, (others, held_out) in enumerate(_folds(paths, n_folds)):
        labeller = load(_model_of(paths, others, config, work / f"{name}{fold}"))
        confounder = labeller.recipe.confounder
        truth = {read.read_id: np.array([classes.index(label)], np.int8) for label, read in held_out}
        for read, p_CT in labeller.with_probabilities(read for _, read in held_out):
            model.update(truth[read.read_id], p_CT)
            reliability.update(*criterion.certainty(truth[read.read_id], p_CT))
            majority.update(truth[read.read_id], np.eye(len(classes))[:, detect(read, labeller.recipe).label])
    of_model, of_majority = (
        Judged(name, method, confounder, classes, metric.compute(), metric.confusion().tolist(), ece)
        for method, metric, ece in (("model", model, float(reliability.compute())), ("majority", majority, None))
    )
    return of_model, of_majority


def _folds(paths: Paths, n_folds: int) -> Iterator[tuple[list[str], list[tuple[str, Read]]]]:
    """Ids of the reads to train on, and classes and reads to judge on; each class has its share in each fold."""
    reads = [(name, read) for name, path in paths.items() for read in _reads_in(path)]
    fold_of = np.concatenate([np.arange(sum(one == name for one, _ in reads)) % n_folds for name in paths])
    for fold in range(n_folds):
        others = [read.read_id for (_, read), where in zip(reads, fold_of, strict=True) if where != fold]
        yield others, [one for one, where in zip(reads, fold_of, strict=True) if where == fold]


def _reads_in(path: Path) -> list[Read]:
    """All reads of a class, by their ids."""
    with open_reads(path) as reads:
        return sorted(reads, key=lambda read: read.read_id)


def _model_of(paths: Paths, read_ids: Sequence[str], config: TrainConfig, work: Path) -> Path:
    """Train a model on some reads; returns its bundle."""
    work.mkdir()
    listed = work / "read_ids.txt"
    listed.write_text("\n".join(read_ids))
    how = PrepareConfig(task="read", split=SPLIT, files=FilesConfig(read_ids=listed), work=WorkConfig(workers=1))
    labels = [f"{name}={path}" for name, path in paths.items()]
    store = prepare([*paths.values()], labels="path_class", labels_from=labels, out=work / "store", config=how)
    return train(
        store.path, out=work / "run", network="strided", settings=NETWORK, config=config, with_report=False
    ).bundle


COLUMNS = ("", "reads", "accuracy", "F1", "macro F1", "AUROC", "ECE", "predicted as (classes in this order)")


def _cells(one: Judged) -> list[str]:
    scores = one.scores
    return [
        f"{one.set} ({one.confounder}): model" if one.method == "model" else one.method,
        ", ".join(f"{name} {scores[f'support_{name}']:.0f}" for name in one.classes),
        f"{scores['accuracy']:.3f} ({scores['accuracy_low']:.3f}-{scores['accuracy_high']:.3f})",
        ", ".join(f"{name} {scores[f'f1_{name}']:.3f}" for name in one.classes),
        f"{scores['macro_f1']:.3f}",
        f"{scores['auroc']:.3f}",
        "-" if one.ece is None else f"{one.ece:.3f}",
        "; ".join(f"{name} {'/'.join(map(str, n))}" for name, n in zip(one.classes, one.confusion, strict=True)),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge the sets that are asked for, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("classify_reads", __doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SETS)}; default: both")
    parser.add_argument("--folds", type=int, default=5, help="default: 5")
    parser.add_argument("--max_steps", type=int, default=200, help="of each training run; default: 200")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - set(SETS):
        parser.error(f"no set {', '.join(unknown)}; there are {', '.join(SETS)}")
    names = chosen.names or list(SETS)
    data, config = required_data(*names), replace(TRAINING, max_steps=chosen.max_steps)
    table, results = MarkdownTable(*COLUMNS), list[Judged]()
    with TemporaryDirectory(prefix="poreconv-read-") as work, warnings.catch_warnings():
        warnings.simplefilter("ignore", ConfoundedWarning)  # the table has it
        for name in names:
            paths = {label: data / name / place for label, place in SETS[name].items()}
            for one in _judge(name, paths, chosen.folds, config, Path(work)):
                table.add(*_cells(one))
                results.append(one)
    write_results(chosen, results)


if __name__ == "__main__":
    main()

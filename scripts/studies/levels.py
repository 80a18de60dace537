"""Train a model of values (task `value`) on the levels of k-mers, and judge it on reads that it never saw.

Usage: python -m scripts.studies.levels [--max_steps 2000] [--json levels.json]

The truth at a sample is the level of the 6-mer under the pore, in SDs of the table from its mean: Tombo gives the base
of each sample, ONT's table the level. The set is looked for in $PORECONV_DATA, else in ../shared/data.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from poreconv.commands.evaluate import evaluate
from poreconv.commands.train import train
from poreconv.config import PrepareConfig, SourceConfig, TrainConfig, WorkConfig
from poreconv.dataset.prepare import prepare
from poreconv.errors import ReadDropped
from poreconv.events.events import Events
from poreconv.events.writers.parquet import ParquetWriter
from poreconv.events.writers.values import VALUES, values_table
from poreconv.labels.opening import events_of, open_labels
from poreconv.labels.sources import LabelSource
from poreconv.pore_models.model import PoreModel, kmer_indices
from poreconv.pore_models.tables import read_pore_model
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from scripts.studies.results import MarkdownTable, required_data, study_parser, write_results

SET = "dna_r941_lambda_tombo"
TABLE = "kmer_models/nanoporetech_kmer_models/legacy/legacy_r9.4_180mv_450bps_6mer/template_median68pA.model"


@dataclass(frozen=True)
class Judged:
    """One method on the test reads."""

    method: str
    scores: dict[str, float]


def with_levels(events: Events, table: PoreModel) -> Events:
    """Give each base the level of the k-mer that it is the dominant base of, where all of its bases are known.

    Args:
        events: One event per base, 5' to 3', with classes A, C, G, T.
        table: Levels of k-mers.
    """
    level = (table.level_mean - table.level_mean.mean()) / table.level_mean.std()
    value = np.full(len(events), np.nan, np.float32)
    for first, end in _stretches(events):
        of_kmer = level[kmer_indices(events.label[first:end], table.k)]
        value[first + table.centre : first + table.centre + len(of_kmer)] = of_kmer
    kept = np.isfinite(value)
    return Events.of(events.start[kept], events.end[kept], value=value[kept])


def _stretches(events: Events) -> Iterator[tuple[int, int]]:
    """Yield the first and the end of each row of known bases without a gap."""
    known = events.label >= 0
    joined: NDArray[np.bool_] = known[1:] & known[:-1] & (events.start[1:] == events.end[:-1])
    edge = [0, *(np.flatnonzero(~joined) + 1).tolist(), len(events)]
    return ((first, end) for first, end in pairwise(edge) if end > first and known[first])


def write_levels(folder: Path, table: PoreModel, out: Path) -> None:
    """Write the levels of all reads that Tombo aligned.

    Args:
        folder: The reads, with Tombo's bases in them.
        table: Levels of k-mers.
        out: Parquet with a number for each sample.
    """
    with (
        open_reads(folder) as reads,
        closing(open_labels("tombo", [], SourceConfig())) as source,
        closing(ParquetWriter(out, VALUES)) as writer,
    ):
        for read in reads:
            levels = _levels_of(read, source, table)
            if levels is not None:
                writer.write(values_table(read, levels))


def _levels_of(read: Read, source: LabelSource, table: PoreModel) -> Events | None:
    try:
        return with_levels(events_of(source, read), table)
    except ReadDropped:
        return None


def judge(max_steps: int, work: Path) -> list[Judged]:
    """Prepare, train and judge.

    Args:
        max_steps: Steps of the training.
        work: Folder of all files.

    Returns:
        The model, then the baselines.
    """
    data = required_data(SET, "kmer_models")
    labels = work / "levels.parquet"
    write_levels(data / SET, read_pore_model(data / TABLE), labels)
    how = PrepareConfig(task="value", work=WorkConfig(workers=1))
    store = prepare([data / SET], labels="values", labels_from=[labels], out=work / "store", config=how)
    config = TrainConfig(max_steps=max_steps, validate_every=250)
    bundle = train(store.path, out=work / "run", config=config, with_report=False).bundle
    result = evaluate(bundle, store.path)
    return [Judged(name, dict(scores)) for name, scores in result.scores.items()]


COLUMNS = ("", "Pearson r", "Spearman", "MAE", "RMSE", "reads", "samples")


def _cells(one: Judged) -> list[str]:
    def interval(name: str) -> str:
        return f"{one.scores[name]:.3f} ({one.scores[f'{name}_low']:.3f} to {one.scores[f'{name}_high']:.3f})"

    scored = [interval(name) for name in ("pearson", "spearman", "mae", "rmse")]
    return [one.method, *scored, f"{one.scores['n_reads']:.0f}", f"{one.scores['n_samples']:,.0f}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, judge, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("levels", __doc__)
    parser.add_argument("--max_steps", type=int, default=2000, help="of the training run; default: 2000")
    chosen = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="poreconv-levels-") as work:
        judged = judge(chosen.max_steps, Path(work))
    table = MarkdownTable(*COLUMNS)
    for one in judged:
        table.add(*_cells(one))
    write_results(chosen, judged)


if __name__ == "__main__":
    main()

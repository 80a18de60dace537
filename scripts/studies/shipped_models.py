"""How good is each shipped boundary model on each labelled set that it fits?

Usage: python -m scripts.studies.shipped_models [MODEL...] [--json shipped_models.json]

Prints a Markdown table: F1 of boundaries exact, within one and two samples, and the R-value, of each model, of
changepoint and of the t-test, on the reads that trained none of it. The sets are looked for in $PORECONV_DATA, else in
../shared/data. The truth matters: of two programs that know the sequence, each places boundaries in its own way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from poreconv.errors import StoreError
from poreconv.evaluation.result import MODEL
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import shipped_headers, shipped_paths
from poreconv.reads.readers import open_reads
from scripts.studies.results import MarkdownTable, required_data, study_parser, write_results
from scripts.studies.sets import (
    ECOLI,
    HUMAN,
    LAMBDA,
    REMORA,
    RFC1,
    RNA001,
    RNA002,
    SEQUINS,
    SPIKE_IN,
    TRNA,
    TRNA_OLDER,
    LabelledSet,
)

SCORES = ("f1_0", "f1_1", "f1_1_low", "f1_1_high", "f1_2", "r_value", "over_segmentation", "n_reads")


def _by(one: LabelledSet, paf: str) -> LabelledSet:
    """The same reads with the boundaries of another program."""
    return replace(one, labels="resquiggle_paf", labels_from=(paf,), refined_by="")


SETS = {
    "f5c": (ECOLI, RFC1, HUMAN, REMORA, SEQUINS, replace(SPIKE_IN, refined_by="")),
    "Tombo": (LAMBDA, RNA001, RNA002),
    "uncalled4": tuple(_by(one, "uncalled4_self.paf") for one in (TRNA, TRNA_OLDER)),
    "remora": tuple(_by(one, "remora_refined.paf") for one in (TRNA, TRNA_OLDER)),
}
"""Truth -> the sets that have it."""


@dataclass(frozen=True)
class Judged:
    """One method on the reads of a set that trained no part of a model."""

    model: str
    set: str
    truth: str
    method: str
    scores: dict[str, float]


def _fits(recipe: Recipe, one: LabelledSet) -> bool:
    """Whether a model labels the reads of a set, by its first one."""
    with open_reads(one.reads_path()) as reads:
        return recipe.misfit(next(iter(reads))) is None


def _judged(model: str, truth: str, one: LabelledSet) -> Iterator[Judged]:
    """Judge a model on a set; nothing where all reads trained it."""
    try:
        result = one.judge(shipped_paths()[model])
    except StoreError:
        return
    for method, scores in result.scores.items():
        yield Judged(model, one.name, truth, method, {key: float(scores[key]) for key in SCORES})


COLUMNS = ("model", "set", "truth", "", "reads", "exact", "±1", "±2", "R", "many")


def _cells(one: Judged) -> list[str]:
    of = one.scores
    interval = f"{of['f1_1']:.3f} ({of['f1_1_low']:.3f}-{of['f1_1_high']:.3f})"
    name = "**model**" if one.method == MODEL else one.method
    numbers = [f"{of['f1_0']:.3f}", interval, f"{of['f1_2']:.3f}", f"{of['r_value']:.3f}"]
    return [one.model, one.set, one.truth, name, f"{of['n_reads']:.0f}", *numbers, f"{of['over_segmentation']:+.0%}"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("shipped_models", __doc__)
    recipes = {name: header.recipe for name, header in shipped_headers().items() if header.recipe.task == "boundary"}
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"{', '.join(recipes)}; default: all")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.models) - set(recipes):
        parser.error(f"no shipped model of boundaries {', '.join(unknown)}; there are {', '.join(recipes)}")
    required_data(*sorted({one.name for sets in SETS.values() for one in sets}))
    table, results = MarkdownTable(*COLUMNS), list[Judged]()
    for model in chosen.models or recipes:
        for truth, sets in SETS.items():
            for one in (one for one in sets if _fits(recipes[model], one)):
                for judged in _judged(model, truth, one):
                    table.add(*_cells(judged))
                    results.append(judged)
                write_results(chosen, results)


if __name__ == "__main__":
    main()

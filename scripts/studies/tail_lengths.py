"""How near lengths of poly(A) tails are to those of nanopolish and tailfindr."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr, spearmanr

from scripts.studies.regions import NANOPOLISH
from scripts.studies.results import MarkdownTable

TAILFINDR = "tailfindr_output.csv"


@dataclass(frozen=True)
class Lengths:
    """How two programs' lengths of tails agree."""

    compared: str
    reads: int
    pearson_r: float
    spearman_r: float
    median_absolute: float
    """Of the relative differences."""
    median: float


def _compared(name: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> Lengths:
    both = sorted(ours.keys() & theirs.keys())
    a, b = np.array([ours[one] for one in both]), np.array([theirs[one] for one in both])
    r, rho, difference = pearsonr(a, b).statistic, spearmanr(a, b).statistic, a / b - 1
    medians = float(np.median(np.abs(difference))), float(np.median(difference))
    return Lengths(name, len(both), float(r), float(rho), *medians)


def compare_lengths(folder: Path, nucleotides: Mapping[str, float]) -> list[Lengths]:
    """Compare lengths of tails with nanopolish's and tailfindr's, and theirs with each other; prints a table.

    Args:
        folder: Of the set.
        nucleotides: Read id -> length.
    """
    nanopolish = _lengths_in(folder / NANOPOLISH, "\t", "readname", "polya_length")
    tailfindr = _lengths_in(folder / TAILFINDR, ",", "read_id", "tail_length")
    tailfindr = {one: length for one, length in tailfindr.items() if one in nucleotides}
    lengths = [
        _compared("poreconv, nanopolish", nucleotides, nanopolish),
        _compared("poreconv, tailfindr", nucleotides, tailfindr),
        _compared("tailfindr, nanopolish", tailfindr, nanopolish),
    ]
    heads = ("Pearson r", "Spearman r", "median abs. rel. difference", "median rel. difference")
    table = MarkdownTable("lengths", "reads", *heads)
    for one in lengths:
        numbers = (one.pearson_r, one.spearman_r, one.median_absolute, one.median)
        table.add(one.compared, one.reads, *(f"{x:.3f}" for x in numbers))
    return lengths


def _lengths_in(path: Path, delimiter: str, read_id: str, length: str) -> dict[str, float]:
    """Nucleotides of each read's tail by another program."""
    with path.open(newline="") as table:
        return {row[read_id]: float(row[length]) for row in csv.DictReader(table, delimiter=delimiter)}

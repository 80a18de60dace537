"""How near lengths of poly(A) tails are to those of other programs."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from scipy.stats import pearsonr, spearmanr

from scripts.studies.results import MarkdownTable


@dataclass(frozen=True)
class LengthTable:
    """A program's table of tails, in the folder of the reads."""

    program: str
    file: str
    delimiter: str
    read_id: str
    """Name of the column."""
    length: str
    """Name of the column of nucleotides."""


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


def compare_lengths(folder: Path, tables: Sequence[LengthTable], nucleotides: Mapping[str, float]) -> list[Lengths]:
    """Compare lengths of tails with those of other programs, and theirs with each other; prints a table.

    Args:
        folder: Of the set.
        tables: Of the other programs.
        nucleotides: Read id -> length.
    """
    found = {"poreconv": nucleotides} | {one.program: _lengths_in(folder, one, nucleotides) for one in tables}
    lengths = [_compared(f"{a}, {b}", found[a], found[b]) for a, b in combinations(found, 2)]
    heads = ("Pearson r", "Spearman r", "median abs. rel. difference", "median rel. difference")
    table = MarkdownTable("lengths", "reads", *heads)
    for one in lengths:
        numbers = (one.pearson_r, one.spearman_r, one.median_absolute, one.median)
        table.add(one.compared, one.reads, *(f"{x:.3f}" for x in numbers))
    return lengths


def _compared(name: str, ours: Mapping[str, float], theirs: Mapping[str, float]) -> Lengths:
    both = sorted(one for one in ours.keys() & theirs.keys() if theirs[one] > 0)  # a share of nothing is no number
    a, b = np.array([ours[one] for one in both]), np.array([theirs[one] for one in both])
    r, rho, difference = pearsonr(a, b).statistic, spearmanr(a, b).statistic, a / b - 1
    medians = float(np.median(np.abs(difference))), float(np.median(difference))
    return Lengths(name, len(both), float(r), float(rho), *medians)


def _lengths_in(folder: Path, table: LengthTable, wanted: Mapping[str, float]) -> dict[str, float]:
    """Nucleotides of the tails of the wanted reads by another program."""
    with (folder / table.file).open(newline="") as rows:
        found = csv.DictReader(rows, delimiter=table.delimiter)
        return {row[table.read_id]: float(row[table.length]) for row in found if row[table.read_id] in wanted}

"""Tables and pictures of results: which values of a study's JSON stand where."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib as mpl

from poreconv.plot.style import CLASS_COLOURS, GREY, MARKERS, new_figure
from scripts.site.pages import table

Row = Mapping[str, Any]
"""One of a study's results."""

Cell = str | tuple[str, str, str]
"""Key of a value; or of a value and of the ends of its interval. A dot leads into a dict: ``scores.f1_1``."""


NO_BREAK = "\u00a0"


@dataclass(frozen=True)
class Table:
    """A table of a study's results: a row of it for each, or, with `across`, for several that differ in one key."""

    caption: str
    """What stands in it, in a sentence."""
    rows: Mapping[str, str]
    """Head -> key of what names a row."""
    cells: Mapping[str, Cell]
    """Head -> what is measured."""
    across: str = ""
    """Key whose values become columns; each cell then stands once for each of them."""
    heads: Mapping[str, str] = field(default_factory=dict)
    """Value of `across` -> its head, where the value would not be understood."""
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Key -> values; other results are left out."""
    part: str = ""
    """Key of the list of results, where there are several lists."""

    def in_markdown(self, results: Any) -> str:
        """Return the table, below its caption.

        Args:
            results: All that the study found.
        """
        rows = chosen_rows(results, self.part, self.only)
        return f"{self.caption}\n\n{self.across_columns(rows) if self.across else self.plain(rows)}\n"

    def plain(self, rows: Sequence[Row]) -> str:
        """Return a table with a row for each result.

        Args:
            rows: The results.
        """
        heads = [*self.rows, *self.cells]
        return table(
            heads, ([*names(row, self.rows), *(written(row, each) for each in self.cells.values())] for row in rows)
        )

    def across_columns(self, rows: Sequence[Row]) -> str:
        """Return a table with a column for each value of `across`.

        Args:
            rows: The results.
        """
        columns = [*dict.fromkeys(str(value_at(row, self.across)) for row in rows)]
        found = {(*names(row, self.rows), value_at(row, self.across)): row for row in rows}
        heads = [
            f"{self.heads.get(column, column)}{f', {head}' if head else ''}"
            for column in columns
            for head in self.cells
        ]
        lines = [
            [*name, *(written(found.get((*name, column)), cell) for column in columns for cell in self.cells.values())]
            for name in dict.fromkeys(tuple(names(row, self.rows)) for row in rows)
        ]
        return table([*self.rows, *heads], lines)


@dataclass(frozen=True)
class Dots:
    """A picture of one value, in a line for each name, with a dot for each of a few methods."""

    caption: str
    value: str
    """Key of the value."""
    label: str
    """What the value is."""
    lines: Sequence[str]
    """Keys of what names a line."""
    by: str
    """Key of the method."""
    heads: Mapping[str, str] = field(default_factory=dict)
    """Method -> what it is called."""

    def drawn(self, rows: Sequence[Row]) -> str:
        """Draw it as SVG, which is the same whenever it is drawn.

        Args:
            rows: The results.
        """
        lines = [*dict.fromkeys(" · ".join(str(value_at(row, key)) for key in self.lines) for row in rows)]
        methods = [*dict.fromkeys(str(value_at(row, self.by)) for row in rows)]
        figure = new_figure(0.8 + 0.22 * len(lines))
        axes = figure.subplots()
        for method, colour, marker in zip(methods, CLASS_COLOURS, MARKERS, strict=False):
            here = [row for row in rows if value_at(row, self.by) == method]
            places = [lines.index(" · ".join(str(value_at(row, key)) for key in self.lines)) for row in here]
            axes.plot(
                [value_at(row, self.value) for row in here],
                places,
                marker,
                color=colour,
                label=self.heads.get(method, method),
            )
        axes.set_yticks(range(len(lines)), lines)
        axes.invert_yaxis()
        axes.set_xlabel(self.label)
        axes.grid(axis="x", color=GREY, alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper right", ncols=len(methods), frameon=False)
        with io.StringIO() as file, mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "poreconv"}):
            figure.savefig(file, format="svg", metadata={"Date": None})
            return file.getvalue()


def chosen_rows(results: Any, part: str, only: Mapping[str, Sequence[str]]) -> list[Row]:
    """Return the results that a table or a picture is made of.

    Args:
        results: All that a study found.
        part: Key of a list in it, or empty.
        only: Key -> values that are wanted.
    """
    rows = results[part] if part else results
    return [row for row in rows if all(value_at(row, key) in values for key, values in only.items())]


def value_at(row: Row, key: str) -> Any:
    """Return a value, or None where there is none.

    Args:
        row: A result.
        key: With dots that lead into dicts.
    """
    value: Any = row
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def names(row: Row, keys: Mapping[str, str]) -> list[str]:
    """Return what names a row of a table.

    Args:
        row: A result.
        keys: Head -> key.
    """
    return [in_words(value_at(row, key)) for key in keys.values()]


def written(row: Row | None, cell: Cell) -> str:
    """Return the text of a cell.

    Args:
        row: A result; None: there is none.
        cell: What is asked of it.
    """
    if row is None:
        return ""
    if isinstance(cell, str):
        return in_words(value_at(row, cell))
    value, low, high = (in_words(value_at(row, key)) for key in cell)
    return f"{value} ({low} to {high})".replace(" ", NO_BREAK) if low and high else value


def in_words(value: Any) -> str:
    """Return a value as it is printed: three decimals, or a whole number with commas.

    Args:
        value: A number or a text; None becomes empty.
    """
    if value is None:
        return ""
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.3f}" if abs(value) < 100 else f"{value:,.0f}"
    return f"{int(value):,}" if isinstance(value, int | float) else str(value)

"""A drop reason, an error or a term -> what it means, and what to do."""

from collections.abc import Iterator
from itertools import groupby
from textwrap import fill

from poreconv.runtime.explaining import Explanation, explain, explanations

__all__ = ["explain", "listing", "render"]

WIDTH, INDENT = 100, "  "
"""Columns of the list of words; what its lines begin with."""


def render(found: list[Explanation]) -> str:
    """Return texts for the terminal, each below its words.

    Args:
        found: What `explain` returned.
    """
    return "\n\n".join(f"{', '.join(each.words)} ({each.group})\n{each.text}" for each in found)


def listing() -> str:
    """Return all words that are explained, by group, for the terminal."""
    return "\n\n".join([*_groups(), "poreconv explain WORD explains one of them"])


def _groups() -> Iterator[str]:
    for title, members in groupby(explanations(), key=lambda each: each.group):
        words = ", ".join(word for each in members for word in each.words)
        yield f"{title}\n{fill(words, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)}"

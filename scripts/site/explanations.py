"""Glossary and troubleshooting, from the texts that ``poreconv explain`` prints."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from poreconv.runtime.explaining import ERRORS, NOTES, REASONS, TROUBLES, WORDS, Explanation, explanations
from scripts.site.pages import INCLUDED, Pages

CODE = {REASONS, NOTES, ERRORS}
"""Kinds whose words are names that programs print."""


def explanation_pages() -> Pages:
    """Return the texts on terms, and those on what goes wrong, in the order in which a user meets it."""
    return {
        f"{INCLUDED}/glossary.md": listed([WORDS]),
        f"{INCLUDED}/troubleshooting.md": listed([REASONS, NOTES, ERRORS, TROUBLES]),
    }


def listed(kinds: Sequence[str]) -> str:
    """Return texts under headings: their group's, and the word's.

    Args:
        kinds: Of these kinds.
    """
    return "\n".join(_lines(kinds))


def _lines(kinds: Sequence[str]) -> Iterator[str]:
    for group, members in groupby(explanations(kinds), key=lambda each: each.group):
        yield f"## {group}\n"
        for each in members:
            yield from entry(each)


def entry(explanation: Explanation) -> Iterator[str]:
    """Yield the lines of one text: each of its words is an anchor.

    Args:
        explanation: The text.
    """
    first, *others = explanation.words
    for word in others:
        yield f"({anchor(word)})="
    yield f"### `{first}`" if explanation.kind in CODE else f"### {first}"
    if others:
        yield f"\nAlso: {', '.join(f'`{word}`' if explanation.kind in CODE else word for word in others)}."
    yield f"\n{explanation.text}\n"


def anchor(word: str) -> str:
    """Return the name of a word's place, for links.

    Args:
        word: Such as ``poly(A) tail``.
    """
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")

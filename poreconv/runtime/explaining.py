"""What drop reasons, notes, errors, troubles and terms mean: the texts that ``poreconv explain`` and the site show.

They stand in ``explanations/KIND.md``, and are read when they are asked for. ``# Title`` begins a group; below
``## word, other word`` stands the text on words that mean the same. ``*`` in a word stands for any letters, as in
``labelled_by_*``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files

from poreconv.errors import ConfigError
from poreconv.runtime.registry import did_you_mean

REASONS, NOTES, ERRORS, TROUBLES, WORDS = KINDS = ("reasons", "notes", "errors", "troubles", "words")
"""Kinds of what is explained, in the order in which a user meets them; the names of the files."""


@dataclass(frozen=True)
class Explanation:
    """The text on one word."""

    kind: str
    """One of `KINDS`."""
    group: str
    """Title under which it stands."""
    words: tuple[str, ...]
    """The word, and others that mean the same."""
    text: str
    """A few lines of Markdown: what it means, why it happens, what to do."""

    def is_about(self, word: str) -> bool:
        """Return whether a word is explained here.

        Args:
            word: In any case; spaces, hyphens and underscores are alike.
        """
        return any(fnmatchcase(alike(word), alike(known)) for known in self.words)


def explanations(kinds: Sequence[str] = KINDS) -> list[Explanation]:
    """Read the texts, in the order in which they stand.

    Args:
        kinds: Of these kinds.
    """
    folder = files("poreconv.runtime").joinpath("explanations")
    return [each for kind in kinds for each in _in_file(kind, folder.joinpath(f"{kind}.md").read_text("utf-8"))]


def _in_file(kind: str, text: str) -> list[Explanation]:
    found = []
    for part in re.split(r"^# ", text, flags=re.MULTILINE)[1:]:
        title, *entries = re.split(r"^## ", part, flags=re.MULTILINE)
        for entry in entries:
            words, _, lines = entry.partition("\n")
            found.append(Explanation(kind, title.strip(), tuple(words.strip().split(", ")), lines.strip()))
    return found


def explain(word: str) -> list[Explanation]:
    """Return the texts on a word: several, if it means something else elsewhere.

    Args:
        word: In any case; spaces, hyphens and underscores are alike.

    Raises:
        ConfigError: It is not explained.
    """
    known = explanations()
    found = [each for each in known if each.is_about(word)]
    if not found:
        meant = did_you_mean(alike(word), [alike(name) for each in known for name in each.words])
        raise ConfigError(f"{word!r} is not explained; {meant}poreconv explain lists what is")
    return found


def command_on(cause: str) -> str:
    """Return the command that explains why reads were dropped; empty if nothing does, as of a user's own reason.

    Args:
        cause: The reason under which the drop ledger counts them.
    """
    explained = any(each.is_about(cause) for each in explanations([REASONS]))
    return f"poreconv explain {cause}" if explained else ""


def hint_on(cause: str) -> str:
    """Return the line that follows a ledger's: the command, and what it is for; empty as `command_on`.

    Args:
        cause: As for `command_on`.
    """
    command = command_on(cause)
    return f"{command}: why, and what to do" if command else ""


def see(cause: str) -> str:
    """Return ``"; see poreconv explain REASON"``, the end of a message about dropped reads; empty as `command_on`.

    Args:
        cause: As for `command_on`.
    """
    command = command_on(cause)
    return f"; see {command}" if command else ""


def alike(word: str) -> str:
    """Return a word as those that mean the same are compared.

    Args:
        word: Such as ``Leak guard``, ``leak-guard`` or ``leak_guard``.
    """
    return re.sub(r"[\s_-]+", "_", word.strip().lower())

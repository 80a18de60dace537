import inspect
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

import pytest
from hypothesis import given, strategies as st

from poreconv import errors
from poreconv.cli.main import COMMANDS, build_parser
from poreconv.cli.usage import arguments_of, leaf_of
from poreconv.errors import ConfigError
from poreconv.events.tasks import TASKS
from poreconv.reads.chemistry import CHEMISTRIES
from poreconv.runtime.explaining import (
    ERRORS,
    KINDS,
    NOTES,
    REASONS,
    TROUBLES,
    WORDS,
    Explanation,
    command_on,
    explain,
    explanations,
)
from tests.cli.test_usage import LEAVES
from tests.support.reasons import notes_in_code, reasons_in_code
from tests.test_house_rules import NOT_PLAIN

ALL = explanations()
KNOWN = [word for each in ALL for word in each.words]
LINE = {"files passed over"}
"""What the ledger's line calls `bad_file`."""
MOST_LINES, WIDTH = 5, 120


def words_of(kind: str) -> set[str]:
    """The words of a kind."""
    return {word for each in explanations([kind]) for word in each.words}


def unmatched(words: Iterable[str], others: Iterable[str]) -> list[str]:
    """Words that none of the others is or stands for, whichever of the two has a ``*``."""
    return [word for word in words if not any(fnmatchcase(word, each) or fnmatchcase(each, word) for each in others)]


@pytest.mark.parametrize(("kind", "in_code"), [(REASONS, reasons_in_code()), (NOTES, notes_in_code())])
def test_what_the_ledger_counts_is_explained(kind: str, in_code: set[str]) -> None:
    """Each reason and each note in the code, and none that is not there."""
    explained = words_of(kind) - LINE

    assert len(in_code) > 20
    assert unmatched(in_code, explained) == []
    assert unmatched(explained, in_code) == []


def test_every_error_is_explained() -> None:
    """By the name of its class; and so are the warnings."""
    classes = [name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)]

    assert words_of(ERRORS) == set(classes)


@pytest.mark.parametrize("word", [*CHEMISTRIES, *TASKS])
def test_codes_and_tasks_are_words_of_the_glossary(word: str) -> None:
    """What a user types or reads in a table."""
    assert [each.kind for each in explain(word)].count(WORDS) == 1


@pytest.mark.parametrize("each", ALL, ids=lambda each: f"{each.kind}-{each.words[0]}")
def test_texts_are_short_and_plain(each: Explanation) -> None:
    """A few lines that a terminal holds."""
    lines = each.text.splitlines()

    assert 1 <= len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= WIDTH
    assert lines[-1][-1] in ".`)"
    assert each.text.count("`") % 2 == 0
    assert NOT_PLAIN.findall(re.sub("`[^`]*`", "", each.text)) == []
    assert re.findall(r"[_*<>]", re.sub("`[^`]*`", "", each.text)) == []


@pytest.fixture(scope="module")
def flags() -> dict[str, set[str]]:
    """Command -> its flags."""
    return {" ".join(leaf): set(arguments_of(leaf_of(build_parser(leaf[:1], leaf), leaf))) for leaf in LEAVES}


def test_commands_in_texts_exist(flags: dict[str, set[str]]) -> None:
    """Each with its flags; and flags that stand alone are those of some command."""
    quoted = [code for each in ALL for code in re.findall("`([^`]*)`", each.text)]
    commands = [code.split() for code in quoted if code.startswith("poreconv ")]
    alone = [code.split()[0] for code in quoted if code.startswith("--") and "emit" not in code]

    assert [words for words in commands if words[1] not in {*COMMANDS, "COMMAND"}] == []
    used = [(words[1], word) for words in commands for word in words[2:] if word.startswith("-") and words[1] in flags]
    assert [each for each in used if each[1] not in flags[each[0]]] == []
    assert set(alone) - set().union(*flags.values()) == {"--peaks-file"}  # RawHash2's


def test_words_that_texts_send_to_are_explained() -> None:
    """``poreconv explain WORD`` in a text."""
    named = re.findall("`poreconv explain ([^`]*)`", "".join(each.text for each in ALL))

    assert [word for word in named if word not in {"REASON", "WORD"} and not explain(word)] == []


def test_each_word_is_explained_once_in_a_kind() -> None:
    """Of several texts on a word, each is of another kind."""
    for kind in KINDS:
        words = [word.lower() for each in explanations([kind]) for word in each.words]

        assert len(words) == len(set(words))


@given(st.sampled_from(KNOWN), st.sampled_from([str.upper, str.title, str.swapcase]), st.sampled_from("_- "))
def test_a_word_is_found_however_it_is_typed(word: str, changed: object, gap: str) -> None:
    """In any case; spaces, hyphens and underscores are alike."""
    typed = changed(re.sub(r"[\s_-]", gap, word))  # type: ignore[operator]

    assert explain(typed) == explain(word)


def test_a_family_of_reasons_is_one_text() -> None:
    """The end of such a reason is known only when a program gave it."""
    assert [each.words for each in explain("label_qc_suffclip")] == [("label_qc_*",)]


def test_an_unknown_word_is_an_error_with_the_nearest() -> None:
    """As of every table."""
    with pytest.raises(ConfigError, match=r"'leek guard' is not explained; did you mean leak_guard\? poreconv explain"):
        explain("leek guard")


def test_a_users_own_reason_has_no_command() -> None:
    """A hint that leads nowhere would be worse than none."""
    assert command_on("wrong_rate") == "poreconv explain wrong_rate"
    assert command_on("my_own_reason") == command_on("") == ""


def test_troubles_are_those_that_users_meet() -> None:
    """By the words that they would type."""
    met = {"slow", "out of memory", "no GPU", "pip took CUDA", "labels don't fit", "finds too many", "finds too few"}

    assert met <= words_of(TROUBLES)

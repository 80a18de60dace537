"""Command lines as people type them: hyphens for underscores, and one line about what cannot be read."""

import re
from argparse import Action
from collections.abc import Callable, Iterable, Sequence
from typing import get_origin

from jsonargparse import ArgumentParser

from poreconv.cli.help import choices_of, default_of, types_of, value_name
from poreconv.runtime.registry import did_you_mean


def with_underscores(words: Sequence[str]) -> list[str]:
    """Return a command line in which the names of flags have underscores, however they were typed.

    Args:
        words: The command line. Values stay as they are, and so does all that follows ``--``.
    """
    end = words.index("--") if "--" in words else len(words)
    return [_with_underscores(word) if i < end else word for i, word in enumerate(words)]


def _with_underscores(word: str) -> str:
    if not word.startswith("--"):
        return word
    name, equals, value = word[2:].partition("=")
    return f"--{name.replace('-', '_')}{equals}{value}"


def arguments_of(parser: ArgumentParser) -> dict[str, Action]:
    """Return every flag of a command, hidden ones too, and what is given without a flag, by name.

    Args:
        parser: Of the command.
    """
    return {name: action for action in parser._actions for name in action.option_strings or [action.dest]}


def leaf_of(parser: ArgumentParser, words: Iterable[str]) -> ArgumentParser:
    """Return the parser of the command that is named, such as that of ``simulate squiggle``.

    Args:
        parser: Of the whole command line.
        words: The command line.
    """
    for word in words:
        choices = [action.choices for action in arguments_of(parser).values() if isinstance(action.choices, dict)]
        if choices and word in choices[0]:
            parser = choices[0][word]
    return parser


def flag_of(parser: ArgumentParser, name: str) -> tuple[str, Action | None]:
    """Return the flag of a setting, and what it is; None if there is none.

    Args:
        parser: Of the command.
        name: ``batch_size``, ``train.batch_size``, ``COMMAND``, or flags as in ``--out/-o``.
    """
    known = {action.dest: action for action in arguments_of(parser).values()}
    flags = {flag: action.dest for flag, action in arguments_of(parser).items()}
    parts = name.lower().split(".")
    names = [flags.get(name.partition("/")[0], ""), *(".".join(parts[i:]) for i in range(len(parts)))]
    dest = next((each for each in names if each in known), name)
    return f"--{dest}", known.get(dest)


def problem_with(message: str, parser: ArgumentParser) -> str:
    """Put into one line what a command line lacks, or has too much.

    Args:
        message: As argparse or jsonargparse wrote it.
        parser: Of the command.
    """
    text = " ".join(message.split())
    for pattern, describe in PROBLEMS.items():
        if found := re.search(pattern, text):
            return describe(parser, **found.groupdict())
    return text


def _unexpected(parser: ArgumentParser, words: str) -> str:
    flag = next((word.partition("=")[0] for word in words.split() if word.startswith("-")), "")
    if not flag:
        return f"{words}: not expected here; see {parser.prog} --help"
    return f"{flag}: no such flag; {_meant(parser, flag.strip('-'), '--')}{parser.prog} --help lists them"


def _no_setting(parser: ArgumentParser, key: str) -> str:
    return f"--config: no setting {key}; {_meant(parser, key)}{parser.prog} --help lists them"


def _meant(parser: ArgumentParser, name: str, prefix: str = "") -> str:
    """Suggest a setting in place of one that there is not; its group may have been left out, as in ``--noise``."""
    known = [flag[2:] for flag in arguments_of(parser) if flag.startswith("--")]
    ends = {setting.rpartition(".")[2]: setting for setting in known}
    return did_you_mean(ends.get(name, name), known, prefix)


def _wrong_value(parser: ArgumentParser, key: str, value: str) -> str:
    flag, action = flag_of(parser, key)
    if action is None:
        return f"{flag} {value}: not a value for it"
    return f"{flag} {value}: {did_you_mean(value, choices_of(action))}{_wanted(action)}"


def _wanted(action: Action) -> str:
    kinds, choices = types_of(action), choices_of(action)
    if choices:
        return f"choose one of {', '.join(choices)}" + (", or give a number" if {int, float} & {*kinds} else "")
    example = f", such as {default}" if (default := default_of(action)) else ""
    if get_origin(kinds[0]) is tuple:
        return f"give numbers in brackets{example}"
    return f"give a {'whole ' if int in kinds else ''}number{example}"


def _wrong_choice(parser: ArgumentParser, name: str, value: str) -> str:
    action = flag_of(parser, name)[1]
    names = [] if action is None else choices_of(action)
    return f"{name.lower()} {value!r} is not known; {did_you_mean(value, names)}choose one of {', '.join(names)}"


def _missing(parser: ArgumentParser, keys: str) -> str:
    found = [flag_of(parser, key) for key in keys.split(", ")]
    names = [value_name(action) if action and not action.option_strings else flag for flag, action in found]
    return f"give {' and '.join(names)}; see {parser.prog} --help"


def _missing_choice(parser: ArgumentParser, key: str) -> str:
    action = flag_of(parser, key)[1]
    names = [] if action is None else choices_of(action)
    return f"give a {key.rpartition('.')[2]}: {', '.join(names)}; see {parser.prog} --help"


def _no_value(parser: ArgumentParser, name: str) -> str:
    flag, action = flag_of(parser, name)
    return f"{flag}: give its value" + (f", {value_name(action)}" if action is not None else "")


def _takes_none(parser: ArgumentParser, name: str, value: str) -> str:
    return f"{flag_of(parser, name)[0]}: takes no value; leave out {value}"


def _no_file(parser: ArgumentParser, key: str, path: str) -> str:
    return f"{flag_of(parser, key)[0]} {path}: no such file; check the path"


def _of_group(parser: ArgumentParser, key: str) -> str:
    members = [flag for flag in arguments_of(parser) if flag.startswith(f"--{key}.")]
    return f"--{key}: a group of settings; give them one by one, such as {members[0]}"


def _other(parser: ArgumentParser, key: str, text: str) -> str:
    return f"{flag_of(parser, key)[0]}: {text}"


PROBLEMS: dict[str, Callable[..., str]] = {
    r"unrecognized arguments: (?P<words>.+)": _unexpected,
    r'Parser key "(?P<key>[^"]+)": .*(?:Got|Given) value: (?P<value>.*)': _wrong_value,
    r"argument (?P<name>[^:]+): invalid choice: '?(?P<value>.*?)'? \(choose from": _wrong_choice,
    r"the following arguments are required: (?P<keys>.+)": _missing,
    r'expected "(?P<key>[^"]+)" to be one of .* but it was not provided': _missing_choice,
    r"argument (?P<name>[^:]+): expected (?:one|at least one) argument": _no_value,
    r"argument (?P<name>[^:]+): ignored explicit argument '?(?P<value>[^']*)'?": _takes_none,
    r"does not accept option '(?P<key>[^']+)'": _no_setting,
    r"""Parser key "(?P<key>[^"]+)": File does not exist: '?(?P<path>[^']*)'?""": _no_file,
    r'Parser key "(?P<key>[^"]+)": Unable to load config': _of_group,
    r'Parser key "(?P<key>[^"]+)": (?P<text>.*)': _other,
}
"""What argparse and jsonargparse write -> how it is described here; the first that fits counts."""

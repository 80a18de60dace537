"""The commands, from the same parsers that print their ``--help``."""

import re
from argparse import Action
from collections.abc import Iterator

from jsonargparse import ArgumentParser

from poreconv.cli.help import Help, is_hidden, value_name
from poreconv.cli.main import COMMANDS, build_parser
from poreconv.cli.usage import arguments_of, leaf_of
from scripts.site.pages import INCLUDED, Pages, table, toctree

OF_EVERY_COMMAND = {"--help", "--verbose", "--quiet", "--config", "--print_config"}
"""Flags that are described once, in the list of commands."""


def command_pages() -> Pages:
    """Return a page for each command, and a table of them with the flags that all of them have."""
    rows = [(f"[{name}](/generated/commands/{name}.md)", command.help) for name, command in COMMANDS.items()]
    parser = leaf_of(build_parser(["label"], ["label"]), ["label"])
    shared = [action for action in parser._actions if OF_EVERY_COMMAND & {*action.option_strings}]
    listed = table(["command", "does"], rows) + "\n## Flags of every command\n\n" + described(parser, shared)
    names = [f"generated/commands/{name}" for name in COMMANDS]
    pages = {f"commands/{name}.md": command_page(name) for name in COMMANDS}
    return pages | {f"{INCLUDED}/commands.md": listed + "\n" + toctree(*names, hidden=True)}


def command_page(name: str) -> str:
    """Return the page of a command: its usage, and its flags by group; of a command of commands, those of each.

    Args:
        name: Such as ``label``.
    """
    parser = leaf_of(build_parser([name], [name]), [name])
    text = f"# poreconv {name}\n\n" + body(parser, "##")
    for inner, sub in subcommands(parser).items():
        text += f"## poreconv {name} {inner}\n\n" + body(sub, "###")
    return text


def subcommands(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    """Return the commands inside a command, by name.

    Args:
        parser: Of the command.
    """
    choices = [action.choices for action in arguments_of(parser).values() if isinstance(action.choices, dict)]
    return choices[0] if choices else {}


def body(parser: ArgumentParser, heading: str) -> str:
    """Describe a command: what it does, an example, its usage, and its flags under headings.

    Args:
        parser: Of the command.
        heading: Hashes of the headings.
    """
    about, _, example = str(parser.description).partition("\nExample: ")
    usage = parser.format_usage().removeprefix("usage: ").strip()
    text = f"{in_markdown(about)}\n\n```{{code-block}} text\n{usage}\n```\n\n"
    text += f"Example:\n\n```{{code-block}} bash\n{example}\n```\n\n" if example else ""
    for title, actions in groups(parser):
        text += f"{heading} {title}\n\n{described(parser, actions)}"
    return text


def groups(parser: ArgumentParser) -> Iterator[tuple[str, list[Action]]]:
    """Yield the groups of a command's flags that users see, in the order of ``--help``.

    Args:
        parser: Of the command.
    """
    for group in parser._action_groups:
        actions = [
            action
            for action in group._group_actions
            if not is_hidden(action) and not OF_EVERY_COMMAND & {*action.option_strings}
            and not isinstance(action.choices, dict)
        ]  # fmt: skip
        if actions:
            title = str(group.title).strip().rstrip(":").partition(";")[0].partition(". ")[0]
            yield TITLES.get(title, title), actions


TITLES = {"positional arguments": "Given without a flag", "options": "Flags"}
"""Titles that a library gives -> ours."""


def described(parser: ArgumentParser, actions: list[Action]) -> str:
    """Return flags with their texts, as a list of definitions.

    Args:
        parser: Of the command.
        actions: The flags.
    """
    formatter = Help(parser.prog)
    lines = []
    for action in actions:
        typed = formatter._format_action_invocation(action) if action.option_strings else value_name(action)
        lines.append(f"`{typed}`\n: {in_markdown(formatter._get_help_string(action))}\n\n")
    return "".join(lines)


def in_markdown(text: str) -> str:
    """Return a help text with what Markdown would take for its own marks escaped, and flags as code.

    Args:
        text: The text; single backticks stay.
    """
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(part if part.startswith("`") else plain(part) for part in parts)


def plain(text: str) -> str:
    """Escape Markdown's marks in a text without code.

    Args:
        text: The text.
    """
    escaped = re.sub(r"([\\*_<>\[\]$|{}#])", r"\\\1", text)
    return re.sub(r"--[a-z](?:\w|\\_|\.(?=\w))*", lambda found: "`" + found[0].replace("\\", "") + "`", escaped)

"""The command that explains words."""

from jsonargparse import ArgumentParser, Namespace

from poreconv.cli.options import Command
from poreconv.cli.terminal import print_line


def _arguments(parser: ArgumentParser) -> None:
    text = (
        "A reason for which reads were dropped, an error, or a term, such as wrong_rate, FormatError, leak guard;"
        " case, hyphens and underscores do not matter. Default: list them all."
    )
    parser.add_argument("word", nargs="*", type=str, metavar="WORD", help=text)


def _explain(chosen: Namespace) -> None:
    from poreconv.commands.explain import explain, listing, render

    print_line(render(explain(" ".join(chosen.word))) if chosen.word else listing())


COMMANDS = {
    "explain": Command(
        _arguments,
        _explain,
        "What a drop reason, an error or a term means, and what to do.",
        "poreconv explain wrong_rate",
    ),
}

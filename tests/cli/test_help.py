import re

import pytest

from poreconv import config
from poreconv.cli.help import is_hidden, value_name
from poreconv.cli.main import COMMANDS, build_parser
from poreconv.cli.usage import arguments_of, leaf_of
from poreconv.models.architectures import ARCHITECTURES
from tests.cli.conftest import Command
from tests.cli.test_usage import LEAVES

WITH_NETWORKS = [*LEAVES, *(["train", "--network", name] for name in ARCHITECTURES)]

CLASSES = [name for name in config.__all__ if re.search("[a-z][A-Z]", name)]

NOT_FOR_READERS = re.compile(
    r"<class|==SUPPRESS==|\b(Literal|Path|PosixPath|NoneType|Optional|Union|typing|None|null|CONFIG|"
    + "|".join(CLASSES)
    + r")\b"
)
"""Names of Python and of classes."""


@pytest.mark.parametrize("words", WITH_NETWORKS, ids=" ".join)
def test_no_name_of_a_class_is_in_any_help(words: list[str], poreconv_: Command) -> None:
    """Help is for people: what to type, what it means, what it is by default."""
    done = poreconv_(*words, "--help")

    assert done.code == 0
    assert NOT_FOR_READERS.findall(done.out) == []


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_the_usage_is_short(words: list[str], poreconv_: Command) -> None:
    """It contains what must be given, and that there are flags."""
    usage = poreconv_(*words, "--help").out.partition("\n\n")[0]

    assert usage.startswith(f"usage: poreconv {' '.join(words)} ")
    assert usage.endswith("[flags]")
    assert usage.count("\n") <= 1


@pytest.mark.parametrize("words", WITH_NETWORKS, ids=" ".join)
def test_every_flag_has_a_text(words: list[str]) -> None:
    """One that is shown is described, in a sentence."""
    leaf = leaf_of(build_parser(words[:1], words), words)
    shown = [action for action in arguments_of(leaf).values() if not is_hidden(action)]

    assert [action.dest for action in shown if not (action.help or "").strip()] == []
    assert [action.dest for action in shown if "`" in value_name(action)] == []


def test_values_defaults_and_units_are_shown(poreconv_: Command) -> None:
    """What stands for a value shows its kind or its unit; the default is shown as it is typed."""
    shown = poreconv_("train", "--network", "tcn", "--help").out
    simulating = " ".join(poreconv_("simulate", "heartbeat", "--help").out.split())

    assert re.search(r"--max_steps N +Number of optimiser steps", shown)
    assert "(default: 200)" in shown
    assert "--precision auto,32,bf16" in shown
    assert "--devices auto,N" in shown
    assert "--max_time TIME" in shown
    assert "--chunk_samples SAMPLES" in shown
    assert "--tcn.dilations [N,...]" in shown
    assert "[1,2,4,8,16,32])" in shown
    assert "-o, --out FOLDER" in shown
    assert "--sample_rate_hz HZ Sample rate, Hz. (default: 250)" in simulating
    assert "--noise_pa PA" in simulating


def test_the_settings_of_a_network_are_shown_when_it_is_named(poreconv_: Command) -> None:
    """The help of `train` alone has none of them, and that with a network has its own."""
    alone, with_tcn, equals = (poreconv_("train", *words, "--help").out for words in NAMED)

    assert not [name for name in ARCHITECTURES if f"--{name}." in alone]
    assert [name for name in ARCHITECTURES if f"--{name}." in with_tcn] == ["tcn"]
    assert with_tcn == equals
    assert "--network NAME --help" in alone


NAMED: list[list[str]] = [[], ["--network", "tcn"], ["--network=tcn"]]
"""Ways to name a network, or none."""


def test_the_version(poreconv_: Command) -> None:
    """The name of the program and three numbers."""
    assert re.fullmatch(r"poreconv \d+\.\d+\.\d+\S*\n", poreconv_("--version").out)


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_commands_flags_and_names(shell: str, poreconv_: Command) -> None:
    """The script contains every command, the settings of networks too, and names from the tables."""
    script = poreconv_("--print-completion", shell).out

    assert [name for name in [*COMMANDS, "tcn.channels", "resquiggle_paf", "bf16"] if name not in script] == []
    assert "typing" not in script

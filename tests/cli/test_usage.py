import shlex

import pytest

from poreconv.cli.main import COMMANDS, build_parser
from poreconv.cli.usage import arguments_of, leaf_of, with_underscores
from tests.cli.conftest import Command

LEAVES = [["simulate", "heartbeat"], ["simulate", "squiggle"], *([name] for name in COMMANDS if name != "simulate")]
"""The words of every command that has flags of its own."""


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_flag_is_accepted_with_hyphens_and_with_underscores(words: list[str]) -> None:
    """Both are the same flag, with the value after a space or an equals sign."""
    leaf = leaf_of(build_parser(words[:1], words), words)
    flags = [flag for flag in arguments_of(leaf) if flag.startswith("--")]
    hyphened = ["--" + flag[2:].replace("_", "-") for flag in flags]

    assert len(flags) >= 3
    assert with_underscores(hyphened) == flags
    assert with_underscores([f"{flag}=a-b_c" for flag in hyphened]) == [f"{flag}=a-b_c" for flag in flags]


def test_hyphens_work_from_end_to_end(poreconv_: Command) -> None:
    """Settings of a command, of a group, and flags without a value."""
    words = "prepare in --labels tombo --out out --print-config"
    settings = "--skip-bad-files --split.test=0.3 --filter.min-samples 7 --labels-from a-b.tsv"
    underscores = settings.replace("-bad-", "_bad_").replace("min-", "min_").replace("labels-", "labels_")
    hyphened = poreconv_(*shlex.split(words), *shlex.split(settings))

    assert hyphened == poreconv_(*shlex.split(words), *shlex.split(underscores))
    assert "min_samples: 7" in hyphened.out
    assert "a-b.tsv" in hyphened.out


def test_values_keep_their_hyphens() -> None:
    """Only names of flags are rewritten, and nothing after two hyphens alone."""
    words = ["label", "my-model", "--out=my-out", "--read-ids", "my-ids", "-o", "a-b", "--", "--my-file"]

    assert with_underscores(words) == [*words[:3], "--read_ids", *words[4:]]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "give a command: inspect, health"),
        ("bake", "command 'bake' is not known; choose one of inspect, health"),
        ("lable m in", "did you mean label? choose one of inspect"),
        ("simulate", "give a simulator: heartbeat, squiggle"),
        ("simulate hartbeat", "simulator 'hartbeat' is not known; did you mean heartbeat?"),
        ("simulate heartbeat", "give --out; see poreconv simulate heartbeat --help"),
        ("train", "give PATH and --out; see poreconv train --help"),
        ("train in --out", "--out: give its value, FOLDER"),
        ("train in -o run --colour red", "--colour: no such flag; poreconv train --help lists them"),
        ("train in -o run --max-stepz=3", "--max_stepz: no such flag; did you mean --max_steps?"),
        ("train in -o run --noise 0.1", "--noise: no such flag; did you mean --augment.noise?"),
        ("train in -o run --max_steps", "--max_steps: give its value, N"),
        ("train in -o run --max_steps many", "--max_steps many: give a whole number"),
        ("train in -o run --warmup much", "--warmup much: give a number, such as 0.1"),
        ("train in -o run --devices many", "--devices many: choose one of auto, or give a number"),
        ("train in -o run --tcn.dilations many", "--tcn.dilations many: give numbers in brackets, such as [1,2,4,8,16"),
        ("train in -o run --unet.batch_norm maybe", "--unet.batch_norm maybe: choose one of true, false"),
        (
            "train in -o run --augment x",
            "--augment: a group of settings; give them one by one, such as --augment.noise",
        ),
        ("train in -o run --compile=yes", "--compile: takes no value; leave out yes"),
        ("train in -o run --ordered=maybe", "--ordered maybe: choose one of auto, yes, no"),
        ("train in -o run --config nowhere.yaml", "nowhere.yaml: no such file"),
        ("prepare in --labels tombo -o out --split.by reed", "did you mean read? choose one of read, run, channel"),
        ("prepare in --labels tombo -o out --resample_hz x", "--resample_hz x: give a number"),
        ("evaluate m in --split tset", "--split tset: did you mean test? choose one of test, validation, train, all"),
        ("report run more -o page.html", "more: not expected here; see poreconv report --help"),
        ("label m in -o x -b 4", "-b: no such flag; poreconv label --help lists them"),
        ("--print_completion fish", "choose one of bash, zsh, tcsh"),
    ],
)
def test_a_command_line_that_cannot_be_read_is_one_line(line: str, message: str, poreconv_: Command) -> None:
    """It names what is wrong and what to do; the exit code is 2."""
    done = poreconv_(*shlex.split(line))

    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert message in done.err
    assert not [name for name in ("class", "typing", "Literal", "Parser key") if name in done.err]


def test_a_setting_that_a_config_misspells(poreconv_: Command) -> None:
    """The setting that was meant is named."""
    done = poreconv_("label", "model", "in", "--out", "out.tsv", "--config", "{batch_sise: 3}")

    assert done.code == 2
    assert "--config: no setting batch_sise; did you mean batch_size?" in done.err


def test_settings_of_another_network_are_refused(poreconv_: Command) -> None:
    """They would have no effect."""
    done = poreconv_("train", "store", "--out", "run", "--network", "tcn", "--unet.dropout", 0.5)

    assert done.code == 1
    assert "--unet: " in done.err
    assert "give --network unet" in done.err

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import poreconv
from poreconv.cli.main import COMMANDS
from poreconv.config import WorkConfig
from tests.cli.conftest import Command, Done
from tests.support.data import HALVES, simulated
from tests.support.models import bundle_at

HEAVY = ("torch", "lightning", "torchmetrics", "numpy", "h5py", "pyarrow", "numba", "pod5", "matplotlib")


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with simulated squiggles."""
    return simulated(tmp_path_factory.mktemp("reads") / "simulated")


def test_help_loads_nothing_heavy() -> None:
    """The help of all commands needs neither torch nor numpy nor a signal library."""
    look = (
        "import sys\n"
        "from poreconv.cli.main import build_parser, COMMANDS\n"
        "for name in ['', *COMMANDS]: build_parser([name]).format_help()\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_help_names_every_command(poreconv_: Command) -> None:
    """`poreconv --help` lists the commands with a word on each."""
    done = poreconv_("--help")

    assert done.code == 0
    assert all(name in done.out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_has_an_example(name: str, poreconv_: Command) -> None:
    """Each command's help describes it, with an example that begins like the command."""
    done = poreconv_(name, "--help")
    words = " ".join(done.out.split())

    assert done.code == 0
    assert COMMANDS[name].help in words
    assert f"Example: poreconv {name} " in words


def test_the_commands_and_the_simulator(poreconv_: Command, tmp_path: Path) -> None:
    """From simulated reads to a judged model and a table of events, each command prints what it wrote."""
    reads, store, run = tmp_path / "reads", tmp_path / "store", tmp_path / "run"
    model, events = run / "model.safetensors", tmp_path / "events.tsv"
    short = ["--bases_mean", 120, "--bases_min", 80]
    simulating = poreconv_("simulate", "squiggle", "--reads", 20, "--seed", 1, "--out", reads, *short)
    inspecting = poreconv_("inspect", reads)
    labels = ["--labels", "intervals", "--labels_from", reads / "events.tsv"]
    shares = ["--split.validation", 0.3, "--split.test", 0.3]
    preparing = poreconv_("prepare", reads, *labels, "--out", store, "--workers", 1, *shares)
    few = ["--max_steps", 4, "--validate_every", 2, "--batch_size", 4, "--chunk_samples", 200, "--tcn.channels", 4]
    training = poreconv_("train", store, "--network", "tcn", "--out", run, "--accelerator", "cpu", *few)
    judging = poreconv_("evaluate", model, store, "--baselines", "uniform", "--out", tmp_path / "report.json")
    reporting = poreconv_("report", run, "--out", tmp_path / "run.html")
    judging_files = poreconv_("evaluate", model, reads, *labels, "--workers", 1, "--baselines")
    labelling = poreconv_("label", model, reads, "--out", events)

    assert simulating == Done(0, f"{reads}: 20 reads\n", "")
    assert "dna_r9.4.1" in inspecting.out
    assert "reads in 20 = kept 20 + dropped 0" in inspecting.out
    assert "boundary" in preparing.out
    assert preparing.err == "reads in 20 = kept 20 + dropped 0\n"
    assert training.out == f"{model}\n"
    assert training.err.startswith("The training took 4 steps and was validated twice: too little to judge")
    assert "uniform" in judging.out
    assert json.loads((tmp_path / "report.json").read_text())["scores"].keys() == {"model", "uniform"}
    assert reporting == Done(0, f"{tmp_path / 'run.html'}\n", "")
    assert (tmp_path / "run.html").read_text() == (run / "report.html").read_text()
    assert "model" in judging_files.out
    assert "in_train" in judging_files.err
    assert labelling.out == f"{events}\n"
    assert labelling.err.startswith("reads in 20 = kept 20 + dropped 0")
    assert events.read_text().startswith("read_id\tstart\tend\tlabel\tscore\tmean_pa\tsd_pa\n")
    assert json.loads((tmp_path / "events.tsv.ledger.json").read_text())["kept"] == 20


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["inspect", "nowhere"], "nowhere: no such file or folder"),
        (["prepare", "READS", "--labels", "oracle", "--out", "store"], "label source 'oracle' is not known"),
        (["prepare", "READS", "--labels", "intervals", "--out", "store"], "give it with --labels_from"),
        (["train", "READS", "--out", "run"], "not a store (it has no dataset.json)"),
        (["train", "READS", "--out", "run", "--warmup", "2"], "warmup: 2.0; must lie between 0 and 1"),
        (["train", "READS", "--out", "run", "--max_time", "10"], "max_time: '10'; give a time such as 10m"),
        (["evaluate", "MODEL", "READS"], "not a store (it has no dataset.json)"),
        (["evaluate", "READS/events.tsv", "READS", "--labels", "tombo"], "not a safetensors file"),
        (["label", "MODEL", "READS", "--out", "events.xlsx"], "end the name in .tsv or .parquet"),
        (["label", "MODEL", "READS", "--out", "events.tsv", "--chunk_samples", "1"], "chunk_samples: 1"),
        (["label", "MODEL", "READS/events.tsv", "--out", "events.tsv"], "it looks like text"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, list) else "",
)
def test_an_error_is_one_line(
    words: list[str], message: str, poreconv_: Command, reads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error is one line on stderr, after the command's name; the exit code is 1."""
    monkeypatch.chdir(tmp_path)
    model = bundle_at(tmp_path / "model.safetensors")
    done = poreconv_(*[word.replace("READS", str(reads)).replace("MODEL", str(model)) for word in words])

    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"poreconv {words[0]}: ")
    assert message in done.err


def test_an_unknown_model_is_one_line(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """An architecture that does not exist is answered with those that do."""
    labels = ["--labels", "intervals", "--labels_from", reads / "events.tsv", "--workers", 1]
    poreconv_("prepare", reads, *labels, "--out", tmp_path / "store", "--split.validation", 0.3)
    done = poreconv_("train", tmp_path / "store", "--network", "lstm", "--out", tmp_path / "run")

    assert (done.code, done.err.count("\n")) == (1, 1)
    assert "network 'lstm' is not known; choose one of heartbeat, dense, tcn" in done.err


def test_brackets_are_no_markup(poreconv_: Command, tmp_path: Path) -> None:
    """A path in brackets stands in messages and results as it is."""
    missing = poreconv_("inspect", tmp_path / "[red]" / "[/red]")
    made = poreconv_("simulate", "heartbeat", "--reads", 1, "--out", tmp_path / "[bold]run")

    assert f"{tmp_path}/[red]/[/red]: no such file" in missing.err
    assert made.out == f"{tmp_path}/[bold]run: 1 reads\n"


def test_long_lines_are_not_wrapped(poreconv_: Command, tmp_path: Path) -> None:
    """A path longer than a terminal is wide stays on one line, so that a script can read it."""
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    made = poreconv_("simulate", "heartbeat", "--reads", 1, "--out", deep)

    assert made.out == f"{deep}: 1 reads\n"


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ("prepare", ["--task", "segment", "--split.seed", 5, "--outside", "background", "--skip_bad_files"]),
        ("train", ["--max_steps", 7, "--tcn.dilations", "[1,3]", "--augment.noise", 0.25, "--ordered", "no"]),
        ("evaluate", ["--split", "all", "--precision", "bf16"]),
        ("label", ["--chunk_samples", 640]),
        ("tails", ["--chunk_samples", 640, "--nucleotides_per_s", 100]),
    ],
)
def test_a_printed_config_gives_the_same_settings(
    command: str, settings: list[object], poreconv_: Command, tmp_path: Path
) -> None:
    """The YAML that --print_config writes, given with --config, sets the same values; flags beside it win."""
    words = {
        "prepare": ["in", "--labels", "tombo", "--out", "out"],
        "train": ["in", "--out", "out"],
        "evaluate": ["model", "in"],
        "label": ["model", "in", "--out", "out.tsv"],
        "tails": ["model", "in", "--out", "out.tsv"],
    }[command]
    printed = poreconv_(command, *words, *settings, "--print_config").out
    (tmp_path / "config.yaml").write_text(printed)
    again = poreconv_(command, *words, "--config", tmp_path / "config.yaml", "--print_config").out

    assert yaml.safe_load(again) == yaml.safe_load(printed)
    assert yaml.safe_load(printed) != yaml.safe_load(poreconv_(command, *words, "--print_config").out)


def test_a_config_file_is_obeyed(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """Settings of a file take effect, and a flag overrides them."""
    (tmp_path / "config.yaml").write_text("task: base\nsplit:\n  seed: 3\nworkers: 1\n")
    labels = ["--labels", "intervals", "--labels_from", reads / "events.tsv"]
    poreconv_(
        "prepare", reads, *labels, "--out", tmp_path / "s", "--config", tmp_path / "config.yaml", "--split.seed", 4
    )
    described = json.loads((tmp_path / "s" / "dataset.json").read_text())

    assert (described["task"], described["split"]["seed"]) == ("base", 4)


@pytest.mark.parametrize("name", poreconv.__all__)
def test_the_api_is_there(name: str) -> None:
    """Every exported name resolves to a thing of that name, documented."""
    thing = getattr(poreconv, name)

    assert getattr(thing, "__name__", name).rpartition(".")[2] == name
    assert thing.__doc__


def test_the_api_is_lazy() -> None:
    """Importing the package, and opening nothing, loads nothing heavy."""
    look = f"import sys, poreconv; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_name_that_is_not_exported() -> None:
    """A misspelt name is an AttributeError, as in any module."""
    with pytest.raises(AttributeError, match="No poreconv attribute lable"):
        poreconv.lable  # noqa: B018


def test_the_api_takes_strings(reads: Path, tmp_path: Path) -> None:
    """What the commands do, the functions do with plain strings, and a labeller labels a read."""
    config = poreconv.config.PrepareConfig(split=HALVES, work=WorkConfig(workers=1))
    files, table = str(reads / "reads.fast5"), str(reads / "events.tsv")
    store = poreconv.prepare(files, labels="intervals", labels_from=[table], out=str(tmp_path / "store"), config=config)
    labeller = poreconv.load(str(bundle_at(tmp_path / "model.safetensors")), device="cpu")
    with poreconv.open_reads(files) as stream:
        events = labeller(next(iter(stream)))

    assert len(store) == 20
    assert events.coverage.tolist() == [[0, events.coverage[0, 1]]]

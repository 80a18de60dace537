import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from rich.markup import escape
from rich.table import Table

from poreconv.models.bundle import save_bundle
from poreconv.reads.readers import open_reads
from poreconv.runtime.messages import PrintableConsole
from tests.cli.conftest import Command, Done
from tests.support.data import simulated
from tests.support.models import bundle_at, card_for, random_network, recipe_for


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 20 simulated squiggles."""
    return simulated(tmp_path_factory.mktemp("reads") / "simulated")


def test_verbose_shows_settings_and_files(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """Flags in use as they are typed, and each file as it is read; stdout stays the same."""
    words = ["convert", reads, "--labels", "intervals", "--labels_from", reads / "events.tsv", "--workers", 1]
    plain = poreconv_(*words, "--out", tmp_path / "plain.tsv")
    verbose = poreconv_(*words, "--out", tmp_path / "verbose.tsv", "-v")
    lines = verbose.err.splitlines()

    assert f"--labels_from {reads / 'events.tsv'}" in lines
    assert "--workers 1" in lines
    assert "--outside unknown" in lines
    assert f"reading {reads / 'reads.fast5'}" in lines
    assert lines[-1:] == plain.err.splitlines() == ["reads in 20 = kept 20 + dropped 0"]
    assert plain.out.replace("plain", "verbose") == verbose.out


def test_workers_are_verbose_too(reads: Path, tmp_path: Path) -> None:
    """Each process names the files that it reads."""
    other = simulated(tmp_path / "other", seed=1)
    prepare = ["prepare", str(reads / "reads.fast5"), str(other / "reads.fast5"), "--workers", "2", "-v"]
    labels = ["--labels", "intervals", "--labels_from", str(reads / "events.tsv"), "--out", str(tmp_path / "store")]
    program = "from poreconv.reads import pieces; pieces.JOB_BYTES = 1; from poreconv.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *prepare, *labels], capture_output=True, text=True, check=True
    )

    assert f"reading {reads / 'reads.fast5'}, reads 0 to 0\n" in done.stderr
    assert f"reading {other / 'reads.fast5'}, reads 19 to 19\n" in done.stderr


def test_quiet_shows_errors_only(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """No names of files, no ledger; but what was asked for on stdout, and errors."""
    made = ["convert", reads, "--labels", "intervals", "--labels_from", reads / "events.tsv", "--workers", 1]
    silent = poreconv_(*made, "--out", tmp_path / "events.tsv", "-q")
    failed = poreconv_(*made, "--out", tmp_path / "events.tsv", "--quiet")
    inspected = poreconv_("inspect", reads, "-q")

    assert silent == Done(0, "", "")
    assert failed.code == 1
    assert "exists already" in failed.err
    assert "dna_r9.4.1" in inspected.out


def test_a_few_reads_of_a_large_run(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """Every command that takes signal files has the same flags for it, and counts the others."""
    model, ids = bundle_at(tmp_path / "model.safetensors"), tmp_path / "ids.txt"
    with open_reads(reads) as stream:
        chosen = stream.read_ids[3:9]
    ids.write_text("\n".join(chosen))
    few = ["--read-ids", ids, "--limit", 4]
    labels = ["--labels", "intervals", "--labels_from", reads / "events.tsv"]
    out = [tmp_path / name for name in ("c.tsv", "store", "l.tsv", "s.tsv", "k.txt")]
    commands = [
        ["convert", reads, *labels, "--out", out[0], "--workers", 1],
        ["prepare", reads, *labels, "--out", out[1], "--workers", 1, "--split.validation", 0.5],
        ["label", model, reads, "--out", out[2], "--workers", 1, "--accelerator", "cpu"],
        ["stream", model, reads, "--out", out[3], "--seconds", 1, "--channels", 4, "--speed", "max", "--workers", 1],
        ["kmers", reads, *labels, "--k", 1, "--out", out[4]],
        ["inspect", reads],
    ]
    done = [poreconv_(*words, *few) for words in commands]

    assert [each.code for each in done] == [0] * len(commands)
    assert [each.err + each.out for each in done if "(not_asked 16)" not in each.err + each.out] == []
    assert "reads in 20 = kept 4 + dropped 16 (not_asked 16)" in done[0].err
    written = [line.split("\t")[0] for line in out[0].read_text().splitlines()[1:]]
    assert list(dict.fromkeys(written)) == chosen[:4]
    assert json.loads((tmp_path / "l.tsv.ledger.json").read_text())["dropped"] == {"not_asked": 16}


def test_a_store_is_judged_as_it_is(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """Its reads were chosen when it was prepared."""
    labels = ["--labels", "intervals", "--labels_from", reads / "events.tsv", "--workers", 1]
    poreconv_("prepare", reads, *labels, "--out", tmp_path / "store")
    done = poreconv_("evaluate", bundle_at(tmp_path / "model.safetensors"), tmp_path / "store", "--limit", 3)

    assert (done.code, done.out) == (1, "")
    assert "read_ids and limit choose reads of signal files" in done.err


@pytest.mark.parametrize("command", ["label", "tails", "stream", "evaluate", "plot"])
def test_an_accelerator_that_is_not_there(
    command: str, poreconv_: Command, reads: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a network runs it can be chosen, and one line reports that this machine has none."""
    model = bundle_at(tmp_path / "m.safetensors", classes=("polya", "transcript"), task="segment")
    words = {
        "label": [model, reads, "--out", tmp_path / "out.tsv", "--workers", 1],
        "tails": [model, reads, "--out", tmp_path / "out.tsv", "--workers", 1, "--nucleotides_per_s", 70],
        "stream": [model, reads, "--seconds", 1, "--channels", 1, "--workers", 1],
        "evaluate": [model, reads, "--labels", "intervals", "--labels_from", reads / "events.tsv"],
        "plot": [reads, "--model", model, "--out", tmp_path / "out.png"],
    }[command]
    done = poreconv_(command, *words, "--accelerator", "abacus")

    assert done.code == 1
    assert "accelerator 'abacus': cannot be used here (not a device of torch); use cpu, or auto" in done.err
    assert not (tmp_path / ".out.tsv.parts").exists()


@given(st.text())
@settings(max_examples=50)
def test_a_terminal_gets_printable_characters_only(text: str) -> None:
    """Escape codes in a file's texts are not acted on: in a message, and in a table."""
    for shown in (text, table_of(text)):
        written = io.StringIO()
        PrintableConsole(file=written, width=80).print(shown, markup=False, highlight=False)

        assert all(line.isprintable() for line in written.getvalue().split("\n"))


def table_of(text: str) -> Table:
    """A table with a text as title, head and cell."""
    table = Table(escape(text), title=escape(text))
    table.add_row(escape(text))
    return table


def test_a_strangers_model_sends_no_codes_to_the_terminal(poreconv_: Command, tmp_path: Path) -> None:
    """A card shows the texts of the model's recipe."""
    codes = "dna_\x1b[2J\x1b[31mhacked\x9b"
    model = tmp_path / "model.safetensors"
    save_bundle(model, random_network("tcn"), recipe_for("tcn", chemistries=(codes,)), card_for())
    shown = poreconv_("models", model)

    assert "dna_?[2J?[31mhacked?" in shown.out
    assert all(line.isprintable() for line in shown.out.split("\n"))


def test_a_strangers_table_sends_no_codes_to_the_terminal(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """An error quotes what it could not read."""
    (tmp_path / "l.tsv").write_text("read_id\tstart\tend\tlabel\nx\t\x1b]0;owned\x07\x1b[31m1\t5\ta\n")
    labels = ["--labels", "intervals", "--labels_from", tmp_path / "l.tsv"]
    failed = poreconv_("convert", reads, *labels, "--out", tmp_path / "events.tsv")

    assert failed.code == 1
    assert "owned" in failed.err
    assert failed.err.removesuffix("\n").isprintable()

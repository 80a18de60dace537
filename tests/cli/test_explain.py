from pathlib import Path

import pytest

from poreconv.runtime.explaining import explanations
from tests.cli.conftest import Command
from tests.support.data import simulated
from tests.support.models import bundle_at


@pytest.fixture(scope="module")
def reads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with simulated squiggles."""
    return simulated(tmp_path_factory.mktemp("reads") / "simulated")


def test_a_word_is_explained(poreconv_: Command) -> None:
    """Its text on stdout, below the word; several words are one term."""
    reason, term = poreconv_("explain", "wrong_rate"), poreconv_("explain", "Leak", "guard")

    assert (reason.code, reason.err) == (0, "")
    assert reason.out.startswith("wrong_rate (Reads dropped")
    assert "--resample" in reason.out
    assert term.out.startswith("leak guard (")
    assert term == poreconv_("explain", "leak-guard", "-q")


def test_without_a_word_all_are_listed(poreconv_: Command) -> None:
    """By group, in lines that a terminal holds."""
    listed = poreconv_("explain").out

    assert [word for each in explanations() for word in each.words if word not in " ".join(listed.split())] == []
    assert [line for line in listed.splitlines() if len(line) > 100] == []


def test_an_unknown_word_is_one_line(poreconv_: Command) -> None:
    """With the nearest that is known."""
    done = poreconv_("explain", "wrong_rat")

    assert (done.code, done.out) == (1, "")
    assert done.err == (
        "poreconv explain: 'wrong_rat' is not explained; did you mean wrong_rate? poreconv explain lists what is\n"
    )


def test_drops_are_followed_by_what_explains_them(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """Once per command, the most frequent reason; nothing where nothing was dropped, or if only errors are shown."""
    few, ids = tmp_path / "few.tsv", [line.split("\t")[0] for line in (reads / "events.tsv").read_text().splitlines()]
    few.write_text(
        "read_id\tstart\tend\tlabel\n" + "".join(f"{read_id}\t0\t9\tx\n" for read_id in {*ids[1:]} - {ids[1]})
    )
    convert = ["convert", reads, "--labels", "intervals", "--workers", 1, "--labels_from"]
    dropped = poreconv_(*convert, few, "--out", tmp_path / "few_events.tsv")
    asked = poreconv_(*convert, reads / "events.tsv", "--out", tmp_path / "asked.tsv", "--limit", 3)
    quiet = poreconv_(*convert, few, "--out", tmp_path / "quiet.tsv", "-q")

    assert dropped.err.splitlines() == [
        "reads in 20 = kept 19 + dropped 1 (no_label 1)",
        "poreconv explain no_label: why, and what to do",
    ]
    assert asked.err == "reads in 20 = kept 3 + dropped 17 (not_asked 17)\n"
    assert quiet.err == ""


@pytest.mark.filterwarnings("ignore::poreconv.errors.MisfitWarning")
def test_an_error_about_drops_ends_with_what_explains_them(poreconv_: Command, reads: Path, tmp_path: Path) -> None:
    """Where no read fits, the command ends with one line, and that names it."""
    model = bundle_at(tmp_path / "model.safetensors", chemistries=("rna004",))
    done = poreconv_("label", model, reads, "--out", tmp_path / "events.tsv", "--workers", 1)

    assert done.code == 1
    assert done.err.count("\n") == 1
    assert done.err.endswith("; see poreconv explain wrong_chemistry\n")

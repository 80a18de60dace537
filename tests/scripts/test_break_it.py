"""The small twin of the study of damaged files."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from scripts.studies import break_it
from scripts.studies.break_it import CRASH, FAULTS, HANG, OTHER, try_form
from scripts.studies.broken_files import FORMS, damaged
from scripts.studies.results import ROOT

ALL = "from scripts.studies.break_it import child, FORMS; [child(form, 7, range(3)) for form in FORMS]"


@pytest.mark.parametrize("form", FORMS)
def test_a_good_file_is_read_twice_alike(form: str, tmp_path: Path) -> None:
    """Otherwise the study would find changes where there are none, or none at all."""
    path = tmp_path / f"good{FORMS[form].suffix}"
    FORMS[form].write(path)
    found = FORMS[form].read(path)

    assert found
    assert FORMS[form].read(path) == found


def test_a_mutant_follows_from_its_seed_and_number() -> None:
    """So that one that was found can be made again."""
    content = bytes(range(256)) * 8
    one, again, other = (damaged(content, np.random.default_rng(seed)) for seed in (3, 3, 4))

    assert one == again != content
    assert one != other


def test_a_few_mutants_of_every_format_end_as_they_must() -> None:
    """In reads, drops by name or one line; in a process of its own, lest a crash takes the tests."""
    done = subprocess.run([sys.executable, "-c", ALL], cwd=ROOT, capture_output=True, text=True, check=False)
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stderr
    assert len(outcomes) == 3 * len(FORMS)
    assert [each for each in outcomes if each[1] in FAULTS] == []
    for form, (_, outcome, _) in zip([form for form in FORMS for _ in range(3)], outcomes, strict=True):
        assert not (FORMS[form].checked and outcome == OTHER), form


@pytest.mark.parametrize(
    ("program", "outcome"),
    [("import os; os.abort()", CRASH), ("import signal, time; signal.alarm(1); time.sleep(60)", HANG)],
)
def test_a_process_that_dies_or_hangs_is_counted(program: str, outcome: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mutant at which it happens is one, and the next ones are tried in a new process."""
    monkeypatch.setattr(break_it, "PROGRAM", program)
    tried = try_form("slow5", 0, 2)

    assert tried.outcomes == {outcome: 2}
    assert len(tried.faults) == 2

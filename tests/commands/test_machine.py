"""What the machine refuses, met by whole commands: one line, exit 1, nothing under the final name."""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poreconv.cli.main import main
from tests.commands.test_kill_points import COMMANDS, inputs, words_of
from tests.support.faults import make_read_only, small_disk, tree

__all__ = ["inputs"]

FULL = "no space left on device"


def refusal(words: list[str], caplog: pytest.LogCaptureFixture) -> str:
    """Run a command that fails; gives its message, after checking that it is one line."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    message = caplog.messages[-1]
    assert ended.value.code == 1, message
    assert "\n" not in message
    return message


@contextmanager
def filled(disk: Path, left: int) -> Iterator[None]:
    """Fill a disk, but for some bytes."""
    free = os.statvfs(disk)
    (disk / "filling").write_bytes(bytes(free.f_bavail * free.f_frsize - left))
    yield
    (disk / "filling").unlink()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("left", [0, 8192])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_is_one_line(
    name: str, left: int, inputs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It names the output as it was typed; with more space the same command goes on, and gives the same."""
    with small_disk(tmp_path / "disk", "8m") as disk:
        words = words_of(COMMANDS[name], inputs, disk)
        out = Path(words[words.index("--out") + 1])
        with filled(disk, left):
            try:
                line = refusal(words, caplog)
            except pytest.fail.Exception:
                assert left  # the output is so small
                return
            names = [path for path in tree(disk) if path != "filling"]
        main(words)

        assert line.startswith(f"poreconv {name}: {out}")
        assert FULL in line or "the disk may be full" in line
        assert not [path for path in names if not path.startswith(".") and name != "train"]
        assert not [*disk.glob(".*")]


@pytest.mark.parametrize("name", ["label", "convert", "prepare", "simulate", "export", "kmers", "plot"])
def test_a_limit_on_the_size_of_files_is_one_line(
    name: str, inputs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As ``ulimit -f`` sets it."""
    words = words_of(COMMANDS[name], inputs, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        line = refusal(words, caplog)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert "file too large" in line.lower()
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_read_only_folder_is_one_line(
    name: str, inputs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file system that is mounted so, which binds root, too."""
    with small_disk(tmp_path / "disk") as disk:
        words = words_of(COMMANDS[name], inputs, disk)
        make_read_only(disk)
        line = refusal(words, caplog)

    out = words[words.index("--out") + 1]
    assert line == f"poreconv {name}: {out}: read-only file system; choose another place"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_name_that_is_too_long_is_one_line(
    name: str, inputs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Before anything is computed."""
    words = words_of(COMMANDS[name], inputs, tmp_path)
    place = words.index("--out") + 1
    words[place] = str(tmp_path / f"{'x' * 256}{Path(words[place]).suffix}")
    line = refusal(words, caplog)

    assert line == f"poreconv {name}: {words[place]}: file name too long; choose a shorter one"
    assert tree(tmp_path) == {}


def test_a_table_whose_ledger_would_have_too_long_a_name_is_refused(
    inputs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """249 letters are allowed, but not with the ledger's ending."""
    words = words_of(COMMANDS["label"], inputs, tmp_path)
    words[words.index("--out") + 1] = str(tmp_path / f"{'x' * 245}.tsv")

    assert refusal(words, caplog).endswith(".tsv.ledger.json: file name too long; choose a shorter one")
    assert tree(tmp_path) == {}


def test_a_full_disk_behind_stdout_is_one_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the process does not try to write again."""
    with open("/dev/full", "w", encoding="ascii") as full:  # noqa: PTH123 - a device
        monkeypatch.setattr(sys, "stdout", full)
        line = refusal(["models"], caplog)

    assert FULL in line

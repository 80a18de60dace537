import errno
import fcntl
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from poreconv.errors import ConfigError, MachineError
from poreconv.runtime.files import hidden_beside, whole_file
from poreconv.runtime.outputs import claimed, writes_out


def refuse_locks(*_: object) -> None:
    """Stand for `fcntl.flock` on a file system without locks."""
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.fixture(params=[True, False], ids=["locks", "no locks"])
def file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a file system with locks, and one without."""
    if not request.param:
        monkeypatch.setattr(fcntl, "flock", refuse_locks)


@pytest.mark.usefixtures("file_system")
def test_a_second_command_is_refused_in_one_line_that_names_the_first(tmp_path: Path) -> None:
    """By process and machine; afterwards nothing of the lock is left, and the output is free."""
    out = tmp_path / "new" / "events.tsv"
    with claimed(out):
        with pytest.raises(ConfigError) as refused, claimed(out):
            pass
        assert out.parent.is_dir()
    with claimed(out):
        pass

    assert str(refused.value) == (
        f"{out}: process {os.getpid()} on {platform.node()} is writing it; wait until it ends, or choose another --out"
    )
    assert [*tmp_path.iterdir()] == []


@pytest.mark.usefixtures("file_system")
def test_the_lock_of_a_killed_command_does_not_count(tmp_path: Path) -> None:
    """The next command takes it over, and leaves nothing of it."""
    out = tmp_path / "out.tsv"
    program = (
        "import os, sys, errno; from pathlib import Path; from poreconv.runtime.outputs import claimed\n"
        f"{'' if fcntl.flock.__module__ == 'fcntl' else NO_LOCKS}"
        f"with claimed(Path({str(out)!r})): os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    left = [path.name for path in tmp_path.iterdir()]
    with claimed(out):
        out.write_text("whole")

    assert killed.returncode == -9
    assert len(left) == 1
    assert [*tmp_path.iterdir()] == [out]


NO_LOCKS = """
import fcntl
def flock(*_): raise OSError(errno.ENOLCK, "No locks available")
fcntl.flock = flock
"""
"""A file system without locks, in a program."""


def test_one_name_on_two_ways_is_one_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path, and one through a link to the folder."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    monkeypatch.chdir(tmp_path / "folder")

    with (
        claimed(tmp_path / "link" / "out.tsv"),
        pytest.raises(ConfigError, match=r"^out\.tsv: process"),
        claimed(Path("out.tsv")),
    ):
        pass


def test_a_command_without_an_output_has_no_lock() -> None:
    """What is asked to write nothing can run twice at once."""

    @writes_out
    def command(*, out: Path | None = None) -> str:
        return f"{out}"

    assert command() == command(out=None) == "None"


def test_what_a_killed_command_left_half_is_removed(tmp_path: Path) -> None:
    """Of this output, also beside it; not of others, which may be under way, and nobody's own files."""
    out, other = tmp_path / "result.json", tmp_path / "result.json.gz"
    left = [hidden_beside(path, f".{'a' * 32}.partial") for path in (out, tmp_path / "result.html")]
    kept = [hidden_beside(other, f".{'a' * 32}.partial"), tmp_path / ".result.json.mine.partial"]
    for path in (*left, *kept):
        path.mkdir()
        (path / "half").write_text("{")
    with claimed(out):
        pass

    assert sorted(tmp_path.iterdir()) == sorted(kept)


@pytest.mark.parametrize("exists", [True, False])
def test_what_was_being_replaced_is_put_back(tmp_path: Path, exists: bool) -> None:
    """Unless the new one is in its place already."""
    out, replaced = tmp_path / "store", hidden_beside(tmp_path / "store", ".replaced")
    for path in (replaced, *([out] if exists else [])):
        path.mkdir()
        (path / "name").write_text(path.name)
    with claimed(out):
        pass

    assert [*tmp_path.iterdir()] == [out]
    assert (out / "name").read_text() == ("store" if exists else replaced.name)


def test_a_long_name_can_be_written(tmp_path: Path) -> None:
    """249 letters leave no room for the names of hidden files beside it, which are shorter then."""
    out = tmp_path / ("x" * 249)
    with claimed(out), whole_file(out) as partial:
        partial.write_text("whole")

    assert [*tmp_path.iterdir()] == [out]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 256, "file name too long; choose a shorter one"),
        ("file/out.tsv", "not a directory; a part of the path is a file; choose another place"),
        ("file/below/out.tsv", "not a directory; a part of the path is a file; choose another place"),
        ("pipe", "no file or folder that can be written; choose another --out"),
    ],
)
def test_an_impossible_output_is_refused_at_once(tmp_path: Path, name: str, message: str) -> None:
    """In one line that names it as it was typed."""
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((ConfigError, MachineError)) as refused, claimed(tmp_path / name):
        pass

    assert str(refused.value) == f"{tmp_path / name}: {message}"
    assert sorted(tmp_path.rglob("*")) == before


def test_a_device_is_not_replaced() -> None:
    """As root a file could take its place."""
    with pytest.raises(ConfigError, match=r"^/dev/full: no file or folder"), claimed(Path("/dev/full")):
        pass

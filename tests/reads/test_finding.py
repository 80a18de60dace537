"""Finding signal files in folders: links, permissions, pipes."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poreconv.errors import FormatError
from poreconv.reads.readers import find_files, open_reads
from poreconv.runtime.ledger import Ledger
from tests.support.signal_files import reads_made, write_multi

NOBODY = 65534


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """Give an empty folder that every user can enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as a user whom permissions bind; root may read everything."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(before)


def test_links_to_folders_are_followed(tmp_path: Path) -> None:
    """Beside real folders; the files have the names by which they are reached."""
    (tmp_path / "far" / "deep").mkdir(parents=True)
    write_multi(tmp_path / "far" / "deep" / "b.fast5", reads_made(1))
    (tmp_path / "run").mkdir()
    write_multi(tmp_path / "run" / "a.fast5", reads_made(1, 1))
    (tmp_path / "run" / "linked").symlink_to(tmp_path / "far")

    assert find_files([tmp_path / "run"]) == [tmp_path / "run/a.fast5", tmp_path / "run/linked/deep/b.fast5"]


def test_each_real_folder_is_searched_once(tmp_path: Path) -> None:
    """Links in a loop end, and a folder that is reached by two ways gives its files once."""
    (tmp_path / "a").mkdir()
    write_multi(tmp_path / "a" / "x.fast5", reads_made(1))
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "a")
    (tmp_path / "itself").symlink_to(tmp_path / "itself")
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as reads:
        assert len(list(reads)) == 1

    assert find_files([tmp_path]) == [tmp_path / "a" / "x.fast5"]
    assert ledger.reads_in == 0


def test_hidden_files_and_folders_are_ignored(tmp_path: Path) -> None:
    """Such as the parts of a command that is writing."""
    for folder in (tmp_path, tmp_path / ".hidden", tmp_path / "open"):
        folder.mkdir(exist_ok=True)
        write_multi(folder / "x.fast5", reads_made(1))
        write_multi(folder / ".x.fast5", reads_made(1))

    assert find_files([tmp_path]) == [tmp_path / "open/x.fast5", tmp_path / "x.fast5"]


def test_a_folder_that_cannot_be_listed_is_an_error(elsewhere: Path) -> None:
    """By name: reads that are passed over in silence would be missed by nobody."""
    (elsewhere / "open").mkdir()
    (elsewhere / "open" / "x.fast5").touch()
    closed = elsewhere / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() != 0:
        closed.chmod(0)
    with as_nobody():
        for asked in (elsewhere, closed):
            with pytest.raises(FormatError, match=rf"{closed}: the folder cannot be listed \(Permission denied\)"):
                find_files([asked])
        with pytest.raises(FormatError, match=r"x\.fast5: cannot be read \(Permission denied\)"):
            find_files([closed / "x.fast5"])
    closed.chmod(0o700)


def test_a_pipe_is_no_signal_file(tmp_path: Path) -> None:
    """Opening it would wait for a writer for ever; in a folder it is a bad file, which can be passed over."""
    os.mkfifo(tmp_path / "x.fast5")
    write_multi(tmp_path / "y.fast5", reads_made(1))
    ledger = Ledger()
    with pytest.raises(FormatError, match=r"x\.fast5: a folder, pipe or device"):
        find_files([tmp_path / "x.fast5"])
    with open_reads(tmp_path, ledger=ledger, skip_bad_files=True) as reads:
        assert len(list(reads)) == 1

    assert [Path(bad.source).name for bad in ledger.bad_files] == ["x.fast5"]


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """Plans and ledgers, which are JSON, could not name the file."""
    (tmp_path / os.fsdecode(b"x\xe9.fast5")).touch()

    with pytest.raises(FormatError, match=r"x\\udce9\.fast5': its name is not UTF-8"):
        find_files([tmp_path])

"""HDF5 files that are locked."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import h5py
import pytest

from poreconv.config import SourceConfig
from poreconv.labels.opening import open_labels
from poreconv.reads.readers import open_file, open_reads
from poreconv.runtime.hdf5 import open_hdf5
from poreconv.runtime.ledger import Ledger
from tests.support.labels import add_tombo, fast5
from tests.support.signal_files import WRITERS, reads_made

fcntl = pytest.importorskip("fcntl", reason="only POSIX has these locks")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file as a program does that is writing it."""
    with path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.mark.parametrize("form", WRITERS)
def test_a_locked_file_is_read(form: str, tmp_path: Path) -> None:
    """Reading needs no lock, in whatever format."""
    path = tmp_path / f"x{form}"
    WRITERS[form](path, reads_made(2))
    with locked(path), open_file(path, Ledger()) as reader:
        assert len(list(reader)) == 2


def test_labels_in_a_locked_file_are_read(tmp_path: Path) -> None:
    """A file whose labels cannot be opened would count as one without labels."""
    with fast5(tmp_path / "x.fast5", "r1") as [read]:
        add_tombo(read, [(0, 5, "A"), (5, 5, "C")], first=10)
    with (
        locked(tmp_path / "x.fast5"),
        closing(open_labels("tombo", [], SourceConfig())) as source,
        open_reads(tmp_path) as reads,
    ):
        [events] = [source.events(read) for read in reads]

    assert events is not None
    assert len(events) == 2


def test_a_user_opens_a_file_that_is_open_here(tmp_path: Path) -> None:
    """Such as in a label function: HDF5 opens a file again only with the same kind of lock."""
    WRITERS[".fast5"](tmp_path / "x.fast5", reads_made(1))
    with open_file(tmp_path / "x.fast5", Ledger()) as reader, h5py.File(tmp_path / "x.fast5", "r") as again:
        assert len(again) == len(reader) == 1


def test_a_file_that_is_no_hdf5_is_an_error(tmp_path: Path) -> None:
    """Locked or not."""
    (tmp_path / "x.h5").write_text("nothing")
    with pytest.raises(OSError, match="file signature not found"):
        open_hdf5(h5py.File, tmp_path / "x.h5")


@pytest.mark.parametrize("form", WRITERS)
def test_others_can_lock_a_file_that_is_open_here(form: str, tmp_path: Path) -> None:
    """Such as a program that adds its results to it."""
    path = tmp_path / f"x{form}"
    WRITERS[form](path, reads_made(2))
    with open_file(path, Ledger()) as reader, path.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

        assert len(list(reader)) == 2


def test_the_lock_of_a_file_that_the_user_writes_is_kept(tmp_path: Path) -> None:
    """It is open once in this process, for both."""
    WRITERS[".fast5"](tmp_path / "x.fast5", reads_made(1))
    with (
        h5py.File(tmp_path / "x.fast5", "r+"),
        open_file(tmp_path / "x.fast5", Ledger()) as reader,
        (tmp_path / "x.fast5").open("r+b") as other,
    ):
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)

        assert len(list(reader)) == 1

"""Opening HDF5 files without holding a lock.

HDF5 locks what it opens, although reading needs no lock: it fails where another program holds one, or where the file
system has none, and it stops others from writing.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import h5py
from h5py import h5d, h5o

if sys.platform != "win32":
    import fcntl
    import os

T = TypeVar("T")

UNLOCKED = "poreconv_unlocked"
"""Name of the h5py driver that asks for no lock."""


def open_hdf5(opener: Callable[..., T], path: Path) -> T:
    """Open a file for reading, without a lock.

    A lock is asked for first, and given back, because HDF5 opens a file again in one process, such as in a label
    function of the user, only in the way in which it is open; where the lock is refused, none is asked for.

    Args:
        opener: `h5py.File`, or a class of ont-fast5-api.
        path: The file.

    Raises:
        OSError: The file cannot be opened without a lock either.
    """
    try:
        opened = opener(path, "r")
    except OSError:
        return opener(path, "r", driver=UNLOCKED)
    _unlock(getattr(opened, "handle", opened))
    return opened


def file_number(location: Any) -> int:
    """Return HDF5's number of the open file in which an object lies.

    Args:
        location: Low-level h5py id of a file, a group or a dataset.
    """
    return int(h5o.get_info(location).fileno)


def is_stored_in(dataset: Any, number: int) -> bool:
    """Return whether the values of a dataset lie in one file: links, datasets and storage can name other files.

    What a file of signals names is not read: whoever made it would choose which of the reader's files are opened.

    Args:
        dataset: Low-level h5py id of the dataset.
        number: Number of the file; see `file_number`.
    """
    if file_number(dataset) != number:
        return False
    created = dataset.get_create_plist()
    return bool(created.get_layout() != h5d.VIRTUAL and created.get_external_count() == 0)


def _unlock(file: Any) -> None:
    """Give the lock of an open file back, unless it is also open for writing in this process."""
    if sys.platform == "win32":
        return
    with suppress(OSError, RuntimeError, NotImplementedError):  # a driver without a file, or a system without locks
        descriptor = file.id.get_vfd_handle()
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def _without_lock(access: Any) -> None:
    access.set_fapl_sec2()
    access.set_file_locking(False, True)


h5py.register_driver(UNLOCKED, _without_lock)

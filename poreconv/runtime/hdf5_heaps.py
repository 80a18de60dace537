"""The global heaps of an HDF5 file, where texts of variable length lie, checked before HDF5 reads them.

HDF5 reads a heap object by object, and goes round for ever where an object's size is zero, as in a file whose copy was
interrupted (https://github.com/h5py/h5py/issues/2088, still so in HDF5 2.0).

Layout: HDF5 File Format Specification 3.0, III.E, "Disk Format: Level 1E - Global Heap".
"""

import mmap
import os
import re
import struct
from functools import lru_cache
from typing import Any

from h5py import h5i

from poreconv.runtime.hdf5 import file_number

HEAP = re.compile(rb"GCOL\x01\0\0\0(.{8})", re.DOTALL)
"""Beginning of a heap, version 1, and its size."""

HEAP_HEAD, OBJECT, SIZE = 16, struct.Struct("<HHIQ"), struct.Struct("<Q")
"""Bytes before the first object; number, references and size of an object, which its bytes follow."""

_sound: set[int] = set()
"""Numbers of the open files that have been checked; HDF5 gives each opened file its own."""


def check_heaps(location: Any) -> None:
    """Check the heaps of an open file, once; the whole file is searched for them.

    Args:
        location: Low-level h5py id of an object in it.

    Raises:
        OSError: A heap is damaged.
    """
    number = file_number(location)
    if number in _sound:
        return
    path = h5i.get_file_id(location).name
    state = os.stat(path)  # noqa: PTH116 - of bytes
    _check_file(path, state.st_size, state.st_mtime_ns)
    _sound.add(number)


@lru_cache(maxsize=64)
def _check_file(path: bytes, size: int, changed_ns: int) -> None:
    """Check the heaps of a file in this state; pieces of work open one file many times."""
    with open(path, "rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:  # noqa: PTH123
        for heap in HEAP.finditer(content):
            if heap.start() + SIZE.unpack(heap[1])[0] <= len(content):  # else it is a signal that looks like a heap
                _check_heap(content, heap.start(), SIZE.unpack(heap[1])[0])


def _check_heap(content: mmap.mmap, start: int, size: int) -> None:
    at, end = start + HEAP_HEAD, start + size
    while at + OBJECT.size <= end:
        number, _, _, n_bytes = OBJECT.unpack_from(content, at)
        step = n_bytes if number == 0 else OBJECT.size + -(-n_bytes // 8) * 8  # number 0 is what is free
        if step == 0 or at + step > end:
            raise OSError(f"the texts at byte {start} are damaged")
        at += step

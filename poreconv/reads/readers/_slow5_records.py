"""The records of a SLOW5 or BLOW5 file, and opening it with pyslow5 and an index that is made here.

pyslow5 writes its index into the folder of the data, decompresses the whole file to make it, and refuses a file that
contains an id twice. Therefore it opens the file through a link in a temporary folder, and beside the link lies an
index that is made here from the beginnings of the records.
"""

import ctypes
import logging
import struct
import subprocess
import sys
import tempfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pyslow5

from poreconv.reads.readers._slow5_layout import Layout, frames_of, id_in, layout_of

INDEX_HEAD, INDEX_END = struct.Struct("<9s3B52x"), b"XDI5WOLS"
INDEX_MAGIC = b"SLOW5IDX\x01"
INDEX_ID, INDEX_PLACE = struct.Struct("<H"), struct.Struct("<QQ")

READ_ALL = "import pyslow5, sys; [None for _ in pyslow5.Open(sys.argv[1], 'r').seq_reads()]"

LOG = logging.getLogger("pyslow5")

_library = ctypes.CDLL(pyslow5.__file__)
_library.slow5_open.restype = ctypes.c_void_p
_library.slow5_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
_library.slow5_close.argtypes = [ctypes.c_void_p]
_library.slow5_set_log_level(0)  # our errors report what it would write to stderr
LOG.disabled = True


class Records:
    """The places and sizes of the records of a file.

    Args:
        path: A SLOW5 or BLOW5 file. Its header and the size of each record are read.

    Raises:
        ValueError: The file is damaged or truncated.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.offsets, self.sizes = array("Q"), array("Q")
        self.faults: dict[int, str] = {}
        """Number of a record -> why pyslow5 must not read it."""
        self._ids: list[str] = []
        with path.open("rb") as stream:
            self.layout: Layout = layout_of(stream)
            for frame in frames_of(stream, self.layout):
                if frame.fault:
                    self.faults[len(self.offsets)] = frame.fault
                self.offsets.append(frame.offset)
                self.sizes.append(frame.size)
                self._ids.append(frame.read_id)
        if self.layout.fragile:
            self._read_in_subprocess()

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.offsets)

    @cached_property
    def ids(self) -> list[str]:
        """The read id of each record; ``record 7`` where it cannot be read."""
        if not self.layout.compressed:
            return [read_id or f"record {number}" for number, read_id in enumerate(self._ids)]
        with self.path.open("rb") as stream:
            return [self._id(stream.fileno(), number) or f"record {number}" for number in range(len(self))]

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Read id -> number of its record; of several records with one id, the first."""
        numbers: dict[str, int] = {}
        for number, read_id in enumerate(self.ids):
            numbers.setdefault(read_id, number)
        return numbers

    def open(self, *, indexed: bool = False) -> Any:
        """Open the file with pyslow5.

        Args:
            indexed: With the index that random access needs. Default: for reading in sequence only.

        Raises:
            ValueError: pyslow5 does not accept the header.
        """
        if not indexed and self.path.suffix == self.layout.suffix:
            return _opened(self.path)
        with tempfile.TemporaryDirectory(prefix="poreconv-") as folder:  # open files survive its removal
            link = self._linked(folder)
            if not indexed:
                return _opened(link)
            link.with_name(f"{link.name}.idx").write_bytes(self._index)
            file = _opened(link)
            file.get_read("")  # reads the index
            return file

    def _linked(self, folder: str) -> Path:
        """Link to the file by a name with the suffix from which pyslow5 takes the format."""
        link = Path(folder) / f"reads{self.layout.suffix}"
        link.symlink_to(self.path)
        return link

    def _read_in_subprocess(self) -> None:
        """Read the whole file in another process, which may crash.

        Raises:
            ValueError: It did.
        """
        with tempfile.TemporaryDirectory(prefix="poreconv-") as folder:
            command = [sys.executable, "-c", READ_ALL, str(self._linked(folder))]
            done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            raise ValueError("pyslow5 crashes on a damaged record")

    @cached_property
    def _index(self) -> bytes:
        """The content of an index file, as pyslow5 writes it."""
        parts = [INDEX_HEAD.pack(INDEX_MAGIC, *self.layout.version)]
        for read_id, number in self.numbers.items():
            if number not in self.faults:
                raw = read_id.encode()
                parts += INDEX_ID.pack(len(raw)), raw, INDEX_PLACE.pack(self.offsets[number], self.sizes[number])
        return b"".join([*parts, INDEX_END])

    def _id(self, file: int, number: int) -> str:
        try:
            return id_in(file, self.offsets[number], self.sizes[number], self.layout.packing)
        except ValueError as exc:
            self.faults[number] = f"it cannot be decompressed: {exc}"
            return ""


def _opened(path: Path) -> Any:
    handle = _library.slow5_open(str(path).encode(), b"r")
    if not handle:  # pyslow5 would continue, and crash
        raise ValueError("pyslow5 finds its header damaged, or of a later version")
    _library.slow5_close(handle)
    with quiet():
        return pyslow5.Open(str(path), "r")


@contextmanager
def quiet() -> Iterator[None]:
    """Restore the handlers of the program's loggers afterwards: pyslow5 adds one for stderr with each file it opens."""
    loggers = [logging.getLogger(), LOG]
    before = [logger.handlers[:] for logger in loggers]
    try:
        yield
    finally:
        for logger, handlers in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers

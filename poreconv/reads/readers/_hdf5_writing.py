"""A file that HDF5 writes into without noticing that the disk is full, on which it would crash."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class PatientFile(io.RawIOBase):
    """A file for h5py whose operations never fail; the first error is kept, and nothing is written after it.

    HDF5 that cannot write what it holds in memory fails again when it closes the file, and again when the process
    ends, with a segmentation fault.

    Args:
        path: The file; replaced if it exists.
    """

    def __init__(self, path: Path) -> None:
        self.error: OSError | None = None
        """What the system refused first."""
        self._stream = path.open("w+b", buffering=0)

    def write(self, data: Any) -> int:
        """Write all of the data.

        Args:
            data: Bytes.
        """
        left = memoryview(data)
        n_bytes = len(left)
        while left and self.error is None:
            try:
                left = left[self._stream.write(left) :]
            except OSError as exc:
                self.error = exc
        return n_bytes

    def truncate(self, size: int | None = None) -> int:
        """Change the size.

        Args:
            size: In bytes; None: up to the place.
        """
        try:
            return self._stream.truncate(size)
        except OSError as exc:
            self.error = self.error or exc
            return size or 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place.

        Args:
            offset: In bytes.
            whence: As for files.
        """
        return self._stream.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        """Read into memory; what was not written is zeros.

        Args:
            buffer: Is filled.
        """
        found = self._stream.readinto(buffer) or 0
        buffer[found:] = bytes(len(buffer) - found)
        return len(buffer)

    def check(self) -> None:
        """Raise what the system refused.

        Raises:
            OSError: It refused something.
        """
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):  # its bytes are checked by reading it again
            self._stream.close()
        super().close()


@contextmanager
def patient_file(path: Path) -> Iterator[PatientFile]:
    """Open a file for HDF5, and raise what the system refused when it is closed.

    Args:
        path: The file; replaced if it exists.

    Raises:
        OSError: The system refused something.
    """
    file = PatientFile(path)
    try:
        yield file
    finally:
        file.close()
        file.check()

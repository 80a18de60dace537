"""Text files that are read by place."""

import gzip
import shutil
import tempfile
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from poreconv.errors import FormatError


def open_plain(path: Path) -> IO[bytes]:
    """Open a text file, plain or gzip, so that seeking is cheap.

    Raises:
        FormatError: Broken gzip.
    """
    with path.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
    return _unpacked(path) if packed else path.open("rb")


def _unpacked(path: Path) -> IO[bytes]:
    """Unpack gzip to a temporary file that goes when closed: seeking in gzip reads it from its start each time."""
    with ExitStack() as stack:
        plain = stack.enter_context(tempfile.TemporaryFile())
        try:
            with gzip.open(path) as packed:
                shutil.copyfileobj(packed, plain)
        except (OSError, EOFError, zlib.error) as exc:
            raise FormatError(f"{path}: broken gzip ({exc}); copy or make it again") from exc
        plain.seek(0)
        stack.pop_all()
        return plain

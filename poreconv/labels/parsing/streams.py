"""Open text files for random access."""

import gzip
import shutil
import tempfile
import zlib
from codecs import BOM_UTF8
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from poreconv.errors import FormatError


def open_plain(path: Path) -> IO[bytes]:
    """Open a text file so that seeking is fast; gzip is decompressed to a temporary file.

    Args:
        path: The file, plain or gzip.

    Returns:
        The text as a binary stream, after its byte-order mark if it has one; the caller closes it.

    Raises:
        FormatError: The file is broken gzip.
    """
    with path.open("rb") as plain:
        is_gzip = plain.read(2) == b"\x1f\x8b"
    stream = _decompressed(path) if is_gzip else path.open("rb")
    if stream.read(len(BOM_UTF8)) != BOM_UTF8:
        stream.seek(0)
    return stream


def _decompressed(path: Path) -> IO[bytes]:
    """Decompress to a temporary file that is removed on closing: each seek in gzip would read it from the start."""
    with ExitStack() as stack:
        plain = stack.enter_context(tempfile.TemporaryFile())
        try:
            with gzip.open(path) as packed:
                shutil.copyfileobj(packed, plain)
        except (OSError, EOFError, zlib.error) as exc:
            raise FormatError(f"{path}: broken gzip ({exc}); copy or create it again") from exc
        plain.seek(0)
        stack.pop_all()
        return plain

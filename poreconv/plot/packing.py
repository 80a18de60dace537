"""Long columns of whole numbers, and long texts, as short text: for pages, which unpack it (`figures.js`)."""

import gzip
from base64 import b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray

KINDS = {"u1": np.uint8, "i2": np.int16, "i4": np.int32}
"""Types of the columns, by their names in a page."""

LEVEL = 6
"""Of gzip: higher ones take several times as long for a hundredth less."""


def packed(values: NDArray[Any]) -> dict[str, str]:
    """Pack a column: bytes as they are; of larger numbers, which change little from one to the next, the differences.

    Differences are zigzag, all low bytes before the higher ones, and wrap around, so that nothing is lost. A squiggle
    takes about 0.9 bytes per sample before base64.

    Args:
        values: ``uint8``, ``int16`` or ``int32``, shape ``(n,)``.

    Returns:
        ``base64``, and the column's ``type``.
    """
    [name] = [name for name, kind in KINDS.items() if kind == values.dtype]
    size = values.itemsize
    if size == 1:
        return {"base64": packed_bytes(values.tobytes()), "type": name}
    steps = np.diff(values, prepend=np.zeros(1, values.dtype))
    zigzag = ((steps << 1) ^ (steps >> (8 * size - 1))).astype(f"<i{size}")
    return {"base64": packed_bytes(zigzag.view(np.uint8).reshape(-1, size).T.tobytes()), "type": name}


def packed_bytes(content: bytes) -> str:
    """Compress bytes, as base64; the same bytes give the same text.

    Args:
        content: The bytes.
    """
    return b64encode(gzip.compress(content, LEVEL, mtime=0)).decode()

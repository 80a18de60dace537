import gzip
from base64 import b64decode
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from poreconv.plot.packing import KINDS, packed, packed_bytes


def unpacked(base64: str, type: str) -> NDArray[Any]:
    """What `figures.js` does."""
    kind = KINDS[type]
    size = np.dtype(kind).itemsize
    if size == 1:
        return np.frombuffer(gzip.decompress(b64decode(base64)), kind)
    planes = np.frombuffer(gzip.decompress(b64decode(base64)), np.uint8).reshape(size, -1)
    zigzag = np.ascontiguousarray(planes.T).view(f"<u{size}").ravel().astype(f"u{size}")
    steps = (zigzag >> 1) ^ (0 - (zigzag & 1)).astype(zigzag.dtype)
    return np.cumsum(steps, dtype=steps.dtype).astype(kind)


@pytest.mark.parametrize("type", KINDS)
@given(st.data())
def test_columns_are_unpacked_as_they_were(type: str, data: st.DataObject) -> None:
    """Whatever the numbers, and however far apart."""
    column = data.draw(arrays(KINDS[type], st.integers(0, 50)))

    assert (unpacked(**packed(column)) == column).all()


def test_a_squiggle_takes_little_more_than_a_byte_per_sample() -> None:
    """Differences are small, so the high bytes need next to nothing."""
    steps = np.random.default_rng(0).integers(-40, 41, 20_000)
    counts = (500 + np.cumsum(steps) % 300).astype(np.int16)

    assert len(b64decode(packed(counts)["base64"])) < 1.2 * len(counts)


def test_the_same_bytes_give_the_same_text() -> None:
    """Compressed text contains no time."""
    assert packed_bytes(b"squiggle") == packed_bytes(b"squiggle")

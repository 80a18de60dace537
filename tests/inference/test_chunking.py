import numpy as np
import pytest
from hypothesis import given, strategies as st

from poreconv.errors import ConfigError
from poreconv.inference.chunking import Chunking

MARGIN, GRAIN = 3, 4
CHUNKING = Chunking(16, MARGIN, GRAIN)


def ramp(n: int) -> np.ndarray:
    """Give samples that differ, none of them 0."""
    return np.arange(1, n + 1, dtype=np.float32)


@given(st.integers(1, 200), st.integers(0, 10), st.integers(1, 5), st.integers(5, 8))
def test_stitching_is_the_inverse_of_cutting(n_samples: int, margin: int, grain: int, grains: int) -> None:
    """For any length, margin and chunk."""
    x_n, chunking = ramp(n_samples), Chunking(grain * grains + 2 * margin, margin, grain)
    chunks = [chunk[None] for chunk in chunking.cut(x_n)]

    np.testing.assert_array_equal(chunking.stitch(chunks, n_samples), x_n[None])


@pytest.mark.parametrize(
    ("n_samples", "lengths"),
    [(1, [8]), (2, [8]), (3, [12]), (10, [16]), (11, [16, 8]), (20, [16, 16]), (21, [16, 16, 8])],
)
def test_the_last_chunk_is_no_longer_than_it_must_be(n_samples: int, lengths: list[int]) -> None:
    """It holds what is left of the read and its context, in whole grains; each class comes back by itself."""
    chunks = CHUNKING.cut(ramp(n_samples))
    both = CHUNKING.stitch([np.stack([chunk, -chunk]) for chunk in chunks], n_samples)

    assert [len(chunk) for chunk in chunks] == lengths
    np.testing.assert_array_equal(both, [ramp(n_samples), -ramp(n_samples)])


def test_neighbours_share_their_context() -> None:
    """The end of one chunk is the beginning of the next, and beyond the read there is 0."""
    first, second = CHUNKING.cut(ramp(2 * CHUNKING.hop))

    np.testing.assert_array_equal(first[-2 * MARGIN :], second[: 2 * MARGIN])
    assert first[:MARGIN].tolist() == second[-MARGIN:].tolist() == [0, 0, 0]


@given(st.integers(1, 120), st.integers(1, 8))
def test_every_sample_keeps_its_context(n_samples: int, grains: int) -> None:
    """A filter as wide as the context gives on chunks what it gives on the padded read."""
    x_n, width = ramp(n_samples), 2 * MARGIN + 1
    whole = np.convolve(np.pad(x_n, MARGIN), np.arange(width), "valid")
    chunking = Chunking(2 * MARGIN + GRAIN * grains, MARGIN, GRAIN)
    filtered = [np.convolve(chunk, np.arange(width), "same")[None] for chunk in chunking.cut(x_n)]

    np.testing.assert_allclose(chunking.stitch(filtered, n_samples)[0], whole, rtol=1e-6)


@pytest.mark.parametrize(("chunk", "margin"), [(6, 3), (4, 3)])
def test_a_context_that_leaves_nothing_is_refused(chunk: int, margin: int) -> None:
    """Each chunk must label something."""
    with pytest.raises(ConfigError, match="context of 2 x 3"):
        Chunking(chunk, margin, 1)

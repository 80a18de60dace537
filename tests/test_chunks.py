import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poreconv.chunks import cut, stitch
from poreconv.errors import ConfigError

CHUNK, OVERLAP = 16, 6
HOP = CHUNK - OVERLAP


def ramp(n: int) -> np.ndarray:
    """Give samples that differ, none of them 0."""
    return np.arange(1, n + 1, dtype=np.float32)


@given(st.integers(0, 200), st.integers(0, 10).map(lambda half: 2 * half), st.integers(1, 40))
def test_stitching_is_the_inverse_of_cutting(n_samples: int, overlap: int, hop: int) -> None:
    """For any length, overlap and hop."""
    x_n = ramp(n_samples)
    chunks_NCT = cut(x_n, overlap + hop, overlap)[:, None]

    np.testing.assert_array_equal(stitch(chunks_NCT, overlap, n_samples), x_n[None])


@pytest.mark.parametrize("n_samples", [0, 1, HOP - 1, HOP, HOP + 1, CHUNK, CHUNK + 1, 2 * HOP, 2 * HOP + 1])
def test_edge_lengths_come_back(n_samples: int) -> None:
    """Shorter than, equal to and just over a chunk; each class by itself."""
    x_n = ramp(n_samples)
    chunks_NT = cut(x_n, CHUNK, OVERLAP)
    both_NCT = np.stack([chunks_NT, -chunks_NT], 1)

    assert chunks_NT.shape == (-(-n_samples // HOP), CHUNK)
    np.testing.assert_array_equal(stitch(both_NCT, OVERLAP, n_samples), [x_n, -x_n])


def test_neighbours_share_the_overlap() -> None:
    """The end of one chunk is the beginning of the next, and beyond the read there is 0."""
    first, second = cut(ramp(2 * HOP), CHUNK, OVERLAP)

    np.testing.assert_array_equal(first[-OVERLAP:], second[:OVERLAP])
    assert first[: OVERLAP // 2].tolist() == second[-OVERLAP // 2 :].tolist() == [0, 0, 0]


@given(st.integers(1, 120), st.integers(1, 30))
def test_every_sample_keeps_its_context(n_samples: int, hop: int) -> None:
    """A filter as wide as the overlap gives on chunks what it gives on the padded read."""
    x_n, width = ramp(n_samples), OVERLAP + 1
    whole = np.convolve(np.pad(x_n, OVERLAP // 2), np.arange(width), "valid")
    chunks_NT = cut(x_n, OVERLAP + hop, OVERLAP)
    filtered_NT = np.stack([np.convolve(chunk, np.arange(width), "same") for chunk in chunks_NT])

    np.testing.assert_allclose(stitch(filtered_NT[:, None], OVERLAP, n_samples)[0], whole, rtol=1e-6)


@pytest.mark.parametrize(("chunk", "overlap"), [(16, 5), (6, 6), (4, 6)])
def test_an_overlap_that_leaves_nothing_is_refused(chunk: int, overlap: int) -> None:
    """Nor can an odd one be halved."""
    with pytest.raises(ConfigError, match=f"overlap of {overlap}"):
        cut(ramp(10), chunk, overlap)

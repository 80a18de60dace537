from pathlib import Path

import h5py
import pytest
from hypothesis import given, strategies as st

from poreconv.runtime.hdf5_heaps import check_heaps


def texts_in(path: Path, n_texts: int = 3) -> Path:
    """A file with texts of variable length."""
    with h5py.File(path, "w") as file:
        for number in range(n_texts):
            file.attrs[f"text{number}"] = "x" * (number * 7)
    return path


@given(n_texts=st.integers(0, 200))
def test_heaps_as_hdf5_writes_them_are_sound(n_texts: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """However many there are."""
    with h5py.File(texts_in(tmp_path_factory.mktemp("heaps") / "x.h5", n_texts)) as file:
        check_heaps(file.id)


def test_a_heap_of_zeros_is_refused(tmp_path: Path) -> None:
    """HDF5 would read it for ever; such a hole is what an interrupted copy leaves."""
    path = texts_in(tmp_path / "x.h5")
    content = path.read_bytes()
    hole = content.index(b"GCOL") + 16
    path.write_bytes(content[:hole] + bytes(600) + content[hole + 600 :])
    with h5py.File(path) as file, pytest.raises(OSError, match="texts at byte"):
        check_heaps(file.id)


def test_what_looks_like_a_heap_is_none(tmp_path: Path) -> None:
    """A signal can hold the same bytes; a size beyond the file shows it."""
    path = texts_in(tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        file["signal"] = list(b"GCOL\x01\0\0\0" + b"\xff" * 8)
    with h5py.File(path) as file:
        check_heaps(file.id)

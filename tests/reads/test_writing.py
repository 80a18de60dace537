"""Signal files are whole, or are not there."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from poreconv.errors import MachineError
from poreconv.reads.read import Read
from poreconv.reads.readers.writing import check_written, write_reads
from tests.support.faults import small_disk
from tests.support.signal_files import reads_made


def long_reads(n_reads: int) -> Iterator[Read]:
    """Give reads of noise, which does not compress: 80 kB each."""
    rng = np.random.default_rng(0)
    for number in range(n_reads):
        adc = rng.integers(-3000, 3000, 40_000, dtype=np.int16)
        yield replace(reads_made(1)[0], read_id=str(uuid.UUID(int=number)), adc=adc)


@pytest.mark.parametrize("form", ["pod5", "fast5", "blow5", "slow5"])
def test_a_full_disk_leaves_no_signal_file(form: str, tmp_path: Path) -> None:
    """Nor temporary files of the library, whether it reports the full disk or not."""
    with small_disk(tmp_path / "disk") as disk:
        with pytest.raises((MachineError, OSError), match=r"may be full|No space left") as refused:
            write_reads(disk / f"x.{form}", long_reads(40))

        assert [*disk.iterdir()] == []
        assert ".partial" not in str(refused.value)


@pytest.mark.parametrize("form", ["pod5", "fast5", "blow5", "slow5"])
def test_a_file_without_a_read_that_was_written_is_refused(form: str, tmp_path: Path) -> None:
    """It is read again, and its reads are counted."""
    path = tmp_path / f"x.{form}"
    write_reads(path, reads_made(2))
    check_written(path, 2)
    with pytest.raises(MachineError, match="not written whole: 2 of 3 reads can be read again"):
        check_written(path, 3)


@pytest.mark.parametrize("form", ["pod5", "fast5", "blow5"])
def test_a_file_whose_end_is_missing_is_refused(form: str, tmp_path: Path) -> None:
    """As a full disk leaves it."""
    path = tmp_path / f"x.{form}"
    write_reads(path, long_reads(3))
    os.truncate(path, path.stat().st_size - 50_000)
    with pytest.raises(MachineError, match=r"x\.\w+: not written whole: \d of 3 reads"):
        check_written(path, 3)

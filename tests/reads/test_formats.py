from pathlib import Path

import numpy as np
import pytest

from poreconv.reads.readers import open_reads
from poreconv.runtime.ledger import Ledger
from tests.reads.test_readers import assert_same
from tests.support.signal_files import WRITERS, reads_made, sample, write_with_pod5


def test_a_folder_may_mix_formats(tmp_path: Path) -> None:
    """Reads of different formats are one stream, with random access over all of them."""
    reads = []
    for number, form in enumerate(WRITERS):
        reads += sample(tmp_path / f"{number}{form}", form, reads_made(2, seed=number))
    with open_reads(tmp_path) as stream:
        assert [read.read_id for read in stream] == stream.read_ids == [read.read_id for read in reads]
        for read in reversed(reads):
            np.testing.assert_array_equal(stream[read.read_id].adc, read.adc)


def test_a_bad_file_of_any_format_can_be_passed_over(tmp_path: Path) -> None:
    """The rest of a mixed folder is read."""
    write_with_pod5(tmp_path / "good.pod5", reads_made(2))
    for name in ("bad.pod5", "bad.blow5", "bad.slow5", "bad.fast5"):
        (tmp_path / name).write_bytes((tmp_path / "good.pod5").read_bytes()[:300])
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger, skip_bad_files=True) as stream:
        assert len(list(stream)) == 2

    assert len(ledger.bad_files) == 4
    assert not any("\n" in drop.detail for drop in ledger.bad_files)


# ---- real reads ----


@pytest.mark.real
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("rna002_same_reads_formats_eventalign/test.fast5", "rna002_same_reads_formats_eventalign/test.pod5"),
        ("rna002_same_reads_formats_eventalign/test.fast5", "rna002_same_reads_formats_eventalign/test.blow5"),
        ("rna002_polya_regions", "rna002_polya_regions/example_DRS.pod5"),
    ],
)
def test_one_read_is_the_same_from_every_format(real_data: Path, ours: str, theirs: str) -> None:
    """Counts, calibration and every field of the metadata are equal."""
    with open_reads(real_data / ours) as fast5, open_reads(real_data / theirs) as other:
        assert set(fast5.read_ids) == set(other.read_ids)
        for read in other:
            assert_same(read, fast5[read.read_id])


@pytest.mark.real
def test_the_same_reads_in_several_formats_are_duplicates(real_data: Path) -> None:
    """A folder with the same ten reads three times gives each once."""
    ledger = Ledger()
    with open_reads(real_data / "rna002_same_reads_formats_eventalign", ledger=ledger) as stream:
        assert len(list(stream)) == len(stream) == 10

    assert dict(ledger.counts) == {"duplicate": 20}

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from poreconv.commands.inspect import inspect
from poreconv.errors import FormatError, SignalError
from poreconv.reads.readers import format_of, open_file, open_reads
from poreconv.runtime.ledger import Ledger
from tests.reads.test_readers import assert_same, edit
from tests.support.signal_files import as_channels, reads_made, write_bulk, write_multi

META = "Raw/Channel_1/Meta"


@pytest.mark.parametrize("compression", ["gzip", "vbz"])
def test_a_file_of_any_name_is_bulk_by_its_content(tmp_path: Path, compression: str) -> None:
    """The layout decides; a fast5 with reads stays one."""
    write_bulk(tmp_path / "any.fast5", reads_made(2), compression)
    write_multi(tmp_path / "x.bulk.fast5", reads_made(2))

    assert format_of(tmp_path / "any.fast5") == ".bulk.fast5"
    assert format_of(tmp_path / "x.bulk.fast5") == ".fast5"
    with open_reads(tmp_path / "any.fast5") as stream:
        for read, written in zip(stream, as_channels(reads_made(2)), strict=True):
            assert_same(read, written)


def test_hdf5_of_another_suffix_is_looked_into(tmp_path: Path) -> None:
    """Of an unknown suffix every format is tried."""
    write_bulk(tmp_path / "x.hdf5", reads_made(1))

    assert format_of(tmp_path / "x.hdf5") == ".bulk.fast5"


def test_inspect_distinguishes_bulk_files(tmp_path: Path) -> None:
    """A channel is not a read, and an in-file label source has no label for it."""
    write_bulk(tmp_path / "a.fast5", reads_made(3))
    write_multi(tmp_path / "b.fast5", reads_made(2, seed=1))
    found = inspect([tmp_path])

    assert {row.kind.format: row.reads for row in found.rows} == {"bulk fast5": 3, "fast5": 2}
    assert {(one.labelled, one.misfits.total()) for one in found.labels} == {(0, 0)}


def test_channels_come_by_number(tmp_path: Path) -> None:
    """Not by name, where 10 stands before 2."""
    reads = [replace(read, channel=number) for read, number in zip(reads_made(3), (10, 2, 1), strict=True)]
    write_bulk(tmp_path / "x.fast5", reads)
    with open_reads(tmp_path) as stream:
        assert [read.channel for read in stream] == [1, 2, 10]


def test_a_file_without_a_run_gives_its_name_to_the_channels(tmp_path: Path) -> None:
    """As far as a read id can hold it."""
    write_bulk(tmp_path / "my run@2.fast5", reads_made(1))
    edit(tmp_path / "my run@2.fast5", lambda file: file.pop("UniqueGlobalKey"))
    with open_reads(tmp_path) as stream:
        [read] = stream

    assert read.read_id == "my_run_2_channel_1"
    assert (read.run_id, read.chemistry.code) == ("", "unknown")


def test_run_metadata_may_stand_in_meta(tmp_path: Path) -> None:
    """Programs that cut bulk files copy it there."""
    write_bulk(tmp_path / "x.fast5", reads_made(1))
    edit(tmp_path / "x.fast5", lambda file: file.move("UniqueGlobalKey", "Meta"))
    with open_reads(tmp_path) as stream:
        assert_same(next(iter(stream)), as_channels(reads_made(1))[0])


def test_calibration_may_stand_at_the_channel_itself(tmp_path: Path) -> None:
    """Where ABF was made into fast5."""

    def change(file: h5py.File) -> None:
        file["Raw/Channel_1"].attrs.update(file[META].attrs)
        del file[META]

    write_bulk(tmp_path / "x.fast5", reads_made(1))
    edit(tmp_path / "x.fast5", change)
    with open_reads(tmp_path) as stream:
        assert_same(next(iter(stream)), as_channels(reads_made(1))[0])


def without(path: str, attribute: str = "") -> Callable[[h5py.File], Any]:
    """Remove something."""
    return lambda file: file[path].attrs.__delitem__(attribute) if attribute else file.__delitem__(path)


def huge(file: h5py.File) -> None:
    """Claim 10**13 samples, and store none."""
    del file["Raw/Channel_1/Signal"]
    file.create_dataset("Raw/Channel_1/Signal", (10**13,), "i2", chunks=(9,))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without("Raw/Channel_1/Signal"), "no_signal"),
        (without(META), "bad_calibration"),
        (without(META, "digitisation"), "bad_calibration"),
        (without(META, "sample_rate"), "bad_metadata"),
        (huge, "unreadable"),
    ],
)
def test_unusable_channels_are_dropped_by_name(tmp_path: Path, change: Callable[[h5py.File], Any], reason: str) -> None:
    """Its neighbours are kept, and the error of reading it names what is wrong."""
    first, *others = as_channels(reads_made(3))
    write_bulk(tmp_path / "x.fast5", reads_made(3))
    edit(tmp_path / "x.fast5", change)
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        assert [read.read_id for read in stream] == [read.read_id for read in others]
        assert dict(ledger.counts) == {reason: 1}
        with pytest.raises(SignalError) as caught:
            stream[first.read_id]

    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


def test_a_bulk_file_without_raw_signal_is_refused(tmp_path: Path) -> None:
    """Some runs saved their events only."""
    with h5py.File(tmp_path / "x.fast5", "w") as file:
        file["IntermediateData/Channel_1/Events"] = np.zeros(9)

    with pytest.raises(FormatError, match="its raw signal was not saved"):
        open_file(tmp_path / "x.fast5", Ledger())


@pytest.mark.real
def test_the_real_bulk_file_has_three_channels(real_data: Path) -> None:
    """3 x 500,000 samples at 10 kHz, of one run."""
    with open_reads(real_data / "protein_nanopore_captures" / "bulk_fast5_dummy.fast5") as stream:
        reads = list(stream)

    assert [(read.channel, len(read.adc), read.sample_rate_hz) for read in reads] == [
        (number, 500_000, 10_000) for number in (1, 2, 3)
    ]
    assert {read.read_id for read in reads} == {f"{reads[0].run_id}_channel_{number}" for number in (1, 2, 3)}
    assert [read.calibration.offset for read in reads] == [-21, -19, -18]


@pytest.mark.real
def test_a_bulk_file_made_from_abf_is_read(real_data: Path) -> None:
    """One channel of 10,000 samples; it names no run."""
    with open_reads(real_data / "edge_cases" / "fast5_bulk_abf") as stream:
        [read] = stream

    assert (read.read_id, len(read.adc), read.sample_rate_hz) == ("abf2bulkfast5_channel_1", 10_000, 10_000)
    assert read.calibration.scale == pytest.approx(40_000 / 65_536)

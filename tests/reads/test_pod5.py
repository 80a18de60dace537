import math
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pod5
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.errors import FormatError, SignalError
from poreconv.reads.read import Calibration, Read
from poreconv.reads.readers import open_file, open_reads
from poreconv.reads.readers.writing import write_reads
from poreconv.runtime.ledger import Ledger
from tests.reads.test_readers import PRINTABLE, assert_same, outcome
from tests.support.signal_files import pod5_read, reads_made, run_info, write_with_pod5

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
END_REASONS = [name.lower() for name in pod5.EndReasonEnum.__members__]


def read_back(path: Path) -> list[Read]:
    """Read a whole file."""
    with open_file(path, Ledger()) as reader:
        return list(reader)


@given(
    values=st.lists(st.integers(-32768, 32767), min_size=1, max_size=300),
    offset=FLOAT32,
    scale=st.floats(2**-20, 100, width=32),
    start=st.integers(0, 2**64 - 1),
    places=st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 255), st.integers(0, 2**32 - 1)),
    texts=st.tuples(PRINTABLE, PRINTABLE, PRINTABLE, PRINTABLE),
    end_reason=st.sampled_from(END_REASONS),
    median=st.none() | FLOAT32.filter(lambda median: median != -1),
)
@settings(max_examples=25, deadline=None)
def test_written_reads_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[int],
    offset: float,
    scale: float,
    start: int,
    places: tuple[int, int, int],
    texts: tuple[str, ...],
    end_reason: str,
    median: float | None,
) -> None:
    """What `write_reads` writes is read back equal, in every field that POD5 has."""
    run_id, pore, kit, experiment = texts
    channel, mux, number = places
    written = replace(
        reads_made(1)[0],
        adc=np.array(values, np.int16),
        calibration=Calibration(offset, scale),
        start_sample=start,
        channel=channel,
        mux=mux,
        read_number=number,
        run_id=run_id,
        pore=pore,
        kit=kit,
        experiment=experiment,
        end_reason=end_reason,
        median_before=median,
    )
    path = tmp_path_factory.mktemp("written") / "x.pod5"
    write_reads(path, [written])

    assert_same(read_back(path)[0], written)


def test_writer_keeps_runs_apart_and_replaces_the_file(tmp_path: Path) -> None:
    """Reads of several runs in one file keep their own metadata; a file that was there is gone."""
    reads = [replace(read, run_id=f"run{n % 2}", kit=f"kit{n % 2}") for n, read in enumerate(reads_made(4))]
    write_reads(tmp_path / "x.pod5", reads_made(1))
    write_reads(tmp_path / "x.pod5", (read for read in reads))

    for a, b in zip(read_back(tmp_path / "x.pod5"), reads, strict=True):
        assert_same(a, b)


def test_an_end_reason_without_a_name_becomes_unknown(tmp_path: Path) -> None:
    """POD5 has a fixed list of them."""
    write_reads(tmp_path / "x.pod5", reads_made(1, end_reason="partial"))

    assert read_back(tmp_path / "x.pod5")[0].end_reason == "unknown"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"read_id": "read_1"}, "UUID"),
        ({"sample_rate_hz": 4000.5}, "sample rates in whole Hz"),
        ({"adc": np.zeros(0, np.int16)}, "empty"),
    ],
)
def test_writer_refuses_what_pod5_cannot_hold(tmp_path: Path, fields: dict[str, Any], words: str) -> None:
    """Nothing is written that would not come back."""
    with pytest.raises(FormatError, match=words):
        write_reads(tmp_path / "x.pod5", reads_made(1, **fields))


def test_writer_refuses_an_id_twice(tmp_path: Path) -> None:
    """Two reads with one id don't fit into one file."""
    with pytest.raises(FormatError, match="its id is taken"):
        write_reads(tmp_path / "x.pod5", reads_made(1) * 2)


def test_writing_no_reads_gives_an_empty_stream(tmp_path: Path) -> None:
    """A POD5 without reads is no error."""
    write_reads(tmp_path / "x.pod5", [])
    with open_reads(tmp_path) as stream:
        assert (len(stream), list(stream)) == (0, [])


def test_long_and_uncompressed_signals_are_read(tmp_path: Path) -> None:
    """A signal in several rows of the signal table, and one that was not compressed, come back whole."""
    [read] = reads_made(1, adc=np.random.default_rng(0).integers(-500, 500, 250_000).astype(np.int16))
    for kind in (pod5.SignalType.VbzSignal, pod5.SignalType.UncompressedSignal):
        path = tmp_path / f"{kind.name}.pod5"
        with pod5.Writer(path, signal_compression_type=kind) as file:
            file.add_read(pod5_read(read))

        np.testing.assert_array_equal(read_back(path)[0].adc, read.adc)


def test_several_batches_are_read_in_order(tmp_path: Path) -> None:
    """More reads than one batch of the reads table holds."""
    short = np.arange(9, dtype=np.int16)
    reads = [replace(reads_made(1)[0], read_id=str(uuid.UUID(int=n)), adc=short + n % 99) for n in range(2500)]
    write_reads(tmp_path / "x.pod5", reads)
    with open_file(tmp_path / "x.pod5", Ledger()) as reader:
        assert len(reader) == 2500
        assert [read.adc[0] for read in reader] == [read.adc[0] for read in reads]
        assert reader[reads[1700].read_id].adc[0] == reads[1700].adc[0]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"signal": np.zeros(0, np.int16)}, "empty"),
        ({"calibration": pod5.Calibration(10.0, 0.0)}, "bad_calibration"),
        ({"calibration": pod5.Calibration(math.nan, 0.2)}, "bad_calibration"),
        ({"calibration": pod5.Calibration(1.0, math.inf)}, "bad_calibration"),
        ({"run_info": run_info(reads_made(1)[0], sample_rate=0, acquisition_id="other")}, "bad_metadata"),
    ],
)
def test_unusable_reads_are_dropped_by_name(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    """One bad read is counted under its reason, its neighbours are kept, and reading it names what is wrong."""
    reads = reads_made(3)
    write_with_pod5(tmp_path / "x.pod5", reads, **fields)
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        assert [read.read_id for read in stream] == [read.read_id for read in reads[1:]]
        assert [(drop.read_id, drop.reason) for drop in ledger.named] == [(reads[0].read_id, reason)]
        with pytest.raises(SignalError) as caught:
            stream[reads[0].read_id]

    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


def damaged(path: Path, good: bytes, rng: np.random.Generator) -> None:
    """Write a file with 20 wrong bytes."""
    bad = np.frombuffer(good, np.uint8).copy()
    where = rng.integers(8, len(bad), 20)
    bad[where] = rng.integers(0, 256, 20)
    path.write_bytes(bad.tobytes())


def test_damaged_bytes_never_end_in_another_error(tmp_path: Path) -> None:
    """Random damage ends in reads, named drops, or one line."""
    write_reads(tmp_path / "good.pod5", reads_made(2))
    good, rng, kinds = (tmp_path / "good.pod5").read_bytes(), np.random.default_rng(0), set()
    for _ in range(60):
        damaged(tmp_path / "bad.pod5", good, rng)
        got = outcome(tmp_path / "bad.pod5")
        kinds.add(type(got))
        assert "\n" not in str(got)

    assert str in kinds


# ---- real reads ----

EXPECTED: dict[str, str | dict[str, int] | int] = {
    "pod5_blue_crab/err_pod5/aux_field_wrong_type.pod5": 1,
    "pod5_blue_crab/err_pod5/empty_pod5.pod5": "looks like text",
    "pod5_blue_crab/err_pod5/missing_primary_field.pod5": "missing field 'calibration_offset'",
    "pod5_blue_crab/err_pod5/newline_in_attrib.pod5": 1,
    "pod5_blue_crab/err_pod5/newline_in_field.pod5": "missing field 'median_before'",
    "pod5_blue_crab/err_pod5/not_a_pod5.pod5": "looks like text",
    "pod5_blue_crab/err_pod5/primary_field_wrong_type.pod5": 1,
    "pod5_blue_crab/err_pod5/tab_in_attrib.pod5": 1,
    "pod5_blue_crab/err_pod5/tab_in_field.pod5": "missing field 'median_before'",
    "pod5_blue_crab/err_pod5/z2.pod5": 1,
    "pod5_blue_crab/unsupported/multigroup.pod5": 5,
    "pod5_blue_crab/unusual_pod5/new_attrib_in_channel.pod5": 1,
    "pod5_blue_crab/unusual_pod5/new_attrib_in_raw.pod5": 1,
    "pod5_blue_crab/unusual_pod5/new_attrib_in_read.pod5": 1,
    "pod5_blue_crab/unusual_pod5/new_group.pod5": 1,
    "pod5_blue_crab/unusual_pod5/pore_set.pod5": 1,
    "pod5_lfs_pointer/multi_fast5_zip_v0.pod5": "git lfs pull",
}
"""File -> what must come of it: an error's words, drops by reason, or a number of good reads."""


@pytest.mark.real
def test_every_edge_case_ends_as_expected(real_data: Path) -> None:
    """Each odd file ends in its reads, a named drop, or an error of one line."""
    folder = real_data / "edge_cases"
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*.pod5")} == set(EXPECTED)

    for name, expected in EXPECTED.items():
        got = outcome(folder / name)
        assert (expected in got and "\n" not in got) if isinstance(got, str) else got == expected, (name, got)


@pytest.mark.real
def test_two_runs_in_one_file_keep_their_own_metadata(real_data: Path) -> None:
    """Each read has the fields of its own run."""
    with open_reads(real_data / "edge_cases/pod5_blue_crab/unsupported") as stream:
        assert len({(read.run_id, read.kit) for read in stream}) == 2

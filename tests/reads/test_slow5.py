import logging
import math
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.errors import FormatError, SignalError
from poreconv.reads.read import Calibration, Read
from poreconv.reads.readers import open_file, open_reads
from poreconv.reads.readers._fields import MAX_PA_PER_COUNT
from poreconv.reads.readers.slow5 import WRITTEN_REASONS
from poreconv.reads.readers.writing import write_reads
from poreconv.runtime.ledger import Ledger
from tests.reads.test_readers import PRINTABLE, assert_same, outcome
from tests.support.signal_files import reads_made, write_with_pyslow5

PACKINGS = [(record, signal) for record in ("none", "zlib", "zstd") for signal in ("none", "svb_zd", "ex_zd")]


def read_back(path: Path) -> list[Read]:
    """Read a whole file."""
    with open_file(path, Ledger()) as reader:
        return list(reader)


def first_record(content: bytes) -> int:
    """Where the first record of a BLOW5 begins, at its size."""
    return 68 + int(struct.unpack_from("<I", content, 64)[0])


@pytest.mark.parametrize("packing", PACKINGS, ids="-".join)
def test_every_compression_is_read(tmp_path: Path, packing: tuple[str, str]) -> None:
    """Each way of compressing records and signals gives the same reads, in order and by id."""
    reads = reads_made(3)
    write_with_pyslow5(tmp_path / "x.blow5", reads, packing)
    with open_file(tmp_path / "x.blow5", Ledger()) as reader:
        for got, written in zip(reader, reads, strict=True):
            assert_same(got, replace(written, end_reason="paused"))
            assert_same(reader[written.read_id], got)


@given(
    values=st.lists(st.integers(-32768, 32767), min_size=1, max_size=300),
    offset=st.floats(-1000, 1000),
    scale=st.floats(1e-6, MAX_PA_PER_COUNT),
    places=st.tuples(st.integers(0, 2**64 - 2), st.integers(0, 254), st.integers(0, 2**31 - 2), st.integers(0, 2**40)),
    texts=st.tuples(*[PRINTABLE.filter(lambda text: text != ".")] * 4),  # "." is refused: see below
    end_reason=st.sampled_from(WRITTEN_REASONS),
    median=st.none() | st.floats(-1e6, 1e6).filter(lambda median: median != -1),
)
@settings(max_examples=25, deadline=None)
def test_written_reads_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[int],
    offset: float,
    scale: float,
    places: tuple[int, int, int, int],
    texts: tuple[str, ...],
    end_reason: str,
    median: float | None,
) -> None:
    """What `write_reads` writes is read back equal, in every field."""
    start, mux, number, channel = places
    run_id, pore, kit, experiment = texts
    written = replace(
        reads_made(1)[0],
        adc=np.array(values, np.int16),
        calibration=Calibration(offset, scale),
        start_sample=start,
        mux=mux,
        read_number=number,
        channel=channel,
        run_id=run_id,
        pore=pore,
        kit=kit,
        experiment=experiment,
        end_reason=end_reason,
        median_before=median,
    )
    path = tmp_path_factory.mktemp("written") / "x.blow5"
    write_reads(path, [written])

    assert_same(read_back(path)[0], written)


def test_text_is_written_by_its_suffix(tmp_path: Path) -> None:
    """A ``.slow5`` is text, with the same reads."""
    write_reads(tmp_path / "x.slow5", reads_made(2))

    assert (tmp_path / "x.slow5").read_text().startswith("#slow5_version")
    for got, written in zip(read_back(tmp_path / "x.slow5"), reads_made(2), strict=True):
        assert_same(got, written)


@pytest.mark.parametrize(
    ("reads", "words"),
    [
        (reads_made(1) * 2, "its id is taken"),
        (reads_made(1, adc=np.zeros(0, np.int16)), "empty"),
        (reads_made(1, read_id="two words"), "printable ASCII"),
        (reads_made(1, mux=255), "start_mux is 255"),
        (reads_made(1, experiment="."), "experiment is '.'"),
        (reads_made(1) + reads_made(1, seed=1, run_id="another"), "another run"),
        ([], "no reads"),
    ],
)
def test_writer_refuses_what_would_not_come_back(tmp_path: Path, reads: list[Read], words: str) -> None:
    """The header is written once, before the first read, and some values stand for none."""
    with pytest.raises(FormatError, match=words):
        write_reads(tmp_path / "x.blow5", reads)


def test_runs_of_one_file_keep_their_own_metadata(tmp_path: Path) -> None:
    """Read groups are runs."""
    reads = [replace(read, run_id=f"run{n % 2}", kit=f"kit{n % 2}") for n, read in enumerate(reads_made(4))]
    write_with_pyslow5(tmp_path / "x.blow5", reads)

    assert [(read.run_id, read.kit) for read in read_back(tmp_path / "x.blow5")] == [
        (read.run_id, read.kit) for read in reads
    ]


def test_the_content_decides_between_text_and_binary(tmp_path: Path) -> None:
    """A BLOW5 that is called .slow5 is read."""
    write_with_pyslow5(tmp_path / "x.blow5", reads_made(2))
    (tmp_path / "x.blow5").rename(tmp_path / "x.slow5")

    assert len(read_back(tmp_path / "x.slow5")) == 2


def test_nothing_is_left_beside_the_data(tmp_path: Path) -> None:
    """Random access needs no index in the user's folder, which may be one that cannot be written to."""
    write_with_pyslow5(tmp_path / "x.blow5", reads_made(2))
    tmp_path.chmod(0o500)
    with open_reads(tmp_path) as stream:
        assert len(stream[stream.read_ids[1]].adc) > 0
    tmp_path.chmod(0o700)

    assert os.listdir(tmp_path) == ["x.blow5"]  # noqa: PTH208 - names


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path) -> None:
    """The folder of the index is removed at once; pyslow5 writes nothing to stderr."""
    write_with_pyslow5(tmp_path / "x.blow5", reads_made(2))
    (tmp_path / "temp").mkdir()
    code = f"""
from poreconv.reads.readers import open_reads
with open_reads({str(tmp_path / "x.blow5")!r}) as stream:
    stream[stream.read_ids[1]]
    import os
    os._exit(0)
"""
    environment = os.environ | {"TMPDIR": str(tmp_path / "temp")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True, text=True)

    assert (done.stdout, done.stderr) == ("", "")
    assert list((tmp_path / "temp").iterdir()) == []


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    """Nothing that is known of a file outlives its reader."""
    path = tmp_path / "x.blow5"
    write_with_pyslow5(path, reads_made(2))
    assert len(read_back(path)) == 2
    write_with_pyslow5(path, reads_made(3, seed=1))

    with open_file(path, Ledger()) as reader:
        for written in reads_made(3, seed=1):
            np.testing.assert_array_equal(reader[written.read_id].adc, written.adc)


def test_an_id_twice_in_one_file_is_a_duplicate(tmp_path: Path) -> None:
    """The first of two records with one id is kept; pyslow5's own index refuses such a file."""
    one, two = reads_made(2)
    write_with_pyslow5(tmp_path / "x.blow5", [one, replace(two, read_id=one.read_id), two])
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        assert [read.read_id for read in stream] == stream.read_ids == [one.read_id, two.read_id]
        np.testing.assert_array_equal(stream[one.read_id].adc, one.adc)
        np.testing.assert_array_equal(stream[two.read_id].adc, two.adc)

    assert dict(ledger.counts) == {"duplicate": 1}


def test_the_programs_log_is_left_alone(tmp_path: Path) -> None:
    """pyslow5 adds a handler to its log with each file that it opens."""
    write_with_pyslow5(tmp_path / "x.blow5", reads_made(2))
    before = [logging.getLogger(name).handlers[:] for name in (None, "pyslow5")]
    read_back(tmp_path / "x.blow5")

    assert [logging.getLogger(name).handlers for name in (None, "pyslow5")] == before


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"digitisation": 0.0}, "bad_calibration"),
        ({"range": 0.0}, "bad_calibration"),
        ({"range": math.nan}, "bad_calibration"),
        ({"offset": math.inf}, "bad_calibration"),
        ({"sampling_rate": 0.0}, "bad_metadata"),
        ({"sampling_rate": math.nan}, "bad_metadata"),
        ({"read_id": "@starts-like-fastq"}, "bad_metadata"),
        ({"read_id": "two words"}, "bad_metadata"),
    ],
)
def test_unusable_reads_are_dropped_by_name(tmp_path: Path, fields: dict[str, Any], reason: str) -> None:
    """One bad read is counted under its reason, its neighbours are kept, and reading it names what is wrong."""
    reads = reads_made(3)
    write_with_pyslow5(tmp_path / "x.blow5", reads, **fields)
    ledger, name = Ledger(), fields.get("read_id", reads[0].read_id)
    with open_reads(tmp_path, ledger=ledger) as stream:
        assert [read.read_id for read in stream] == [read.read_id for read in reads[1:]]
        assert [(drop.read_id, drop.reason) for drop in ledger.named] == [(name, reason)]
        with pytest.raises(SignalError) as caught:
            stream[name]

    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("packing", ["none", "zlib", "zstd"])
def test_a_damaged_record_costs_no_other(tmp_path: Path, packing: str) -> None:
    """The reads before and after it are kept, the damaged one is dropped, by id or by number."""
    reads = reads_made(3)
    write_with_pyslow5(tmp_path / "x.blow5", reads, (packing, "svb_zd"))
    content = bytearray((tmp_path / "x.blow5").read_bytes())
    start = first_record(content)
    content[start + 8 : start + 18] = b"\xff" * 10
    (tmp_path / "x.blow5").write_bytes(content)
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        assert [read.read_id for read in stream] == [read.read_id for read in reads[1:]]
        assert stream.read_ids == ["record 0", *(read.read_id for read in reads[1:])]

    assert [(drop.read_id, drop.reason) for drop in ledger.named] == [("record 0", "unreadable")]


def without(end: int) -> Callable[[bytes], bytes]:
    """Cut a file off."""
    return lambda content: content[:end]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without(-1), "no end-of-file mark"),
        (without(40), "ends within the header"),
        (lambda c: c[:64] + b"\xff\xff\xff\x7f" + c[68:], "a header of"),
        (lambda c: c[:64] + b"\x05\x00\x00\x00" + c[68:], "header is damaged"),
        (lambda c: c[:6] + b"\x09" + c[7:], "of a later version"),
        (lambda c: c[:9] + b"\x09" + c[10:], "header is damaged"),
        (lambda c: c.replace(b"#char*\tuint32_t", b"#char*\tuint99_t"), "not those of SLOW5"),
        (lambda c: c.replace(b"int32_t\tuint8_t", b"int32_t\tuint9_t"), "has type 'uint9_t'"),
        (lambda c: c[:10] + b"\x02" + c[11:], "1 values, 2 are due"),
        (lambda c: c[: first_record(c)] + b"\xff" * 8 + c[first_record(c) + 8 :], "bytes, .* are left"),
        (lambda c: c[:-5] + b"\x01" + c[-5:], "record at byte"),
    ],
)
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, change: Callable[[bytes], bytes], words: str) -> None:
    """The error for a file on which pyslow5 would crash names what is wrong."""
    write_with_pyslow5(tmp_path / "x.blow5", reads_made(2))
    (tmp_path / "x.blow5").write_bytes(change((tmp_path / "x.blow5").read_bytes()))

    with pytest.raises(FormatError, match=words) as caught:
        open_file(tmp_path / "x.blow5", Ledger())
    assert "\n" not in str(caught.value)


Lie = Callable[[bytearray, int], None]
"""Changes a number in an uncompressed record; called with the record and the place of its packed signal."""


def number_at(place: int, form: str, change: int, *, of_signal: bool = True) -> Lie:
    """Add to a number at a place in the packed signal, or in the record."""

    def lie(record: bytearray, signal: int) -> None:
        at = place + of_signal * signal
        limit = 1 << 8 * struct.calcsize(form)
        struct.pack_into(form, record, at, (struct.unpack_from(form, record, at)[0] + change) % limit)

    return lie


LIES: dict[str, list[Lie]] = {
    "none": [number_at(0, "<H", 60_000, of_signal=False), *(number_at(-8, "<Q", by) for by in (1, -1, 2**40, 2**63))],
    "svb_zd": [
        *(number_at(-8, "<Q", by) for by in (1, -1, 2**40, 2**63)),
        *(number_at(0, "<I", by) for by in (1, -4, 1000, 2**31)),
        number_at(4, "<B", 1),
    ],
    "ex_zd": [
        *(number_at(-8, "<Q", by) for by in (1, -1, 2**40, 2**63)),
        *(number_at(1, "<Q", by) for by in (1, -1, 2**40, 2**63)),
        *(number_at(12, "<I", by) for by in (1, -1, 2**31)),
        number_at(9, "<B", 6),
        number_at(0, "<B", 1),
    ],
}
"""Packing of the signal -> lies about lengths."""

COMPRESSED: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes,
    "zlib": zlib.compress,
    "zstd": lambda content: pa.Codec("zstd").compress(content, asbytes=True),
}
"""Packing of records -> how a test compresses one anew after changing it."""


def change_first_record(path: Path, packing: tuple[str, str], reads: list[Read], change: Lie) -> None:
    """Write reads with pyslow5, and change what is in the first record, inside its compression."""
    write_with_pyslow5(path, reads, ("none", packing[1]))
    content = path.read_bytes()
    start = first_record(content)
    size = struct.unpack_from("<Q", content, start)[0]
    record = bytearray(content[start + 8 : start + 8 + size])
    change(record, 2 + struct.unpack_from("<H", record)[0] + 36 + 8)
    write_with_pyslow5(path, reads, packing)
    content = path.read_bytes()
    size = struct.unpack_from("<Q", content, start)[0]
    packed = COMPRESSED[packing[0]](bytes(record))
    path.write_bytes(content[:start] + struct.pack("<Q", len(packed)) + packed + content[start + 8 + size :])


@pytest.mark.parametrize(
    ("record", "signal", "number"),
    [(record, signal, number) for record, signal in PACKINGS for number in range(len(LIES[signal]))],
)
def test_lengths_that_lie_cost_their_read_alone(tmp_path: Path, record: str, signal: str, number: int) -> None:
    """A length in a record that does not fit the others, after decompression too, is a named drop."""
    reads = reads_made(3)
    change_first_record(tmp_path / "x.blow5", (record, signal), reads, LIES[signal][number])
    ledger = Ledger()
    with open_file(tmp_path / "x.blow5", ledger) as reader:
        got = list(reader)

    assert [read.read_id for read in got] == [read.read_id for read in reads[1:]]
    assert [drop.reason for drop in ledger.named] == ["unreadable"]
    for read, written in zip(got, reads[1:], strict=True):
        np.testing.assert_array_equal(read.adc, written.adc)


@given(place=st.floats(0, 1, exclude_max=True), value=st.integers(1, 255))
@settings(max_examples=60, deadline=None)
def test_a_changed_byte_in_a_zlib_record_never_changes_a_read(
    tmp_path_factory: pytest.TempPathFactory, place: float, value: int
) -> None:
    """The checksum of zlib covers the record: whatever byte of the records is changed, reads are equal or dropped."""
    path, reads = tmp_path_factory.mktemp("damaged") / "x.blow5", reads_made(3)
    write_with_pyslow5(path, reads)
    content = bytearray(path.read_bytes())
    first = first_record(content)
    content[first + int(place * (len(content) - first))] ^= value
    path.write_bytes(content)
    written = {read.read_id: read.adc for read in reads}
    with suppress(FormatError):
        for read in read_back(path):
            np.testing.assert_array_equal(read.adc, written[read.read_id])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda columns: [*columns[:6], "10", *columns[7:]], "unreadable"),
        (lambda columns: [*columns[:6], str(2**64 - 1), *columns[7:]], "unreadable"),
        (lambda columns: [*columns[:7], columns[7] + ",70000", *columns[8:]], "unreadable"),
        (lambda columns: [*columns[:7], columns[7].replace(",", ".", 1), *columns[8:]], "unreadable"),
        (
            lambda columns: [*columns[:7], columns[7].replace(",", ",-", 1).replace(",", "-,", 1), *columns[8:]],
            "unreadable",
        ),
        (lambda columns: columns[:-1], "unreadable"),
        (lambda columns: [*columns, "1"], "unreadable"),
        (lambda columns: [columns[0], "0x0", *columns[2:]], "unreadable"),
        (lambda columns: [columns[0], "7", *columns[2:]], "bad_metadata"),
        (lambda columns: [*columns[:2], "8_192", *columns[3:]], "unreadable"),
    ],
)
def test_a_line_that_does_not_add_up_is_a_drop(
    tmp_path: Path, change: Callable[[list[str]], list[str]], reason: str
) -> None:
    """SLOW5 text states its number of values and columns; the other lines are kept."""
    reads = reads_made(2)
    write_with_pyslow5(tmp_path / "x.slow5", reads)
    *header, first, second = (tmp_path / "x.slow5").read_text().splitlines()
    (tmp_path / "x.slow5").write_text("\n".join([*header, "\t".join(change(first.split("\t"))), second, ""]))
    ledger = Ledger()
    with open_file(tmp_path / "x.slow5", ledger) as reader:
        assert [read.read_id for read in reader] == [reads[1].read_id]

    assert [(drop.read_id, drop.reason) for drop in ledger.named] == [(reads[0].read_id, reason)]


@pytest.mark.parametrize(
    "name", ["channel_number", "start_mux", "read_number", "start_time", "end_reason", "median_before"]
)
def test_a_point_stands_for_a_missing_field(tmp_path: Path, name: str) -> None:
    """SLOW5 text writes ``.`` for an auxiliary field that is not known; the read is kept without it."""
    write_with_pyslow5(tmp_path / "x.slow5", reads_made(1))
    *header, names, line = (tmp_path / "x.slow5").read_text().splitlines()
    columns = line.split("\t")
    columns[names.removeprefix("#").split("\t").index(name)] = "."
    (tmp_path / "x.slow5").write_text("\n".join([*header, names, "\t".join(columns), ""]))

    field = {"channel_number": "channel", "start_mux": "mux", "start_time": "start_sample"}.get(name, name)
    assert getattr(read_back(tmp_path / "x.slow5")[0], field) in {0, "", None}


FUZZ = """
import sys, pathlib, numpy as np
sys.path.insert(0, sys.argv[2])
from tests.reads.test_readers import outcome
good, rng = pathlib.Path(sys.argv[1]), np.random.default_rng(0)
bad = good.with_name("bad" + good.suffix)
for number in range(60):
    content = np.frombuffer(good.read_bytes(), np.uint8).copy()
    where = rng.integers(8 if number % 2 else 300, len(content), 3)
    content[where] = rng.integers(0, 256, 3)
    bad.write_bytes(content.tobytes())
    assert "\\n" not in str(outcome(bad))
"""


@pytest.mark.parametrize("suffix", [".slow5", ".blow5"])
def test_damaged_bytes_never_end_in_another_error(tmp_path: Path, suffix: str) -> None:
    """Random damage ends in reads, named drops, or one line; in a process of its own, lest a crash takes the tests."""
    write_with_pyslow5(tmp_path / f"x{suffix}", reads_made(2))
    command = [sys.executable, "-W", "ignore", "-c", FUZZ, str(tmp_path / f"x{suffix}"), str(Path(__file__).parents[2])]
    done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=120)

    assert (done.returncode, done.stderr) == (0, "")


# ---- real reads ----

EXPECTED: dict[str, str | int] = {
    "exp_1_lossless_bad_rg_missing.slow5": "no line #num_read_groups",
    "exp_1_lossless_good.slow5": 1,
    "exp_1_lossy_bad_eof.blow5": "no end-of-file mark",
    "exp_1_lossy_good.blow5": 1,
    "zlib_svb-zd_multi_rg_v0.2.0_bad_hdr_len.blow5": "header is damaged",
    "zlib_svb-zd_multi_rg_v0.2.0_good.blow5": 7,
    "zlib_svb-zd_multi_rg_v0.2.0_trunc.blow5": "no end-of-file mark",
}
"""File -> what must come of it: an error's words, or a number of good reads."""


@pytest.mark.real
def test_every_edge_case_ends_as_expected(real_data: Path) -> None:
    """Each odd file ends in its reads, or an error of one line."""
    folder = real_data / "edge_cases/slow5_slow5tools_quickcheck"
    assert {path.name for path in folder.iterdir()} == set(EXPECTED)

    for name, expected in EXPECTED.items():
        got = outcome(folder / name)
        assert (str(expected) in got and "\n" not in got) if isinstance(got, str) else got == expected, (name, got)


REPORTED: dict[str, tuple[int, dict[str, int]]] = {
    "damaged/blow5_test-53-crash.blow5": (9, {"unreadable": 1}),
    "damaged/blow5_zlib-28-ok.blow5": (6, {"unreadable": 1}),
    "damaged/claims_10_has_1000.slow5": (0, {"unreadable": 1}),
    "damaged/min.slow5": (0, {"unreadable": 1}),
    "signal/channel_number_dot.slow5": (2, {}),
}
"""File -> reads kept, drops."""


@pytest.mark.real
@pytest.mark.parametrize("name", REPORTED)
def test_reported_files_end_in_reads_or_named_drops(real_data: Path, name: str) -> None:
    """Files on which pyslow5 crashed, or returned memory that nobody had written."""
    ledger, kept = Ledger(), 0
    with open_file(real_data / "field_reports" / name, ledger) as reader:
        kept = len(list(reader))

    assert (kept, dict(ledger.counts)) == REPORTED[name]

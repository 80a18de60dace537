import math
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import poreconv
from poreconv.errors import ConfigError, FormatError, PoreconvError, SignalError
from poreconv.reads.read import Calibration, Read
from poreconv.reads.readers import READERS, find_files, format_of, open_file, open_reads
from poreconv.reads.readers.writing import write_reads
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.registry import lookup
from tests.support.signal_files import (
    WRITERS,
    Sample,
    reads_made,
    write_bulk,
    write_multi,
    write_old_single,
    write_single,
)

PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)


def assert_same(a: Read, b: Read) -> None:
    """Compare everything but the file that the reads came from."""
    for field in fields(Read):
        if field.name == "adc":
            assert a.adc.dtype == np.int16
            np.testing.assert_array_equal(a.adc, b.adc)
        elif field.name != "source":
            assert getattr(a, field.name) == getattr(b, field.name), field.name


def edit(path: Path, change: Callable[[h5py.File], Any]) -> None:
    """Damage a file in one place."""
    with h5py.File(path, "r+") as file:
        change(file)


# ---- the contract, for every format ----


def test_every_reader_resolves_and_has_a_sample() -> None:
    """A format without a sample file in conftest is not tested."""
    assert set(WRITERS) == set(READERS)
    assert all(lookup(READERS, suffix, kind="format") for suffix in READERS)


def test_a_formats_readers_are_named_in_the_table_only() -> None:
    """Whoever wants a format asks by its name, so that adding one means adding one line.

    But for `convert`, which adds Tombo's table to the reads that it writes: no other format has a place for it.
    """
    modules = {entry.partition(":")[0] for entry in READERS.values()}
    package = Path(poreconv.__file__).parent
    others = [path for path in package.rglob("*.py") if path.parent.name != "readers"]
    named = {(path.name, name) for path in others for name in modules if re.search(rf"{name}\b", path.read_text())}

    assert named <= {("convert.py", "poreconv.reads.readers.fast5")}


@pytest.mark.parametrize("suffix", READERS)
def test_every_reader_writes_or_names_those_that_do(suffix: str, tmp_path: Path) -> None:
    """What is written by a format's name is read as that format."""
    path = tmp_path / f"x{suffix}"
    if lookup(READERS, suffix, kind="format").write is None:
        with pytest.raises(ConfigError, match=r"end the name in \.fast5, \.pod5, \.slow5, \.blow5"):
            write_reads(path, reads_made(2))
        assert list(tmp_path.iterdir()) == []
        return
    written = reads_made(2)
    write_reads(path, iter(written))

    assert format_of(path) == suffix
    with open_file(path, Ledger()) as reader:
        for a, b in zip(reader, written, strict=True):
            assert_same(a, b)


@pytest.mark.parametrize("name", ["x.tsv", "fast5", "x"])
def test_reads_are_written_by_a_known_name_only(name: str, tmp_path: Path) -> None:
    """The message names the formats."""
    with pytest.raises(ConfigError, match=r"end the name in \.fast5"):
        write_reads(tmp_path / name, reads_made(1))


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """A signal file is there whole or not at all."""
    path = tmp_path / "x.fast5"
    write_reads(path, reads_made(2))
    before = path.read_bytes()
    with pytest.raises(FormatError):
        write_reads(path, reads_made(1) * 2)

    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("suffix", READERS)
def test_every_reader_gives_the_counts_that_were_written(suffix: str, sample_file: Callable[[str], Sample]) -> None:
    """Reads come back in order, as int16, with their metadata."""
    path, written = sample_file(suffix)
    with open_file(path, Ledger()) as reader:
        got = list(reader)

    assert len(got) == len(written)
    for a, b in zip(got, written, strict=True):
        assert_same(replace(a, end_reason=b.end_reason), b)
        assert a.source == path


@pytest.mark.parametrize("suffix", READERS)
def test_every_reader_gives_random_access(suffix: str, sample_file: Callable[[str], Sample]) -> None:
    """``reader[read_id]`` is the read that iterating gives; an unknown id is a KeyError."""
    path, written = sample_file(suffix)
    with open_file(path, Ledger()) as reader:
        assert reader.read_ids == [read.read_id for read in written]
        assert len(reader) == len(written)
        np.testing.assert_array_equal(reader[written[2].read_id].adc, written[2].adc)
        with pytest.raises(KeyError):
            reader["nobody"]


@pytest.mark.parametrize("suffix", READERS)
def test_every_reader_refuses_other_content(suffix: str, tmp_path: Path) -> None:
    """The suffix alone does not decide: text in a file with a signal file's suffix is reported as text."""
    path = tmp_path / f"x{suffix}"
    path.write_text("read_id\tstart\tend\n")

    with pytest.raises(FormatError, match="looks like text"):
        open_file(path, Ledger())


@pytest.mark.parametrize("suffix", READERS)
def test_every_reader_refuses_a_truncated_file(suffix: str, sample_file: Callable[[str], Sample]) -> None:
    """Half a file is one error of one line."""
    path, _ = sample_file(suffix)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(FormatError) as caught:
        open_file(path, Ledger())
    assert "\n" not in str(caught.value)


# ---- fast5 ----


def test_single_read_files_are_read(single_fast5: Sample) -> None:
    """Single-read files, gzip and VBZ, give what was written."""
    path, [written] = single_fast5
    with open_file(path, Ledger()) as reader:
        [got] = reader

    assert_same(got, replace(written, end_reason=""))


def test_multi_read_files_are_read(multi_fast5: Sample) -> None:
    """Multi-read files, gzip and VBZ, give what was written; a bare end_reason stays a number."""
    path, written = multi_fast5
    with open_file(path, Ledger()) as reader:
        for a, b in zip(reader, written, strict=True):
            assert_same(a, replace(b, end_reason="5"))


def test_missing_optional_attributes_give_defaults(old_fast5: Sample) -> None:
    """A version 0.6 file with bytes attributes and little metadata is read."""
    path, [written] = old_fast5
    with open_file(path, Ledger()) as reader:
        [got] = reader

    np.testing.assert_array_equal(got.adc, written.adc)
    assert (got.run_id, got.channel) == (written.run_id, written.channel)
    assert (got.mux, got.start_sample, got.end_reason, got.median_before, got.pore) == (0, 0, "", None, "")
    assert got.chemistry.code == "unknown"


@given(
    values=st.lists(st.integers(-32768, 32767), min_size=1, max_size=300),
    offset=st.floats(-1000, 1000),
    scale=st.floats(1e-6, 100),
    start=st.integers(0, 2**64 - 1),
    texts=st.tuples(PRINTABLE, PRINTABLE, PRINTABLE, PRINTABLE, PRINTABLE),
    median=st.none() | st.floats(-1e6, 1e6).filter(lambda median: median != -1),
)
@settings(max_examples=25, deadline=None)
def test_written_reads_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    values: list[int],
    offset: float,
    scale: float,
    start: int,
    texts: tuple[str, ...],
    median: float | None,
) -> None:
    """What `write_reads` writes is read back equal, in every field."""
    run_id, pore, kit, experiment, end_reason = texts
    written = replace(
        reads_made(1)[0],
        adc=np.array(values, np.int16),
        calibration=Calibration(offset, scale),
        start_sample=start,
        run_id=run_id,
        pore=pore,
        kit=kit,
        experiment=experiment,
        end_reason=end_reason,
        median_before=median,
    )
    path = tmp_path_factory.mktemp("written") / "x.fast5"
    write_reads(path, [written])
    with open_file(path, Ledger()) as reader:
        [got] = reader

    assert_same(got, written)


def test_writer_takes_a_generator_and_keeps_metadata_apart(tmp_path: Path) -> None:
    """Reads of one run with another kit keep their own kit."""
    reads = [replace(read, kit=f"kit{n % 2}") for n, read in enumerate(reads_made(4))]
    write_reads(tmp_path / "x.fast5", (read for read in reads))
    with open_reads(tmp_path) as stream:
        got = list(stream)

    for a, b in zip(got, reads, strict=True):
        assert_same(a, b)


def test_writer_shares_the_metadata_of_a_run(tmp_path: Path) -> None:
    """Reads of one run point to one tracking_id group, and their signal is VBZ-compressed in one chunk."""
    write_reads(tmp_path / "x.fast5", reads_made(2))
    with h5py.File(tmp_path / "x.fast5") as file:
        a, b = (file[name] for name in file)

        assert a["tracking_id"] == b["tracking_id"]
        assert "32020" in a["Raw/Signal"]._filters
        assert a["Raw/Signal"].chunks == a["Raw/Signal"].shape


def test_writer_refuses_an_id_twice(tmp_path: Path) -> None:
    """Two reads with one id don't fit into one file."""
    with pytest.raises(FormatError, match="its id is taken"):
        write_reads(tmp_path / "x.fast5", reads_made(1) * 2)


@pytest.mark.parametrize("read_id", ["a/b", "two words", "@x", "", "x\ny"])
def test_writer_refuses_an_id_that_would_not_come_back(tmp_path: Path, read_id: str) -> None:
    """What the reader would drop is not written."""
    with pytest.raises(FormatError) as caught:
        write_reads(tmp_path / "x.fast5", reads_made(1, read_id=read_id))

    assert "\n" not in str(caught.value)


def test_soft_linked_metadata_is_not_mixed_up(tmp_path: Path) -> None:
    """Only hard links to one group share what was read from it."""
    write_multi(tmp_path / "x.fast5", reads_made(2))
    with h5py.File(tmp_path / "x.fast5", "r+") as file:
        for number, read in enumerate(file.values()):
            file.create_group(f"run{number}").attrs["run_id"] = f"run {number}"
            del read["tracking_id"]
            read["tracking_id"] = h5py.SoftLink(f"/run{number}")
    with open_reads(tmp_path) as stream:
        assert [read.run_id for read in stream] == ["run 0", "run 1"]


def test_writing_no_reads_gives_an_empty_stream(tmp_path: Path) -> None:
    """A multi-read file without reads is no error."""
    write_reads(tmp_path / "x.fast5", [])
    with open_reads(tmp_path) as stream:
        assert (len(stream), list(stream)) == (0, [])


def channel(name: str, value: Any) -> Callable[[h5py.File], None]:
    """Damage one attribute of the first read's calibration."""

    def change(file: h5py.File) -> None:
        attrs = file[next(iter(file))]["channel_id"].attrs
        del attrs[name]
        if value is not None:
            attrs[name] = value

    return change


def signal(value: Any) -> Callable[[h5py.File], None]:
    """Replace the first read's signal."""

    def change(file: h5py.File) -> None:
        raw = file[next(iter(file))]["Raw"]
        del raw["Signal"]
        if value is not None:
            raw["Signal"] = value

    return change


def rename(name: str) -> Callable[[h5py.File], None]:
    """Give the first read's raw group another read id."""
    return lambda file: file[next(iter(file))]["Raw"].attrs.__setitem__("read_id", name)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (signal(None), "no_signal"),
        (signal(np.zeros(0, np.int16)), "empty"),
        (signal(np.array([1, 40_000], np.int32)), "bad_signal"),
        (signal(np.array([1, 65_535], np.uint16)), "bad_signal"),
        (signal(np.array([1.5, 2.0])), "bad_signal"),
        (signal(np.array([1.0, math.nan])), "bad_signal"),
        (signal(np.zeros((2, 2), np.int16)), "bad_signal"),
        (signal(b"text"), "bad_signal"),
        (channel("range", None), "bad_calibration"),
        (channel("range", 0.0), "bad_calibration"),
        (channel("range", b"wide"), "bad_calibration"),
        (channel("range", np.array([1400.0, 1500.0])), "bad_calibration"),
        (channel("range", h5py.Empty("f8")), "bad_calibration"),
        (channel("digitisation", 0.0), "bad_calibration"),
        (channel("offset", math.nan), "bad_calibration"),
        (channel("sampling_rate", None), "bad_metadata"),
        (channel("sampling_rate", 0.0), "bad_metadata"),
        (channel("channel_number", b"\t"), "bad_metadata"),
        (rename("another"), "bad_metadata"),
        (lambda file: file.__delitem__(f"{next(iter(file))}/channel_id"), "bad_calibration"),
    ],
)
def test_unusable_reads_are_dropped_by_name(tmp_path: Path, change: Callable[[h5py.File], None], reason: str) -> None:
    """One bad read is counted under its reason, its neighbours are kept, and reading it names what is wrong."""
    reads = reads_made(3)
    write_multi(tmp_path / "x.fast5", reads)
    edit(tmp_path / "x.fast5", change)
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        assert [read.read_id for read in stream] == [read.read_id for read in reads[1:]]
        assert dict(ledger.counts) == {reason: 1}
        assert [drop.read_id for drop in ledger.named] == [reads[0].read_id]
        with pytest.raises(SignalError) as caught:
            stream[reads[0].read_id]

    assert caught.value.reason == reason
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", ["<i4", ">i2", "<u2", "<f8"])
def test_other_types_are_read_where_int16_holds_them(tmp_path: Path, dtype: str) -> None:
    """Counts stored as another type come back as int16 if they fit."""
    write_multi(tmp_path / "x.fast5", reads_made(1))
    edit(tmp_path / "x.fast5", signal(np.array([0, 7, 32_767], dtype)))
    with open_reads(tmp_path) as stream:
        [read] = stream

    assert read.adc.dtype == np.int16
    assert read.adc.tolist() == [0, 7, 32_767]


def test_a_claimed_size_is_not_believed(tmp_path: Path) -> None:
    """A signal of 10**13 samples by its header, with none stored, exhausts no memory."""
    write_multi(tmp_path / "x.fast5", reads_made(1))
    edit(tmp_path / "x.fast5", signal(None))
    edit(tmp_path / "x.fast5", lambda f: f[next(iter(f))]["Raw"].create_dataset("Signal", (10**13,), "i2", chunks=(9,)))
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        assert list(stream) == []

    assert dict(ledger.counts) == {"unreadable": 1}


@pytest.mark.parametrize("stated", ["@starts-like-fastq", "two words", "tab\there", "newline\nhere"])
def test_single_read_without_a_usable_id_is_dropped(tmp_path: Path, stated: str) -> None:
    """A read id must survive in a table and a BAM; the drop's message stays one line."""
    [read] = reads_made(1)
    write_old_single(tmp_path / "x.fast5", replace(read, read_id=stated))
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        assert list(stream) == []

    assert dict(ledger.counts) == {"bad_metadata": 1}
    assert "\n" not in ledger.named[0].detail


@pytest.mark.parametrize(("name", "read_id"), [("read7", "read7"), ("a read@7", "a_read_7")])
def test_a_single_read_without_an_id_is_named_after_its_file(tmp_path: Path, name: str, read_id: str) -> None:
    """As in files of 2014; characters that a read id cannot have are replaced."""
    [read] = reads_made(1)
    write_old_single(tmp_path / f"{name}.fast5", replace(read, read_id=""))
    with open_reads(tmp_path) as stream:
        [got] = stream

    assert got.read_id == read_id
    np.testing.assert_array_equal(got.adc, read.adc)


def test_hdf5_without_reads_is_no_fast5(tmp_path: Path) -> None:
    """HDF5 of another kind is named as such."""
    with h5py.File(tmp_path / "x.fast5", "w") as file:
        file["table"] = np.zeros(9)

    with pytest.raises(FormatError, match="not a fast5"):
        open_file(tmp_path / "x.fast5", Ledger())


@pytest.mark.parametrize("write", [write_multi, write_bulk])
def test_damaged_bytes_never_end_in_another_error(write: Callable[[Path, list[Read]], None], tmp_path: Path) -> None:
    """Random damage ends in reads, named drops, or one line."""
    write(tmp_path / "good.fast5", reads_made(2))
    good, rng = (tmp_path / "good.fast5").read_bytes(), np.random.default_rng(0)
    path = tmp_path / "bad.fast5"
    for _ in range(60):
        bad = np.frombuffer(good, np.uint8).copy()
        bad[rng.integers(8, len(bad), 40)] = rng.integers(0, 256, 40)
        path.write_bytes(bad.tobytes())
        try:
            with open_reads(path) as stream:
                list(stream)
        except PoreconvError as error:
            assert "\n" not in str(error)  # noqa: PT017 - most damage raises nothing


# ---- files and the stream ----


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x8bPOD\r\n\x1a\n....", "POD5"),
        (b"BLOW5\x01\x00\x02", "BLOW5"),
        (b"#slow5_version\t0.2.0", "SLOW5"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (b"", "an empty file"),
        (bytes(range(128, 190)), "an unknown format"),
    ],
)
def test_a_wrong_suffix_is_answered_with_what_it_looks_like(tmp_path: Path, head: bytes, name: str) -> None:
    """The error for a file whose content does not agree with its suffix names the content."""
    path = tmp_path / "x.fast5"
    path.write_bytes(head)

    with pytest.raises(FormatError, match=name):
        open_file(path, Ledger())


def test_folders_are_searched_and_other_files_passed_over(tmp_path: Path) -> None:
    """Signal files are found at any depth, sorted; tables and hidden files are not taken."""
    for name in ("b/2.fast5", "a/deep/1.FAST5", "notes.txt", ".hidden.fast5", "b/._2.fast5"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert [p.relative_to(tmp_path).as_posix() for p in find_files([tmp_path])] == ["a/deep/1.FAST5", "b/2.fast5"]


def test_a_folder_without_signal_files_is_an_error(tmp_path: Path) -> None:
    """That there is nothing to read is reported, not ignored."""
    (tmp_path / "notes.txt").touch()

    with pytest.raises(FormatError, match="no signal file in this folder"):
        find_files([tmp_path])


def test_named_files_must_exist_and_be_known(tmp_path: Path) -> None:
    """A path that the user typed is not passed over."""
    (tmp_path / "notes.txt").write_text("hello")

    with pytest.raises(FormatError, match="no such file"):
        open_reads(tmp_path / "absent.txt")
    with pytest.raises(FormatError, match="not a signal file"):
        open_reads(tmp_path / "notes.txt")


def test_hdf5_of_another_name_is_opened_as_fast5(tmp_path: Path) -> None:
    """Given by name, a fast5 called .hdf5 is read."""
    write_multi(tmp_path / "x.hdf5", reads_made(2))

    assert format_of(tmp_path / "x.hdf5") == ".fast5"
    with open_reads(str(tmp_path / "x.hdf5")) as stream:
        assert len(list(stream)) == 2


def test_several_files_are_one_stream(tmp_path: Path) -> None:
    """Files and folders make one stream, with random access over all of them."""
    (tmp_path / "folder").mkdir()
    reads = reads_made(12)
    for number, read in enumerate(reads[:10]):
        write_single(tmp_path / "folder" / f"{number:02d}.fast5", read)
    write_multi(tmp_path / "more.fast5", reads[10:])
    with open_reads([tmp_path / "folder", tmp_path / "more.fast5"]) as stream:
        assert [read.read_id for read in stream] == stream.read_ids == [read.read_id for read in reads]
        assert len(stream) == 12
        for read in reversed(reads):
            np.testing.assert_array_equal(stream[read.read_id].adc, read.adc)
        with pytest.raises(KeyError):
            stream["nobody"]


def test_a_read_id_seen_twice_is_dropped_as_duplicate(tmp_path: Path) -> None:
    """The first of two reads with one id is kept, the other counted."""
    write_multi(tmp_path / "a.fast5", reads_made(3))
    write_multi(tmp_path / "b.fast5", reads_made(4))
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        got = list(stream)

        assert len(stream) == len(got) == 4
    assert dict(ledger.counts) == {"duplicate": 3}
    assert {drop.source for drop in ledger.named} == {str(tmp_path / "b.fast5")}
    assert ledger.kept == 0


def test_a_bad_file_stops_the_stream(tmp_path: Path) -> None:
    """A bad file is an error by default."""
    (tmp_path / "bad.fast5").write_text("not a signal")

    with open_reads(tmp_path) as stream, pytest.raises(FormatError, match=r"bad\.fast5"):
        list(stream)


def test_bad_files_can_be_passed_over_and_are_noted_once(tmp_path: Path) -> None:
    """With skip_bad_files the rest is read; the ledger names the file once, however often it was met."""
    (tmp_path / "bad.fast5").write_text("not a signal")
    write_multi(tmp_path / "good.fast5", reads_made(2))
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger, skip_bad_files=True) as stream:
        assert len(stream) == len(list(stream)) == len(list(stream)) == 2

    assert [Path(drop.source).name for drop in ledger.bad_files] == ["bad.fast5"]


def test_the_stream_holds_one_read_at_a_time(tmp_path: Path) -> None:
    """Memory stays at about one read while 40 of 200 kB go by."""
    reads = reads_made(40, adc=np.arange(100_000, dtype=np.int16))
    write_reads(tmp_path / "x.fast5", reads)
    del reads
    with open_reads(tmp_path) as stream:
        tracemalloc.start()
        for _ in stream:
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 1_000_000


def test_files_are_closed_after_use(tmp_path: Path) -> None:
    """Neither iterating, stopping halfway, nor random access leaves a file open."""
    write_multi(tmp_path / "x.fast5", reads_made(3))
    with open_reads(tmp_path) as stream:
        for read in stream:
            stream[read.read_id]
            break

    with h5py.File(tmp_path / "x.fast5", "r+") as file:  # fails while the file is open for reading
        assert len(file) == 3


def test_importing_readers_is_light() -> None:
    """Finding files needs neither h5py nor ont-fast5-api; opening one does."""
    code = "import sys, poreconv.reads.readers; sys.exit('h5py' in sys.modules or 'ont_fast5_api' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# ---- real reads ----

EXPECTED: dict[str, str | dict[str, int] | int] = {
    "fast5_bulk_abf/abf2bulkfast5.fast5": 1,
    "fast5_fast5tools_issues/issue_002.fast5": {"no_signal": 1},
    "fast5_fast5tools_issues/issue_003.fast5": "truncated file",
    "fast5_fast5tools_issues/issue_004.fast5": "no reads in it",
    "fast5_fast5tools_issues/issue_005.fast5": "truncated file",
    "fast5_fast5tools_issues/issue_006.fast5": {"no_signal": 1},
    "fast5_ont_fast5_api/basecall_2d_file_v1.0.fast5": {"no_signal": 1},
    "fast5_ont_fast5_api/hardlink/unlinked/batch0.fast5": 8,
    "fast5_ont_fast5_api/multi_read/batch_0.fast5": 4,
    "fast5_ont_fast5_api/multi_read_analyses/batch_0.fast5": 1,
    "fast5_ont_fast5_api/read_file_v0.6_raw.fast5": 1,
    "fast5_ont_fast5_api/read_file_v0.6_single.fast5": {"no_signal": 1},
    "fast5_ont_fast5_api/rle_basecall_table/rle_example.fast5": {"no_signal": 1},
    "fast5_ont_fast5_api/single_read_analyses/read.fast5": 1,
    "fast5_ont_fast5_api/vbz_reads/vbz_reads.fast5": 4,
    "fast5_slow5tools/err_fast5/R7_1.fast5": {"no_signal": 1},
    "fast5_slow5tools/err_fast5/a.fast5": 1,
    "fast5_slow5tools/err_fast5/aux_field_wrong_type.fast5": 1,
    "fast5_slow5tools/err_fast5/dupli_attrib.fast5": 1,
    "fast5_slow5tools/err_fast5/empty_fast5.fast5": "no reads in it",
    "fast5_slow5tools/err_fast5/malformed_readid1.fast5": {"kept": 1, "bad_metadata": 1},
    "fast5_slow5tools/err_fast5/malformed_readid2.fast5": {"bad_metadata": 1},
    "fast5_slow5tools/err_fast5/missing_primary_field.fast5": {"bad_calibration": 1},
    "fast5_slow5tools/err_fast5/newline_in_attrib.fast5": 1,
    "fast5_slow5tools/err_fast5/newline_in_field.fast5": 1,
    "fast5_slow5tools/err_fast5/no_fast5_dir/text_file.fast5": "looks like text",
    "fast5_slow5tools/err_fast5/not_a_fast5.fast5": "looks like text",
    "fast5_slow5tools/err_fast5/primary_field_wrong_type.fast5": 1,
    "fast5_slow5tools/err_fast5/single_fast5_no_raw_grp.fast5": {"no_signal": 1},
    "fast5_slow5tools/err_fast5/tab_in_attrib.fast5": 1,
    "fast5_slow5tools/err_fast5/tab_in_field.fast5": {"bad_metadata": 1},
    "fast5_slow5tools/unusual_fast5/new_attrib_in_channel.fast5": 1,
    "fast5_slow5tools/unusual_fast5/new_attrib_in_context.fast5": 1,
    "fast5_slow5tools/unusual_fast5/new_attrib_in_raw.fast5": 1,
    "fast5_slow5tools/unusual_fast5/new_attrib_in_read.fast5": 1,
    "fast5_slow5tools/unusual_fast5/new_attrib_in_tracking.fast5": 1,
    "fast5_slow5tools/unusual_fast5/new_group.fast5": 1,
    "fast5_slow5tools/unusual_fast5/new_str_attrib_in_context.fast5": 1,
    "fast5_slow5tools/unusual_fast5/new_str_attrib_in_tracking.fast5": 1,
    "fast5_text_not_hdf5/empty.fast5": "an empty file",
    "fast5_text_not_hdf5/fake1.fast5": "an empty file",
}
"""File -> what must come of it: an error's words, drops by reason, or a number of good reads."""


def outcome(path: Path) -> str | dict[str, int] | int:
    """What comes of a file: the error's message, drops by reason, or the number of good reads."""
    ledger = Ledger()
    try:
        with open_reads(path, ledger=ledger) as stream:
            kept = sum(len(read.adc) > 0 for read in stream)
    except PoreconvError as error:
        return str(error)
    assert all("\n" not in drop.detail for drop in ledger.named)
    return kept if not ledger.counts else dict(ledger.counts) | ({"kept": kept} if kept else {})


@pytest.mark.real
def test_every_edge_case_ends_as_expected(real_data: Path) -> None:
    """Each odd file ends in its reads, a named drop, or an error of one line."""
    files = {p.relative_to(real_data / "edge_cases").as_posix(): p for p in (real_data / "edge_cases").rglob("*.fast5")}

    assert set(files) == set(EXPECTED)
    for name, expected in EXPECTED.items():
        got = outcome(files[name])
        if isinstance(expected, str):
            assert isinstance(got, str), name
            assert expected in got, name
            assert "\n" not in got, name
        else:
            assert got == expected, name


@pytest.mark.real
def test_gzip_and_vbz_twins_give_identical_reads(real_data: Path) -> None:
    """Compression changes nothing."""
    folder = real_data / "dna_r941_gzip_vs_vbz"
    with open_reads(folder / "multi_fast5_zip.fast5") as zipped, open_reads(folder / "multi_fast5_vbz.fast5") as vbz:
        for a, b in zip(zipped, vbz, strict=True):
            assert_same(a, b)

        assert sum(len(read.adc) for read in vbz) == 1_548_931


@pytest.mark.real
def test_real_metadata_names_the_chemistry(real_data: Path) -> None:
    """RNA002, RNA001 and R9.4.1 files are recognised, from attributes in either spelling."""
    expected = {
        "rna002_18s_tombo": "rna002",
        "rna001_actb_tombo_and_moves": "rna001",
        "dna_r941_lambda_tombo": "dna_r9.4.1",
        "rna002_polya_regions": "rna002",
    }
    for folder, chemistry in expected.items():
        with open_reads(real_data / folder) as stream:
            assert {read.chemistry.code for read in stream} == {chemistry}


@pytest.mark.real
def test_an_enum_end_reason_comes_as_its_name(real_data: Path) -> None:
    """Files of version 2.0 and later contain the reason why a read ended as an enum."""
    with open_reads(real_data / "edge_cases/fast5_ont_fast5_api/multi_read") as stream:
        assert {read.end_reason for read in stream} == {"signal_positive"}


def _external_link(file: h5py.File, raw: str, other: Path) -> None:
    del file[raw]
    file[raw] = h5py.ExternalLink(other, raw)


def _external_storage(file: h5py.File, raw: str, other: Path) -> None:
    del file[raw]["Signal"]
    file[raw].create_dataset("Signal", (100,), "i2", external=[(str(other), 0, 200)])


def _virtual(file: h5py.File, raw: str, other: Path) -> None:
    with h5py.File(other) as source:
        signal = source[raw]["Signal"]
        layout = h5py.VirtualLayout(signal.shape, signal.dtype)
        layout[:] = h5py.VirtualSource(signal)
    del file[raw]["Signal"]
    file[raw].create_virtual_dataset("Signal", layout)


@pytest.mark.parametrize("elsewhere", [_external_link, _external_storage, _virtual])
@pytest.mark.parametrize("form", [".fast5", ".bulk.fast5"])
def test_a_signal_in_another_file_is_a_drop(
    tmp_path: Path, form: str, elsewhere: Callable[[h5py.File, str, Path], None]
) -> None:
    """What a file names is not opened: it could be any file of the user's."""
    path, other, reads = tmp_path / f"x{form}", tmp_path / "other", reads_made(2)
    WRITERS[form](path, reads)
    WRITERS[form](other, reads)
    raw = "Raw/Channel_1" if form == ".bulk.fast5" else f"read_{reads[0].read_id}/Raw"
    edit(path, lambda file: elsewhere(file, raw, other))
    ledger = Ledger()
    with open_file(path, ledger) as reader:
        assert len(list(reader)) == 1

    assert dict(ledger.counts) == {"outside_file": 1}


def test_a_hole_among_the_texts_of_a_fast5_is_one_line(tmp_path: Path) -> None:
    """HDF5 itself would go round for ever."""
    write_single(tmp_path / "x.fast5", reads_made(1)[0])
    content = (tmp_path / "x.fast5").read_bytes()
    hole = content.index(b"GCOL") + 16
    (tmp_path / "x.fast5").write_bytes(content[:hole] + bytes(600) + content[hole + 600 :])

    with pytest.raises(FormatError, match=r"texts at byte \d+ are damaged"):
        open_file(tmp_path / "x.fast5", Ledger())

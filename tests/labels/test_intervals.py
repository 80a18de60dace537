"""Labels from tables of intervals."""

import gzip
import io
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from poreconv.config import SourceConfig
from poreconv.errors import ConfigError, FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from tests.support.labels import read_of, spans

Write = Callable[..., Path]
Row = tuple[int, str]
"""Read and label."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a text file and return its path."""

    def written(text: str, name: str = "labels.txt") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return written


def from_intervals(files: Sequence[Path], *reads: Read, outside: str = "unknown") -> list[Events]:
    """Label reads from tables that label them."""
    with closing(open_labels("intervals", files, SourceConfig(outside=outside))) as source:
        labels = [source.events(read) for read in reads]
    return [events for events in labels if events is not None]


TABLE = "read_id,start,end,label\nr1,20,30,beat\nr1,5,10,noise\nr2,0,9,beat\n"


def test_intervals_are_sorted_and_cover_themselves(write: Write) -> None:
    """Samples outside them stay uncovered."""
    (events,) = from_intervals([write(TABLE)], read_of("r1"))

    assert events.classes == ("beat", "noise")
    assert events.label.tolist() == [1, 0]
    assert events.coverage.tolist() == [[5, 10], [20, 30]]


def test_a_value_is_a_number_of_each_interval(write: Write) -> None:
    """An empty cell is a value that is not known; no column is needed."""
    table = write("read_id,start,end,value\nr1,5,10,\nr1,20,30,1.5\n")

    (events,), (plain,) = from_intervals([table], read_of("r1")), from_intervals([write(TABLE, "b")], read_of("r1"))

    assert np.array_equal(events.value, np.array([np.nan, 1.5], np.float32), equal_nan=True)
    assert np.isnan(plain.value).all()


def test_gaps_of_an_outside_class_have_no_value(write: Write) -> None:
    """Only the typed intervals have."""
    table = write("read_id,start,end,label,value\nr1,5,10,beat,2\n")

    (events,) = from_intervals([table], read_of("r1"), outside="background")

    assert np.array_equal(events.value, np.array([np.nan, 2, np.nan], np.float32), equal_nan=True)


def test_a_value_that_is_no_number_is_refused(write: Write) -> None:
    """The message names row and column."""
    with pytest.raises(FormatError, match=r"labels.txt: row 2: column value: 'high' is not a number; correct it"):
        from_intervals([write("read_id,start,end,value\nr1,5,10,high\n")], read_of("r1"))


def test_an_outside_class_fills_the_read(write: Write) -> None:
    """Before, between and after: the whole read is covered."""
    (events,) = from_intervals([write(TABLE)], read_of("r1"), outside="background")

    assert events.classes == ("background", "beat", "noise")
    assert events.start.tolist() == [0, 5, 10, 20, 30]
    assert events.label.tolist() == [0, 2, 0, 1, 0]
    assert events.coverage.tolist() == [[0, 100]]


def test_an_outside_class_leaves_no_empty_event(write: Write) -> None:
    """There is no event between intervals that touch each other or the read's ends."""
    text = "read_id,start,end,label\nr1,0,50,beat\nr1,50,100,noise\n"
    (events,) = from_intervals([write(text)], read_of("r1"), outside="background")

    assert events.label.tolist() == [1, 2]


def test_outside_may_be_one_of_the_labels(write: Write) -> None:
    """One row can label a whole read as background."""
    text = "read_id,start,end,label\nr1,0,100,background\nr2,3,9,beat\n"
    (events,) = from_intervals([write(text)], read_of("r1"), outside="background")

    assert events.classes == ("background", "beat")
    assert events.label.tolist() == [0]


def test_an_outside_class_needs_labelled_intervals(write: Write) -> None:
    """Else intervals and what is outside them would have the same class."""
    with pytest.raises(ConfigError, match="no labels"):
        from_intervals([write("read_id,start,end\nr1,0,5\n")], outside="background")


def test_labels_of_bases_make_the_classes_of_bases(write: Write) -> None:
    """They have the order of every other source, even if a base is absent."""
    (events,) = from_intervals([write("read_id,start,end,label\nr1,0,5,T\nr1,5,9,C\n")], read_of("r1"))

    assert events.classes == ("A", "C", "G", "T")
    assert events.label.tolist() == [3, 1]


def test_without_labels_events_have_places_only(write: Write) -> None:
    """A table of three columns is enough."""
    (events,) = from_intervals([write("read_id\tstart\tend\nr1\t0\t5\n")], read_of("r1"))

    assert events.classes == ()
    assert events.label.tolist() == [-1]


def test_an_empty_label_is_an_unknown_class(write: Write) -> None:
    """Some cells may be empty, as long as others are filled."""
    (events,) = from_intervals([write("read_id,start,end,label\nr1,0,5,\nr1,5,9,beat\n")], read_of("r1"))

    assert events.label.tolist() == [-1, 0]


def test_read_ids_of_digits_stay_text(write: Write) -> None:
    """A leading zero is part of the id."""
    (events,) = from_intervals([write("read_id,start,end\n007,0,5\n")], read_of("007"))

    assert len(events) == 1


def test_other_columns_and_their_order_don_t_matter(write: Write) -> None:
    """The events table of ``poreconv label`` has more columns."""
    text = "score,label,end,start,read_id,mean_pa\n0.9,beat,9,5,r1,81.5\n"
    (events,) = from_intervals([write(text)], read_of("r1"))

    assert (events.start.tolist(), events.end.tolist()) == ([5], [9])


@pytest.mark.parametrize("integer", [pa.int32(), pa.uint64()])
def test_parquet_is_read_as_text_is(tmp_path: Path, integer: pa.DataType) -> None:
    """It is recognised by its content; integers may have any type."""
    path = tmp_path / "events.bin"
    columns = {
        "read_id": pa.array(["r1", "r1"]).dictionary_encode(),
        "start": pa.array([5, 9], integer),
        "end": pa.array([9, 12], integer),
        "label": pa.array(["beat", None]),
        "score": pa.array([0.5, 0.7]),
    }
    pa.parquet.write_table(pa.table(columns), path)
    (events,) = from_intervals([path], read_of("r1"))

    assert events.start.tolist() == [5, 9]
    assert events.label.tolist() == [0, -1]


def test_several_tables_count_as_one(write: Write) -> None:
    """Their classes are the same for every read."""
    files = [write("read_id,start,end,label\nr1,0,5,x\n", "a.csv"), write("read_id\tstart\tend\nr2\t3\t4\n", "b.tsv")]
    one, two = from_intervals(files, read_of("r1"), read_of("r2"))

    assert one.classes == two.classes == ("x",)


def test_gzip_text_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    """As spreadsheets and archives write them, with a byte order mark."""
    path = tmp_path / "labels.csv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbfread_id,start,end\r\nr1,0,5\r\n"))
    (events,) = from_intervals([path], read_of("r1"))

    assert len(events) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("read_id,begin,end\nr1,0,5\n", "no column start"),
        ("read_id,start,end\nr1,0,5\nr1,5.5,9\n", "row 3: column start: '5.5' is not a whole number; places are whole"),
        ("read_id,start,end\n\nr1,0,5\n\nr1,x,9\n", "row 5: column start: 'x' is not a number"),
        ("read_id,start,end\nr1,,5\n", "row 2: column start is empty"),
        ("read_id,start,end\n,2,5\n", "row 2: column read_id is empty"),
        ("read_id,start,end\nr1,0,5\n\nr1,0,5,7\n", "row 4: 4 cells, and the first row has 3"),
        ("read_id,Start,START,end\nr1,0,5,7\n", "columns 'Start', 'START' are both start; rename all but one"),
        ("read_id;start;end\nr1;12.000;13.000\n", "row 2: column start: '12.000' is ambiguous: thousands, or decimals"),
        ("", "no column read_id, start, end"),
    ],
)
def test_tables_of_another_form_are_format_errors(write: Write, text: str, message: str) -> None:
    """The message names row and column."""
    with pytest.raises(FormatError, match=message):
        from_intervals([write(text)])


def test_parquet_with_fractions_is_a_format_error(tmp_path: Path) -> None:
    """Seconds are not samples; floats that are whole numbers are read, as pandas writes a column with an empty cell."""
    path = tmp_path / "events.parquet"
    pa.parquet.write_table(pa.table({"read_id": ["r1", "r1"], "start": [0.0, 5.0], "end": [5.0, None]}), path)
    (events,) = from_intervals([path], read_of("r1"))
    pa.parquet.write_table(pa.table({"read_id": ["r1"], "start": [0.0], "end": [5.5]}), path)

    assert spans(events) == [(0, 5, -1), (5, 100, -1)]
    with pytest.raises(FormatError, match=r"row 1: column end: '5\.5' is not a whole number"):
        from_intervals([path])


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("r1,0,5\nr1,4,9\n", "label_order"),
        ("r1,0,5\nr1,0,9\n", "label_order"),
        ("r1,5,5\n", "label_empty"),
        ("r1,90,101\n", "label_outside_signal"),
        ("r1,-1,5\n", "label_outside_signal"),
    ],
)
@pytest.mark.parametrize("outside", ["unknown", "background"])
def test_intervals_that_do_not_fit_are_named_drops(write: Write, rows: str, reason: str, outside: str) -> None:
    """Overlapping, empty or outside the signal, with an outside class or without."""
    text = "read_id,start,end,label\n" + rows.replace("\n", ",beat\n")
    with pytest.raises(LabelError) as caught:
        from_intervals([write(text)], read_of("r1"), outside=outside)

    assert caught.value.reason == reason


def test_many_reads_are_each_found(tmp_path: Path) -> None:
    """Reads may be in any order in the table."""
    order = np.random.default_rng(0).permutation(3000)
    table = pa.table(
        {"read_id": [f"r{i % 1000}" for i in order], "start": order // 1000 * 10, "end": order // 1000 + 21}
    )
    pa.parquet.write_table(table.set_column(2, "end", pa.array(order // 1000 * 10 + 7)), tmp_path / "t")
    labels = from_intervals([tmp_path / "t"], *[read_of(f"r{i}") for i in range(1000)])

    assert all(events.start.tolist() == [0, 10, 20] for events in labels)


def test_bed_of_reads_is_read(write: Write) -> None:
    """As ``poreconv convert`` writes it: no header, the class as the name, and ``.`` for none."""
    rows = "r1\t20\t30\tbeat\t900\t.\nr1\t5\t10\t.\t0\t.\nr2\t0\t9\tnoise\t1\t.\n"
    (events,) = from_intervals([write(rows, "labels.bed")], read_of("r1"))

    assert events.classes == ("beat", "noise")
    assert events.label.tolist() == [-1, 0]
    assert events.start.tolist() == [5, 20]


@pytest.mark.parametrize("columns", [3, 4, 6, 9])
def test_bed_may_have_remarks_and_any_number_of_columns(write: Write, columns: int) -> None:
    """Three columns are enough; a quote is part of a name."""
    row = "\t".join(["r1", "5", "10", '"a', "0", ".", "5", "10", "0"][:columns])
    (events,) = from_intervals([write(f"# made by hand\n\ntrack name=x\n{row}\n", "labels.bed")], read_of("r1"))

    assert events.classes == (('"a',) if columns > 3 else ())
    assert (events.start.tolist(), events.end.tolist()) == ([5], [10])


def test_packed_bed_is_read(tmp_path: Path) -> None:
    """Both of its suffixes count."""
    path = tmp_path / "labels.bed.gz"
    path.write_bytes(gzip.compress(b"r1\t0\t5\n"))

    assert len(from_intervals([path], read_of("r1"))) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("r1\t0\n", "no column end"),
        ("r1\t0\tx\n", "row 1: column end: 'x'"),
        (".\t0\t5\n", "row 1: column read_id is empty"),
    ],
)
def test_a_bed_of_another_form_is_a_format_error(write: Write, text: str, message: str) -> None:
    """Two columns, letters instead of a number, no read id."""
    with pytest.raises(FormatError, match=message):
        from_intervals([write(text, "labels.bed")])


@pytest.mark.parametrize(("text", "name"), [("read_id,start,end\n", "t.csv"), ("", "t.bed"), ("# no row\n", "t.bed")])
def test_a_table_without_rows_labels_no_read(write: Write, text: str, name: str) -> None:
    """It is still a valid table."""
    assert from_intervals([write(text, name)], read_of("r1")) == []


def test_an_empty_cell_far_down_is_found(tmp_path: Path) -> None:
    """Whatever the number of batches in which the table is read."""
    start = np.arange(300_000, dtype=float)
    start[200_000] = np.nan
    column = pa.array(start, from_pandas=True).cast(pa.int64())
    pa.parquet.write_table(pa.table({"read_id": ["r1"] * len(start), "start": column, "end": column}), tmp_path / "t")

    with pytest.raises(FormatError, match="row 200001: column start is empty"):
        from_intervals([tmp_path / "t"])


rows_of_reads = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["", "x", "y"])), min_size=1, max_size=60)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=rows_of_reads, second=rows_of_reads, batch=st.integers(1, 7))
def test_rows_are_found_wherever_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: list[Row], second: list[Row], batch: int
) -> None:
    """Adjacent, scattered, in several batches and files: each read has its own rows, sorted."""
    monkeypatch.setattr("poreconv.labels.parsing.table_kinds.BATCH_ROWS", batch)
    monkeypatch.setattr("poreconv.labels.parsing.tables.BLOCK_ROWS", batch)
    place = np.random.default_rng(batch).permutation(len(first) + len(second)).tolist()
    rows = [(f"r{read}", 2 * at, label) for (read, label), at in zip([*first, *second], place, strict=True)]
    files = []
    for name, part in (("a", rows[: len(first)]), ("b", rows[len(first) :])):
        read_ids, starts, labels = zip(*part, strict=True)
        columns = {"read_id": read_ids, "start": starts, "end": [at + 1 for at in starts], "label": labels}
        pa.parquet.write_table(pa.table(columns), tmp_path / name)
        files.append(tmp_path / name)
    classes = sorted({label for _, _, label in rows} - {""})
    with closing(open_labels("intervals", files, SourceConfig())) as source:
        found = {f"r{read}": source.events(read_of(f"r{read}", 500)) for read in range(6)}

    for read_id, events in found.items():
        expected = sorted(
            (at, at + 1, classes.index(label) if label else -1) for one, at, label in rows if one == read_id
        )
        assert (spans(events) if events is not None else []) == expected


def test_memory_holds_no_rows(tmp_path: Path) -> None:
    """The index holds the place of a read's rows, not their contents."""
    path = tmp_path / "t"
    start = np.arange(200_000)
    pa.parquet.write_table(pa.table({"read_id": ["r1"] * len(start), "start": start, "end": start + 1}), path)
    with closing(open_labels("intervals", [path], SourceConfig())) as source:
        kept = vars(vars(source)["_tables"]).values()

        assert sum(one.nbytes for one in kept if isinstance(one, np.ndarray)) < 100
        assert max(len(repr(one)) for one in kept if isinstance(one, dict)) < 100


def test_a_full_disk_is_a_config_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    """The message states how to use another folder for temporary files."""

    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", Full)

    with pytest.raises(ConfigError, match=r"No space left on device.*set TMPDIR"):
        from_intervals([write(TABLE)])

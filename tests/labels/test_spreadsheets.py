"""Labels from spreadsheets, and from what spreadsheets save as text."""

import csv
import sys
import zipfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from poreconv.config import SourceConfig
from poreconv.dataset.read_info import read_info
from poreconv.errors import ConfigError, FormatError, LabelError
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.labels.parsing.tails import Tail, tails_in
from poreconv.reads.read import Read
from tests.support.labels import read_of, spans

HEADER = ("Read ID", "start", "end", "label")
Row = Sequence[Any]


def sheet(path: Path, *rows: Row, header: Row = HEADER) -> Path:
    """Write a spreadsheet."""
    book = openpyxl.Workbook()
    for row in (header, *rows):
        book.active.append(list(row))
    book.save(path)
    return path


def separated(path: Path, delimiter: str, *rows: Row, header: Row = HEADER) -> Path:
    """Write a text as spreadsheets save it."""
    with path.open("w", newline="", encoding="utf-8-sig") as stream:
        csv.writer(stream, delimiter=delimiter).writerows([header, *rows])
    return path


def labelled(path: Path, read: Read, config: SourceConfig | None = None) -> Events | None:
    """Label a read from a table."""
    with closing(open_labels("intervals", [path], config or SourceConfig())) as source:
        return source.events(read)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=5)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edges=st.sets(st.integers(0, 1000), min_size=2, max_size=20).map(sorted),
    names=st.lists(NAMES.filter(lambda name: name[0] not in "=."), min_size=1, max_size=4, unique=True),
)
def test_what_is_written_as_any_kind_of_table_is_read_back(tmp_path: Path, edges: list[int], names: list[str]) -> None:
    """The same intervals, whatever separates the cells."""
    rows = [("r1", edges[at], edges[at + 1], names[at % len(names)]) for at in range(len(edges) - 1)]
    paths = [sheet(tmp_path / "t.xlsx", *rows)]
    paths += [separated(tmp_path / f"t{ord(mark)}.csv", mark, *rows) for mark in ";\t,"]
    found = [labelled(path, read_of("r1", 1000)) for path in paths]

    for events in found:
        assert events is not None
        written = [(start, end, events.classes.index(name)) for _, start, end, name in rows]
        assert spans(events) == written


@pytest.mark.parametrize(
    "header",
    [
        ("read_id", "start", "end", "label"),
        ("Read ID", " Start", "END ", "Label"),
        ("read-id", "start", "end", "label"),
    ],
)
def test_headers_are_read_as_people_write_them(tmp_path: Path, header: Row) -> None:
    """Case, spaces and hyphens don't matter; columns without a name are ignored."""
    path = separated(tmp_path / "t.csv", ";", ("r1", 0, 9, "a", ""), header=(*header, ""))

    assert spans(labelled(path, read_of("r1"))) == [(0, 9, 0)]


def test_whole_numbers_may_be_written_as_floats(tmp_path: Path) -> None:
    """In text, with a decimal point or comma, and in a spreadsheet."""
    rows = [("r1", "12.0", "20.00", "a"), ("r1", "20", "3e1", "a")]
    tables = [separated(tmp_path / "t.tsv", "\t", *rows), sheet(tmp_path / "t.xlsx", ("r1", 12.0, 30.0, "a"))]
    tables += [separated(tmp_path / "t.csv", ";", ("r1", "12,0", "30", "a"))]

    assert [spans(labelled(path, read_of("r1"))) for path in tables] == [
        [(12, 20, 0), (20, 30, 0)],
        [(12, 30, 0)],
        [(12, 30, 0)],
    ]


def test_a_value_may_have_a_decimal_comma(tmp_path: Path) -> None:
    """Where semicolons separate the columns."""
    path = separated(tmp_path / "t.csv", ";", ("r1", 0, 9, "1,5"), header=("read_id", "start", "end", "value"))
    events = labelled(path, read_of("r1"))

    assert events is not None
    assert events.value.tolist() == [1.5]


@pytest.mark.parametrize("empty", ["", "NA", None])
def test_an_empty_last_end_is_the_reads_end(tmp_path: Path, empty: str | None) -> None:
    """Of each read, in any order of the rows."""
    path = sheet(tmp_path / "t.xlsx", ("r1", 50, empty, "b"), ("r2", 7, empty, "b"), ("r1", 0, 50, "a"))

    assert spans(labelled(path, read_of("r1"))) == [(0, 50, 0), (50, 100, 1)]
    assert spans(labelled(path, read_of("r2", 60))) == [(7, 60, 1)]


def test_trailing_spaces_make_no_second_class(tmp_path: Path) -> None:
    """Nor a second read."""
    path = sheet(tmp_path / "t.xlsx", ("r1", 0, 5, "polya "), ("r1 ", 5, 9, " polya"), ("r1", 9, 12, "polya\u00a0"))
    events = labelled(path, read_of("r1"))

    assert events is not None
    assert events.classes == ("polya",)
    assert spans(events) == [(0, 5, 0), (5, 9, 0), (9, 12, 0)]


def test_empty_rows_are_ignored_and_count_in_row_numbers(tmp_path: Path) -> None:
    """In a spreadsheet, and in the text that it saves; a row of a read that does not fit is named too."""
    rows = [("r1", 0, 5, "a"), (None,) * 4, (None,) * 4, ("r1", 90, 120, "a")]
    for path in (sheet(tmp_path / "t.xlsx", *rows), separated(tmp_path / "t.csv", ";", *rows)):
        with pytest.raises(LabelError, match=rf"{path.name} row 5 is \[90, 120\), but the read has 100 samples"):
            labelled(path, read_of("r1"))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("r1", 0.5, 5, "a"), "row 3: column start: '0.5' is not a whole number"),
        (("r1", "x", 5, "a"), "row 3: column start: 'x' is not a number"),
        (("r1", None, 5, "a"), "row 3: column start is empty"),
        ((None, 2, 5, "a"), "row 3: column read_id is empty"),
        (("r1", 5, "=B3+4", "a"), "row 3: a formula without its value; open the file in a program for spreadsheets"),
    ],
)
def test_a_refused_row_is_named(tmp_path: Path, row: Row, message: str) -> None:
    """By its number in the sheet, with the reason."""
    with pytest.raises(FormatError, match=message):
        labelled(sheet(tmp_path / "t.xlsx", ("r1", 0, 3, "a"), row), read_of("r1"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("r1", 0, 5, "a"), ("r1", 4, 9, "a")], "row 3 starts at 4, before t.xlsx row 2 ends at 5; .* --overlaps"),
        ([("r1", 0, None, "a"), ("r1", 4, 9, "a")], "row 2 has no end, and t.xlsx row 3 starts at 4"),
        ([("r1", 5, 5, "a")], r"row 2 is \[5, 5\) and contains no sample"),
        ([("r1", -1, 5, "a")], r"row 2 is \[-1, 5\), but the read has 100 samples"),
    ],
)
def test_rows_that_do_not_fit_their_read_are_named(tmp_path: Path, rows: list[Row], message: str) -> None:
    """The read is dropped."""
    with pytest.raises(LabelError, match=message):
        labelled(sheet(tmp_path / "t.xlsx", *rows), read_of("r1"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    intervals=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15), st.sampled_from("xyz")), min_size=1),
    rule=st.sampled_from(["first", "last"]),
)
def test_overlaps_belong_to_the_first_or_last_row(
    tmp_path: Path, intervals: list[tuple[int, int, str]], rule: Any
) -> None:
    """Sample by sample, as if the intervals were painted over each other."""
    rows = [("r1", start, start + length, name) for start, length, name in intervals]
    events = labelled(separated(tmp_path / "t.csv", ";", *rows), read_of("r1", 60), SourceConfig(overlaps=rule))
    expected, found = np.full(60, ""), np.full(60, "")
    for _, start, end, name in rows if rule == "last" else reversed(rows):
        expected[start:end] = name

    assert events is not None
    for start, end, label in spans(events):
        assert (found[start:end] == "").all()
        found[start:end] = events.classes[label]
    assert found.tolist() == expected.tolist()


def test_other_tables_may_be_spreadsheets_too(tmp_path: Path) -> None:
    """One label per read, tails, and what is known of reads."""
    classes = sheet(tmp_path / "c.xlsx", ("r1", "Mod "), ("r2", "can"), header=("Read ID", "Label"))
    tails = sheet(tmp_path / "t.xlsx", ("r1", 40, 60), header=("read_id", "tail_start", "tail_end"))
    info = separated(tmp_path / "i.csv", ";", ("r1", "9,5"), header=("Read ID", "Mean Quality"))
    with closing(open_labels("read_table", [classes], SourceConfig())) as source:
        found = source.events(read_of("r1"))

    assert (spans(found), source.classes) == ([(0, 100, 0)], ("Mod", "can"))
    assert list(tails_in(tails)) == [("r1", Tail(40, 60))]
    assert read_info([info])["r1"].quality == 9.5


def test_pandas_writes_what_is_read(tmp_path: Path) -> None:
    """With an empty cell, numbers are floats there; other sheets are ignored."""
    frame = pd.DataFrame({"read_id": ["r1", "r1"], "start": [0, 5], "end": [5, None], "label": ["a", "b"]})
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        frame.to_excel(book, sheet_name="intervals", index=False)
        pd.DataFrame({"other": [1]}).to_excel(book, sheet_name="notes")

    assert spans(labelled(tmp_path / "t.xlsx", read_of("r1"))) == [(0, 5, 0), (5, 100, 1)]


def test_without_openpyxl_a_spreadsheet_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    path = sheet(tmp_path / "t.xlsx", ("r1", 0, 5, "a"))
    monkeypatch.setitem(sys.modules, "openpyxl", None)

    with pytest.raises(ConfigError, match=r"t\.xlsx: spreadsheets need openpyxl.*; pip install 'poreconv\[xlsx\]'$"):
        labelled(path, read_of("r1"))


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    """By the sizes in its directory, before anything is unpacked."""
    path = sheet(tmp_path / "t.xlsx", ("r1", 0, 5, "a"))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/bomb.xml", "w") as part:
        for _ in range(257):
            part.write(bytes(1 << 20))

    with pytest.raises(FormatError, match=r"257 MiB unpacked, and at most 256 are read; save the sheet as \.csv"):
        labelled(path, read_of("r1"))


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    """A small file could fill the memory with them."""
    path, kept = sheet(tmp_path / "t.xlsx", ("r1", 0, 5, "a")), dict[str, bytes]()
    with zipfile.ZipFile(path) as archive:
        kept = {name: archive.read(name) for name in archive.namelist()}
    kept["xl/worksheets/sheet1.xml"] = (
        b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 100 + b'">]>' + kept["xl/worksheets/sheet1.xml"]
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in kept.items():
            archive.writestr(name, content)

    with pytest.raises(FormatError, match=r"not a readable \.xlsx"):
        labelled(path, read_of("r1"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10_000))
def test_a_damaged_spreadsheet_is_a_format_error(tmp_path: Path, seed: int) -> None:
    """Or is read, if the damage is in a part that is not used."""
    path, random = sheet(tmp_path / "t.xlsx", ("r1", 0, 5, "a")), np.random.default_rng(seed)
    content = bytearray(path.read_bytes())
    for at in random.integers(4, len(content), 20):
        content[at] = random.integers(256)
    path.write_bytes(content[: random.integers(100, len(content))] if seed % 2 else content)

    with suppress(FormatError, LabelError):
        labelled(path, read_of("r1"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "a spreadsheet in the format of Excel 97; save it as .csv"),
        ("read_id\tstart\tend\n".encode("utf-16"), "text in UTF-16; save it as .csv"),
        (b"read_id,start,end,label\nr1,0,5,Ger\xe4t\n", "UTF-?8"),
    ],
)
def test_other_encodings_and_formats_are_named(tmp_path: Path, content: bytes, message: str) -> None:
    """With what to save instead."""
    (tmp_path / "t.xls").write_bytes(content)

    with pytest.raises(FormatError, match=message):
        labelled(tmp_path / "t.xls", read_of("r1"))

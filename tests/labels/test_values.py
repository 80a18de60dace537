"""Labels from tables of one number per sample."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.events.targets import values_of
from poreconv.events.writers.parquet import ParquetWriter
from poreconv.events.writers.values import VALUES, MeansWriter, values_table
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from tests.support.labels import read_of

NUMBERS = st.lists(st.one_of(st.just(np.nan), st.sampled_from([0.0, 0.5]), st.floats(-9, 9, width=32)), max_size=40)


def write(path: Path, rows: dict[str, Sequence[float | None]], kind: pa.DataType | None = None) -> Path:
    """Write a table of values."""
    lists = pa.array(list(rows.values()), pa.list_(kind or pa.float64()))
    pq.write_table(pa.table({"read_id": list(rows), "value": lists}), path, row_group_size=2)
    return path


def labelled(files: Sequence[Path], *reads: Read) -> list[Events | None]:
    """Label reads from tables."""
    with closing(open_labels("values", files, SourceConfig())) as source:
        return [source.events(read) for read in reads]


def test_samples_of_one_number_are_one_event(tmp_path: Path) -> None:
    """Nulls are not covered; a read of no row has no label; rows may be in any group of any file."""
    files = [
        write(tmp_path / "a", {"r1": [1, 1, None, 1, 2], "r2": [], "r3": [4, 4, 4]}),
        write(tmp_path / "b", {"r4": [7]}, pa.int16()),
    ]

    found = labelled(files, read_of("r1", 5), read_of("r3", 3), read_of("r4", 1), read_of("r5", 5))

    one, three, four = (events for events in found if events is not None)
    assert [events is None for events in found] == [False, False, False, True]
    assert (one.start.tolist(), one.end.tolist(), one.value.tolist()) == ([0, 3, 4], [2, 4, 5], [1, 1, 2])
    assert one.coverage.tolist() == [[0, 2], [3, 5]]
    assert (len(three), four.value.tolist()) == (1, [7])


def test_a_list_of_another_length_drops_the_read(tmp_path: Path) -> None:
    """Nothing is cut to make it fit."""
    with pytest.raises(LabelError, match="3 values for 5 samples"):
        labelled([write(tmp_path / "a", {"r1": [1, 2, 3]})], read_of("r1", 5))


@pytest.mark.parametrize("content", [b"read_id,value\n", pa.table({"read_id": ["r1"], "value": [1.0]})])
def test_another_table_is_refused(content: bytes | pa.Table, tmp_path: Path) -> None:
    """Text, and Parquet without lists of numbers."""
    path = tmp_path / "labels.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(content, path)

    with pytest.raises(FormatError, match=r"labels\.parquet.*value"):
        labelled([path], read_of("r1"))


@settings(deadline=None, max_examples=50)
@given(NUMBERS)
def test_a_written_table_is_read_back(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    """What `label` writes for a model of values is a table of labels: every number comes back at its sample."""
    value, read = np.array(numbers, np.float32), read_of("r1", len(numbers))
    at = np.flatnonzero(np.isfinite(value))
    path = tmp_path_factory.mktemp("values") / "x.parquet"
    with closing(ParquetWriter(path, VALUES)) as writer:
        writer.write(values_table(read, Events.of(at, at + 1, value=value[at])))

    (events,) = labelled([path], read)

    assert events is not None
    assert np.array_equal(values_of(events, len(value)), value, equal_nan=True)


def test_rows_of_text_are_means_of_stretches(tmp_path: Path) -> None:
    """The last may be shorter; unknown samples do not count, and a stretch of them is left out."""
    path = tmp_path / "x.tsv"
    value = np.array([1, 2, 3, 4, 5, 6, 8], np.float32)
    at = np.array([0, 1, 2, 6])
    table = values_table(read_of("r1", 7), Events.of(at, at + 1, value=value[at]))
    with closing(MeansWriter(path, every=3)) as writer:
        writer.write(table)

    assert path.read_text().splitlines() == ["read_id\tstart\tend\tvalue", "r1\t0\t3\t2", "r1\t6\t7\t8"]

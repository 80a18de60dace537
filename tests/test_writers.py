from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from conftest import reads_made
from hypothesis import given
from hypothesis import strategies as st

from poreconv.config import LabelConfig
from poreconv.errors import ConfigError, FormatError
from poreconv.events import Events
from poreconv.labels import open_labels
from poreconv.read import Calibration
from poreconv.scaling import to_pa
from poreconv.writers import WRITERS, writer_for
from poreconv.writers.table import EVENTS, UNNAMED, event_levels, events_table

READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".tsv": lambda path: pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
        convert_options=pyarrow.csv.ConvertOptions(column_types=EVENTS),
    ),
    ".parquet": lambda path: pyarrow.parquet.ParquetFile(path).read(),
}
"""How others read each format that holds the whole table."""

CLASSES = ("background", "poly(A) tail")
READS = reads_made(3)
TRUTH = [
    Events.of([0, 40, 90], [30, 90, 170], label=[1, 0, 1], classes=CLASSES, score=[0.5, 0.25, 1])
    for _ in READS
]  # fmt: skip


def written(path: Path, truth: list[Events] = TRUTH) -> Path:
    """Write the events of some reads, one table per read."""
    with closing(writer_for(path)(path)) as writer:
        for read, events in zip(READS, truth, strict=True):
            writer.write(events_table(read, events))
    return path


def test_every_format_is_tested() -> None:
    """All but PAF hold the whole table."""
    assert WRITERS.keys() == {*READERS, ".paf"}


@pytest.mark.parametrize("suffix", READERS)
def test_every_writer_writes_what_others_read(suffix: str, tmp_path: Path) -> None:
    """Columns, types, values and order."""
    expected = pa.concat_tables([events_table(read, events) for read, events in zip(READS, TRUTH, strict=True)])

    assert READERS[suffix](written(tmp_path / f"events{suffix}")) == expected


@pytest.mark.parametrize("suffix", READERS)
def test_what_was_written_can_be_learnt_from(suffix: str, tmp_path: Path) -> None:
    """The label source `intervals` reads the same events back."""
    source = open_labels("intervals", [written(tmp_path / f"events{suffix}")], LabelConfig())

    assert source.classes == CLASSES
    for read, truth in zip(READS, TRUTH, strict=True):
        events = source.events(read)
        assert events is not None
        for name in ("start", "end", "label", "coverage"):
            np.testing.assert_array_equal(getattr(events, name), getattr(truth, name))


@pytest.mark.parametrize("suffix", READERS)
def test_no_events_are_a_table_without_rows(suffix: str, tmp_path: Path) -> None:
    """It has its columns all the same."""
    table = READERS[suffix](written(tmp_path / f"events{suffix}", [Events.of([], [])] * len(READS)))

    assert table.schema == EVENTS
    assert len(table) == 0


def test_places_written_as_paf_are_read_again(tmp_path: Path) -> None:
    """The label source `resquiggle_paf` gives the same events, though without their classes."""
    path = written(tmp_path / "events.paf")

    with closing(open_labels("resquiggle_paf", [path], LabelConfig())) as source:
        for read, truth in zip(READS, TRUTH, strict=True):
            events = source.events(read)
            assert events is not None
            np.testing.assert_array_equal(events.start, truth.start)
            np.testing.assert_array_equal(events.end, truth.end)
    columns = path.read_text().splitlines()[0].split("\t")
    read_id, n_samples = READS[0].read_id, str(len(READS[0].adc))
    assert columns == [read_id, n_samples, "0", "170", "+", read_id, *"30333", "255", "ss:Z:30,10I50,80,"]


def test_a_paf_record_may_come_in_pieces(tmp_path: Path) -> None:
    """A read's rows from two calls are one record; a read without events has none."""
    path, table = tmp_path / "events.paf", events_table(READS[0], TRUTH[0])
    with closing(writer_for(path)(path)) as writer:
        writer.write(table.slice(0, 1))
        writer.write(table.slice(1))
        writer.write(events_table(READS[1], Events.of([], [])))

    assert [line.split("\t")[-1] for line in path.read_text().splitlines()] == ["ss:Z:30,10I50,80,"]


def test_a_boundary_has_a_place_and_no_class(tmp_path: Path) -> None:
    """Events without classes are all called the same."""
    table = events_table(READS[0], Events.of([0, 9], [9, 18]))

    assert table["label"].to_pylist() == [UNNAMED, UNNAMED]


@pytest.mark.parametrize("label", ["a\tb", 'a"b', "a\nb"])
def test_a_label_that_text_cannot_hold_is_a_format_error(label: str, tmp_path: Path) -> None:
    """The message names the format that can."""
    events = [Events.of([0], [9], classes=[label])] * len(READS)

    with pytest.raises(FormatError, match=r"write \.parquet"):
        written(tmp_path / "events.tsv", events)
    assert READERS[".parquet"](written(tmp_path / "events.parquet", events))["label"][0].as_py() == label


def test_another_suffix_is_refused() -> None:
    """The message tells which there are."""
    with pytest.raises(ConfigError, match=r"events\.xlsx: .* \.tsv or \.parquet"):
        writer_for(Path("events.xlsx"))


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=20),
    st.integers(-32768, 32767),
    st.floats(-500, 500),
    st.floats(0.05, 1),
)
def test_levels_are_mean_and_sd_of_the_current(durations: list[int], level: int, offset: float, scale: float) -> None:
    """As numpy finds them, also where counts are large and vary little."""
    edges = np.cumsum([0, *durations])
    noise = np.random.default_rng(len(durations)).integers(-3, 4, edges[-1])
    adc = np.clip(level + noise, -32768, 32767).astype(np.int16)
    read = reads_made(1, adc=adc, calibration=Calibration(offset, scale))[0]
    mean_pa, sd_pa = event_levels(read, Events.of(edges[:-1], edges[1:]))
    exact = np.split((adc.astype(np.float64) + offset) * scale, edges[1:-1])

    np.testing.assert_allclose(mean_pa, [pa.mean() for pa in exact], atol=1e-6)
    np.testing.assert_allclose(sd_pa, [pa.std() for pa in exact], atol=1e-3)


def test_levels_are_those_of_the_samples_within() -> None:
    """Neither a sample more nor a sample less."""
    read, events = READS[0], TRUTH[0]
    table = events_table(read, events)
    pa_n = to_pa(read.adc, read.calibration)
    inside = [pa_n[start:end].astype(np.float64) for start, end in zip(events.start, events.end, strict=True)]

    assert table["mean_pa"].to_pylist() == pytest.approx([one.mean() for one in inside], abs=1e-3)
    assert table["sd_pa"].to_pylist() == pytest.approx([one.std() for one in inside], abs=1e-3)

import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pysam
import pytest
from hypothesis import given, strategies as st

from poreconv.cli.main import main
from poreconv.commands.label import label
from poreconv.config import LabelConfig, SourceConfig, from_flat
from poreconv.errors import ConfigError, FormatError
from poreconv.events.events import UNNAMED, Events
from poreconv.events.targets import BASES
from poreconv.events.writers import WRITERS, peaks, writer_for
from poreconv.events.writers.table import EVENTS, event_levels, events_table
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Calibration, Read
from poreconv.reads.readers import open_reads
from poreconv.testing import check_writer
from tests.support.labels import read_of
from tests.support.signal_files import reads_made

READERS: dict[str, Callable[[Path], pa.Table]] = {
    ".tsv": lambda path: pyarrow.csv.read_csv(
        path,
        parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
        convert_options=pyarrow.csv.ConvertOptions(column_types=EVENTS),
    ),
    ".parquet": lambda path: pyarrow.parquet.ParquetFile(path).read(),
}
"""How other programs read each format that holds the whole table."""

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
    """Some hold the whole table, the others a part of it."""
    assert WRITERS.keys() == {*READERS, ".paf", ".bed", ".bam", ".peaks"}


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_writer_keeps_the_contract(suffix: str, tmp_path: Path) -> None:
    """Reads with events and without, in a file that is there when it is closed, of the same bytes each time."""
    assert check_writer(writer_for(Path(f"x{suffix}")), tmp_path / f"events{suffix}").stat().st_size > 0


@pytest.mark.parametrize("command", ["label", "refine", "convert"])
def test_help_names_every_format(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A new format needs no help text; only `convert` has the signal to write a fast5."""
    with pytest.raises(SystemExit):
        main([command, "--help"])
    words = " ".join(capsys.readouterr().out.split())

    assert f"({', '.join(WRITERS)}" in words
    assert (".fast5" in words) == (command == "convert")


@pytest.mark.parametrize("suffix", READERS)
def test_every_writer_writes_what_others_read(suffix: str, tmp_path: Path) -> None:
    """Columns, types, values and order."""
    expected = pa.concat_tables([events_table(read, events) for read, events in zip(READS, TRUTH, strict=True)])

    assert READERS[suffix](written(tmp_path / f"events{suffix}")) == expected


@pytest.mark.parametrize("suffix", READERS)
def test_what_was_written_can_be_learnt_from(suffix: str, tmp_path: Path) -> None:
    """The label source `intervals` reads the same events back."""
    path = written(tmp_path / f"events{suffix}")
    with closing(open_labels("intervals", [path], SourceConfig())) as source:
        found = [source.events(read) for read in READS]

    assert source.classes == CLASSES
    for events, truth in zip(found, TRUTH, strict=True):
        assert events is not None
        for name in ("start", "end", "label", "coverage"):
            np.testing.assert_array_equal(getattr(events, name), getattr(truth, name))


@pytest.mark.parametrize("suffix", READERS)
def test_no_events_are_a_table_without_rows(suffix: str, tmp_path: Path) -> None:
    """The table still has its columns."""
    table = READERS[suffix](written(tmp_path / f"events{suffix}", [Events.of([], [])] * len(READS)))

    assert table.schema == EVENTS
    assert len(table) == 0


def test_places_written_as_paf_are_read_again(tmp_path: Path) -> None:
    """The label source `resquiggle_paf` gives the same events, though without their classes."""
    path = written(tmp_path / "events.paf")

    with closing(open_labels("resquiggle_paf", [path], SourceConfig())) as source:
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


def test_bed_is_read_by_column(tmp_path: Path) -> None:
    """Six columns, half-open as the table is; the score in thousandths, the strand not known."""
    events = Events.of([0, 40, 90], [30, 90, 170], label=[1, 0, -1], classes=("C", "polya"), score=[0.4998, 0, 1])
    path = written(tmp_path / "events.bed", [events] * len(READS))
    lines = [line.split("\t") for line in path.read_text().splitlines()]

    assert lines[:3] == [
        [READS[0].read_id, "0", "30", "polya", "500", "."],
        [READS[0].read_id, "40", "90", "C", "0", "."],
        [READS[0].read_id, "90", "170", UNNAMED, "1000", "."],
    ]
    assert [line[0] for line in lines[::3]] == [read.read_id for read in READS]


@pytest.mark.parametrize("score", [-0.5, 1.5])
def test_a_bed_score_is_0_to_1000(score: float, tmp_path: Path) -> None:
    """Scores outside 0 to 1 are clipped."""
    path = written(tmp_path / "events.bed", [Events.of([0], [9], score=[score])] * len(READS))

    assert path.read_text().split("\t")[4] == ("0" if score < 0 else "1000")


@pytest.mark.parametrize(
    ("read_id", "label"), [("r", "poly(A) tail"), ("r", "a\tb"), ("r", ""), ("r", "ä"), ("a b", "A"), ("#r", "A")]
)
def test_a_name_that_bed_cannot_hold_is_a_format_error(read_id: str, label: str, tmp_path: Path) -> None:
    """Its fields end at white space."""
    table = events_table(reads_made(1, read_id=read_id)[0], Events.of([0], [9], classes=[label]))

    with (
        closing(writer_for(Path("x.bed"))(tmp_path / "x.bed")) as writer,
        pytest.raises(FormatError, match=r"x\.bed: .* without spaces.*write \.parquet"),
    ):
        writer.write(table)


def as_bam(path: Path, read: Read, events: Events) -> tuple[pysam.AlignedSegment, Counter[str]]:
    """Write one read's events; return the record, and the notes."""
    with closing(writer_for(path)(path)) as writer:
        writer.write(events_table(read, events))
    with pysam.AlignmentFile(f"{path}", check_sq=False) as file:
        (record,) = file
    return record, writer.notes


def read_again(path: Path, read: Read) -> Events:
    """Return the events that `bam_moves` reads."""
    with closing(open_labels("bam_moves", [path], SourceConfig())) as source:
        events = source.events(read)
    assert events is not None
    return events


@given(
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(1, 40), st.integers(-1, 3)), min_size=1, max_size=30),
    st.integers(0, 50),
    st.sampled_from([{"kit": "SQK-RNA002"}, {"experiment": "genomic_dna"}]),
)
def test_bases_without_gaps_come_back_from_bam(
    before: int, bases: list[tuple[int, int]], after: int, fields: dict[str, str]
) -> None:
    """Starts, ends and labels, DNA or RNA; N is class -1 again."""
    durations, label = zip(*bases, strict=True)
    edge = before + np.cumsum([0, *durations])
    read = read_of("r1", int(edge[-1]) + after, **fields)
    with TemporaryDirectory() as folder:
        path = Path(folder, "r.bam")
        _, notes = as_bam(path, read, Events.of(edge[:-1], edge[1:], label=label, classes=BASES))
        found = read_again(path, read)

    assert not notes
    assert found.start.tolist() == edge[:-1].tolist()
    assert found.end.tolist() == edge[1:].tolist()
    assert found.label.tolist() == list(label)


@pytest.mark.parametrize(
    ("fields", "sequence"), [({"kit": "SQK-RNA004"}, "CTA"), ({}, "ATC"), ({"kit": "SQK-LSK114"}, "ATC")]
)
def test_a_bam_record_is_a_move_table_of_stride_1(fields: dict[str, str], sequence: str, tmp_path: Path) -> None:
    """Unaligned, blocks of one sample, bases 5' to 3'."""
    events = Events.of([3, 5, 6], [5, 6, 9], label=[0, 3, 1], classes=BASES)
    record, _ = as_bam(tmp_path / "r.bam", read_of("r1", 12, experiment="", **fields), events)

    assert (record.query_name, record.flag, record.query_sequence) == ("r1", 4, sequence)
    assert list(record.get_tag("mv")) == [1, 1, 0, 1, 1, 0, 0]
    assert record.get_tag("mv", with_value_type=True)[1] == "Bc"
    assert (record.get_tag("ts"), record.get_tag("ns")) == (3, 12)


def test_what_a_move_table_cannot_express_is_counted(tmp_path: Path) -> None:
    """Samples of a gap go to the event before it, and labels that are not bases become N."""
    read = read_of("r1", 100)
    events = Events.of([0, 10, 30, 40], [5, 20, 40, 50], label=[0, 1, 2, -1], classes=("A", "polya", "N"))
    record, notes = as_bam(tmp_path / "r.bam", read, events)

    assert record.query_sequence == "ANNN"
    assert notes == {"gaps_closed": 2, "labels_written_as_n": 1}
    assert read_again(tmp_path / "r.bam", read).end.tolist() == [10, 30, 40, 50]


def test_a_long_read_fits_into_a_bam_record(tmp_path: Path) -> None:
    """400,000 samples, in pieces."""
    read, path = read_of("r1", 400_000), tmp_path / "r.bam"
    start = np.arange(0, 400_000, 9)
    events = Events.of(start, np.append(start[1:], 400_000), label=start % 4, classes=BASES)
    table = events_table(read, events)
    with closing(writer_for(path)(path)) as writer:
        for first in range(0, len(table), 10_000):
            writer.write(table.slice(first, 10_000))
    found = read_again(path, read)

    np.testing.assert_array_equal(found.start, start)
    np.testing.assert_array_equal(found.label, start % 4)


def test_a_read_id_that_bam_cannot_hold_is_a_format_error(tmp_path: Path) -> None:
    """SAM names end at white space."""
    with pytest.raises(FormatError, match=r"r\.bam: read id 'a b': .*; write \.parquet"):
        as_bam(tmp_path / "r.bam", read_of("a b"), Events.of([0], [9]))


def test_peaks_are_the_boundaries_of_a_read_in_a_line(tmp_path: Path) -> None:
    """First samples of events, but for 0; a read whose only boundary that is, or without events, has no line."""
    path = written(tmp_path / "events.peaks", [Events.of([0, 40], [30, 90]), Events.of([0], [90]), Events.of([5], [9])])

    assert path.read_bytes() == f"{READS[0].read_id}\t40\n{READS[2].read_id}\t5\n".encode()


@given(st.lists(st.integers(1, 40), min_size=2, max_size=50), st.integers(1, 49))
def test_peaks_may_come_in_pieces(durations: list[int], cut: int) -> None:
    """A read's rows from two calls are one line, of the boundaries of its events."""
    edge = np.cumsum([3, *durations])
    table = events_table(read_of("r1", int(edge[-1])), Events.of(edge[:-1], edge[1:]))
    with TemporaryDirectory() as folder:
        path = Path(folder, "r.peaks")
        with closing(writer_for(path)(path)) as writer:
            for piece in (table.slice(0, cut), table.slice(cut)):
                writer.write(piece)

        assert path.read_text() == "\t".join(["r1", *map(str, edge[:-1])]) + "\n"


@pytest.mark.parametrize("spare", [0, -1])
def test_a_line_longer_than_the_mappers_buffer_is_left_out(
    spare: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The read is named and counted; the mapper would take the rest of its line for another read's."""
    line, path = "r1\t10\t20\n", tmp_path / "r.peaks"
    monkeypatch.setattr(peaks, "LONGEST_LINE", len(line) + spare)
    with warnings.catch_warnings(record=True) as caught, closing(writer_for(path)(path)) as writer:
        warnings.simplefilter("always")
        writer.write(events_table(read_of("r1"), Events.of([0, 10, 20], [10, 20, 30])))
        writer.write(events_table(read_of("r2"), Events.of([0, 10], [10, 20])))

    assert path.read_text() == ("" if spare else line) + "r2\t10\n"
    assert dict(writer.notes) == ({"lines_too_long": 1} if spare else {})
    assert [str(each.message).partition(": its")[0] for each in caught] == ["r.peaks: read r1 is left out"] * -spare


@pytest.mark.parametrize("read_id", ["a b", "#r", "", "r\t1", "ä"])
def test_an_id_that_a_line_of_peaks_cannot_begin_with_is_a_format_error(read_id: str, tmp_path: Path) -> None:
    """The mapper's ids end at white space, and # begins a comment."""
    path = tmp_path / "r.peaks"
    with (
        pytest.raises(FormatError, match=r"r\.peaks: read id .* write \.parquet"),
        closing(writer_for(path)(path)) as writer,
    ):
        writer.write(events_table(read_of(read_id), Events.of([5], [9])))


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "n_reads"), [("dna_r941_lambda_tombo", 3), ("rna002_18s_tombo/ivt", 4), ("rna002_18s_tombo/wt", 4)]
)
def test_tombos_bases_come_back_from_bam(folder: str, n_reads: int, real_data: Path, tmp_path: Path) -> None:
    """Exactly, for DNA and for RNA reads."""
    path = tmp_path / "tombo.bam"
    with open_reads(real_data / folder) as stream:
        reads = list(islice(stream, n_reads))
    with closing(open_labels("tombo", [], SourceConfig())) as tombo, closing(writer_for(path)(path)) as writer:
        labels = [tombo.events(read) for read in reads]
        for read, events in zip(reads, labels, strict=True):
            writer.write(events_table(read, events))

    assert not writer.notes
    for read, events in zip(reads, labels, strict=True):
        found = read_again(path, read)
        for name in ("start", "end", "label", "coverage"):
            np.testing.assert_array_equal(getattr(found, name), getattr(events, name))


@pytest.mark.real
def test_peaks_of_real_reads_are_the_starts_in_the_events_table(real_data: Path, tmp_path: Path) -> None:
    """Of the same model, in one process or two."""
    signal = sorted((real_data / "dna_r941_lambda_tombo").iterdir())[1:4]
    events, lines = tmp_path / "events.parquet", tmp_path / "events.peaks"
    for out, workers in ((events, 1), (lines, 2)):
        label("dna_r9.4.1_boundary_fast", signal, out=out, config=from_flat(LabelConfig, {"workers": workers}))
    starts: dict[str, list[str]] = {}
    table = READERS[".parquet"](events)
    for read_id, start in zip(table["read_id"].to_pylist(), table["start"].to_pylist(), strict=True):
        starts.setdefault(read_id, []).extend([str(start)] if start else [])

    assert [line.split("\t") for line in lines.read_text().splitlines()] == [[one, *of] for one, of in starts.items()]
    assert len(starts) == 3


def test_a_boundary_has_a_place_and_no_class(tmp_path: Path) -> None:
    """Events without classes all have the same label."""
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
    """The message lists the suffixes that exist."""
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
    pa_n = read.pa
    inside = [pa_n[start:end].astype(np.float64) for start, end in zip(events.start, events.end, strict=True)]

    assert table["mean_pa"].to_pylist() == pytest.approx([one.mean() for one in inside], abs=1e-3)
    assert table["sd_pa"].to_pylist() == pytest.approx([one.std() for one in inside], abs=1e-3)

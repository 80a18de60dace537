"""The contract that every label source keeps."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from poreconv.config import SourceConfig
from poreconv.errors import ConfigError, LabelError
from poreconv.labels.marks import Mark, Marks
from poreconv.labels.opening import open_labels
from poreconv.labels.sources import LABEL_SOURCES, LabelSource
from poreconv.reads.read import Read
from poreconv.runtime.registry import lookup
from poreconv.testing import check_label_source
from tests.support.labels import (
    EVENTALIGN_HEADER,
    POLYA_HEADER,
    add_aligned_to_ref,
    add_basecall,
    add_tombo,
    bam_record,
    event_rows,
    eventalign_row,
    fast5,
    paf_line,
    polya_row,
    read_of,
    write_bam,
    write_segmented,
)

Sample = tuple[list[Path], Read]
"""Files for ``--labels_from``, and a read that they label: events [10, 14), [14, 20) and [20, 30)."""


def tombo_sample(folder: Path) -> Sample:
    """Return a read that Tombo resquiggled."""
    with fast5(folder / "r.fast5", "r1") as (read,):
        add_tombo(read, [(0, 4, "A"), (4, 6, "C"), (10, 10, "T")], first=10)
    return [], read_of("r1", source=folder / "r.fast5")


def fast5_moves_sample(folder: Path) -> Sample:
    """Return a read that guppy called, in blocks of 2 samples."""
    with fast5(folder / "r.fast5", "r1") as (read,):
        move = [1, 0, 1, 0, 0, 1, 0, 0, 0, 0]
        add_basecall(read, sequence="ACT", move=move, first=10, stride=2)
    return [], read_of("r1", source=folder / "r.fast5")


def fast5_events_sample(folder: Path) -> Sample:
    """Return a read that albacore called, with relative samples."""
    with fast5(folder / "r.fast5", "r1") as (read,):
        states, start = ["GGAGG", "GGCGG", "GGCGG", "GGTGG"], np.array([10, 14, 17, 20], np.uint64)
        rows = event_rows(states, [1, 1, 0, 1], start, np.array([4, 3, 3, 10], np.uint64))
        add_basecall(read, sequence="GGACTGG", events=rows, first=10)
    return [], read_of("r1", source=folder / "r.fast5")


def aligned_to_ref_sample(folder: Path) -> Sample:
    """Return a read whose events were aligned; it began 1 second into the run."""
    samples = [(10, 4, 8, "GGAGG"), (14, 3, 9, "GGCGG"), (17, 3, 9, "GGCGG"), (20, 10, 10, "GGTGG")]
    with fast5(folder / "r.fast5", "r1") as (read,):
        add_aligned_to_ref(read, [(1 + start / 4000, n / 4000, *rest) for start, n, *rest in samples])
    return [], read_of("r1", source=folder / "r.fast5", start_sample=4000)


def bam_moves_sample(folder: Path) -> Sample:
    """Return a read that dorado called, in blocks of 2 samples."""
    record = bam_record("r1", "ACT", mv=[2, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0], ts=10, ns=100)
    return [write_bam(folder / "r.bam", bam_record("other", "A", mv=[2, 1], ts=0, ns=2), record)], read_of("r1")


def sam_resquiggle_sample(folder: Path) -> Sample:
    """Return a read that f5c aligned to a reference."""
    records = [bam_record("other", si="0,5,0,1", ss="5,"), bam_record("r1", si="10,30,0,6", ss="4,6,3D10,")]
    return [write_bam(folder / "r.bam", *records)], read_of("r1")


def resquiggle_paf_sample(folder: Path) -> Sample:
    """Return a read that f5c resquiggled."""
    path = folder / "r.paf"
    path.write_text(paf_line("other", 50, 0, 5, "5,") + paf_line("r1", 100, 10, 30, "4,6,3D10,"))
    return [path], read_of("r1")


def eventalign_sample(folder: Path) -> Sample:
    """Return a read that nanopolish aligned; the summary contains its name."""
    table, summary = folder / "r.tsv", folder / "summary.tsv"
    rows = [(8, "GGTGG", 20, 30), (7, "GGCGG", 17, 20), (7, "GGCGG", 14, 17), (6, "GGAGG", 10, 14)]
    table.write_text(EVENTALIGN_HEADER + "".join(eventalign_row(5, *row) for row in rows))
    summary.write_text("read_index\tread_name\tfast5_path\n4\tother\tf\n5\tr1\tf\n")
    return [table, summary], read_of("r1")


def polya_sample(folder: Path) -> Sample:
    """Return a read of RNA whose tail nanopolish found."""
    path = folder / "r.tsv"
    path.write_text(POLYA_HEADER + polya_row("r1", 10, 12, 14, 20) + polya_row("r2", 0, 1, 2, 3))
    return [path], read_of("r1", 30, kit="SQK-RNA002")


def captures_sample(folder: Path) -> Sample:
    """Return a channel in which three molecules were held."""
    path = write_segmented(folder / "r.fast5", [(20, 30), (10, 14), (14, 20)], [(8, 32)], channel=3)
    return [path], read_of("r1", channel=3)


def bed_modified_sample(folder: Path) -> Sample:
    """Return an aligned read of three bases, each of another class."""
    sites = folder / "sites.bed"
    sites.write_text("".join(f"chr1\t{at}\t{at + 1}\t{name}\t0\t+\n" for at, name in enumerate("Chm")))
    record = bam_record("r1", "CCC", flag=0, mv=[2, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0], ts=10, ns=100)
    return [sites, write_bam(folder / "r.bam", record)], read_of("r1")


def intervals_sample(folder: Path) -> Sample:
    """Return a read labelled by hand."""
    path = folder / "r.tsv"
    path.write_text("read_id\tstart\tend\tlabel\nr1\t14\t20\tC\nr1\t10\t14\tA\nr2\t0\t5\tG\nr1\t20\t30\tT\n")
    return [path], read_of("r1")


def read_table_sample(folder: Path) -> Sample:
    """Return a read whose barcode guppy found."""
    path = folder / "barcoding_summary.txt"
    path.write_text("read_id\tbarcode_arrangement\nr2\tbarcode01\nr1\tbarcode02\nr3\tunclassified\n")
    return [path], read_of("r1")


def values_sample(folder: Path) -> Sample:
    """Return a read in which three numbers follow each other."""
    path = folder / "r.parquet"
    value = [*[None] * 10, *[2.0] * 4, *[0.5] * 6, *[2.0] * 10, *[None] * 70]
    pq.write_table(pa.table({"read_id": ["r2", "r1"], "value": [[1.0], value]}), path)
    return [path], read_of("r1")


def path_class_sample(folder: Path) -> Sample:
    """Return a read that lies in the second of two folders."""
    for name in ("ivt", "wt"):
        (folder / name).mkdir()
        (folder / name / "r.fast5").touch()
    return [folder / "ivt", Path(f"wild={folder / 'wt'}")], read_of("r1", source=folder / "wt" / "r.fast5")


def studio_sample(folder: Path) -> Sample:
    """Return a read in which somebody marked three intervals."""
    with Marks(folder / "marks", writable=True) as marks:
        for label, start, end in (("adapter", 10, 14), ("tail", 14, 20), ("body", 20, 30)):
            marks.change("Ada", "r1", [Mark(0, "interval", start, end, label)])
        marks.change("Ada", "r2", [Mark(0, "interval", 0, 5, "tail")])
        marks.change("Ada", "r2", [Mark(4, "interval", 0, 5, "tail", removed=True)])
    return [folder / "marks"], read_of("r1")


SAMPLES: dict[str, Callable[[Path], Sample]] = {
    "tombo": tombo_sample,
    "fast5_moves": fast5_moves_sample,
    "fast5_events": fast5_events_sample,
    "aligned_to_ref": aligned_to_ref_sample,
    "bam_moves": bam_moves_sample,
    "sam_resquiggle": sam_resquiggle_sample,
    "resquiggle_paf": resquiggle_paf_sample,
    "eventalign": eventalign_sample,
    "polya": polya_sample,
    "captures": captures_sample,
    "bed_modified": bed_modified_sample,
    "intervals": intervals_sample,
    "values": values_sample,
    "read_table": read_table_sample,
    "path_class": path_class_sample,
    "studio": studio_sample,
}

WHOLE_READS = ["read_table", "path_class"]
"""Sources that label a read as a whole: one event, ``[0, 100)``, of the second of two classes."""

IN_FILE = ["tombo", "fast5_moves", "fast5_events", "aligned_to_ref"]
"""Sources whose labels are in the reads' own files."""


def opened(name: str, files: Sequence[Path]) -> LabelSource:
    """Make a source with default settings."""
    return open_labels(name, files, SourceConfig())


def test_every_source_has_a_sample() -> None:
    """A new line in the table needs a sample here, so that the contract is tested on it."""
    assert set(SAMPLES) == set(LABEL_SOURCES)


@pytest.mark.parametrize("name", LABEL_SOURCES)
def test_every_source_returns_the_events_that_were_written(name: str, tmp_path: Path) -> None:
    """Half-open, raw coordinates, signal order, and covered from end to end."""
    files, read = SAMPLES[name](tmp_path)
    source = opened(name, files)
    events = source.events(read)
    source.close()

    assert events is not None
    edges = [0, 100] if name in WHOLE_READS else [10, 14, 20, 30]
    assert [*events.start.tolist(), events.end[-1]] == edges
    assert [events.start[0], *events.end.tolist()] == edges
    assert events.coverage.tolist() == [[edges[0], edges[-1]]]


@pytest.mark.parametrize("name", LABEL_SOURCES)
def test_every_source_indexes_the_classes_that_it_lists(name: str, tmp_path: Path) -> None:
    """The samples contain A, C, T, three regions, or the second class of reads; without classes, places only."""
    files, read = SAMPLES[name](tmp_path)
    source = opened(name, files)
    events = source.events(read)
    source.close()

    assert events is not None
    assert events.classes == source.classes
    assert events.label.tolist() == {4: [0, 1, 3], 3: [0, 1, 2], 2: [1], 1: [0, 0, 0], 0: [-1] * 3}[len(source.classes)]


@pytest.mark.parametrize("name", LABEL_SOURCES)
def test_every_source_with_bases_has_their_offset(name: str, tmp_path: Path) -> None:
    """Only a sequence has an offset."""
    files, _ = SAMPLES[name](tmp_path)
    source = opened(name, files)
    source.close()

    assert (source.base_offset is not None) == (source.classes == ("A", "C", "G", "T"))


@pytest.mark.parametrize("name", LABEL_SOURCES)
def test_every_source_has_no_label_for_an_unknown_read(name: str, tmp_path: Path) -> None:
    """Neither for a read that is not in its files nor for one from another kind of file."""
    files, _ = SAMPLES[name](tmp_path)
    elsewhere = tmp_path / "reads.blow5"
    elsewhere.write_bytes(b"BLOW5")
    source = opened(name, files)
    labels = [source.events(read_of("absent")), source.events(read_of("absent", source=elsewhere))]
    source.close()

    assert labels == [None, None]


@pytest.mark.parametrize("name", [name for name in LABEL_SOURCES if name not in WHOLE_READS])
def test_every_source_drops_a_read_that_is_shorter_than_its_labels(name: str, tmp_path: Path) -> None:
    """A misfit is a named drop, never a shift."""
    files, read = SAMPLES[name](tmp_path)
    source = opened(name, files)
    with pytest.raises(LabelError, match="read r1: ") as caught:
        source.events(dataclasses.replace(read, adc=read.adc[:15]))
    source.close()

    assert caught.value.reason in {"label_outside_signal", "label_length", "label_start"}


@pytest.mark.parametrize("name", LABEL_SOURCES)
def test_every_source_keeps_the_contract(name: str, tmp_path: Path) -> None:
    """Its events fit the read and its classes, and are the same when it is asked again."""
    files, read = SAMPLES[name](tmp_path)

    assert len(check_label_source(name, [read], files=files)) == 1


@pytest.mark.parametrize("name", LABEL_SOURCES)
def test_a_source_class_states_whether_labels_are_in_the_reads_files(name: str, tmp_path: Path) -> None:
    """The command line asks the class, without constructing the source."""
    files, _ = SAMPLES[name](tmp_path)

    assert lookup(LABEL_SOURCES, name, kind="label source").in_file == (not files)


@pytest.mark.parametrize("name", IN_FILE)
def test_files_for_an_in_file_source_are_refused(name: str, tmp_path: Path) -> None:
    """A file that would be silently ignored is an error."""
    with pytest.raises(ConfigError, match="leave out --labels_from"):
        opened(name, [tmp_path / "labels.tsv"])


@pytest.mark.parametrize("name", [name for name in LABEL_SOURCES if name not in IN_FILE])
def test_a_file_source_without_a_file_is_refused(name: str) -> None:
    """The message names the option to give."""
    with pytest.raises(ConfigError, match="give it with --labels_from"):
        opened(name, [])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """It is checked before any read is read."""
    with pytest.raises(ConfigError, match=r"gone\.paf: no such file"):
        opened("resquiggle_paf", [tmp_path / "gone.paf"])


def test_an_unknown_source_names_the_known_ones() -> None:
    """The message lists the valid names."""
    with pytest.raises(ConfigError, match="choose one of tombo, "):
        opened("tomboo", [])

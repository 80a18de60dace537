"""Files with labels in them, made with the formats' own writers."""

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pysam
from ont_fast5_api.compression_settings import GZIP
from ont_fast5_api.conversion_tools.multi_to_single_fast5 import create_single_f5
from ont_fast5_api.fast5_read import Fast5Read
from ont_fast5_api.multi_fast5 import MultiFast5File

from poreconv.events.events import Events
from poreconv.reads.read import Calibration, Read

CHANNEL = {"channel_number": "1", "digitisation": 8192.0, "offset": 4.0, "range": 1400.0, "sampling_rate": 4000.0}


def read_of(read_id: str, n_samples: int = 100, **fields: Any) -> Read:
    """Give a read whose samples don't matter."""
    values: dict[str, Any] = {"sample_rate_hz": 4000.0, "experiment": "genomic_dna", **fields}
    return Read(read_id, np.zeros(n_samples, np.int16), Calibration(4.0, 0.17), **values)


@contextmanager
def fast5(path: Path, *read_ids: str, n_samples: int = 100) -> Iterator[list[Fast5Read]]:
    """Open a new multi-read fast5 with reads in it, to which labels can be added."""
    with MultiFast5File(str(path), "w") as file:
        yield [_with_signal(file.create_empty_read(read_id, "run"), n_samples) for read_id in read_ids]


def _with_signal(read: Fast5Read, n_samples: int) -> Fast5Read:
    attributes = {"read_id": read.read_id, "read_number": 1, "duration": n_samples, "start_time": 0, "start_mux": 1}
    read.add_raw_data(np.zeros(n_samples, np.int16), attrs={**attributes, "median_before": 200.0}, compression=GZIP)
    read.add_channel_info(CHANNEL)
    read.add_tracking_id({"run_id": "run"})
    read.add_context_tags({})
    return read


def as_single(multi: Path, single: Path) -> None:
    """Copy the one read of a multi-read file into a single-read file."""
    with MultiFast5File(str(multi), "r") as file:
        create_single_f5(str(single), next(file.get_reads()))


def add_tombo(
    read: Fast5Read,
    events: Sequence[tuple[int, int, str]],
    *,
    first: int,
    rna: bool | None = False,
    status: str = "success",
    group: str = "RawGenomeCorrected_000",
) -> None:
    """Add what ``tombo resquiggle`` adds: rows of start, length and base."""
    attributes = {"status": status} if rna is None else {"status": status, "rna": rna}
    read.add_analysis("resquiggle", group, {})
    read.add_analysis_subgroup(group, "BaseCalled_template", attributes)
    rows = [(start, length, base.encode()) for start, length, base in events]
    table = np.array(rows, dtype=[("start", "<u4"), ("length", "<u4"), ("base", "S1")])
    _add_table(read, group, "Events", table).attrs["read_start_rel_to_raw"] = first


def add_aligned_to_ref(
    read: Fast5Read, rows: Sequence[tuple[float, float, int, str]], *, group: str = "AlignToRef_000"
) -> None:
    """Add what the mapping workflow of 2016 added: rows of start and length in seconds, position and k-mer."""
    read.add_analysis("align_to_ref", group, {})
    table = np.array(
        [(start, length, position, kmer.encode()) for start, length, position, kmer in rows],
        dtype=[("start", "<f8"), ("length", "<f8"), ("seq_pos", "<i8"), ("kmer", "S5")],
    )
    read.handle[f"Analyses/{group}"].create_dataset("CurrentSpaceMapped_template/Events", data=table)


def _add_table(read: Fast5Read, group: str, name: str, data: Any) -> h5py.Dataset:
    """Stand in for ont-fast5-api's add_analysis_dataset, which asks numpy 2 for names that it no longer has."""
    return read.handle[f"Analyses/{group}/BaseCalled_template"].create_dataset(name, data=data)


def add_basecall(
    read: Fast5Read,
    number: int = 0,
    *,
    sequence: str = "",
    move: Sequence[int] | None = None,
    events: np.ndarray | None = None,
    first: int | None = 0,
    duration: int = 100,
    stride: int | None = None,
) -> None:
    """Add what guppy and albacore add: ``Basecall_1D_<number>`` and its Segmentation."""
    group, segmentation = f"Basecall_1D_{number:03d}", f"Segmentation_{number:03d}"
    read.add_analysis("basecall_1d", group, {"segmentation": f"Analyses/{segmentation}"} if first is not None else {})
    read.add_analysis_subgroup(group, "BaseCalled_template", {})
    read.set_summary_data(group, "basecall_1d_template", {} if stride is None else {"block_stride": stride})
    _add_table(read, group, "Fastq", f"@{read.read_id}\n{sequence}\n+\n{'!' * len(sequence)}\n")
    if move is not None:
        _add_table(read, group, "Move", np.array(move, np.uint8))
    if events is not None:
        _add_table(read, group, "Events", events)
    if first is not None:
        read.add_analysis("segmentation", segmentation, {})
        summary = {"first_sample_template": first, "duration_template": duration}
        read.set_summary_data(segmentation, "segmentation", summary)


def event_rows(
    states: Sequence[str],
    move: Sequence[int],
    start: np.ndarray | Sequence[float] | None = None,
    length: np.ndarray | Sequence[float] | None = None,
) -> np.ndarray:
    """Give an event table as albacore writes it, or as guppy 2 does, without start and length."""
    columns: dict[str, Any] = {"model_state": np.array(states, f"S{len(states[0])}"), "move": np.array(move, np.int32)}
    if start is not None:
        columns |= {"start": np.asarray(start), "length": np.asarray(length)}
    table = np.empty(len(states), [(name, values.dtype) for name, values in columns.items()])
    for name, values in columns.items():
        table[name] = values
    return table


def paf_line(read_id: str, samples: int, first: int, end: int, ss: str, *, tags: str = "") -> str:
    """Give one line as ``f5c resquiggle -c`` writes it."""
    fixed = f"{read_id}\t{samples}\t{first}\t{end}\t+\t{read_id}\t10\t0\t10\t10\t10\t255"
    return f"{fixed}{tags}\tsc:f:0.98\tsh:f:3.1\tss:Z:{ss}\n"


EVENTALIGN_COLUMNS = (
    "contig", "position", "reference_kmer", "read_index", "strand", "event_index", "event_level_mean", "event_stdv",
    "event_length", "model_kmer", "model_mean", "model_stdv", "standardized_level", "start_idx", "end_idx",
)  # fmt: skip
EVENTALIGN_HEADER = "\t".join(EVENTALIGN_COLUMNS) + "\n"


def eventalign_row(
    read: int | str, position: int, kmer: str, start: int, end: int, *, contig: str = "chr1", reference: str = ""
) -> str:
    """Give one row as ``nanopolish eventalign --signal-index`` and f5c write it."""
    event = f"t\t7\t81.78\t8.634\t0.02291\t{kmer}\t80.59\t2.60\t0.40"
    return f"{contig}\t{position}\t{reference or kmer}\t{read}\t{event}\t{start}\t{end}\n"


POLYA_HEADER = (
    "readname\tcontig\tposition\tleader_start\tadapter_start\tpolya_start\ttranscript_start\tread_rate\tpolya_length"
    "\tqc_tag\n"
)


def polya_row(read_id: str, leader: int, adapter: int, polya: int, transcript: int, qc: str = "PASS") -> str:
    """Give one row as ``nanopolish polya`` writes it."""
    places = "\t".join(f"{place:.1f}" for place in (leader, adapter, polya, transcript))
    return f"{read_id}\tgene\t0\t{places}\t110.5\t60.25\t{qc}\n"


def bam_record(name: str, sequence: str = "", *, flag: int = 4, **tags: Any) -> pysam.AlignedSegment:
    """Give a record, aligned to nothing (flag 4) or to the start of a reference; list tags become arrays of int8."""
    record = pysam.AlignedSegment(BAM_HEADER)
    record.query_name, record.query_sequence, record.flag = name, sequence, flag
    if not flag & 4:
        record.reference_id, record.reference_start, record.cigartuples = 0, 0, [(0, len(sequence))]
    for tag, value in tags.items():
        record.set_tag(tag, array("b", value) if isinstance(value, list) else value)
    return record


def write_segmented(
    path: Path,
    spans: Sequence[tuple[int, int]],
    windows: Sequence[tuple[int, int]] | None = None,
    *,
    channel: int = 1,
    signal: np.ndarray | None = None,
    part_starts: int = 0,
    run_id: str = "",
    **attributes: Any,
) -> Path:
    """Write, or add to, a segmented file as poretitioner makes it of one channel, all 0 unless ``signal`` is given."""
    with h5py.File(path, "a") as file:
        for start, end in spans:
            group = file.create_group(f"read_{len(file):04d}")
            group["Signal"] = np.zeros(end - start, np.int16) if signal is None else signal[start:end]
            places = {"start_time_bulk": start, "start_time_local": start - part_starts, "duration": end - start}
            group["Signal"].attrs.update(places | {"ejected": True, "voltage": -180})
            about = {"channel_number": channel, "sampling_rate": 4000}
            group.create_group("channel_id").attrs.update(about)
            for name, value in attributes.items():
                (group["Signal"] if name in places else group["channel_id"]).attrs[name] = value
        if windows is not None:
            at = f"Meta/Segmentation/capture_windows/Channel_{channel}"
            file[at] = np.array(windows, np.int64).reshape(-1, 2) - part_starts
        if run_id:
            file.require_group("Meta/tracking_id").attrs["run_id"] = np.bytes_(run_id)
    return path


BAM_HEADER = pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr1", "LN": 1000}]})


def write_bam(path: Path, *records: pysam.AlignedSegment) -> Path:
    """Write records as they come, in the format of the suffix: .bam or .sam."""
    with pysam.AlignmentFile(str(path), "wb" if path.suffix == ".bam" else "w", header=BAM_HEADER) as file:
        for record in records:
            file.write(record)
    return path


def spans(events: Events | None) -> list[tuple[int, int, int]]:
    """Give events as plain triples of start, end and label."""
    assert events is not None
    return list(zip(events.start.tolist(), events.end.tolist(), events.label.tolist(), strict=True))

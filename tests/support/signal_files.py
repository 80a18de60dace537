"""Signal files made with the real writers."""

import dataclasses
import datetime
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pod5
import pyslow5
from ont_fast5_api.compression_settings import GZIP, VBZ
from ont_fast5_api.fast5_file import Fast5File
from ont_fast5_api.multi_fast5 import MultiFast5File

from poreconv.reads.read import Calibration, Read

COMPRESSIONS = {"gzip": GZIP, "vbz": VBZ}
DIGITISATION = 8192.0

ReadMaker = Callable[..., list[Read]]
Sample = tuple[Path, list[Read]]


def reads_made(n: int = 3, seed: int = 0, **fields: Any) -> list[Read]:
    """Make reads with noisy steps as signal, all fields filled; ``fields`` overrides."""
    rng = np.random.default_rng(seed)
    return [Read(**(_fields(rng, seed, number) | fields)) for number in range(n)]


def _fields(rng: np.random.Generator, seed: int, number: int) -> dict[str, Any]:
    levels = rng.normal(500, 80, int(rng.integers(20, 200))).repeat(9)
    return {
        "read_id": f"{seed:08x}-0000-4000-8000-{number:012x}",
        "adc": (levels + rng.normal(0, 8, len(levels))).astype(np.int16),
        "calibration": Calibration(offset=10.0, scale=1437.5 / DIGITISATION),
        "sample_rate_hz": 4000.0,
        "channel": number + 1,
        "mux": 2,
        "read_number": 100 + number,
        "start_sample": 2**40 + number,
        "end_reason": "signal_positive",
        "median_before": 210.5,
        "run_id": "a08e850aaa44c8b56765eee10b386fc3e516a62b",
        "pore": "FLO-MIN106",
        "kit": "sqk-lsk109",
        "experiment": "genomic_dna",
    }


def raw_attributes(read: Read) -> dict[str, Any]:
    """A raw group's attributes as MinKNOW writes them, ``end_reason`` as an old file's bare number."""
    return {
        "read_id": np.bytes_(read.read_id),
        "duration": np.uint32(len(read.adc)),
        "start_mux": np.uint8(read.mux),
        "read_number": np.int32(read.read_number),
        "start_time": np.uint64(read.start_sample),
        "median_before": read.median_before,
        "end_reason": np.uint8(5),
    }


def channel_attributes(read: Read) -> dict[str, Any]:
    """A channel group's attributes as MinKNOW writes them."""
    return {
        "channel_number": np.bytes_(str(read.channel)),
        "digitisation": DIGITISATION,
        "offset": read.calibration.offset,
        "range": read.calibration.scale * DIGITISATION,
        "sampling_rate": read.sample_rate_hz,
    }


def write_multi(path: Path, reads: Sequence[Read], compression: str = "vbz") -> None:
    """Write a multi-read fast5 with ont-fast5-api alone, so that our writer is not its own judge."""
    with MultiFast5File(str(path), "w") as file:
        for read in reads:
            made = file.create_empty_read(read.read_id, read.run_id)
            made.add_raw_data(read.adc, raw_attributes(read), compression=COMPRESSIONS[compression])
            made.add_channel_info(channel_attributes(read))
            made.add_tracking_id({"run_id": read.run_id, "flow_cell_product_code": read.pore})
            made.add_context_tags({"sequencing_kit": read.kit, "experiment_type": read.experiment})


def write_single(path: Path, read: Read, compression: str = "gzip") -> None:
    """Write a single-read fast5 with ont-fast5-api."""
    with Fast5File(str(path), "w") as file:
        file.add_read(read.read_number, read.read_id, read.start_sample, len(read.adc), read.mux, read.median_before)
        file.add_raw_data(read.adc, compression=COMPRESSIONS[compression])
        file.add_channel_info(channel_attributes(read))
        file.set_tracking_id({"run_id": read.run_id, "flow_cell_product_code": read.pore})
        file.add_context_tags({"sequencing_kit": read.kit, "experiment_type": read.experiment})


def write_old_single(path: Path, read: Read) -> None:
    """Write a version 0.6 file by hand: attributes as bytes, nothing that is optional."""
    with h5py.File(path, "w") as file:
        file.attrs["file_version"] = 0.6
        raw = file.create_group(f"Raw/Reads/Read_{read.read_number}")
        raw.create_dataset("Signal", data=read.adc, compression="gzip", shuffle=True)
        raw.attrs["read_id"] = read.read_id.encode()
        raw.attrs["read_number"] = read.read_number
        channel_id = file.create_group("UniqueGlobalKey/channel_id")
        for name, value in channel_attributes(read).items():
            channel_id.attrs[name] = value
        file.create_group("UniqueGlobalKey/tracking_id").attrs["run_id"] = read.run_id.encode()


def run_info(read: Read, **fields: Any) -> pod5.RunInfo:
    """Describe a read's run as POD5 does; ``fields`` overrides."""
    texts = {field.name: "" for field in dataclasses.fields(pod5.RunInfo)}
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    known = {
        "acquisition_id": read.run_id,
        "acquisition_start_time": start,
        "protocol_start_time": start,
        "adc_max": 4095,
        "adc_min": -4096,
        "sample_rate": int(read.sample_rate_hz),
        "flow_cell_product_code": read.pore,
        "sequencing_kit": read.kit,
        "context_tags": {"experiment_type": read.experiment},
        "tracking_id": {},
    }
    return pod5.RunInfo(**(texts | known | fields))


def pod5_read(read: Read, **fields: Any) -> pod5.Read:
    """Make pod5's own object of a read; ``fields`` overrides."""
    known = {
        "read_id": uuid.UUID(read.read_id),
        "pore": pod5.Pore(read.channel, read.mux, "not_set"),
        "calibration": pod5.Calibration(read.calibration.offset, read.calibration.scale),
        "read_number": read.read_number,
        "start_sample": read.start_sample,
        "median_before": read.median_before,
        "end_reason": pod5.EndReason(pod5.EndReasonEnum.SIGNAL_POSITIVE, forced=False),
        "run_info": run_info(read),
        "signal": read.adc,
    }
    return pod5.Read(**(known | fields))


def write_with_pod5(path: Path, reads: Sequence[Read], **fields: Any) -> None:
    """Write a POD5 with the pod5 library alone; ``fields`` overrides those of the first read."""
    with pod5.Writer(path) as file:
        for number, read in enumerate(reads):
            file.add_read(pod5_read(read, **(fields if number == 0 else {})))


def slow5_record(read: Read, **fields: Any) -> dict[str, Any]:
    """Make pyslow5's own record of a read; ``fields`` overrides."""
    known = {
        "read_id": read.read_id,
        "read_group": 0,
        "digitisation": DIGITISATION,
        "offset": read.calibration.offset,
        "range": read.calibration.scale * DIGITISATION,
        "sampling_rate": read.sample_rate_hz,
        "len_raw_signal": len(read.adc),
        "signal": read.adc,
    }
    return known | fields


def write_with_pyslow5(
    path: Path, reads: Sequence[Read], packing: tuple[str, str] = ("zlib", "svb_zd"), **fields: Any
) -> None:
    """Write SLOW5 or BLOW5 with pyslow5 alone, a read group per run; ``fields`` overrides those of the first read."""
    runs = list(dict.fromkeys((read.run_id, read.pore, read.kit, read.experiment) for read in reads))
    names = ("run_id", "flow_cell_product_code", "sequencing_kit", "experiment_type")
    file = pyslow5.Open(str(path), "w", rec_press=packing[0], sig_press=packing[1])
    for group, run in enumerate(runs):
        file.write_header(dict(zip(names, run, strict=True)), read_group=group, end_reason_labels=["unknown", "paused"])
    for number, read in enumerate(reads):
        group = runs.index((read.run_id, read.pore, read.kit, read.experiment))
        record = slow5_record(read, read_group=group, **(fields if number == 0 else {}))
        auxiliary = {
            "channel_number": str(read.channel),
            "median_before": read.median_before,
            "read_number": read.read_number,
            "start_mux": read.mux,
            "start_time": read.start_sample,
            "end_reason": 1,
        }
        assert file.write_record(record, auxiliary) == 0
    file.close()


def as_channels(reads: Sequence[Read]) -> list[Read]:
    """Reads as a bulk fast5 gives them back: no more is known of a channel than its trace."""
    unknown = {"mux": 0, "read_number": 0, "start_sample": 0, "end_reason": "", "median_before": None}
    return [
        dataclasses.replace(read, read_id=f"{read.run_id}_channel_{read.channel}", **unknown)
        for read in sorted(reads, key=lambda read: read.channel)
    ]


def write_bulk(path: Path, reads: Sequence[Read], compression: str = "vbz") -> None:
    """Write the traces of some channels of one run as MinKNOW does."""
    with h5py.File(path, "w") as file:
        for read in reads:
            channel = file.create_group(f"Raw/Channel_{read.channel}")
            channel.create_dataset("Signal", data=read.adc, chunks=True, **vars(COMPRESSIONS[compression]))
            meta = channel.create_group("Meta").attrs
            meta["description"] = np.bytes_("Grouper")
            for name, value in channel_attributes(read).items():
                if name != "channel_number":
                    meta[name.replace("sampling", "sample")] = value
        shared = file.create_group("UniqueGlobalKey")
        tags = {"sequencing_kit": reads[0].kit, "experiment_type": reads[0].experiment}
        shared.create_group("context_tags").attrs.update({name: np.bytes_(tag) for name, tag in tags.items()})
        tracking = {"run_id": reads[0].run_id, "flow_cell_product_code": reads[0].pore}
        shared.create_group("tracking_id").attrs.update({name: np.bytes_(tag) for name, tag in tracking.items()})


WRITERS: dict[str, Callable[[Path, Sequence[Read]], None]] = {
    ".bulk.fast5": write_bulk,
    ".fast5": write_multi,
    ".pod5": write_with_pod5,
    ".slow5": write_with_pyslow5,
    ".blow5": write_with_pyslow5,
}
"""Format -> how a test makes a file of it, for every format in READERS."""

COMES_BACK: dict[str, Callable[[Sequence[Read]], list[Read]]] = {".bulk.fast5": as_channels}
"""Format -> what a reader makes of reads that it does not give back as they were written."""


def sample(path: Path, form: str, reads: Sequence[Read]) -> list[Read]:
    """Write a file of a format; gives what is to be read from it."""
    WRITERS[form](path, reads)
    return COMES_BACK.get(form, list)(reads)

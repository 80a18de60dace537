"""A read's fields as fast5 attributes, in and out.

Functions that read raise ValueError on what cannot be meant; `Fast5Reader` adds the place and makes it a drop.
"""

import math
import re
from typing import Any

import h5py
import numpy as np

from poreconv.read import Calibration, Read
from poreconv.readers._hdf5 import number, text, whole_number

READ_ID = re.compile(r"[!-?A-~]{1,254}")
"""What a read id may be if it is to survive in a table, a BAM or a PAF: SAM's QNAME (SAM v1 specification, 1.4)."""

END_REASONS = (
    "unknown",
    "partial",
    "mux_change",
    "unblock_mux_change",
    "data_service_unblock_mux_change",
    "signal_positive",
    "signal_negative",
)
"""Names of ``end_reason`` 0 to 6, as the enum type in files of version 2.2 and later says them."""

DIGITISATION = 8192.0
"""Written with every read; a power of two, so that ``range / digitisation`` gives the scale back exactly."""


END_REASON_TYPE = h5py.enum_dtype({name: number for number, name in enumerate(END_REASONS)}, basetype="u1")


RUN_FIELDS = ("run_id", "pore", "kit", "experiment")
"""Fields of a read that its run shares."""

FLOW_CELL, KIT = (
    re.compile("FLO-[A-Z]{3}[0-9]{3}(RA)?", re.IGNORECASE),
    re.compile("SQK-[A-Z]{3}[0-9]{3}", re.IGNORECASE),
)
"""Product codes in the name of the run's script, where files of before 2018 say them alone."""

RUN_GROUPS = (b"tracking_id", b"context_tags")
"""Groups that hold them."""


def check_id(raw: Any, read_id: str, *, required: bool) -> None:
    """Raise ValueError unless the raw group's ``read_id`` is ``read_id``, and one that a table can hold."""
    stated = text(raw, b"read_id")
    if not stated and required:
        raise ValueError("no read_id")
    if stated and stated != read_id:
        raise ValueError(f"its read_id attribute says {stated!r}")
    if not READ_ID.fullmatch(read_id):
        raise ValueError("a read id has 1 to 254 printable ASCII characters without '@' and spaces")


def fields_of_read(raw: Any) -> dict[str, Any]:
    """The fields that stand in the attributes of the read's raw group."""
    median_before = number(raw, b"median_before")
    return {
        "mux": whole_number(raw, b"start_mux"),
        "read_number": whole_number(raw, b"read_number"),
        "start_sample": whole_number(raw, b"start_time"),
        "end_reason": text(raw, b"end_reason"),
        "median_before": median_before if median_before is not None and math.isfinite(median_before) else None,
    }


def calibration_of(channel_id: Any) -> Calibration:
    """The calibration in a ``channel_id`` group."""
    offset, span, digitisation = (number(channel_id, name) for name in (b"offset", b"range", b"digitisation"))
    if offset is None or span is None or digitisation is None:
        raise ValueError("offset, range or digitisation is missing")
    scale = span / digitisation if digitisation > 0 else math.nan
    if not (math.isfinite(offset) and math.isfinite(scale) and scale > 0):
        raise ValueError(f"offset {offset:g}, range {span:g}, digitisation {digitisation:g} are no calibration")
    return Calibration(offset, scale)


def fields_of_channel(channel_id: Any) -> dict[str, Any]:
    """The other fields that stand in a ``channel_id`` group."""
    rate = number(channel_id, b"sampling_rate")
    if rate is None or not math.isfinite(rate) or rate <= 0:
        raise ValueError(f"sampling_rate is {rate}")
    return {"sample_rate_hz": rate, "channel": whole_number(channel_id, b"channel_number")}


def fields_of_run(groups: dict[bytes, Any]) -> dict[str, str]:
    """The fields ``RUN_FIELDS``, from the groups ``RUN_GROUPS``; either may be absent."""

    def first(*places: tuple[bytes, bytes]) -> str:
        values = (text(groups[group], name) for group, name in places if group in groups)
        return next(filter(None, values), "")

    tracking, context = RUN_GROUPS
    script = first((tracking, b"exp_script_name"))

    def in_script(code: re.Pattern[str]) -> str:
        found = code.search(script)
        return found.group() if found else ""

    return {
        "run_id": first((tracking, b"run_id")),
        "pore": first((context, b"flowcell_type"), (tracking, b"flow_cell_product_code")) or in_script(FLOW_CELL),
        "kit": first((context, b"sequencing_kit")) or in_script(KIT),
        "experiment": first((context, b"experiment_type"), (context, b"experiment_kit")),
    }


def write_raw_attributes(read: Read, raw: h5py.Group) -> None:
    """Write what `check_id` and `fields_of_read` read."""
    values = {
        "read_id": np.bytes_(read.read_id.encode()),
        "duration": np.uint32(len(read.adc)),
        "start_mux": np.uint8(read.mux),
        "read_number": np.int32(read.read_number),
        "start_time": np.uint64(read.start_sample),
    }
    if read.median_before is not None:
        values["median_before"] = np.float64(read.median_before)
    for name, value in values.items():
        raw.attrs[name] = value
    if read.end_reason in END_REASONS:
        raw.attrs.create("end_reason", END_REASONS.index(read.end_reason), dtype=END_REASON_TYPE)
    elif read.end_reason:
        raw.attrs["end_reason"] = read.end_reason


def channel_attributes(read: Read) -> dict[str, Any]:
    """What `calibration_of` and `fields_of_channel` read."""
    return {
        "channel_number": np.bytes_(str(read.channel).encode()),
        "digitisation": DIGITISATION,
        "offset": float(read.calibration.offset),
        "range": float(read.calibration.scale) * DIGITISATION,
        "sampling_rate": float(read.sample_rate_hz),
    }


def run_attributes(run: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `fields_of_run` reads: the attributes of ``tracking_id`` and of ``context_tags``."""
    tracking = {"run_id": run["run_id"], "flow_cell_product_code": run["pore"]}
    context = {"sequencing_kit": run["kit"], "experiment_type": run["experiment"]}
    return _as_bytes(tracking), _as_bytes(context)


def _as_bytes(values: dict[str, str]) -> dict[str, Any]:
    """As fixed-length text, like a sequencer's; empty values are left out."""
    return {name: np.bytes_(value.encode()) for name, value in values.items() if value}

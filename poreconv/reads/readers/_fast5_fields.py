"""A read's fields as fast5 attributes, in and out.

Functions that read raise ValueError on what cannot be meant; `Fast5Reader` adds the place and makes it a drop.
"""

from typing import Any

import h5py
import numpy as np

from poreconv.reads.read import Calibration, Read
from poreconv.reads.readers._fields import (
    DIGITISATION,
    END_REASONS,
    calibration_of,
    check_id,
    fields_of_run,
    finite_or_none,
    rate_of,
)
from poreconv.reads.readers._hdf5 import number, text, whole_number

END_REASON_TYPE = h5py.enum_dtype({name: number for number, name in enumerate(END_REASONS)}, basetype="u1")

RUN_GROUPS = (b"tracking_id", b"context_tags")
"""Groups that hold them."""


def check_stated_id(raw: Any, read_id: str, *, required: bool) -> None:
    """Raise ValueError unless the raw group's ``read_id`` is ``read_id``, and one that a table can hold."""
    stated = text(raw, b"read_id")
    if not stated and required:
        raise ValueError("no read_id")
    if stated and stated != read_id:
        raise ValueError(f"its read_id attribute says {stated!r}")
    check_id(read_id)


def fields_of_read(raw: Any) -> dict[str, Any]:
    """The fields that stand in the attributes of the read's raw group."""
    return {
        "mux": whole_number(raw, b"start_mux"),
        "read_number": whole_number(raw, b"read_number"),
        "start_sample": whole_number(raw, b"start_time"),
        "end_reason": text(raw, b"end_reason"),
        "median_before": finite_or_none(number(raw, b"median_before")),
    }


def calibration_in(channel_id: Any) -> Calibration:
    """The calibration in a ``channel_id`` group."""
    offset, span, digitisation = (number(channel_id, name) for name in (b"offset", b"range", b"digitisation"))
    if offset is None or span is None or digitisation is None:
        raise ValueError("offset, range or digitisation is missing")
    return calibration_of(offset, span, digitisation)


def fields_of_channel(channel_id: Any) -> dict[str, Any]:
    """The other fields that stand in a ``channel_id`` group."""
    rate = rate_of(number(channel_id, b"sampling_rate"))
    return {"sample_rate_hz": rate, "channel": whole_number(channel_id, b"channel_number")}


def fields_in_run(groups: dict[bytes, Any]) -> dict[str, str]:
    """The fields ``RUN_FIELDS``, from the groups ``RUN_GROUPS``; either may be absent."""

    def said(group: str, name: str) -> str:
        location = groups.get(group.encode())
        return "" if location is None else text(location, name.encode())

    return fields_of_run(said)


def write_raw_attributes(read: Read, raw: h5py.Group) -> None:
    """Write what `check_stated_id` and `fields_of_read` read."""
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
    """What `calibration_in` and `fields_of_channel` read."""
    return {
        "channel_number": np.bytes_(str(read.channel).encode()),
        "digitisation": DIGITISATION,
        "offset": float(read.calibration.offset),
        "range": float(read.calibration.scale) * DIGITISATION,
        "sampling_rate": float(read.sample_rate_hz),
    }


def run_attributes(run: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `fields_in_run` reads: the attributes of ``tracking_id`` and of ``context_tags``."""
    tracking = {"run_id": run["run_id"], "flow_cell_product_code": run["pore"]}
    context = {"sequencing_kit": run["kit"], "experiment_type": run["experiment"]}
    return _as_bytes(tracking), _as_bytes(context)


def _as_bytes(values: dict[str, str]) -> dict[str, Any]:
    """As fixed-length text, like a sequencer's; empty values are left out."""
    return {name: np.bytes_(value.encode()) for name, value in values.items() if value}

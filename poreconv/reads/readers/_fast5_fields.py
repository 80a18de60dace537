"""A read's fields as fast5 attributes: reading and writing them.

Functions that read raise ValueError for an impossible value; the readers add file and read and make it a drop.
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
    median_of,
    rate_of,
)
from poreconv.reads.readers._hdf5 import number, text, whole_number

END_REASON_TYPE = h5py.enum_dtype({name: number for number, name in enumerate(END_REASONS)}, basetype="u1")

RUN_GROUPS = (b"tracking_id", b"context_tags")
"""Groups with the fields of the sequencing run."""


def check_stated_id(raw: Any, read_id: str) -> None:
    """Check the ``read_id`` attribute of a read's raw group.

    Args:
        raw: Low-level h5py id of the group.
        read_id: The id by which the read is listed in the file.

    Raises:
        ValueError: The attribute has another id, or the id does not fit into SAM; see `check_id`.
    """
    stated = text(raw, b"read_id")
    if stated and stated != read_id:
        raise ValueError(f"its attribute read_id is {stated!r}")
    check_id(read_id)


def fields_of_read(raw: Any) -> dict[str, Any]:
    """Read the fields of a `Read` that are attributes of its raw group.

    Args:
        raw: Low-level h5py id of the group.

    Returns:
        Field -> value; of a missing attribute the default of `Read`.

    Raises:
        ValueError: An attribute is not a number where one is expected.
    """
    return {
        "mux": whole_number(raw, b"start_mux"),
        "read_number": whole_number(raw, b"read_number"),
        "start_sample": whole_number(raw, b"start_time"),
        "end_reason": text(raw, b"end_reason"),
        "median_before": median_of(number(raw, b"median_before")),
    }


def calibration_in(channel_id: Any) -> Calibration:
    """Read the calibration from the attributes of a group.

    Args:
        channel_id: Low-level h5py id of a group ``channel_id``, or of a bulk file's ``Meta``.

    Raises:
        ValueError: An attribute is missing or not a number, or the three are no calibration; see `calibration_of`.
    """
    offset, span, digitisation = (number(channel_id, name) for name in (b"offset", b"range", b"digitisation"))
    if offset is None or span is None or digitisation is None:
        raise ValueError("offset, range or digitisation is missing")
    return calibration_of(offset, span, digitisation)


def fields_of_channel(channel_id: Any) -> dict[str, Any]:
    """Read the sample rate and the channel.

    Args:
        channel_id: Low-level h5py id of a group ``channel_id``.

    Returns:
        ``sample_rate_hz`` and ``channel``, as fields of a `Read`.

    Raises:
        ValueError: One of them is impossible.
    """
    rate = rate_of(number(channel_id, b"sampling_rate"))
    return {"sample_rate_hz": rate, "channel": whole_number(channel_id, b"channel_number")}


def fields_in_run(groups: dict[bytes, Any]) -> dict[str, str]:
    """Read the fields ``RUN_FIELDS`` of a sequencing run.

    Args:
        groups: Name in ``RUN_GROUPS`` -> low-level h5py id of the group; either may be missing.

    Returns:
        Field -> text; ``""`` where the file has none.
    """

    def attribute(group: str, name: str) -> str:
        location = groups.get(group.encode())
        return "" if location is None else text(location, name.encode())

    return fields_of_run(attribute)


def write_raw_attributes(read: Read, raw: h5py.Group) -> None:
    """Write the attributes that `check_stated_id` and `fields_of_read` read.

    Args:
        read: The read.
        raw: Its raw group.
    """
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
    """Return the attributes that `calibration_in` and `fields_of_channel` read.

    Args:
        read: The read.

    Returns:
        Attribute of ``channel_id`` -> value.
    """
    return {
        "channel_number": np.bytes_(str(read.channel).encode()),
        "digitisation": DIGITISATION,
        "offset": float(read.calibration.offset),
        "range": float(read.calibration.scale) * DIGITISATION,
        "sampling_rate": float(read.sample_rate_hz),
    }


def run_attributes(run: dict[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the attributes that `fields_in_run` reads.

    Args:
        run: Field in ``RUN_FIELDS`` -> text.

    Returns:
        Those of the group ``tracking_id``, and those of ``context_tags``; empty fields are left out.
    """
    tracking = {"run_id": run["run_id"], "flow_cell_product_code": run["pore"]}
    context = {"sequencing_kit": run["kit"], "experiment_type": run["experiment"]}
    return _as_bytes(tracking), _as_bytes(context)


def _as_bytes(values: dict[str, str]) -> dict[str, Any]:
    """Convert to text of fixed length, as a sequencer writes it, without the empty values."""
    return {name: np.bytes_(value.encode()) for name, value in values.items() if value}

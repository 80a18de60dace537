"""HDF5 attributes and signals, read with few calls and without trusting the sizes that the file states.

h5py's high-level attribute access costs about twice these low-level calls, and a read has a dozen attributes.
"""

from contextlib import suppress
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5s, h5t
from numpy.typing import NDArray

from poreconv.errors import SignalError
from poreconv.reads.readers._fields import HARMLESS_BYTES, MAX_COMPRESSION, is_missing, one_line, printable, whole
from poreconv.runtime.hdf5 import is_stored_in
from poreconv.runtime.hdf5_heaps import check_heaps

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""First bytes of an HDF5 file."""

HDF5_ERRORS = (KeyError, MemoryError, OSError, RuntimeError, TypeError, ValueError)
"""What h5py, which has no error class of its own, raises on a damaged file, and numpy on an impossible size."""

NATIVE_DOUBLE = h5t.py_create(np.dtype(np.float64))


def attribute(location: Any, name: bytes) -> Any:
    """Read one attribute.

    Args:
        location: Low-level h5py id of a group or dataset.
        name: The attribute.

    Returns:
        A Python number or str; of an enum the name of the value; of several values an array; None if it is missing.
    """
    if not h5a.exists(location, name):
        return None
    handle = h5a.open(location, name)
    if handle.shape is None:  # an attribute without a value
        return None
    dtype = handle.dtype
    if dtype.kind == "O":  # text of variable length
        check_heaps(location)
    values = np.empty(handle.shape, dtype)
    handle.read(values)
    if values.size != 1:
        return values
    value = values.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    names = h5py.check_enum_dtype(dtype)
    return value if names is None else {number: key for key, number in names.items()}.get(value, value)


def text(location: Any, name: bytes) -> str:
    """Read an attribute as text, with spaces for line breaks and tabs.

    Args:
        location: Low-level h5py id of a group or dataset.
        name: The attribute.

    Returns:
        The text; empty if the attribute is missing.
    """
    value = attribute(location, name)
    return "" if value is None else printable(str(value))


def number(location: Any, name: bytes) -> float | None:
    """Read an attribute as a number.

    Args:
        location: Low-level h5py id of a group or dataset.
        name: The attribute.

    Returns:
        The number; None if the attribute is missing or empty.

    Raises:
        ValueError: It is not a number.
    """
    if not h5a.exists(location, name):
        return None
    handle = h5a.open(location, name)
    if handle.shape == ():  # several values would overrun the buffer
        value = np.empty(())
        with suppress(*HDF5_ERRORS):  # it is text, see below; to ask for the type first takes twice as long
            handle.read(value, mtype=NATIVE_DOUBLE)
            return float(value)
    return _as_number(name, attribute(location, name))


def _as_number(name: bytes, value: Any) -> float | None:
    try:
        return None if is_missing(value) else float(value)
    except (TypeError, ValueError) as exc:
        raise ValueError(f"{name.decode()} is {value!r}, not a number") from exc


def whole_number(location: Any, name: bytes) -> int:
    """Read an attribute as a non-negative whole number, exact also beyond 2**53.

    Args:
        location: Low-level h5py id of a group or dataset.
        name: The attribute.

    Returns:
        The number; 0 if the attribute is missing, empty or -1.

    Raises:
        ValueError: It is not such a number.
    """
    return whole(name.decode(), attribute(location, name))


def signal(group: Any, *, where: str, file_bytes: int, file: int) -> NDArray[np.int16]:
    """Read the dataset ``Signal`` of a group.

    Args:
        group: Low-level h5py id of the group.
        where: File and read, for messages.
        file_bytes: Bytes of the whole file.
        file: Number of the open file; see `file_number`.

    Returns:
        Counts, shape ``(n_samples,)``, at least one.

    Raises:
        SignalError: The signal is missing, empty or unreadable, lies in another file, or int16 cannot hold its values.
    """
    try:
        dataset = h5d.open(group, b"Signal")
    except HDF5_ERRORS as exc:
        raise SignalError(f"{where}: no dataset Signal; the raw signal was not saved", reason="no_signal") from exc
    try:
        if not is_stored_in(dataset, file):
            message = (
                f"{where}: Signal lies in another file, which is not read; copy it into this one, as h5repack does"
            )
            raise SignalError(message, reason="outside_file")
        _check_size(dataset, where=where, file_bytes=file_bytes)
        values = np.empty(dataset.shape, dataset.dtype)
        dataset.read(h5s.ALL, h5s.ALL, values)
    except HDF5_ERRORS as exc:
        message = f"{where}: Signal cannot be read ({one_line(exc)}); copy the file again from its origin"
        raise SignalError(message, reason="unreadable") from exc
    return values if values.dtype == np.int16 else _as_int16(values, where=where)


def _check_size(dataset: Any, *, where: str, file_bytes: int) -> None:
    shape, dtype = dataset.shape, dataset.dtype
    if shape is None or len(shape) != 1 or dtype.kind not in "iuf":
        message = f"{where}: Signal has shape {shape} and type {dtype}; expected one row of int16 counts"
        raise SignalError(message, reason="bad_signal")
    if shape[0] == 0:
        raise SignalError(f"{where}: Signal has no samples; leave the read out", reason="empty")
    stored, claimed = dataset.get_storage_size(), shape[0] * dtype.itemsize
    implausible = claimed > HARMLESS_BYTES and claimed > MAX_COMPRESSION * stored
    if stored == 0 or stored > file_bytes or implausible:
        message = f"{where}: Signal has {shape[0]} samples by its header, {min(stored, file_bytes)} bytes in the file"
        raise SignalError(f"{message}; copy it again from its origin", reason="unreadable")


def _as_int16(values: NDArray[Any], *, where: str) -> NDArray[np.int16]:
    with np.errstate(invalid="ignore"):  # NaN and numbers out of range: the comparison below finds them
        counts = values.astype(np.int16)
    if not (counts == values).all():
        message = f"{where}: Signal is {values.dtype} with values that are not int16 counts; store raw counts, not pA"
        raise SignalError(message, reason="bad_signal")
    return counts

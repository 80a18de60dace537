"""Bulk fast5: the whole trace of each channel, uncut; each channel is one long `Read`.

The signal is ``Raw/Channel_N/Signal``; its calibration is in the attributes of ``Raw/Channel_N/Meta`` (MinKNOW) or of
``Raw/Channel_N`` itself (files made from ABF). The run's fields are in ``tracking_id`` and ``context_tags`` of
``UniqueGlobalKey``, or of ``Meta``. Importing ont-fast5-api registers its VBZ filter.
"""

import re
from pathlib import Path
from typing import Any

import h5py
from h5py import h5g
from ont_fast5_api.fast5_interface import BULK_FAST5

from poreconv.errors import FormatError
from poreconv.reads.read import Read
from poreconv.reads.readers._by_record import ReadsByRecord
from poreconv.reads.readers._fast5_fields import RUN_GROUPS, calibration_in, fields_in_run
from poreconv.reads.readers._fields import as_drop, as_format_error, as_read_id, check_id, rate_of
from poreconv.reads.readers._hdf5 import HDF5_ERRORS, SIGNATURE, number as number_in, signal, text
from poreconv.runtime.hdf5 import file_number, open_hdf5
from poreconv.runtime.ledger import Ledger

CHANNEL = re.compile(rb"Channel_(0|[1-9][0-9]{0,8})")
"""Name of a channel's group."""

SHARED = (b"UniqueGlobalKey", b"Meta")
"""Groups that may contain those of the run; the first that does is read."""


class BulkFast5Reader(ReadsByRecord):
    """One open bulk fast5.

    The id of a channel's read is ``<run id>_channel_<n>``, with the file's name where it contains no run id. The read
    starts at sample 0.

    Args:
        path: The file.
        ledger: Receives the unusable channels.

    Raises:
        FormatError: The file is not a bulk fast5, or it is damaged, or the raw signal was not saved in it.
    """

    write = None

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path
        self._ledger = ledger
        with as_format_error(path, "bulk fast5", HDF5_ERRORS):
            self._file = open_hdf5(h5py.File, path)
        try:
            with as_format_error(path, "bulk fast5", HDF5_ERRORS):
                self._run: dict[str, Any] = _run_in(self._file.id)
                prefix = self._run["run_id"] or as_read_id(path.stem)
                self._channels = _some_channels_in(self._file.id, path)
                self._number = file_number(self._file.id)
            self._ids = [f"{prefix}_channel_{number}" for number in self._channels]
            self._bytes = path.stat().st_size
        except BaseException:
            self.close()
            raise

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Return whether a file is HDF5 with channels instead of reads.

        Args:
            path: The file; opened if it is HDF5.
            head: Its first 64 bytes.
        """
        if not head.startswith(SIGNATURE):
            return False
        try:
            with open_hdf5(h5py.File, path) as file:
                return _is_bulk(file.id)
        except HDF5_ERRORS:
            return False

    @property
    def read_ids(self) -> list[str]:
        """The id of each channel, in the order of their numbers."""
        return self._ids

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def record(self, number: int) -> Read:
        """Return the read of one channel.

        Args:
            number: Place of the channel in ``read_ids``.

        Raises:
            SignalError: The read is unusable.
        """
        read_id, channel = self._ids[number], self._channels[number]
        where = f"{self.path}: read {read_id}"
        with as_drop(f"{where}: no group Raw/Channel_{channel}", "no_signal", HDF5_ERRORS):
            group = h5g.open(self._file.id, b"Raw/Channel_%d" % channel)
        with as_drop(where, "bad_calibration", HDF5_ERRORS):
            meta = h5g.open(group, b"Meta") if b"Meta" in group else group
            calibration = calibration_in(meta)
        with as_drop(where, "bad_metadata", HDF5_ERRORS):
            check_id(read_id)
            rate = rate_of(number_in(meta, b"sample_rate"))
        return Read(
            read_id=read_id,
            adc=signal(group, where=where, file_bytes=self._bytes, file=self._number),
            calibration=calibration,
            sample_rate_hz=rate,
            channel=channel,
            source=self.path,
            **self._run,
        )


def _is_bulk(file: Any) -> bool:
    """Return whether the file has the file type, or groups that MinKNOW writes into bulk files only."""
    root = h5g.open(file, b"/")
    if b"IntermediateData" in root or any(True for _ in _channels_in(file)):
        return True
    return bool(text(root, b"file_type") == BULK_FAST5)


def _channels_in(file: Any) -> list[int]:
    """Return the numbers of the channels, ascending."""
    root = h5g.open(file, b"/")
    names = h5g.open(root, b"Raw") if b"Raw" in root else ()
    return sorted(int(found[1]) for name in names if (found := CHANNEL.fullmatch(name)))


def _some_channels_in(file: Any, path: Path) -> list[int]:
    """Return the numbers of the channels, at least one."""
    channels = _channels_in(file)
    if not channels:
        raise FormatError(f"{path}: a bulk fast5 without Raw/Channel_N; its raw signal was not saved, leave it out")
    return channels


def _run_in(file: Any) -> dict[str, Any]:
    """Read the fields that all channels share."""
    root = h5g.open(file, b"/")
    groups = {}
    for name in RUN_GROUPS:
        places = [shared + b"/" + name for shared in SHARED if shared in root and name in h5g.open(root, shared)]
        if places:
            groups[name] = h5g.open(root, places[0])
    return fields_in_run(groups)

"""Oxford Nanopore fast5: single- and multi-read, gzip and VBZ, versions 0.6 to 2.3.

ont-fast5-api opens the file, finds its kind and its reads, and registers the VBZ filter. The fields of a read are read
through the h5py handle: the API's helpers read all attributes of a group to return one, and open single-read files
three times.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import h5py
from h5py import h5g, h5l
from ont_fast5_api.compression_settings import VBZ
from ont_fast5_api.fast5_interface import MULTI_READ, check_file_type
from ont_fast5_api.fast5_read import Fast5Read
from ont_fast5_api.multi_fast5 import MultiFast5File
from ont_fast5_api.static_data import HARDLINK_GROUPS

from poreconv.errors import FormatError
from poreconv.reads.read import Read
from poreconv.reads.readers._by_record import ReadsByRecord
from poreconv.reads.readers._fast5_fields import (
    RUN_GROUPS,
    calibration_in,
    channel_attributes,
    check_stated_id,
    fields_in_run,
    fields_of_channel,
    fields_of_read,
    run_attributes,
    write_raw_attributes,
)
from poreconv.reads.readers._fields import (
    READ_ID,
    RUN_FIELDS,
    as_drop,
    as_format_error,
    as_read_id,
    check_new,
    shown,
)
from poreconv.reads.readers._hdf5 import HDF5_ERRORS, SIGNATURE, signal, text
from poreconv.reads.readers._hdf5_writing import patient_file
from poreconv.runtime.hdf5 import file_number, open_hdf5
from poreconv.runtime.ledger import Ledger

SHARED = b"UniqueGlobalKey"
"""Group of a single-read file with the groups that a multi-read file has beside ``Raw``."""

MAX_RUNS = 64
"""Sequencing runs of a file whose metadata stay in memory."""


class Fast5Reader(ReadsByRecord):
    """One open fast5 file.

    Args:
        path: The file.
        ledger: Receives the unusable reads.

    Raises:
        FormatError: The file is not HDF5, or it is damaged, or it is HDF5 without reads.
    """

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path
        self._ledger = ledger
        with as_format_error(path, "fast5", HDF5_ERRORS):
            self._file = open_hdf5(MultiFast5File, path)
        try:
            with as_format_error(path, "fast5", HDF5_ERRORS):
                self._groups = _raw_groups(self._file, path)
                self._number = file_number(self._file.handle.id)
            self._ids = [read_id for read_id, _ in self._groups]
            self._bytes = path.stat().st_size
        except BaseException:
            self.close()
            raise
        self._runs: dict[tuple[int | bytes, ...], dict[str, str]] = {}

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Return whether a file is HDF5, by its first bytes.

        Args:
            path: The file.
            head: Its first 64 bytes.
        """
        return head.startswith(SIGNATURE)

    @staticmethod
    def write(path: Path, reads: Iterable[Read]) -> None:
        """Write reads into one multi-read fast5, VBZ-compressed, one read in memory at a time.

        Every field but `Read.source` is read back unchanged.

        Args:
            path: The file; replaced if it exists.
            reads: At least one sample each; different ids.

        Raises:
            FormatError: Two reads have one id, a read has no samples, or fast5 cannot hold an id.
        """
        write_annotated(path, ((read, lambda _: None) for read in reads))

    @property
    def read_ids(self) -> list[str]:
        """The id of each record, in file order."""
        return self._ids

    def record(self, number: int) -> Read:
        """Return the read of one record.

        Args:
            number: Place of the record in ``read_ids``.

        Raises:
            SignalError: The read is unusable.
        """
        read_id, raw_path = self._groups[number]
        where = f"{self.path}: read {shown(read_id)}"
        shared_path = SHARED if raw_path.startswith(b"Raw/") else raw_path.removesuffix(b"/Raw")
        raw = self._group(raw_path, where, "no_signal")
        channel_id = self._group(shared_path + b"/channel_id", where, "bad_calibration")
        with as_drop(where, "bad_calibration", HDF5_ERRORS):
            calibration = calibration_in(channel_id)
        with as_drop(where, "bad_metadata", HDF5_ERRORS):
            check_stated_id(raw, read_id)
            fields = fields_of_read(raw) | fields_of_channel(channel_id) | self._fields_of_run(shared_path)
        adc = signal(raw, where=where, file_bytes=self._bytes, file=self._number)
        return Read(read_id=read_id, adc=adc, calibration=calibration, source=self.path, **fields)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _group(self, path: bytes, where: str, reason: str) -> Any:
        with as_drop(f"{where}: no group {path.decode(errors='replace')!a}", reason, HDF5_ERRORS):
            return h5g.open(self._file.handle.id, path)

    def _fields_of_run(self, shared_path: bytes) -> dict[str, str]:
        """Read the metadata of a run once: its reads share groups by hard links, which the groups' addresses show."""
        root = self._file.handle.id
        paths = [path for name in RUN_GROUPS if root.links.exists(path := shared_path + b"/" + name)]
        links = [root.links.get_info(path) for path in paths]
        key = tuple(link.u if link.type == h5l.TYPE_HARD else path for link, path in zip(links, paths, strict=True))
        if key not in self._runs:
            if len(self._runs) >= MAX_RUNS:
                self._runs.clear()
            self._runs[key] = fields_in_run({path.rpartition(b"/")[2]: h5g.open(root, path) for path in paths})
        return self._runs[key]


def write_annotated(path: Path, reads: Iterable[tuple[Read, Callable[[Fast5Read], None]]]) -> None:
    """Write reads as `Fast5Reader.write` does, each with its annotation.

    Args:
        path: The file; replaced if it exists.
        reads: Each with a function that adds ``Analyses`` to it; called when the read has been written.

    Raises:
        FormatError: See `Fast5Reader.write`.
    """
    runs: dict[str, dict[str, str]] = {}
    with patient_file(path) as stream, MultiFast5File(stream, "w") as file:
        file.handle.attrs["file_type"] = MULTI_READ
        for read, annotate in reads:
            stream.check()
            check_new(path, read, taken=f"read_{read.read_id}" in file.handle)
            if not READ_ID.fullmatch(read.read_id) or "/" in read.read_id:
                raise FormatError(f"{path}: read id {read.read_id!a}: use printable ASCII without '@', '/' and spaces")
            annotate(_write(file, read, runs))


def _raw_groups(file: MultiFast5File, path: Path) -> list[tuple[str, bytes]]:
    """Return the id of each record, and the path of the group that holds its signal."""
    handle = file.handle
    kind = text(handle.id, b"file_type")
    if read_ids := file.get_read_ids():
        return [(read_id, f"read_{read_id}/Raw".encode()) for read_id in read_ids]
    if "UniqueGlobalKey" in handle:
        return _raw_groups_of_single(handle, path)
    if kind and check_file_type(file) == MULTI_READ:
        return []
    raise FormatError(f"{path}: HDF5, but not a fast5 (no reads in it); leave it out")


def _write(file: MultiFast5File, read: Read, runs: dict[str, dict[str, str]]) -> Fast5Read:
    written = file.create_empty_read(read.read_id, read.run_id)  # hard-links the groups of the run's first read
    run = {name: getattr(read, name) for name in RUN_FIELDS}
    if runs.setdefault(read.run_id, run) != run:  # same run id, another flow cell or kit: it needs groups of its own
        for name in HARDLINK_GROUPS:
            del written.handle[name]
    if HARDLINK_GROUPS[0] not in written.handle:
        tracking, context = run_attributes(run)
        written.add_tracking_id(tracking)
        written.add_context_tags(context)
    written.add_channel_info(channel_attributes(read))
    raw = written.handle.create_group("Raw")
    # Not add_raw_data, which lets h5py choose the chunks: a read in one chunk is smaller and faster to read.
    raw.create_dataset("Signal", data=read.counts, dtype="i2", chunks=read.adc.shape, **vars(VBZ))
    write_raw_attributes(read, raw)
    return written


def _raw_groups_of_single(handle: h5py.File, path: Path) -> list[tuple[str, bytes]]:
    """Return id and group of the record, or of several in early versions; the file's name replaces a missing id."""
    names = list(handle["Raw/Reads"]) if "Raw/Reads" in handle else []
    groups = [f"Raw/Reads/{name}".encode() for name in names] or [b"Raw/Reads/Read_0"]
    found = [(text(h5g.open(handle.id, group), b"read_id") if names else "", group) for group in groups]
    return [(read_id or as_read_id(path.stem), group) for read_id, group in found]

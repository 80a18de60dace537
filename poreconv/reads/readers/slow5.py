"""SLOW5 text and BLOW5, every version and compression that pyslow5 reads.

pyslow5 reads the records. It crashes on damaged files, so it reads only what `Records` has checked; where it stops
before the end of a file, the remaining records are requested one by one.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyslow5
from numpy.typing import NDArray

from poreconv.errors import FormatError, SignalError
from poreconv.reads.read import Read
from poreconv.reads.readers._fields import (
    DIGITISATION,
    END_REASONS,
    READ_ID,
    RUN_FIELDS,
    as_drop,
    as_format_error,
    calibration_of,
    check_id,
    check_new,
    fields_of_run,
    finite_or_none,
    printable,
    rate_of,
    shown,
    unusable,
    whole,
)
from poreconv.reads.readers._slow5_layout import BINARY, TEXT
from poreconv.reads.readers._slow5_records import Records, quiet
from poreconv.runtime.ledger import Ledger

ERRORS = (ArithmeticError, LookupError, MemoryError, OSError, TypeError, ValueError)
"""What pyslow5 raises on a damaged file, if it does not crash."""

AUXILIARY = ("channel_number", "start_mux", "read_number", "start_time", "end_reason", "median_before")
"""Optional fields of a record."""

MISSING = {"start_mux": 2**8 - 1, "read_number": 2**31 - 1, "start_time": 2**64 - 1, "end_reason": 2**8 - 1}
"""Field -> the value that stands for none: by the specification the largest of the field's type."""

NO_TEXT = "."
"""What SLOW5 writes for a missing text."""

ENUM = 11
"""pyslow5's number for the type of an ``end_reason`` with names."""

WRITTEN_REASONS = [*END_REASONS, "api_request", "device_data_error", "analysis_config_change", "paused"]
"""End reasons named in every file that is written: those of fast5, then the others of POD5."""


class Slow5Reader:
    """One open SLOW5 or BLOW5 file.

    Args:
        path: The file.
        ledger: Receives the unusable reads.

    Raises:
        FormatError: The file is not SLOW5, or it is damaged or truncated.
    """

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path
        self._ledger = ledger
        with as_format_error(path, "SLOW5", ERRORS):
            self._records = Records(path)
            self._header = self._unread = self._records.open()
            self._list_names()
        self._n_runs: int = self._header.get_num_read_groups()
        self._runs: dict[int, dict[str, str]] = {}
        self._indexed: Any = None

    def _list_names(self) -> None:
        """List the optional fields and attributes of the file; pyslow5 crashes when asked for a missing attribute."""
        types = dict(zip(self._header.get_aux_names(), self._header.get_aux_types(), strict=True))
        self._auxiliary = [name for name in AUXILIARY if name in types]
        named = types.get("end_reason") == ENUM
        self._end_reasons: list[str] = self._header.get_aux_enum_labels("end_reason") if named else []
        self._attributes = set(self._header.get_header_names())

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Return whether a file is SLOW5 or BLOW5, by its first bytes.

        Args:
            path: The file.
            head: Its first 64 bytes.
        """
        return head.startswith((BINARY, TEXT))

    @staticmethod
    def write(path: Path, reads: Iterable[Read]) -> None:
        """Write reads of one run into one BLOW5, zlib- and svb-compressed, one read in memory at a time.

        Every field is read back unchanged, except that an end reason outside ``WRITTEN_REASONS`` becomes ``unknown``.

        Args:
            path: The file; its suffix is ``.blow5``, or ``.slow5`` for text. Replaced if it exists.
            reads: At least one read, all of one run, since the header is written first; at least one sample each;
                different ids.

        Raises:
            FormatError: There is no read, two have one id or different runs, one has no samples, or BLOW5 cannot hold
                a field.
        """
        taken: set[str] = set()
        run: dict[str, str] = {}
        with quiet(), closing(pyslow5.Open(str(path), "w")) as file:
            for read in reads:
                _check(path, read, taken)
                here = {name: getattr(read, name) for name in RUN_FIELDS}
                if not run:
                    run = here
                    file.write_header(_header_of(run), end_reason_labels=WRITTEN_REASONS)
                if here != run:
                    raise FormatError(
                        f"{path}: read {read.read_id}: of another run than the reads before it; write one file per run"
                    )
                if file.write_record(*_as_record(read)) != 0:
                    raise FormatError(f"{path}: read {read.read_id}: pyslow5 cannot write it; check its fields")
                taken.add(read.read_id)
        if not taken:
            path.unlink()
            raise FormatError(f"{path}: no reads; a BLOW5 contains at least one")

    @property
    def read_ids(self) -> list[str]:
        """Ids in file order; ``record 7`` where one cannot be read."""
        return list(self._records.ids)

    def __len__(self) -> int:
        """Return the number of reads."""
        return len(self._records)

    def __iter__(self) -> Iterator[Read]:
        """Yield the reads in file order; unusable ones go into the ledger."""
        done = 0
        for record in self._in_sequence():
            yield from self._usable(record["read_id"], record)
            done += 1
        for number in range(done, len(self._records)):
            yield from self._usable(self._records.ids[number], None, number)

    def __getitem__(self, read_id: str) -> Read:
        """Return one read.

        Raises:
            KeyError: The file contains no read of this id.
            SignalError: The read is unusable.
        """
        number = self._records.numbers.get(read_id)
        if number is None:
            raise KeyError(f"{self.path}: no read {read_id}")
        return self._read(read_id, self._record(read_id, number))

    def close(self) -> None:
        """Close the file."""
        self._header = self._unread = self._indexed = None  # pyslow5 closes a file on garbage collection

    def __enter__(self) -> Self:
        """Return the reader."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close()

    def _in_sequence(self) -> Iterator[dict[str, Any]]:
        """Yield records as pyslow5 reads them, up to the first that it cannot read."""
        if self._records.faults:
            return
        file, self._unread = self._unread or self._records.open(), None
        try:
            yield from file.seq_reads(aux=self._auxiliary)
        except ERRORS:
            return

    def _usable(self, read_id: str, record: dict[str, Any] | None, number: int = 0) -> Iterator[Read]:
        try:
            read = self._read(read_id, self._record(read_id, number) if record is None else record)
        except SignalError as error:
            self._ledger.drop(error, read_id=read_id, source=self.path)
            return
        yield read

    def _record(self, read_id: str, number: int) -> dict[str, Any]:
        where = f"{self.path}: read {shown(read_id)}"
        if fault := self._records.faults.get(number):
            raise SignalError(f"{where}: {fault}; copy the file again from its origin", reason="unreadable")
        if self._records.numbers[read_id] != number:
            raise SignalError(f"{where}: duplicate id; give each read once", reason="duplicate")
        with as_drop(f"{where}: cannot be read", "unreadable", ERRORS):
            if self._indexed is None:
                self._indexed = self._records.open(indexed=True)
            record = self._indexed.get_read(read_id, aux=self._auxiliary)
            if record is None:
                raise ValueError("its record is damaged")
        return dict(record)

    def _read(self, read_id: str, record: dict[str, Any]) -> Read:
        reason = "bad_calibration"
        try:
            calibration = calibration_of(record["offset"], record["range"], record["digitisation"])
            reason = "bad_metadata"
            check_id(read_id)
            fields = self._fields_of(record) | self._run(record["read_group"])
        except ERRORS as exc:
            raise unusable(f"{self.path}: read {shown(read_id)}", reason, exc) from exc
        adc: NDArray[np.int16] | None = record["signal"]
        if adc is None or len(adc) == 0:
            message = f"{self.path}: read {shown(read_id)}: its signal has no samples; leave it out"
            raise SignalError(message, reason="empty")
        return Read(read_id=read_id, adc=adc, calibration=calibration, source=self.path, **fields)

    def _fields_of(self, record: dict[str, Any]) -> dict[str, Any]:
        known = {name: value for name in AUXILIARY if (value := record.get(name)) != MISSING.get(name)}
        end_reason = known.get("end_reason")
        if end_reason is not None and self._end_reasons:
            end_reason = self._end_reasons[end_reason]
        return {
            "sample_rate_hz": rate_of(record["sampling_rate"]),
            "channel": whole("channel_number", known.get("channel_number")),
            "mux": whole("start_mux", known.get("start_mux")),
            "read_number": whole("read_number", known.get("read_number")),
            "start_sample": whole("start_time", known.get("start_time")),
            "end_reason": "" if end_reason is None else printable(str(end_reason)),
            "median_before": finite_or_none(known.get("median_before")),
        }

    def _run(self, group: int) -> dict[str, str]:
        if group not in self._runs:
            if group >= self._n_runs:
                raise ValueError(f"the header does not describe its run, number {group}")
            self._runs[group] = fields_of_run(lambda _, name: self._attribute(name, group))
        return self._runs[group]

    def _attribute(self, name: str, group: int) -> str:
        value = self._header.get_header_value(name, read_group=group) if name in self._attributes else ""
        return printable(value or "")


def _check(path: Path, read: Read, taken: set[str]) -> None:
    check_new(path, read, taken=read.read_id in taken)
    if not READ_ID.fullmatch(read.read_id):
        raise FormatError(f"{path}: read id {read.read_id!a}: use printable ASCII without '@' and spaces")
    if ambiguous := [name for name in RUN_FIELDS if getattr(read, name) == NO_TEXT]:
        raise FormatError(
            f"{path}: read {read.read_id}: {ambiguous[0]} is '.', which SLOW5 writes for a missing text; set it, or"
            " leave it empty"
        )
    for name, value in (("start_mux", read.mux), ("read_number", read.read_number), ("start_time", read.start_sample)):
        if not 0 <= value < MISSING[name]:
            raise FormatError(f"{path}: read {read.read_id}: {name} is {value}; SLOW5 holds 0 to {MISSING[name] - 1}")


def _header_of(run: dict[str, str]) -> dict[str, str]:
    attributes = {
        "run_id": run["run_id"],
        "flow_cell_product_code": run["pore"],
        "sequencing_kit": run["kit"],
        "experiment_type": run["experiment"],
    }
    return {name: printable(value) for name, value in attributes.items() if value}


def _as_record(read: Read) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a record's primary and auxiliary fields."""
    record = {
        "read_id": read.read_id,
        "read_group": 0,
        "digitisation": DIGITISATION,
        "offset": float(read.calibration.offset),
        "range": float(read.calibration.scale) * DIGITISATION,
        "sampling_rate": float(read.sample_rate_hz),
        "len_raw_signal": len(read.adc),
        "signal": read.adc,
    }
    return record, {
        "channel_number": str(read.channel),
        "start_mux": read.mux,
        "read_number": read.read_number,
        "start_time": read.start_sample,
        "end_reason": WRITTEN_REASONS.index(read.end_reason) if read.end_reason in WRITTEN_REASONS else 0,
        "median_before": float("nan") if read.median_before is None else float(read.median_before),
    }

"""Oxford Nanopore POD5, all versions that the pod5 library reads.

The library opens the file, finds its tables and decompresses signals. Rows are read from its Arrow tables directly, a
few at a time, from batches that have been checked: the library's own rows look up each field separately, and it crashes
on damaged tables.
"""

import datetime
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import UUID

import pod5

from poreconv.errors import FormatError, SignalError
from poreconv.reads.read import Read
from poreconv.reads.readers._by_record import ReadsByRecord
from poreconv.reads.readers._fields import (
    as_format_error,
    calibration_of,
    check_new,
    median_of,
    one_line,
    printable,
    rate_of,
    unusable,
    whole,
)
from poreconv.reads.readers._pod5_tables import POD5_ERRORS, Row, Runs, Signals, rows_of, uuid_text, with_run_row
from poreconv.runtime.ledger import Ledger

SIGNATURE = b"\x8bPOD\r\n\x1a\n"
"""First bytes of a POD5 file."""

COLUMNS = [
    "read_id",
    "signal",
    "read_number",
    "start",
    "median_before",
    "channel",
    "well",
    "calibration_offset",
    "calibration_scale",
    "end_reason",
    "run_info",
    "num_samples",
]
"""Columns that are read from the reads table; also ``channel_32bit``, if the file has it."""

ROWS = 64
"""Rows that are converted into Python objects at a time."""

UNKNOWN_OF_RUN = [
    "experiment_name",
    "flow_cell_id",
    "protocol_name",
    "protocol_run_id",
    "sample_id",
    "sequencer_position",
    "sequencer_position_type",
    "software",
    "system_name",
    "system_type",
]
"""Fields that the record of a run must have and that a `Read` does not contain."""

EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)


class Pod5Reader(ReadsByRecord):
    """One open POD5 file.

    Args:
        path: The file.
        ledger: Receives the unusable reads.

    Raises:
        FormatError: The file is not POD5, or it is damaged.
    """

    def __init__(self, path: Path, ledger: Ledger) -> None:
        self.path = path
        self._ledger = ledger
        self._last: tuple[int, Any] | None = None
        with as_format_error(path, "POD5", POD5_ERRORS):
            self._file = pod5.Reader(path)
        try:
            with as_format_error(path, "POD5", POD5_ERRORS):
                self._table = self._file.read_table
                self._columns = _columns_of(self._table.schema.names)
                self._runs = Runs(self._file.run_info_table)
                self._signals = Signals(self._file)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Return whether a file is POD5, by its first bytes.

        Args:
            path: The file.
            head: Its first 64 bytes.
        """
        return head.startswith(SIGNATURE)

    @staticmethod
    def write(path: Path, reads: Iterable[Read]) -> None:
        """Write reads into one POD5, VBZ-compressed, a few reads in memory at a time.

        Every field is read back unchanged, with two exceptions: calibration and ``median_before`` are 32-bit floats,
        and an end reason without a name in POD5 becomes ``unknown``.

        Args:
            path: The file; replaced if it exists.
            reads: At least one sample each; different ids, which are UUIDs; sample rates in whole Hz.

        Raises:
            FormatError: Two reads have one id, a read has no samples, or POD5 cannot hold a field.
        """
        path.unlink(missing_ok=True)
        taken: set[str] = set()
        with pod5.Writer(path, software_name="poreconv") as file:
            for read in reads:
                check_new(path, read, taken=read.read_id in taken)
                taken.add(read.read_id)
                file.add_read(_as_pod5(path, read))

    @property
    def read_ids(self) -> list[str]:
        """The id of each record, in file order; an id that stands twice is listed twice."""
        return self._ids

    def __len__(self) -> int:
        """Return the number of records."""
        return self._ends[-1] if self._ends else 0

    def __iter__(self) -> Iterator[Read]:
        """Yield the reads in file order; unusable ones go into the ledger."""
        for number in range(self._table.num_record_batches):
            batch = self._batch(number)
            for first in range(0, batch.num_rows, ROWS):
                for row in rows_of(batch.slice(first, ROWS)):
                    try:
                        read = self._read(row)
                    except SignalError as error:
                        self._ledger.drop(error, read_id=_read_id(row), source=self.path)
                        continue
                    yield read

    def record(self, number: int) -> Read:
        """Return the read of one record.

        Args:
            number: Place of the record in ``read_ids``.

        Raises:
            SignalError: The read is unusable.
        """
        batch_number = bisect_right(self._ends, number)
        batch = self._batch(batch_number)
        return self._read(rows_of(batch.slice(number - self._ends[batch_number] + batch.num_rows, 1))[0])

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @cached_property
    def _ends(self) -> list[int]:
        """For each batch the number of records up to its end."""
        return list(accumulate(self._batch(number).num_rows for number in range(self._table.num_record_batches)))

    @cached_property
    def _ids(self) -> list[str]:
        batches = map(self._batch, range(self._table.num_record_batches))
        return [uuid_text(raw) for batch in batches for raw in batch.column("read_id").to_pylist()]

    def _batch(self, number: int) -> Any:
        if self._last is None or self._last[0] != number:
            with as_format_error(self.path, "POD5", POD5_ERRORS):
                batch = self._table.get_batch(number).select(self._columns)
                batch.validate(full=True)
                batch = with_run_row(batch)
            self._last = number, batch
        return self._last[1]

    def _read(self, row: Row) -> Read:
        read_id, reason = _read_id(row), "bad_calibration"
        try:
            calibration = calibration_of(row["calibration_offset"], row["calibration_scale"], 1.0)
            reason = "bad_metadata"
            fields = _fields_of(row) | self._run_of(row)
            reason = "unreadable"
            adc = self._signals.of(row)
        except POD5_ERRORS as exc:
            raise unusable(f"{self.path}: read {read_id}", reason, exc) from exc
        if len(adc) == 0:
            raise SignalError(f"{self.path}: read {read_id}: no samples; leave it out", reason="empty")
        return Read(read_id=read_id, adc=adc, calibration=calibration, source=self.path, **fields)

    def _run_of(self, row: Row) -> dict[str, Any]:
        run = self._runs.of(row)
        rate_of(run["sample_rate_hz"])
        return run


def _columns_of(present: list[str]) -> list[str]:
    if missing := set(COLUMNS).difference(present):
        raise ValueError(f"its reads table has no {', '.join(sorted(missing))}")
    return [*COLUMNS, *(["channel_32bit"] if "channel_32bit" in present else [])]


def _read_id(row: Row) -> str:
    return uuid_text(row["read_id"])


def _fields_of(row: Row) -> dict[str, Any]:
    channel = row.get("channel_32bit")
    return {
        "channel": whole("channel", row["channel"] if channel is None else channel),
        "mux": whole("well", row["well"]),
        "read_number": whole("read_number", row["read_number"]),
        "start_sample": whole("start", row["start"]),
        "end_reason": printable(row["end_reason"] or ""),
        "median_before": median_of(row["median_before"]),
    }


def _as_pod5(path: Path, read: Read) -> pod5.Read:
    reason = pod5.EndReasonEnum.__members__.get(read.end_reason.upper(), pod5.EndReasonEnum.UNKNOWN)
    try:
        return pod5.Read(
            read_id=UUID(read.read_id),
            pore=pod5.Pore(read.channel, read.mux, "not_set"),
            calibration=pod5.Calibration(read.calibration.offset, read.calibration.scale),
            read_number=read.read_number,
            start_sample=read.start_sample,
            median_before=float("nan") if read.median_before is None else read.median_before,
            end_reason=pod5.EndReason.from_reason_with_default_forced(reason),
            run_info=_run_info(read),
            signal=read.counts,
        )
    except ValueError as exc:
        message = (
            f"{path}: read {read.read_id!a}: {one_line(exc)}; POD5 needs UUIDs as ids, and sample rates in whole Hz"
        )
        raise FormatError(message) from exc


def _run_info(read: Read) -> pod5.RunInfo:
    if read.sample_rate_hz != int(read.sample_rate_hz):
        raise ValueError(f"a sample rate of {read.sample_rate_hz} Hz")
    return pod5.RunInfo(
        acquisition_id=read.run_id,
        acquisition_start_time=EPOCH,
        adc_max=4095,
        adc_min=-4096,
        context_tags={"experiment_type": read.experiment} if read.experiment else {},
        flow_cell_product_code=read.pore,
        protocol_start_time=EPOCH,
        sample_rate=int(read.sample_rate_hz),
        sequencing_kit=read.kit,
        tracking_id={"run_id": read.run_id},
        **dict.fromkeys(UNKNOWN_OF_RUN, ""),
    )

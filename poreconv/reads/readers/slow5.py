"""SLOW5 text and BLOW5, every version and compression that pyslow5 reads.

The records are read here, and pyslow5's library decodes their signals: see `Records`. pyslow5 writes.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyslow5

from poreconv.errors import FormatError, SignalError
from poreconv.reads.read import Read
from poreconv.reads.readers._by_record import ReadsByRecord
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
    median_of,
    printable,
    rate_of,
    shown,
    unusable,
    whole,
)
from poreconv.reads.readers._slow5_layout import BINARY, NO_TEXT, TEXT
from poreconv.reads.readers._slow5_records import ERRORS, Record, Records
from poreconv.runtime.ledger import Ledger

AUXILIARY = ("channel_number", "start_mux", "read_number", "start_time", "end_reason", "median_before")
"""Optional fields of a record."""

MISSING = {"start_mux": 2**8 - 1, "read_number": 2**31 - 1, "start_time": 2**64 - 1}
"""Field -> the value that stands for none in the files that are written: the largest of the field's type."""

WRITTEN_REASONS = [*END_REASONS, "api_request", "device_data_error", "analysis_config_change", "paused"]
"""End reasons named in every file that is written: those of fast5, then the others of POD5."""

LOG = logging.getLogger("pyslow5")
LOG.disabled = True


class Slow5Reader(ReadsByRecord):
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
            self._records = Records(path, AUXILIARY)
        self._runs: dict[int, dict[str, str]] = {}

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
        with _quiet(), closing(pyslow5.Open(str(path), "w")) as file:
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
        """The id of each record, in file order; an id that stands twice is listed twice.

        It is ``record 7`` where it cannot be read.
        """
        return self._records.ids

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._records)

    def __iter__(self) -> Iterator[Read]:
        """Yield the reads in file order, without listing their ids; unusable ones go into the ledger."""
        for number in range(len(self._records)):
            try:
                read = self.record(number)
            except SignalError as error:
                self._ledger.drop(error, read_id=self._records.id_of(number), source=self.path)
                continue
            yield read

    def record(self, number: int) -> Read:
        """Return the read of one record.

        Args:
            number: Place of the record in ``read_ids``.

        Raises:
            SignalError: The read is unusable.
        """
        try:
            record = self._records.read(number)
        except ERRORS as exc:
            raise unusable(f"{self.path}: read {shown(self._records.id_of(number))}", "unreadable", exc) from exc
        where = f"{self.path}: read {shown(record.read_id)}"
        with as_drop(where, "bad_calibration"):
            calibration = calibration_of(record.offset, record.range_pa, record.digitisation)
        with as_drop(where, "bad_metadata"):
            check_id(record.read_id)
            fields = self._fields_of(record) | self._run(record.run)
        if len(record.adc) == 0:
            raise SignalError(f"{where}: its signal has no samples; leave it out", reason="empty")
        return Read(read_id=record.read_id, adc=record.adc, calibration=calibration, source=self.path, **fields)

    def close(self) -> None:
        """Close the file."""
        self._records.close()

    def _fields_of(self, record: Record) -> dict[str, Any]:
        known = record.auxiliary
        return {
            "sample_rate_hz": rate_of(record.sampling_rate),
            "channel": whole("channel_number", known.get("channel_number")),
            "mux": whole("start_mux", known.get("start_mux")),
            "read_number": whole("read_number", known.get("read_number")),
            "start_sample": whole("start_time", known.get("start_time")),
            "end_reason": self._end_reason(known.get("end_reason")),
            "median_before": median_of(known.get("median_before")),
        }

    def _end_reason(self, value: Any) -> str:
        labels = next((field.labels for field in self._records.layout.auxiliary if field.name == "end_reason"), ())
        if value is None or not labels:
            return "" if value is None else printable(str(value))
        if value >= len(labels):
            raise ValueError(f"end_reason is {value}, and the header names {len(labels)}")
        return printable(labels[value])

    def _run(self, run: int) -> dict[str, str]:
        if run not in self._runs:
            layout = self._records.layout
            if run >= layout.n_runs:
                raise ValueError(f"the header does not describe its run, number {run}")
            missing = [""] * layout.n_runs
            self._runs[run] = fields_of_run(lambda _, name: printable(layout.attributes.get(name, missing)[run]))
        return self._runs[run]


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
        "signal": read.counts,
    }
    return record, {
        "channel_number": str(read.channel),
        "start_mux": read.mux,
        "read_number": read.read_number,
        "start_time": read.start_sample,
        "end_reason": WRITTEN_REASONS.index(read.end_reason) if read.end_reason in WRITTEN_REASONS else 0,
        "median_before": float("nan") if read.median_before is None else float(read.median_before),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Restore the handlers of the program's loggers afterwards: pyslow5 adds one for stderr with each file it opens."""
    loggers = [logging.getLogger(), LOG]
    before = [logger.handlers[:] for logger in loggers]
    try:
        yield
    finally:
        for logger, handlers in zip(loggers, before, strict=True):
            logger.handlers[:] = handlers

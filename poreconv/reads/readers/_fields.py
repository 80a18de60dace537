"""What a read's fields may be, whatever the format.

Functions that check raise ValueError on what cannot be meant; `as_drop` adds the place and makes it a drop.
"""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from poreconv.errors import FormatError, SignalError
from poreconv.reads.read import Calibration, Read

READ_ID = re.compile(r"[!-?A-~]{1,254}")
"""What a read id may be if it is to survive in a table, a BAM or a PAF: SAM's QNAME (SAM v1 specification, 1.4)."""

DIGITISATION = 8192.0
"""Written with every read; a power of two, so that ``range / digitisation`` gives the scale back exactly."""

END_REASONS = (
    "unknown",
    "partial",
    "mux_change",
    "unblock_mux_change",
    "data_service_unblock_mux_change",
    "signal_positive",
    "signal_negative",
)
"""Names of ``end_reason`` 0 to 6, as the enum type in fast5 of version 2.2 and later says them."""

RUN_FIELDS = ("run_id", "pore", "kit", "experiment")
"""Fields of a read that its run shares."""

FLOW_CELL, KIT = (
    re.compile("FLO-[A-Z]{3}[0-9]{3}(RA)?", re.IGNORECASE),
    re.compile("SQK-[A-Z]{3}[0-9]{3}", re.IGNORECASE),
)
"""Product codes in the name of the run's script, where files of before 2018 say them alone."""

HARMLESS_BYTES = 1 << 26
"""Signals up to this size are read whatever their compression: a wrong size can't exhaust the memory."""
MAX_COMPRESSION = 1100
"""No real signal is packed tighter; gzip cannot be (1032 at most)."""


@contextmanager
def as_drop(what: str, reason: str, errors: tuple[type[Exception], ...] = (ValueError,)) -> Iterator[None]:
    """Turn errors of a library, or of a check here, into a `SignalError` that begins with ``what``."""
    try:
        yield
    except errors as exc:
        raise unusable(what, reason, exc) from exc


@contextmanager
def as_format_error(path: Path, format_name: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn errors of a library that opens or scans a file into a `FormatError`."""
    try:
        yield
    except errors as exc:
        message = f"{path}: cannot be read as {format_name} ({one_line(exc)})"
        raise FormatError(f"{message}; copy it again from its origin, or leave it out") from exc


def check_new(path: Path, read: Read, *, taken: bool) -> None:
    """Refuse to write a read that would not come back: one without samples, or whose id the file has already."""
    if taken or len(read.adc) == 0:
        raise FormatError(f"{path}: read {read.read_id}: empty, or its id is taken; leave it out or rename it")


def unusable(what: str, reason: str, exc: Exception) -> SignalError:
    """The drop that an error means."""
    return SignalError(f"{what} ({one_line(exc)}); repair the file or leave the read out", reason=reason)


def one_line(exc: BaseException) -> str:
    """Tell an error's message without line breaks, nor the quotes of a `KeyError`."""
    return " ".join(str(exc.args[0] if exc.args else type(exc).__name__).split())


def shown(read_id: str) -> str:
    """A read id for a message: as it is, or, if a line could not hold it, quoted and cut."""
    return read_id if READ_ID.fullmatch(read_id) else ascii(read_id[:60])


def printable(text: str) -> str:
    """Text with line breaks and tabs as spaces."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def check_id(read_id: str) -> None:
    """Raise ValueError unless a table can hold the id."""
    if not READ_ID.fullmatch(read_id):
        raise ValueError("a read id has 1 to 254 printable ASCII characters without '@' and spaces")


def calibration_of(offset: float, span: float, digitisation: float) -> Calibration:
    """The calibration with ``scale = span / digitisation``."""
    scale = span / digitisation if digitisation > 0 else math.nan
    if not (math.isfinite(offset) and math.isfinite(scale) and scale > 0):
        raise ValueError(f"offset {offset:g}, range {span:g}, digitisation {digitisation:g} are no calibration")
    return Calibration(offset, scale)


def rate_of(rate: float | None) -> float:
    """The sample rate, if it is one."""
    if rate is None or not math.isfinite(rate) or rate <= 0:
        raise ValueError(f"sampling_rate is {rate}")
    return float(rate)


def finite_or_none(value: float | None) -> float | None:
    """A number, None for none and for NaN."""
    return value if value is not None and math.isfinite(value) else None


def whole(name: str, value: Any) -> int:
    """A non-negative whole number, exact also beyond 2**53; 0 for None."""
    try:
        number = 0 if value is None else int(value)
    except (TypeError, ValueError, OverflowError) as exc:
        raise ValueError(f"{name} is {value!r}, not a whole number") from exc
    if number < 0 or (isinstance(value, float) and value != number):
        raise ValueError(f"{name} is {value!r}, not a whole number from 0")
    return number


def fields_of_run(said: Callable[[str, str], str]) -> dict[str, str]:
    """The fields ``RUN_FIELDS``.

    Args:
        said: Gives what the file says under a name of ``tracking_id`` or ``context_tags``, ``""`` if nothing.
    """
    script = said("tracking_id", "exp_script_name")

    def in_script(code: re.Pattern[str]) -> str:
        found = code.search(script)
        return found.group() if found else ""

    pore = said("context_tags", "flowcell_type") or said("tracking_id", "flow_cell_product_code")
    return {
        "run_id": said("tracking_id", "run_id"),
        "pore": pore or in_script(FLOW_CELL),
        "kit": said("context_tags", "sequencing_kit") or in_script(KIT),
        "experiment": said("context_tags", "experiment_type") or said("context_tags", "experiment_kit"),
    }

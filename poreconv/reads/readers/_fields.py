"""Checks of a read's fields that hold for every format.

Functions that check raise ValueError for an impossible value; `as_drop` adds file and read and makes it a drop.
"""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from poreconv.errors import FormatError, SignalError
from poreconv.reads.chemistry import molecule_in
from poreconv.reads.read import Calibration, Read

READ_ID = re.compile(r"[!-?A-~]{1,254}")
"""Read ids that tables, BAM and PAF can hold: SAM's QNAME (SAM v1 specification, 1.4)."""

NOT_IN_ID = re.compile(r"[^!-?A-~]")
"""Characters that a file name may contain and a read id may not."""

DIGITISATION = 8192.0
"""Written with every read; a power of two, so that ``range / digitisation`` is exactly the scale."""

END_REASONS = (
    "unknown",
    "partial",
    "mux_change",
    "unblock_mux_change",
    "data_service_unblock_mux_change",
    "signal_positive",
    "signal_negative",
)
"""Names of ``end_reason`` 0 to 6, as in the enum type of fast5 of version 2.2 and later."""

MAX_PA_PER_COUNT = 100.0
"""Largest plausible scale of a calibration. A range of MinION or PromethION is 200 to 1,500 pA; undivided, it is the
scale. At 100 pA per count 16 bits hold 6.5 microamperes, thirty times what patch-clamp amplifiers measure."""

RUN_FIELDS = ("run_id", "pore", "kit", "experiment")
"""Fields that all reads of a sequencing run share."""

FLOW_CELL, KIT = (
    re.compile("FLO-[A-Z]{3}[0-9]{3}(RA)?", re.IGNORECASE),
    re.compile("SQK-[A-Z]{3}[0-9]{3}", re.IGNORECASE),
)
"""Product codes in the name of the run's script, the only place where files from before 2018 contain them."""

HARMLESS_BYTES = 1 << 26
"""Bytes; a signal of up to this size is read whatever its compression, since a wrong size cannot exhaust the memory."""
MAX_COMPRESSION = 1100
"""Largest compression that is accepted of a larger signal; that of gzip is 1032 at most."""


@contextmanager
def as_drop(what: str, reason: str, errors: tuple[type[Exception], ...] = (ValueError,)) -> Iterator[None]:
    """Turn errors of a library, or of a check in this module, into a `SignalError`.

    Args:
        what: Beginning of the message: file, read, and what is wrong if the error does not contain it.
        reason: Under which the drop ledger counts the read.
        errors: The errors to turn.

    Raises:
        SignalError: One of them occurred.
    """
    try:
        yield
    except errors as exc:
        raise unusable(what, reason, exc) from exc


@contextmanager
def as_format_error(path: Path, format_name: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    """Turn errors of a library that opens or scans a file into a `FormatError`.

    Args:
        path: The file.
        format_name: Its format, for the message: ``"POD5"``.
        errors: The errors to turn.

    Raises:
        FormatError: One of them occurred.
    """
    try:
        yield
    except errors as exc:
        message = f"{path}: cannot be read as {format_name} ({one_line(exc)})"
        raise FormatError(f"{message}; copy it again from its origin, or leave it out") from exc


def check_new(path: Path, read: Read, *, taken: bool) -> None:
    """Check, before a read is written, that the file can hold it.

    Args:
        path: The file that is written.
        read: The read.
        taken: Whether the file contains a read of this id already.

    Raises:
        FormatError: The id is taken, or the read has no samples, or a calibration with which it would be dropped.
    """
    if taken or len(read.adc) == 0:
        raise FormatError(f"{path}: read {read.read_id}: empty, or its id is taken; leave it out or rename it")
    try:
        calibration_of(read.calibration.offset, read.calibration.scale, 1.0)
    except ValueError as exc:
        raise FormatError(f"{path}: read {read.read_id}: {exc}") from exc


def unusable(what: str, reason: str, exc: Exception) -> SignalError:
    """Make a `SignalError` of another error.

    Args:
        what: Beginning of the message: file and read.
        reason: Under which the drop ledger counts the read.
        exc: The error; its message is quoted.
    """
    return SignalError(f"{what} ({one_line(exc)}); repair the file or leave the read out", reason=reason)


def one_line(exc: BaseException) -> str:
    """Return an error's message without line breaks, and without the quotes of a `KeyError`.

    Args:
        exc: Any error; if it has no message, its class is named.
    """
    return " ".join(str(exc.args[0] if exc.args else type(exc).__name__).split())


def shown(read_id: str) -> str:
    """Format a read id for a message: unchanged if it is valid, otherwise escaped, quoted and cut to 60 characters.

    Args:
        read_id: Any text.
    """
    return read_id if READ_ID.fullmatch(read_id) else ascii(read_id[:60])


def printable(text: str) -> str:
    """Replace line breaks, tabs and other unprintable characters by spaces.

    Args:
        text: Any text.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def check_id(read_id: str) -> None:
    """Check that tables, BAM and PAF can hold a read id.

    Args:
        read_id: Any text.

    Raises:
        ValueError: They cannot.
    """
    if not READ_ID.fullmatch(read_id):
        raise ValueError("a read id has 1 to 254 printable ASCII characters without '@' and spaces")


def as_read_id(name: str) -> str:
    """Make a read id of a file's name, for a read without one.

    Args:
        name: The name without its suffix.
    """
    return NOT_IN_ID.sub("_", name)


def calibration_of(offset: float, span: float, digitisation: float) -> Calibration:
    """Make the calibration with ``scale = span / digitisation``.

    Args:
        offset: Counts added before scaling.
        span: The field ``range``, pA; or pA per count, with a ``digitisation`` of 1.
        digitisation: Number of different counts.

    Raises:
        ValueError: One of them is not finite, or the scale is not positive, or above `MAX_PA_PER_COUNT`.
    """
    scale = span / digitisation if digitisation > 0 else math.nan
    if not (math.isfinite(offset) and math.isfinite(scale) and scale > 0):
        raise ValueError(f"offset {offset:g}, range {span:g}, digitisation {digitisation:g} are not a calibration")
    if scale > MAX_PA_PER_COUNT:
        raise ValueError(f"{scale:g} pA per count; the range was not divided by the digitisation, calibrate it again")
    return Calibration(offset, scale)


def rate_of(rate: float | None) -> float:
    """Check a sample rate.

    Args:
        rate: Hz; None if the file contains none.

    Raises:
        ValueError: It is missing, not finite or not positive.
    """
    if rate is None or not math.isfinite(rate) or rate <= 0:
        raise ValueError(f"sampling_rate is {rate}, not a positive number")
    return float(rate)


def median_of(value: float | None) -> float | None:
    """Return a finite ``median_before``, or None for a missing one, NaN, infinity, and the -1 that stands for none.

    Args:
        value: A number, or None.
    """
    return value if value is not None and math.isfinite(value) and value != -1 else None


def is_missing(value: Any) -> bool:
    """Return whether a field's value stands for none: nothing, empty text, or the dot of SLOW5.

    Args:
        value: A number, text or None.
    """
    return value is None or (isinstance(value, str) and value.strip(" \0") in {"", "."})


def whole(name: str, value: Any) -> int:
    """Convert a field to a non-negative whole number, exact also beyond 2**53.

    Args:
        name: The field, for the message.
        value: A number or its text; a missing one, and -1, which some programs write for it, become 0.

    Raises:
        ValueError: It is not such a number.
    """
    try:
        number = 0 if is_missing(value) else int(value)
        number = 0 if number == -1 else number
    except (TypeError, ValueError, OverflowError) as exc:
        raise ValueError(f"{name} is {value!r}, not a whole number") from exc
    if number < 0 or (isinstance(value, float) and value != number):
        raise ValueError(f"{name} is {value!r}, not a whole number of 0 or more")
    return number


def fields_of_run(attribute: Callable[[str, str], str]) -> dict[str, str]:
    """Read the fields ``RUN_FIELDS`` of a sequencing run.

    Args:
        attribute: Called with ``"tracking_id"`` or ``"context_tags"`` and a name in it; returns the file's value, or
            ``""`` if it has none.

    Returns:
        Field -> text; ``""`` where the file has none.
    """
    script = attribute("tracking_id", "exp_script_name")

    def in_script(code: re.Pattern[str]) -> str:
        found = code.search(script)
        return found.group() if found else ""

    experiments = [attribute("context_tags", name) for name in ("experiment_type", "experiment_kit")]
    pore = attribute("context_tags", "flowcell_type") or attribute("tracking_id", "flow_cell_product_code")
    return {
        "run_id": attribute("tracking_id", "run_id"),
        "pore": pore or in_script(FLOW_CELL),
        "kit": attribute("context_tags", "sequencing_kit") or in_script(KIT),
        "experiment": next(filter(molecule_in, experiments), next(filter(None, experiments), "")),
    }

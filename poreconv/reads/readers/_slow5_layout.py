"""The layout of a SLOW5 or BLOW5 file: its header, and the places of its records.

Layout: the SLOW5 specification 1.0.0, https://hasindu2008.github.io/slow5specs. A BLOW5 is a header, records that each
begin with their size, and an end-of-file mark; a SLOW5 is the same as text, one line per record.
"""

import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, BinaryIO

import numpy as np

BINARY, TEXT = b"BLOW5\x01", b"#slow5_version\t"
"""First bytes of a file."""

RUNS = b"#num_read_groups\t"
"""Beginning of the second line of SLOW5 text."""

END = b"5WOLB"
"""Last bytes of a BLOW5; a file without them was truncated, or is still being written."""

HEADER = struct.Struct("<6s3BBIB49xI")
"""Magic, version, record compression, number of read groups, signal compression, length of the header's text."""

MAX_HEADER = 1 << 28
"""Largest size of a header's text that is accepted, bytes; real headers have a few thousand per sequencing run."""

SIZE = struct.Struct("<Q")
"""Bytes of a record, before each record of a BLOW5."""

SIGNAL_PACKED_SINCE, LATEST = (0, 2, 0), (1, 0, 0)
"""First version whose header states how signals are packed, and the last that is known."""

PRIMARY_TYPES = ("char*", "uint32_t", "double", "double", "double", "double", "uint64_t", "int16_t*")
PRIMARY = (
    "read_id",
    "read_group",
    "digitisation",
    "offset",
    "range",
    "sampling_rate",
    "len_raw_signal",
    "raw_signal",
)
"""Fields of every record."""

INTEGERS = {f"{sign}int{8 * size}_t": f"<{sign or 'i'}{size}" for sign in ("", "u") for size in (1, 2, 4, 8)}
NUMBERS = {name: np.dtype(code) for name, code in (INTEGERS | {"float": "<f4", "double": "<f8"}).items()}
"""Type of a field -> its encoding."""

ENUM = re.compile(r"enum\{([^{}]*)\}(\*?)")

NO_TEXT = "."
"""What SLOW5 writes for a missing text."""


class Packing(IntEnum):
    """How records are compressed; only zlib detects every damage."""

    NONE = 0
    ZLIB = 1
    ZSTD = 2


class SignalPacking(IntEnum):
    """How signals are compressed."""

    NONE = 0
    SVB_ZD = 1
    """Zigzag-coded differences, as StreamVByte."""
    EX_ZD = 2
    """The same in one byte each, with a list of the larger ones."""


@dataclass(frozen=True, slots=True)
class Field:
    """An auxiliary field."""

    name: str
    dtype: np.dtype[Any]
    """Of one value; of a text or an enum uint8."""
    array: bool
    """Whether a record contains the number of values before them."""
    text: bool = False
    labels: tuple[str, ...] = ()
    """Names of an enum's values."""


@cache
def encoding_of(dtype: np.dtype[Any]) -> tuple[struct.Struct, int | None]:
    """Return how a number is read, and the number that stands for none.

    Args:
        dtype: Of a field.

    Returns:
        The encoding; the largest number of an integer type, None for other types, which have NaN.
    """
    if dtype.kind == "f":
        return struct.Struct(f"<{dtype.char}"), None
    code = "bhiq"[dtype.itemsize.bit_length() - 1]  # of 1, 2, 4 and 8 bytes
    return struct.Struct(f"<{code.upper() if dtype.kind == 'u' else code}"), int(np.iinfo(dtype).max)


@dataclass(frozen=True)
class Layout:
    """The place and the encoding of a file's records."""

    binary: bool
    first: int
    """Offset of the first record."""
    end: int
    """Offset after the last one."""
    n_runs: int
    """Number of read groups."""
    attributes: dict[str, list[str]]
    """Name -> value of each run."""
    auxiliary: tuple[Field, ...]
    """In the order of the record."""
    packing: Packing = Packing.NONE
    signal_packing: SignalPacking = SignalPacking.NONE


def layout_of(stream: BinaryIO) -> Layout:
    """Read the header of a file.

    Args:
        stream: The open file, at its beginning.

    Raises:
        ValueError: The header is damaged or of a later version, or the file is truncated.
    """
    size = os.fstat(stream.fileno()).st_size
    return _layout_of_binary(stream, size) if stream.read(len(BINARY)) == BINARY else _layout_of_text(stream, size)


def _layout_of_binary(stream: BinaryIO, size: int) -> Layout:
    stream.seek(0)
    head = stream.read(HEADER.size)
    if len(head) < HEADER.size:
        raise ValueError("it ends within the header")
    _, *version, packing, n_runs, signal_packing, n_text = HEADER.unpack(head)
    first = HEADER.size + n_text
    if n_text > MAX_HEADER or first + len(END) > size:
        raise ValueError(f"a header of {n_text} bytes in a file of {size}")
    content = stream.read(n_text)
    stream.seek(size - len(END))
    if stream.read() != END:
        raise ValueError("no end-of-file mark: it was truncated, or is still being written")
    _check_version(tuple(version))
    if tuple(version) < SIGNAL_PACKED_SINCE:
        signal_packing = SignalPacking.NONE
    if packing not in set(Packing) or signal_packing not in set(SignalPacking) or not content.endswith(b"\n"):
        raise ValueError("its header is damaged")
    attributes, auxiliary = _described(content.decode(errors="replace").split("\n")[:-1], n_runs)
    end = size - len(END)
    return Layout(True, first, end, n_runs, attributes, auxiliary, Packing(packing), SignalPacking(signal_packing))


def _layout_of_text(stream: BinaryIO, size: int) -> Layout:
    stream.seek(max(0, size - 1))
    if stream.read() != b"\n":
        raise ValueError("its last line is not complete: it was truncated, or is still being written")
    stream.seek(0)
    version, n_runs = (_stated(stream.readline(HEADER.size), start) for start in (TEXT, RUNS))
    _check_version(tuple(int(part) if part.isdecimal() else -1 for part in version.split(".")))
    if not n_runs.isdecimal():
        raise ValueError("its header is damaged: no line #num_read_groups")
    runs = int(n_runs)
    lines: list[str] = []
    while line := stream.readline(MAX_HEADER):
        lines.append(line.decode(errors="replace").rstrip("\n"))
        if line.startswith(b"#read_id"):
            return Layout(False, stream.tell(), size, runs, *_described(lines, runs))
        if line[:1] not in {b"#", b"@"}:
            break
    raise ValueError("its header is damaged: no line #read_id")


def _stated(line: bytes, start: bytes) -> str:
    """Return the rest of a line; empty if it has another beginning."""
    return line.removeprefix(start).decode(errors="replace").strip() if line.startswith(start) else ""


def _check_version(version: tuple[int, ...]) -> None:
    if len(version) != len(LATEST) or version > LATEST:
        raise ValueError(f"version {'.'.join(map(str, version))} is damaged, or of a later version than 1.0.0")


def _described(lines: list[str], n_runs: int) -> tuple[dict[str, list[str]], tuple[Field, ...]]:
    """Return the attributes and the auxiliary fields that a header describes."""
    *attributes, types, names = [line.split("\t") for line in lines] if len(lines) > 1 else [[], [""], [""]]
    n = len(PRIMARY)
    if (*types[:n],) != ("#char*", *PRIMARY_TYPES[1:]) or (*names[:n],) != ("#read_id", *PRIMARY[1:]):
        raise ValueError("its header is damaged: the fields of its records are not those of SLOW5")
    if len(types) != len(names) or len(set(names)) != len(names) or n_runs < 1:
        raise ValueError("its header is damaged: it has as many types as fields, and at least one read group")
    found: dict[str, list[str]] = {}
    for name, *values in attributes:
        if len(values) != n_runs or not name.startswith("@"):
            raise ValueError(f"its header is damaged: {name[:40]!a} has {len(values)} values, {n_runs} are due")
        found[name[1:]] = ["" if value == NO_TEXT else value for value in values]
    return found, tuple(map(_field, names[n:], types[n:]))


def _field(name: str, kind: str) -> Field:
    if kind in {"char", "char*"}:
        return Field(name, np.dtype("u1"), array=kind.endswith("*"), text=True)
    if enum := ENUM.fullmatch(kind):
        return Field(name, np.dtype("u1"), array=bool(enum[2]), labels=tuple(enum[1].split(",")))
    if kind.removesuffix("*") not in NUMBERS:
        raise ValueError(f"its header is damaged: field {name[:40]!a} has type {kind[:40]!a}")
    return Field(name, NUMBERS[kind.removesuffix("*")], array=kind.endswith("*"))


def places_of(stream: BinaryIO, layout: Layout) -> Iterator[tuple[int, int]]:
    """Yield the offset and the number of bytes of each record, without its size or line break.

    Args:
        stream: The open file.
        layout: Its layout, from `layout_of`.

    Raises:
        ValueError: The sizes stated in the records do not add up to the file's.
    """
    return _places_of_binary(stream, layout) if layout.binary else _places_of_text(stream, layout)


def _places_of_text(stream: BinaryIO, layout: Layout) -> Iterator[tuple[int, int]]:
    stream.seek(layout.first)
    offset = layout.first
    for line in stream:
        yield offset, len(line) - 1
        offset += len(line)


def _places_of_binary(stream: BinaryIO, layout: Layout) -> Iterator[tuple[int, int]]:
    file, offset = stream.fileno(), layout.first
    while offset < layout.end:
        left = layout.end - offset - SIZE.size
        size = SIZE.unpack(os.pread(file, SIZE.size, offset))[0] if left > 0 else 0
        if size > left:
            raise ValueError(f"the record at byte {offset} states {size} bytes, {max(0, left)} are left")
        yield offset + SIZE.size, size
        offset += SIZE.size + size

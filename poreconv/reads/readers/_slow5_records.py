"""The records of a SLOW5 or BLOW5 file, every length checked before it is used.

pyslow5 is not asked for records: it reads and writes beyond its memory where a record's lengths are wrong, and those of
a compressed record are seen only after decompression.
"""

import os
import re
import struct
import warnings
import zlib
from array import array
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from poreconv.reads.readers._fields import HARMLESS_BYTES, MAX_COMPRESSION
from poreconv.reads.readers._slow5_layout import (
    NO_TEXT,
    PRIMARY,
    Field,
    Layout,
    Packing,
    SignalPacking,
    encoding_of,
    layout_of,
    places_of,
)
from poreconv.reads.readers._slow5_signal import unpacked

HEAD = 512
"""Bytes that contain a record's id."""

ID_LENGTH, COUNT = struct.Struct("<H"), struct.Struct("<Q")
NUMBERS = struct.Struct("<IddddQ")
"""The primary fields between a record's id and its signal."""

WHOLE = re.compile("-?[0-9]+")
"""A whole number in SLOW5 text."""

ERRORS = (ValueError, struct.error, zlib.error, OSError, pa.ArrowException, MemoryError, OverflowError)
"""What a damaged record raises."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record."""

    read_id: str
    run: int
    """Number of its read group."""
    digitisation: float
    offset: float
    range_pa: float
    sampling_rate: float
    adc: NDArray[np.int16]
    auxiliary: dict[str, Any]
    """Name -> value, of the fields that were asked for and are not missing."""


class Records:
    """The records of an open file.

    Args:
        path: A SLOW5 or BLOW5 file. Its header and the size of each record are read.
        auxiliary: Names of the auxiliary fields that records contain, where the file has them.

    Raises:
        ValueError: The file is damaged or truncated.
        OSError: It cannot be read.
    """

    def __init__(self, path: Path, auxiliary: tuple[str, ...]) -> None:
        self._auxiliary = frozenset(auxiliary)
        self._offsets, self._sizes = array("Q"), array("Q")
        self._stream = path.open("rb")
        try:
            self.layout: Layout = layout_of(self._stream)
            for offset, size in places_of(self._stream, self.layout):
                self._offsets.append(offset)
                self._sizes.append(size)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self._offsets)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    @cached_property
    def ids(self) -> list[str]:
        """The read id of each record; ``record 7`` where it cannot be read."""
        return [self.id_of(number) for number in range(len(self))]

    def id_of(self, number: int) -> str:
        """Read the id of a record.

        Args:
            number: Of the record, from 0.

        Returns:
            The read id; ``record 7`` where it cannot be read.
        """
        try:
            if not self.layout.binary:
                read_id, tab, _ = self._bytes(number, HEAD).partition(b"\t")
                read_id = read_id if tab else b""
            elif self.layout.packing is Packing.ZSTD:
                read_id = _first_text(_decompressed(self._bytes(number), Packing.ZSTD, HEAD))
            else:
                read_id = _first_text(_decompressed(self._bytes(number, HEAD), self.layout.packing, HEAD))
        except ERRORS:
            read_id = b""
        return _id(read_id) or f"record {number}"

    def read(self, number: int) -> Record:
        """Read a record.

        Args:
            number: Of the record, from 0.

        Raises:
            ValueError, zlib.error, OSError, pa.ArrowException, MemoryError, OverflowError: It is damaged; see
                ``ERRORS``.
        """
        content = self._bytes(number)
        if not self.layout.binary:
            return self._from_text(content)
        if self.layout.packing is not Packing.NONE:
            content = _decompressed_whole(content, self.layout.packing)
        try:
            return self._from_binary(content)
        except struct.error as exc:
            raise ValueError("it ends within a field") from exc

    def _bytes(self, number: int, limit: int | None = None) -> bytes:
        size = self._sizes[number]
        content = os.pread(self._stream.fileno(), size if limit is None else min(size, limit), self._offsets[number])
        if limit is None and len(content) != size:
            raise ValueError("the file ends within it")
        return content

    def _from_binary(self, content: bytes) -> Record:
        read_id = _first_text(content)
        at = ID_LENGTH.size + len(read_id)
        run, digitisation, offset, span, rate, count = NUMBERS.unpack_from(content, at)
        at += NUMBERS.size
        packing = self.layout.signal_packing
        size = count if packing is not SignalPacking.NONE else 2 * count
        if at + size > len(content):
            raise ValueError(f"a signal of {size} bytes in {len(content)}")
        if packing is SignalPacking.NONE:
            adc = np.frombuffer(content, "<i2", count, at).astype(np.int16)
        else:
            adc = unpacked(content[at : at + size], packing)
        auxiliary = self._auxiliary_of(_Values(content, at + size))
        return Record(_id(read_id), run, digitisation, offset, span, rate, adc, auxiliary)

    def _auxiliary_of(self, values: "_Values") -> dict[str, Any]:
        found = {}
        for field in self.layout.auxiliary:
            value = values.next(field)
            if field.name in self._auxiliary and value is not None:
                found[field.name] = value
        values.check_end()
        return found

    def _from_text(self, line: bytes) -> Record:
        columns = line.split(b"\t")
        n = len(PRIMARY)
        if len(columns) != n + len(self.layout.auxiliary):
            raise ValueError(f"{len(columns)} columns, {n + len(self.layout.auxiliary)} are due")
        texts = [column.decode() for column in (*columns[1 : n - 1], *columns[n:])]
        run, count = (_whole(texts[i]) for i in (0, n - 3))
        pairs = zip(self.layout.auxiliary, texts[n - 2 :], strict=True)
        auxiliary = {
            field.name: value
            for field, text in pairs
            if field.name in self._auxiliary and (value := _of_text(field, text)) is not None
        }
        adc = _signal_of_text(columns[n - 1], count)
        digitisation, offset, span, rate = map(_decimal, texts[1 : n - 3])
        return Record(_id(columns[0]), run, digitisation, offset, span, rate, adc, auxiliary)


class _Values:
    """The auxiliary fields at the end of a record of a BLOW5, one after the other."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at

    def next(self, field: Field) -> Any:
        """Return the value of the next field; None for a missing one, an array without values, and arrays of numbers.

        Raises:
            ValueError, struct.error: The record ends within it.
        """
        count = 1
        if field.array:
            count = COUNT.unpack_from(self._content, self._at)[0]
            self._at += COUNT.size
        start, self._at = self._at, self._at + count * field.dtype.itemsize
        if self._at > len(self._content):
            raise ValueError(f"its field {field.name} is longer than the record")
        if field.text:
            return _stated(self._content[start : self._at].rstrip(b"\0").decode())
        if field.array:
            return None
        encoding, missing = encoding_of(field.dtype)
        value = encoding.unpack_from(self._content, start)[0]
        return None if value == missing else value

    def check_end(self) -> None:
        """Check that the record contains nothing else.

        Raises:
            ValueError: It does.
        """
        if self._at != len(self._content):
            raise ValueError("its lengths do not add up")


def _first_text(content: bytes) -> bytes:
    n_id = ID_LENGTH.unpack_from(content)[0]
    read_id = content[ID_LENGTH.size : ID_LENGTH.size + n_id]
    if len(read_id) != n_id or b"\0" in read_id:
        raise ValueError("its read id is damaged")
    return read_id


def _id(read_id: bytes) -> str:
    return read_id.decode("ascii", errors="replace")


def _decompressed_whole(packed: bytes, packing: Packing) -> bytes:
    limit = max(HARMLESS_BYTES, MAX_COMPRESSION * len(packed))
    if packing is Packing.ZSTD:
        content = _decompressed(packed, packing, limit + 1)
    else:
        stream = zlib.decompressobj()
        content = stream.decompress(packed, limit + 1)
        if len(content) <= limit and (not stream.eof or stream.unused_data):
            raise ValueError("its compressed bytes do not end where the record ends")
    if len(content) > limit:
        raise ValueError(f"{len(packed)} bytes decompress to over {limit}")
    return content


def _decompressed(packed: bytes, packing: Packing, limit: int) -> bytes:
    """Decompress the first ``limit`` bytes."""
    if packing is Packing.NONE:
        return packed[:limit]
    if packing is Packing.ZLIB:
        return zlib.decompressobj().decompress(packed, limit)
    content: bytes = pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read(limit)
    return content


def _stated(text: str) -> str | None:
    return None if text in {"", NO_TEXT} else text


def _of_text(field: Field, text: str) -> Any:
    stated = _stated(text)
    if stated is None or field.text:
        return stated
    if field.array:
        return None
    return _decimal(stated) if field.dtype.kind == "f" else _whole(stated)


def _whole(text: str) -> int:
    if not WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!a} is not a whole number")
    return int(text)


def _decimal(text: str) -> float:
    if "_" in text:  # which Python accepts in numbers
        raise ValueError(f"{text[:40]!a} is not a number")
    return float(text)


def _signal_of_text(column: bytes, count: int) -> NDArray[np.int16]:
    if count == 0 and column in {b"", b"."}:
        return np.empty(0, np.int16)
    stated = column.count(b",") + 1
    if stated != count or column.translate(None, b"0123456789,-"):
        raise ValueError(f"len_raw_signal is {count}, and raw_signal has {stated} values")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it stops at what is not a number; the count shows it
        values: NDArray[np.int64] = np.fromstring(column, np.int64, sep=",")
    if len(values) != count or np.abs(values).max() > 2**15 or (values == 2**15).any():
        raise ValueError("raw_signal is not a list of int16 counts")
    return values.astype(np.int16)

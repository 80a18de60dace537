"""What can be told of a SLOW5 or BLOW5 file without pyslow5, which crashes on damaged ones: looking before opening.

Layout: the SLOW5 specification 1.0.0, https://hasindu2008.github.io/slow5specs. A BLOW5 is a header, records that each
begin with their size, and an end-of-file mark; a SLOW5 is the same as text, a line for a record.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import BinaryIO

import pyarrow as pa

from poreconv.reads.readers._fields import HARMLESS_BYTES

BINARY, TEXT = b"BLOW5\x01", b"#slow5_version\t"
"""First bytes of a file."""

END = b"5WOLB"
"""Last bytes of a BLOW5; a file without them was cut off, or is still being written."""

HEADER = struct.Struct("<6s3BBIB49xI")
"""Magic, version, record compression, number of read groups, signal compression, length of the header's text."""

MAX_HEADER = 1 << 28
"""Bytes; a header is a few thousand per run."""

SIZE, ID_LENGTH, COUNT = struct.Struct("<Q"), struct.Struct("<H"), struct.Struct("<Q")

MAX_ID = 254
"""Longest id that a table can hold; pyslow5 hangs on one of more than 65,535 characters."""

SIGNAL_PACKED_SINCE = (0, 2, 0)

STREAM_VBYTE, EX_ZD = 1, 2
"""How signals are packed."""
SHORT = struct.Struct("<I")

PRIMARY = 36
"""Bytes of the read group and the four numbers between a record's id and its signal."""

HEAD = 512
"""Bytes that hold a record's beginning, up to its signal."""

TYPE_BYTES = {"char": 1, "float": 4, "double": 8} | {
    f"{sign}int{8 * size}_t": size for sign in ("", "u") for size in (1, 2, 4, 8)
}
"""Bytes of one value of an auxiliary field, by its type; an enum has 1."""


class Packing(IntEnum):
    """How records are compressed; only zlib notices every damage."""

    NONE = 0
    ZLIB = 1
    ZSTD = 2


@dataclass(frozen=True)
class Layout:
    """Where the records of a file are, and how they are written."""

    binary: bool
    first: int
    """Offset of the first record."""
    end: int
    """Offset after the last one."""
    version: tuple[int, int, int]
    packing: Packing = Packing.NONE
    signal_packing: int = 0
    """0: not at all; 1: differences as StreamVByte; 2: as ex-zd."""
    aux_types: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """What the file's name should end with."""
        return ".blow5" if self.binary else ".slow5"

    @property
    def compressed(self) -> bool:
        """Whether a record must be decompressed for its id."""
        return self.packing is not Packing.NONE

    @property
    def fragile(self) -> bool:
        """Whether damage inside a record can go unnoticed until it crashes pyslow5, as in ex-zd without zlib's sum."""
        return self.signal_packing == EX_ZD and self.packing is not Packing.ZLIB


@dataclass(frozen=True, slots=True)
class Frame:
    """One record."""

    offset: int
    size: int
    """With the size field, or the line break."""
    read_id: str
    """Empty where it can't be read, or not without decompressing; see `id_in`."""
    fault: str = ""
    """Why pyslow5 must not see it."""


def layout_of(stream: BinaryIO) -> Layout:
    """Read the header.

    Raises:
        ValueError: It is damaged, or the file is cut off.
    """
    size = os.fstat(stream.fileno()).st_size
    return _layout_of_binary(stream, size) if stream.read(len(BINARY)) == BINARY else _layout_of_text(stream, size)


def _layout_of_binary(stream: BinaryIO, size: int) -> Layout:
    stream.seek(0)
    head = stream.read(HEADER.size)
    if len(head) < HEADER.size:
        raise ValueError("it ends within the header")
    _, *version, packing, _, signal_packing, n_text = HEADER.unpack(head)
    first = HEADER.size + n_text
    if n_text > MAX_HEADER or first + len(END) > size:
        raise ValueError(f"a header of {n_text} bytes in a file of {size}")
    lines = stream.read(n_text).split(b"\n")
    stream.seek(size - len(END))
    if stream.read() != END:
        raise ValueError("no end-of-file mark: it was cut off, or is still being written")
    if packing not in set(Packing) or len(lines) < 3 or not lines[-3].startswith(b"#char*") or lines[-1]:
        raise ValueError("its header is damaged")
    types = tuple(lines[-3].decode(errors="replace").split("\t")[8:])
    if tuple(version) < SIGNAL_PACKED_SINCE:
        signal_packing = 0
    return Layout(True, first, size - len(END), tuple(version), Packing(packing), signal_packing, types)


def _layout_of_text(stream: BinaryIO, size: int) -> Layout:
    stream.seek(max(0, size - 1))
    if stream.read() != b"\n":
        raise ValueError("its last line is not complete: it was cut off, or is still being written")
    stream.seek(0)
    try:
        version = tuple(map(int, stream.readline(HEAD).split(b"\t")[1].split(b".")))
    except ValueError as exc:
        raise ValueError("its first line names no version") from exc
    while line := stream.readline(MAX_HEADER):
        if line.startswith(b"#read_id"):
            major, minor, patch = version
            return Layout(False, stream.tell(), size, (major, minor, patch))
        if line[:1] not in {b"#", b"@"}:
            break
    raise ValueError("its header is damaged")


def frames_of(stream: BinaryIO, layout: Layout) -> Iterator[Frame]:
    """Find the records.

    Raises:
        ValueError: The sizes that they claim don't add up.
    """
    return _frames_of_binary(stream, layout) if layout.binary else _frames_of_text(stream, layout)


def _frames_of_text(stream: BinaryIO, layout: Layout) -> Iterator[Frame]:
    stream.seek(layout.first)
    offset = layout.first
    for line in stream:
        read_id = line[: max(0, line.find(b"\t"))].decode("ascii", errors="replace")
        fault = "" if 0 < len(read_id) <= MAX_ID else "a line without a read id"
        yield Frame(offset, len(line), read_id[:MAX_ID], fault)
        offset += len(line)


def _frames_of_binary(stream: BinaryIO, layout: Layout) -> Iterator[Frame]:
    file, offset = stream.fileno(), layout.first
    while offset < layout.end:
        left = layout.end - offset
        size = SIZE.size + (SIZE.unpack(os.pread(file, SIZE.size, offset))[0] if left > SIZE.size else left)
        if size > left:
            raise ValueError(f"the record at byte {offset} claims {size} bytes, {left} are left")
        if layout.packing is Packing.NONE:
            yield _frame_of_plain(file, layout, offset, size)
        else:
            yield Frame(offset, size, "")
        offset += size


def _frame_of_plain(file: int, layout: Layout, offset: int, size: int) -> Frame:
    """Without compression nothing notices a wrong length but this."""
    try:
        read_id, at = _id_and_end_of_signal(os.pread(file, min(HEAD, size - SIZE.size), offset + SIZE.size), layout)
        _check_aux(_tail(file, offset, size, SIZE.size + at), layout.aux_types)
    except (KeyError, ValueError, struct.error) as exc:
        return Frame(offset, size, "", str(exc))
    return Frame(offset, size, read_id)


def _id_and_end_of_signal(head: bytes, layout: Layout) -> tuple[str, int]:
    """The id of an uncompressed record, and where its auxiliary fields begin."""
    n_id = ID_LENGTH.unpack_from(head)[0]
    signal = ID_LENGTH.size + n_id + PRIMARY
    count = COUNT.unpack_from(head, signal)[0]
    signal += COUNT.size
    if layout.signal_packing == STREAM_VBYTE:
        n_samples = SHORT.unpack_from(head, signal)[0]
        if SHORT.size + n_samples + -(-n_samples // 4) > count:  # two bits and a byte or more of each sample
            raise ValueError(f"{n_samples} samples in {count} bytes")
    read_id = head[ID_LENGTH.size : ID_LENGTH.size + n_id].decode("ascii", errors="replace")
    if "\0" in read_id:
        raise ValueError("its read id is damaged")
    return read_id, signal + (count if layout.signal_packing else 2 * count)


def _tail(file: int, offset: int, size: int, start: int) -> bytes:
    """A record from byte ``start`` on, without reading more than a whole one may have."""
    if not 0 <= size - start <= HARMLESS_BYTES:
        raise ValueError("its signal is longer than the record")
    return os.pread(file, size - start, offset + start)


def _check_aux(tail: bytes, types: tuple[str, ...]) -> None:
    at = 0
    for kind in types:
        n_values = 1
        if kind.endswith("*"):
            n_values, at = COUNT.unpack_from(tail, at)[0], at + COUNT.size
        at += n_values * (1 if kind.startswith("enum{") else TYPE_BYTES[kind.rstrip("*")])
    if at != len(tail):
        raise ValueError("its lengths don't add up")


def id_in(file: int, offset: int, size: int, packing: Packing) -> str:
    """Decompress a record as far as its id.

    Args:
        file: Descriptor of the open file.
        offset: Where the record begins.
        size: Its bytes, with the size field.
        packing: How it is compressed.

    Raises:
        ValueError: It cannot be decompressed.
    """
    wanted, offset = size - SIZE.size, offset + SIZE.size
    if packing is Packing.ZLIB:
        try:
            head = zlib.decompressobj().decompress(os.pread(file, min(HEAD, wanted), offset), HEAD)
        except zlib.error as exc:
            raise ValueError(str(exc)) from exc
    else:
        head = _head_of_zstd(os.pread(file, wanted, offset))
    n_id = ID_LENGTH.unpack_from(head)[0] if len(head) > ID_LENGTH.size else 0
    return head[ID_LENGTH.size : ID_LENGTH.size + n_id].decode("ascii", errors="replace")


def _head_of_zstd(packed: bytes) -> bytes:
    try:
        head: bytes = pa.CompressedInputStream(pa.BufferReader(packed), "zstd").read(HEAD)
    except (OSError, pa.ArrowException) as exc:
        raise ValueError(str(exc)) from exc
    return head

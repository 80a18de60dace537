"""The layout of a SLOW5 or BLOW5 file, checked before pyslow5 opens it: pyslow5 crashes on damaged files.

Layout: the SLOW5 specification 1.0.0, https://hasindu2008.github.io/slow5specs. A BLOW5 is a header, records that each
begin with their size, and an end-of-file mark; a SLOW5 is the same as text, one line per record.
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
"""Last bytes of a BLOW5; a file without them was truncated, or is still being written."""

HEADER = struct.Struct("<6s3BBIB49xI")
"""Magic, version, record compression, number of read groups, signal compression, length of the header's text."""

MAX_HEADER = 1 << 28
"""Largest size of a header's text that is accepted, bytes; real headers have a few thousand per sequencing run."""

SIZE, ID_LENGTH, COUNT = struct.Struct("<Q"), struct.Struct("<H"), struct.Struct("<Q")

MAX_ID = 254
"""Longest id that SAM can hold; pyslow5 hangs on one of more than 65,535 characters."""

SIGNAL_PACKED_SINCE = (0, 2, 0)
"""First version whose header states how signals are packed."""

STREAM_VBYTE, EX_ZD = 1, 2
"""Packings of a signal."""
SHORT = struct.Struct("<I")
"""Number of samples, at the beginning of a signal that is packed as StreamVByte."""

PRIMARY = 36
"""Bytes of the read group and the four numbers between a record's id and its signal."""

HEAD = 512
"""Bytes that contain a record's beginning, up to its signal."""

TYPE_BYTES = {"char": 1, "float": 4, "double": 8} | {
    f"{sign}int{8 * size}_t": size for sign in ("", "u") for size in (1, 2, 4, 8)
}
"""Bytes of one value of an auxiliary field, by its type; an enum has 1."""


class Packing(IntEnum):
    """How records are compressed; only zlib detects every damage."""

    NONE = 0
    ZLIB = 1
    ZSTD = 2


@dataclass(frozen=True)
class Layout:
    """The place and the encoding of a file's records."""

    binary: bool
    first: int
    """Offset of the first record."""
    end: int
    """Offset after the last one."""
    version: tuple[int, int, int]
    packing: Packing = Packing.NONE
    signal_packing: int = 0
    """0: none; 1: differences as StreamVByte; 2: ex-zd."""
    aux_types: tuple[str, ...] = ()
    """Types of the auxiliary fields, in the order of the record."""

    @property
    def suffix(self) -> str:
        """The suffix from which pyslow5 takes the format."""
        return ".blow5" if self.binary else ".slow5"

    @property
    def compressed(self) -> bool:
        """Whether a record must be decompressed to read its id."""
        return self.packing is not Packing.NONE

    @property
    def fragile(self) -> bool:
        """Whether damage in a record can stay undetected until pyslow5 crashes: in ex-zd without zlib's checksum."""
        return self.signal_packing == EX_ZD and self.packing is not Packing.ZLIB


@dataclass(frozen=True, slots=True)
class Frame:
    """One record."""

    offset: int
    size: int
    """Bytes, including the size field or the line break."""
    read_id: str
    """Empty where it cannot be read, or only by decompressing; see `id_in`."""
    fault: str = ""
    """Why pyslow5 must not read it; empty if it may."""


def layout_of(stream: BinaryIO) -> Layout:
    """Read the header of a file.

    Args:
        stream: The open file, at its beginning.

    Raises:
        ValueError: The header is damaged, or the file is truncated.
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
        raise ValueError("no end-of-file mark: it was truncated, or is still being written")
    if packing not in set(Packing) or len(lines) < 3 or not lines[-3].startswith(b"#char*") or lines[-1]:
        raise ValueError("its header is damaged")
    types = tuple(lines[-3].decode(errors="replace").split("\t")[8:])
    if tuple(version) < SIGNAL_PACKED_SINCE:
        signal_packing = 0
    return Layout(True, first, size - len(END), tuple(version), Packing(packing), signal_packing, types)


def _layout_of_text(stream: BinaryIO, size: int) -> Layout:
    stream.seek(max(0, size - 1))
    if stream.read() != b"\n":
        raise ValueError("its last line is not complete: it was truncated, or is still being written")
    stream.seek(0)
    try:
        version = tuple(map(int, stream.readline(HEAD).split(b"\t")[1].split(b".")))
    except ValueError as exc:
        raise ValueError("its first line contains no version") from exc
    while line := stream.readline(MAX_HEADER):
        if line.startswith(b"#read_id"):
            major, minor, patch = version
            return Layout(False, stream.tell(), size, (major, minor, patch))
        if line[:1] not in {b"#", b"@"}:
            break
    raise ValueError("its header is damaged")


def frames_of(stream: BinaryIO, layout: Layout) -> Iterator[Frame]:
    """Yield the place of each record.

    Args:
        stream: The open file.
        layout: Its layout, from `layout_of`.

    Raises:
        ValueError: The sizes stated in the records do not add up to the file's.
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
            raise ValueError(f"the record at byte {offset} states {size} bytes, {left} are left")
        if layout.packing is Packing.NONE:
            yield _frame_of_plain(file, layout, offset, size)
        else:
            yield Frame(offset, size, "")
        offset += size


def _frame_of_plain(file: int, layout: Layout, offset: int, size: int) -> Frame:
    """Check the lengths in an uncompressed record; nothing else would detect a wrong one."""
    try:
        read_id, at = _id_and_end_of_signal(os.pread(file, min(HEAD, size - SIZE.size), offset + SIZE.size), layout)
        _check_aux(_tail(file, offset, size, SIZE.size + at), layout.aux_types)
    except (KeyError, ValueError, struct.error) as exc:
        return Frame(offset, size, "", str(exc))
    return Frame(offset, size, read_id)


def _id_and_end_of_signal(head: bytes, layout: Layout) -> tuple[str, int]:
    """Return the id of an uncompressed record, and the byte at which its auxiliary fields begin."""
    n_id = ID_LENGTH.unpack_from(head)[0]
    signal = ID_LENGTH.size + n_id + PRIMARY
    count = COUNT.unpack_from(head, signal)[0]
    signal += COUNT.size
    if layout.signal_packing == STREAM_VBYTE:
        n_samples = SHORT.unpack_from(head, signal)[0]
        if SHORT.size + n_samples + -(-n_samples // 4) > count:  # 2 bits and at least 1 byte per sample
            raise ValueError(f"{n_samples} samples in {count} bytes")
    read_id = head[ID_LENGTH.size : ID_LENGTH.size + n_id].decode("ascii", errors="replace")
    if "\0" in read_id:
        raise ValueError("its read id is damaged")
    return read_id, signal + (count if layout.signal_packing else 2 * count)


def _tail(file: int, offset: int, size: int, start: int) -> bytes:
    """Read a record from byte ``start`` on, if that is no more than a record can have."""
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
        raise ValueError("its lengths do not add up")


def id_in(file: int, offset: int, size: int, packing: Packing) -> str:
    """Decompress the beginning of a record and return its id.

    Args:
        file: Descriptor of the open file.
        offset: First byte of the record.
        size: Bytes of the record, including the size field.
        packing: How the record is compressed.

    Returns:
        The read id; empty if the record is too short for one.

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

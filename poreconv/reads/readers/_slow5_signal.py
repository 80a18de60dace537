"""The packed signals of BLOW5, decoded by the SLOW5 library.

The library reads and writes as far as the numbers in a packed signal lead it, beyond its memory where they are wrong.
Therefore it is given only signals whose numbers have been checked here against their length.
"""

import ctypes
import struct

import numpy as np
import pyslow5
from numpy.typing import NDArray

from poreconv.reads.readers._slow5_layout import SignalPacking

SHORT, EX_HEAD = struct.Struct("<I"), struct.Struct("<BQBHI")
"""Number of values in StreamVByte. Of ex-zd: version, samples, shift, first value, number of exceptions."""

MAX_SHIFT = 5
"""Largest number of trailing zero bits that ex-zd removes."""

PADDING = bytes(16)
"""After a packed signal: the library decodes 16 bytes at a time."""

WORD, HIGH_BITS = np.dtype(np.uint64), np.uint64(0xAAAA_AAAA_AAAA_AAAA)
"""Keys of StreamVByte are counted eight at a time. A key has two bits for each of four values, the number of its bytes
over one: in all as many as there are bits set, and once more the high ones."""

_library = ctypes.CDLL(pyslow5.__file__)
_library.slow5_ptr_depress_solo.restype = ctypes.c_void_p
_library.slow5_ptr_depress_solo.argtypes = [
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.c_size_t,
    ctypes.POINTER(ctypes.c_size_t),
]
_library.slow5_decode_signal_press.argtypes = [ctypes.c_uint8]
_library.free.argtypes = [ctypes.c_void_p]
_library.slow5_set_log_level(0)  # our errors report what it would write to stderr


def unpacked(packed: bytes, packing: SignalPacking) -> NDArray[np.int16]:
    """Decode a packed signal.

    Args:
        packed: The whole packed signal.
        packing: How it is packed, not ``NONE``.

    Returns:
        Counts, shape ``(n_samples,)``.

    Raises:
        ValueError: Its numbers do not fit its length.
    """
    n_samples = (_samples_of_svb if packing is SignalPacking.SVB_ZD else _samples_of_ex)(packed)
    if n_samples == 0:
        return np.empty(0, np.int16)
    size = ctypes.c_size_t()
    method = _library.slow5_decode_signal_press(packing)
    address = _library.slow5_ptr_depress_solo(method, packed + PADDING, len(packed), ctypes.byref(size))
    try:
        if not address or size.value != 2 * n_samples:
            raise ValueError(f"its {n_samples} samples cannot be decoded")
        return np.frombuffer(ctypes.string_at(address, size.value), np.int16)
    finally:
        _library.free(address)


def _samples_of_svb(packed: bytes) -> int:
    n_samples: int = SHORT.unpack_from(packed)[0]
    _check_svb(n_samples, packed, SHORT.size, len(packed))
    return n_samples


def _samples_of_ex(packed: bytes) -> int:
    """Check the numbers of a signal packed as ex-zd; return how many samples it has."""
    version, n_samples, shift, _, n_large = EX_HEAD.unpack_from(packed)
    at, places = EX_HEAD.size, np.empty(0, np.int64)
    if n_large == 1:
        places = np.array(SHORT.unpack_from(packed, at), np.int64)
        at += 2 * SHORT.size
    elif n_large > 1:
        at, steps = _svb_block(n_large, packed, at)
        places = np.cumsum(steps + 1) - 1
        at, _ = _svb_block(n_large, packed, at)
    small = n_samples - 1 - n_large
    if version != 0 or shift > MAX_SHIFT or small < 0 or at + small != len(packed):
        raise ValueError(f"{n_samples} samples in {len(packed)} bytes")
    if len(places) and places[-1] >= n_samples - 1:
        raise ValueError(f"a value at {places[-1]} of {n_samples} samples")
    return int(n_samples)


def _svb_block(n_values: int, packed: bytes, at: int) -> tuple[int, NDArray[np.int64]]:
    """Check a block of StreamVByte that begins with its size; return where it ends, and its values."""
    start = at + SHORT.size
    end = start + SHORT.unpack_from(packed, at)[0]
    keys = _check_svb(n_values, packed, start, end)
    sizes = (keys[:, None] >> np.array([0, 2, 4, 6], np.uint8) & 3).reshape(-1)[:n_values] + 1
    content = np.frombuffer(packed[start:end] + PADDING, np.uint8).astype(np.int64)
    first = len(keys) + np.cumsum(sizes, dtype=np.int64) - sizes
    return end, sum((sizes > byte) * content[first + byte] << 8 * byte for byte in range(4))


def _check_svb(n_values: int, packed: bytes, start: int, end: int) -> NDArray[np.uint8]:
    """Check that ``n_values`` fill ``packed[start:end]``, keys first; return the keys, their unused bits zero."""
    n_keys = -(-n_values // 4)
    if not start + n_keys + n_values <= end <= len(packed):
        raise ValueError(f"{n_values} samples in {end - start} bytes")
    keys = np.zeros(n_keys + -n_keys % WORD.itemsize, np.uint8)
    keys[:n_keys] = np.frombuffer(packed, np.uint8, n_keys, start)
    if unused := -n_values % 4:
        keys[n_keys - 1] &= 0xFF >> 2 * unused
    words = keys.view(WORD)
    more = int(np.bitwise_count(words).sum(dtype=np.int64) + np.bitwise_count(words & HIGH_BITS).sum(dtype=np.int64))
    if n_keys + n_values + more != end - start:
        raise ValueError(f"{n_values} samples do not fill {end - start} bytes")
    return keys[:n_keys]

"""The ``ss`` run string of f5c and squigulator: how a squiggle is cut into bases, in signal order.

A run string is a list of *runs*: ``n,`` is a base (or k-mer) matched by n samples, ``nI`` are n samples that belong to
no base, ``nD`` are n bases without a sample: ``8,3,1D11,4I7,`` is 8 samples, 3 samples, a skipped base, 11 samples, 4
extra samples, 7 samples.

Source: https://hasindu2008.github.io/f5c/docs/output, "resquiggle paf output format".
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import FormatError

MATCH, EXTRA, SKIPPED = b",ID"
"""Values of `Runs.kind`: samples of one base; samples of no base; bases without samples."""

MAX_DIGITS = 9
"""Digits that a number may have: a run of 10^9 samples would be a read of days."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """The runs of a decoded run string."""

    length: NDArray[np.int64]
    """Samples of each run, or bases if they are skipped; shape ``(n,)``."""
    kind: NDArray[np.uint8]
    """``MATCH``, ``EXTRA`` or ``SKIPPED``, shape ``(n,)``."""

    @property
    def n_samples(self) -> int:
        """Number of samples that the runs span."""
        return int(self.length[self.kind != SKIPPED].sum())


def decode(ss: str | bytes) -> Runs:
    """Parse a run string; the inverse of `encode`.

    Args:
        ss: The run string, as text or ASCII bytes.

    Raises:
        FormatError: It doesn't follow the grammar, or has a number that is too large for any read.
    """
    code = np.frombuffer(ss.encode("ascii", "replace") if isinstance(ss, str) else ss, np.uint8)
    last = np.flatnonzero((code < ord("0")) | (code > ord("9")))
    digits = np.diff(last, prepend=-1) - 1
    kind = code[last]
    if len(code) and (not len(last) or last[-1] != len(code) - 1 or not np.isin(kind, (MATCH, EXTRA, SKIPPED)).all()):
        raise FormatError(f"ss string: expected runs 'n,', 'nI' and 'nD', found {_clip(ss)}; make the file again")
    if len(last) and (digits.min() < 1 or digits.max() > MAX_DIGITS):
        raise FormatError(
            f"ss string: a number of no digits or over {MAX_DIGITS} digits in {_clip(ss)}; make the file again"
        )
    return Runs(_numbers(code, last, digits), kind)


def _numbers(code: NDArray[np.uint8], last: NDArray[np.int64], digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number before each letter, in one vectorised step per decimal place."""
    value = np.zeros(len(last), np.int64)
    for place in range(int(digits.max(initial=0))):
        runs = np.flatnonzero(digits > place)
        value[runs] += (code[last[runs] - 1 - place].astype(np.int64) - ord("0")) * 10**place
    return value


def _clip(ss: str | bytes) -> str:
    return repr(ss if len(ss) <= 40 else ss[:40]) + (f"... of {len(ss)} characters" if len(ss) > 40 else "")


def encode(runs: Runs) -> str:
    """Format runs as a run string; the inverse of `decode`.

    Args:
        runs: What `decode` returns.
    """
    letters = runs.kind.tobytes().decode("ascii")
    return "".join([f"{length}{letter}" for length, letter in zip(runs.length.tolist(), letters, strict=True)])


def places(runs: Runs, first_sample: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Locate the matches on the signal; a match of no samples has no place, and is left out.

    Args:
        runs: What `decode` returns.
        first_sample: Sample at which the first run starts (PAF column 3).

    Returns:
        ``start, end`` of the matches, half-open, shape ``(n_matches,)`` each.
    """
    samples = np.where(runs.kind == SKIPPED, 0, runs.length)
    end = first_sample + np.cumsum(samples)
    match = (runs.kind == MATCH) & (samples > 0)
    return (end - samples)[match], end[match]


def base_numbers(runs: Runs) -> NDArray[np.int64]:
    """Number the bases of the matches that `places` returns, from 0 for the first run's base; skipped bases count.

    Args:
        runs: What `decode` returns.

    Returns:
        Shape ``(n_matches,)``, ascending.
    """
    bases = np.where(runs.kind == MATCH, 1, np.where(runs.kind == SKIPPED, runs.length, 0))
    match = (runs.kind == MATCH) & (runs.length > 0)
    number: NDArray[np.int64] = np.cumsum(bases)[match] - 1
    return number


def n_bases(runs: Runs) -> int:
    """Count the bases that the runs span, skipped ones included.

    Args:
        runs: What `decode` returns.
    """
    return int(runs.length[runs.kind == SKIPPED].sum() + (runs.kind == MATCH).sum())


def runs_of(start: NDArray[np.int64], end: NDArray[np.int64]) -> Runs:
    """Convert places to runs, with gaps as extra samples; the inverse of `places` with ``first_sample = start[0]``.

    Args:
        start: First sample of each match, shape ``(n,)``, ascending.
        end: Sample after the last of each match, shape ``(n,)``; matches don't overlap.
    """
    gap = start - np.concatenate([start[:1], end[:-1]])
    length = np.column_stack([gap, end - start]).ravel()
    kind = np.tile(np.array([EXTRA, MATCH], np.uint8), len(start))
    not_empty = length > 0
    return Runs(length[not_empty], kind[not_empty])

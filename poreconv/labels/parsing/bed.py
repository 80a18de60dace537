"""Read BED files of sites on a reference, each of which has a class."""

from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import FormatError
from poreconv.events.tasks.classes import MOST_CLASSES
from poreconv.labels.parsing.streams import open_plain
from poreconv.labels.parsing.tables import BED_HEAD

if TYPE_CHECKING:  # an array is not subscriptable at run time
    Found = dict[tuple[str, bool], tuple[array[int], array[int]]]
    """Positions and codes by reference sequence and strand, in file order."""

COLUMNS = ("reference", "start", "end", "name", "score", "strand")
"""The first columns of BED, all of which are needed."""

STRANDS = {b"+": (False,), b"-": (True,), b".": (False, True)}
"""Strand column -> for each strand of the site, whether its reads are aligned to the reverse strand."""

LONGEST = 10_000
"""Bases of the longest interval accepted: a row that spans a whole chromosome would fill the memory."""


class Strand(NamedTuple):
    """Sites of one strand of one reference sequence."""

    position: NDArray[np.int32]
    """0-based, ascending, each once, shape ``(n,)``."""
    code: NDArray[np.int16]
    """Index into `Sites.names`, shape ``(n,)``."""


class Sites:
    """The sites of one or several BED files together, in 6 bytes of memory each.

    Args:
        files: BED files with at least 6 columns, plain or gzip. Each base of an interval is a site; its class is the
            interval's name.

    Raises:
        FormatError: A file is not such a BED, or a site has two classes.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._code: dict[str, int] = {}
        found: Found = {}
        for path in files:
            with open_plain(path) as stream:
                for number, line in enumerate(stream, start=1):
                    if not BED_HEAD.match(line):
                        self._add(line, found, f"{path}: line {number}")
        where = ", ".join(map(str, files))
        self._strands = {key: self._sorted(*found.pop(key), f"{where}: {key[0]}") for key in list(found)}

    def _add(self, line: bytes, found: "Found", where: str) -> None:
        columns = line.rstrip(b"\r\n").split(b"\t", len(COLUMNS))
        try:
            reference, name = columns[0].decode(), columns[3].decode()
            start, end, strands = int(columns[1]), int(columns[2]), STRANDS[columns[5]]
        except (IndexError, KeyError, ValueError) as exc:
            raise FormatError(
                f"{where}: expected tab-separated {', '.join(COLUMNS)} (+, - or .); correct the row"
            ) from exc
        if name in ("", ".") or not 0 <= start < end <= start + LONGEST or end > np.iinfo(np.int32).max:
            raise FormatError(
                f"{where}: [{start}, {end}) named {name!r}; an interval needs the name of its class and 1 to {LONGEST} "
                "bases"
            )
        code = self._code.setdefault(name, len(self._code))
        if code >= MOST_CLASSES:
            raise FormatError(f"{where}: over {MOST_CLASSES} names; name each site after its class, not individually")
        for reverse in strands:
            position, codes = found.setdefault((reference, reverse), (array("i"), array("h")))
            position.extend(range(start, end))
            codes.extend([code] * (end - start))

    def _sorted(self, positions: "array[int]", codes: "array[int]", where: str) -> Strand:
        position, code = np.frombuffer(positions, np.int32), np.frombuffer(codes, np.int16)
        order = np.argsort(position, kind="stable")
        position, code = position[order], code[order]
        repeated = np.diff(position) == 0
        differs = np.flatnonzero(repeated & (np.diff(code) != 0))
        if len(differs):
            name, other = (self.names[code[at]] for at in (differs[0], differs[0] + 1))
            raise FormatError(
                f"{where}: site {position[differs[0]]} is {name!r} and {other!r} for the same reads; keep one of them, "
                "or give each BED before its own BAM"
            )
        first = np.append(True, ~repeated)
        return Strand(position[first], code[first])

    @property
    def names(self) -> list[str]:
        """Class names, in the order of their first site."""
        return list(self._code)

    def between(self, reference: str, start: int, end: int, *, reverse: bool) -> Strand:
        """Return the sites in an interval of the reference.

        Args:
            reference: Name of the reference sequence.
            start: First place of the interval, 0-based.
            end: Place after its last.
            reverse: Whether to return the sites of reads aligned to the reverse strand, or else the forward strand.
        """
        found = self._strands.get((reference, reverse))
        if found is None:
            return Strand(np.zeros(0, np.int32), np.zeros(0, np.int16))
        first, last = np.searchsorted(found.position, [start, end])
        return Strand(found.position[first:last], found.code[first:last])

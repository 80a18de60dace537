"""Where fast5 files keep what other programs found out about a read."""

import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
from numpy.typing import NDArray
from ont_fast5_api.multi_fast5 import MultiFast5File

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.reads.read import Read

OPEN_FILES = 4
"""Files kept open: reads come file by file, a few at a time where files are merged."""


class Fast5Groups:
    """The HDF5 group of each read in its own file; the files used last stay open."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, MultiFast5File | None] = OrderedDict()

    def of(self, read: Read) -> h5py.Group | None:
        """Find the group that holds a read's ``Analyses``: its own in a multi-read file, else the root.

        Returns:
            None if the read does not come from a fast5 file.

        Raises:
            OSError: The file is HDF5 and can't be opened.
        """
        file = None if read.source is None else self._file(read.source)
        if file is None:
            return None
        own: h5py.Group | None = file.handle.get(f"read_{read.read_id}")
        return file.handle if own is None and "UniqueGlobalKey" in file.handle else own

    def _file(self, path: Path) -> MultiFast5File | None:
        """Open or reuse. Single files too: `get_fast5_file` would open each of them three times."""
        if path not in self._open:
            while len(self._open) >= OPEN_FILES:
                _close(self._open.popitem(last=False)[1])
            self._open[path] = MultiFast5File(str(path)) if h5py.is_hdf5(path) else None
        self._open.move_to_end(path)
        return self._open[path]

    def close(self) -> None:
        """Close every file."""
        while self._open:
            _close(self._open.popitem()[1])


class InFast5:
    """What the label sources share whose labels stand in the reads' own fast5 files."""

    in_file = True

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Take the arguments of every source; these need no files."""
        self.notes: Counter[str] = Counter()
        self._config = config
        self._groups = Fast5Groups()

    def close(self) -> None:
        """Close the fast5 files."""
        self._groups.close()


def _close(file: MultiFast5File | None) -> None:
    if file is not None:
        file.close()


def analyses(group: h5py.Group | None, name: str) -> list[h5py.Group]:
    """List a read's analyses called ``<name>_<number>``, the newest (highest number) first."""
    found = group.get("Analyses") if group is not None else None
    if not isinstance(found, h5py.Group):
        return []
    numbered = [(int(match[1]), key) for key in found if (match := re.fullmatch(rf"{name}_(\d+)", key))]
    groups = [found.get(key) for _, key in sorted(numbered, reverse=True)]
    return [one for one in groups if isinstance(one, h5py.Group)]


def rows_of(read: Read, table: h5py.Dataset) -> NDArray[Any]:
    """Read a table of at most one row per sample, shape ``(n_rows,)``; its size is checked before it is believed.

    Raises:
        LabelError: It has more rows than the read has samples (``label_outside_signal``).
    """
    if table.shape[0] > len(read.adc):
        raise LabelError(
            f"{read.where}: {table.name} has {table.shape[0]} rows for {len(read.adc)} samples; label the file again",
            reason="label_outside_signal",
        )
    rows: NDArray[Any] = table[()]
    return rows


def text(value: object) -> str:
    """Read an attribute or scalar as text; writers differ in whether it is bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@contextmanager
def unreadable_dropped(read: Read) -> Iterator[None]:
    """Drop the read (``label_unreadable``) whose labels the file holds in part, in another form, or corrupt.

    h5py says so with any of these errors.
    """
    try:
        yield
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as exc:
        raise LabelError(
            f"{read.where}: its labels can't be read ({exc}); label the file again", reason="label_unreadable"
        ) from exc

"""Read the results that other programs stored about a read in its fast5 file."""

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
from poreconv.runtime.hdf5 import file_number, is_stored_in, open_hdf5
from poreconv.runtime.hdf5_heaps import check_heaps

OPEN_FILES = 4
"""Files kept open: reads come one file at a time, or from a few files at once where streams are merged."""


class Fast5Groups:
    """The HDF5 group of each read in its own file; the files used most recently stay open."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, MultiFast5File | None] = OrderedDict()

    def of(self, read: Read) -> h5py.Group | None:
        """Find the group that contains the ``Analyses`` of a read: its own in a multi-read file, else the root.

        Args:
            read: The read; its ``source`` is the file.

        Returns:
            The group; None if the read does not come from a fast5 file.

        Raises:
            OSError: The file is HDF5 but can't be opened.
        """
        file = None if read.source is None else self._file(read.source)
        if file is None:
            return None
        own: h5py.Group | None = file.handle.get(f"read_{read.read_id}")
        return file.handle if own is None and "UniqueGlobalKey" in file.handle else own

    def _file(self, path: Path) -> MultiFast5File | None:
        """Open or reuse a file; single-read files too, as `get_fast5_file` would open each of them three times."""
        if path not in self._open:
            while len(self._open) >= OPEN_FILES:
                _close(self._open.popitem(last=False)[1])
            self._open[path] = file = open_hdf5(MultiFast5File, path) if h5py.is_hdf5(path) else None
            if file is not None:
                check_heaps(file.handle.id)
        self._open.move_to_end(path)
        return self._open[path]

    def close(self) -> None:
        """Close every file."""
        while self._open:
            _close(self._open.popitem()[1])


class InFast5:
    """Base class of the label sources whose labels are stored in the reads' own fast5 files.

    Args:
        files: Not used: the labels are in the reads' own files.
        config: Settings of the sources.
    """

    in_file = True

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
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
    """List the analyses of a read that are called ``<name>_<number>``, the newest (highest number) first.

    Args:
        group: The read's group; None: there are no analyses.
        name: Name without the number, such as ``Basecall_1D``.
    """
    found = group.get("Analyses") if group is not None else None
    if not isinstance(found, h5py.Group):
        return []
    numbered = [(int(match[1]), key) for key in found if (match := re.fullmatch(rf"{name}_(\d+)", key))]
    groups = [found.get(key) for _, key in sorted(numbered, reverse=True)]
    return [item for item in groups if isinstance(item, h5py.Group)]


def rows_of(read: Read, table: h5py.Dataset) -> NDArray[Any]:
    """Read a table of at most one row per sample; its size is checked before memory is allocated.

    Args:
        read: The read that the table is about.
        table: The table.

    Returns:
        The rows, shape ``(n_rows,)``.

    Raises:
        LabelError: The table has more rows than the read has samples (``label_outside_signal``), or lies in another
            file (``label_outside_file``).
    """
    if Path(table.file.filename) != read.source or not is_stored_in(table.id, file_number(table.file.id)):
        raise LabelError(
            f"{read.where}: {table.name} lies in another file, which is not read; label the file again",
            reason="label_outside_file",
        )
    if table.shape[0] > len(read.adc):
        raise LabelError(
            f"{read.where}: {table.name} has {table.shape[0]} rows for {len(read.adc)} samples; label the file again",
            reason="label_outside_signal",
        )
    rows: NDArray[Any] = table[()]
    return rows


def text(value: object) -> str:
    """Convert an attribute or scalar to text.

    Args:
        value: Text, or its UTF-8 bytes: which of them depends on the program that wrote the file.
    """
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@contextmanager
def unreadable_dropped(read: Read) -> Iterator[None]:
    """Drop a read whose labels can't be read because they are incomplete, in another format or corrupt.

    Args:
        read: The read whose labels are read in the ``with`` block.

    Raises:
        LabelError: Reading failed (``label_unreadable``).
    """
    try:
        yield
    except (OSError, KeyError, RuntimeError, TypeError, ValueError) as exc:  # h5py raises any of these
        raise LabelError(
            f"{read.where}: its labels can't be read ({exc}); label the file again", reason="label_unreadable"
        ) from exc

"""Labels from tables of one number per sample, such as ``poreconv label`` writes for a model of values."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from poreconv.config import SourceConfig
from poreconv.errors import FormatError, LabelError
from poreconv.events.events import Events
from poreconv.events.targets import value_events
from poreconv.reads.read import Read

Place = tuple[int, int, int]
"""Number of a file, of a row group in it, and of a row in that."""


class Values:
    """Parquet with the columns ``read_id`` and ``value``: a list of numbers per read, as long as its signal.

    A null, or NaN, is a number that is not known; samples of one number that follow each other are one event. Other
    columns are ignored; several files count as one table. Further rows of a read are counted as ``other_records``.
    Memory holds a read id and a place per row, and one row group.
    """

    in_file = False
    base_offset: int | None = None
    classes: tuple[str, ...] = ()

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Index the tables.

        Args:
            files: The tables.
            config: Not used.

        Raises:
            FormatError: A file is not such a table.
        """
        self.notes: Counter[str] = Counter()
        self._paths, self._tables = list(files), list[pq.ParquetFile]()
        self._places: dict[str, Place] = {}
        self._others: Counter[str] = Counter()
        self._group: tuple[tuple[int, int], Any] | None = None
        try:
            for number, path in enumerate(files):
                self._tables.append(_opened(path))
                self._index(number)
        except BaseException:
            self.close()
            raise

    def _index(self, number: int) -> None:
        table = self._tables[number]
        for group in range(table.num_row_groups):
            for row, read_id in enumerate(_column(self._paths[number], table, group, "read_id").to_pylist()):
                if self._places.setdefault(read_id, (number, group, row)) != (number, group, row):
                    self._others[read_id] += 1

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: Its row is found by its id.

        Raises:
            LabelError: The list is not as long as the signal (``label_outside_signal``).
        """
        place = self._places.get(read.read_id)
        if place is None:
            return None
        self.notes += Counter(other_records=self._others[read.read_id])  # keeps no zeros
        value = self._row(*place)
        if len(value) != len(read.adc):
            raise LabelError(
                f"{read.where}: {len(value):,} values for {len(read.adc):,} samples; give the values of this signal",
                reason="label_outside_signal",
            )
        return value_events(value)

    def _row(self, number: int, group: int, row: int) -> NDArray[np.float32]:
        if self._group is None or self._group[0] != (number, group):
            lists = _column(self._paths[number], self._tables[number], group, "value")
            self._group = ((number, group), lists)
        values = self._group[1][row].values
        empty = pa.array([], pa.float32())
        array: NDArray[np.float32] = (empty if values is None else values).to_numpy(zero_copy_only=False)
        return array

    def close(self) -> None:
        """Close the tables."""
        for table in self._tables:
            table.close()


def _opened(path: Path) -> pq.ParquetFile:
    """Open a table, and check its columns."""
    try:
        table = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowException, OSError) as exc:
        problem = str(exc).split("\n", 1)[0]
        raise FormatError(
            f"{path}: not a Parquet table ({problem}); give columns read_id and value as Parquet"
        ) from exc
    types = {field.name: field.type for field in table.schema_arrow}
    kind = types.get("value")
    of_numbers = kind is not None and _is_list(kind) and _is_number(kind.value_type)
    if "read_id" not in types or not of_numbers:
        table.close()
        raise FormatError(
            f"{path}: its columns are {', '.join(types) or 'none'}; needed are read_id, and value with a list of"
            " numbers per read"
        )
    return table


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _column(path: Path, table: pq.ParquetFile, group: int, name: str) -> Any:
    """Read a column of one row group: text, or lists of float32."""
    kind = pa.string() if name == "read_id" else pa.list_(pa.float32())
    try:
        return table.read_row_group(group, [name], use_threads=False)[name].cast(kind).combine_chunks()
    except (pa.ArrowException, OSError) as exc:
        raise FormatError(f"{path}: column {name} cannot be read ({exc}); make or copy the file again") from exc

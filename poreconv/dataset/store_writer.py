"""Writes the files of a store."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from poreconv.dataset.index import INDEX
from poreconv.dataset.store import TARGET_FILES, StoreInfo
from poreconv.events.tasks.task import Task
from poreconv.runtime.records import to_json


class StoreWriter:
    """Writes the files of a store into an existing folder, read by read; a context manager.

    Args:
        folder: The folder; the caller renames it after `finish`.
        task: What the targets are of.
    """

    def __init__(self, folder: Path, task: Task) -> None:
        self._folder, self._task = folder, task
        self._signal = (folder / "signal.i16").open("wb")
        self._target = (folder / TARGET_FILES[np.dtype(task.dtype)]).open("wb")
        self._index = pq.ParquetWriter(folder / "reads.parquet", INDEX)
        self._rows: list[dict[str, Any]] = []
        self._offset = 0
        self._digest = hashlib.sha256()

    def append(self, row: dict[str, Any], adc: NDArray[np.int16], target: NDArray[Any]) -> None:
        """Add a read.

        Args:
            row: The columns of the index except ``offset``, ``length`` and the span of known targets.
            adc: Counts, shape ``(n_samples,)``.
            target: Same shape; see `Task.target`.
        """
        known = self._task.known(target)
        first, end = (int(known.argmax()), len(known) - int(known[::-1].argmax())) if known.any() else (0, 0)
        whole = row | {"offset": self._offset, "length": len(adc), "first_labelled": first, "end_labelled": end}
        for stream, data in ((self._signal, adc.tobytes()), (self._target, target.tobytes())):
            stream.write(data)
            self._digest.update(data)
        text = json.dumps(whole, sort_keys=True)  # of the standard library: its hash stands in recipes
        self._digest.update(text.encode())
        self._offset += len(adc)
        self._rows.append(whole)
        if len(self._rows) >= 4096:
            self._flush()

    def _flush(self) -> None:
        self._index.write_table(pa.Table.from_pylist(self._rows, INDEX))
        self._rows = []

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        for stream in (self._signal, self._target, self._index):
            stream.close()

    def finish(self, info: StoreInfo) -> None:
        """Write the remaining rows of the index, and the description.

        Args:
            info: The description; its content hash is filled in.
        """
        self._flush()
        described = replace(info, content_hash=self._digest.hexdigest())
        (self._folder / "dataset.json").write_text(to_json(described, indent=1), encoding="utf-8")

"""Tables that name the model of each read."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from poreconv.config import require
from poreconv.events.tabulation import TableKind
from poreconv.events.writers import Writer
from poreconv.events.writers.parquet import ParquetWriter
from poreconv.events.writers.tsv import TsvWriter
from poreconv.reads.read import Read

MODEL = pa.field("model", pa.string())
"""The column, after the others."""

OF_COLUMNS: dict[str, type[TsvWriter | ParquetWriter]] = {".tsv": TsvWriter, ".parquet": ParquetWriter}
"""Suffix -> writer of a table of any columns; the other formats hold events only."""


class FoundBy(NamedTuple):
    """What a model found in a read."""

    model: str
    """Its name."""
    result: Any
    """Such as events."""


def naming_models(kind: TableKind, out: Path) -> TableKind:
    """Return a table with one more column, the model's name; its results are `FoundBy`.

    Args:
        kind: The table without it.
        out: The table.

    Raises:
        ConfigError: Its format holds events only.
    """
    schema = kind.schema.append(MODEL)
    writer = partial(columns_writer, schema=schema, of="a table that names the model of each read")
    return replace(kind, schema=schema, rows=partial(_rows, kind), writer_for=writer)


def _rows(kind: TableKind, read: Read, found: FoundBy) -> pa.Table:
    rows = kind.rows(read, found.result)
    return rows.append_column(MODEL, pa.repeat(found.model, len(rows)))


def columns_writer(out: Path, schema: pa.Schema, of: str) -> Callable[[Path], Writer]:
    """Return the writer of a table of certain columns.

    Args:
        out: The table; its suffix names the format.
        schema: Its columns.
        of: What it is, for the message.

    Raises:
        ConfigError: Its format holds events only.
    """
    require(out.suffix in OF_COLUMNS, f"{out}: {of} is {' or '.join(OF_COLUMNS)}; choose one of these suffixes")
    return partial(OF_COLUMNS[out.suffix], schema=schema)

"""Tables of intervals, from text or Parquet."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from poreconv.errors import FormatError

NEEDED = ("read_id", "start", "end")
SCHEMA = pa.schema([("read_id", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("label", pa.string())])
"""What `read_tables` gives; ``label`` is null where a row has none."""


def read_tables(files: Sequence[Path]) -> pa.Table:
    """Read and join tables of intervals, in the form of `SCHEMA`.

    Raises:
        FormatError: A file is neither text nor Parquet, lacks a column, or has a cell that is empty or no integer.
    """
    return pa.concat_tables([_checked(path, _read(path)) for path in files])


def _read(path: Path) -> pa.Table:
    with path.open("rb") as stream:
        parquet = stream.read(4) == b"PAR1"
    try:
        return _read_parquet(path) if parquet else _read_text(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:
        problem = str(exc).split("\n", 1)[0]
        raise FormatError(f"{path}: no table of intervals ({problem}); start and end are whole samples") from exc


def _read_parquet(path: Path) -> pa.Table:
    names = _columns(path, pa.parquet.read_schema(path).names)
    return pa.parquet.ParquetFile(path).read(columns=names)


def _read_text(path: Path) -> pa.Table:
    """Read CSV or TSV, as its first line tells; .gz and the like are unpacked by their suffix."""
    delimiter, found = header_of(path)
    names = _columns(path, found)
    types = {name: SCHEMA.field(name).type for name in names}
    return pa.csv.read_csv(
        str(path),
        parse_options=pa.csv.ParseOptions(delimiter=delimiter),
        convert_options=pa.csv.ConvertOptions(include_columns=names, column_types=types),
    )


def header_of(path: Path) -> tuple[str, list[str]]:
    """Give the delimiter (tab, else comma) and the column names in the first line of a text table."""
    with pa.input_stream(str(path), compression="detect") as stream:
        line = stream.read(1 << 16).split(b"\n", 1)[0].decode("utf-8-sig").strip("\r")
    delimiter = "\t" if "\t" in line else ","
    return delimiter, [name.strip().strip('"') for name in line.split(delimiter)]


def _columns(path: Path, names: Sequence[str]) -> list[str]:
    """The columns to read, of those that there are."""
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise FormatError(
            f"{path}: no column {', '.join(missing)}; a table of intervals has read_id, start, end and, if classes are "
            "known, label"
        )
    return [name for name in SCHEMA.names if name in names]


def _checked(path: Path, table: pa.Table) -> pa.Table:
    for name in NEEDED:
        if table[name].null_count:
            raise FormatError(f"{path}: column {name}: {table[name].null_count} cells are empty; fill them")
    for name in ("start", "end"):
        if not pa.types.is_integer(table[name].type):
            raise FormatError(f"{path}: column {name}: {table[name].type}, not integers; give whole samples")
    if "label" not in table.column_names:
        table = table.append_column("label", pa.nulls(len(table), pa.string()))
    return table.select(SCHEMA.names).cast(SCHEMA)

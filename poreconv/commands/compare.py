"""Two tables of events in reference places -> where their levels differ, without a model."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rich.table import Table
from scipy.stats import ks_2samp

from poreconv import plot
from poreconv.config import CompareConfig, require
from poreconv.errors import ConfoundedWarning, FormatError
from poreconv.events.tabulation import check_apart, check_new
from poreconv.events.writers.reference import FORMATS, REFERENCE_EVENTS
from poreconv.runtime.files import PAGE, whole_file
from poreconv.runtime.outputs import writes_out
from poreconv.runtime.progress import Progress, progress_bar

COLUMNS = (
    "contig", "position", "strand", "reference_kmer", "read_name", "event_level_mean", "event_length", "run_id"
)  # fmt: skip
"""Columns of a table that are compared."""

DIFFERENCES = pa.schema(
    [
        ("contig", pa.string()),
        ("position", pa.int64()),
        ("strand", pa.string()),
        ("reference_kmer", pa.string()),
        ("n_a", pa.int64()),
        ("n_b", pa.int64()),
        ("mean_a", pa.float64()),
        ("mean_b", pa.float64()),
        ("difference", pa.float64()),
        ("sd_a", pa.float64()),
        ("sd_b", pa.float64()),
        ("dwell_a", pa.float64()),
        ("dwell_b", pa.float64()),
        ("ks", pa.float64()),
        ("p_value", pa.float64()),
        ("confounded", pa.bool_()),
    ]
)
"""One row per position, from 0. Of conditions a and b: reads; mean and SD of their levels, pA; their median dwell,
seconds. ``difference``: b minus a; ``ks``, ``p_value``: of the Kolmogorov-Smirnov test; ``confounded``: whether the
conditions have no sequencing run in common."""

AROUND = 30
"""Positions on each side of the strongest difference that are drawn, where no region is asked for."""

SHOWN = 10
"""Positions in the table for the terminal."""

Place = tuple[str, str, int]
"""Contig, strand, position."""


@dataclass(frozen=True)
class Comparison:
    """Where two conditions differ."""

    table: pa.Table
    """One row per position, columns as in `DIFFERENCES`; the smallest p-value first."""
    confounded: str
    """One line, if the two have no sequencing run in common; else empty."""


@dataclass(frozen=True, slots=True)
class _AtPlace:
    """What reads have at a position; arrays of shape ``(n_reads,)``."""

    level: NDArray[np.float64]
    """pA."""
    dwell: NDArray[np.float64]
    """Seconds."""
    kmer: str


@writes_out
def compare(
    first: Path | str,
    second: Path | str,
    *,
    out: Path | str | None = None,
    picture: Path | str | None = None,
    config: CompareConfig | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Compare the levels of two conditions, position by position.

    At each position a read counts once, with the mean level of its events there. The statistic is that of the
    Kolmogorov-Smirnov test of the two samples of levels; its p-value, by which the positions are sorted, is asymptotic,
    and not corrected for the number of positions. The levels of a read are first centred, see `CompareConfig`.

    Args:
        first: Table of the one condition, as `convert` writes it with ``coordinates="reference"``.
        second: Table of the other.
        out: The differences, ``.tsv`` or ``.parquet``; default: they are only returned.
        picture: A picture of a region: ``.png``, ``.svg``, ``.pdf``, or ``.html``, which works offline;
            replaced if it exists.
        config: Reads needed at a position, how levels are centred, and the region of the picture.
        overwrite: Replace ``out`` if it exists.

    Returns:
        The differences at the positions that enough reads of both cover.

    Raises:
        ConfigError: ``out`` exists, a suffix names no format, no position is covered by enough reads of both, or none
            in the region.
        FormatError: A table is not one of events in reference places.
    """
    paths, config = (Path(first), Path(second)), config or CompareConfig()
    out, picture = (None if path is None else Path(path) for path in (out, picture))
    _check_outputs(out, picture, paths, overwrite=overwrite)
    tables = [_read(path) for path in paths]
    confounded = _confounded(paths, tables)
    centre = _common_centre(tables) if config.levels == "centred" else None
    with progress_bar("compare") as progress:
        sides = [_by_place(table, centre) for table in tables]
        rows = list(_differences(sides[0], sides[1], config.min_reads, progress))
    require(
        len(rows) > 0,
        f"{paths[0]}, {paths[1]}: no position with {config.min_reads} reads of both; lower --min_reads, or check that"
        " both are aligned to the same reference",
    )
    found = pa.Table.from_pylist([row | {"confounded": bool(confounded)} for row in rows], DIFFERENCES)
    found = found.sort_by([("p_value", "ascending"), ("ks", "descending"), ("contig", "ascending")])
    comparison = Comparison(found, confounded)
    if confounded:
        warnings.warn(confounded, ConfoundedWarning, stacklevel=3)
    if picture is not None:
        _draw(comparison, picture, paths, config.region)
    if out is not None:
        _write(comparison, out)
    return comparison


def _check_outputs(out: Path | None, picture: Path | None, paths: tuple[Path, Path], *, overwrite: bool) -> None:
    if out is not None:
        require(out.suffix in FORMATS, f"{out}: no format has this suffix; end the name in {' or '.join(FORMATS)}")
        check_new(out, overwrite=overwrite)
        check_apart(out, paths)
    if picture is not None:
        from poreconv.plot.saving import STILL  # matplotlib is slow to import

        known = (*STILL, PAGE)
        require(picture.suffix in known, f"{picture}: no picture has this suffix; end the name in {', '.join(known)}")


def _read(path: Path) -> pa.Table:
    require(path.is_file(), f"{path}: no such file; give a table that poreconv convert wrote")
    try:
        if path.suffix == ".parquet":
            table = pq.read_table(path)
        else:
            types = {field.name: field.type for field in REFERENCE_EVENTS}
            table = pyarrow.csv.read_csv(
                path,
                parse_options=pyarrow.csv.ParseOptions(delimiter="\t"),
                convert_options=pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
            )
    except (pa.ArrowInvalid, OSError) as exc:
        raise FormatError(f"{path}: not a Parquet table, or tab-separated text ({exc}); give the whole file") from exc
    missing = [name for name in COLUMNS if name not in table.column_names]
    if missing:
        raise FormatError(
            f"{path}: no column {', '.join(missing)}; write it with poreconv convert --coordinates reference"
        )
    require(len(table) > 0, f"{path}: no events in it; check the alignments that it was made with")
    return table.select(COLUMNS)


def _confounded(paths: tuple[Path, Path], tables: list[pa.Table]) -> str:
    """Return, in one line, that conditions are confounded with runs; empty if they share one, or it is not known."""
    runs = [set(table["run_id"].unique().to_pylist()) - {""} for table in tables]
    if not all(runs) or runs[0] & runs[1]:
        return ""
    counts = [
        f"{path.name} is {len(each)} run{'s' if len(each) > 1 else ''}" for path, each in zip(paths, runs, strict=True)
    ]
    return (
        f"{', '.join(counts)}, none in common: condition and run are one (confounded), so a difference may be one"
        " between runs; sequence both conditions in one run, or each in several"
    )


def _read_medians(table: pa.Table) -> NDArray[np.float64]:
    """Return the median level of the read of each event."""
    read: NDArray[np.int32] = table["read_name"].combine_chunks().dictionary_encode().indices.to_numpy()
    level = table["event_level_mean"].to_numpy()
    order = np.argsort(read, kind="stable")
    edges = np.flatnonzero(np.diff(read[order])) + 1
    medians: NDArray[np.float64] = np.array([np.median(part) for part in np.split(level[order], edges)])
    return np.asarray(medians[read])  # the codes of the reads count from 0


def _common_centre(tables: list[pa.Table]) -> float:
    """Return the median level of all events, around which reads are centred."""
    return float(np.median(np.concatenate([table["event_level_mean"].to_numpy() for table in tables])))


def _by_place(table: pa.Table, centre: float | None) -> dict[Place, _AtPlace]:
    """Group the events by position, one level and dwell per read."""
    level = table["event_level_mean"].to_numpy()
    if centre is not None:
        level = level - _read_medians(table) + centre
    by = ["contig", "strand", "position"]
    columns = {name: table[name] for name in (*by, "read_name", "reference_kmer", "event_length")}
    grouped = pa.table(columns | {"level": level}).group_by([*by, "read_name"], use_threads=False)
    per_read = grouped.aggregate([("level", "mean"), ("event_length", "sum"), ("reference_kmer", "first")])
    per_read = per_read.sort_by([(name, "ascending") for name in (*by, "read_name")])
    codes = [per_read[name].combine_chunks().dictionary_encode().indices.to_numpy() for name in by]
    edges = np.flatnonzero(np.any([np.diff(code) != 0 for code in codes], axis=0)) + 1
    first = np.concatenate([[0], edges])
    places = per_read.select([*by, "reference_kmer_first"]).take(first).to_pylist()
    levels = np.split(per_read["level_mean"].to_numpy(), edges)
    dwells = np.split(per_read["event_length_sum"].to_numpy(), edges)
    return {
        (place["contig"], place["strand"], place["position"]): _AtPlace(level, dwell, place["reference_kmer_first"])
        for place, level, dwell in zip(places, levels, dwells, strict=True)
    }


def _differences(
    first: Mapping[Place, _AtPlace], second: Mapping[Place, _AtPlace], min_reads: int, progress: Progress
) -> Iterator[dict[str, Any]]:
    """Yield a row for each position that enough reads of both cover."""
    for done, (place, a) in enumerate(first.items(), start=1):
        b = second.get(place)
        if b is not None and min(len(a.level), len(b.level)) >= min_reads:
            yield _row(place, a, b)
        progress(done / len(first), f"{done:,} of {len(first):,} positions")


def _row(place: Place, a: _AtPlace, b: _AtPlace) -> dict[str, Any]:
    contig, strand, position = place
    test = ks_2samp(a.level, b.level, method="asymp")
    mean_a, mean_b = float(a.level.mean()), float(b.level.mean())
    return {
        "contig": contig,
        "position": position,
        "strand": strand,
        "reference_kmer": a.kmer,
        "n_a": len(a.level),
        "n_b": len(b.level),
        "mean_a": round(mean_a, 3),
        "mean_b": round(mean_b, 3),
        "difference": round(mean_b - mean_a, 3),
        "sd_a": round(float(a.level.std()), 3),
        "sd_b": round(float(b.level.std()), 3),
        "dwell_a": round(float(np.median(a.dwell)), 6),
        "dwell_b": round(float(np.median(b.dwell)), 6),
        "ks": round(float(test.statistic), 4),
        "p_value": float(test.pvalue),
    }


def _draw(comparison: Comparison, picture: Path, paths: tuple[Path, Path], region: str) -> None:
    contig, start, end = _region(region) if region else _around(comparison.table)
    columns = comparison.table.to_pydict()
    chosen = [
        number
        for number, (name, position) in enumerate(zip(columns["contig"], columns["position"], strict=True))
        if name == contig and start <= position < end
    ]
    require(bool(chosen), f"region {region}: no position that enough reads of both cover; choose another")
    rows = comparison.table.take(chosen).sort_by([("strand", "ascending"), ("position", "ascending")])
    names = (paths[0].stem, paths[1].stem)
    if picture.suffix == PAGE:
        plot.save_page(plot.interactive_comparison(rows, names, comparison.confounded), picture)
    else:
        plot.save(plot.comparison(rows, names, comparison.confounded), picture)


def _region(region: str) -> tuple[str, int, int]:
    """Return contig, first position and the position after the last."""
    contig, colon, places = region.rpartition(":")
    first, _, end = places.replace(",", "").partition("-")
    known = bool(colon) and first.isdecimal() and end.isdecimal() and int(first) < int(end)
    require(known, f"region {region!r}: give it as contig:from-to, positions from 0, such as chr1:1000-1100")
    return contig, int(first), int(end)


def _around(table: pa.Table) -> tuple[str, int, int]:
    strongest = table.slice(0, 1).to_pylist()[0]
    return strongest["contig"], strongest["position"] - AROUND, strongest["position"] + AROUND + 1


def _write(comparison: Comparison, out: Path) -> None:
    with whole_file(out) as partial:
        writer = FORMATS[out.suffix](partial, DIFFERENCES)
        writer.write(comparison.table)
        writer.close()


def render(comparison: Comparison) -> Table:
    """Return the table for the terminal: the positions with the smallest p-values.

    Args:
        comparison: What `compare` returned.
    """
    n = len(comparison.table)
    table = Table(title=f"strongest {min(SHOWN, n)} of {n:,} positions", caption=comparison.confounded or None)
    for name in ("contig", "position", "strand", "k-mer", "reads", "mean pA", "SD pA", "dwell ms", "KS", "p"):
        table.add_column(name, justify="left" if name in {"contig", "strand", "k-mer"} else "right")
    for row in comparison.table.slice(0, SHOWN).to_pylist():
        table.add_row(
            row["contig"],
            f"{row['position']:,}",
            row["strand"],
            row["reference_kmer"],
            f"{row['n_a']}, {row['n_b']}",
            f"{row['mean_a']:.1f}, {row['mean_b']:.1f}",
            f"{row['sd_a']:.1f}, {row['sd_b']:.1f}",
            f"{1000 * row['dwell_a']:.1f}, {1000 * row['dwell_b']:.1f}",
            f"{row['ks']:.2f}",
            f"{row['p_value']:.1e}",
        )
    return table

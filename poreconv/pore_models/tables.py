"""Read and write tables of k-mer levels in the formats of nanopolish, f5c, Oxford Nanopore and uncalled4."""

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import ConfigError, FormatError
from poreconv.pore_models.model import N_BASES, PoreModel, dominant_base
from poreconv.runtime.files import whole_file

MAX_K = 10
"""Longest k-mer accepted: its table has a million levels."""
MAX_BYTES = 256 << 20
"""Largest file, and largest array in a file, accepted: about two million lines."""
NORMALISED_SCALE = 2.0
"""An uncalled4 table whose ``_pa_stdv`` is below it has no pA scale: a pore's levels spread over ten pA or more."""


def _codes() -> NDArray[np.int64]:
    code = np.full(256, -1, np.int64)
    for index, letters in enumerate(("A", "C", "G", "TU")):
        code[np.frombuffer(letters.encode(), np.uint8)] = index
    return code


_CODE = _codes()


def read_pore_model(path: Path) -> PoreModel:
    """Read a table of k-mer levels; the format is recognised by the content, not the name.

    - nanopolish and f5c text: ``#`` lines, then columns ``kmer level_mean level_stdv ...``, with or without a header;
      with a header, the other columns in ``COLUMNS`` are read too;
    - ONT ``levels`` text: ``kmer`` and a normalised level, without SD;
    - uncalled4 ``.npz``: ``current.mean`` and ``current.stdv`` in units of ``_pa_stdv`` around ``_pa_mean``, which are
      about 1 and 0 where the table has no pA scale; and ``current_sd.mean``, ``current_sd.stdv`` (noise),
      ``dwell.mean``, ``dwell.stdv`` and ``count``, if present. Tables that we write may name their source and licence.

    K-mers with letters other than ACGTU, such as a methylated M, are skipped; every other k-mer must occur once.

    Args:
        path: The table, or the name of a shipped one; see `find_pore_model`.

    Raises:
        FormatError: The file is in none of these formats, or levels are missing, repeated or not finite.
    """
    path = find_pore_model(path)
    try:
        with path.open("rb") as stream:
            is_npz = stream.read(2) == b"PK"
    except OSError as exc:
        raise FormatError(f"{path}: cannot be read ({exc.strerror}); give a table of k-mer levels") from exc
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path}: over {MAX_BYTES >> 20} MiB, too large for a table of k-mer levels; give one")
    return _read_npz(path) if is_npz else _read_text(path)


SHIPPED = Path(__file__).parent
"""Tables in the package, made by `scripts/studies/estimate_pore_models.py` from reads, or from a published table, that
anybody may use; a published one has a card beside it."""


def find_pore_model(path: Path) -> Path:
    """Find a table by its path, or by the name of a shipped table, such as ``dna_r9.4.1``.

    Args:
        path: Path of a file, which takes precedence, or name of a shipped table.

    Returns:
        Path of the table.

    Raises:
        FormatError: There is neither such a file nor such a shipped table.
    """
    shipped = {table.stem: table for table in sorted(SHIPPED.glob("*.npz"))}
    if not path.exists() and str(path) not in shipped:
        raise FormatError(f"{path}: no such file, nor a shipped pore model ({', '.join(shipped)}); check the name")
    return path if path.exists() else shipped[str(path)]


def write_pore_model(path: Path, model: PoreModel) -> None:
    """Write a table that `read_pore_model` reads, in the format that the suffix names.

    Args:
        path: ``.model`` or ``.txt``: nanopolish text, with noise and dwell, if known, in further columns;
            ``.levels``: ONT's ``levels`` text; ``.npz``: the format of uncalled4.
        model: The pore model; ``levels`` text contains neither its SDs nor its unit.

    Raises:
        ConfigError: The suffix is another; or nanopolish text is asked for levels that are not in pA or have no SD.
    """
    check_table_name(path)
    if _WRITERS[path.suffix] is _write_nanopolish and (not model.in_pa or np.isnan(model.level_sd).any()):
        raise ConfigError(f"{path}: this format needs pA and SDs, which these levels lack; write .levels or .npz")
    with whole_file(path) as partial:
        _WRITERS[path.suffix](partial, model)


def check_table_name(path: Path) -> None:
    """Check that the suffix of a file names a format that `write_pore_model` writes.

    Args:
        path: The file to write.

    Raises:
        ConfigError: The suffix names no such format.
    """
    if path.suffix not in _WRITERS:
        raise ConfigError(f"{path}: unknown format; end the name in {', '.join(_WRITERS)}")


COLUMNS = {
    "level_mean": "level_mean",
    "level_stdv": "level_sd",
    "sd_mean": "noise_mean",
    "sd_stdv": "noise_sd",
    "dwell_mean": "dwell_mean",
    "dwell_shape": "dwell_shape",
    "count": "count",
}
"""Columns of nanopolish text -> fields of a `PoreModel`; the first four are named as by nanopolish and f5c."""


def _read_text(path: Path) -> PoreModel:
    header, rows = _rows(path)
    width = len(rows[0][1]) if rows else 0
    kmers: list[str] = []
    values: list[list[float]] = []
    for number, columns in rows:
        if len(columns) != width:
            raise FormatError(f"{path}: line {number}: {len(columns)} columns, not {width}; give a complete table")
        try:
            values.append([float(cell) for cell in columns[1:]] if header else [float(columns[1]), _second(columns)])
        except (IndexError, ValueError) as exc:
            raise FormatError(
                f"{path}: line {number}: not a k-mer and its level; give a nanopolish, f5c, 'levels' or uncalled4 table"
            ) from exc
        kmers.append(columns[0])
    names = [COLUMNS.get(name, name) for name in header[1:]] or ["level_mean", "level_sd"]
    if rows and (len(names) != len(values[0]) or names[0] != "level_mean"):
        raise FormatError(f"{path}: its header does not match its columns; give a nanopolish or f5c table")
    table = np.array(values, np.float64).reshape(len(values), len(names))
    columns_of = {name: table[:, at] for at, name in enumerate(names) if name in COLUMNS.values()}
    return _model(path, kmers, columns_of, in_pa=width > 2)


def _second(columns: list[str]) -> float:
    return float(columns[2]) if len(columns) > 2 else np.nan


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the header, or an empty list, and number and columns of each line except comments and empty lines."""
    header: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    try:
        with path.open(encoding="utf-8-sig") as lines:
            for number, line in enumerate(lines, start=1):
                columns = line.split()
                if columns and columns[0] == "kmer":
                    header = columns
                elif columns and not line.startswith("#"):
                    rows.append((number, columns))
    except UnicodeDecodeError as exc:
        raise FormatError(f"{path}: not text; give a nanopolish, f5c, 'levels' or uncalled4 table") from exc
    return header, rows


def _model(path: Path, kmers: Sequence[str], columns: dict[str, NDArray[np.float64]], *, in_pa: bool) -> PoreModel:
    """Build a `PoreModel` with its k-mers in order; ``columns`` are its fields, shape ``(n,)`` each, in file order."""
    k = len(kmers[0]) if kmers else 0
    if not 1 <= k <= MAX_K or any(len(kmer) != k for kmer in kmers):
        raise FormatError(f"{path}: k-mers are not all of one length of 1 to {MAX_K}; give a table of k-mer levels")
    letters = "".join(kmers).upper().encode("ascii", "replace")
    codes = _CODE[np.frombuffer(letters, np.uint8)].reshape(-1, k)
    canonical = (codes >= 0).all(axis=1)
    index = codes[canonical] @ N_BASES ** np.arange(k - 1, -1, -1)
    if len(np.unique(index)) != N_BASES**k or len(index) != N_BASES**k:
        raise FormatError(
            f"{path}: {len(index)} levels, {len(np.unique(index))} different k-mers; of k = {k} there are "
            f"{N_BASES**k}, each once; get the complete table"
        )
    order = np.argsort(index)
    ordered = {name: values[canonical][order] for name, values in columns.items()}
    mean = ordered.pop("level_mean")
    sd = ordered.pop("level_sd", np.full(len(mean), np.nan))
    others = all(np.isfinite(values).all() and values.min() >= 0 for values in ordered.values())
    if not (np.isfinite(mean).all() and others) or np.isinf(sd).any() or (sd < 0).any() or mean.std() == 0:
        raise FormatError(f"{path}: levels or SDs are not finite, negative or all the same; get the table again")
    optional: dict[str, Any] = ordered
    return PoreModel(k, mean, sd, dominant_base(mean, k), in_pa, **optional)


def _read_npz(path: Path) -> PoreModel:
    try:
        with zipfile.ZipFile(path) as archive:
            kmers, mean, sd, pa_mean, pa_sd = (_array(path, archive, name) for name in UNCALLED4)
            present = [name for name in UNCALLED4_MORE if f"{name}.npy" in archive.namelist()]
            more = {name: _array(path, archive, name) for name in present}
            rate = _array(path, archive, RATE) if f"{RATE}.npy" in archive.namelist() else None
            origin: dict[str, Any] = {field: _line(path, archive, name) for name, field in ORIGIN.items()}
            names = kmers.tolist()
    except BROKEN as exc:
        raise FormatError(f"{path}: broken npz ({' '.join(str(exc).split())}); copy it again") from exc
    sd = sd if sd.size else np.full(mean.shape, np.nan)
    more = {name: values for name, values in more.items() if values.size}
    if kmers.dtype.kind != "U" or any(
        array.dtype.kind not in "fiu" for array in (mean, sd, pa_mean, pa_sd, *more.values())
    ):
        raise FormatError(f"{path}: 'kmer' is not text or the levels are not numbers; give an uncalled4 table")
    equal_length = all(values.shape == (kmers.size,) for values in (kmers, mean, sd, *more.values()))
    if not equal_length or pa_mean.size != 1 or pa_sd.size != 1:
        raise FormatError(f"{path}: 'kmer', 'current.mean' and 'current.stdv' differ in length; get the table again")
    in_pa = pa_sd.item() >= NORMALISED_SCALE
    shift, scale = (pa_mean.item(), pa_sd.item()) if in_pa else (0.0, 1.0)
    with np.errstate(all="ignore"):  # numbers of a damaged table: `_model` refuses what is not finite
        columns = {"level_mean": mean * scale + shift, "level_sd": sd * scale} | _more(more, scale)
    return replace(_model(path, names, columns, in_pa=in_pa), sample_rate_hz=_rate(path, rate), **origin)


def _rate(path: Path, array: NDArray[Any] | None) -> float | None:
    """Return the sample rate of an npz, None where it has none."""
    if array is None:
        return None
    if array.size != 1 or array.dtype.kind not in "fiu" or not 0 < array.item() < np.inf:
        raise FormatError(f"{path}: {RATE!r} is not a sample rate; get the table again")
    return float(array.item())


def _line(path: Path, archive: zipfile.ZipFile, name: str) -> str:
    """Read one line of text of an npz; empty if it is not there."""
    if f"{name}.npy" not in archive.namelist():
        return ""
    text = _array(path, archive, name)
    if text.dtype.kind != "U" or text.size != 1 or not text.item().isprintable():
        raise FormatError(f"{path}: {name!r} is not one line of text; get the table again")
    return str(text.item())


def _more(found: dict[str, NDArray[Any]], scale: float) -> dict[str, NDArray[np.float64]]:
    """Noise, dwells and counts as fields of a `PoreModel`."""
    unit = {"current_sd.mean": scale, "current_sd.stdv": scale}
    fields = {name: found[name] * unit.get(name, 1.0) for name in found}
    columns = {UNCALLED4_MORE[name]: values for name, values in fields.items() if name != "dwell.stdv"}
    if {"dwell.mean", "dwell.stdv"} <= fields.keys():
        columns["dwell_shape"] = (fields["dwell.mean"] / np.maximum(fields["dwell.stdv"], LEAST_SD)) ** 2
    return columns


DWELL_STEPS = 256
"""SDs of dwells are written in this fraction of a sample; finer digits are noise and compress badly."""
LEAST_SD = 1e-3
"""Lower limit of the SD of dwells, in samples; that of a k-mer seen once is 0."""

UNCALLED4_MORE = {
    "current_sd.mean": "noise_mean",
    "current_sd.stdv": "noise_sd",
    "dwell.mean": "dwell_mean",
    "dwell.stdv": "dwell_shape",
    "count": "count",
}
"""Arrays that an uncalled4 table may have -> fields of a `PoreModel`. The SD of dwells is converted to their shape."""

RATE = "_sample_rate"
"""Array that an uncalled4 table may have: the sample rate, Hz."""

ORIGIN = {"_source": "source", "_licence": "licence"}
"""Arrays that only our own tables have, one line of text each -> fields of a `PoreModel`."""

UNCALLED4 = ("kmer", "current.mean", "current.stdv", "_pa_mean", "_pa_stdv")
"""Arrays that every uncalled4 table has; ``current.stdv`` may be empty."""

BROKEN = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, tokenize.TokenError),
    *(EOFError, OSError, MemoryError, OverflowError, RuntimeError, SyntaxError, TypeError, ValueError),
)
"""What zipfile and numpy raise on a damaged npz."""


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read one array of an npz; its size is checked against its header before memory is allocated."""
    member = f"{name}.npy"
    if member not in archive.namelist():
        raise FormatError(f"{path}: no array {name!r}; give a table that uncalled4 wrote")
    with archive.open(member) as stream:
        np.lib.format.read_magic(stream)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if dtype.hasobject or not 0 <= size <= MAX_BYTES:
            raise FormatError(f"{path}: array {name!r}: objects, or over {MAX_BYTES >> 20} MiB; give a table of levels")
        content = stream.read(size + 1)
    if len(content) != size:
        raise FormatError(
            f"{path}: array {name!r}: its content is not the {size} bytes of its header; get the table again"
        )
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _kmers(k: int) -> list[str]:
    """Names of all k-mers, in order."""
    digits = np.arange(N_BASES**k)[:, None] // N_BASES ** np.arange(k - 1, -1, -1) % N_BASES
    letters = np.frombuffer(b"ACGT", np.uint8)[digits]
    return [str(kmer, "ascii") for kmer in letters.view(f"S{k}").ravel().tolist()]


def _write_nanopolish(path: Path, model: PoreModel) -> None:
    known = {name: field for name, field in COLUMNS.items() if getattr(model, field) is not None}
    header = f"#k\t{model.k}\n#alphabet\tnucleotide\n" + "\t".join(["kmer", *known]) + "\n"
    columns = [getattr(model, field).tolist() for field in known.values()]
    rows = zip(_kmers(model.k), *columns, strict=True)
    path.write_text(header + "".join(["\t".join([kmer, *map(repr, cells)]) + "\n" for kmer, *cells in rows]))


def _write_levels(path: Path, model: PoreModel) -> None:
    rows = zip(_kmers(model.k), model.level_mean.tolist(), strict=True)
    path.write_text("".join([f"{kmer}\t{mean!r}\n" for kmer, mean in rows]))


def _write_npz(path: Path, model: PoreModel) -> None:
    # A whole shift and a power of two: round values in pA stay round, and compress well.
    spread = 2.0 ** max(1, round(np.log2(model.level_mean.std()))) if model.in_pa else 1.0
    shift, scale = (np.rint(model.level_mean.mean()), spread) if model.in_pa else (0.0, 1.0)
    sd = model.level_sd / scale
    arrays = {
        "kmer": np.array(_kmers(model.k)),
        "current.mean": (model.level_mean - shift) / scale,
        "current.stdv": sd[:0] if np.isnan(sd).all() else sd,
        "_k": np.array(model.k),
        "_pa_mean": np.array(shift),
        "_pa_stdv": np.array(scale),
    }
    if model.noise_mean is not None and model.noise_sd is not None:
        arrays |= {"current_sd.mean": model.noise_mean / scale, "current_sd.stdv": model.noise_sd / scale}
    if model.dwell_mean is not None and model.dwell_shape is not None:
        spread_of_dwell = np.rint(model.dwell_mean / np.sqrt(model.dwell_shape) * DWELL_STEPS) / DWELL_STEPS
        arrays |= {"dwell.mean": model.dwell_mean, "dwell.stdv": spread_of_dwell}
    if model.count is not None:
        arrays["count"] = model.count
    if model.sample_rate_hz is not None:
        arrays[RATE] = np.array(model.sample_rate_hz)
    arrays |= {name: np.array(getattr(model, field)) for name, field in ORIGIN.items() if getattr(model, field)}
    with path.open("wb") as stream:  # a stream, because numpy appends .npz to other names
        np.savez_compressed(stream, allow_pickle=False, **arrays)


_WRITERS: dict[str, Callable[[Path, PoreModel], None]] = {
    ".model": _write_nanopolish,
    ".txt": _write_nanopolish,
    ".levels": _write_levels,
    ".npz": _write_npz,
}

"""Tables of k-mer levels, as nanopolish, f5c, Oxford Nanopore and uncalled4 write them <-> `PoreModel`."""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from poreconv.errors import ConfigError, FormatError
from poreconv.files import whole_file
from poreconv.kmers import N_BASES, PoreModel, dominant_base

MAX_K = 10
"""Longest k-mer believed: its table has a million levels."""
MAX_BYTES = 256 << 20
"""Largest file, and largest array in one, believed: about two million lines."""
NORMALISED_SCALE = 2.0
"""An uncalled4 table whose ``_pa_stdv`` is below it has no pA scale: a pore's levels spread over ten pA or more."""


def _codes() -> NDArray[np.int64]:
    code = np.full(256, -1, np.int64)
    for index, letters in enumerate(("A", "C", "G", "TU")):
        code[np.frombuffer(letters.encode(), np.uint8)] = index
    return code


_CODE = _codes()


def read_pore_model(path: Path) -> PoreModel:
    """Read a table of k-mer levels; its content tells the format, not its name.

    - nanopolish and f5c text: ``#`` lines, then columns ``kmer level_mean level_stdv ...``, with or without a header;
    - ONT ``levels`` text: ``kmer`` and a normalised level, without SD;
    - uncalled4 ``.npz``: ``current.mean`` and ``current.stdv`` in units of ``_pa_stdv`` around ``_pa_mean``, which are
      about 1 and 0 where the table has no pA scale.

    K-mers with other letters than ACGTU, such as a methylated M, are passed over; every other k-mer must be there once.

    Raises:
        FormatError: It is none of these, or levels are missing, double or not finite.
    """
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"PK"
    except OSError as exc:
        raise FormatError(f"{path}: cannot be read ({exc.strerror}); give a table of k-mer levels") from exc
    if path.stat().st_size > MAX_BYTES:
        raise FormatError(f"{path}: over {MAX_BYTES >> 20} MiB, too large for a table of k-mer levels; give one")
    return _read_npz(path) if packed else _read_text(path)


def write_pore_model(path: Path, model: PoreModel) -> None:
    """Write a table that `read_pore_model` reads, in the format of the suffix.

    Args:
        path: ``.model``: nanopolish text; ``.txt``: ``levels`` text; ``.npz``: as uncalled4.
        model: What to write; ``levels`` text has no SD and says of no unit that it is pA.

    Raises:
        ConfigError: Another suffix; or a ``.model`` of levels that are not in pA or have no SD.
    """
    if path.suffix not in _WRITERS:
        raise ConfigError(f"{path}: cannot tell the format; end the name in {', '.join(_WRITERS)}")
    if path.suffix == ".model" and (not model.in_pa or np.isnan(model.level_sd).any()):
        raise ConfigError(f"{path}: such a table needs pA and SDs, and these levels have none; write .txt or .npz")
    with whole_file(path) as partial:
        _WRITERS[path.suffix](partial, model)


def _read_text(path: Path) -> PoreModel:
    kmers: list[str] = []
    values: list[tuple[float, float]] = []
    width = 0
    for number, columns in _rows(path):
        width = width or len(columns)
        if len(columns) != width:
            raise FormatError(f"{path}: line {number}: {len(columns)} columns, not {width}; give a whole table")
        try:
            mean, sd = float(columns[1]), float(columns[2]) if width > 2 else np.nan
        except (IndexError, ValueError) as exc:
            raise FormatError(
                f"{path}: line {number}: no k-mer and its level; give a nanopolish, f5c, 'levels' or uncalled4 table"
            ) from exc
        kmers.append(columns[0])
        values.append((mean, sd))
    return _model(path, kmers, np.array(values).reshape(-1, 2), in_pa=width > 2)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and columns of all but comments, empty lines and the header."""
    try:
        with path.open(encoding="ascii") as lines:
            for number, line in enumerate(lines, start=1):
                columns = line.split()
                if columns and columns[0] != "kmer" and not line.startswith("#"):
                    yield number, columns
    except UnicodeDecodeError as exc:
        raise FormatError(f"{path}: not text; give a nanopolish, f5c, 'levels' or uncalled4 table") from exc


def _model(path: Path, kmers: Sequence[str], values: NDArray[np.float64], *, in_pa: bool) -> PoreModel:
    """Put levels in order; ``values`` are ``(mean, sd)``, shape ``(n, 2)``."""
    k = len(kmers[0]) if kmers else 0
    if not 1 <= k <= MAX_K or any(len(kmer) != k for kmer in kmers):
        raise FormatError(f"{path}: no k-mers of one length of 1 to {MAX_K}; give a table of k-mer levels")
    letters = "".join(kmers).upper().encode("ascii", "replace")
    codes = _CODE[np.frombuffer(letters, np.uint8)].reshape(-1, k)
    canonical = (codes >= 0).all(axis=1)
    index = codes[canonical] @ N_BASES ** np.arange(k - 1, -1, -1)
    if len(np.unique(index)) != N_BASES**k or len(index) != N_BASES**k:
        raise FormatError(
            f"{path}: {len(index)} levels, {len(np.unique(index))} different k-mers; of k = {k} there are "
            f"{N_BASES**k}, each once; get the whole table"
        )
    mean, sd = values[canonical][np.argsort(index)].T
    if not np.isfinite(mean).all() or np.isinf(sd).any() or (sd < 0).any() or mean.std() == 0:
        raise FormatError(f"{path}: levels or SDs that are no numbers, negative or all the same; get the table again")
    return PoreModel(k, mean.copy(), sd.copy(), dominant_base(mean, k), in_pa)


def _read_npz(path: Path) -> PoreModel:
    try:
        with zipfile.ZipFile(path) as archive:
            kmers, mean, sd, pa_mean, pa_sd = (_array(path, archive, name) for name in UNCALLED4)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as exc:
        raise FormatError(f"{path}: broken npz ({exc}); copy it again") from exc
    sd = sd if sd.size else np.full(mean.shape, np.nan)
    numbers = (mean, sd, pa_mean, pa_sd)
    if kmers.dtype.kind != "U" or any(array.dtype.kind not in "fiu" for array in numbers):
        raise FormatError(f"{path}: 'kmer' is no text or the levels are no numbers; give an uncalled4 table")
    if not kmers.shape == mean.shape == sd.shape == (kmers.size,) or pa_mean.size != 1 or pa_sd.size != 1:
        raise FormatError(f"{path}: 'kmer', 'current.mean' and 'current.stdv' differ in length; get the table again")
    in_pa = float(pa_sd) >= NORMALISED_SCALE
    shift, scale = (float(pa_mean), float(pa_sd)) if in_pa else (0.0, 1.0)
    return _model(path, kmers.tolist(), np.column_stack([mean * scale + shift, sd * scale]), in_pa=in_pa)


UNCALLED4 = ("kmer", "current.mean", "current.stdv", "_pa_mean", "_pa_stdv")
"""Arrays of an uncalled4 table that are read; of ``current.stdv`` there may be none."""


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read one array of an npz; what its header promises must be what the file holds before memory is taken."""
    member = f"{name}.npy"
    if member not in archive.namelist():
        raise FormatError(f"{path}: no array {name!r}; give a table that uncalled4 wrote")
    with archive.open(member) as stream:
        try:
            np.lib.format.read_magic(stream)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        except ValueError as exc:
            raise FormatError(f"{path}: array {name!r}: no npy header ({exc}); get the table again") from exc
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if dtype.hasobject or size > MAX_BYTES:
            raise FormatError(f"{path}: array {name!r}: objects, or over {MAX_BYTES >> 20} MiB; give a table of levels")
        content = stream.read(size + 1)
    if len(content) != size:
        raise FormatError(f"{path}: array {name!r}: not the {size} bytes that its header says; get the table again")
    return np.frombuffer(content, dtype).reshape(shape, order="F" if fortran else "C")


def _kmers(k: int) -> list[str]:
    """Names of all k-mers, in order."""
    digits = np.arange(N_BASES**k)[:, None] // N_BASES ** np.arange(k - 1, -1, -1) % N_BASES
    letters = np.frombuffer(b"ACGT", np.uint8)[digits]
    return [str(kmer, "ascii") for kmer in letters.view(f"S{k}").ravel().tolist()]


def _write_nanopolish(path: Path, model: PoreModel) -> None:
    header = f"#k\t{model.k}\n#alphabet\tnucleotide\nkmer\tlevel_mean\tlevel_stdv\n"
    rows = zip(_kmers(model.k), model.level_mean.tolist(), model.level_sd.tolist(), strict=True)
    path.write_text(header + "".join([f"{kmer}\t{mean!r}\t{sd!r}\n" for kmer, mean, sd in rows]))


def _write_levels(path: Path, model: PoreModel) -> None:
    rows = zip(_kmers(model.k), model.level_mean.tolist(), strict=True)
    path.write_text("".join([f"{kmer}\t{mean!r}\n" for kmer, mean in rows]))


def _write_npz(path: Path, model: PoreModel) -> None:
    shift, scale = (model.level_mean.mean(), model.level_mean.std()) if model.in_pa else (0.0, 1.0)
    sd = model.level_sd / scale
    arrays = {
        "kmer": np.array(_kmers(model.k)),
        "current.mean": (model.level_mean - shift) / scale,
        "current.stdv": sd[:0] if np.isnan(sd).all() else sd,
        "_k": np.array(model.k),
        "_pa_mean": np.array(shift),
        "_pa_stdv": np.array(scale),
    }
    with path.open("wb") as stream:  # a stream, as np.savez adds .npz to other names
        np.savez(stream, allow_pickle=False, **arrays)


_WRITERS: dict[str, Callable[[Path, PoreModel], None]] = {
    ".model": _write_nanopolish,
    ".txt": _write_levels,
    ".npz": _write_npz,
}

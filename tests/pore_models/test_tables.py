import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.errors import ConfigError, FormatError
from poreconv.pore_models.model import PoreModel, dominant_base, kmer_indices, random_pore_model
from poreconv.pore_models.tables import read_pore_model, write_pore_model

PORE = random_pore_model(3, seed=1, mean_pa=90, sd_pa=14)
NORMALISED = replace(PORE, level_mean=(PORE.level_mean - 90) / 14, level_sd=np.full(64, np.nan), in_pa=False)


def test_kmers_are_numbered_alphabetically() -> None:
    """AAC is 1, ACG is 6, CGT is 27: codes read as digits to base 4."""
    codes = [0, 0, 1, 2, 3]

    assert kmer_indices(codes, 3).tolist() == [1, 6, 27]


def test_sequence_shorter_than_a_kmer_has_none() -> None:
    """A sequence of 2 bases holds no 3-mer, and one of 3 bases holds one."""
    assert kmer_indices([0, 1], 3).tolist() == []
    assert kmer_indices([3, 3, 3], 3).tolist() == [63]


def test_levels_have_the_mean_and_sd_asked_for() -> None:
    """The model's levels are scaled to the given mean and SD."""
    pore = random_pore_model(5, seed=1, mean_pa=90, sd_pa=14)

    assert pore.level_mean.shape == pore.level_sd.shape == (1024,)
    assert np.allclose([pore.level_mean.mean(), pore.level_mean.std()], [90, 14])


def test_pore_is_a_function_of_its_seed() -> None:
    """The same seed gives the same levels, another seed others."""
    one, same, other = (random_pore_model(3, seed, 90, 14).level_mean for seed in (1, 1, 2))

    assert np.array_equal(one, same)
    assert not np.allclose(one, other)


def test_central_base_matters_most() -> None:
    """Over many pores, levels spread more with the central base than with an outer one."""
    spread = np.mean([_spread_by_position(random_pore_model(5, seed, 90, 14).level_mean) for seed in range(20)], axis=0)

    assert spread.argmax() == 2
    assert spread[2] > 3 * spread[0]


def _spread_by_position(level_pa: np.ndarray) -> list[float]:
    """SD of the mean level over the four bases at each position."""
    cube = level_pa.reshape(4, 4, 4, 4, 4)
    axes = range(5)
    return [cube.mean(axis=tuple(axis for axis in axes if axis != kept)).std() for kept in axes]


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_a_turned_pore_reads_kmers_backwards(k: int, seed: int) -> None:
    """The level of a sequence's k-mers is that of the turned sequence's in the turned pore; turned twice, as before."""
    pore = random_pore_model(k, seed, 90, 14)
    codes = np.random.default_rng(seed).integers(0, 4, 30)
    forward = pore.level_mean[kmer_indices(codes, k)]
    backward = pore.turned().level_mean[kmer_indices(codes[::-1], k)]

    assert np.array_equal(backward[::-1], forward)
    assert np.array_equal(pore.turned().turned().level_mean, pore.level_mean)
    assert pore.turned().centre == k - 1 - pore.centre


def test_dominant_base_is_the_one_that_sets_the_level() -> None:
    """A pore that feels the second of three bases only."""
    level = np.arange(64) // 4 % 4 * 10.0

    assert dominant_base(level, 3) == 1


@pytest.mark.parametrize(
    ("suffix", "pore"), [(".model", PORE), (".npz", PORE), (".npz", NORMALISED), (".levels", NORMALISED)]
)
def test_what_was_written_is_read_again(suffix: str, pore: PoreModel, tmp_path: Path) -> None:
    """Levels, SDs, whether they are pA, and the dominant base, in every format that can hold them."""
    path = tmp_path / f"pore{suffix}"

    write_pore_model(path, pore)

    read = read_pore_model(path)
    assert np.allclose(read.level_mean, pore.level_mean)
    assert np.allclose(read.level_sd, pore.level_sd, equal_nan=True)
    assert (read.k, read.centre, read.in_pa) == (3, dominant_base(pore.level_mean, 3), pore.in_pa)


@pytest.mark.parametrize(
    ("name", "pore", "message"),
    [("pore.csv", PORE, "end the name in .model, .txt, .levels, .npz"), ("pore.model", NORMALISED, "needs pA and SDs")],
)
def test_a_table_that_cannot_be_written(name: str, pore: PoreModel, message: str, tmp_path: Path) -> None:
    """An unknown suffix, and a format that needs what the levels don't have; no file is left."""
    with pytest.raises(ConfigError, match=message):
        write_pore_model(tmp_path / name, pore)

    assert not list(tmp_path.iterdir())


def rows(letters: str = "ACGT", value: str = "80.5\t2.5") -> list[str]:
    """Lines of a table of 1-mers."""
    return [f"{letter}\t{index}{value}" for index, letter in enumerate(letters)]


def test_text_tables_with_all_that_programs_write(tmp_path: Path) -> None:
    """Comments, a header, more columns, any order, U for T, and k-mers of methylated bases, which are passed over."""
    path = tmp_path / "any.model"
    path.write_text("\n".join(["#k\t1", "kmer\tlevel_mean\tlevel_stdv\tweight", *rows("UMCAG", "80.5\t2.5\t9"), ""]))

    pore = read_pore_model(path)

    assert pore.level_mean.tolist() == [380.5, 280.5, 480.5, 80.5]
    assert pore.level_sd.tolist() == [2.5] * 4
    assert pore.in_pa


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "k-mers are not all of one length"),
        (["read_id\tstart"], "line 1: not a k-mer and its level"),
        (["hello"], "line 1: not a k-mer and its level"),
        (rows()[:3], "3 levels, 3 different k-mers; of k = 1 there are 4"),
        ([*rows(), rows()[0]], "5 levels, 4 different k-mers"),
        ([*rows(), "AC\t80\t2"], "k-mers are not all of one length"),
        ([*rows(), "A\t80"], "line 5: 2 columns, not 3"),
        (["A" * 11 + "\t80\t2"], "k-mers are not all of one length of 1 to 10"),
        ([*rows()[:3], "T\tnan\t1"], "not finite"),
        ([*rows()[:3], "T\tinf\t1"], "not finite"),
        ([*rows()[:3], "T\t90\t-1"], "negative"),
        ([f"{letter}\t80\t1" for letter in "ACGT"], "all the same"),
    ],
)
def test_a_wrong_text_table_is_one_line(lines: list[str], message: str, tmp_path: Path) -> None:
    """The message names the file and what to do, whatever is wrong with it."""
    path = tmp_path / "wrong.model"
    path.write_text("\n".join(lines))

    with pytest.raises(FormatError, match=message) as caught:
        read_pore_model(path)

    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def arrays() -> dict[str, np.ndarray]:
    """Return the arrays of an uncalled4 table of 1-mers."""
    return {
        "kmer": np.array(list("ACGT")),
        "current.mean": np.array([-1.0, 0, 1, 2], np.float32),
        "current.stdv": np.array([], np.float32),
        "_pa_mean": np.array(90.0),
        "_pa_stdv": np.array(10.0),
    }


def test_uncalled4_levels_become_pa(tmp_path: Path) -> None:
    """Its levels are in SDs around a mean, both of which the file contains."""
    np.savez(tmp_path / "pore.npz", **arrays())

    pore = read_pore_model(tmp_path / "pore.npz")

    assert pore.level_mean.tolist() == [80, 90, 100, 110]
    assert np.isnan(pore.level_sd).all()


def without(name: str) -> dict[str, np.ndarray]:
    """Return the arrays without one of them."""
    return {key: array for key, array in arrays().items() if key != name}


def test_source_licence_and_rate_survive_the_file(tmp_path: Path) -> None:
    """A table of ours names them; one of uncalled4's has the rate alone."""
    named = replace(PORE, source="reads of a phage", licence="MIT", sample_rate_hz=4000.0)
    write_pore_model(tmp_path / "named.npz", named)
    write_pore_model(tmp_path / "plain.npz", PORE)
    read, plain = (read_pore_model(tmp_path / name) for name in ("named.npz", "plain.npz"))

    assert (read.source, read.licence, read.sample_rate_hz) == ("reads of a phage", "MIT", 4000)
    assert (plain.source, plain.licence, plain.sample_rate_hz) == ("", "", None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (without("current.mean"), "no array 'current.mean'"),
        (arrays() | {"kmer": np.array(list("ACG"))}, "differ in length"),
        (arrays() | {"kmer": np.arange(4)}, "not text"),
        (arrays() | {"_pa_mean": np.array(["x"])}, "not numbers"),
        (arrays() | {"_pa_mean": np.arange(2)}, "differ in length"),
        (arrays() | {"_source": np.array("two\nlines")}, "not one line of text"),
        (arrays() | {"_licence": np.array(["MIT", "MIT"])}, "not one line of text"),
        (arrays() | {"_sample_rate": np.array(-1.0)}, "not a sample rate"),
        (arrays() | {"_sample_rate": np.array(np.nan)}, "not a sample rate"),
        (arrays() | {"kmer": np.array(["A", "C", "G", None], object)}, "objects"),
    ],
)
def test_a_wrong_npz_is_one_line(content: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    """No pickle is opened, and an array that doesn't fit the others is refused."""
    np.savez(tmp_path / "wrong.npz", allow_pickle=True, **content)

    with pytest.raises(FormatError, match=message):
        read_pore_model(tmp_path / "wrong.npz")


def promised(shape: str) -> Callable[[bytes], bytes]:
    """Return a function that forges headers: the same length, another shape."""
    return lambda content: content.replace(
        b"'shape': (4,), }" + b" " * (len(shape) - 4), f"'shape': {shape}, }}".encode()
    )


@pytest.mark.parametrize(
    ("shape", "message"), [("(99999999999,)", "over 256 MiB"), ("(7,)", "not the 28 bytes of its header")]
)
def test_a_header_that_promises_too_much_is_refused(shape: str, message: str, tmp_path: Path) -> None:
    """An array's size is checked before memory is allocated for it."""
    np.savez(tmp_path / "good.npz", **arrays())
    with zipfile.ZipFile(tmp_path / "good.npz") as good, zipfile.ZipFile(tmp_path / "wrong.npz", "w") as wrong:
        for name in good.namelist():
            forge = promised(shape) if name == "current.mean.npy" else bytes
            wrong.writestr(name, forge(good.read(name)))

    with pytest.raises(FormatError, match=message):
        read_pore_model(tmp_path / "wrong.npz")


@pytest.mark.parametrize("content", [b"PK\x03\x04 no zip", b"\x89HDF\r\n\x1a\n\xff\xfe"])
def test_other_files_are_one_line(content: bytes, tmp_path: Path) -> None:
    """A broken archive and a binary file are named; a file that isn't there is, too."""
    path = tmp_path / "other"
    path.write_bytes(content)

    for wrong in (path, tmp_path / "nowhere"):
        with pytest.raises(FormatError, match=wrong.name):
            read_pore_model(wrong)


TABLES = [
    ("f5c/r9.4_450bps.cpg.6mer.template.model", 6, 2, True),
    ("f5c/r9.4_70bps.u_to_t_rna.5mer.template.model", 5, 1, True),
    ("f5c/rna004.nucleotide.5mer.model", 5, 2, True),
    ("nanoporetech_kmer_models/legacy/legacy_r9.2_180mv_250bps_6mer/template_median68pA.model", 6, 2, True),
    ("nanoporetech_kmer_models/legacy/legacy_r9.4_180mv_450bps_6mer/template_median68pA.model", 6, 2, True),
    ("nanoporetech_kmer_models/legacy/legacy_r9.4_180mv_70bps_5mer_RNA/template_median69pA.model", 5, 3, True),
    ("nanoporetech_kmer_models/legacy/legacy_r9.4_200mv_70bps_5mer_RNA/template_median68pA.model", 5, 3, True),
    ("nanoporetech_kmer_models/rna_r9.4_180mv_70bps/5mer_levels_v1.txt", 5, 1, False),
    ("uncalled4/dna_r10.4.1_400bps_9mer.npz", 9, 6, False),
    ("uncalled4/dna_r9.4.1_400bps_6mer.npz", 6, 2, True),
    ("uncalled4/rna004_130bps_9mer.npz", 9, 5, False),
    ("uncalled4/rna_r9.4.1_70bps_5mer.npz", 5, 3, True),
    ("uncalled4_dwell/it2.model.npz", 6, 3, True),
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "k", "centre", "in_pa"), TABLES)
def test_real_tables(name: str, k: int, centre: int, in_pa: bool, real_data: Path) -> None:
    """k, the base that sets the level, and whether it is in pA, of every nanopolish, f5c, ONT and uncalled4 table."""
    pore = read_pore_model(real_data / "kmer_models" / name)

    assert (pore.k, pore.centre, pore.in_pa) == (k, centre, in_pa)
    assert 60 < pore.level_mean.mean() < 120 if in_pa else abs(pore.level_mean.mean()) < 0.5


@pytest.mark.real
def test_the_same_table_in_two_formats(real_data: Path) -> None:
    """uncalled4's R9.4 table is Oxford Nanopore's, to its single precision."""
    tables = real_data / "kmer_models"
    legacy = "nanoporetech_kmer_models/legacy/legacy_r9.4_180mv_450bps_6mer/template_median68pA.model"
    text, npz = read_pore_model(tables / legacy), read_pore_model(tables / "uncalled4/dna_r9.4.1_400bps_6mer.npz")

    assert np.allclose(text.level_mean, npz.level_mean, atol=1e-4)
    assert np.allclose(text.level_sd, npz.level_sd, atol=1e-4)


@pytest.mark.real
def test_tombo_tables_are_refused(real_data: Path) -> None:
    """HDF5 tables of normalised levels are not read; the message names the formats that are."""
    with pytest.raises(FormatError, match="give a nanopolish, f5c, 'levels' or uncalled4 table"):
        read_pore_model(real_data / "kmer_models/tombo/tombo.DNA.model")


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_npz_is_the_same_table_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever bytes of it are changed: zip's checksum covers each array, and zip's own fields are checked."""
    path = tmp_path_factory.mktemp("damaged") / "table.npz"
    write_pore_model(path, PORE)
    content = bytearray(path.read_bytes())
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), max_size=4)
    ):
        content[place] = value
    path.write_bytes(content)
    with suppress(FormatError):
        assert np.allclose(read_pore_model(path).level_mean, PORE.level_mean)


@pytest.mark.parametrize(
    "header", ["{'descr': '<U3', 'fortran_order': False, 'shape': (", "{" * 200, "{'descr': 'U0'}"]
)
def test_an_array_without_a_header_is_named(tmp_path: Path, header: str) -> None:
    """Numpy's own errors for it are of many kinds."""
    write_pore_model(tmp_path / "good.npz", PORE)
    with zipfile.ZipFile(tmp_path / "good.npz") as good, zipfile.ZipFile(tmp_path / "bad.npz", "w") as bad:
        for name in good.namelist():
            forged = np.lib.format.magic(1, 0) + len(header).to_bytes(2, "little") + header.encode()
            bad.writestr(name, forged if name == "kmer.npy" else good.read(name))

    with pytest.raises(FormatError, match="broken npz"):
        read_pore_model(tmp_path / "bad.npz")


@pytest.mark.real
def test_the_reported_table_is_refused(real_data: Path) -> None:
    """The header of one of its arrays ends in the middle."""
    with pytest.raises(FormatError, match="broken npz"):
        read_pore_model(real_data / "field_reports/damaged/pore_npz-39-traceback.npz")

"""Pore models estimated from labelled reads."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from poreconv.commands.kmers import kmers
from poreconv.config import SquiggleConfig
from poreconv.errors import ConfigError, FormatError, StoreError
from poreconv.events.events import Events
from poreconv.pore_models.estimation import Bases, bases_of, estimate_pore_model
from poreconv.pore_models.model import N_BASES, PoreModel, kmer_indices, random_pore_model
from poreconv.pore_models.tables import SHIPPED, read_pore_model, write_pore_model
from tests.support.data import simulated
from tests.support.labels import read_of

K = 3
PORE = random_pore_model(K, 0, 90.0, 14.0)
DWELL = 9.0


def made(n_reads: int, n_bases: int, *, centre: int = PORE.centre, wrong: float = 0.0, seed: int = 0) -> list[Bases]:
    """Reads of random bases whose levels are those of ``PORE`` on a scale of each read's own; some are wrong."""
    rng, reads = np.random.default_rng(seed), []
    for _ in range(n_reads):
        codes = rng.integers(0, N_BASES, n_bases)
        level = np.full(n_bases, 90.0)
        index = kmer_indices(codes, K)
        level[centre : centre + len(index)] = PORE.level_mean[index] + rng.normal(0, 1, len(index))
        level = np.where(rng.random(n_bases) < wrong, rng.normal(90, 14, n_bases), level)
        gain, shift = rng.normal(1, 0.05), rng.normal(0, 5)
        reads.append(Bases(codes, level * gain + shift, rng.gamma(9, 0.3, n_bases), rng.gamma(2, DWELL / 2, n_bases)))
    return reads


def observed(reads: list[Bases]) -> Callable[[], Iterable[list[Bases]]]:
    """All reads, each in one stretch."""
    return lambda: ([read] for read in reads)


def r(model: PoreModel) -> float:
    """How well the levels follow those of ``PORE``."""
    return float(np.corrcoef(model.level_mean, PORE.level_mean)[0, 1])


@pytest.mark.parametrize("centre", range(K))
def test_levels_and_the_base_that_they_stand_for_are_found(centre: int) -> None:
    """Whichever base of its k-mer an event is for, whatever the reads' scale, and with wrong labels among them."""
    model = estimate_pore_model(observed(made(20, 300, centre=centre, wrong=0.1)), K)

    assert model.centre == centre
    assert r(model) > 0.999
    assert model.level_mean.mean() == pytest.approx(90, abs=2)
    assert model.level_sd.mean() == pytest.approx(1, abs=0.2)


def test_noise_and_dwell_are_means_and_shape_of_what_was_drawn() -> None:
    """Within-event SDs were gamma(9, 0.3), dwells gamma(2) of mean 9; each k-mer's count is its support."""
    model = estimate_pore_model(observed(made(20, 500)), K)
    assert model.count is not None
    assert model.noise_mean is not None
    assert model.dwell_mean is not None
    assert model.dwell_shape is not None
    assert model.occupancy is not None

    assert np.median(model.noise_mean) == pytest.approx(2.7, abs=0.1)
    assert np.median(model.dwell_mean) == pytest.approx(DWELL, abs=0.5)
    assert np.median(model.dwell_shape) == pytest.approx(2, abs=0.3)
    assert 0.95 * 20 * (500 - K + 1) < model.count.sum() <= 20 * (500 - K + 1)
    assert model.occupancy.sum() == pytest.approx(1)


def test_a_kmer_that_was_never_seen_has_the_level_of_its_inner_bases() -> None:
    """Without GGG in any read, its level is a guess from those of NGN and the like, and its support is 0."""
    ggg = kmer_indices([2, 2, 2], K)[0]
    reads = [
        read for read in made(60, 60, seed=1) if ggg not in kmer_indices(read.code, K)
    ]  # about one in three has none
    model = estimate_pore_model(observed(reads), K)
    inner = PORE.level_mean.reshape(N_BASES, N_BASES, N_BASES)[:, 2, :].mean()
    assert model.count is not None

    assert model.count[ggg] == 0
    assert abs(model.level_mean[ggg] - inner) < abs(PORE.level_mean.mean() - inner) + 6


def test_little_data_is_drawn_towards_shorter_kmers() -> None:
    """From few events, shrunk levels are nearer the truth than bare means are."""
    few = made(3, 60, seed=2)
    model = estimate_pore_model(observed(few), K)
    seen = np.concatenate([kmer_indices(read.code, K) for read in few])
    level = np.concatenate([read.level_pa[1:-1] for read in few])
    bare = np.bincount(seen, level, N_BASES**K) / np.maximum(np.bincount(seen, minlength=N_BASES**K), 1)
    bare[bare == 0] = level.mean()

    assert r(model) > np.corrcoef(bare, PORE.level_mean)[0, 1]


def test_gaps_and_unknown_bases_cut_a_read_into_stretches() -> None:
    """No k-mer reaches over them; RNA is turned to 5' to 3'."""
    read = read_of("r", 60)
    events = Events.of([0, 5, 10, 20, 30], [5, 10, 15, 30, 40], label=[0, 1, 2, 3, -1], classes=("A", "C", "G", "T"))
    pieces = bases_of(read, events)
    [turned, _] = bases_of(replace(read, kit="SQK-RNA002"), events)

    assert [piece.code.tolist() for piece in pieces] == [[0, 1, 2], [3]]
    assert [piece.dwell.tolist() for piece in pieces] == [[5, 5, 5], [10]]
    assert turned.code.tolist() == [2, 1, 0]


def test_too_little_is_an_error() -> None:
    """A handful of bases does not determine a scale."""
    with pytest.raises(StoreError, match="no read has 30 bases"):
        estimate_pore_model(observed(made(2, 20)), K)


def test_the_command_finds_the_pore_of_simulated_reads(tmp_path: Path) -> None:
    """From files and their table of bases to a table of levels that any tool reads; reads are counted once."""
    reads = simulated(tmp_path / "reads", n_reads=30)
    model, ledger = kmers(
        reads / "reads.fast5",
        labels="intervals",
        labels_from=[reads / "events.tsv"],
        k=5,
        out=tmp_path / "model.txt",
    )
    config = SquiggleConfig()
    pore = random_pore_model(config.pore.k, config.pore.pore_seed, 90.0, 14.0)
    table = read_pore_model(tmp_path / "model.txt")
    assert model.count is not None
    often = model.count >= 5

    assert ledger.reads_in == ledger.kept == 30
    assert model.sample_rate_hz == 4000
    assert np.corrcoef(model.level_mean[often], pore.level_mean[often])[0, 1] > 0.97
    assert table.level_mean.tolist() == model.level_mean.tolist()
    assert table.dwell_shape is not None
    assert model.dwell_shape is not None
    assert table.dwell_shape.tolist() == model.dwell_shape.tolist()


@pytest.mark.parametrize("name", ["model.txt", "model.model", "model.npz"])
def test_estimates_survive_their_file(tmp_path: Path, name: str) -> None:
    """Levels, noise, dwells and support; the shape of dwells is rounded a little in an npz."""
    model = estimate_pore_model(observed(made(10, 300)), K)
    write_pore_model(tmp_path / name, model)
    written = read_pore_model(tmp_path / name)

    for field in ("level_mean", "level_sd", "noise_mean", "noise_sd", "dwell_mean", "count"):
        assert getattr(written, field).tolist() == getattr(model, field).tolist()
    assert written.dwell_shape == pytest.approx(model.dwell_shape, rel=0.01)


@pytest.mark.parametrize(("k", "name", "message"), [(0, "m.txt", "must be 1 to 10"), (5, "m.csv", "end the name in")])
def test_mistakes_are_named(tmp_path: Path, k: int, name: str, message: str) -> None:
    """In one line."""
    reads = simulated(tmp_path / "reads", n_reads=3)
    with pytest.raises(ConfigError, match=message):
        kmers(reads / "reads.fast5", labels="intervals", labels_from=[reads / "events.tsv"], k=k, out=tmp_path / name)


@pytest.mark.real
@pytest.mark.parametrize(
    ("folder", "k", "table", "least"),
    [
        ("dna_r941_lambda_tombo", 6, "dna_r9.4.1_400bps_6mer.npz", 0.99),
        ("rna002_18s_tombo", 5, "rna_r9.4.1_70bps_5mer.npz", 0.93),
    ],
)
def test_real_levels_are_the_published_ones(
    real_data: Path, tmp_path: Path, folder: str, k: int, table: str, least: float
) -> None:
    """Tombo's labels of a few dozen reads give the levels that others published; the RNA table is turned there."""
    model, _ = kmers(real_data / folder, labels="tombo", k=k, out=tmp_path / "model.txt")
    published = read_pore_model(real_data / "kmer_models" / "uncalled4" / table)
    expected = published.turned() if folder.startswith("rna") else published
    assert model.count is not None
    often = model.count >= 10

    assert np.corrcoef(model.level_mean[often], expected.level_mean[often])[0, 1] > least


@pytest.mark.parametrize(("name", "k", "centre"), [("dna_r9.4.1", 6, 2), ("dna_r10.4.1", 9, 6), ("rna002", 5, 1)])
def test_shipped_tables_are_found_by_name(name: str, k: int, centre: int) -> None:
    """Each with its noise, dwells and support; k-mers are named 5' to 3'."""
    model = read_pore_model(Path(name))
    assert model.noise_mean is not None
    assert model.dwell_mean is not None
    assert model.count is not None

    assert (model.k, model.centre) == (k, centre)
    assert 1 < np.median(model.noise_mean) < 8
    assert 5 < np.median(model.dwell_mean) < 60
    assert model.count.sum() > 50_000


@pytest.mark.parametrize(("name", "rate"), [("dna_r9.4.1", 4000), ("dna_r10.4.1", 4000), ("rna002", 3012)])
def test_shipped_tables_name_the_rate_of_their_dwells(name: str, rate: float) -> None:
    """A simulator at another rate scales them."""
    assert read_pore_model(Path(name)).sample_rate_hz == rate


def test_the_shipped_table_of_rna004_is_a_published_one() -> None:
    """Its source and licence stand in the file, and in the card beside it."""
    model = read_pore_model(Path("rna004"))
    card = (SHIPPED / "rna004.md").read_text()

    assert (model.k, len(model.level_mean), model.licence) == (9, 4**9, "MIT")
    assert model.source in card
    assert "uncalled4" in model.source


@pytest.mark.real
def test_the_shipped_table_of_rna004_is_the_makers_own(real_data: Path) -> None:
    """K-mers are named 5' to 3', as the maker's are."""
    maker = read_pore_model(real_data / "kmer_models/ont_rna004/rna004_9mer_levels_v1.txt")

    assert np.corrcoef(read_pore_model(Path("rna004")).level_mean, maker.level_mean)[0, 1] > 0.9999


def test_a_file_wins_over_a_shipped_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of that name takes precedence; an unknown name is an error that lists the shipped tables."""
    monkeypatch.chdir(tmp_path)
    write_pore_model(tmp_path / "own.model", PORE)
    (tmp_path / "own.model").rename(tmp_path / "rna002")

    assert read_pore_model(Path("rna002")).k == K
    with pytest.raises(FormatError, match=r"rna003: no such file, nor a shipped pore model \(dna_r10\.4\.1"):
        read_pore_model(Path("rna003"))

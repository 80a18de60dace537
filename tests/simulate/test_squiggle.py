import gzip
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from poreconv.commands import simulate as command
from poreconv.config import PoreConfig, SimulateConfig, SimulatedChemistry, SourceConfig, SquiggleConfig, from_flat
from poreconv.errors import ConfigError, FormatError
from poreconv.events.levels import event_levels
from poreconv.labels.opening import open_labels
from poreconv.pore_models.model import PoreModel, kmer_indices, random_pore_model
from poreconv.pore_models.tables import write_pore_model
from poreconv.reads.readers import open_reads
from poreconv.simulate import Simulated
from poreconv.simulate.chemistries import USUAL
from poreconv.simulate.current import noise_weights, within_event_variance
from poreconv.simulate.squiggle import simulate

SMALL = {"bases_mean": 300, "bases_min": 100, "adapter_samples": 200}
EXACT = {"noise_pa": 0, "level_noise_pa": 0, "drift_pa": 0, "shift_pa": 0, "scale_sd": 0, "spill": 0}
K = 3


def made(reads: int = 3, seed: int = 1, **settings: Any) -> list[Simulated]:
    """Simulate short reads."""
    return list(simulate(SimulateConfig(reads, seed), from_flat(SquiggleConfig, SMALL | settings)))


def table(folder: Path, suffix: str = ".model", **fields: Any) -> Path:
    """Write the levels of a random pore that is not the simulator's own; ``fields`` are those of a `PoreModel`."""
    pore = random_pore_model(K, 99, 110, 20)
    given = {"k": K, "level_mean": pore.level_mean, "level_sd": np.full(4**K, 0.5), "centre": pore.centre} | fields
    path = folder / f"pore{suffix}"
    write_pore_model(path, PoreModel(**given))
    return path


def fasta(folder: Path, **records: str) -> Path:
    """Write sequences."""
    path = folder / "sequences.fa"
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
    return path


def letters(codes: np.ndarray) -> str:
    """Base codes as text."""
    return "".join("ACGT"[code] for code in codes)


def turned(sequence: str) -> str:
    """Return the other strand, 5' to 3'."""
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def strands(records: dict[str, str]) -> dict[str, str]:
    """Both strands of each record, so that one search covers them."""
    return {name: f"{sequence}|{turned(sequence)}" for name, sequence in records.items()}


def expected_levels(one: Simulated, level_mean: np.ndarray, centre: int, *, rna: bool = False) -> tuple[Any, Any]:
    """Levels of the k-mers along a read, and means of their events, in signal order."""
    step = -1 if rna else 1
    kmers = kmer_indices(one.events.label[::step], K)
    mean_pa, _ = event_levels(one.read, one.events)
    return level_mean[kmers], mean_pa[::step][centre:][: len(kmers)]


def random_sequence(n: int, seed: int = 0) -> str:
    """Draw random bases."""
    return letters(np.random.default_rng(seed).integers(0, 4, n))


@pytest.mark.parametrize("chemistry", get_args(SimulatedChemistry))
def test_regions_cover_the_read(chemistry: str) -> None:
    """They follow each other from the first sample to the last, in the order in which a molecule passes."""
    rna = chemistry.startswith("rna")
    for read, events, regions in made(chemistry=chemistry, open_pore_samples=50):
        names = [regions.classes[label] for label in regions.label]

        assert names == ["open_pore", "adapter", *(["polya", "transcript"] if rna else ["dna"])]
        assert regions.start.tolist() == [0, *regions.end[:-1]]
        assert regions.end[-1] == len(read.adc)
        assert (events.start[0], events.end[-1]) == (regions.start[-1], len(read.adc))


@pytest.mark.parametrize("chemistry", get_args(SimulatedChemistry))
def test_bases_have_no_gaps(chemistry: str) -> None:
    """Each base begins where the one before it ends, and has a letter."""
    for one in made(chemistry=chemistry):
        assert one.events.start[1:].tolist() == one.events.end[:-1].tolist()
        assert set(one.events.label) == {0, 1, 2, 3}


def test_a_part_that_is_not_wanted_is_no_region() -> None:
    """Without lead-in, adapter and tail there is the transcript alone."""
    one = made(1, chemistry="rna002", adapter_samples=0, polya_mean=0)[0]

    assert [one.regions.classes[label] for label in one.regions.label] == ["transcript"]
    assert one.regions.start.tolist() == [0]


@pytest.mark.parametrize("chemistry", get_args(SimulatedChemistry))
def test_reads_have_the_chemistry_that_was_chosen(chemistry: str) -> None:
    """With its usual sample rate, and its usual speed."""
    reads = made(20, chemistry=chemistry, stall_rate=0)
    dwell = np.concatenate([one.events.duration for one in reads])

    assert {(one.read.chemistry.code, one.read.sample_rate_hz) for one in reads} == {
        (chemistry, 3012 if chemistry in {"rna001", "rna002"} else 4000)
    }
    assert dwell.mean() == pytest.approx(USUAL[chemistry].dwell_mean, rel=0.1)


def test_every_chemistry_has_its_usual_settings() -> None:
    """The setting and the table list the same chemistries."""
    assert tuple(USUAL) == get_args(SimulatedChemistry)


RATES = ((4000, {}), (8000, {}), (8000, {"dwell_mean": 6.0, "stall_rate": 0.0}))


def test_a_faster_clock_takes_more_samples_of_the_same_molecule() -> None:
    """Dwells grow with the sample rate, unless they are given."""
    slow, fast, given = (made(10, sample_rate_hz=rate, **more) for rate, more in RATES)
    mean = [np.concatenate([one.events.duration for one in reads]).mean() for reads in (slow, fast, given)]

    assert mean[1] / mean[0] == pytest.approx(2, rel=0.1)
    assert mean[2] == pytest.approx(6, rel=0.1)


def test_event_means_follow_the_table(tmp_path: Path) -> None:
    """With the usual noise, events of reads on a given table are where its k-mers are."""
    pore = random_pore_model(K, 99, 110, 20)
    for one in made(pore_model=table(tmp_path)):
        level, mean_pa = expected_levels(one, pore.level_mean, pore.centre)

        assert np.corrcoef(level, mean_pa)[0, 1] > 0.9


def test_events_are_at_the_tables_levels_if_nothing_disturbs_them(tmp_path: Path) -> None:
    """Exactly, but for the digitiser."""
    pore = random_pore_model(K, 99, 110, 20)
    one = made(1, pore_model=table(tmp_path, level_sd=np.zeros(4**K)), **EXACT)[0]
    level, mean_pa = expected_levels(one, pore.level_mean, pore.centre)

    assert np.allclose(level, mean_pa, atol=0.1)


def test_events_vary_as_in_the_table(tmp_path: Path) -> None:
    """Level SD, noise, its spread and dwells come from the table where it has them."""
    spread = {"noise_mean": 4.0, "noise_sd": 0.4, "dwell_mean": 30.0, "dwell_shape": 40.0, "level_sd": 5.0}
    path = table(tmp_path, **{name: np.full(4**K, value) for name, value in spread.items()})
    reads = made(5, pore_model=path, stall_rate=0, **EXACT)
    dwell = np.concatenate([one.events.duration for one in reads])
    sd_pa = np.concatenate([event_levels(one.read, one.events)[1] for one in reads])
    pore = random_pore_model(K, 99, 110, 20)
    off = [np.subtract(*expected_levels(one, pore.level_mean, pore.centre)) for one in reads]

    assert dwell.mean() == pytest.approx(30, rel=0.05)
    assert dwell.mean() ** 2 / dwell.var() == pytest.approx(40, rel=0.2)
    assert sd_pa.mean() == pytest.approx(4, rel=0.05)
    assert sd_pa.std() < 1.0
    assert np.concatenate(off).std() == pytest.approx(np.hypot(5, 1.6), rel=0.2)  # and the noise's part in a mean


def test_dwells_of_a_table_are_those_of_its_sample_rate(tmp_path: Path) -> None:
    """Reads of twice the rate have twice as many samples in each base."""
    dwells = {"dwell_mean": np.full(4**K, 30.0), "dwell_shape": np.full(4**K, 40.0), "sample_rate_hz": 4000.0}
    path = table(tmp_path, ".npz", **dwells)
    at_4khz, at_8khz = (
        np.concatenate([one.events.duration for one in made(5, pore_model=path, sample_rate_hz=rate, stall_rate=0)])
        for rate in (4000.0, 8000.0)
    )

    assert at_4khz.mean() == pytest.approx(30, rel=0.05)
    assert at_8khz.mean() == pytest.approx(60, rel=0.05)


def test_a_table_of_levels_alone_is_put_on_the_chemistrys_scale(tmp_path: Path) -> None:
    """ONT's normalised levels have neither unit nor SD; both come from the config."""
    level = random_pore_model(K, 99, 0, 1).level_mean
    one = made(1, pore_model=table(tmp_path, ".levels", level_mean=level), level_mean_pa=100, level_sd_pa=20, **EXACT)[
        0
    ]
    expected, mean_pa = expected_levels(one, 100 + 20 * level, 1)

    assert np.allclose(expected, mean_pa, atol=0.1)


def test_k_mers_of_a_table_can_be_turned(tmp_path: Path) -> None:
    """A table that names them in the signal's order gives the same RNA."""
    pore = random_pore_model(K, 99, 110, 20)
    back = pore.turned()
    usual, other = tmp_path / "usual", tmp_path / "other"
    for folder in (usual, other):
        folder.mkdir()
    one = made(1, chemistry="rna002", pore_model=table(usual))[0]
    same = made(1, chemistry="rna002", pore_model=table(other, level_mean=back.level_mean), turn_kmers=True)[0]

    assert np.array_equal(one.read.adc, same.read.adc)


def test_rna_comes_3_prime_end_first(tmp_path: Path) -> None:
    """Levels fit the k-mers of the bases in reverse order of their events better than those in order."""
    lopsided = 60 + 20.0 * (np.arange(4**K) // 16) + 15.0 * (np.arange(4**K) // 4 % 4)
    one = made(1, chemistry="rna002", pore_model=table(tmp_path, level_mean=lopsided))[0]
    ordered, backwards = (np.corrcoef(*expected_levels(one, lopsided, 0, rna=rna))[0, 1] for rna in (False, True))

    assert ordered < 0.8
    assert backwards > 0.9


def test_rna_of_a_fasta_is_its_sequence_backwards(tmp_path: Path) -> None:
    """Each read's bases, turned to 5' to 3', stand in the record; never the other strand's."""
    sequence = random_sequence(600)
    for one in made(20, fasta=fasta(tmp_path, one=sequence), chemistry="rna002"):
        assert letters(one.events.label[::-1]) in sequence


def test_the_tail_is_one_level_between_adapter_and_transcript(tmp_path: Path) -> None:
    """It lasts as long as so many bases, and is where the k-mer of A is."""
    path = table(tmp_path, level_sd=np.zeros(4**K))
    reads = made(20, chemistry="rna002", pore_model=path, polya_mean=50, polya_sd=5, **EXACT)
    level = random_pore_model(K, 99, 110, 20).level_mean[0]
    tails = [slice(one.regions.start[1], one.regions.end[1]) for one in reads]

    assert np.mean([tail.stop - tail.start for tail in tails]) == pytest.approx(50 * 3012 / 70, rel=0.1)
    for one, tail in zip(reads, tails, strict=True):
        assert one.regions.classes[one.regions.label[1]] == "polya"
        assert np.allclose((one.read.adc[tail] + 6) * one.read.calibration.scale, level, atol=0.1)


def test_dna_of_a_fasta_is_of_either_strand(tmp_path: Path) -> None:
    """Each read stands in the record or in its reverse complement, and both occur."""
    sequence = random_sequence(800)
    bases = [letters(one.events.label) for one in made(20, fasta=fasta(tmp_path, one=sequence))]
    forward = [read in sequence for read in bases]

    assert all(is_forward or read in turned(sequence) for is_forward, read in zip(forward, bases, strict=True))
    assert 4 <= sum(forward) <= 16


def test_records_are_drawn_by_their_length(tmp_path: Path) -> None:
    """Nine times as many places, about nine times as many reads; too short a record gives none."""
    records = {"long": random_sequence(5000, 1), "short": random_sequence(660, 2), "tiny": random_sequence(90, 3)}
    path = fasta(tmp_path, **records)
    reads = [letters(one.events.label) for one in made(80, fasta=path, bases_mean=100)]
    of = {name: sum(read in either for read in reads) for name, either in strands(records).items()}

    assert of["tiny"] == 0
    assert of["long"] + of["short"] == 80
    assert of["long"] > 60


def test_reads_keep_away_from_unknown_bases(tmp_path: Path) -> None:
    """An N ends a stretch, and lower case and U are bases."""
    left, right = random_sequence(400, 1), random_sequence(400, 2)
    path = fasta(tmp_path, one=f"{left}NNN{right.lower().replace('t', 'u')}")
    reads = [letters(one.events.label) for one in made(20, fasta=path)]

    assert all(any(read in either for either in strands({"l": left, "r": right}).values()) for read in reads)


def test_a_gzipped_fasta_is_the_same(tmp_path: Path) -> None:
    """Gzipped or plain."""
    plain = fasta(tmp_path, one=random_sequence(1000))
    gzipped = tmp_path / "gzipped.fa.gz"
    gzipped.write_bytes(gzip.compress(plain.read_bytes()))
    pair = [made(1, fasta=path)[0].read.adc for path in (plain, gzipped)]

    assert np.array_equal(*pair)


def test_a_fasta_of_short_sequences_is_a_config_error(tmp_path: Path) -> None:
    """The message names the number of bases that a read needs."""
    path = fasta(tmp_path, one=random_sequence(100), two=random_sequence(50) + "N" + random_sequence(60))

    with pytest.raises(ConfigError, match="no sequence has 104 bases without an N"):
        made(fasta=path)


def test_a_missing_fasta_is_a_format_error(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(FormatError, match=r"none\.fa: not a readable FASTA"):
        made(fasta=tmp_path / "none.fa")


def test_a_refused_command_leaves_no_folder(tmp_path: Path) -> None:
    """Files are read before anything is written."""
    config = SquiggleConfig(pore=PoreConfig(pore_model=tmp_path / "none.model"))
    with pytest.raises(FormatError, match=r"none\.model: no such file, nor a shipped pore model \(dna_r10"):
        command.simulate("squiggle", out=tmp_path / "sim", config=config)

    assert not (tmp_path / "sim").exists()


def test_stalls_are_rare_and_long() -> None:
    """The given share of the bases lasts longer by the given mean."""
    dwell = np.concatenate([one.events.duration for one in made(30, stall_rate=0.02, stall_samples=1000)])

    assert (dwell > 100).mean() == pytest.approx(0.02 * np.exp(-0.1), rel=0.3)
    assert dwell[dwell > 100].mean() == pytest.approx(1100, rel=0.2)


def test_noise_weights_give_unit_variance() -> None:
    """An ARMA process of these weights has SD 1 and the correlations asked for; equal numbers make it AR(1)."""
    this, before = noise_weights(0.5, 0.8)
    response = np.concatenate([[this], (0.8 * this + before) * 0.8 ** np.arange(200)])

    assert (response**2).sum() == pytest.approx(1)
    assert (response[1:] * response[:-1]).sum() == pytest.approx(0.5)
    assert (response[2:] * response[:-2]).sum() == pytest.approx(0.4)
    assert noise_weights(0.3, 0.3)[1] == 0


def test_within_event_variance_of_white_noise_is_known() -> None:
    """Of n white samples, the variance around their own mean is (n - 1) / n."""
    assert within_event_variance(np.array([2.0, 10.0]), 0.0, 0.0) == pytest.approx([0.5, 0.9])


def test_truth_beside_the_reads_can_be_prepared(tmp_path: Path) -> None:
    """Both tables are labels of source `intervals`."""
    config = from_flat(SquiggleConfig, SMALL | {"chemistry": "rna004"})
    command.simulate("squiggle", out=tmp_path / "sim", common=SimulateConfig(2, 1, "pod5"), config=config)
    with open_reads(tmp_path / "sim" / "reads.pod5") as reads:
        stored = list(reads)
    for name, classes in (("events", ("A", "C", "G", "T")), ("regions", ("adapter", "polya", "transcript"))):
        labels = open_labels("intervals", [tmp_path / "sim" / f"{name}.tsv"], SourceConfig())
        found = [labels.events(read) for read in stored]
        labels.close()

        assert labels.classes == classes
        assert all(len(events) for events in found)
    assert {read.chemistry.code for read in stored} == {"rna004"}


BAD = (
    {"chemistry": "dna_r7"},
    {"stall_rate": 1.5},
    {"noise_correlation": 0.8},
    {"sample_rate_hz": 0},
    {"dwell_mean": 0.5},
    {"spill": 0.5},
)


def test_dna_has_no_tail() -> None:
    """A tail of DNA is refused when reads are asked for: the settings alone know no chemistry."""
    with pytest.raises(ConfigError, match="polya_mean: only RNA has a tail"):
        made(1, polya_mean=30)


@pytest.mark.parametrize("settings", BAD, ids=lambda settings: next(iter(settings)))
def test_settings_that_cannot_be_meant_are_config_errors(settings: dict[str, Any]) -> None:
    """The message names the setting."""
    with pytest.raises(ConfigError, match=next(iter(settings))):
        from_flat(SquiggleConfig, settings)

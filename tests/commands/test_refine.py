import json
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from poreconv.cli.main import main
from poreconv.commands.convert import convert
from poreconv.commands.refine import refine as refine_files
from poreconv.config import (
    ConvertConfig,
    MoleculeConfig,
    PoreConfig,
    RefineConfig,
    SimulateConfig,
    SourceConfig,
    SquiggleConfig,
    WorkConfig,
)
from poreconv.errors import ConfigError, LabelError
from poreconv.evaluation.metrics.jump import JumpRatio
from poreconv.events.events import Events
from poreconv.events.matching import match_count
from poreconv.events.writers.table import events_table
from poreconv.events.writers.tsv import TsvWriter
from poreconv.labels.opening import open_labels
from poreconv.labels.refinement import refine, refine_events
from poreconv.labels.sources import LabelSource
from poreconv.pore_models.model import PoreModel, random_pore_model
from poreconv.pore_models.tables import read_pore_model, write_pore_model
from poreconv.reads.read import Calibration, Read
from poreconv.reads.readers import open_reads
from poreconv.reads.readers.writing import write_reads
from poreconv.simulate import squiggle

BASES = ("A", "C", "G", "T")
SQUIGGLE = SquiggleConfig(pore=PoreConfig(k=3), molecule=MoleculeConfig(bases_mean=600, bases_min=400))
PORE = random_pore_model(SQUIGGLE.pore.k, SQUIGGLE.pore.pore_seed, 90, 14)

Simulated = list[tuple[Read, Events]]


@cache
def simulated() -> Simulated:
    """Give four reads and their true events."""
    return [(made.read, made.events) for made in squiggle.simulate(SimulateConfig(reads=4, seed=7), SQUIGGLE)]


def moved(truth: Events, stride: int = 5, late: int = 0, seed: int = 0) -> Events:
    """Labels as a move table gives them: jittered, late, in whole strides, so that none is exact but by chance."""
    jitter = np.random.default_rng(seed).normal(late, 4, len(truth))
    block = np.maximum(truth.start + jitter, 0).astype(np.int64) // stride * stride
    start = np.maximum.accumulate(block - np.arange(len(block))) + np.arange(len(block))
    end = np.append(start[1:], max(int(truth.end[-1]), int(start[-1]) + 1))
    return Events.of(start, end, label=truth.label, classes=BASES)


def f1(true: Sequence[Events], found: Sequence[Events], tolerance: int) -> float:
    """Agreement of boundaries, pooled over reads."""
    pairs = sum(match_count(one.start, other.start, tolerance) for one, other in zip(true, found, strict=True))
    return 2 * pairs / sum(len(events) for events in [*true, *found])


def test_coarse_boundaries_become_exact() -> None:
    """Where the truth is known, a third of the moves lie within 1 sample of it; refined, four fifths."""
    truth = [events for _, events in simulated()]
    coarse = [moved(events) for events in truth]

    refined = [refine_events(read, events, PORE, RefineConfig()) for (read, _), events in zipped(coarse)]

    assert f1(truth, coarse, 1) < 0.4
    assert f1(truth, refined, 1) > 0.77


def test_moves_that_run_late_are_brought_back() -> None:
    """A basecaller's moves may lie up to a base off; it doesn't matter."""
    truth = [events for _, events in simulated()]

    in_time, late = (
        [refine_events(read, events, PORE, RefineConfig()) for (read, _), events in zipped(coarse)]
        for coarse in ([moved(events, late=late) for events in truth] for late in (0, 7))
    )

    assert f1(truth, late, 1) == pytest.approx(f1(truth, in_time, 1), abs=0.005)


def zipped(coarse: list[Events]) -> list[tuple[tuple[Read, Events], Events]]:
    """Pair the simulated reads with labels for them."""
    return list(zip(simulated(), coarse, strict=True))


def test_refined_events_keep_their_bases() -> None:
    """Each k-mer's event has the class of its central base; the outermost bases have no k-mer and no event."""
    read, truth = simulated()[0]

    refined = refine_events(read, moved(truth), PORE, RefineConfig())

    assert refined.label.tolist() == truth.label[1:-1].tolist()
    assert refined.classes == BASES
    assert refined.coverage.tolist() == [[refined.start[0], refined.end[-1]]]


def test_score_is_the_quality_of_the_read() -> None:
    """All events of a read have the correlation of its events with their levels as score."""
    read, truth = simulated()[1]

    refined = refine_events(read, moved(truth), PORE, RefineConfig())

    assert len(np.unique(refined.score)) == 1
    assert 0.95 < refined.score[0] < 1


def test_without_a_path_the_bases_are_spread_evenly() -> None:
    """The sequence alone is enough, where the band is wide and the signal holds nothing else."""
    read, truth = simulated()[0]
    pa = read.pa[truth.start[0] :]

    found = refine(pa, truth.label, PORE, None, RefineConfig(band_dwells=40))

    assert match_count(truth.start - truth.start[0], found.edge, 1) > 0.75 * len(truth)


def test_another_sequence_is_a_named_drop() -> None:
    """A read whose labels belong to another molecule does not fit, whatever the path."""
    read, truth = simulated()[0]
    wrong = Events.of(truth.start, truth.end, label=np.random.default_rng(0).permutation(truth.label), classes=BASES)

    with pytest.raises(LabelError, match=r"correlate with the levels at 0\.\d\d, below 0\.9") as caught:
        refine_events(read, wrong, PORE, RefineConfig())

    assert caught.value.reason == "refine_misfit"
    assert read.read_id in str(caught.value)


def test_rna_tables_of_either_direction_give_the_same() -> None:
    """Some tables name RNA k-mers 5' to 3', others in signal order: the signal decides which it is."""
    made, truth = simulated()[0]
    read = Read("rna", made.adc, Calibration(made.calibration.offset, made.calibration.scale), 3012.0, kit="SQK-RNA002")

    as_is, turned = (refine_events(read, moved(truth), pore, RefineConfig()) for pore in (PORE, PORE.turned()))

    assert as_is.start.tolist() == turned.start.tolist()
    assert as_is.label.tolist() == turned.label.tolist()


def test_each_part_of_a_split_read_is_refined_by_itself() -> None:
    """Two molecules in one read: no k-mer reaches across the gap."""
    read, truth = simulated()[0]
    there = np.r_[0:180, 220 : len(truth)]
    coarse = moved(truth)
    parts = Events.of(coarse.start[there], coarse.end[there], label=coarse.label[there], classes=BASES)

    refined = refine_events(read, parts, PORE, RefineConfig())

    assert len(refined.coverage) == 2
    assert len(refined) == len(parts) - 2 * (PORE.k - 1)


@pytest.mark.parametrize(
    ("n_bases", "n_samples", "reason"),
    [(11, 100, "refine_short"), (40, 60, "refine_no_room")],
)
def test_what_cannot_be_refined_is_a_named_drop(n_bases: int, n_samples: int, reason: str) -> None:
    """Too few bases to estimate the scale, too few samples for the bases."""
    rng = np.random.default_rng(0)
    pa, codes = rng.normal(90, 10, n_samples).astype(np.float32), rng.integers(0, 4, n_bases).astype(np.int16)

    with pytest.raises(LabelError) as caught:
        refine(pa, codes, PORE, None, RefineConfig())

    assert caught.value.reason == reason


def test_a_flat_read_is_a_named_drop() -> None:
    """A signal without steps has no scale."""
    codes = np.random.default_rng(0).integers(0, 4, 40).astype(np.int16)

    with pytest.raises(LabelError) as caught:
        refine(np.full(800, 90, np.float32), codes, PORE, None, RefineConfig())

    assert caught.value.reason == "flat"


def test_bases_that_are_not_known_are_a_named_drop() -> None:
    """A source that knows places only gives no levels."""
    read, truth = simulated()[0]

    with pytest.raises(LabelError) as caught:
        refine_events(read, Events.of(truth.start, truth.end, classes=BASES), PORE, RefineConfig())

    assert caught.value.reason == "refine_unknown_base"


def test_labels_out_of_reach_are_a_named_drop() -> None:
    """Half of the bases a sample long, and a band that gives them no room for two."""
    rng = np.random.default_rng(0)
    coarse = np.append(np.arange(30), np.linspace(30, 3000, 31).astype(np.int64))

    with pytest.raises(LabelError) as caught:
        refine(
            rng.normal(90, 10, 3000).astype(np.float32),
            rng.integers(0, 4, 60).astype(np.int16),
            PORE,
            coarse,
            RefineConfig(band_dwells=0.01),
        )

    assert caught.value.reason == "refine_no_path"


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(12, 60), st.integers(1, 4), st.floats(0.1, 8), st.booleans())
def test_edges_ascend_inside_the_signal(seed: int, n_bases: int, min_dwell: int, band: float, even: bool) -> None:
    """Whatever signal, sequence and path: an edge per k-mer and one more, each event long enough; or a named drop."""
    rng = np.random.default_rng(seed)
    n_samples = int(rng.integers(n_bases, 15 * n_bases))
    pa, codes = rng.normal(90, 10, n_samples).astype(np.float32), rng.integers(0, 4, n_bases).astype(np.int16)
    coarse = np.sort(rng.choice(n_samples + 1, n_bases + 1, replace=False))
    config = RefineConfig(min_quality=0, min_dwell=min_dwell, band_dwells=band)
    edge = _edge_or_reason(pa, codes, None if even else coarse, config)
    if isinstance(edge, str):
        assert edge in {"refine_no_room", "refine_no_path", "refine_misfit"}
        return

    assert edge.shape == (n_bases - PORE.k + 2,)
    assert np.diff(edge).min() >= min_dwell
    assert edge[0] >= 0
    assert edge[-1] <= n_samples


def _edge_or_reason(
    pa: NDArray[np.float32], codes: NDArray[np.int16], coarse: NDArray[np.int64] | None, config: RefineConfig
) -> NDArray[np.int64] | str:
    try:
        return refine(pa, codes, PORE, coarse, config).edge
    except LabelError as exc:
        return exc.reason


@pytest.fixture
def on_disk(tmp_path: Path) -> Path:
    """Give a folder with reads, a table of levels, and coarse labels."""
    write_reads(tmp_path / "reads.fast5", (read for read, _ in simulated()))
    write_pore_model(tmp_path / "pore.model", PORE)
    with closing(TsvWriter(tmp_path / "coarse.tsv")) as writer:
        for read, truth in simulated()[:-1]:
            writer.write(events_table(read, moved(truth)))
    return tmp_path


@pytest.mark.parametrize("suffix", [".tsv", ".parquet"])
def test_refined_labels_are_a_label_table(suffix: str, on_disk: Path) -> None:
    """What the command writes, label source `intervals` reads; a read without label is dropped by name."""
    out = on_disk / f"exact{suffix}"
    given = {"labels": "intervals", "labels_from": [on_disk / "coarse.tsv"], "pore_model": on_disk / "pore.model"}

    ledger = refine_files(on_disk / "reads.fast5", out=out, config=RefineConfig(work=WorkConfig(workers=1)), **given)

    with closing(open_labels("intervals", [out], SourceConfig())) as exact:
        assert exact.classes == BASES
        for read, truth in simulated()[:-1]:
            expected = refine_events(read, moved(truth), PORE, RefineConfig())
            assert exact.events(read).start.tolist() == expected.start.tolist()
            assert exact.events(read).label.tolist() == expected.label.tolist()
    assert (ledger.kept, dict(ledger.counts)) == (3, {"no_label": 1})
    assert json.loads(out.with_name(f"{out.name}.ledger.json").read_text())["kept"] == 3


def test_refined_labels_as_paf(on_disk: Path) -> None:
    """Label source `resquiggle_paf` reads the same places."""
    out = on_disk / "exact.paf"
    given = {"labels": "intervals", "labels_from": [on_disk / "coarse.tsv"], "pore_model": on_disk / "pore.model"}

    refine_files(on_disk / "reads.fast5", out=out, config=RefineConfig(work=WorkConfig(workers=1)), **given)

    read, truth = simulated()[0]
    with closing(open_labels("resquiggle_paf", [out], SourceConfig())) as exact:
        expected = refine_events(read, moved(truth), PORE, RefineConfig())
        assert exact.events(read).start.tolist() == expected.start.tolist()


def test_moves_that_were_written_here_are_refined_too(on_disk: Path) -> None:
    """Labels as a BAM of moves, or as a table: the same result."""
    signal, tables, results = on_disk / "reads.fast5", [on_disk / "coarse.tsv", on_disk / "coarse.bam"], []
    convert(
        signal,
        labels="intervals",
        labels_from=tables[:1],
        out=tables[1],
        config=ConvertConfig(work=WorkConfig(workers=1)),
    )

    for labels, table in zip(("intervals", "bam_moves"), tables, strict=True):
        out = on_disk / f"{labels}.tsv"
        given = {"labels": labels, "labels_from": [table], "pore_model": on_disk / "pore.model", "out": out}
        refine_files(signal, config=RefineConfig(work=WorkConfig(workers=1)), **given)
        results.append(out.read_text())
    assert results[0] == results[1]


def test_labels_without_bases_are_refused(on_disk: Path) -> None:
    """Places alone have no levels: that is the user's mistake, not each read's."""
    table = on_disk / "places.tsv"
    table.write_text("read_id\tstart\tend\tlabel\nx\t0\t9\tpeak\n")

    with pytest.raises(ConfigError, match="labels intervals: without bases"):
        refine_files(
            on_disk / "reads.fast5",
            labels="intervals",
            labels_from=[table],
            pore_model=on_disk / "pore.model",
            out=on_disk / "exact.tsv",
        )


def test_the_command_says_what_it_made(on_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the command line: the output's name, the drop ledger, and what explains it."""
    words = ["refine", "reads.fast5", "--labels", "intervals", "--labels_from", "coarse.tsv"]
    words += ["--pore_model", "pore.model", "--out", "exact.tsv", "--workers", "1"]

    main([str(on_disk / word) if "." in word else word for word in words])

    printed = capsys.readouterr()
    assert printed.out == f"{on_disk / 'exact.tsv'}\n"
    assert printed.err.splitlines() == [
        "reads in 4 = kept 3 + dropped 1 (no_label 1)",
        "poreconv explain no_label: why, and what to do",
    ]


def compared(
    reads: Sequence[Read], coarse: LabelSource, judge: LabelSource, model: PoreModel
) -> tuple[list[float], float]:
    """F1 within 1 and 2 samples of the judge, where both have a label; and the mean jump ratio."""
    true, found, ratio = [], [], JumpRatio()
    for read in reads:
        events, truth = coarse.events(read), judge.events(read)
        assert events is not None
        assert truth is not None
        refined = refine_events(read, events, model, RefineConfig())
        first, end = max(refined.start[0], truth.start[0]), min(refined.end[-1], truth.end[-1])
        pair = [one.start[(one.start >= first) & (one.start < end)] for one in (truth, refined)]
        true.append(pair[0])
        found.append(pair[1])
        ratio.update(read.pa, Events.of(pair[1][:-1], pair[1][1:]))
    n = sum(map(len, [*true, *found]))
    pairs = [sum(match_count(a, b, tolerance) for a, b in zip(true, found, strict=True)) for tolerance in (1, 2)]
    return [2 * count / n for count in pairs], ratio.compute()


@pytest.mark.real
def test_r10_moves_refined_agree_with_f5c(real_data: Path) -> None:
    """Six reads' moves and a 9-mer table, judged by f5c resquiggle: 0.84 within 1 sample, 0.85 within 2."""
    folder = real_data / "dna_r1041_4khz_remora"
    model = read_pore_model(real_data / "kmer_models/uncalled4/dna_r10.4.1_400bps_9mer.npz")
    moves = open_labels("bam_moves", [folder / "can_mappings.bam"], SourceConfig())
    judge = open_labels("resquiggle_paf", [folder / "resquiggle.paf"], SourceConfig())
    with open_reads(folder / "can_reads.pod5") as reads, closing(moves), closing(judge):
        scores, jump = compared(list(islice(reads, 6)), moves, judge, model)

    assert model.centre == 6
    assert scores[0] > 0.82
    assert scores[1] > 0.83
    assert jump > 2.6


@pytest.mark.real
def test_rna_moves_refined_agree_with_tombo(real_data: Path) -> None:
    """Six RNA001 reads, judged by Tombo: 0.56 within 1 sample, where two aligners agree 0.58; the moves 0.11."""
    model = read_pore_model(real_data / "kmer_models/f5c/r9.4_70bps.u_to_t_rna.5mer.template.model")
    moves, judge = (open_labels(name, [], SourceConfig()) for name in ("fast5_moves", "tombo"))
    with open_reads(real_data / "rna001_actb_tombo_and_moves") as reads, closing(moves), closing(judge):
        scores, jump = compared(list(islice(reads, 6)), moves, judge, model)

    assert scores[0] > 0.52
    assert jump > 3.2


@pytest.mark.real
def test_rna004_moves_refined_agree_with_other_programs(real_data: Path) -> None:
    """Twenty reads of tRNA whose moves are 46 samples off: all but one fit, 0.68 within 1 sample of remora's."""
    folder = real_data / "rna004_trna_ecoli"
    moves = open_labels("bam_moves", [folder / "ecoli_trna_wt_mappings.bam"], SourceConfig())
    judge = open_labels("resquiggle_paf", [folder / "remora_refined.paf"], SourceConfig())
    with open_reads(folder / "ecoli_trna_wt_reads.pod5") as reads, closing(moves), closing(judge):
        scores, jump = compared(list(islice(reads, 20)), moves, judge, read_pore_model(Path("rna004")))

    assert scores[0] > 0.62
    assert scores[1] > 0.66
    assert jump > 2.6

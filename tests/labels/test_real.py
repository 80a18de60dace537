"""Every label source on real reads: all labels are found, and boundaries lie where the signal jumps."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.evaluation.metrics.jump import JumpRatio, jumps
from poreconv.events.events import Events
from poreconv.labels.opening import open_labels
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from tests.support.labels import read_of

pytestmark = pytest.mark.real

LabelledReads = list[tuple[Read, Events]]

LAMBDA, RNA002, RNA001 = "dna_r941_lambda_tombo", "rna002_18s_tombo", "rna001_actb_tombo_and_moves"
ECOLI, HUMAN = "dna_r94_ecoli_f5c_resquiggle", "dna_r1041_4khz_human_f5c_and_moves"
POLYA, TAILS, ALIGNED = "rna002_polya_regions", "tails_rna001_and_cdna_albacore", "dna_r9_aligntoref"

IN_FAST5 = [
    # source, set, file of labels, reads, events, jump ratio
    ("tombo", LAMBDA, "", 38, 328_207, 2.5),
    ("tombo", RNA002, "", 40, 26_357, 3.1),
    ("tombo", RNA001, "", 24, 27_960, 3.4),
    ("resquiggle_paf", ECOLI, "resquiggle.paf", 112, 607_042, 2.4),
    ("fast5_moves", RNA001, "", 24, 27_983, 1.2),
    ("fast5_moves", POLYA, "", 23, 10_975, 1.3),
    ("fast5_events", TAILS, "", 18, 11_152, 1.7),
    ("fast5_events", ALIGNED, "", 2, 3_758, 2.5),
    ("aligned_to_ref", ALIGNED, "", 2, 3_658, 2.5),
]
"""Sets whose signal is fast5. Tails: 12,967 moves, of which 1,815 skip a base that has no place."""

REMORA, TRNA, SEQUIN = "dna_r1041_4khz_remora", "rna004_trna_ecoli", "rna002_sequin_f5c_ss"
SAME = "rna002_same_reads_formats_eventalign"
TRNA_BAMS = ("ecoli_trna_tb_mappings.bam", "ecoli_trna_wt_mappings.bam")
EVENTALIGN = ("eventalign_result.csv", "eventalign_summary.csv")

FROM_FILES = [
    # source, set, file of reads or "", files of labels, reads, events, jump ratio
    ("bam_moves", REMORA, "", ("can_mappings.bam", "mod_mappings.bam"), 28, 209_370, 1.2),
    ("bam_moves", TRNA, "", TRNA_BAMS, 360, 46_804, 1.1),
    ("sam_resquiggle", SEQUIN, "", ("eventalign.bam",), 19, 21_143, 3.5),
    ("sam_resquiggle", HUMAN, "", ("sorted_eventalign.bam",), 26, 116_582, 2.7),
    ("eventalign", SAME, "test.fast5", EVENTALIGN, 3, 2_543, 3.7),
    ("eventalign", SAME, "test.pod5", EVENTALIGN, 3, 2_543, 3.7),
    ("eventalign", SAME, "test.blow5", EVENTALIGN, 3, 2_543, 3.7),
    ("polya", POLYA, "basecalled_test.fast5", ("nanopolish_output.tsv",), 17, 51, 3.2),
    ("polya", POLYA, "example_DRS.pod5", ("nanopolish_output.tsv",), 17, 51, 3.2),
    ("polya", POLYA, "basecalled_test.fast5", ("tailfindr_output.csv",), 23, 69, 1.5),
]
"""Sets whose labels are in files of their own. Sequins: 21,970 bases, of which 827 were skipped."""

EXACT = [case[:3] for case in IN_FAST5 if case[0] in ("tombo", "resquiggle_paf")]
"""Sources that align to the signal; a basecaller's moves are right to one block only."""


def labelled(
    real_data: Path, source: str, folder: str, *files: str, reads_in: str = ""
) -> tuple[LabelledReads, Counter[str]]:
    """Label the reads of a set, or of one of its files; misfits are dropped and counted by reason among the notes."""
    labels = open_labels(source, [real_data / folder / file for file in files if file], SourceConfig())
    kept: LabelledReads = []
    with closing(labels), open_reads(real_data / folder / reads_in) as reads:
        for read in reads:
            try:
                events = labels.events(read)
            except LabelError as error:
                labels.notes[error.reason] += 1
                continue
            if events is not None:
                kept.append((read, events))
    return kept, labels.notes


def paf_events(path: Path) -> tuple[list[Events], Counter[str]]:
    """Label flat stand-ins for the reads of a PAF, where only places matter."""
    labels = open_labels("resquiggle_paf", [path], SourceConfig())
    samples = dict(line.split("\t")[:2] for line in path.read_text().splitlines())
    found: list[Events] = []
    for read_id, n_samples in samples.items():
        try:
            found += [events for events in [labels.events(read_of(read_id, int(n_samples)))] if events is not None]
        except LabelError as error:
            labels.notes[error.reason] += 1
    labels.close()
    return found, labels.notes


def jump_ratio(reads: LabelledReads) -> float:
    """Mean jump at the boundaries over the mean jump anywhere."""
    ratio = JumpRatio()
    for read, events in reads:
        ratio.update(read.pa, events)
    return ratio.compute()


def mean_jump(reads: LabelledReads, shift: int) -> float:
    """Mean jump at all boundaries, moved by ``shift`` samples."""
    found = []
    for read, events in reads:
        jump, at = jumps(read.pa), events.start - 3 + shift
        found.append(jump[at[(at >= 0) & (at < len(jump))]])
    return float(np.concatenate(found).mean())


@pytest.mark.parametrize(("source", "folder", "file", "n_reads", "n_events", "ratio"), IN_FAST5)
def test_real_labels_are_all_found_and_lie_where_the_signal_jumps(
    real_data: Path, source: str, folder: str, file: str, n_reads: int, n_events: int, ratio: float
) -> None:
    """A shift, or RNA read in the wrong direction, would give a ratio of 1."""
    reads, _ = labelled(real_data, source, folder, file)

    assert (len(reads), sum(len(events) for _, events in reads)) == (n_reads, n_events)
    assert jump_ratio(reads) == pytest.approx(ratio, abs=0.12)


@pytest.mark.parametrize(("source", "folder", "reads_in", "files", "n_reads", "n_events", "ratio"), FROM_FILES)
def test_real_label_files_label_their_reads(
    real_data: Path,
    source: str,
    folder: str,
    reads_in: str,
    files: Sequence[str],
    n_reads: int,
    n_events: int,
    ratio: float,
) -> None:
    """Reads may be in any format."""
    reads, _ = labelled(real_data, source, folder, *files, reads_in=reads_in)

    assert (len(reads), sum(len(events) for _, events in reads)) == (n_reads, n_events)
    assert jump_ratio(reads) == pytest.approx(ratio, abs=0.12)


def test_the_drop_reason_of_a_tail_is_nanopolishs_verdict(real_data: Path) -> None:
    """17 of its 23 rows pass."""
    _, notes = labelled(real_data, "polya", POLYA, "nanopolish_output.tsv", reads_in="basecalled_test.fast5")

    assert notes == {"label_qc_suffclip": 3, "label_qc_adapter": 2, "label_qc_read_failed_load": 1}


def test_nanopolish_and_tailfindr_find_the_same_tails(real_data: Path) -> None:
    """Their tails share over nine tenths of their samples."""
    nanopolish, tailfindr = (_tails(real_data, file) for file in ("nanopolish_output.tsv", "tailfindr_output.csv"))
    both = [(start, end, *tailfindr[read_id]) for read_id, (start, end) in nanopolish.items()]
    shared = [(min(b, d) - max(a, c)) / (max(b, d) - min(a, c)) for a, b, c, d in both]

    assert np.median(shared) > 0.9


def _tails(real_data: Path, file: str) -> dict[str, tuple[int, int]]:
    reads, _ = labelled(real_data, "polya", POLYA, file, reads_in="basecalled_test.fast5")
    return {read.read_id: (events.start[1], events.end[1]) for read, events in reads}


@pytest.mark.parametrize(("source", "folder", "file"), EXACT)
def test_aligned_boundaries_are_right_to_the_sample(real_data: Path, source: str, folder: str, file: str) -> None:
    """Moved by one sample to either side, the jumps are smaller."""
    reads, _ = labelled(real_data, source, folder, file)
    at = {shift: mean_jump(reads, shift) for shift in range(-6, 7)}

    assert max(at, key=at.__getitem__) == 0


def test_two_sources_agree_on_the_bases_of_rna(real_data: Path) -> None:
    """Tombo and guppy name the same base at over half of the samples; a reversed sequence gives a quarter."""
    tombo, moves = (dict(_bases(real_data, source)) for source in ("tombo", "fast5_moves"))
    both = [(tombo[name] >= 0) & (moves[name] >= 0) for name in tombo]
    same = [(tombo[name] == moves[name])[where].sum() for name, where in zip(tombo, both, strict=True)]

    assert sum(same) / sum(where.sum() for where in both) == pytest.approx(0.56, abs=0.01)


def _bases(real_data: Path, source: str) -> list[tuple[str, np.ndarray]]:
    rows = []
    for read, events in labelled(real_data, source, RNA001)[0]:
        base = np.full(len(read.adc), -1)
        for start, end, label in zip(events.start, events.end, events.label, strict=True):
            base[start:end] = label
        rows.append((read.read_id, base))
    return rows


def test_skipped_bases_make_up_the_rest_of_the_tails(real_data: Path) -> None:
    """11,152 events and 1,815 bases without a place are the README's 12,967."""
    _, notes = labelled(real_data, "fast5_events", TAILS)

    assert notes == {"bases_without_place": 12_967 - 11_152}


def test_the_newest_of_two_basecalls_wins(real_data: Path) -> None:
    """One read of this set was called twice, with different trims."""
    _, notes = labelled(real_data, "fast5_events", ALIGNED)

    assert notes["other_basecalls"] == 1


def test_move_stubs_longer_than_their_signal_are_named_drops(real_data: Path) -> None:
    """Test files of ont-fast5-api with 10 samples and a Move table of the whole read."""
    stubs = "edge_cases/fast5_ont_fast5_api/single_read_analyses"
    reads, notes = labelled(real_data, "fast5_moves", stubs)

    assert (reads, notes) == ([], {"label_outside_signal": 1})


@pytest.mark.parametrize(
    ("path", "n_reads", "n_events", "notes"),
    [
        (f"{HUMAN}/resquiggle.paf", 23, 165_524, {}),
        (f"{HUMAN}/eventalign.paf", 26, 115_099, {"other_records": 21}),
        (f"{HUMAN}/move.paf", 27, 181_883, {"label_span": 1}),
        ("dna_r1041_4khz_remora/resquiggle.paf", 27, 200_925, {}),
    ],
)
def test_real_paf_files_give_each_read_one_record(
    real_data: Path, path: str, n_reads: int, n_events: int, notes: dict[str, int]
) -> None:
    """47 records of 26 reads; and one record of 28 whose run string does not span its columns."""
    found, met = paf_events(real_data / path)

    assert (len(found), sum(map(len, found)), dict(met)) == (n_reads, n_events, notes)


@pytest.mark.parametrize(
    ("file", "n_reads", "ratio"), [("resquiggle.paf", 23, 2.7), ("eventalign.paf", 26, 2.6), ("move.paf", 26, 1.2)]
)
def test_r10_boundaries_lie_where_the_signal_jumps(real_data: Path, file: str, n_reads: int, ratio: float) -> None:
    """Also on the reference's reverse strand, because the run string is in signal order."""
    reads, _ = labelled(real_data, "resquiggle_paf", HUMAN, file)

    assert len(reads) == n_reads
    assert jump_ratio(reads) == pytest.approx(ratio, abs=0.15)

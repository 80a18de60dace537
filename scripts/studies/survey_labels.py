"""Every real set with every label source that knows it: how many reads, how many labels, do they lie where it steps?

Usage: python -m scripts.studies.survey_labels [--sets NAME...] [--json survey_labels.json]

The reads are looked for in $PORECONV_DATA, else in ../shared/data. Prints a Markdown table. The jump ratio is the mean
step of the current at a boundary over the mean step anywhere; 1 is chance.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from poreconv.config import SourceConfig
from poreconv.errors import LabelError
from poreconv.evaluation.metrics.jump import JumpRatio
from poreconv.labels.opening import open_labels
from poreconv.reads.readers import open_reads
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.progress import progress_bar
from scripts.studies.results import MarkdownTable, required_data, study_parser, write_results

SITES = ("can_gt.bed", "can_mappings.bam", "mod_gt.bed", "mod_mappings.bam")
"""Two samples, each with what is known of its reads' sites."""

EVENTALIGN = ("eventalign_result.csv", "eventalign_summary.csv")
TRNA = ("ecoli_trna_tb_mappings.bam", "ecoli_trna_wt_mappings.bam")

HUMAN, REMORA, POLYA = "dna_r1041_4khz_human_f5c_and_moves", "dna_r1041_4khz_remora", "rna002_polya_regions"

SETS: list[tuple[str, str, str, tuple[str, ...]]] = [
    # set, reads, label source, its files
    ("dna_r941_lambda_tombo", ".", "tombo", ()),
    ("dna_r94_ecoli_f5c_resquiggle", "fast5", "resquiggle_paf", ("resquiggle.paf",)),
    (HUMAN, "reads.blow5", "resquiggle_paf", ("resquiggle.paf",)),
    (HUMAN, "reads.blow5", "resquiggle_paf", ("eventalign.paf",)),
    (HUMAN, "reads.blow5", "resquiggle_paf", ("move.paf",)),
    (HUMAN, "reads.blow5", "sam_resquiggle", ("sorted_eventalign.bam",)),
    (REMORA, ".", "resquiggle_paf", ("resquiggle.paf",)),
    (REMORA, ".", "bam_moves", ("can_mappings.bam", "mod_mappings.bam")),
    (REMORA, ".", "bed_modified", SITES),
    (REMORA, ".", "bed_modified", (*SITES, "resquiggle.paf")),
    ("dna_r9_aligntoref", ".", "aligned_to_ref", ()),
    ("dna_r9_aligntoref", ".", "fast5_events", ()),
    ("tails_rna001_and_cdna_albacore", ".", "fast5_events", ()),
    ("rna001_actb_tombo_and_moves", ".", "tombo", ()),
    ("rna001_actb_tombo_and_moves", ".", "fast5_moves", ()),
    ("rna002_18s_tombo", ".", "tombo", ()),
    ("rna002_sequin_f5c_ss", "reads.blow5", "sam_resquiggle", ("eventalign.bam",)),
    ("rna002_same_reads_formats_eventalign", "test.pod5", "eventalign", EVENTALIGN),
    ("dna_r941_gzip_vs_vbz", ".", "fast5_moves", ()),  # twice the same reads, of which nobody has labels
    (POLYA, "basecalled_test.fast5", "fast5_moves", ()),
    (POLYA, "basecalled_test.fast5", "polya", ("nanopolish_output.tsv",)),
    (POLYA, "example_DRS.pod5", "polya", ("tailfindr_output.csv",)),
    ("protein_nanopore_captures", "bulk_fast5_dummy.fast5", "captures", ("classified_9captures.fast5",)),
    ("rna004_trna_ecoli", ".", "bam_moves", TRNA),
]
"""Sets, among the real data, and what labels them."""


@dataclass(frozen=True)
class Surveyed:
    """One set with one label source."""

    set: str
    signal: str
    """Suffixes of the files."""
    labels: str
    """The source and its files."""
    reads_in: int
    labelled: int
    dropped: dict[str, int]
    """Reason -> reads, the most frequent first."""
    events: int
    jump_ratio: float
    """NaN without events."""


def _survey(folder: Path, reads: str, source: str, files: tuple[str, ...]) -> Surveyed:
    ledger, ratio = Ledger(), JumpRatio()
    dropped, formats, labelled, n_events = Counter[str](), dict[str, None](), 0, 0
    labels = open_labels(source, [folder / file for file in files], SourceConfig())
    with closing(labels), open_reads(folder / reads, ledger=ledger) as stream:
        for read in stream:
            formats[read.source.suffix if read.source else ""] = None
            try:
                events = labels.events(read)
            except LabelError as error:
                dropped[error.reason] += 1
                continue
            if events is None:
                dropped["no_label"] += 1
                continue
            labelled, n_events = labelled + 1, n_events + len(events)
            ratio.update(read.pa, events)
    dropped.update(ledger.counts)
    return Surveyed(
        set=folder.name,
        signal=", ".join(formats),
        labels=" ".join([source, *files]),
        reads_in=labelled + dropped.total(),
        labelled=labelled,
        dropped=dict(dropped.most_common()),
        events=n_events,
        jump_ratio=ratio.compute(),
    )


COLUMNS = ("set", "signal", "labels", "reads in", "labelled", "dropped", "events", "jump ratio")


def _cells(one: Surveyed) -> list[str]:
    dropped = ", ".join(f"{reason} {n}" for reason, n in one.dropped.items()) or "0"
    jump = f"{one.jump_ratio:.2f}" if one.events else "-"
    numbers = [f"{one.reads_in:,}", f"{one.labelled:,}", dropped, f"{one.events:,}", jump]
    return [one.set, one.signal, one.labels, *numbers]


def main(arguments: Sequence[str] | None = None) -> None:
    """Survey, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("survey_labels", __doc__)
    names = list(dict.fromkeys(name for name, *_ in SETS))
    parser.add_argument("--sets", nargs="+", choices=names, default=names, metavar="NAME", help="default: all")
    chosen = parser.parse_args(arguments)
    data = required_data(*chosen.sets)
    asked = [one for one in SETS if one[0] in chosen.sets]
    table, results = MarkdownTable(*COLUMNS), list[Surveyed]()
    with progress_bar("survey") as progress:
        for done, (name, reads, source, files) in enumerate(asked, start=1):
            results.append(_survey(data / name, reads, source, files))
            table.add(*_cells(results[-1]))
            progress(done / len(asked))
    write_results(chosen, results)


if __name__ == "__main__":
    main()

"""Make the pore models that the package ships, and compare them with published ones. Prints a Markdown table.

Usage: python -m scripts.studies.estimate_pore_models [OUT] [--json estimate_pore_models.json]

The reads are looked for in $PORECONV_DATA, else in ../shared/data. The tables go to OUT (default:
poreconv/pore_models), replacing what is there. All are estimated from reads but RNA004's, of which there are too few:
it is uncalled4's published table, its k-mers turned 5' to 3', with a card that names source and licence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from poreconv.commands.kmers import kmers
from poreconv.pore_models.model import PoreModel
from poreconv.pore_models.tables import read_pore_model, write_pore_model
from scripts.studies.results import ROOT, MarkdownTable, required_data, study_parser, write_results

LAMBDA, ECOLI = "dna_r941_lambda_tombo", "dna_r94_ecoli_f5c_resquiggle"
HUMAN = "dna_r1041_4khz_human_f5c_and_moves"
RNA = ("rna001_actb_tombo_and_moves", "rna002_18s_tombo")
LEGACY, UNCALLED4 = "kmer_models/nanoporetech_kmer_models/legacy", "kmer_models/uncalled4"

OFTEN = 10
"""Events from which a k-mer counts as seen often."""


@dataclass(frozen=True)
class Published:
    """A published pore model."""

    publisher: str
    file: str
    """Among the real data."""
    turned: bool = False
    """Whether its k-mers are named 3' to 5'."""


@dataclass(frozen=True)
class Plan:
    """From what a pore model is estimated, and with what it is compared. All files stand among the real data."""

    k: int
    reads: tuple[str, ...]
    labels: tuple[str, ...]
    labels_from: tuple[str, ...]
    published: tuple[Published, ...]


PLANS = {
    "dna_r9.4.1": Plan(
        6,
        (LAMBDA, f"{ECOLI}/fast5"),
        ("tombo", "resquiggle_paf"),
        (f"{ECOLI}/resquiggle.paf", f"{ECOLI}/reads.fasta"),
        (
            Published("uncalled4", f"{UNCALLED4}/dna_r9.4.1_400bps_6mer.npz"),
            Published("ONT", f"{LEGACY}/legacy_r9.4_180mv_450bps_6mer/template_median68pA.model"),
        ),
    ),
    "dna_r10.4.1": Plan(
        9,
        (f"{HUMAN}/reads.blow5",),
        ("resquiggle_paf",),
        (f"{HUMAN}/resquiggle.paf", f"{HUMAN}/reads.fastq"),
        (Published("uncalled4", f"{UNCALLED4}/dna_r10.4.1_400bps_9mer.npz"),),
    ),
    "rna002": Plan(
        5,
        RNA,
        ("tombo",),
        (),
        (
            Published("uncalled4", f"{UNCALLED4}/rna_r9.4.1_70bps_5mer.npz", turned=True),
            Published("ONT", f"{LEGACY}/legacy_r9.4_180mv_70bps_5mer_RNA/template_median69pA.model", turned=True),
        ),
    ),
}
"""All from sets that may be used for any purpose: Unlicense (lambda) and MIT (the others)."""


RNA004 = Published("uncalled4", f"{UNCALLED4}/rna004_130bps_9mer.npz", turned=True)
"""Three tRNAs and a spike-in show under 1 % of its 9-mers."""
RNA004_SOURCE = "github.com/skovaka/uncalled4, src/uncalled4/models/rna004_130bps_9mer.npz at b3993fa"
RNA004_JUDGE = Published("ONT", "kmer_models/ont_rna004/rna004_9mer_levels_v1.txt")

CARD = """# {name}

Levels of {n:,} {k}-mers of RNA004, normalised (mean 0, SD 1), named 5' to 3'; no SDs, noise or dwells.

|  |  |
| --- | --- |
| source | {source} |
| licence | {licence} |
| changed | every k-mer turned: the source names them in the order of the signal, 3' to 5' |
| correlation with {publisher}'s published levels | {r:.4f} |
"""


@dataclass(frozen=True)
class Compared:
    """How the levels of an estimated pore model correlate with those of a published one."""

    pore_model: str
    k: int
    events: int
    seen: float
    """Share of the k-mers."""
    often: float
    publisher: str
    r_all: float
    r_seen: float
    """NaN, as the next one, where no reads were counted."""
    r_often: float


COLUMNS = ("pore model", "k", "events", "k-mers seen", f"{OFTEN} times", "published by")
CORRELATIONS = ("r, all k-mers", "r, seen", f"r, {OFTEN} times")


def _cells(one: Compared) -> list[str]:
    shares = (f"{share:.0%}" for share in (one.seen, one.often))
    correlations = (f"{r:.4f}" for r in (one.r_all, one.r_seen, one.r_often))
    return [one.pore_model, str(one.k), f"{one.events:,}", *shares, one.publisher, *correlations]


def _estimated(name: str, data: Path, out: Path) -> Iterator[Compared]:
    """Estimate one pore model, write it and compare it."""
    plan, table = PLANS[name], out / f"{name}.npz"
    table.unlink(missing_ok=True)
    reads, files = ([data / path for path in paths] for paths in (plan.reads, plan.labels_from))
    model, _ = kmers(reads, labels=plan.labels, labels_from=files, k=plan.k, out=table)
    for published in plan.published:
        yield _compared(name, model, published, data)


def _published(data: Path, out: Path) -> Compared:
    """Write RNA004's table and its card, and compare it."""
    model = replace(read_pore_model(data / RNA004.file).turned(), source=RNA004_SOURCE, licence="MIT")
    write_pore_model(out / "rna004.npz", model)
    compared = _compared("rna004", model, RNA004_JUDGE, data)
    card = CARD.format(
        name="rna004", n=len(model.level_mean), k=model.k, source=model.source, licence=model.licence,
        publisher=RNA004_JUDGE.publisher, r=compared.r_all,
    )  # fmt: skip
    (out / "rna004.md").write_text(card)
    return compared


def _compared(name: str, model: PoreModel, published: Published, data: Path) -> Compared:
    other = read_pore_model(data / published.file)
    level = (other.turned() if published.turned else other).level_mean
    count = np.zeros(len(level)) if model.count is None else model.count
    seen, often = count > 0, count >= OFTEN
    r = [
        float(np.corrcoef(model.level_mean[which], level[which])[0, 1]) if which.any() else np.nan
        for which in (seen | True, seen, often)
    ]
    return Compared(
        name, model.k, int(count.sum()), float(seen.mean()), float(often.mean()), published.publisher, r[0], r[1], r[2]
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Estimate, compare, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    parser = study_parser("estimate_pore_models", __doc__)
    default = ROOT / "poreconv" / "pore_models"
    parser.add_argument("out", type=Path, nargs="?", default=default, metavar="OUT", help="folder of the tables")
    chosen = parser.parse_args(arguments)
    data = required_data(LAMBDA, ECOLI, HUMAN, *RNA)
    chosen.out.mkdir(parents=True, exist_ok=True)
    table, results = MarkdownTable(*COLUMNS, *CORRELATIONS), list[Compared]()
    estimated = chain.from_iterable(_estimated(name, data, chosen.out) for name in PLANS)
    for one in chain(estimated, [_published(data, chosen.out)]):
        table.add(*_cells(one))
        results.append(one)
    write_results(chosen, results)


if __name__ == "__main__":
    main()

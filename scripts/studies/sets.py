"""Sets of real reads with labels, and of simulated ones: what models learn from, and what they are judged on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pysam
from numpy import float32
from numpy.typing import NDArray

from poreconv.commands.evaluate import evaluate
from poreconv.commands.prepare import prepare
from poreconv.commands.refine import refine
from poreconv.commands.simulate import simulate
from poreconv.config import (
    MoleculeConfig,
    PoreConfig,
    PrepareConfig,
    SimulateConfig,
    SplitConfig,
    SquiggleConfig,
    TruthConfig,
)
from poreconv.dataset.store import Store, subsample_reads
from poreconv.evaluation.result import Evaluation
from poreconv.models.onnx_export import middles
from poreconv.reads.scaling import normalise_read
from scripts.studies.results import data_folder

DETECTORS = ("changepoint", "ttest")
"""Baselines that find boundaries and learnt nothing."""

CALIBRATED_BY = 2**21
"""Samples of the training reads from whose middles int8 is scaled."""


@dataclass(frozen=True)
class LabelledSet:
    """Reads with labels."""

    name: str
    """Folder among the real data."""
    reads: str
    """Files in it."""
    labels: str
    """Label source."""
    labels_from: tuple[str, ...]
    source: str
    """Where the set comes from."""
    licence: str
    split: SplitConfig = field(default_factory=SplitConfig)
    truth: str = ""
    """What the labels are, in words; the recipe of a model that learns from them names it. Empty: the label source."""
    refined_by: str = ""
    """Pore model by which the labels are refined first; empty: they are taken as they are."""
    called: str = ""
    """BAM with the called sequences, where labels that are refined have none."""
    resample_hz: float | None = None

    def reads_path(self) -> Path:
        """Return where the reads lie."""
        return data_folder() / self.name / self.reads

    def label_paths(self) -> list[Path]:
        """Return the label source's files."""
        return [data_folder() / self.name / file for file in self.labels_from]

    def store(self, folder: Path) -> Store:
        """Prepare the set; it is made once.

        Args:
            folder: Where the stores of sets lie.
        """
        labels = ("intervals", [self.refined(folder)]) if self.refined_by else (self.labels, self.label_paths())
        rate = f"_{self.resample_hz:.0f}hz" if self.resample_hz else ""
        truth = TruthConfig(truth_name=self.truth)
        return prepare(
            self.reads_path(),
            labels=labels[0],
            labels_from=labels[1],
            out=folder / f"{self.name}{rate}",
            config=PrepareConfig(split=self.split, resample_hz=self.resample_hz, truth=truth),
        )

    def refined(self, folder: Path) -> Path:
        """Refine the labels; the table is made once.

        Args:
            folder: Where it goes.

        Returns:
            The table of events.
        """
        table, called = folder / f"{self.name}_refined.parquet", list[Path]()
        if not table.exists():
            folder.mkdir(parents=True, exist_ok=True)
            if self.called:
                called = [folder / f"{self.name}.fasta"]
                _write_called(data_folder() / self.name / self.called, called[0])
            files, pore_model = [*self.label_paths(), *called], Path(self.refined_by)
            refine(self.reads_path(), labels=self.labels, labels_from=files, pore_model=pore_model, out=table)
        return table

    def judge(self, model: Path) -> Evaluation:
        """Score a model and the detectors on the reads that training never saw.

        Args:
            model: Its file.
        """
        labels, files = self.labels, self.label_paths()
        return evaluate(model, self.reads_path(), labels=labels, labels_from=files, baselines=DETECTORS)


@dataclass(frozen=True)
class SimulatedSet:
    """Reads that are simulated; their boundaries are known."""

    name: str
    settings: SquiggleConfig
    reads: int
    source: str
    licence: str
    split: SplitConfig
    truth: str = "simulated"
    seed: int = 1

    def store(self, folder: Path) -> Store:
        """Simulate and prepare the set; it is made once.

        Args:
            folder: Where the stores of sets lie.
        """
        made = folder / f"{self.name}_reads"
        if not (made / "events.tsv").exists():
            common = SimulateConfig(reads=self.reads, seed=self.seed, format="pod5")
            simulate("squiggle", out=made, common=common, config=self.settings, overwrite=True)
        return prepare(
            made / "reads.pod5",
            labels="intervals",
            labels_from=[made / "events.tsv"],
            out=folder / self.name,
            config=PrepareConfig(split=self.split, truth=TruthConfig(truth_name=self.truth)),
        )


def _write_called(bam: Path, out: Path) -> None:
    """Write the called sequences of a BAM as FASTA."""
    with pysam.AlignmentFile(str(bam), check_sq=False) as records, out.open("w") as fasta:
        for record in records.fetch(until_eof=True):
            if not record.is_secondary and not record.is_supplementary:
                fasta.write(f">{record.query_name}\n{record.get_forward_sequence()}\n")


F5C = "f5c 1.6 resquiggle"
PAF = ("resquiggle_paf", ("resquiggle.paf",))
NO_TEST = SplitConfig(test=0.0, validation=0.15)
"""Of sets that another one judges."""

LAMBDA = LabelledSet(
    "dna_r941_lambda_tombo", ".", "tombo", (), "github.com/marcpaga/basecalling_architectures", "Unlicense"
)
"""Judges what ships beside f5c's boundaries: Tombo places them differently, so nothing learns from both."""
ECOLI = LabelledSet("dna_r94_ecoli_f5c_resquiggle", "fast5", *PAF, "github.com/hasindu2008/f5c", "MIT", truth=F5C)
RFC1 = LabelledSet("dna_r941_rfc1", "rfc1.blow5", *PAF, "github.com/hasindu2008/sigfish", "MIT", truth=F5C)
HUMAN = LabelledSet(
    "dna_r1041_4khz_human_f5c_and_moves", "reads.blow5", *PAF, "github.com/hiruna72/squigualiser", "MIT", NO_TEST, F5C
)
REMORA = LabelledSet(
    "dna_r1041_4khz_remora", ".", *PAF, "github.com/nanoporetech/remora", "Oxford Nanopore Public License 1.0", NO_TEST
)
"""Only judges what ships: its licence is for research."""
HUMAN_5KHZ, REMORA_5KHZ = (replace(one, resample_hz=5000.0) for one in (HUMAN, REMORA))
RNA002 = LabelledSet("rna002_18s_tombo", ".", "tombo", (), "github.com/lrslab/nanoCEM", "MIT", truth="Tombo")
RNA001 = LabelledSet(
    "rna001_actb_tombo_and_moves", ".", "tombo", (), "github.com/gaoyubang/nanom6A", "MIT", truth="Tombo"
)
RNA002_REFINED, RNA001_REFINED = (
    replace(one, refined_by="rna002", truth="Tombo, refined by the levels of rna002") for one in (RNA002, RNA001)
)
SEQUINS = LabelledSet(
    "rna002_sequin_f5c_ss",
    "reads.blow5",
    "sam_resquiggle",
    ("eventalign.bam",),
    "github.com/hiruna72/squigualiser",
    "MIT",
)

MOVES = ("ecoli_trna_wt_mappings.bam", "ecoli_trna_tb_mappings.bam")
REFINED = "refined by the levels of rna004"
TRNA = LabelledSet(
    "rna004_trna_ecoli", ".", "bam_moves", MOVES, "github.com/rnabioco/squiggy-positron", "MIT", NO_TEST,
    f"dorado's moves, {REFINED}", "rna004",
)  # fmt: skip
TRNA_OLDER = replace(TRNA, name="rna004_trna_ecoli_older")
SPIKE_IN = LabelledSet(
    "rna004_polya_regions", "reads.pod5", "resquiggle_paf", ("f5c_resquiggle.paf",), "github.com/LRB-IIMCB/ninetails",
    "MIT", NO_TEST, f"{F5C}, {REFINED}", "rna004", "aligned_dorado_1.0.0.bam",
)  # fmt: skip

SIMULATED_RNA004 = SimulatedSet(
    "rna004_simulated",
    SquiggleConfig(
        molecule=MoleculeConfig(chemistry="rna004", bases_mean=800), pore=PoreConfig(pore_model=Path("rna004"))
    ),
    100,
    "simulated with uncalled4's levels (github.com/skovaka/uncalled4, MIT)",
    "MIT",
    NO_TEST,
)
"""What three tRNAs lack: long transcripts of any k-mers, with tails."""
SIMULATED_R10_5KHZ = SimulatedSet(
    "dna_r10.4.1_5khz_simulated",
    SquiggleConfig(
        molecule=MoleculeConfig(chemistry="dna_r10.4.1", open_pore_samples=1000),
        pore=PoreConfig(pore_model=Path("dna_r10.4.1")),
        sample_rate_hz=5000.0,
    ),
    60,
    "simulated with the levels of dna_r10.4.1, estimated from github.com/hiruna72/squigualiser's reads",
    "MIT",
    NO_TEST,
)
"""Reads that were recorded at 5 kHz have noise that resampled ones lack."""


def calibration(stores: Sequence[Store], clip: float) -> list[NDArray[float32]]:
    """Return what scales a model's int8: the middles of some training reads, normalised, shape ``(n_samples,)`` each.

    Args:
        stores: What the model learnt from.
        clip: Of its normalisation.
    """
    reads = (store.read(row) for store, row in subsample_reads(stores, "train", CALIBRATED_BY))
    return list(middles(normalise_read(read, clip=clip) for read in reads))

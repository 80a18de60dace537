"""Sets of real reads with labels: what models learn from, and what they are judged on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from numpy import float32
from numpy.typing import NDArray

from poreconv.commands.evaluate import evaluate
from poreconv.commands.prepare import prepare
from poreconv.config import PrepareConfig, SplitConfig
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
        return prepare(
            self.reads_path(),
            labels=self.labels,
            labels_from=self.label_paths(),
            out=folder / self.name,
            config=PrepareConfig(split=self.split),
        )

    def judge(self, model: Path) -> Evaluation:
        """Score a model and the detectors on the reads that training never saw.

        Args:
            model: Its file.
        """
        labels, files = self.labels, self.label_paths()
        return evaluate(model, self.reads_path(), labels=labels, labels_from=files, baselines=DETECTORS)


PAF = ("resquiggle_paf", ("resquiggle.paf",))
NO_TEST = SplitConfig(test=0.0, validation=0.15)
"""Of sets that another one judges."""

LAMBDA = LabelledSet(
    "dna_r941_lambda_tombo", ".", "tombo", (), "github.com/marcpaga/basecalling_architectures", "Unlicense"
)
ECOLI = LabelledSet("dna_r94_ecoli_f5c_resquiggle", "fast5", *PAF, "github.com/hasindu2008/f5c", "MIT")
HUMAN = LabelledSet(
    "dna_r1041_4khz_human_f5c_and_moves", "reads.blow5", *PAF, "github.com/hiruna72/squigualiser", "MIT", NO_TEST
)
REMORA = LabelledSet(
    "dna_r1041_4khz_remora", ".", *PAF, "github.com/nanoporetech/remora", "Oxford Nanopore Public License 1.0", NO_TEST
)
"""Only judges what ships: its licence is for research."""
RNA002 = LabelledSet("rna002_18s_tombo", ".", "tombo", (), "github.com/lrslab/nanoCEM", "MIT")
RNA001 = LabelledSet("rna001_actb_tombo_and_moves", ".", "tombo", (), "github.com/gaoyubang/nanom6A", "MIT")


def calibration(stores: Sequence[Store], clip: float) -> list[NDArray[float32]]:
    """Return what scales a model's int8: the middles of some training reads, normalised, shape ``(n_samples,)`` each.

    Args:
        stores: What the model learnt from.
        clip: Of its normalisation.
    """
    reads = (store.read(row) for store, row in subsample_reads(stores, "train", CALIBRATED_BY))
    return list(middles(normalise_read(read, clip=clip) for read in reads))

"""How the models of an RNA read's regions are trained, and what was tried before."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from poreconv.commands.train import train
from poreconv.config import AugmentConfig, FilesConfig, PrepareConfig, SplitConfig, TrainConfig, TruthConfig, WorkConfig
from poreconv.dataset.prepare import prepare
from poreconv.events.writers.table import events_table
from poreconv.events.writers.tsv import TsvWriter
from poreconv.models.architectures import Strided
from poreconv.reads.readers.writing import write_reads
from scripts.studies.regions import Regions, cut
from scripts.studies.sets import LabelledSet
from scripts.studies.tail_lengths import LengthTable

TRAINING = TrainConfig(
    preset="regions",  # its learning rate and network are those that were found here
    max_steps=1000,
    chunk_samples=12_000,
    batch_size=8,
    validate_every=1000,  # once: two validation reads can't show which checkpoint is best, the last one is taken
    class_balance=0.75,
    precision="32",
    accelerator="cpu",
    shortest=0.0,  # the training reads' tails were cut by hand, and may be as short as they are
    augment=AugmentConfig(noise=0.1, scale=0.1, shift=0.2, stretch=0.2),
)
NETWORK = Strided(channels=32, stride=10, stem_kernel=31, dilations=(1, 2, 4, 8, 16, 32, 64, 128))
"""What the preset chooses for whole reads; the cut ones have shorter tails, for which it would be smaller."""

# What was tried on RNA002, by the same folds (medians of |found - true|, samples; mean IoU). One read is wrong in all:
# what looks like an adapter follows its tail for 4,000 samples.
#
# | whole reads only                               | tail start | tail end | IoU   |
# | ---------------------------------------------- | ---------- | -------- | ----- |
# | 200 steps, class_balance 0.5, not augmented    | 3          | 21       | 0.958 |
# | + noise 0.3, scale 0.1, shift 0.2, stretch 0.2 | 4          | 9        | 0.959 |
# | the same, 100 steps                            | 5          | 29       | 0.958 |
# | the same, 400 steps                            | 4          | 12       | 0.960 |
# | the same, learning rate 2e-3                   | 5          | 24       | 0.956 |
# | the same, dilations up to 32                   | 5          | 49       | 0.956 |
# | the same, dilations up to 256                  | 3          | 76       | 0.954 |
# | the same, stride 5, dilations up to 256        | 5          | 22       | 0.952 |
# | the same, 48 channels                          | 5          | 44       | 0.953 |
# | 200 steps, and 100 simulated RNA002 reads      | 6          | 23       | 0.957 |
#
# All of these call a tail under 30 nucleotides transcript, and end an adapter without a tail 1,700 samples early, as
# reads of other runs show: hence the reads with cut tails. With them (last columns: IoU of tails cut to 15 % and 0 %):
#
# | cut to       | steps | class_balance | noise | tail start | tail end | IoU   | 15 %  | 0 %   |
# | ------------ | ----- | ------------- | ----- | ---------- | -------- | ----- | ----- | ----- |
# | 0, 0.1, 0.3  | 200   | 0.5           | 0.3   | 6          | 12       | 0.953 | 0.911 | 0.784 |
# | 0, 0.1, 0.3  | 400   | 0.5           | 0.3   | 5          | 92       | 0.948 | 0.902 | 0.805 |
# | 0, 0.1, 0.3  | 300   | 0             | 0.3   | none found |          | 0.613 | 0.646 | 0.983 |
# | 0, 0.2       | 300   | 0.5           | 0.3   | 10         | 46       | 0.953 | 0.925 | 0.943 |
# | 0, 0.2       | 400   | 0.5           | 0.1   | 5          | 79       | 0.940 | 0.888 | 0.898 |
# | 0, 0.2       | 300   | 0.75          | 0.1   | 10         | 16       | 0.957 | 0.904 | 0.922 |
#
# Until here, stretching moved the labels by half a sample on average. Since that is mended, with the last row's
# settings:
#
# | stretch 0.2                                    | 4          | 85       | 0.948 | 0.902 | 0.944 |
# | stretch 0.1, noise 0.3                         | 8          | 84       | 0.948 |       |       |
# | not stretched                                  | 8          | 93       | 0.948 |       |       |
#
# So tails ended late, whatever the settings: the loss weighs a tail's sample six times as much as a transcript's, and
# decoding in order sums that up over an event of 130 samples at the transcript's start. With the same networks, 800
# steps and stretch 0.2, decoded as the loss has it, with half the weights' logarithms taken back, with all of them,
# and with biases fitted to the two validation reads:
#
# | as the loss has it                             | 3          | 75       | 0.953 | 0.923 | 0.965 |
# | half                                           | 3          | 22       | 0.958 | 0.935 | 0.965 |
# | all                                            | 3          | 8        | 0.960 | 0.929 | 0.965 |
# | fitted                                         | 6          | 50       | 0.888 | 0.792 | 0.962 |
#
# Those took the checkpoint that two validation reads liked best. For the model of all 17 reads that was one of step
# 200, unsure of every tail: 811 samples off at the end, on the reads that it had learnt from. So the last one is
# taken, of 1,000 steps at half the learning rate:
#
# | all, last checkpoint (what is used)            | 4          | 11       | 0.959 | 0.932 | 0.965 |

SPLIT = SplitConfig(by="channel", validation=0.12, test=0, seed=2)
"""A few reads, two of RNA002's 17, fit the temperature; by channel, so that a read and what was cut of it stay
together."""

CUT_TO = (0.0, 0.2)
"""Each training read comes again with so much of its tail, both ends of it: RNA002's have tails of 45 nucleotides or
more, and a model that has seen no others finds no shorter ones."""
JUDGED_CUT_TO = (0.15, 0.0)
"""The held-out reads are judged so too."""


@dataclass(frozen=True)
class Plan:
    """A model of regions, and what it learns from."""

    summary: str
    limits: str
    labelled: LabelledSet
    """It learns from these reads, and is judged on them, in folds."""
    lengths: tuple[LengthTable, ...]
    """Lengths of the reads' tails by other programs."""
    elsewhere: LabelledSet | None = None
    """Reads of another run, with their bases."""
    training: TrainConfig = TRAINING


NINETAILS = "github.com/LRB-IIMCB/ninetails"
PLANS = {
    "rna002_regions": Plan(
        "Adapter, poly(A) tail and transcript in RNA002 direct RNA.",
        "RNA004, cDNA and DNA; it learnt from 17 reads of one transcript, whose tails have 45 nucleotides or more (and"
        " the same reads with the tails cut); without a tail it may call 100 samples one.",
        LabelledSet(
            "rna002_polya_regions",
            "basecalled_test.fast5",
            "polya",
            ("nanopolish_output.tsv",),
            NINETAILS,
            "MIT",
            truth="nanopolish polya",
        ),
        (
            LengthTable("nanopolish", "nanopolish_output.tsv", "\t", "readname", "polya_length"),
            LengthTable("tailfindr", "tailfindr_output.csv", ",", "read_id", "tail_length"),
        ),
        elsewhere=LabelledSet(
            "rna002_sequin_f5c_ss",
            "reads.blow5",
            "sam_resquiggle",
            ("eventalign.bam",),
            "github.com/hiruna72/squigualiser",
            "MIT",
        ),
    ),
    "rna004_regions": Plan(
        "Adapter, poly(A) tail and transcript in RNA004 direct RNA.",
        "RNA002, cDNA and DNA; it learnt from 23 spike-in reads of one run, most with tails of 40 to 110 nucleotides"
        " (and the same reads with the tails cut); it found a tail in 1 of 40 tRNA reads of another run, which have"
        " none; what interrupts a tail, up to a second adapter, counts as tail.",
        LabelledSet(
            "rna004_polya_regions",
            "reads.pod5",
            "polya",
            ("aligned_dorado_1.0.0.bam",),
            NINETAILS,
            "MIT",
            truth="dorado 1.0, places of tails (pa)",
        ),
        (LengthTable("dorado", "aligned_summary.txt", "\t", "read_id", "poly_tail_length"),),
    ),
}
"""Model -> how it is made."""


def model_of(plan: Plan, truth: Mapping[str, Regions], work: Path) -> Path:
    """Train a model on some reads of its set, and on the same with their tails cut.

    Args:
        plan: How it is trained.
        truth: Read id -> the read and its regions.
        work: Folder for stores and the training run.

    Returns:
        Its bundle.
    """
    _write_cut(truth.values(), work / "cut")
    listed = work / "read_ids.txt"
    listed.write_text("\n".join(truth))
    labelled = plan.labelled
    truth_name = TruthConfig(truth_name=labelled.truth)
    config = PrepareConfig(task="segment", split=SPLIT, truth=truth_name, work=WorkConfig(workers=1))
    whole = replace(config, files=FilesConfig(read_ids=listed))
    files = labelled.label_paths()
    prepare([labelled.reads_path()], labels=labelled.labels, labels_from=files, out=work / "store", config=whole)
    regions = [work / "cut" / "regions.tsv"]
    reads = [work / "cut" / "reads.pod5"]
    prepare(reads, labels="intervals", labels_from=regions, out=work / "cut_store", config=config)
    stores = [work / "store", work / "cut_store"]
    return train(
        stores, out=work / "run", network="strided", settings=NETWORK, config=plan.training, with_report=False
    ).bundle


def _write_cut(truth: Iterable[Regions], out: Path) -> None:
    """Write reads with their tails cut, and their regions beside them."""
    shorter = [cut(one, share) for one in truth for share in CUT_TO]
    out.mkdir(parents=True)
    write_reads(out / "reads.pod5", [read for read, _ in shorter])
    with closing(TsvWriter(out / "regions.tsv")) as table:
        for read, events in shorter:
            table.write(events_table(read, events))

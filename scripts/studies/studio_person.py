"""A person whose marks are known: the sets of reads, and the actions that marking a read of them takes.

Without proposals each region takes two actions: a drag over it, and the key of its class, which is another one than the
last region's. With proposals: one to accept all of a read; then two to delete a region that is not there (click, key),
two to change a class (click, key), two to add a region that is missing (drag, key), and one drag for each end that is
more than 50 samples wrong. Where two regions meet, and the proposals meet too, one drag mends both, since of
overlapping marks the later stands. Looking at a read is free in both.
"""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from poreconv.commands.simulate import simulate
from poreconv.config import MoleculeConfig, SimulateConfig, SourceConfig, SquiggleConfig
from poreconv.events.events import Events
from poreconv.labels.marks import Mark
from poreconv.labels.opening import open_labels
from poreconv.reads.readers import open_reads
from scripts.studies.regions import Regions, true_regions
from scripts.studies.regions_training import PLANS

ASIDE = 3
"""Every third read is put aside for the score."""

NEAR = 50
"""Samples by which an end may be wrong without being mended."""


@dataclass(frozen=True)
class Known:
    """A set of reads whose regions are known."""

    name: str
    files: tuple[Path, ...]
    truth: Mapping[str, Regions]

    @property
    def aside(self) -> list[str]:
        """Ids of the reads that are put aside for the score."""
        return sorted(self.truth)[::ASIDE]

    @property
    def pool(self) -> list[str]:
        """Ids of the reads that can be marked."""
        return sorted(self.truth.keys() - self.aside)

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes of the reads."""
        return next(iter(self.truth.values()))[1].classes


def marks_of(events: Events) -> list[Mark]:
    """Return the marks of a read by someone who knows its regions.

    Args:
        events: The regions.
    """
    return [Mark(0, "interval", one.start, one.end, one.label) for one in regions_in(events)]


@dataclass(frozen=True)
class Region:
    """A stretch of a read."""

    start: int
    end: int
    label: str

    def shared(self, other: "Region") -> int:
        """Return the number of samples that are in both.

        Args:
            other: The other one.
        """
        return min(self.end, other.end) - max(self.start, other.start)


def regions_in(events: Events) -> list[Region]:
    """Return the regions of a read.

    Args:
        events: The regions as events.
    """
    places = zip(events.start.tolist(), events.end.tolist(), events.label.tolist(), strict=True)
    return [Region(start, end, events.classes[label]) for start, end, label in places]


def actions_without(truth: Events) -> int:
    """Return the actions by which a person marks the regions of a read.

    Args:
        truth: The true regions.
    """
    return 2 * len(truth)


def actions(truth: Events, proposed: Events) -> int:
    """Return the actions by which a person makes the true regions of the proposed ones.

    Args:
        truth: The true regions.
        proposed: Those of a model.
    """
    left, kept = regions_in(proposed), dict[Region, Region]()
    for same_class in (True, False):
        for region in regions_in(truth):
            fitting = [one for one in left if (one.label == region.label) == same_class and region.shared(one) > 0]
            if region not in kept and fitting:
                kept[region] = max(fitting, key=region.shared)
                left.remove(kept[region])
    added, changed = len(truth) - len(kept), sum(region.label != one.label for region, one in kept.items())
    ends = {(region.start, one.start) for region, one in kept.items()}
    ends |= {(region.end, one.end) for region, one in kept.items()}
    return 1 + 2 * (len(left) + added + changed) + sum(abs(true - found) > NEAR for true, found in ends)


def real(name: str) -> Known:
    """Return the reads of a set whose tail its program does not doubt.

    Args:
        name: Key of `PLANS`.
    """
    labelled = PLANS[name].labelled
    return Known(labelled.name, (labelled.reads_path(),), true_regions(labelled))


COMMON, RARE = 48, 12
"""Simulated reads of each kind."""
SHORT = MoleculeConfig(chemistry="rna004", bases_mean=300)
KINDS = {
    "tailed": (SimulateConfig(reads=COMMON, seed=1, format="pod5"), SHORT),
    "tailless": (
        SimulateConfig(reads=RARE, seed=2, format="pod5"),
        replace(SHORT, polya_mean=0, open_pore_samples=800),
    ),
}


def simulated(work: Path) -> Known:
    """Simulate reads of two kinds.

    Args:
        work: Folder for them.
    """
    truth = dict[str, Regions]()
    for kind, (common, molecule) in KINDS.items():
        simulate("squiggle", out=work / kind, common=common, config=SquiggleConfig(molecule=molecule))
    files = tuple(work / kind / "reads.pod5" for kind in KINDS)
    labels = open_labels("intervals", [work / kind / "regions.tsv" for kind in KINDS], SourceConfig())
    with closing(labels), open_reads(files) as reads:
        for read in reads:
            events = labels.events(read)
            if events is not None:
                truth[read.read_id] = read, events
    return Known("simulated", files, truth)

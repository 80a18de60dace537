"""What labelling must repeat from training; it is saved in the bundle and read from nowhere else."""

import math
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from poreconv.config import DecodeConfig, FitConfig, NormalisationConfig, SplitConfig, require
from poreconv.dataset.confounding import confounding_message
from poreconv.dataset.splits import SplitName, group_of, split_of_group
from poreconv.errors import ReadDropped
from poreconv.events.tasks import task_named
from poreconv.events.tasks.task import Task
from poreconv.models.size import Measured
from poreconv.reads.chemistry import UNKNOWN, Chemistry, chemistry_named
from poreconv.reads.read import Read
from poreconv.reads.resampling import check_ratio

RATE_TOLERANCE = 0.02
"""Largest relative difference between a read's sample rate and the model's."""

Setting = bool | int | float | str | tuple[Any, ...] | dict[str, Any] | None
"""A value of an architecture's settings; JSON's lists are read as tuples."""


STATE_IT = " (if their chemistry is known, state it: --chemistry CODE)"

USUAL = FitConfig()
"""No exceptions: reads are taken for what their files contain, and labelled at their own rate."""


class Misfit(NamedTuple):
    """Why a model does not label a read."""

    reason: str
    """One of `MismatchError.REASONS`."""
    text: str
    """Read and model, for a message."""


@dataclass(frozen=True)
class Seen:
    """Reads that trained a model: those listed, and those of some runs that a split rule put there."""

    split: SplitConfig
    runs: tuple[str, ...]
    """Run ids."""
    moved: dict[str, SplitName] = field(default_factory=dict)
    """See `Recipe.moved`."""

    def split_of(self, read: Read, reference: str) -> SplitName:
        """Return the split in which the training had a read; ``test`` if it did not see the read.

        Args:
            read: The read.
            reference: Name of the sequence that it was aligned to; empty if that is not known.
        """
        group = group_of(
            self.split.by, read_id=read.read_id, run_id=read.run_id, channel=read.channel, reference=reference
        )
        if group in self.moved:
            return self.moved[group]
        by_rule = self.split.by == "reference" or read.run_id in self.runs
        return split_of_group(self.split, group) if by_rule else "test"


@dataclass(frozen=True)
class Recipe:
    """Everything that labelling must repeat from training, and which reads training saw."""

    schema_version: Literal[2] = field(default=2, kw_only=True)
    task: str
    classes: tuple[str, ...]
    """Names of the network's outputs; for `boundary`: ``("inside", "boundary")``."""
    network: str
    """Name in ``ARCHITECTURES``; or of a network that the user brought, as they named it, or ``module:class``."""
    network_settings: dict[str, Setting]
    """Fields of the network's settings."""
    sample_rate_hz: float
    chemistries: tuple[str, ...]
    """Chemistry codes of the training reads."""
    class_counts: tuple[int, ...]
    """Samples of each class in the training split; for task `read` its reads."""
    mean_dwell: float
    """Mean samples per event in the training split."""
    own_network: Measured | None = None
    """What was measured of a network that the user brought; None: it is one of ``ARCHITECTURES``."""
    resampled_from_hz: tuple[float, ...] = ()
    """Sample rates of the training reads before they were resampled to ``sample_rate_hz``, which labelling repeats;
    empty if they were not resampled."""
    split: SplitConfig = field(default_factory=SplitConfig)
    runs: tuple[str, ...] = ()
    """Run ids of the training reads; the leak guard applies the split rule to reads of these runs only."""
    moved: dict[str, SplitName] = field(default_factory=dict)
    """Read, or run, channel or reference, whichever the rule splits by -> its split, where that is not the rule's; the
    leak guard looks here first."""
    before: tuple[Seen, ...] = ()
    """Reads that trained the model which this one started from, and its predecessors; the leak guard applies these
    rules too."""
    confounded: tuple[str, ...] = ()
    """Task `read`: classes of which training has no run in common with some other class."""
    normalisation: NormalisationConfig = field(default_factory=NormalisationConfig)
    decoding: DecodeConfig = field(default_factory=DecodeConfig)
    labels: tuple[str, ...] = ()
    """The truth learnt from: label sources of the training data, or what the user called them."""
    data: tuple[str, ...] = ()
    """Content hashes of the stores trained on."""
    poreconv_version: str = ""

    def __post_init__(self) -> None:
        """Check that the fields fit each other."""
        task_named(self.task)
        require(len(self.classes) == len(self.class_counts) > 0, "recipe: classes and class_counts differ in length")
        possible = self.asked.classes(self.classes) == self.classes
        require(possible, f"recipe: classes {self.classes} are not those of task {self.task}")
        require(set(self.decoding.order) <= set(self.classes), "recipe: decoding.order names no classes of the model")
        fits = len(self.decoding.bias) in {0, len(self.classes)}
        require(fits, f"recipe: decoding.bias has {len(self.decoding.bias)} numbers for {len(self.classes)} classes")
        for rate in (self.sample_rate_hz, *self.resampled_from_hz):
            require(0 < rate < math.inf, f"recipe: sample rate {rate:g} Hz; must be positive")
            check_ratio(rate, self.sample_rate_hz)

    @property
    def asked(self) -> Task:
        """The task."""
        return task_named(self.task)

    @property
    def trained_chemistries(self) -> tuple[Chemistry, ...]:
        """Chemistries of the training reads."""
        return tuple(map(chemistry_named, self.chemistries))

    def as_trained(self, read: Read) -> Read:
        """Return a read with a chemistry by whose usual speed it is scaled as the training reads were.

        Args:
            read: Where its own chemistry has no usual speed, it gets that of the training; where training had none, it
                has none.
        """
        known = [chemistry for chemistry in self.trained_chemistries if chemistry.bases_per_s is not None]
        if known and read.chemistry.bases_per_s is not None:
            return read
        return replace(read, chemistry_code=known[0].code if known else UNKNOWN.code)

    @property
    def rates_hz(self) -> tuple[float, ...]:
        """Sample rates of the reads that the model was trained for, the lowest first."""
        return tuple(sorted({*self.resampled_from_hz, self.sample_rate_hz}))

    def knows_rate(self, sample_rate_hz: float) -> bool:
        """Return whether the model was trained on a sample rate, or on one that differs by 2 % at most.

        Args:
            sample_rate_hz: Samples per second.
        """
        return any(abs(sample_rate_hz / rate - 1) <= RATE_TOLERANCE for rate in self.rates_hz)

    def resamples(self, read: Read, fit: FitConfig = USUAL) -> bool:
        """Return whether a read that fits is brought to the model's sample rate.

        Args:
            read: The read.
            fit: Which reads are labelled besides those of the kind that the model was trained on.
        """
        return bool(self.resampled_from_hz) or (fit.resample and not self.knows_rate(read.sample_rate_hz))

    def misfit(self, read: Read, fit: FitConfig = USUAL) -> Misfit | None:
        """Return why the model does not label a read; None if it does.

        Args:
            read: The read. It does not fit if it is known to be of another molecule or pore family than the training
                reads (``wrong_chemistry``), or if its sample rate is off by over 2 % (``wrong_rate``).
            fit: Which reads are labelled in spite of that.
        """
        if not fit.any_chemistry and not self.takes_chemistry(read):
            trained = ", ".join(self.chemistries)
            return Misfit("wrong_chemistry", f"{read.chemistry}, and the model was trained on {trained}")
        resampled = fit.resample and read.sample_rate_hz > self.sample_rate_hz
        if not resampled and not self.knows_rate(read.sample_rate_hz):
            trained = ", ".join(f"{rate:g}" for rate in self.rates_hz)
            return Misfit("wrong_rate", f"{read.sample_rate_hz:g} Hz, and the model was trained on {trained} Hz")
        return None

    def trained_for(self, read: Read, fit: FitConfig = USUAL) -> bool:
        """Return whether a read is known to be of a molecule and pore family that the model was trained on, and fits.

        Args:
            read: The read; one of unknown chemistry may fit, but the model was not trained for it.
            fit: See `misfit`.
        """
        known = read.chemistry.known and any(read.chemistry.same_family(one) for one in self.trained_chemistries)
        return known and self.misfit(read, fit) is None

    def takes_chemistry(self, read: Read) -> bool:
        """Return whether a read may be of a chemistry that the model was trained on.

        Args:
            read: One of which molecule and pore family are not known may be.
        """
        trained_on = self.trained_chemistries
        return not trained_on or not all(read.chemistry.conflicts_with(known) for known in trained_on)

    def untried(self, read: Read) -> str:
        """Return the warning for reads that the model accepts without having been trained on their chemistry.

        Args:
            read: One of them: its chemistry is unknown, or differs in a detail from that of the training.
        """
        trained = ", ".join(self.chemistries) or "unknown"
        return (
            f"reads of chemistry {read.chemistry}, and the model was trained on {trained}; they are labelled, but the"
            f" model's accuracy on such reads has not been measured{'' if read.chemistry.known else STATE_IT}"
        )

    def check_unseen(self, read: Read, reference: str = "") -> None:
        """Refuse to judge the model on a read that was in training or validation (leak guard).

        Reads that ``moved`` lists are in the split that it states, wherever they come from. The split rule is applied
        to the others, but only to those of the runs that the model was trained on; reads of other runs are unseen. A
        split by reference sequence is applied to every read: a sequence is the same in all runs.

        Args:
            read: The read.
            reference: Name of the sequence that it was aligned to; needed if the split is by reference.

        Raises:
            ReadDropped: Reason ``in_train``, ``in_validation`` or ``no_reference``.
        """
        for seen in self.seen:
            if seen.split.by == "reference" and not reference:
                raise ReadDropped(f"{read.where}: its reference is not known; give --read_info", reason="no_reference")
            split = seen.split_of(read, reference)
            if split != "test":
                raise ReadDropped(f"{read.where}: the model's own split put it into {split}", reason=f"in_{split}")

    @property
    def seen(self) -> tuple[Seen, ...]:
        """All reads that trained the weights, those of earlier models included."""
        return (Seen(self.split, self.runs, self.moved), *self.before)

    @property
    def confounder(self) -> str:
        """The warning to show beside every score of the model; empty if its classes are not confounded."""
        return confounding_message(self.confounded)

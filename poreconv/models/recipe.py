"""What labelling must repeat from training; it travels in the bundle and is read from nowhere else."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Self, get_args

from poreconv.config import DecodeConfig, NormalisationConfig, SplitConfig, Task, require
from poreconv.dataset.confounding import confounder_of
from poreconv.dataset.splits import split_of
from poreconv.errors import ConfigError, MismatchError, ReadDropped
from poreconv.reads.chemistry import conflict
from poreconv.reads.read import Read

SCHEMA_VERSION = 2

RATE_TOLERANCE = 0.02
"""Largest relative difference of sample rates that a model bears."""


@dataclass(frozen=True)
class Seen:
    """Reads that trained a model: those of some runs, as a split rule has them."""

    split: SplitConfig
    runs: tuple[str, ...]


@dataclass(frozen=True)
class Recipe:
    """Everything that labelling must repeat from training, and what training saw."""

    task: Task
    classes: tuple[str, ...]
    """Names of the network's outputs; for `boundary`: ``("inside", "boundary")``."""
    network: str
    """Name in ``ARCHITECTURES``."""
    network_settings: dict[str, Any]
    """Fields of the network's settings."""
    sample_rate_hz: float
    chemistries: tuple[str, ...]
    """Chemistry codes of the training reads."""
    class_counts: tuple[int, ...]
    """Samples of each class in the training split; for task `read` its reads."""
    mean_dwell: float
    """Mean samples per event in the training split."""
    resampled_from_hz: tuple[float, ...] = ()
    """Sample rates of the training reads before they were brought to ``sample_rate_hz``, which labelling repeats; empty
    if they were taken as they are."""
    split: SplitConfig = field(default_factory=SplitConfig)
    runs: tuple[str, ...] = ()
    """Run ids of the training reads; the leak guard asks the split only about reads of these runs."""
    before: tuple[Seen, ...] = ()
    """What trained the model that this one started from, and that one's; the leak guard asks these rules too."""
    confounded: tuple[str, ...] = ()
    """Task `read`: classes of which training has no run in common with some other class."""
    normalisation: NormalisationConfig = field(default_factory=NormalisationConfig)
    decoding: DecodeConfig = field(default_factory=DecodeConfig)
    labels: tuple[str, ...] = ()
    """Label sources of the training data."""
    data: tuple[str, ...] = ()
    """Content hashes of the stores trained on."""
    poreconv_version: str = ""

    def __post_init__(self) -> None:
        """Check what does not check itself."""
        require(self.task in get_args(Task), f"recipe: task {self.task!r} is not known")
        require(len(self.classes) == len(self.class_counts) > 0, "recipe: classes and class_counts differ in length")
        require(set(self.decoding.order) <= set(self.classes), "recipe: decoding.order names no classes of the model")
        fits = len(self.decoding.bias) in {0, len(self.classes)}
        require(fits, f"recipe: decoding.bias has {len(self.decoding.bias)} numbers for {len(self.classes)} classes")
        require(self.sample_rate_hz > 0, f"recipe: sample rate {self.sample_rate_hz} Hz")

    def check(self, read: Read) -> None:
        """Refuse a read that the model was not trained for.

        Raises:
            MismatchError: Its sample rate is off by over 2 %, or it is known to be of another molecule or pore family.
        """
        rates = sorted({*self.resampled_from_hz, self.sample_rate_hz})
        if all(abs(read.sample_rate_hz / rate - 1) > RATE_TOLERANCE for rate in rates):
            trained = ", ".join(f"{rate:g}" for rate in rates)
            raise MismatchError(
                f"{read.where}: {read.sample_rate_hz:g} Hz, and the model was trained on {trained} Hz;"
                " use a model of that rate"
            )
        if self.chemistries and all(conflict(read.chemistry, known) for known in self.chemistries):
            raise MismatchError(
                f"{read.where}: {read.chemistry}, and the model was trained on {', '.join(self.chemistries)};"
                f" use a model for {read.chemistry}"
            )

    def untried(self, read: Read) -> str:
        """What to tell of reads whose chemistry is unknown, or differs in a detail from that of the training."""
        trained = ", ".join(self.chemistries) or "unknown"
        return (
            f"reads of chemistry {read.chemistry}, and the model was trained on {trained}; nothing forbids it,"
            " and nobody has measured how good it is"
        )

    def check_unseen(self, read: Read, reference: str = "") -> None:
        """Leak guard: refuse to judge the model on a read that its own split rule put into training or validation.

        The rule is asked only about reads of the runs that the model was trained on; other runs are unseen. A split by
        reference sequence is asked about every read: a sequence is the same in all runs.

        Args:
            read: The read.
            reference: The sequence that it was aligned to; needed if that is what the split goes by.

        Raises:
            ReadDropped: Reason ``in_train``, ``in_validation`` or ``no_reference``.
        """
        for seen in self.seen:
            by_reference = seen.split.by == "reference"
            if by_reference and not reference:
                raise ReadDropped(f"{read.where}: its reference is not known; give --read_info", reason="no_reference")
            split = split_of(
                seen.split, read_id=read.read_id, run_id=read.run_id, channel=read.channel, reference=reference
            )
            if split != "test" and (by_reference or read.run_id in seen.runs):
                raise ReadDropped(f"{read.where}: the model's own split put it into {split}", reason=f"in_{split}")

    @property
    def seen(self) -> tuple[Seen, ...]:
        """All that trained the weights."""
        return (Seen(self.split, self.runs), *self.before)

    @property
    def confounder(self) -> str:
        """What to say wherever a score of the model stands; empty if nothing."""
        return confounder_of(self.confounded)

    def to_json(self) -> str:
        """As JSON text, one line."""
        return json.dumps({"schema_version": SCHEMA_VERSION, **asdict(self)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`.

        Raises:
            ConfigError: The text is no recipe, or one of another schema version.
        """
        try:
            plain = json.loads(text)
            version = plain.pop("schema_version")
        except (ValueError, KeyError, AttributeError, TypeError) as exc:
            raise ConfigError("recipe: not JSON with a schema_version; is this a poreconv model?") from exc
        if version != SCHEMA_VERSION:
            raise ConfigError(f"recipe: schema version {version}, this poreconv reads {SCHEMA_VERSION}; train it anew")
        nested = {"split": SplitConfig, "normalisation": NormalisationConfig, "decoding": DecodeConfig}
        try:
            plain = _frozen(plain)
            values = {key: nested[key](**value) if key in nested else value for key, value in plain.items()}
            before = tuple(Seen(SplitConfig(**seen["split"]), seen["runs"]) for seen in plain.get("before", ()))
            return cls(**values | {"before": before})
        except (KeyError, TypeError) as exc:
            raise ConfigError(f"recipe: {exc}") from exc


def _frozen(value: Any) -> Any:
    """JSON's lists as the tuples that they were, also those within settings."""
    if isinstance(value, dict):
        return {key: _frozen(inner) for key, inner in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value

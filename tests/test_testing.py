"""The functions with which users check what they bring: each finds what breaks its contract."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch
from torch import Tensor, nn

from poreconv.events.events import Events
from poreconv.events.writers.tsv import TsvWriter
from poreconv.reads.read import Read
from poreconv.reads.readers.pod5 import Pod5Reader
from poreconv.reads.readers.writing import write_reads
from poreconv.testing import check_label_source, check_network, check_reader, check_writer
from tests.support.labels import read_of
from tests.support.networks import BOUNDED, UNBOUNDED
from tests.support.signal_files import reads_made

CALLS = itertools.count()


class Restless:
    """Labels that are others each time."""

    def events(self, read: Read) -> Events:
        """One event, one sample longer than before."""
        return Events.of([0], [1 + next(CALLS)])


class Listed:
    """Notes in a list."""

    notes: list[str] = []  # noqa: RUF012 - what is wrong with it

    def events(self, read: Read) -> Events:
        """One event."""
        return Events.of([0], [9])


SOURCES: dict[str, tuple[Any, str]] = {
    "restless": (Restless, "end differs when it is asked again"),
    "nothing": (lambda read: None, "none of the reads has a label"),
    "notes": (Listed, "notes: a list; a Counter is expected"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_wrong_with_a_label_source(name: str) -> None:
    """The message states what is expected."""
    own, message = SOURCES[name]
    with pytest.raises(AssertionError, match=message):
        check_label_source(own, [read_of("r1")])


class Shuffled(Pod5Reader):
    """Reads in another order than the ids."""

    def __iter__(self) -> Iterator[Read]:
        """Yield the last one first."""
        return iter([*super().__iter__()][::-1])


class Credulous(Pod5Reader):
    """Recognises everything."""

    @staticmethod
    def recognises(path: Path, head: bytes) -> bool:
        """Return True."""
        return True


class Doubling(Pod5Reader):
    """By id come other samples."""

    def __getitem__(self, read_id: str) -> Read:
        """Return a read, too loud."""
        read = super().__getitem__(read_id)
        return replace(read, adc=2 * read.adc)


READERS: dict[str, tuple[Any, str]] = {
    "shuffled": (Shuffled, "reads not in order of read_ids"),
    "credulous": (Credulous, "Credulous: recognises what is no signal file"),
    "doubling": (Doubling, "by id come other reads than in order"),
}


@pytest.mark.parametrize("name", READERS)
def test_what_is_wrong_with_a_reader(name: str, tmp_path: Path) -> None:
    """The message states what differs."""
    write_reads(tmp_path / "x.pod5", reads_made(3))
    own, message = READERS[name]
    with pytest.raises(AssertionError, match=message):
        check_reader(own, tmp_path / "x.pod5")


class Dated(TsvWriter):
    """Writes another score each time."""

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        place = table.column_names.index("score")
        super().write(table.set_column(place, "score", pa.array([float(next(CALLS))] * len(table))))


class Absent:
    """Writes nothing."""

    def __init__(self, path: Path) -> None:
        self.notes: Counter[str] = Counter()

    def write(self, table: pa.Table) -> None:
        """Forget the rows."""

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("writer", "message"), [(Dated, "other bytes for the same events"), (Absent, "not there after close")]
)
def test_what_is_wrong_with_a_writer(writer: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(AssertionError, match=message):
        check_writer(writer, tmp_path / "x.tsv")


@pytest.mark.parametrize("name", [*BOUNDED, *UNBOUNDED])
def test_networks_from_outside_keep_the_contract(name: str) -> None:
    """What is measured of them is returned."""
    field = BOUNDED[name][1] if name in BOUNDED else None
    network = BOUNDED[name][0] if name in BOUNDED else UNBOUNDED[name]

    assert check_network(network, chunk_samples=240 if name in BOUNDED else 60).receptive_field == field


class Random(nn.Module):
    """Noise in evaluation too."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        self.layer = nn.Conv1d(1, n_classes, 3, padding=1)

    def forward(self, x_B1T: Tensor) -> Tensor:
        """Label samples."""
        return self.layer(x_B1T + torch.randn_like(x_B1T))


def test_what_is_wrong_with_a_network() -> None:
    """The message is that of a training."""
    with pytest.raises(AssertionError, match="other outputs for the same window in evaluation mode"):
        check_network(Random, chunk_samples=100)
    with pytest.raises(AssertionError, match="network 'lstm' is not known"):
        check_network("lstm")

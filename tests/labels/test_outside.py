"""Label sources of the user's own: functions, classes and objects."""

from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from poreconv.commands.convert import convert
from poreconv.commands.prepare import prepare
from poreconv.config import ConvertConfig, PrepareConfig, SourceConfig, SplitConfig, WorkConfig
from poreconv.errors import ConfigError, LabelError, StoreError
from poreconv.events.events import Events
from poreconv.labels.opening import choose_labels, open_labels, opened
from poreconv.reads import pieces
from poreconv.reads.read import Read
from poreconv.testing import check_label_source
from tests.support.data import simulated
from tests.support.labels import read_of

NAME = __name__
HALF = SplitConfig(validation=0.0, test=0.0)


def thirds(read: Read) -> Events | None:
    """Three events of one length; none for a read whose id begins with x."""
    edges = np.linspace(0, len(read.adc), 4).astype(int)
    return None if read.read_id.startswith("x") else Events.of(edges[:-1], edges[1:])


def named(read: Read) -> Events:
    """Two regions."""
    return Events.of([0, 40], [40, 90], label=[1, 0], classes=("polya", "adapter"))


named.classes = ("polya", "adapter")  # type: ignore[attr-defined]


class FromFile:
    """Labels of a file with one number: the first boundary."""

    def __init__(self, files: list[Path], config: SourceConfig) -> None:
        self._first = int(files[0].read_text())
        self.notes: Counter[str] = Counter()
        self.closed = False

    def events(self, read: Read) -> Events:
        """Two events."""
        self.notes["asked"] += 1
        return Events.of([0, self._first], [self._first, len(read.adc)])

    def close(self) -> None:
        """Close the source."""
        self.closed = True


class Held:
    """An object that is open as long as the user wants."""

    classes = ("A", "C", "G", "T")
    base_offset = 2

    def __init__(self) -> None:
        self.closed = False

    def events(self, read: Read) -> Events:
        """One base."""
        return Events.of([5], [9], label=[3], classes=self.classes)

    def close(self) -> None:
        """Close it."""
        self.closed = True


def test_a_function_labels_reads() -> None:
    """By itself or by its name; its reads without a label are None."""
    for asked in (thirds, f"{NAME}:thirds"):
        found = check_label_source(asked, [read_of("r1", 99), read_of("x2", 99)])
        assert found[0] is not None
        assert (found[0].start.tolist(), found[1]) == ([0, 33, 66], None)


def test_a_function_states_its_classes() -> None:
    """As an attribute; a function without it gives places only, whatever its events have."""
    [events] = check_label_source(named, [read_of("r1")])
    [places] = check_label_source(partial(named), [read_of("r1")])

    assert events is not None
    assert places is not None
    assert (events.classes, events.label.tolist()) == (("polya", "adapter"), [1, 0])
    assert (places.classes, places.label.tolist()) == ((), [-1, -1])


def test_a_class_has_the_files(tmp_path: Path) -> None:
    """It is called with those of its parameters that there are, counts its notes, and is closed."""
    (tmp_path / "first.txt").write_text("30")
    with opened(choose_labels(FromFile, [tmp_path / "first.txt"]), SourceConfig()) as source:
        events = source.events(read_of("r1"))

    assert events is not None
    assert (events.end.tolist(), source.notes) == ([30, 100], {"asked": 1})
    with pytest.raises(ConfigError, match="FromFile: need a file; give it with --labels_from"):
        open_labels(FromFile, [], SourceConfig())
    with pytest.raises(ConfigError, match="thirds: are stored in the reads' own files; leave out --labels_from"):
        open_labels(thirds, [tmp_path / "first.txt"], SourceConfig())


def test_an_object_is_used_as_it_is() -> None:
    """It stays open, and its base offset counts."""
    held = Held()
    with opened(choose_labels(held, []), SourceConfig()) as source:
        assert (source.classes, source.base_offset) == (("A", "C", "G", "T"), 2)
        assert source.events(read_of("r1")) is not None

    assert not held.closed


def test_a_source_of_ones_own_stands_beside_others(tmp_path: Path) -> None:
    """For each read the first that has a label is used; files find their source by its name."""
    (tmp_path / "first.txt").write_text("10")
    choices = choose_labels([thirds, f"{NAME}:FromFile"], [f"{NAME}:FromFile={tmp_path / 'first.txt'}"])
    with opened(choices, SourceConfig()) as source:
        ends = [found.end.tolist() for read_id in ("r1", "x2") if (found := source.events(read_of(read_id, 90)))]

    assert ends == [[30, 60, 90], [10, 90]]
    assert source.notes == {f"labelled_by_{NAME}:thirds": 1, "asked": 1, f"labelled_by_{NAME}:FromFile": 1}


def fails(read: Read) -> Events:
    """Fail."""
    raise ValueError("no such\nthing")


WRONG: dict[str, tuple[Any, str]] = {
    "fails": (fails, r":fails: labelling read r1 failed: ValueError: no such thing \(.*test_outside\.py, line \d+\)$"),
    "other type": (lambda read: [1, 2], "returned a list; return Events, or None for no label"),
    "no function": (7, "labels builtins:int: a int; give a function of a read, or a class with a method events"),
    "no method": (dict, "labels builtins:dict: a dict; give a function of a read, or a class with a method events"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_ones_own_is_said_in_a_line(name: str) -> None:
    """Where it went wrong in the user's own code, and what is expected."""
    own, message = WRONG[name]
    with pytest.raises(ConfigError, match=message) as caught:
        open_labels(own, [], SourceConfig()).events(read_of("r1"))

    assert "\n" not in str(caught.value)


def test_classes_are_as_stated() -> None:
    """Others, in one read, are an error of the source, not a drop."""

    def other(read: Read) -> Events:
        return Events.of([0], [9], label=[0], classes=("b",))

    for stated, message in (
        ("b", r"classes is 'b'; give a tuple of names"),
        (("a",), "events of classes b, and .* a;"),
    ):
        other.classes = stated  # type: ignore[attr-defined]
        with pytest.raises(ConfigError, match=message):
            open_labels(other, [], SourceConfig()).events(read_of("r1"))


@pytest.mark.parametrize("coverage", [None, [[0, 300]]])
def test_a_label_that_does_not_fit_is_a_drop(coverage: Any) -> None:
    """Events, or what they cover, reach outside the signal."""
    end = 200 if coverage is None else 90
    source = open_labels(lambda read: Events.of([0], [end], coverage=coverage), [], SourceConfig())
    with pytest.raises(LabelError) as caught:
        source.events(read_of("r1"))

    assert caught.value.reason == "label_outside_signal"


FILE = """
from poreconv import Events


def half(read):
    middle = len(read.adc) // 2
    return Events.of([0, middle], [middle, 2 * middle])
"""
"""A file with a label function in it."""


@pytest.fixture
def many_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a job of each read, so that there is work for several processes."""
    monkeypatch.setattr(pieces, "JOB_BYTES", 1)


@pytest.mark.usefixtures("many_jobs")
def test_several_processes_prepare_like_one(tmp_path: Path) -> None:
    """A file is imported in each; a lambda works in one process, with a warning."""
    reads = simulated(tmp_path / "reads", n_reads=4)
    (tmp_path / "my.py").write_text(FILE)
    name, hashes = f"{tmp_path / 'my.py'}:half", []
    for workers in (1, 2):
        config = PrepareConfig(split=HALF, work=WorkConfig(workers=workers))
        hashes.append(prepare(reads, labels=name, out=tmp_path / str(workers), config=config).info.content_hash)
    two = ConvertConfig(work=WorkConfig(workers=2))
    with pytest.warns(UserWarning, match=r"<lambda>: cannot be sent to other processes \(.*\); one process does all"):
        ledger = convert(reads, labels=lambda read: Events.of([0], [9]), out=tmp_path / "x.tsv", config=two)

    assert hashes[0] == hashes[1]
    assert ledger.kept == 4


def test_a_store_is_of_one_source_text(tmp_path: Path) -> None:
    """A file that was changed since makes another store: the finished one is not taken for it."""
    reads, config = simulated(tmp_path / "reads", n_reads=4), PrepareConfig(split=HALF, work=WorkConfig(workers=1))
    for changed in ("", "\n\nMORE = 1\n"):
        (tmp_path / "my.py").write_text(FILE + changed)
        asked = {"labels": f"{tmp_path / 'my.py'}:half", "out": tmp_path / "store", "config": config}
        if changed:
            with pytest.raises(StoreError, match="made from other reads, labels or settings; --overwrite replaces it"):
                prepare(reads, **asked)
        else:
            assert prepare(reads, **asked).info.content_hash == prepare(reads, **asked).info.content_hash

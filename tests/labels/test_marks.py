"""What people mark is kept, undone and repeated; and the labels that it makes."""

import multiprocessing
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.commands.convert import convert
from poreconv.commands.prepare import prepare
from poreconv.config import PrepareConfig, WorkConfig
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, FormatError, MachineError
from poreconv.labels import database
from poreconv.labels.marks import DATABASE, Mark, Marks
from poreconv.labels.sources.studio import labelled
from tests.support.data import HALVES
from tests.support.signal_files import reads_made, write_multi

CLASSES = ("background", "a", "b")

ALONE = WorkConfig(workers=1)

places = st.tuples(st.integers(0, 60), st.integers(1, 30)).map(lambda pair: (pair[0], sum(pair)))
intervals = st.builds(lambda place, label: Mark(0, "interval", *place, label), places, st.sampled_from("ab"))
stretches = places.map(lambda place: Mark(0, "seen", *place))


@pytest.fixture
def marks(tmp_path: Path) -> Iterator[Marks]:
    """A new project."""
    with Marks(tmp_path / "project", writable=True) as made:
        yield made


def interval(start: int, end: int, label: str = "a", mark: int = 0, *, removed: bool = False) -> Mark:
    """Make an interval."""
    return Mark(mark, "interval", start, end, label, removed)


def test_a_mark_is_what_it_was_changed_to_last(marks: Marks) -> None:
    """Of two people's changes the later stands, and the earlier is in the history."""
    marks.change("Ada", "r", [interval(10, 20)])
    marks.change("Bob", "r", [interval(10, 25, mark=1)])
    marks.change("Ada", "r", [interval(12, 20, "b", mark=1)])

    assert marks.of("r") == [interval(12, 20, "b", mark=1)]
    assert [(each.who, each.mark.end) for each in marks.history("r")] == [("Ada", 20), ("Bob", 25), ("Ada", 20)]
    assert [each.name for each in marks.classes()] == ["a", "b"]


def test_each_person_undoes_what_that_person_did(marks: Marks) -> None:
    """The read that changed is returned, so that it can be shown."""
    marks.change("Ada", "r", [interval(10, 20), interval(30, 40)])
    marks.change("Bob", "q", [interval(0, 5)])

    assert marks.undo("Ada") == "r"
    assert marks.undo("Ada") is None
    assert (marks.of("r"), len(marks.of("q"))) == ([], 1)
    assert marks.redo("Ada") == "r"
    assert [mark.start for mark in marks.of("r")] == [10, 30]


def test_what_was_undone_before_a_new_action_is_not_repeated(marks: Marks) -> None:
    """A new action ends what can be repeated, and earlier ones can still be undone."""
    marks.change("Ada", "r", [interval(10, 20)])
    marks.change("Ada", "r", [interval(30, 40)])
    marks.undo("Ada")
    marks.change("Ada", "r", [interval(50, 60)])

    assert marks.redo("Ada") is None
    assert [marks.undo("Ada"), marks.undo("Ada"), marks.undo("Ada")] == ["r", "r", None]
    assert marks.of("r") == []


@settings(max_examples=20, deadline=None)
@given(edits=st.lists(st.tuples(st.integers(0, 4), intervals, st.booleans()), max_size=6))
def test_undoing_all_and_repeating_all_are_inverses(edits: list[tuple[int, Mark, bool]]) -> None:
    """A step back gives the marks of before it, in their order, which counts where they overlap; forward again."""
    with TemporaryDirectory() as folder, Marks(Path(folder), writable=True) as marks:
        states = [marks.of("r")]
        for number, mark, removed in edits:
            known = [each.mark for each in marks.of("r")]
            target = known[number % len(known)] if known and number else 0
            marks.change("Ada", "r", [replace(mark, mark=target, removed=bool(target) and removed)])
            states.append(marks.of("r"))
        back = [states[-1]] + [marks.of("r") for _ in edits if marks.undo("Ada")]
        forward = [back[-1]] + [marks.of("r") for _ in edits if marks.redo("Ada")]

    assert back == states[::-1]
    assert forward == states


@settings(max_examples=60, deadline=None)
@given(some=st.lists(intervals, max_size=6), seen=st.lists(stretches, max_size=3))
def test_each_sample_has_the_class_of_the_last_mark_on_it(some: list[Mark], seen: list[Mark]) -> None:
    """What was looked at and is empty is background; what nobody looked at is not covered."""
    expected = np.full(100, -1)
    for mark in [*seen, *some]:
        expected[mark.start : mark.end] = CLASSES.index(mark.label or "background")
    events = labelled([*some, *seen], "interval", CLASSES)
    found, covered = np.full(100, -1), np.zeros(100, bool)
    for start, end, label in zip(events.start, events.end, events.label, strict=True) if events else ():
        found[start:end] = label
    for start, end in events.coverage if events else ():
        covered[start:end] = True

    assert found.tolist() == expected.tolist()
    assert covered.tolist() == (expected >= 0).tolist()
    assert (events is None) == (not some and not seen)


def test_boundaries_are_events_where_somebody_looked() -> None:
    """An event ends at the next boundary or with what was looked at; a boundary elsewhere is known alone."""
    seen = [Mark(0, "seen", 10, 40), Mark(0, "seen", 30, 50)]
    places = [Mark(0, "boundary", at, at + 1) for at in (45, 20, 70)]
    events = labelled([*places, *seen], "boundary", ())

    assert events is not None
    assert list(zip(events.start.tolist(), events.end.tolist(), strict=True)) == [(20, 45), (45, 50), (70, 71)]
    assert events.coverage.tolist() == [[10, 50], [70, 71]]


def test_there_is_background_where_a_part_is_empty(marks: Marks) -> None:
    """What was looked at, and belongs to a class everywhere, adds no class; one empty sample does."""
    marks.change("Ada", "r", [interval(0, 20, "polya"), interval(20, 50, "transcript"), Mark(0, "seen", 0, 50)])
    full = labelled(marks.of("r"), marks.used_as, marks.label_classes())
    marks.change("Ada", "s", [interval(1, 50, "polya"), Mark(0, "seen", 0, 50)])
    empty = labelled(marks.of("s"), marks.used_as, marks.label_classes())

    assert full is not None
    assert empty is not None
    assert (full.classes, full.label.tolist()) == (("polya", "transcript"), [0, 1])
    assert (empty.classes, empty.label.tolist()) == (("background", "polya", "transcript"), [0, 1])


def test_only_the_last_class_of_a_read_counts(marks: Marks) -> None:
    """Two people may choose at once; the later one stands."""
    for who, label in (("Ada", "tRNA"), ("Bob", "mRNA")):
        marks.change(who, "r", [Mark(0, "read", 0, 100, label)])
    marks.set_used_as("read")
    events = labelled(marks.of("r"), marks.used_as, marks.label_classes())

    assert events is not None
    assert (events.classes, events.label.tolist()) == (("tRNA", "mRNA"), [1])


@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        (interval(20, 20), "contains no sample"),
        (interval(-1, 20), "contains no sample"),
        (interval(0, 20, ""), "the name of its class"),
        (interval(0, 20, "a\tb"), "printable"),
        (interval(0, 20, mark=7), "no mark of this read"),
    ],
)
def test_an_impossible_mark_is_refused_and_changes_nothing(marks: Marks, mark: Mark, problem: str) -> None:
    """The whole action is refused, with what is wrong."""
    with pytest.raises(ConfigError, match=problem):
        marks.change("Ada", "r", [interval(0, 5), mark])

    assert (marks.of("r"), marks.version) == ([], 0)


def test_no_marks_make_no_action(marks: Marks) -> None:
    """As where all proposals are marks already: there is nothing to undo but what was done before."""
    marks.change("Ada", "r", [interval(0, 5)])
    marks.change("Ada", "r", [])

    assert marks.undo("Ada") == "r"
    assert marks.of("r") == []


@pytest.mark.parametrize("colour", ["url(http://evil.example)", "red", "#12345", "#1234567", "#12345g"])
def test_a_colour_is_six_digits(marks: Marks, colour: str) -> None:
    """Nothing else reaches a style of the page."""
    with pytest.raises(ConfigError, match="#rrggbb"):
        marks.set_class("a", colour)

    assert marks.classes() == []


def test_a_change_that_cannot_be_stored_is_an_error_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another process writes; once it has ended, the change can be made."""
    monkeypatch.setattr(database, "LONGEST_WAIT_S", 0)
    with Marks(tmp_path, writable=True) as marks, closing(sqlite3.connect(tmp_path / DATABASE)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MachineError, match=r"locked.*do it again"):
            marks.change("Ada", "r", [interval(0, 5)])
        other.rollback()
        assert marks.version == 0
        marks.change("Ada", "r", [interval(0, 5)])

        assert marks.of("r") == [interval(0, 5, mark=1)]


def test_a_full_disk_loses_nothing_that_was_stored(marks: Marks) -> None:
    """The action that does not fit is refused whole, and the next one that fits is stored."""
    marks.change("Ada", "r", [interval(0, 5)])
    [[pages]] = marks._database.ask("PRAGMA page_count")
    marks._database.ask(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(MachineError, match=r"full.*free disk space"):
        marks.change("Ada", "r", [interval(at, at + 5) for at in range(2000)])
    marks.change("Ada", "r", [interval(7, 9)])

    assert marks.of("r") == [interval(0, 5, mark=1), interval(7, 9, mark=2)]


def test_tables_that_another_process_has_just_made_are_used(tmp_path: Path) -> None:
    """Two studios may begin one project at once."""
    with Marks(tmp_path, writable=True) as first, closing(sqlite3.connect(tmp_path / DATABASE)) as behind:
        first.change("Ada", "r", [interval(0, 5)])
        behind.execute("PRAGMA user_version = 0")
        with Marks(tmp_path, writable=True) as second:
            second.change("Bob", "r", [interval(7, 9)])

        assert [each.who for each in first.history("r")] == ["Ada", "Bob"]


def _mark_without_end(folder: Path, made: Connection) -> None:
    """Send the number of each action that is stored."""
    with Marks(folder, writable=True) as marks:
        for number in range(1_000_000):
            marks.change("Ada", "r", [interval(number, number + 1), interval(number, number + 2)])
            made.send(number + 1)


def test_a_killed_process_loses_no_action_and_leaves_no_half(tmp_path: Path) -> None:
    """In the middle of writing: what was acknowledged is stored, and of the action after it all or nothing."""
    context = multiprocessing.get_context("spawn")
    made, other = context.Pipe(duplex=False)
    process = context.Process(target=_mark_without_end, args=(tmp_path, other))
    process.start()
    other.close()
    last = 0
    while last < 20:
        last = made.recv()
    process.kill()
    process.join()
    while made.poll():
        try:
            last = made.recv()
        except EOFError:
            break
    made.close()
    with Marks(tmp_path, writable=True) as marks:
        assert len(marks.of("r")) in {2 * last, 2 * last + 2}


def test_a_folder_without_marks_is_no_project(tmp_path: Path) -> None:
    """Nothing is made where marks are only read, and another file is not taken for them."""
    with pytest.raises(FormatError, match=r"--project"):
        Marks(tmp_path)
    (tmp_path / DATABASE).write_text("no database, though long enough to be taken for one")
    with pytest.raises(FormatError, match="cannot be read"):
        Marks(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == [DATABASE]


def test_a_project_is_a_folder(tmp_path: Path) -> None:
    """A file that was given for it is named, and stays as it is."""
    (tmp_path / "reads").write_text("signal")
    with pytest.raises(ConfigError, match=r"reads: not a folder; give another --project"):
        Marks(tmp_path / "reads", writable=True)

    assert (tmp_path / "reads").read_text() == "signal"


def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """Its columns may have another meaning."""
    Marks(tmp_path, writable=True).close()
    with sqlite3.connect(tmp_path / DATABASE) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()

    with pytest.raises(FormatError, match="update poreconv"):
        Marks(tmp_path, writable=True)


def test_a_project_is_prepared_and_converted_while_it_is_open(marks: Marks, tmp_path: Path) -> None:
    """Marked reads are labelled, with background where somebody looked; the others have no label."""
    reads = reads_made(4)
    write_multi(tmp_path / "reads.fast5", reads)
    for read in reads[:3]:
        marks.change("Ada", read.read_id, [interval(20, 60), Mark(0, "seen", 0, 100)])
    asked = {"labels": "studio", "labels_from": [marks.path.parent]}
    config = PrepareConfig(task="segment", split=HALVES, work=ALONE)
    store: Store = prepare([tmp_path / "reads.fast5"], out=tmp_path / "store", config=config, **asked)
    convert([tmp_path / "reads.fast5"], out=tmp_path / "events.tsv", **asked)
    rows = [line.split("\t")[1:4] for line in (tmp_path / "events.tsv").read_text().splitlines()[1:4]]

    assert store.info.classes == ("background", "a")
    assert store.info.ledger.summary() == "reads in 4 = kept 3 + dropped 1 (no_label 1)"
    assert rows == [["0", "20", "background"], ["20", "60", "a"], ["60", "100", "background"]]


def test_a_read_without_a_boundary_that_was_looked_at_is_kept(marks: Marks, tmp_path: Path) -> None:
    """Nothing begins there, which a network can learn; a read that nobody looked at has no label."""
    reads = reads_made(4)
    write_multi(tmp_path / "reads.fast5", reads)
    marks.set_used_as("boundary")
    for read, boundaries in zip(reads[:3], ([], [30], [50]), strict=True):
        found = [Mark(0, "boundary", at, at + 1) for at in boundaries]
        marks.change("Ada", read.read_id, [*found, Mark(0, "seen", 0, 100)])
    config = PrepareConfig(task="boundary", split=HALVES, work=ALONE)
    asked = {"labels": "studio", "labels_from": [marks.path.parent]}
    store: Store = prepare([tmp_path / "reads.fast5"], out=tmp_path / "store", config=config, **asked)
    targets = {read_id: store.read_target(row) for row, read_id in enumerate(store.text("read_id"))}

    assert store.info.ledger.summary() == "reads in 4 = kept 3 + dropped 1 (no_label 1)"
    assert [np.flatnonzero(targets[read.read_id] == 1).tolist() for read in reads[:3]] == [[], [30], [50]]
    assert all((target[:100] >= 0).all() and (target[100:] == -1).all() for target in targets.values())

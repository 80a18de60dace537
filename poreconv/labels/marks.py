"""What people mark in the studio: the database of a project, to which changes are only ever added.

The state of a mark is its last change, so that of two changes to one mark the later stands, and the earlier is in the
history; undoing an action adds the states from before it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, Self, get_args

import numpy as np

from poreconv.config import require
from poreconv.errors import FormatError
from poreconv.events.events import union
from poreconv.labels.database import Database

DATABASE = "marks.sqlite"
"""Name of the database in the folder of a project."""

BACKGROUND = "background"
"""Class of what a person has looked at and left empty."""

Kind = Literal["interval", "boundary", "read", "seen"]
"""What a mark is: a stretch of samples with a class; the first sample of an event; the class of a whole read; a stretch
that a person has looked at."""

MarkedKind = Literal["interval", "boundary", "read"]
"""What the marks of a project are to be used as."""

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A900", "#7F7F7F")
"""Colours of new classes, in turn. Source: Okabe & Ito 2008, the yellow darkened to be seen on white."""

LONGEST_NAME = 80
"""Characters of the name of a class or a person."""

COLOUR = re.compile("#[0-9a-fA-F]{6}")

VERSION = 1
"""Of the schema."""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS classes (name TEXT PRIMARY KEY, colour TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS actions (
    action INTEGER PRIMARY KEY AUTOINCREMENT, who TEXT NOT NULL, at TEXT NOT NULL,
    of INTEGER REFERENCES actions, undone INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS changes (
    change INTEGER PRIMARY KEY AUTOINCREMENT, action INTEGER NOT NULL REFERENCES actions, mark INTEGER NOT NULL,
    read_id TEXT NOT NULL, kind TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, label TEXT NOT NULL,
    removed INTEGER NOT NULL, again INTEGER
);
CREATE INDEX IF NOT EXISTS changes_of_read ON changes (read_id, mark, change);
CREATE INDEX IF NOT EXISTS changes_of_mark ON changes (mark, change);
CREATE INDEX IF NOT EXISTS changes_of_action ON changes (action);
PRAGMA user_version = {VERSION};
"""
"""Actions of people, each with one change or more. ``of`` is the action that one undoes or repeats; ``again`` is the
change whose state, and whose place among overlapping marks, comes back. Two processes may make the tables at once."""

PLACE = "coalesce(again, change)"
"""Place of a change among those of overlapping marks."""

STATE = "mark, kind, start, end, label, removed"
"""Columns of `Mark`."""

CURRENT = "change IN (SELECT max(change) FROM changes {where} GROUP BY mark) AND NOT removed"
"""Condition on the changes that are the present state of a mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of one mark of a read."""

    mark: int
    """Its number; 0: a new one."""
    kind: Kind
    start: int
    """First sample."""
    end: int
    """Sample after the last."""
    label: str = ""
    """Name of its class; empty: none."""
    removed: bool = False


@dataclass(frozen=True, slots=True)
class MarkClass:
    """A class of marks."""

    name: str
    colour: str
    """As ``#rrggbb``."""


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of the history of a read."""

    who: str
    at: str
    """Time in UTC, ISO 8601."""
    mark: Mark
    """The state that the mark got."""


class Marks:
    """The marks of a project; a context manager.

    Args:
        folder: Of the project.
        writable: Make the folder and the database where they are missing; else only read.

    Raises:
        ConfigError: The folder is a file.
        FormatError: The folder contains no such database, or one of a later version.
    """

    def __init__(self, folder: Path, *, writable: bool = False) -> None:
        self.path = database_in(folder)
        if writable:
            parent = self.path.parent
            require(parent.is_dir() or not parent.exists(), f"{parent}: not a folder; give another --project")
            parent.mkdir(parents=True, exist_ok=True)
        elif not self.path.is_file():
            raise FormatError(f"{folder}: no project of poreconv studio; give the folder of --project")
        self._database = Database(self.path, SCHEMA, VERSION, writable=writable)

    def copy_to(self, folder: Path) -> None:
        """Copy the marks as they are now to another folder.

        Args:
            folder: Made if it does not exist.

        Raises:
            MachineError: They cannot be read, or the copy not be written.
        """
        self._database.copy_to(database_in(folder))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        """Return the object itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the database."""
        self.close()

    # Reading

    def of(self, read_id: str) -> list[Mark]:
        """Return the marks of a read, the one that was changed last at the end.

        Args:
            read_id: Id of the read.
        """
        where = CURRENT.format(where="WHERE read_id = ?")
        rows = self._database.ask(f"SELECT {STATE} FROM changes WHERE {where} ORDER BY {PLACE}", read_id)
        return [_mark(row) for row in rows]

    def read_ids(self) -> list[str]:
        """Return the ids of the reads that have marks, in the order of their first one."""
        where = CURRENT.format(where="")
        rows = self._database.ask(f"SELECT read_id FROM changes WHERE {where} GROUP BY read_id ORDER BY min(mark)")
        return [row[0] for row in rows]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of marks of each kind, of each read that has any."""
        where, found = CURRENT.format(where=""), dict[str, dict[str, int]]()
        rows = self._database.ask(f"SELECT read_id, kind, count(*) FROM changes WHERE {where} GROUP BY read_id, kind")
        for read_id, kind, number in rows:
            found.setdefault(read_id, {})[kind] = number
        return found

    def history(self, read_id: str) -> list[Change]:
        """Return all changes of a read's marks, the last one at the end.

        Args:
            read_id: Id of the read.
        """
        rows = self._database.ask(
            f"SELECT who, at, {STATE} FROM changes JOIN actions USING (action) WHERE read_id = ? ORDER BY change",
            read_id,
        )
        return [Change(who, at, _mark(row)) for who, at, *row in rows]

    @property
    def version(self) -> int:
        """A number that grows with every action."""
        return int(self._database.ask("SELECT coalesce(max(action), 0) FROM actions")[0][0])

    def classes(self) -> list[MarkClass]:
        """Return the classes, in the order in which they were made."""
        return [MarkClass(*row) for row in self._database.ask("SELECT name, colour FROM classes ORDER BY rowid")]

    @property
    def used_as(self) -> MarkedKind:
        """Which kind of marks the project is for."""
        rows = self._database.ask("SELECT value FROM settings WHERE name = 'used_as'")
        found: MarkedKind = rows[0][0] if rows else "interval"
        return found

    def label_classes(self) -> tuple[str, ...]:
        """Return the classes of the labels that the marks make, in order; none of boundaries."""
        if self.used_as == "boundary":
            return ()
        where = CURRENT.format(where="")
        rows = self._database.ask(f"SELECT DISTINCT label FROM changes WHERE {where} AND kind = ?", self.used_as)
        used = {label for (label,) in rows}
        if self.used_as == "interval" and self._are_parts_empty():
            used.add(BACKGROUND)
        names = [each.name for each in self.classes() if each.name in used]
        return (BACKGROUND, *(name for name in names if name != BACKGROUND)) if BACKGROUND in used else tuple(names)

    def _are_parts_empty(self) -> bool:
        """Whether something that was looked at has no interval."""
        where = CURRENT.format(where="")
        rows = self._database.ask(
            f"SELECT read_id, kind, start, end FROM changes WHERE {where} AND kind IN ('interval', 'seen')"
            " ORDER BY read_id, start"
        )
        for _, of_read in groupby(rows, itemgetter(0)):
            parts = [(kind, (start, end)) for _, kind, start, end in of_read]
            covered = union(np.array([part for kind, part in parts if kind == "interval"], np.int64).reshape(-1, 2))
            if not np.array_equal(covered, union(np.array([part for _, part in parts], np.int64))):
                return True
        return False

    # Writing

    def change(self, who: str, read_id: str, marks: Sequence[Mark]) -> None:
        """Give marks of a read a new state, as one action; classes that are not known yet are made.

        Args:
            who: Name of the person.
            read_id: Id of the read.
            marks: The states; number 0 makes a new mark. Without one there is no action, thus nothing to undo.

        Raises:
            ConfigError: A mark has no samples, or is none of this read.
            MachineError: The change cannot be stored: the disk is full, or another process holds the database.
        """
        _check_name(who, "the name of a person")
        if not marks:
            return
        known = {row[0] for row in self._database.ask("SELECT DISTINCT mark FROM changes WHERE read_id = ?", read_id)}
        for mark in marks:
            _check(mark, read_id, known)
        with self._database.writing():
            action = self._add_action(who)
            for label in dict.fromkeys(mark.label for mark in marks if mark.label):
                self._add_class(label)
            next_number = self._database.ask("SELECT coalesce(max(mark), 0) + 1 FROM changes")[0][0]
            for mark in marks:
                number = mark.mark or next_number
                next_number += not mark.mark
                self._add_change(action, read_id, replace(mark, mark=number))

    def undo(self, who: str) -> str | None:
        """Undo a person's last action that is not undone.

        Args:
            who: Name of the person.

        Returns:
            Id of the read that it changed; None: there was no such action.
        """
        with self._database.writing():
            found = self._database.ask(f"SELECT max(action) FROM actions WHERE {OF_PERSON} AND NOT undone", who)
            return self._repeat(who, found[0][0], undone=True)

    def redo(self, who: str) -> str | None:
        """Repeat the action that a person undid last, unless that person has acted since.

        Args:
            who: Name of the person.

        Returns:
            Id of the read that it changed; None: there was no such action.
        """
        with self._database.writing():
            last = f"SELECT coalesce(max(action), 0) FROM actions WHERE {OF_PERSON} AND NOT undone"
            undone = f"SELECT min(action) FROM actions WHERE {OF_PERSON} AND undone AND action > ({last})"
            return self._repeat(who, self._database.ask(undone, who, who)[0][0], undone=False)

    def set_class(self, name: str, colour: str = "") -> None:
        """Make a class, or change its colour.

        Args:
            name: Of the class.
            colour: As ``#rrggbb``; default: the next one.

        Raises:
            ConfigError: That is no name, or no colour.
        """
        _check_name(name, "the name of a class")
        require(not colour or bool(COLOUR.fullmatch(colour)), f"class {name}: colour {colour!r}; give it as #rrggbb")
        with self._database.writing():
            self._add_class(name)
            if colour:
                self._database.do("UPDATE classes SET colour = ? WHERE name = ?", colour, name)

    def set_used_as(self, kind: MarkedKind) -> None:
        """Choose which kind of marks the project is for; those of other kinds are kept.

        Args:
            kind: The kind.

        Raises:
            ConfigError: There is no such kind.
        """
        require(kind in get_args(MarkedKind), f"marks {kind!r}: choose one of {', '.join(get_args(MarkedKind))}")
        with self._database.writing():
            self._database.do("INSERT OR REPLACE INTO settings VALUES ('used_as', ?)", kind)

    def _repeat(self, who: str, action: int | None, *, undone: bool) -> str | None:
        """Undo an action, or repeat one that was undone; return the id of its read."""
        if action is None:
            return None
        rows = self._database.ask(
            f"SELECT change, read_id, {STATE} FROM changes WHERE action = ? ORDER BY change", action
        )
        again = self._add_action(who, of=action)
        self._database.do("UPDATE actions SET undone = ? WHERE action = ?", undone, action)
        for change, read_id, *row in reversed(rows) if undone else rows:
            place, mark = self._before(change, _mark(row)) if undone else (change, _mark(row))
            self._add_change(again, read_id, mark, place)
        return str(rows[0][1]) if rows else None

    def _before(self, change: int, mark: Mark) -> tuple[int, Mark]:
        """Return place and state of a mark before a change; of a mark that was made by it, its removal."""
        query = f"SELECT {PLACE}, {STATE} FROM changes WHERE mark = ? AND change < ? ORDER BY change DESC LIMIT 1"
        for place, *row in self._database.ask(query, mark.mark, change):
            return place, _mark(row)
        return change, replace(mark, removed=True)

    def _add_action(self, who: str, of: int | None = None) -> int:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return self._database.do("INSERT INTO actions (who, at, of) VALUES (?, ?, ?)", who, now, of)

    def _add_change(self, action: int, read_id: str, mark: Mark, again: int | None = None) -> None:
        state = (mark.mark, mark.kind, mark.start, mark.end, mark.label, mark.removed)
        values = f"INSERT INTO changes (action, read_id, {STATE}, again) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._database.do(values, action, read_id, *state, again)

    def _add_class(self, name: str) -> None:
        number = self._database.ask("SELECT count(*) FROM classes")[0][0]
        colour = COLOURS[number % len(COLOURS)]
        self._database.do("INSERT OR IGNORE INTO classes VALUES (?, ?)", name, colour)


OF_PERSON = "who = ? AND of IS NULL"
"""Condition on the actions of a person that neither undo nor repeat another."""


def database_in(folder: Path) -> Path:
    """Return the database of a project.

    Args:
        folder: Of the project; or the database itself.
    """
    return folder if folder.name == DATABASE else folder / DATABASE


def files_of(folder: Path) -> list[Path]:
    """Return the files that contain the marks of a project.

    Args:
        folder: Of the project; or its database.
    """
    database = database_in(folder)
    return [database, database.with_name(f"{DATABASE}-wal")]


def _mark(row: Sequence[Any]) -> Mark:
    number, kind, start, end, label, removed = row
    return Mark(number, kind, start, end, label, bool(removed))


def _check(mark: Mark, read_id: str, known: set[int]) -> None:
    where = f"read {read_id}: mark [{mark.start}, {mark.end})"
    require(0 <= mark.start < mark.end, f"{where} contains no sample; give it a start before its end")
    require(mark.mark in {0, *known}, f"{where}: number {mark.mark} is no mark of this read; load the page again")
    require(mark.kind in get_args(Kind), f"{where}: kind {mark.kind!r}; choose one of {', '.join(get_args(Kind))}")
    if mark.kind in {"interval", "read"}:
        _check_name(mark.label, f"{where}: the name of its class")


def _check_name(name: str, what: str) -> None:
    good = bool(name.strip()) and name.isprintable() and len(name) <= LONGEST_NAME
    require(good, f"{what}: {name!r}; give 1 to {LONGEST_NAME} printable characters")

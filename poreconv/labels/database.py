"""The database file of a project: how it is opened, and its transactions."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from poreconv.errors import FormatError, MachineError
from poreconv.runtime.files import whole_file

LONGEST_WAIT_S = 10
"""Seconds that a change waits while another process writes."""


class Database:
    """An SQLite file, open; it knows the place of the project in its errors.

    Args:
        path: The file.
        schema: Statements that make the tables where they are missing, and set the version.
        version: Of the schema.
        writable: Make the file where it is missing; else only read.

    Raises:
        FormatError: The file is no such database, or one of a later version.
    """

    def __init__(self, path: Path, schema: str, version: int, *, writable: bool) -> None:
        self.path = path
        mode = "rwc" if writable else "ro"
        try:
            address = f"{path.resolve().as_uri()}?mode={mode}"
            self._connection = sqlite3.connect(address, uri=True, timeout=LONGEST_WAIT_S, check_same_thread=False)
            self._connection.isolation_level = None  # transactions are begun by `writing`
            found = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if writable:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
            if writable and found == 0:
                self._connection.executescript(f"BEGIN IMMEDIATE;{schema}COMMIT;")
        except sqlite3.Error as exc:
            problem = f"{path}: cannot be read as marks of poreconv studio ({exc})"
            raise FormatError(f"{problem}; give the folder of --project, on a disk of this machine") from exc
        if found > version or (found == 0 and not writable):
            self.close()
            raise FormatError(f"{path}: not written by this version of poreconv studio; update poreconv")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def ask(self, query: str, *values: Any) -> list[Any]:
        """Return the rows that a query finds.

        Args:
            query: In SQL.
            values: Of its question marks.

        Raises:
            MachineError: The file cannot be read now.
            FormatError: The file is damaged.
        """
        with self._accessing(), closing(self._connection.execute(query, values)) as found:
            return found.fetchall()

    def do(self, statement: str, *values: Any) -> int:
        """Change rows, within `writing`.

        Args:
            statement: In SQL.
            values: Of its question marks.

        Returns:
            Number of the row that was inserted last.
        """
        return int(self._connection.execute(statement, values).lastrowid or 0)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make one transaction of what is written, on the disk when it ends.

        Raises:
            MachineError: It cannot be stored: the disk is full, or another process goes on writing.
            FormatError: The file is damaged.
        """
        with self._accessing():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # where the disk is full, SQLite itself has ended it
                    self._connection.execute("ROLLBACK")
                raise

    def copy_to(self, path: Path) -> None:
        """Copy the database as it is now into one file, which is read without writing beside it.

        Args:
            path: The file; it appears complete or not at all.

        Raises:
            MachineError: It cannot be read now, or the copy not be written.
        """
        with self._accessing(), whole_file(path) as partial, closing(sqlite3.connect(partial)) as copy:
            self._connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    @contextmanager
    def _accessing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as exc:
            way_out = "close what else uses the project, or free disk space, and do it again"
            raise MachineError(f"{self.path}: not stored, or not read ({exc}); {way_out}") from exc
        except sqlite3.DatabaseError as exc:
            raise FormatError(f"{self.path}: damaged ({exc}); take a copy of the project from before") from exc

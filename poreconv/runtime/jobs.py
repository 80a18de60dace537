"""The folder in which a command keeps the results of its jobs, and from which it resumes when it was killed."""

import hashlib
import json
import shutil
import warnings
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from poreconv.errors import ConfigError
from poreconv.runtime.files import DONE, PARTS, errors_name, hidden_beside, state_of, sync, whole_file
from poreconv.runtime.records import from_json, to_json, to_plain

PUBLISHED = "published.json"
"""Name of the file in a `JobFolder` that identifies the complete output."""

TAKEN = "exists already; --overwrite replaces it, or choose another --out"
"""Why an output is not written."""


class JobFolder:
    """The results of a command's finished jobs, in a folder beside its output; a context manager.

    Each result is a whole file (`whole_file`). When the same command is run again, it finds the results that a killed
    one left; with another ``plan`` they are removed.

    Args:
        out: The command's output; the folder is ``.<name>.parts`` beside it.
        plan: Inputs and settings of the command, as JSON types.
        anew: Remove the results of a killed command even if its plan is the same.

    Raises:
        ConfigError: ``out`` exists, and is not to be replaced: no command with this plan was killed.
    """

    def __init__(self, out: Path, plan: dict[str, Any], *, anew: bool = False) -> None:
        self.out, self.folder = out, hidden_beside(out, PARTS)
        text = json.dumps(to_plain(plan), sort_keys=True)
        # In the names of results: an orphaned worker may still write one of another plan.
        self._mark = hashlib.sha256(text.encode()).hexdigest()[:8]
        if anew or _json_in(self.folder / "plan.json") != to_plain(plan):
            if not anew and out.exists():
                if self.finished:
                    self.remove()
                raise ConfigError(f"{out}: {TAKEN}")
            self._start(plan)

    def _start(self, plan: dict[str, Any]) -> None:
        with errors_name(self.out, self.folder):
            self.remove()
            self.folder.mkdir(parents=True)
            try:
                with whole_file(self.folder / "plan.json") as partial:
                    partial.write_text(to_json(plan), encoding="utf-8")
            except BaseException:
                self.remove()
                raise

    @property
    def finished(self) -> bool:
        """Whether the output is complete, and the command was killed while it cleaned up."""
        described = _json_in(self.folder / PUBLISHED)
        return described is not None and described == {"out": state_of(self.out)}

    @staticmethod
    def exists_for(out: Path) -> bool:
        """Return whether a killed command has left results.

        Args:
            out: Its output.
        """
        return hidden_beside(out, PARTS).exists()

    @staticmethod
    def plan_for(out: Path) -> dict[str, Any]:
        """Return the plan of a killed command; empty if there is none.

        Args:
            out: Its output.
        """
        return _json_in(hidden_beside(out, PARTS) / "plan.json") or {}

    @staticmethod
    def remove_for(out: Path) -> None:
        """Remove what a killed command has left; all at once, by a rename first: a part of it would mean another state.

        Args:
            out: Its output.
        """
        done = hidden_beside(out, DONE)
        shutil.rmtree(done, ignore_errors=True)
        with suppress(FileNotFoundError):
            hidden_beside(out, PARTS).replace(done)
        shutil.rmtree(done, ignore_errors=True)

    def path(self, number: int, suffix: str) -> Path:
        """Return the path of a job's result, whether or not the job is done.

        Args:
            number: Number of the job.
            suffix: Suffix of the file, such as ``.parquet``.
        """
        return self.folder / f"{number:08d}.{self._mark}{suffix}"

    def __enter__(self) -> Self:
        """Return the folder."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove the folder if the command failed before its first result: there is nothing to resume from."""
        if (
            kind is not None
            and self.folder.exists()
            and not any(path.name[:8].isdigit() for path in self.folder.iterdir())
        ):
            self.remove()

    def publish(self, joined: Path) -> None:
        """Put the complete output in its place, and remove the folder.

        Args:
            joined: The output, in the folder.
        """
        with errors_name(self.out, joined, self.folder):
            sync(joined)
            with whole_file(self.folder / PUBLISHED) as partial:  # by which a rerun knows that the output is complete
                partial.write_text(to_json({"out": state_of(joined)}), encoding="utf-8")
            joined.replace(self.out)
            sync(self.out.parent)
        self.remove()

    def remove(self) -> None:
        """Remove the folder, when the output is complete."""
        self.remove_for(self.out)


def _json_in(path: Path) -> dict[str, Any] | None:
    """Return what a JSON file contains; None if there is none, or it is damaged."""
    try:
        return from_json(path.read_bytes(), dict[str, Any], str(path))
    except (OSError, ConfigError):
        return None


def missing(results: Iterable[Path]) -> set[Path]:
    """Return the results of jobs that are still to be made; damaged ones, as a loss of power leaves them, are removed.

    Args:
        results: Their Parquet files, with checksums of pages.
    """
    damaged, absent = [], set[Path]()
    for path in results:
        if not path.exists():
            absent.add(path)
        elif not _is_sound(path):
            damaged.append(path)
            path.unlink()
    if damaged:
        warnings.warn(
            f"{damaged[0]}: damaged{f', and {len(damaged) - 1} more' if damaged[1:] else ''}; made again", stacklevel=2
        )
    return absent.union(damaged)


def _is_sound(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as table:
            for number in range(table.num_row_groups):
                table.read_row_group(number, use_threads=False)
            for key, text in (table.metadata.metadata or {}).items():
                if key != b"ARROW:schema":
                    json.loads(text)
    except (OSError, ValueError, pa.ArrowException):
        return False
    return True

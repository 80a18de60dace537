"""Files that exist whole or not at all, and folders from which a killed command resumes."""

import hashlib
import platform
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from poreconv.config import require
from poreconv.errors import WorkerError
from poreconv.runtime.records import from_json, to_json, to_plain


@contextmanager
def whole_file(path: Path, *, partial_suffix: str = ".partial") -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success it is renamed to ``path``, on error it is removed.

    Args:
        path: The final path. Its folder is made if it does not exist.
        partial_suffix: Ending of the temporary name, for libraries that take the format from it.

    Example:
        >>> with whole_file(Path("report.json")) as partial:
        ...     partial.write_text("{}")
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not a process id, which may occur on several machines at a time.
    partial = path.with_name(f".{path.name}.{uuid4().hex}{partial_suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class JobFolder:
    """The results of a command's finished jobs, in a folder beside its output; a context manager.

    Each result is a whole file (`whole_file`). When the same command is run again, it finds the results that a killed
    one left; with another ``plan`` they are removed.

    Args:
        out: The command's output; the folder is ``.<name>.parts`` beside it.
        plan: Inputs and settings of the command, as JSON types.
        anew: Remove the results of a killed command even if its plan is the same.
    """

    def __init__(self, out: Path, plan: dict[str, Any], *, anew: bool = False) -> None:
        self.folder = self._folder_of(out)
        marker = self.folder / "plan.json"
        if anew or not marker.exists() or from_json(marker.read_bytes(), dict[str, Any], str(marker)) != to_plain(plan):
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            with whole_file(marker) as partial:
                partial.write_text(to_json(plan), encoding="utf-8")

    @staticmethod
    def _folder_of(out: Path) -> Path:
        return out.with_name(f".{out.name}.parts")

    @classmethod
    def exists_for(cls, out: Path) -> bool:
        """Return whether a killed command has left results.

        Args:
            out: Its output.
        """
        return cls._folder_of(out).exists()

    def path(self, number: int, suffix: str) -> Path:
        """Return the path of a job's result, whether or not the job is done.

        Args:
            number: Number of the job.
            suffix: Suffix of the file, such as ``.parquet``.
        """
        return self.folder / f"{number:08d}{suffix}"

    def __enter__(self) -> Self:
        """Return the folder."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove the folder if the command failed before its first result: there is nothing to resume from."""
        if kind is not None and not any(path.stem.isdigit() for path in self.folder.iterdir()):
            self.remove()

    def remove(self) -> None:
        """Remove the folder, when the output is complete."""
        shutil.rmtree(self.folder)


def check_only(folder: Path, names: Collection[str], *, what: str) -> None:
    """Check that a folder which is to be replaced contains nothing but what poreconv wrote.

    Args:
        folder: The folder; it may be missing, or empty.
        names: Names in such a folder; the first one is in each.
        what: What the folder is, for the message: ``"store"``.

    Raises:
        ConfigError: It is no such folder, or contains something else.
    """
    if not folder.exists():
        return
    remedy = "choose another --out, or remove it yourself"
    require(folder.is_dir() and not folder.is_symlink(), f"{folder}: not a folder of its own, not replaced; {remedy}")
    found = [path.name for path in folder.iterdir() if not path.match(".*.partial")]  # left by a killed process
    others = sorted(set(found) - set(names))
    require(not others, f"{folder}: contains {', '.join(others[:1])}, no part of a {what}, not replaced; {remedy}")
    first = next(iter(names))
    require(not found or first in found, f"{folder}: not a {what} (it has no {first}), not replaced; {remedy}")


def replace_folder(new: Path, out: Path) -> None:
    """Put a complete folder in the place of one that exists, or not, and remove that one.

    Args:
        new: The folder, on the same file system.
        out: Its final place.
    """
    old = new.with_name(f"{new.name}.replaced")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def check_seen(folder: Path) -> None:
    """Check that this machine, which may be another one than the command's, has a folder of the command.

    Args:
        folder: The folder.

    Raises:
        WorkerError: It does not.
    """
    if not folder.is_dir():
        raise WorkerError(f"{folder}: not visible on {platform.node()}; all machines must have the same paths")


def fingerprint(paths: list[Path]) -> list[list[Any]]:
    """Identify the state of files without reading them.

    Args:
        paths: The files.

    Returns:
        For each file its path, size in bytes and time of last change in ns; size and time of a missing file are -1.
    """
    return [[str(path.resolve()), *_size_and_time(path)] for path in paths]


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # such as a broken link, which git-annex leaves; opening it raises an error
        return -1, -1
    return status.st_size, status.st_mtime_ns


def size_of(path: Path) -> int:
    """Return the bytes of a file; -1 for a missing one.

    Args:
        path: The file.
    """
    return _size_and_time(path)[0]


def sha256(paths: list[Path]) -> str:
    """Return the SHA-256 of the contents of files, as one stream.

    Args:
        paths: The files, in order.
    """
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()

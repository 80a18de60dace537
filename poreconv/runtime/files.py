"""Files that exist whole or not at all, and folders from which a killed command resumes."""

import errno
import hashlib
import os
import platform
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

from poreconv.config import require
from poreconv.errors import WorkerError

LONGEST_NAME = 200
"""Longest name, in bytes, that is repeated in the names of hidden files beside it: most file systems hold 255."""

PARTS, DONE, REPLACED = ".parts", ".parts.done", ".replaced"
"""Endings of the hidden folders beside an output: the results of jobs, the same while they are removed, and what the
output replaces, until it is in its place."""

PAGE = ".html"
"""Suffix of a page."""

LEDGER = ".ledger.json"
"""Ending of the drop ledger beside a table."""

ENDS_BYTES = 1 << 16
"""Bytes at each end of a file that its fingerprint covers."""


def hidden_beside(path: Path, ending: str) -> Path:
    """Return the place of a hidden file or folder that belongs to an output.

    Args:
        path: The output.
        ending: What the place is for, such as ``.lock``.
    """
    name = path.name if len(os.fsencode(path.name)) <= LONGEST_NAME else _digest(os.fsencode(path.name))
    return path.with_name(f".{name}{ending}")


def check_name(path: Path) -> None:
    """Raise the system's error if it allows no file of such a name there, whether or not there is one.

    Args:
        path: The file or folder.
    """
    with suppress(FileNotFoundError):
        path.stat()


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path for a file; on success it is synced to disk and renamed, on error it is removed.

    The temporary path has the same name, in a hidden folder beside ``path``, and so have the temporary files of the
    library that writes it. Errors name ``path``.

    Args:
        path: The final path. Its folder is made if it does not exist.

    Example:
        >>> with whole_file(Path("report.json")) as partial:
        ...     partial.write_text("{}")
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not a process id, which may occur on several machines at a time.
    folder = hidden_beside(path, f".{uuid4().hex}.partial")
    partial = folder / path.name
    with errors_name(path, partial, folder):
        try:
            folder.mkdir()
            yield partial
            sync(partial)
            partial.replace(path)
            sync(path.parent)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def errors_name(path: Path, *temporary: Path) -> Iterator[None]:
    """Let errors name an output where they name the places in which it is being written.

    Args:
        path: The output.
        *temporary: Those places, the longest first.
    """
    try:
        yield
    except Exception as exc:
        for place in map(str, temporary):
            exc.args = tuple(arg.replace(place, str(path)) if isinstance(arg, str) else arg for arg in exc.args)
            if isinstance(exc, OSError) and place in str(exc.filename):
                exc.filename = str(path)
        raise


def remove_partials(*paths: Path) -> None:
    """Remove what killed commands left of files; only for the holder of the lock on the output that they belong to.

    Args:
        *paths: The final paths of the files, in one folder.
    """
    folder = paths[0].parent
    prefixes = "|".join(re.escape(hidden_beside(path, ".").name) for path in paths)
    partial = re.compile(rf"({prefixes})[0-9a-f]{{32}}\.partial")
    for left in [*folder.iterdir()] if folder.is_dir() else []:
        if partial.fullmatch(left.name):
            shutil.rmtree(left, ignore_errors=True)


def sync(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to disk, so that both outlast a loss of power.

    Args:
        path: The file or folder.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as exc:
        if exc.errno not in {errno.EINVAL, errno.ENOTSUP}:  # file systems that cannot do it, as some do for folders
            raise
    finally:
        os.close(handle)


def finish_cleaning(out: Path, *beside: Path) -> None:
    """Finish what a killed command left undone around its output; only for the holder of its lock.

    Args:
        out: The output. If it was being replaced, and the new one was not in its place yet, it is put back.
        *beside: Other files that the command writes there.
    """
    remove_partials(out, *beside)
    shutil.rmtree(hidden_beside(out, DONE), ignore_errors=True)
    replaced = hidden_beside(out, REPLACED)
    if replaced.exists() and not out.exists():
        replaced.rename(out)
    shutil.rmtree(replaced, ignore_errors=True)


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
    old = hidden_beside(out, REPLACED)
    with errors_name(out, new, old):
        for path in [*new.rglob("*"), new]:
            sync(path)
        shutil.rmtree(old, ignore_errors=True)
        if out.exists():
            out.rename(old)
        new.rename(out)
        sync(out.parent)
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
    """Identify the state of files without reading them whole.

    Args:
        paths: The files.

    Returns:
        For each file its path, size in bytes, time of last change in ns, and the SHA-256 of its first and last
        `ENDS_BYTES`, which differs also where an editor keeps size and time; -1, -1 and "" for a missing file.
    """
    return [[str(path.resolve()), *state_of(path)] for path in paths]


def state_of(path: Path) -> list[Any]:
    """Return size, time of last change and hash of the ends of one file; see `fingerprint`.

    Args:
        path: The file.
    """
    return [*_size_and_time(path), _digest_of_ends(path)]


def _digest_of_ends(path: Path) -> str:
    if not path.is_file():  # a pipe can be read only once
        return ""
    try:
        with path.open("rb") as stream:
            head = stream.read(ENDS_BYTES)
            stream.seek(max(path.stat().st_size - ENDS_BYTES, len(head)))
            return _digest(head + stream.read(ENDS_BYTES))
    except OSError:  # opening it as a signal file raises an error
        return ""


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


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

"""One command at a time writes an output: its lock, and what a killed command left around it."""

import errno
import os
import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from poreconv.config import require
from poreconv.errors import ConfigError
from poreconv.runtime.files import LEDGER, check_name, errors_name, finish_cleaning, hidden_beside
from poreconv.runtime.machine import refused

P = ParamSpec("P")
T = TypeVar("T")

WAIT_S, WAIT_FOR_DEAD_S = 0.2, 15.0
"""Longest time to wait for a lock, seconds: of a command that may be ending; of one that was killed, whose loader
processes keep it until they notice."""

NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP}
"""Errors of file systems without locks."""


def writes_out(command: Callable[P, T]) -> Callable[P, T]:
    """Make a command the only one that writes its ``out``, a keyword argument, while it runs; see `claimed`.

    Args:
        command: A function of `poreconv.commands`.
    """

    @wraps(command)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        out = kwargs.get("out")
        if not isinstance(out, str | Path):  # none is asked for
            return command(*args, **kwargs)
        with claimed(Path(out)):
            return command(*args, **kwargs)

    return alone


@contextmanager
def claimed(out: Path) -> Iterator[None]:
    """Hold the lock on an output, and finish the cleaning of a command that was killed.

    The lock is a hidden file ``.<name>.lock`` beside the output, with process and machine; nothing of it is left.
    Folders that were made for the output are removed if they stay empty.

    Args:
        out: A file or a folder. ``<name>.ledger.json`` beside it, and ``<stem>.html`` beside a ``.json``, belong to it.

    Raises:
        ConfigError: Another command is writing it, or it can be neither file nor folder.
        MachineError: The machine refuses to write it, at once or later.
    """
    place = out.resolve() if out.name in {"", ".."} else out.parent.resolve() / out.name
    beside = [place.with_suffix(".html")] if place.suffix == ".json" else []
    try:
        _check_possible(out)
        with _folder_made(place), _locked(out, place):
            finish_cleaning(place, place.with_name(f"{place.name}{LEDGER}"), *beside)
            yield
    except (OSError, MemoryError) as exc:
        raise refused(exc, out) from exc


def _check_possible(out: Path) -> None:
    """Refuse a name that the system refuses, and what is neither a file nor a folder, such as ``/dev/full``."""
    check_name(out)
    possible = not out.exists() or out.is_file() or (out.is_dir() and out.resolve().name)
    require(bool(possible), f"{out}: no file or folder that can be written; choose another --out")


@contextmanager
def _folder_made(place: Path) -> Iterator[None]:
    """Make the folder of an output; of all that is made, remove what is empty at the end, also a folder as output."""
    made = [each for each in (place, *place.parents) if not each.exists()]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for each in made:
            with suppress(OSError):  # a file, or not empty
                each.rmdir()


@contextmanager
def _locked(out: Path, place: Path) -> Iterator[None]:
    # A folder that stands in one that cannot be written, such as a mounted one, holds the lock itself.
    inside = place.is_dir() and not os.access(place.parent, os.W_OK)
    file = place / ".lock" if inside else hidden_beside(place, ".lock")
    soft = file.with_name(f"{file.name}ed")
    with errors_name(out, soft, file):
        try:
            with _native(out, file):
                yield
        except _NoLocksError:
            file.unlink(missing_ok=True)
            with _held(out, SoftFileLock(soft)):
                yield


class _NoLocksError(Exception):
    """A file system without locks."""


@contextmanager
def _native(out: Path, file: Path) -> Iterator[None]:
    """Hold a lock of the system, which ends with the process; the file states who holds it."""
    with _held(out, FileLock(file, fallback_to_soft=False)):
        try:
            file.write_text(f"{os.getpid()}\n{platform.node()}\n", encoding="utf-8")
            yield
        finally:
            # Before the release: who waits for this lock finds that its file has no name, and tries again.
            file.unlink(missing_ok=True)


@contextmanager
def _held(out: Path, lock: BaseFileLock) -> Iterator[None]:
    file = Path(lock.lock_file)
    try:
        try:
            lock.acquire(timeout=WAIT_S)
        except Timeout:
            lock.acquire(timeout=WAIT_FOR_DEAD_S if _died(*_holder(file)) else 0)
    except Timeout as exc:
        process, machine = _holder(file)
        raise ConfigError(
            f"{out}: process {process} on {machine} is writing it; wait until it ends, or choose another --out"
        ) from exc
    except OSError as exc:
        if exc.errno in NO_LOCKS and not isinstance(lock, SoftFileLock):
            raise _NoLocksError from exc
        raise
    try:
        yield
    finally:
        lock.release()


def _holder(file: Path) -> tuple[str, str]:
    """Return process and machine of the command that holds a lock; "?" where it has not stated them yet."""
    try:
        process, machine, *_ = file.read_text(encoding="utf-8", errors="replace").split("\n")
    except (OSError, ValueError):
        return "?", "?"
    return process, machine


def _died(process: str, machine: str) -> bool:
    if machine != platform.node() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's
        pass
    return False

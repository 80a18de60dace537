"""What the machine refuses: no permission, a full disk, a name that is too long, no memory; each in one line."""

import errno
import os
import re
from pathlib import Path

from poreconv.errors import MachineError

REMEDIES = {
    errno.ENOSPC: "free some, or choose another place",
    errno.EDQUOT: "free some, or choose another place",
    errno.EFBIG: "raise the limit (ulimit -f), or write to another file system",
    errno.EACCES: "change the permissions, or choose another place",
    errno.EPERM: "change the permissions, or choose another place",
    errno.EROFS: "choose another place",
    errno.ENOTDIR: "a part of the path is a file; choose another place",
    errno.EISDIR: "give the name of a file",
    errno.ENAMETOOLONG: "choose a shorter one",
    errno.ENOENT: "check the path",
    errno.EMFILE: "raise the limit (ulimit -n)",
    errno.EIO: "the disk or the network may be damaged",
    errno.ESTALE: "mount the file system again",
}
"""Number of an error of the system -> what to do."""

AGAIN = "run the same command again"
"""What to do about the others."""

ERRNO = re.compile(r"errno\D{0,3}(\d+)", re.IGNORECASE)
"""How libraries write the number of an error of the system in their messages."""


def refused(exc: OSError | MemoryError, out: Path | None = None) -> MachineError:
    """Describe in one line what the machine refused.

    Args:
        exc: The error.
        out: The output that was being written, for errors that name no file; None: nothing was.
    """
    if isinstance(exc, MemoryError):
        needed = f" ({one_line(exc)})" if str(exc) else ""
        return MachineError(f"not enough memory{needed}; use fewer --workers, or a machine with more")
    number = number_of(exc)
    named = exc.filename if isinstance(exc.filename, str | bytes | Path) else out
    where = f"{os.fsdecode(named)}: " if named is not None else ""
    problem = os.strerror(number) if number else one_line(exc)
    return MachineError(f"{where}{problem[:1].lower()}{problem[1:]}; {REMEDIES.get(number, AGAIN)}")


def number_of(exc: BaseException) -> int:
    """Return the number by which the system names an error, also where a library wrote it into its message; else 0.

    Args:
        exc: The error.
    """
    if isinstance(exc, OSError) and exc.errno:
        return exc.errno
    found = ERRNO.search(str(exc))
    return int(found[1]) if found else 0


def one_line(exc: BaseException) -> str:
    """Return the message of an error on one line, its kind if it has none.

    Args:
        exc: The error.
    """
    return " ".join(str(exc).split()) or type(exc).__name__

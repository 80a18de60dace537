"""Writing signal files: whole, read again and counted before they have their name."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from poreconv.errors import ConfigError, FormatError, MachineError
from poreconv.reads.read import Read
from poreconv.reads.readers import READERS, open_file
from poreconv.runtime.files import whole_file
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.registry import lookup


def write_reads(path: Path, reads: Iterable[Read]) -> None:
    """Write reads into one signal file, in the format of its name's ending.

    Args:
        path: The file; replaced if it exists. Nothing is left of it if writing fails.
        reads: At least one sample each; different ids. One is in memory at a time.

    Raises:
        ConfigError: The name's ending is not that of a format that can be written.
        FormatError: The format cannot hold a read.
    """
    name = next((name for name in READERS if path.name.lower().endswith(name)), "")
    write = lookup(READERS, name, kind="signal format").write if name else None
    if write is None:
        raise ConfigError(
            f"{path}: its suffix names no format that can be written; end the name in {', '.join(writable())}"
        )
    with whole_file(path) as partial:
        written = _Counted(reads)
        write(partial, written)
        check_written(partial, written.n_reads)


class _Counted:
    """Reads that are counted while they are iterated over."""

    def __init__(self, reads: Iterable[Read]) -> None:
        self._reads, self.n_reads = reads, 0

    def __iter__(self) -> Iterator[Read]:
        for read in self._reads:
            yield read
            self.n_reads += 1


def check_written(path: Path, n_reads: int) -> None:
    """Read a signal file that was just written, and count its reads; not every library reports a full disk.

    Args:
        path: The file, closed.
        n_reads: How many reads it must contain.

    Raises:
        MachineError: It contains fewer, or cannot be read.
    """
    found, cause = 0, None
    try:
        with open_file(path, Ledger()) as reader:
            found = sum(1 for _ in reader)
    except FormatError as exc:
        cause = exc
    if found != n_reads:
        message = f"{path}: not written whole: {found} of {n_reads} reads can be read again; the disk may be full"
        raise MachineError(message) from cause


def writable() -> list[str]:
    """Return the formats that `write_reads` can write: keys of ``READERS``."""
    return [name for name in READERS if lookup(READERS, name, kind="signal format").write is not None]

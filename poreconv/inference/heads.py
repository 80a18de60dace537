"""A look at the first read of each file, so that what a model does not label is known before the work starts."""

import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from poreconv.config import FilesConfig
from poreconv.errors import MisfitWarning, MismatchError, PoreconvError
from poreconv.reads.read import Read
from poreconv.reads.readers import find_files, open_file
from poreconv.runtime.ledger import Ledger

LONGEST_S = 2.0
"""Time after which no more files are opened, seconds."""

Kind = tuple[str, float]
"""Chemistry and sample rate."""


class Checking(Protocol):
    """A model, or several that are chosen from."""

    def check(self, read: Read) -> None:
        """Return if a read is labelled.

        Args:
            read: The read.

        Raises:
            MismatchError: It is not.
        """
        ...


def check_heads(model: Checking, paths: Path | str | Sequence[Path | str], files: FilesConfig) -> None:
    """Warn of files whose first reads a model does not label, once for each kind of reads.

    Other reads of these files may fit, so nothing is refused here. Files are passed over that cannot be opened, and all
    if reads are chosen by their ids.

    Args:
        model: The model.
        paths: Signal files and folders: one, or several.
        files: How the signal files are read.

    Raises:
        FormatError: A path does not exist, or there is no signal file.
    """
    if files.read_ids is not None:
        return
    misfits, first, seen = Counter[Kind](), dict[Kind, str](), 0
    found = find_files(paths)
    for read in _heads(found[: files.limit]):
        seen += 1
        try:
            model.check(read)
        except MismatchError as exc:
            kind = read.chemistry.code, read.sample_rate_hz
            misfits[kind] += 1
            why = str(exc).removeprefix(f"{read.where}: ")
            first.setdefault(kind, f"such as {read.source}, are dropped ({exc.reason}): {why}")
    for kind, n_files in misfits.items():
        warnings.warn(f"the first reads of {n_files:,} of {seen:,} files, {first[kind]}", MisfitWarning, stacklevel=3)


def _heads(paths: Sequence[Path]) -> Iterator[Read]:
    """Yield the first read of each file, until `LONGEST_S`."""
    until = time.monotonic() + LONGEST_S
    for path in paths:
        if time.monotonic() > until:
            return
        try:
            with open_file(path, Ledger()) as reader:
                first = next(iter(reader), None)
        except PoreconvError:
            continue
        if first is not None:
            yield first

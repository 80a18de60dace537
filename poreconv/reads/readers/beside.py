"""Files that lie beside signal files."""

from collections.abc import Sequence
from pathlib import Path

from poreconv.reads.readers import INSTALLED, SUFFIX_OF
from poreconv.reads.readers._folders import exists_as, others_in
from poreconv.runtime.registry import installed_names


def files_beside(paths: Sequence[Path]) -> list[Path]:
    """Find the files that are no signal files, by suffix, among and beside signal files.

    Args:
        paths: Signal files, in whose folders is looked, and folders, which are searched with their subfolders.

    Returns:
        Files that are not hidden, each once, in the order of the paths.

    Raises:
        FormatError: A folder cannot be listed.
    """
    signal = {*SUFFIX_OF.values(), *installed_names(INSTALLED)}
    found: dict[Path, None] = {}
    for path in paths:
        folder = exists_as(path, Path.is_dir)
        others = others_in(path if folder else path.parent, signal, below=folder)
        found |= dict.fromkeys(others)
    return list(found)

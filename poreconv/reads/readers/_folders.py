"""Finding files in folders."""

import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from poreconv.errors import FormatError


def files_in(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """Find files by their suffixes in a folder and its subfolders; hidden ones are ignored.

    Links to folders are followed; each folder is searched once, by whatever names it is reached, so that links in a
    loop end.

    Args:
        folder: The folder.
        suffixes: Suffixes in lower case.

    Returns:
        The files, sorted.

    Raises:
        FormatError: A folder cannot be listed.
    """
    found = (file for here, names in _walk(folder) for name in names if _has(suffixes, file := here / name))
    return sorted(found)


def others_in(folder: Path, suffixes: Collection[str], *, below: bool) -> list[Path]:
    """Find the other files in a folder: those that are not hidden and have none of some suffixes.

    Args:
        folder: The folder.
        suffixes: Suffixes in lower case.
        below: Whether to search its subfolders too, as `files_in` does.

    Returns:
        The files, sorted.

    Raises:
        FormatError: A folder cannot be listed.
    """
    files = (here / name for here, names in _walk(folder) if below or here == folder for name in names)
    return sorted(file for file in files if file.suffix.lower() not in suffixes and not file.name.startswith("."))


def exists_as(path: Path, kind: Callable[[Path], bool]) -> bool:
    """Return whether a path is a file or a folder; False where that is not known, so that opening it raises the error.

    Args:
        path: The path.
        kind: `Path.is_file` or `Path.is_dir`.
    """
    try:
        return kind(path)
    except OSError:  # a folder above it is closed to this user
        return False


def _has(suffixes: Collection[str], file: Path) -> bool:
    return file.suffix.lower() in suffixes and not file.name.startswith(".")


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder that is not hidden, with the names of its files."""
    visited: set[tuple[int, int]] = set()
    for here, folders, names in os.walk(folder, onerror=_raise, followlinks=True):
        status = Path(here).stat()
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield Path(here), names


def _raise(error: OSError) -> None:
    raise FormatError(
        f"{error.filename}: the folder cannot be listed ({error.strerror}); check its permissions, or name the other "
        "folders and files instead of the one above it"
    ) from error

"""Labels of whole reads from the location of their files: one or more folders or files per class."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from poreconv.config import SourceConfig, require
from poreconv.events.events import Events
from poreconv.labels.fit import fitted_whole
from poreconv.reads.read import Read


class PathClass:
    """Paths, each with a class for all reads in it: ``NAME=PATH``, or ``PATH``, whose name without suffix is the class.

    A path is a signal file, or a folder with all that it contains, at any depth. Several paths may have the same class;
    if one folder is inside another, the inner one decides. Each read is one event from its first sample to its last.
    Classes are the sorted names. A read whose file is in none of the paths has no label.
    """

    in_file = False
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Check that the paths exist.

        Args:
            files: Paths, or ``NAME=PATH`` as a path; see `class_and_path`.
            config: Not used.

        Raises:
            ConfigError: A path does not exist, or is given two classes.
        """
        self.notes: Counter[str] = Counter()
        named = [class_and_path(given) for given in files]
        self.classes = tuple(sorted({name for name, _ in named}))
        self._class: dict[Path, int] = {}
        for name, path in named:
            label = self.classes.index(name)
            for place in given_and_resolved(path):
                known = self._class.setdefault(place, label)
                require(
                    known == label,
                    f"{path}: has the classes {self.classes[known]} and {name}; give each path one class",
                )
        self._last_file: tuple[Path, int | None] | None = None

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: The path of its file gives its class.
        """
        label = None if read.source is None else self._label_of(read.source)
        return None if label is None else fitted_whole(read, label, self.classes)

    def _label_of(self, file: Path) -> int | None:
        """Return the class of a file; the last one is kept, because reads come file by file."""
        if self._last_file is None or self._last_file[0] != file:
            places = (place for path in given_and_resolved(file) for place in (path, *path.parents))
            self._last_file = file, next((self._class[place] for place in places if place in self._class), None)
        return self._last_file[1]

    def close(self) -> None:
        """Do nothing: no file is open."""


def class_and_path(given: Path) -> tuple[str, Path]:
    """Return the class name and the path of ``NAME=PATH``, or of a path alone.

    Args:
        given: One value of ``--labels_from``. If a file or folder of this name exists, it is a path alone, even with a
            ``=`` in it.

    Raises:
        ConfigError: The path does not exist.
    """
    name, equals, rest = str(given).partition("=")
    if not equals or given.exists():
        path = given_and_resolved(given)[0]
        name = path.stem if path.is_file() else path.name
    else:
        path = Path(rest)
    require(path.exists(), f"{path}: no such file or folder; give PATH or NAME=PATH with --labels_from")
    return name, path


def given_and_resolved(path: Path) -> tuple[Path, Path]:
    """Return the absolute path with and without its links followed: links may lead out of a folder, or into one.

    Args:
        path: A file or folder, absolute or relative.

    Returns:
        The path as given, made absolute, and the path to which it leads.
    """
    return Path(os.path.abspath(path)), path.resolve()  # noqa: PTH100 - resolve follows links

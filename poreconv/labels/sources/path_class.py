"""Labels of whole reads from where their files lie: a folder, or a file, for each class."""

import os
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from poreconv.config import SourceConfig, require
from poreconv.events.events import Events
from poreconv.labels.fit import fitted_whole
from poreconv.reads.read import Read


class PathClass:
    """``NAME=PATH``, or ``PATH`` whose own name (without suffix) is the class: all reads in it have this class.

    The path is a signal file, or a folder with all that is in it. Several paths may have one class; of a folder within
    another, the inner one counts. Each read is one event from its first sample to its last. Classes are the sorted
    names. A read that lies in none of the paths has no label.
    """

    in_file = False
    base_offset: int | None = None

    def __init__(self, files: Sequence[Path], config: SourceConfig) -> None:
        """Look at the paths.

        Raises:
            ConfigError: One is not there, or is to be of two classes.
        """
        self.notes: Counter[str] = Counter()
        named = [named_path(one) for one in files]
        self.classes = tuple(sorted({name for name, _ in named}))
        self._class: dict[Path, int] = {}
        for name, path in named:
            label = self.classes.index(name)
            for place in both(path):
                known = self._class.setdefault(place, label)
                require(known == label, f"{path}: is to be {self.classes[known]} and {name}; give each path one class")
        self._of = lru_cache(maxsize=1)(self._label_of)  # reads come file by file

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`."""
        label = None if read.source is None else self._of(read.source)
        return None if label is None else fitted_whole(read, label, self.classes)

    def _label_of(self, source: Path) -> int | None:
        places = (inner for place in both(source) for inner in (place, *place.parents))
        return next((self._class[place] for place in places if place in self._class), None)

    def close(self) -> None:
        """Nothing is open."""


def named_path(given: Path) -> tuple[str, Path]:
    """Class and path of ``NAME=PATH``, or of a path alone.

    Raises:
        ConfigError: Nothing is there.
    """
    name, equals, rest = str(given).partition("=")
    if not equals or given.exists():
        path = both(given)[0]
        name = path.stem if path.is_file() else path.name
    else:
        path = Path(rest)
    require(path.exists(), f"{path}: no such file or folder; give PATH or NAME=PATH with --labels_from")
    return name, path


def both(path: Path) -> tuple[Path, Path]:
    """Where a path says it is, and where it is: links may lead out of a folder, and into one."""
    return Path(os.path.abspath(path)), path.resolve()  # noqa: PTH100 - resolve follows links

"""Files that exist whole or not at all, and work that goes on where it was killed."""

import hashlib
import json
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from poreconv.errors import WorkerError


@contextmanager
def whole_file(path: Path, *, partial_suffix: str = ".partial") -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success it takes the name, on error it goes.

    Args:
        path: The file that is to be.
        partial_suffix: What the temporary name ends in; for libraries that tell a format by it.

    Example:
        >>> with whole_file(Path("report.json")) as partial:
        ...     partial.write_text("{}")
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(
        f".{path.name}.{uuid4().hex}{partial_suffix}"
    )  # on several machines a process id is no name
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


class Parts:
    """A folder of finished pieces of one job, beside its output.

    A piece that is there is whole (`whole_file`). The same job started again finds the pieces that a killed run left;
    another job (other inputs or settings, told by ``plan``) starts from nothing.

    Args:
        out: The job's output; the folder is ``.<name>.parts`` beside it.
        plan: What the job is, as JSON types: inputs and settings.
    """

    def __init__(self, out: Path, plan: dict[str, Any]) -> None:
        self.folder = self._folder_of(out)
        text = json.dumps(plan, sort_keys=True)
        marker = self.folder / "plan.json"
        if not marker.exists() or marker.read_text() != text:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            with whole_file(marker) as partial:
                partial.write_text(text)

    @staticmethod
    def _folder_of(out: Path) -> Path:
        return out.with_name(f".{out.name}.parts")

    @classmethod
    def remain(cls, out: Path) -> bool:
        """Whether a killed run of a job with this output has left pieces."""
        return cls._folder_of(out).exists()

    def path(self, number: int, suffix: str) -> Path:
        """Where piece ``number`` lies, or will."""
        return self.folder / f"{number:08d}{suffix}"

    def __enter__(self) -> Self:
        """The folder, while the job is done."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Leave no folder of a job that failed before its first piece; there is nothing to go on with."""
        if kind is not None and not any(path.name != "plan.json" for path in self.folder.iterdir()):
            self.remove()

    def remove(self) -> None:
        """Remove the folder; the output is there."""
        shutil.rmtree(self.folder)


def check_seen(folder: Path) -> None:
    """Refuse to work where a folder of the command isn't: on another machine, perhaps.

    Raises:
        WorkerError: It isn't there.
    """
    if not folder.is_dir():
        raise WorkerError(f"{folder}: not seen from {platform.node()}; all machines must see the same paths")


def fingerprint(paths: list[Path]) -> list[list[Any]]:
    """Tell files apart without reading them: path, size, time of last change; these two are -1 if it is not there."""
    return [[str(path.resolve()), *_size_and_time(path)] for path in paths]


def _size_and_time(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:  # a link to nothing, as git-annex leaves; opening it tells
        return -1, -1
    return status.st_size, status.st_mtime_ns


def size_of(path: Path) -> int:
    """Bytes of a file; -1 if it is not there."""
    return _size_and_time(path)[0]


def sha256(paths: list[Path]) -> str:
    """Hash the contents of files, in order."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()

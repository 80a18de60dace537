"""Compare what wheel and source distribution contain with the repository.

Usage: python -m scripts.releasing.distributions COMMITTED DIST DIRECT

COMMITTED is an archive of the repository, as git writes it, DIST the folder with the source distribution and the wheel
that was built from it, DIRECT the one with a wheel that was built from the repository. What differs is printed, and
the exit code is 1.
"""

import sys
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path

from poreconv.cli.terminal import print_line

PACKAGE = "poreconv"

NOT_RELEASED = {".gitignore"}
"""Files of the repository that only git needs."""

MADE_BY_SETUPTOOLS = {"PKG-INFO", "setup.cfg"}


def in_archive(archive: Path) -> set[str]:
    """List the files in a tar archive.

    Args:
        archive: The file.
    """
    with tarfile.open(archive) as opened:
        return {member.name for member in opened.getmembers() if member.isfile()}


def in_sdist(sdist: Path) -> set[str]:
    """List a source distribution's files, without its folder's name and what setuptools makes.

    Args:
        sdist: The file.
    """
    names = {name.partition("/")[2] for name in in_archive(sdist)}
    return {name for name in names - MADE_BY_SETUPTOOLS if ".egg-info/" not in name}


def in_wheel(wheel: Path) -> dict[str, bytes]:
    """Read a wheel's files, without those that describe it.

    Args:
        wheel: The file.
    """
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if ".dist-info/" not in name}


def differences(what: str, found: Collection[str], expected: Collection[str]) -> list[str]:
    """Name what is missing, and what is too much.

    Args:
        what: Where it was found.
        found: Names.
        expected: Names.
    """
    missing = [f"{what}: {name} is missing" for name in sorted(set(expected) - set(found))]
    return missing + [f"{what}: {name} does not belong there" for name in sorted(set(found) - set(expected))]


def problems(committed: Path, dist: Path, direct: Path) -> Iterator[str]:
    """Compare the distributions with the repository, and the two wheels with each other.

    Args:
        committed: An archive of the repository.
        dist: Folder with the source distribution and its wheel.
        direct: Folder with the wheel built from the repository.
    """
    sdist, wheel, other = _only(dist, "*.tar.gz"), _only(dist, "*.whl"), _only(direct, "*.whl")
    files = in_archive(committed)
    yield from differences(sdist.name, in_sdist(sdist), files - NOT_RELEASED)
    content, again = in_wheel(wheel), in_wheel(other)
    yield from differences(wheel.name, content, {name for name in files if name.startswith(f"{PACKAGE}/")})
    yield from (
        f"{name}: differs if built from the source distribution" for name in again if content.get(name) != again[name]
    )


def _only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def main(arguments: list[str]) -> int:
    """Print sizes, and what differs.

    Args:
        arguments: The archive and the two folders.

    Returns:
        The exit code.
    """
    committed, dist, direct = (Path(argument) for argument in arguments)
    for path in sorted(dist.iterdir()):
        print_line(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")
    found = list(problems(committed, dist, direct))
    for problem in found:
        print_line(problem)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Use what an installed poreconv ships: each model and its card, each pore model, each file of the studio's page.

Usage: python use_data.py READS

It is run in a folder outside the repository, with the Python of an environment that has poreconv and its extra
``studio``; READS are signal files.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen

import poreconv
from poreconv.cli.terminal import print_line
from poreconv.commands.models import card_of
from poreconv.pore_models import read_pore_model

PACKAGE = Path(poreconv.__file__).parent


def use_models() -> Iterator[str]:
    """Load each shipped model, and print its card; gives their names."""
    for model in poreconv.shipped_models():
        poreconv.load(model.name)
        if model.name not in card_of(model.name):
            raise SystemExit(f"{model.name}: its card is of another model")
        yield model.name


def use_pore_models() -> Iterator[str]:
    """Open each table of k-mer levels; gives their names."""
    for path in sorted((PACKAGE / "pore_models").glob("*.npz")):
        yield f"{path.stem} (k = {read_pore_model(path).k})"


@contextmanager
def _studio(reads: str) -> Iterator[str]:
    command = ["poreconv", "studio", reads, "--project", "marks", "--port", "0", "--no_browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield server.stdout.readline().strip() if server.stdout else ""
        finally:
            server.terminate()


def use_studio(reads: str) -> Iterator[str]:
    """Serve the studio, and ask for its page and each file of it; gives their names.

    Args:
        reads: Signal files.
    """
    with _studio(reads) as address:
        for name in ["", *(f"page/{path.name}" for path in sorted((PACKAGE / "studio" / "page").iterdir()))]:
            with urlopen(urljoin(address, name) if name else address, timeout=60) as answer:
                if not answer.read():
                    raise SystemExit(f"studio: {name} is empty")
            yield name or "/"


def main(arguments: list[str]) -> None:
    """Use all of it, and print what was used.

    Args:
        arguments: The signal files.
    """
    if not PACKAGE.is_relative_to(sys.prefix):
        raise SystemExit(f"{PACKAGE}: not the installed package; start this outside the repository")
    print_line("models: " + ", ".join(use_models()))
    print_line("pore models: " + ", ".join(use_pore_models()))
    print_line("studio: " + ", ".join(use_studio(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])

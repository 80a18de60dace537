"""The lecture: the notebooks, which are run when the site is built."""

import hashlib
import shutil
from pathlib import Path

from scripts.site.pages import INCLUDED, ROOT, Pages, toctree

NOTEBOOKS = ROOT / "notebooks"
CACHES = ROOT / "build" / "notebooks"
KEPT = 3
"""Caches that stay: of the sources as they are, and of those that were built last before."""


def lecture_pages() -> Pages:
    """Return the notebooks, and a list of them."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    pages = {f"lecture/{path.name}": path.read_text() for path in paths}
    names = [f"generated/lecture/{path.stem}" for path in paths]
    return pages | {f"{INCLUDED}/lecture.md": toctree(*names)}


def notebook_cache() -> Path:
    """Return the folder in which outputs of notebooks are kept; another, as soon as a file of the package changes."""
    digest = hashlib.sha256()
    for path in sorted(path for path in (ROOT / "poreconv").rglob("*") if path.is_file() and path.suffix != ".pyc"):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    cache = CACHES / digest.hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    cache.touch()
    for old in sorted(CACHES.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return cache

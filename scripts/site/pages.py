"""Pages as text: where made pages go, tables and headings in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

DOCS = ROOT / "docs"
GENERATED = DOCS / "generated"
INCLUDED = "included"
"""Folder of texts that are parts of written pages; those elsewhere are pages."""

Pages = Mapping[str, str]
"""Path below `GENERATED` -> text."""


def write_pages(pages: Pages) -> None:
    """Make the folder of made pages hold these and no others; a file that would not change keeps its time.

    Args:
        pages: All of them.
    """
    for path in [path for path in GENERATED.rglob("*") if path.is_file()]:
        if path.relative_to(GENERATED).as_posix() not in pages:
            path.unlink(missing_ok=True)
    for name, text in pages.items():
        path = GENERATED / name
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Make a table in Markdown.

    Args:
        heads: Of its columns.
        rows: Their cells.
    """
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |\n" for cells in lines)


def toctree(*pages: str, depth: int = 1, hidden: bool = False) -> str:
    """Make a list of pages that belong to a page.

    Args:
        pages: From the folder of docs, without suffix.
        depth: Levels of headings that are shown.
        hidden: Whether they stand only beside the page.
    """
    options = f":maxdepth: {depth}\n" + (":hidden:\n" if hidden else "")
    return f"```{{toctree}}\n{options}\n" + "".join(f"/{page}\n" for page in pages) + "```\n"

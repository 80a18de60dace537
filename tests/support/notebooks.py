"""What notebooks hold, for the tests of them and for those of the facts that they show."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def code_of(notebook: NotebookNode) -> list[NotebookNode]:
    """Code cells."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def nodes_of(notebook: NotebookNode) -> list[ast.stmt]:
    """Statements of all code cells, in order."""
    return [node for cell in code_of(notebook) for node in ast.parse(cell.source).body]


def functions_of(stem: str) -> SimpleNamespace:
    """Give what a notebook imports and the functions that it defines; nothing else of it runs."""
    nodes = nodes_of(nbformat.read(FOLDER / f"{stem}.ipynb", as_version=4))
    kept: list[ast.stmt] = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef)]
    names: dict[str, Any] = {}
    exec(compile(ast.Module(kept, type_ignores=[]), stem, "exec"), names)  # the repository's own code
    return SimpleNamespace(**names)

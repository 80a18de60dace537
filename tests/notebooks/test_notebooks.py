"""What the notebooks hold; they are run when the site is built, in ``tests/docs/test_site.py``."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from tests.support.notebooks import NOTEBOOKS, code_of, nodes_of

LONGEST = 5
"""Lines of a function in a notebook, its first not counted; a longer one belongs in the package."""


def test_there_are_notebooks() -> None:
    """Without any, the other tests here would pass for nothing."""
    assert len(NOTEBOOKS) > 0


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_clean(path: Path) -> None:
    """It starts with its question, and holds short functions and no outputs."""
    notebook = nbformat.read(path, as_version=4)

    assert notebook.cells[0].cell_type == "markdown"
    assert "?" in notebook.cells[0].source
    assert not any(cell.outputs or cell.execution_count for cell in code_of(notebook))
    assert long_functions(notebook) == []


def long_functions(notebook: NotebookNode) -> list[str]:
    """Names of the functions whose body is longer than allowed."""
    nodes = [node for statement in nodes_of(notebook) for node in ast.walk(statement)]
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    return [each.name for each in functions if (each.end_lineno or 0) - each.body[0].lineno + 1 > LONGEST]

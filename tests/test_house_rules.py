"""Rules that hold for the whole package, beside those that ruff, mypy and import-linter check."""

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "poreconv"
PYTHON = sorted([*PACKAGE.rglob("*.py"), *(ROOT / "scripts").rglob("*.py")])
PUBLIC = [path for path in PYTHON if path.is_relative_to(PACKAGE)]

MOST_ENTRIES = 20
LOOSE_FILES = {"__init__.py", "errors.py", "testing.py", "py.typed"}
"""The only files beside the rooms."""

MOST_FUNCTION_LINES, MOST_MODULE_LINES = 40, 400
"""Of code, docstring aside; of a file."""

NOT_PLAIN = re.compile(r"\b(tell|tells|told|say|says|said|speak|speaks|bears)\b")
"""Words for which technical English has plainer ones."""
ALLOWED = re.compile(r"\.tell\(\)")
"""The method of files that gives the place in them; Python named it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    """The path below the repository, as the name of a test."""
    return str(path.relative_to(ROOT))


CLASSES = {
    node.name: node
    for path in PUBLIC
    for node in ast.walk(ast.parse(path.read_text()))
    if isinstance(node, ast.ClassDef)
}
"""The package's classes by name."""


def public_functions(node: ast.AST, inherited: Collection[str] = ()) -> Iterator[Function]:
    """Functions and methods that may be called from elsewhere; no properties, nor methods that a base describes."""
    for child in ast.iter_child_nodes(node):
        name = getattr(child, "name", "_")
        if name.startswith("_") or name in inherited:
            continue
        if isinstance(child, ast.ClassDef):
            yield from public_functions(child, set(methods_of_bases(child)))
        elif isinstance(child, Function) and not is_property(child):
            yield child


def methods_of_bases(node: ast.ClassDef) -> Iterator[str]:
    """Names of the methods that a class has from its bases in the package."""
    for base in node.bases:
        if isinstance(base, ast.Name) and base.id in CLASSES:
            yield from (child.name for child in CLASSES[base.id].body if isinstance(child, Function))
            yield from methods_of_bases(CLASSES[base.id])


def is_property(function: Function) -> bool:
    """Whether it is used as an attribute."""
    return any("property" in ast.unparse(each) for each in function.decorator_list)


def arguments_of(function: Function) -> list[str]:
    """Names of the arguments that a caller gives."""
    arguments = function.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in {"self", "cls"}]


def raises(function: Function) -> bool:
    """Whether a function raises an error of its own, or requires something."""
    return any(
        (isinstance(node, ast.Raise) and node.exc is not None)
        or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"require", "require_none_below"})
        for node in ast.walk(function)
    )


def test_the_package_is_a_few_rooms() -> None:
    """At its top stand rooms, and no files but those that belong there."""
    entries = [path for path in PACKAGE.iterdir() if path.name != "__pycache__"]

    assert len(entries) <= MOST_ENTRIES
    assert {path.name for path in entries if path.is_file()} <= LOOSE_FILES


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_modules_and_functions_are_short(path: Path) -> None:
    """A long one hides a noun that is missing."""
    text = path.read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Function)]
    lines = {each.name: (each.end_lineno or 0) - each.lineno + 1 for each in functions}
    docs = {each.name: len((ast.get_docstring(each, clean=False) or "").splitlines()) for each in functions}

    assert len(text.splitlines()) <= MOST_MODULE_LINES
    assert [name for name in lines if lines[name] - docs[name] > MOST_FUNCTION_LINES] == []


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_the_words_are_plain(path: Path) -> None:
    """Programs return and report, files contain: nothing here talks."""
    lines = [line.strip() for line in path.read_text().splitlines() if NOT_PLAIN.search(ALLOWED.sub("", line))]

    assert lines == []


@pytest.mark.parametrize("path", PUBLIC, ids=name_of)
def test_public_functions_are_documented(path: Path) -> None:
    """Those with arguments describe them, and those that raise name their errors."""
    documented = [(each, ast.get_docstring(each) or "") for each in public_functions(ast.parse(path.read_text()))]

    assert [each.name for each, text in documented if arguments_of(each) and "Args:" not in text] == []
    assert [each.name for each, text in documented if raises(each) and "Raises:" not in text] == []

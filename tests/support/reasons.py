"""The drop reasons and the notes that the package's code can write into a ledger, found in its source.

None is passed over: where it cannot be found out which reasons an expression can be, this fails. A part that is known
only when the code runs is ``*``, as in ``in_*``.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path

import poreconv

PACKAGE = Path(poreconv.__file__).parent

Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = tuple[ast.AST, tuple[Function, ...]]
"""A node, and the functions around it."""


@dataclass(frozen=True)
class Module:
    """A module's source."""

    path: Path

    @cached_property
    def places(self) -> list[Place]:
        """All nodes."""
        return list(_below(ast.parse(self.path.read_text()), ()))

    def calls(self) -> Iterator[tuple[ast.Call, tuple[Function, ...]]]:
        """Yield its calls."""
        yield from ((node, around) for node, around in self.places if isinstance(node, ast.Call))

    def texts(self, value: ast.expr, around: tuple[Function, ...]) -> set[str]:
        """Return the texts that an expression can be; none if it is an argument, or of an error or record.

        Args:
            value: The expression.
            around: The functions around it.
        """
        match value:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.JoinedStr(values=parts):
                return {"".join(part.value if isinstance(part, ast.Constant) else "*" for part in parts)}
            case ast.Attribute(attr="reason"):
                return set()
            case ast.Name(id=name) if any(name in _arguments(function) for function in around):
                return set()
            case ast.Name(id=name):
                local = {text for function in around for text in self._assigned(name, function)}
                return local or {getattr(import_module(self.name), name)}
        raise AssertionError(f"{self.path}:{value.lineno}: {ast.unparse(value)}: what can it be?")

    def _assigned(self, name: str, function: Function) -> Iterator[str]:
        """Texts that a local name is given, also by a loop over the items of a dict."""
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                pairs = _pairs(node.targets[0], node.value)
                yield from (its.value for one, its in pairs if one == name and isinstance(its, ast.Constant))
            elif isinstance(node, ast.For | ast.comprehension) and name in _names(node.target):
                yield from self._keys(ast.unparse(node.iter), function)

    def _keys(self, items: str, function: Function) -> Iterator[str]:
        """Keys of a dict that a function makes, or is called with: ``notes(name=...)`` of ``def notes(**flags)``."""
        table, called = items.removesuffix(".items()"), f"{getattr(function.args.kwarg, 'arg', None)}.items()"
        if items == called:
            yield from (
                each.arg
                for call, _ in self.calls()
                if _name(call) == function.name
                for each in call.keywords
                if each.arg
            )
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == table
                and isinstance(node.value, ast.Dict)
            ):
                yield from (key.value for key in node.value.keys if isinstance(key, ast.Constant))

    @property
    def name(self) -> str:
        """Its name, for an import."""
        return ".".join(["poreconv", *self.path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")


MODULES = [Module(path) for path in sorted(PACKAGE.rglob("*.py"))]


def reasons_in_code() -> set[str]:
    """Return every reason under which the package can drop a read."""
    taking = {name: place for module in MODULES for name, place in _taking(module) if not name.startswith("_")}
    found = set[str]()
    for module in MODULES:
        places = taking | dict(_taking(module))
        for call, around in module.calls():
            given = [each.value for each in call.keywords if each.arg == "reason"]
            place = places.get(_name(call), len(call.args))
            if _name(call) != "count" or "ledger" in ast.unparse(call.func):  # texts can count, too
                given += call.args[place : place + 1]
            found |= {text for value in given for text in module.texts(value, around)}
    return found


def _taking(module: Module) -> Iterator[tuple[str, int]]:
    """Functions and records that take a reason, and its place among their arguments."""
    for node, _ in module.places:
        if isinstance(node, Function) and "reason" in [each.arg for each in node.args.args]:
            names = [each.arg for each in node.args.args if each.arg != "self"]
            yield node.name, names.index("reason")
        if isinstance(node, ast.ClassDef) and ast.unparse(node.bases[0] if node.bases else node) == "NamedTuple":
            names = [ast.unparse(each.target) for each in node.body if isinstance(each, ast.AnnAssign)]
            if "reason" in names:
                yield node.name, names.index("reason")


def notes_in_code() -> set[str]:
    """Return everything besides reads that the package can count in a ledger."""
    found = set[str]()
    for module in MODULES:
        for node, around in module.places:
            if isinstance(node, ast.AugAssign) and "notes" in ast.unparse(node.target):
                found |= {text for value in _noted(node) for text in module.texts(value, around)}
    return found


def _noted(node: ast.AugAssign) -> list[ast.expr]:
    """Names of the notes in ``notes[name] += 1``, ``notes += Counter(name=1)`` and ``notes += Counter({name: 1})``."""
    if isinstance(node.target, ast.Subscript):
        return [node.target.slice]
    assert isinstance(node.value, ast.Call), ast.unparse(node)
    named = [ast.Constant(each.arg) for each in node.value.keywords]
    return [*named, *(each.key for each in node.value.args if isinstance(each, ast.DictComp))]


def _below(node: ast.AST, around: tuple[Function, ...]) -> Iterator[Place]:
    yield node, around
    inner = (*around, node) if isinstance(node, Function) else around
    for child in ast.iter_child_nodes(node):
        yield from _below(child, inner)


def _name(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def _arguments(function: Function) -> list[str]:
    return [each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def _names(target: ast.expr) -> set[str]:
    return {each.id for each in ast.walk(target) if isinstance(each, ast.Name)}


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Names and what they are given, also in ``a, b = 1, 2``."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from zip(map(ast.unparse, target.elts), value.elts, strict=True)
    else:
        yield ast.unparse(target), value

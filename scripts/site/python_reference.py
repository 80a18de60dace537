"""The Python reference: what each room exports, described by its docstrings."""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, get_args

from sphinx.pycode import ModuleAnalyzer

import poreconv
from scripts.site.pages import INCLUDED, Pages, table, toctree

OTHERS = "others"
"""Page of the classes that no room exports, which exported functions take and return."""

INNER = ("fget", "func", "__func__")
"""Where a property, a cached property and a class method keep their function."""

PARTS = {"errors", "simulate", "testing"}
"""Modules that have no list of exports: all that they define is described."""


def python_pages() -> Pages:
    """Return a page for the package and one for each room, and a table of them."""
    rooms = [name for name in sorted(poreconv.__all__) if inspect.ismodule(getattr(poreconv, name))]
    modules = [poreconv, *(importlib.import_module(f"poreconv.{name}") for name in rooms)]
    described = dict[Any, str]()
    pages = {f"python/{module.__name__}.md": module_page(module, described) for module in modules}
    pages[f"python/{OTHERS}.md"] = others_page(described)
    rows = [(f"[{each.__name__}](/generated/python/{each.__name__}.md)", first_sentence(each)) for each in modules]
    rows.append((f"[others](/generated/python/{OTHERS}.md)", "What these take and return, and no room exports."))
    names = [f"generated/python/{name}" for name in (*(module.__name__ for module in modules), OTHERS)]
    listed = table(["module", "holds"], rows) + "\n" + toctree(*names, hidden=True)
    return pages | {f"{INCLUDED}/python.md": listed}


def first_sentence(module: ModuleType) -> str:
    """Return the first line of a module's docstring.

    Args:
        module: A module.
    """
    return str(module.__doc__).partition("\n")[0]


def module_page(module: ModuleType, described: dict[Any, str]) -> str:
    """Describe what a module exports, each thing on the page of the first module that does.

    Args:
        module: The package, or a room.
        described: Object -> its name where it was described; those of this page are added.
    """
    text = (
        f"# {module.__name__}\n\n```{{eval-rst}}\n.. py:module:: {module.__name__}\n```\n\n{first_sentence(module)}\n\n"
    )
    elsewhere = []
    for name, value in exports(module):
        if not inspect.isclass(value) and not inspect.isfunction(value):
            text += directive(f"{module.__name__}.{name}", value)
        elif value in described:
            elsewhere.append(described[value])
        else:
            described[value] = f"{module.__name__}.{name}"
            text += directive(f"{module.__name__}.{name}", value)
    roles = ", ".join(f"{{py:obj}}`{name}`" for name in elsewhere)
    return text + (f"Also here: {roles}.\n" if elsewhere else "")


def others_page(described: Mapping[Any, str]) -> str:
    """Describe the classes of the package that are named in signatures and fields, and in those of these classes.

    Args:
        described: What the other pages describe.
    """
    found, open_ends = dict[str, type](), [*described]
    while open_ends:
        new = {each: f"{each.__module__}.{each.__qualname__}" for each in named_by(open_ends.pop())}
        fresh = {name: each for each, name in new.items() if each not in described and name not in found}
        found |= fresh
        open_ends += fresh.values()
    text = "# Others\n\nClasses that the functions of the other pages take and return. No room exports them.\n\n"
    return text + "".join(directive(name, found[name]) for name in sorted(found))


def named_by(value: Any) -> Iterator[type]:
    """Yield the public classes of the package that stand in a function's signature, or in a class's fields and methods.

    Args:
        value: A function or a class.
    """
    inside = [] if inspect.isfunction(value) else [*vars(value).values()]
    functions = [next((getattr(each, name) for name in INNER if hasattr(each, name)), each) for each in inside]
    for each in [value, *functions]:
        for annotation in (getattr(each, "__annotations__", None) or {}).values():
            for part in parts_of(annotation, own_classes() | vars(sys.modules[value.__module__])):
                if (
                    inspect.isclass(part)
                    and part.__module__.startswith("poreconv.")
                    and not part.__name__.startswith("_")
                ):
                    yield part


def own_classes() -> dict[str, Any]:
    """Return the classes of all modules that are loaded, by name: some are imported for type checkers alone."""
    modules = [module for name, module in sys.modules.items() if name.startswith("poreconv.")]
    return {value.__name__: value for module in modules for value in vars(module).values() if inspect.isclass(value)}


def parts_of(annotation: Any, names: Mapping[str, Any]) -> Iterator[Any]:
    """Yield an annotation and all that stands in its brackets.

    Args:
        annotation: Such as ``Mapping[str, Read] | None``, or that as text.
        names: Those of the module in which it stands.
    """
    if isinstance(annotation, str):
        yield from (names[word] for word in re.findall(r"\w+", annotation) if word in names)
    yield annotation
    for part in annotation if isinstance(annotation, list) else get_args(annotation):
        yield from parts_of(part, names)


def exports(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the names that a module exports and what they are; no modules.

    Args:
        module: The package, or a room.
    """
    if module.__name__.rpartition(".")[2] in PARTS:
        names = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    else:
        names = sorted(module.__all__)
    for name in names:
        value = getattr(module, name)
        if not name.startswith("_") and not inspect.ismodule(value):
            yield name, value


def directive(name: str, value: object) -> str:
    """Return the lines by which autodoc describes an object.

    Args:
        name: With its module.
        value: The object.
    """
    if inspect.isclass(value):
        kind = "autoexception" if issubclass(value, BaseException) else "autoclass"
        text = f".. {kind}:: {name}\n   :members:\n" + (
            "" if value.__bases__ == (object,) else "   :show-inheritance:\n"
        )
    elif inspect.isfunction(value):
        text = f".. autofunction:: {name}\n"
    else:
        text = f".. py:data:: {name}\n\n   {text_of_data(name)}\n"
    return f"```{{eval-rst}}\n{text}```\n\n"


def text_of_data(name: str) -> str:
    """Return the text below an assignment, which stands in the module that a room takes the name from.

    Args:
        name: With the room's module.
    """
    room, _, attribute = name.rpartition(".")
    inside = [module for module in sorted(sys.modules) if module.startswith(f"{room}.")]
    texts = (ModuleAnalyzer.for_module(module).find_attr_docs().get(("", attribute)) for module in inside)
    return "\n   ".join(next((text for text in texts if text), []))

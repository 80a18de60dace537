"""Names: of a table's entries, literal dicts most of which are name -> ``"module:attribute"``, and of what users bring.

Two functions import by name. `lookup` imports what a table of this package names. `imported` imports what a *user*
named, on the command line or in Python. A name that stands in a file (a bundle, a run folder, a store, ``--config``) is
given to neither.
"""

import hashlib
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial, reduce
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from poreconv.config import require
from poreconv.errors import ConfigError, PoreconvError

T = TypeVar("T")

SCRIPT = ".py"
"""Suffix by which a file is recognised in ``my.py:Mine``."""

OWN_MODULE = "poreconv_own_"
"""How the names of modules begin that were imported from a file."""

INSTALLED = ("site-packages", "dist-packages")
"""Names of the folders of installed packages."""

OWN_FORMS = "my.py:NAME (a file) or package.module:NAME"
"""How a user's own thing is named, for messages and help."""


def entry(table: Mapping[str, T], name: str, *, kind: str) -> T:
    """Return the value of a name in a table.

    Args:
        table: Name -> value.
        name: The name that the user gave.
        kind: What the names are, for the message: ``"label source"``.

    Raises:
        ConfigError: The table does not contain the name.
    """
    if name not in table:
        raise ConfigError(f"{kind} {name!r} is not known; {did_you_mean(name, table)}choose one of {', '.join(table)}")
    return table[name]


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return ``"did you mean tombo? "`` if a known name is spelt nearly like one that is not, else an empty string.

    Args:
        name: The name that the user gave.
        known: The names that there are.
        prefix: Stands before them, such as ``--``.
    """
    nearest = get_close_matches(name, known, n=1)
    return f"did you mean {prefix}{nearest[0]}? " if nearest else ""


def ending_with_meant(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean tombo?"``, the end of a message, where `did_you_mean` has something to propose.

    Args:
        name: The name that the user gave.
        known: The names that there are.
    """
    meant = did_you_mean(name, known).rstrip()
    return f"; {meant}" if meant else ""


def lookup(table: Mapping[str, str], name: str, *, kind: str) -> Any:
    """Import the value of a name in a table.

    Args:
        table: Name -> ``"module:attribute"``.
        name: The name that the user gave.
        kind: What the names are, for the message: ``"label source"``.

    Raises:
        ConfigError: The table does not contain the name.
    """
    return pkgutil.resolve_name(entry(table, name, kind=kind))


def given(table: Mapping[str, str], asked: Any, *, kind: str) -> Any:
    """Return what a user asked for: a table's thing, the user's own by its name, or the object itself.

    Args:
        table: Name -> ``"module:attribute"``.
        asked: A name in the table; ``my.py:Mine`` or ``package.module:Mine``; or an object, in Python.
        kind: What the names are, for the message: ``"label source"``.

    Raises:
        ConfigError: There is no such name, or it cannot be imported.
    """
    if not isinstance(asked, str):
        return asked
    if is_own(asked):
        return imported(asked, kind=kind)
    try:
        return lookup(table, asked, kind=kind)
    except ConfigError as exc:
        raise ConfigError(f"{exc}; or your own, as {OWN_FORMS}") from exc


def brought(asked: Any, *, kind: str) -> Any:
    """Return what a user brings: the object itself, or what they named.

    Args:
        asked: A name such as ``my.py:Mine``, which is imported; or an object.
        kind: What it is, for messages: ``"network"``.

    Raises:
        ConfigError: See `imported`.
    """
    return imported(asked, kind=kind) if isinstance(asked, str) else asked


def is_own(name: str) -> bool:
    """Return whether a name has the form of a user's own thing, ``my.py:Mine``, and so is in no table.

    Args:
        name: The name.
    """
    place, _, attribute = name.rpartition(":")
    return bool(place) and all(part.isidentifier() for part in attribute.split("."))


def imported(name: str, *, kind: str) -> Any:
    """Import what a user named on the command line or in Python; never what a file names.

    Args:
        name: ``my.py:Mine``, a file; or ``package.module:Mine``, which is looked for where Python looks for modules,
            but not in the current folder.
        kind: What it is, for messages: ``"network"``.

    Raises:
        ConfigError: It has another form, there is no such file, module or name, or importing it fails.
    """
    module, (place, _, attribute) = _module_of(name, kind), name.rpartition(":")
    try:
        return reduce(getattr, attribute.split("."), module)
    except AttributeError as exc:
        defined = [each for each, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        raise ConfigError(
            f"{kind} {name}: {place} has no {attribute}; it defines {', '.join(defined) or 'nothing'}"
        ) from exc


def _module_of(name: str, kind: str) -> ModuleType:
    require(is_own(name), f"{kind} {name!r}: not a name that can be imported; give {OWN_FORMS}")
    place = name.rpartition(":")[0]
    try:
        return _of_file(Path(place)) if place.endswith(SCRIPT) else _of_package(place)
    except Exception as exc:
        hint = "" if place.endswith(SCRIPT) else "; the current folder is not searched: give a file, as my.py:NAME"
        raise ConfigError(f"{kind} {name}: cannot be imported: {described(exc)}{hint}") from exc


def sent(asked: Any) -> Any:
    """Return what stands for what a user brings in other processes, which may work in another folder.

    Args:
        asked: As for `brought`.

    Returns:
        The name, with the path of a file absolute; or the thing itself, where it is an object, or this process has
        imported its module.

    Raises:
        ConfigError: The module has no such name.
    """
    if not isinstance(asked, str):
        return asked
    place, _, attribute = asked.rpartition(":")
    if place in sys.modules:
        return imported(asked, kind="name")
    return f"{Path(place).resolve()}:{attribute}" if place.endswith(SCRIPT) else asked


def name_of(asked: Any) -> str:
    """Return the name of what a user asked for: as they typed it; of an object ``module:name``.

    Args:
        asked: A name, or an object.
    """
    if isinstance(asked, str):
        return asked
    named = asked.func if isinstance(asked, partial) else asked
    kind = named if hasattr(named, "__qualname__") else type(named)
    return f"{kind.__module__}:{kind.__qualname__}"


def short_name(asked: Any) -> str:
    """Return the last part of `name_of`: ``Mine``.

    Args:
        asked: A name, or an object.
    """
    return name_of(asked).rpartition(":")[2].rpartition(".")[2]


def source_of(asked: Any) -> str:
    """Return a hash of the source of a user's thing, by which a command that goes on sees that it was changed.

    Args:
        asked: A name, whose whole file counts; or an object, of which its own lines do. What it refers to, or holds, is
            not seen. Of what has no source, such as a class of a compiled module, the name alone counts.

    Raises:
        ConfigError: A name cannot be imported.
    """
    own = _module_of(asked, "name") if isinstance(asked, str) else asked
    own = own.func if isinstance(own, partial) else own
    has_source = inspect.isroutine(own) or inspect.isclass(own) or inspect.ismodule(own)
    try:
        source = inspect.getsource(own if has_source else type(own))
    except (OSError, TypeError):
        source = name_of(asked)
    return hashlib.sha256(source.encode()).hexdigest()


def called(own: Callable[..., T], **possible: Any) -> T:
    """Call a user's class or function with those of some arguments, by keyword, for which it has a parameter.

    Args:
        own: The class or function.
        **possible: The arguments.
    """
    return own(**{name: value for name, value in possible.items() if name in parameters_of(own)})


def parameters_of(own: Callable[..., Any]) -> Collection[str]:
    """Return the names of the parameters of a user's class or function; none of one that does not state them.

    Args:
        own: The class or function.
    """
    try:
        return inspect.signature(own).parameters
    except ValueError:  # of a compiled module
        return ()


def installed_names(group: str) -> list[str]:
    """Return the names under which installed packages offer something; nothing is imported.

    Args:
        group: Of entry points, such as ``poreconv.readers``.
    """
    return sorted({each.name for each in entry_points(group=group)})


def installed(group: str, name: str) -> Any:
    """Return what an installed package offers under a name, by an entry point; None: none does.

    Args:
        group: Of entry points, such as ``poreconv.readers``.
        name: The name, such as a suffix.

    Raises:
        ConfigError: Several packages offer it, or importing it fails.
    """
    found = [*entry_points(group=group, name=name)]
    places = ", ".join(each.value for each in found)
    require(len(found) < 2, f"{name}: several installed packages offer it ({places}); uninstall all but one")
    if not found:
        return None
    with errors_of(places, f"importing it as {name} of {group}"):
        return found[0].load()


def _of_file(path: Path) -> ModuleType:
    """Import a file, once in each process for each content: a file that was changed is another module."""
    digest = hashlib.sha256(str(path.resolve()).encode() + path.read_bytes()).hexdigest()
    name = OWN_MODULE + digest[:16]
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _of_package(name: str) -> ModuleType:
    with _current_folder_hidden():
        return importlib.import_module(name)


@contextmanager
def _current_folder_hidden() -> Iterator[None]:
    """Take the current folder out of the search, where Python put it first by itself, as ``python -m`` does."""
    before = list(sys.path)
    first = sys.path[:1] if sys.path and Path(sys.path[0] or ".").resolve() == Path.cwd() else []
    sys.path[:] = [each for each in sys.path[len(first) :] if each]
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def errors_of(name: str, doing: str) -> Iterator[None]:
    """Turn errors of a user's code into one line; those of poreconv pass as they are.

    Args:
        name: The name of the user's thing.
        doing: What is done with it, for the message: ``"labelling a window"``.

    Raises:
        ConfigError: The code failed.
    """
    try:
        yield
    except PoreconvError:
        raise
    except Exception as exc:
        raise ConfigError(f"{name}: {doing} failed: {described(exc)}") from exc


def described(exc: BaseException) -> str:
    """Return an error of a user's code on one line: its kind, its message, and the last line of the user's code.

    Args:
        exc: The error.
    """
    libraries = ("<", str(Path(__file__).parents[1]), str(Path(traceback.__file__).parent))
    frames = [
        frame
        for frame in traceback.extract_tb(exc.__traceback__)
        if not frame.filename.startswith(libraries) and not {*Path(frame.filename).parts} & {*INSTALLED}
    ]
    message = " ".join(str(exc).split())[:300]
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(exc).__name__}: {message}{place}" if message else f"{type(exc).__name__}{place}"

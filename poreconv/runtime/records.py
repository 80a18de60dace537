"""Dataclasses as JSON and back, by msgspec, which checks the type of everything that it reads. Reading runs no code.

What msgspec leaves open is decided here: a path is written as text; a row of an array as text too, which stays on one
line; NaN as null. A field that the dataclass does not have is an error. A class whose JSON is not its fields is
`Recorded`. A dataclass with a field ``schema_version`` is read from JSON of that version alone.
"""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from poreconv.config import require
from poreconv.errors import ConfigError

T = TypeVar("T")

VERSION = "schema_version"
"""The field that names the version of a dataclass's JSON."""


class Recorded(Protocol):
    """A class that is not a dataclass, with a record of another type that is written in its place.

    A class that msgspec can write, such as a subclass of dict, needs no `to_record`.
    """

    RECORD: ClassVar[Any]
    """Type of the record, one that msgspec can read, such as a dataclass or a dict."""

    def to_record(self) -> Any:
        """Return the record to write."""
        ...

    @classmethod
    def from_record(cls, record: Any) -> Self:
        """Return the object that a record stands for.

        Args:
            record: Of type `RECORD`, already checked.
        """
        ...


def to_json(value: Any, *, indent: int = 0) -> str:
    """Write a value as JSON text.

    Args:
        value: A dataclass, a named tuple, a `Recorded`, or a container of them.
        indent: Spaces of each level; 0: all on one line.
    """
    import msgspec

    text = msgspec.json.encode(value, enc_hook=_plain)
    return (msgspec.json.format(text, indent=indent) if indent else text).decode()


def to_plain(value: Any) -> Any:
    """Return a value as JSON types, as they are read from its JSON text.

    Args:
        value: As for `to_json`.
    """
    import msgspec

    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=_plain))


def from_json(text: str | bytes, kind: type[T], what: str = "") -> T:
    """Read what `to_json` wrote.

    Args:
        text: The JSON text.
        kind: Type of the value, such as a dataclass.
        what: What is read, such as "recipe"; messages begin with it.

    Raises:
        ConfigError: The text is not JSON, or does not fit the type; the message names the field.
    """
    import msgspec

    try:
        plain = msgspec.json.decode(text)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{_prefix(what)}not JSON{_with_version(kind)} ({exc})") from exc
    return from_plain(plain, kind, what)


def from_plain(plain: Any, kind: type[T], what: str = "") -> T:
    """Read what `to_plain` returned.

    Args:
        plain: JSON types.
        kind: As for `from_json`.
        what: As for `from_json`.

    Raises:
        ConfigError: It does not fit the type; the message names the field.
    """
    import msgspec

    _check_version(plain, kind, what)
    try:
        made = msgspec.convert(plain, kind, str_keys=True, dec_hook=_made)
        _check_names(_prefix(what), plain, made)
    except (msgspec.ValidationError, OverflowError, RecursionError) as exc:
        raise ConfigError(_prefix(what) + _in_words(exc)) from exc
    return made


def _prefix(what: str) -> str:
    return f"{what}: " if what else ""


def _version_of(kind: Any) -> Any:
    versions = [field.default for field in fields(kind) if field.name == VERSION] if is_dataclass(kind) else []
    return next(iter(versions), None)


def _with_version(kind: Any) -> str:
    return f" with a {VERSION}" if _version_of(kind) else ""


def _check_version(plain: Any, kind: Any, what: str) -> None:
    """Check the version before the fields, which may differ in another version."""
    if expected := _version_of(kind):
        has_one = isinstance(plain, dict) and VERSION in plain
        require(has_one, f"{_prefix(what)}not JSON{_with_version(kind)}")
        found = plain[VERSION]
        require(found == expected, f"{_prefix(what)}schema version {found!r}, this poreconv reads {expected}")


def _check_names(where: str, plain: Any, made: Any) -> None:
    """Refuse names for which a dataclass, or one nested in it, has no field; msgspec ignores them."""
    if is_dataclass(made):
        unknown = plain.keys() - {field.name for field in fields(made)}
        require(not unknown, f"{where}unknown field {', '.join(sorted(map(repr, unknown)))}")
        parts = [(f"{where}{name}: ", value, getattr(made, name)) for name, value in plain.items()]
    elif isinstance(made, dict) and isinstance(plain, dict):
        parts = [(f"{where}{name}: ", *both) for name, *both in zip(plain, plain.values(), made.values(), strict=False)]
    elif isinstance(made, list | tuple) and isinstance(plain, list | tuple):
        parts = [(where, *both) for both in zip(plain, made, strict=False)]
    else:
        return
    for part in parts:
        _check_names(*part)


def _in_words(exc: Exception) -> str:
    """Put the field before the problem: msgspec writes "Expected `int`, got `str` - at `$.reads`"."""
    problem, _, path = " ".join(str(exc).split()).replace("`", "").partition(" - at ")
    place = path.replace("$.", "").replace("$", "")
    problem = problem.removeprefix("Object ").replace("Invalid enum value", "unknown value")
    return (f"{place}: " if place else "") + problem[:1].lower() + problem[1:]


def _plain(value: Any) -> Any:
    """Return types that msgspec knows in place of one that it does not."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return _texts(value)
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "to_record"):
        return value.to_record()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _made(kind: Any, plain: Any) -> Any:
    """The inverse of `_plain`; msgspec adds the field to the message of a ValueError."""
    try:
        return _made_of(kind, plain)
    except (ConfigError, OverflowError) as exc:
        raise ValueError(str(exc)) from exc


def _made_of(kind: Any, plain: Any) -> Any:
    if get_origin(kind) is np.ndarray:
        _, dtype = get_args(kind)
        return _array(plain, get_args(dtype)[0])
    if kind is Path:
        return Path(from_plain(plain, str))
    if hasattr(kind, "from_record"):
        return kind.from_record(from_plain(plain, kind.RECORD))
    raise TypeError(f"{kind} has no form in JSON")


def _texts(values: NDArray[Any]) -> str | list[Any]:
    if values.ndim > 1:
        return [_texts(row) for row in values]
    return " ".join(f"{value:g}" if values.dtype.kind == "f" else str(value) for value in values)


def _array(plain: Any, dtype: type[np.generic]) -> NDArray[Any]:
    if isinstance(plain, str):
        return np.array(plain.split(), dtype)
    rows = [_array(row, dtype) for row in from_plain(plain, list[str])]
    return np.stack(rows) if rows else np.zeros((0, 0), dtype)

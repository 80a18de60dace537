"""What a process reads once for all its jobs: tables, label sources, models."""

from collections.abc import Callable
from functools import _lru_cache_wrapper, lru_cache
from typing import Any, TypeVar

T = TypeVar("T")

_KEPT: "list[_lru_cache_wrapper[Any]]" = []  # the class takes no brackets when it runs


def once(read: Callable[..., T]) -> "_lru_cache_wrapper[T]":
    """Let a function keep what it read last; asked for the same again, it gives that.

    Example:
        >>> read_table = once(lambda path: path.read_text())
    """
    kept = lru_cache(maxsize=1)(read)
    _KEPT.append(kept)
    return kept


def forget() -> None:
    """Read everything anew from now on; a process that works for several commands must, as files change in between."""
    for kept in _KEPT:
        kept.cache_clear()

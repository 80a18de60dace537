"""Label sources that users bring: a function of a read, a class with a method ``events``, or an object of one."""

import inspect
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from poreconv.config import SourceConfig, require
from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.labels.combining import without_classes
from poreconv.labels.fit import check_fit
from poreconv.labels.sources import LabelSource
from poreconv.reads.read import Read
from poreconv.runtime.registry import called, errors_of, parameters_of


class HasEvents(Protocol):
    """What a label source from outside has at least; see `LabelSource` for what else it may have."""

    def events(self, read: Read) -> Events | None:
        """Label one read.

        Args:
            read: The read to label.

        Returns:
            Its events, or None if it has no label.
        """
        ...


LabelFunction = Callable[[Read], Events | None]
"""Labels a read; None: it has no label. Its attribute ``classes``, if it has one, states the names of the classes."""


class OutsideSource:
    """A label source from outside, with the contract of `LabelSource`; what it returns is checked.

    Args:
        name: The name under which the user brought it.
        own: What labels: a function, or an object with a method ``events`` and, where there is something to state or
            to close, what else `LabelSource` has.
        kept_open: Whether the object is the user's own, which stays open.
    """

    in_file = True

    def __init__(self, name: str, own: Any, *, kept_open: bool = False) -> None:
        self._name, self._own, self._kept_open = name, own, kept_open
        self._label: LabelFunction = own.events if hasattr(own, "events") else own
        self.classes: tuple[str, ...] = _classes(name, own)
        self.base_offset: int | None = getattr(own, "base_offset", None)
        self.notes: Counter[str] = own.notes if hasattr(own, "notes") else Counter()

    def events(self, read: Read) -> Events | None:
        """Label one read; see `LabelSource.events`.

        Args:
            read: The read to label.

        Returns:
            Events, without classes if none are stated; None if the source has no label for the read.

        Raises:
            LabelError: The label does not fit the read.
            ConfigError: The user's code fails, or returns something else.
        """
        events = events_by(self._name, self._label, read)
        if events is None:
            return None
        self._check(read, events)
        return events if self.classes else without_classes(events)

    def _check(self, read: Read, events: Events) -> None:
        if len(events.coverage) and events.coverage[-1, 1] > len(read.adc):
            raise LabelError(
                f"{read.where}: labels cover samples up to {events.coverage[-1, 1]} of {len(read.adc)}",
                reason="label_outside_signal",
            )
        stated, found = ", ".join(self.classes), ", ".join(events.classes)
        require(
            self.classes in ((), events.classes),
            f"{self._name}: read {read.read_id} has events of classes {found or 'none'}, and the source states the"
            f" classes {stated}; state those that the events of all reads have, in this order",
        )

    def close(self) -> None:
        """Close the source, if it can be closed and is not the user's own object."""
        if not self._kept_open and hasattr(self._own, "close"):
            self._own.close()


def events_by(name: str, label: Callable[[Read], Any], read: Read) -> Events | None:
    """Return what a user's function finds in a read, after checking that it is events that fit the read.

    Args:
        name: The name under which the user brought the function, for messages.
        label: The function.
        read: The read.

    Raises:
        LabelError: The events do not fit the read.
        ConfigError: The function fails, or returns something else than `Events` or None.
    """
    with errors_of(name, f"labelling read {read.read_id}"):
        found: Events | None = label(read)
    if found is not None:
        kind = type(found).__name__
        require(isinstance(found, Events), f"{name}: returned a {kind}; return Events, or None for no label")
        check_fit(read, found.start, found.end)
    return found


def _classes(name: str, own: Any) -> tuple[str, ...]:
    stated = getattr(own, "classes", ())
    names = not isinstance(stated, str) and all(isinstance(each, str) for each in stated)
    require(names, f"{name}: classes is {stated!r}; give a tuple of names, such as ('adapter', 'polya')")
    return tuple(stated)


def needs_files(own: Any) -> bool:
    """Return whether what a user brings reads files of labels: a class that has ``in_file`` false, or takes ``files``.

    Args:
        own: A function, a class, or an object.
    """
    return inspect.isclass(own) and not getattr(own, "in_file", "files" not in parameters_of(own))


def open_outside(name: str, own: Any, files: Sequence[Path], config: SourceConfig) -> LabelSource:
    """Open a label source that a user brings.

    Args:
        name: The name under which the user brought it.
        own: A function, or an object with a method ``events``, which is used as it is; or the class of such objects,
            which is called with ``files=`` and ``config=`` where it has such parameters.
        files: Its label files.
        config: Settings of all sources.

    Raises:
        ConfigError: It is something else, or calling the class fails.
    """
    label_source: Any = own
    if inspect.isclass(own):
        with errors_of(name, "opening it"):
            label_source = called(own, files=list(files), config=config)
    labels = callable(label_source) or callable(getattr(label_source, "events", None))
    kind = type(label_source).__name__
    require(labels, f"labels {name}: a {kind}; give a function of a read, or a class with a method events(read)")
    return OutsideSource(name, label_source, kept_open=label_source is own)

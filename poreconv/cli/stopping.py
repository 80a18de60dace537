"""Ctrl-C, and the signals by which a system asks a process to end."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = [number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
"""Ctrl-C; what batch systems, containers and ``kill`` send; a terminal that is closed."""


class Stop:
    """A handler of signals that raises `KeyboardInterrupt`; further signals are ignored while that is acted on."""

    received = 0
    """Number of the signal that raised; 0: none has."""

    def __call__(self, number: int, frame: FrameType | None = None) -> None:
        """Act on a signal.

        Args:
            number: Of the signal.
            frame: Where it arrived.

        Raises:
            KeyboardInterrupt: Always, but for a signal during the clean-up after another one.
        """
        if not (self.received and _is_cleaning()):
            self.received = number
            raise KeyboardInterrupt

    @property
    def code(self) -> int:
        """The exit code that belongs to the signal, as shells have it: 130 for Ctrl-C, 143 for SIGTERM; 0 for none."""
        return 128 + self.received if self.received else 0


def _is_cleaning() -> bool:
    """Return whether what runs now was called because of a `KeyboardInterrupt`."""
    acted_on = sys.exception()
    while acted_on is not None and not isinstance(acted_on, KeyboardInterrupt | GeneratorExit):
        acted_on = acted_on.__context__
    return acted_on is not None


@contextmanager
def stoppable(*, at_end: bool) -> Iterator[Stop]:
    """Let the signals that ask a process to end raise `KeyboardInterrupt`, so that everything is cleaned up.

    Signals that the process ignores, as under ``nohup``, or that have a handler stay as they are.

    Args:
        at_end: Whether the process ends next: then no second signal disturbs its end.

    Yields:
        What has been received.
    """
    stop, before = Stop(), {}
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}:
                before[number] = signal.signal(number, stop)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if at_end and stop.received else handler)

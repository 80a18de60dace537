"""The command line as a process of its own: how long a command takes, and how much memory. Linux only."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

COMMAND = str(Path(sys.executable).with_name("poreconv"))

LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Cost:
    """What one command took."""

    seconds: float
    """From its start to its end."""
    together_mb: float
    """Peak memory of all its processes together; of a page that several share, each counts its share."""
    largest_mb: float
    """Peak resident memory of its largest process; never below that of the program that starts it, see `getrusage`."""


def run(*arguments: str) -> Cost:
    """Run ``poreconv`` with some arguments.

    Args:
        arguments: The command and its options.

    Raises:
        SystemExit: The command failed.
    """
    started = time.perf_counter()
    with TemporaryFile() as messages:
        with subprocess.Popen([COMMAND, *arguments], stderr=messages, stdout=subprocess.DEVNULL) as command:
            watch = _Memory(command.pid)
            _, status, usage = os.wait4(command.pid, 0)
            command.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        if command.returncode:
            messages.seek(0)
            sys.exit(f"poreconv {' '.join(arguments)}: exit {command.returncode}\n{messages.read().decode()}")
    return Cost(seconds, watch.peak_mb, usage.ru_maxrss / 1024)


class _Memory:
    """Watches the memory of a process and those below it until it ends."""

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        threading.Thread(target=self._watch, args=(pid,), daemon=True).start()

    def _watch(self, pid: int) -> None:
        while Path(f"/proc/{pid}/task").exists():
            self.peak_mb = max(self.peak_mb, sum(map(_share_mb, _family(pid))))
            time.sleep(LOOK_EVERY_S)


def _family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it has ended
        return
    for child in children:
        yield from _family(int(child))


def _share_mb(pid: int) -> float:
    """Resident memory of a process, its share of pages that it has in common with others (Pss)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024

"""A program that kills a command at each of its changes of the file system, and runs it again.

``python -m tests.support.kill_points SETTINGS FOLDER OUT WORDS...`` prints JSON: how many points there were,
and what went wrong. Each run is a fork of this process, which has imported the libraries and started no thread.
"""

import contextlib
import importlib
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from poreconv.cli.main import main
from tests.support.faults import tree

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}
"""Audit events of changes; opening a file to write it is one, too."""

NOT_COMPARED = "logs"
"""Logs of a training have times in them."""


class KillBefore:
    """An audit hook that kills this process before one of its changes in a folder.

    Args:
        folder: The folder.
        number: Number of the change, from 1.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._left = str(folder), number

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Count a change, or kill."""
        if event in CHANGES or (event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)):
            in_folder = str(args[0]).startswith(self._folder)
            in_removed_tree = event in {"os.remove", "os.rmdir"} and args[1] != -1
            if in_folder or in_removed_tree:
                self._left -= 1
                if self._left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)


def run(words: list[str], folder: Path, kill_before: int | None) -> tuple[int, str]:
    """Run a command in a fork; gives the exit code (-9: killed) and stderr."""
    errors = folder.with_name("stderr.txt")
    child = os.fork()
    if not child:
        code = 0
        with errors.open("w") as stream, contextlib.suppress(OSError):
            os.dup2(stream.fileno(), 1)
            os.dup2(stream.fileno(), 2)
        if kill_before is not None:
            sys.addaudithook(KillBefore(folder, kill_before))
        try:
            main(words)
        except SystemExit as exc:
            code = int(exc.code or 0)
        except BaseException:  # noqa: BLE001 - a traceback, which the test is to see
            sys.excepthook(*sys.exc_info())
            code = 99
        sys.stderr.flush()
        folder.with_name("modules.txt").write_text("\n".join(sys.modules))
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), errors.read_text()


def import_used(folder: Path) -> None:
    """Import what the last command used, so that the next forks have it."""
    for name in folder.with_name("modules.txt").read_text().split("\n"):
        with contextlib.suppress(Exception):
            importlib.import_module(name)


def reset(folder: Path) -> None:
    """Bring a folder back to what it was before the command."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(folder.with_name("before"), folder)


def compared(folder: Path) -> dict[str, bytes]:
    """Give the files of a folder, and its empty folders, but not logs."""
    return {name: data for name, data in tree(folder).items() if NOT_COMPARED not in Path(name).parts}


def wrong_after(words: list[str], folder: Path, out: Path, whole: dict[str, bytes]) -> str:
    """Run a killed command again; gives what is wrong then, "" if nothing is."""
    code, errors = run(words, folder, None)
    left = compared(folder)
    if left != whole:
        differ = sorted(name for name in left.keys() | whole.keys() if left.get(name) != whole.get(name))
        return f"exit {code}, differ: {differ[:5]}; {errors[-300:]}"
    taken = "exists already" in errors or "already; --overwrite" in errors
    return "" if code == 0 or (code == 1 and taken) else f"exit {code}: {errors[-300:]}"


def under(out: Path, folder: Path) -> dict[str, bytes]:
    """Give the files of an output, which is a file or a folder."""
    return {name: data for name, data in compared(folder).items() if Path(name).parts[0] == out.name}


def kill_everywhere(words: list[str], folder: Path, out: Path, *, every: int, at_once: bool) -> dict[str, Any]:
    """Kill a command before each, or one of several, of its changes; its output may have to appear at once."""
    shutil.copytree(folder, folder.with_name("before"))
    old = under(out, folder)
    code, errors = run(words, folder, None)
    if code:
        return {"points": 0, "wrong": [errors]}
    import_used(folder)
    whole, new, wrong, number = compared(folder), under(out, folder), [], 1
    while True:
        reset(folder)
        if run(words, folder, number)[0] != -signal.SIGKILL:
            return {"points": (number - 1) // every, "wrong": wrong}
        here = under(out, folder)
        if at_once and here not in ({}, old, new):
            wrong.append(f"{number}: half of {out.name} under its name: {[*here]}")
        if problem := wrong_after(words, folder, out, whole):
            wrong.append(f"{number}: {problem}")
        number += every


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    found = kill_everywhere(sys.argv[4:], Path(sys.argv[2]), Path(sys.argv[3]), **settings)
    print(json.dumps(found))  # noqa: T201 - its result

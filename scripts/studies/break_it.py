"""Damaged files of every format: does reading one crash, hang, end in a traceback, or return other data?

Usage: python -m scripts.studies.break_it [FORMAT...] [--mutants 2000] [--seed 0] [--workers 2] [--json break_it.json]

Writes a good file of each format, damages copies of it by a seeded choice of ways and places, and reads each in a
process of its own, which may die: many in one process, and a new one where it did. Every mutant must end in reads,
drops by name, or one line; where the format has a checksum, in nothing but the reads that were written. Prints a row
for each format, and exits with 1 if a mutant did not.
"""

import json
import resource
import signal
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poreconv.errors import PoreconvError
from scripts.studies.broken_files import FORMS, damaged
from scripts.studies.results import ROOT, MarkdownTable, study_parser, write_results

MUTANTS, WORKERS = 2000, 2

LIMIT_S = 60
"""Time after which a mutant hangs: reading the good file takes milliseconds, starting a process seconds."""

LIMIT_BYTES = 6 << 30
"""Address space of a process that reads mutants; the libraries alone take a good part of it."""

PROGRAM = (
    "import json, sys; from scripts.studies.break_it import child; "
    "child(sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]))"
)
"""What reads mutants, with format, seed and numbers as its arguments."""

SAME, FEWER, REFUSED = "same", "fewer reads", "refused"
OTHER = "other data"
CRASH, HANG, TRACEBACK, LINES = "crash", "hang", "traceback", "several lines"
OUTCOMES = (SAME, FEWER, REFUSED, OTHER, CRASH, HANG, TRACEBACK, LINES)
FAULTS = (CRASH, HANG, TRACEBACK, LINES)
"""Outcomes that are faults in every format."""


@dataclass(frozen=True)
class Tried:
    """A format's mutants."""

    form: str
    outcomes: dict[str, int]
    """Outcome -> number of mutants."""
    faults: list[str]
    """Number, seed and message of each mutant that ended in a fault."""
    checked: bool
    """Whether the format has a checksum, so that other data is a fault, too."""


def mutant(form: str, good: bytes, seed: int, number: int) -> bytes:
    """Return one damaged copy of a file.

    Args:
        form: Name in ``FORMS``.
        good: Content of the good file.
        seed: Of the study.
        number: Of the mutant.
    """
    return damaged(good, np.random.default_rng([seed, number, list(FORMS).index(form)]))


def read_mutants(form: str, seed: int, numbers: Sequence[int], folder: Path) -> Iterator[tuple[int, str, str]]:
    """Damage and read a file several times, in this process.

    Args:
        form: Name in ``FORMS``.
        seed: Of the study.
        numbers: Of the mutants.
        folder: For the files.

    Yields:
        Number of the mutant, outcome, and the message of a fault.
    """
    kind = FORMS[form]
    path = folder / f"good{kind.suffix}"
    kind.write(path)
    expected, good = kind.read(path), path.read_bytes()
    for number in numbers:
        signal.alarm(LIMIT_S)  # ends this process, whatever it is in
        bad = folder / f"bad{kind.suffix}"
        bad.write_bytes(mutant(form, good, seed, number))
        try:
            found = kind.read(bad)
        except PoreconvError as exc:
            yield number, REFUSED if "\n" not in str(exc) else LINES, str(exc)
        except Exception as exc:  # noqa: BLE001 - these are what the study looks for
            yield number, TRACEBACK, f"{type(exc).__name__}: {exc}"
        else:
            alike = all(expected.get(name) == value for name, value in found.items())
            yield number, (SAME if found == expected else FEWER) if alike else OTHER, ""


def child(form: str, seed: int, numbers: Sequence[int]) -> None:
    """Read mutants in this process, and print the outcome of each as a line of JSON.

    Args:
        form: Name in ``FORMS``.
        seed: Of the study.
        numbers: Of the mutants.
    """
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for outcome in read_mutants(form, seed, numbers, Path(folder)):
            sys.stdout.write(json.dumps(outcome) + "\n")
            sys.stdout.flush()


def try_form(form: str, seed: int, n_mutants: int) -> Tried:
    """Read the mutants of a format, in as many processes as it takes.

    Args:
        form: Name in ``FORMS``.
        seed: Of the study.
        n_mutants: Number of mutants.
    """
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    checked, left = FORMS[form].checked, list(range(n_mutants))
    while left:
        for number, outcome, message in _in_child(form, seed, left):
            outcomes[outcome] += 1
            if outcome in FAULTS or (checked and outcome == OTHER):
                faults.append(f"{number} of seed {seed}: {outcome} {message}".strip())
            left.remove(number)
    return Tried(form, dict(outcomes), faults, checked)


def _in_child(form: str, seed: int, numbers: Sequence[int]) -> Iterator[tuple[int, str, str]]:
    """Yield what a child prints; the mutant at which it dies is its last."""
    done = 0
    command = [sys.executable, "-c", PROGRAM, form, str(seed), json.dumps(list(numbers))]
    with (
        tempfile.TemporaryFile() as messages,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=messages, text=True) as process,
    ):
        assert process.stdout is not None
        for line, _ in zip(process.stdout, numbers, strict=False):
            done += 1
            yield tuple(json.loads(line))
        if done < len(numbers):
            code = process.wait()
            messages.seek(0)
            last = messages.read()[-300:].decode(errors="replace")
            yield numbers[done], HANG if code == -signal.SIGALRM else CRASH, f"exit {code} {last}".strip()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study.

    Args:
        arguments: Words of the command line; default: those of the process.
    """
    parser = study_parser("break_it", __doc__)
    parser.add_argument("forms", nargs="*", metavar="FORMAT", help=f"of {'; '.join(FORMS)}; default: all")
    parser.add_argument("--mutants", type=int, default=MUTANTS, help="of all formats together")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=WORKERS)
    chosen = parser.parse_args(arguments)
    forms = chosen.forms or list(FORMS)
    each = -(-chosen.mutants // len(forms))
    table, results = MarkdownTable("format", *OUTCOMES), []
    with ThreadPoolExecutor(chosen.workers) as pool:
        for tried in pool.map(lambda form: try_form(form, chosen.seed, each), forms):
            table.add(tried.form, *(tried.outcomes.get(outcome, 0) for outcome in OUTCOMES))
            results.append(tried)
    for tried in results:
        for fault in tried.faults:
            sys.stdout.write(f"{tried.form}: {fault}\n")
    write_results(chosen, results)
    sys.exit(any(tried.faults for tried in results))


if __name__ == "__main__":
    main()

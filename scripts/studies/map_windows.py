"""Map windows of reads by their raw signal: with the events of the mapper itself, and with those of models.

Usage: python -m scripts.studies.map_windows MAPPER REFERENCE PATH... [--models MODEL...] [--places FILE]
    [--mapper_options "-x sensitive -p model.txt"] [--window 2000] [--every 500] [--json map_windows.json]

MAPPER is the program rawhash2 (github.com/STORMgroup/RawHash2), with --peaks-file; without it nothing is done. Each
window is a read of its own: it is labelled as one, and mapped with the mapper's own events, with the events of each
model (--peaks-file FILE --sig-diff 0), and with the boundaries of the known places (truth). Known places: Tombo's in
the reads; --places x.bam: alignments with move tables; --places x.paf: alignments of the called sequences, as if the
bases passed at a constant speed. A window is found if its first mapping overlaps its place, or is less than --slack
bases away, on the same strand. Prints a Markdown table; intervals (95 %) are bootstrapped over reads.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from poreconv.commands.label import label
from poreconv.config import FilesConfig, LabelConfig, WorkConfig
from poreconv.errors import PoreconvError, ReadDropped
from poreconv.evaluation.metrics.values import ratio, with_intervals
from poreconv.events.events import Events
from poreconv.events.writers import writer_for
from poreconv.events.writers.table import events_table
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.readers.writing import write_reads
from poreconv.reads.selection import Selection
from poreconv.runtime.progress import progress_bar
from scripts.studies.known_places import Known, Place, known_places, records_in
from scripts.studies.results import MarkdownTable, study_parser, write_results

OWN, TRUTH = "own", "truth"
"""Events: the mapper's own, and those of the known places."""

WITH_PEAKS = ("--sig-diff", "0")
"""Without it the mapper leaves out events whose level is near that of the event before."""

LEAST_KNOWN = 0.5
"""Least share of a window's samples that events of known place must have."""


SCORES = ("recall", "precision", "gain")


@dataclass(frozen=True)
class Window:
    """A part of a read, as a read of its own."""

    read: Read
    place: Place
    events: Events
    of: str
    """Id of the read that it is a part of."""


@dataclass(frozen=True)
class Result:
    """How many windows were found with some events."""

    events: str
    windows: int
    scores: dict[str, float]
    """``recall``, ``precision``, ``gain`` in recall over the mapper's own events; each with ``_low`` and ``_high``."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Cut, label, map, count.

    Args:
        arguments: Of the command line; default: those of the process.
    """
    chosen = _chosen(arguments)
    mapper = shutil.which(chosen.mapper)
    if mapper is None:
        sys.exit(f"{chosen.mapper}: no such program; build RawHash2 and give the path of its rawhash2")
    try:
        with TemporaryDirectory() as folder:
            results = _results(chosen, mapper, Path(folder))
    except PoreconvError as exc:
        sys.exit(str(exc))
    write_results(chosen, results)


def _chosen(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = study_parser("map_windows", __doc__)
    parser.add_argument("mapper", help="the program rawhash2")
    parser.add_argument("reference", type=Path, help="FASTA of the reference, not an index, which fixes --sig-diff")
    parser.add_argument("paths", nargs="+", type=Path, help="signal files and folders")
    parser.add_argument("--models", nargs="*", default=["auto"], help="bundles, or names of shipped models")
    parser.add_argument("--places", type=Path, help="BAM or PAF of the reads; default: Tombo's places in them")
    parser.add_argument("--mapper_options", type=shlex.split, default=[], help="of both runs, in quotation marks")
    parser.add_argument("--read_ids", type=Path, help="ids of the reads to use, one per line; default: all")
    parser.add_argument("--limit", type=int, help="reads to use, the first ones; default: all")
    parser.add_argument("--window", type=int, default=2000, help="samples of a window")
    parser.add_argument("--every", type=int, default=500, help="samples from the start of a window to that of the next")
    parser.add_argument("--most_per_read", type=int, default=100, help="windows of a read, the first ones")
    parser.add_argument("--slack", type=int, default=100, help="bases between a mapping and the place, at most")
    parser.add_argument("--suffix", default=".pod5", help="format of the windows; .blow5 where the mapper reads it")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    return parser.parse_args(arguments)


def _results(chosen: argparse.Namespace, mapper: str, folder: Path) -> list[Result]:
    windows = list(_windows(chosen))
    if len(windows) == 0:
        sys.exit("no window with a known place; give reads with Tombo's, or --places")
    signal = folder / f"windows{chosen.suffix}"
    write_reads(signal, [window.read for window in windows])
    run = partial(_mapped, mapper, chosen.mapper_options, chosen.reference, signal)
    found = {OWN: run()} | {
        name: run("--peaks-file", str(peaks), *WITH_PEAKS) for name, peaks in _peaks(chosen, windows, signal, folder)
    }
    table = MarkdownTable("events", "windows", "recall", "precision", "gain in recall")
    results = []
    for name, places in found.items():
        results.append(_scored(name, windows, places, found[OWN], chosen))
        scores = results[-1].scores
        cells = (f"{scores[one]:.3f} ({scores[f'{one}_low']:.3f}-{scores[f'{one}_high']:.3f})" for one in SCORES)
        table.add(name, len(windows), *cells)
    return results


def _windows(chosen: argparse.Namespace) -> Iterator[Window]:
    """Yield the windows with a known place of all reads; a read without known places has none."""
    with ExitStack() as stack:
        known_of = known_places(chosen.places, stack)
        selection = Selection.of(FilesConfig(read_ids=chosen.read_ids, limit=chosen.limit))
        reads = stack.enter_context(open_reads(chosen.paths, selection=selection))
        progress, n_reads = stack.enter_context(progress_bar("windows")), max(len(reads), 1)
        for done, read in enumerate(reads, start=1):
            progress(min(done / n_reads, 1), f"{done} of {n_reads} reads")
            try:
                known = known_of(read)
            except ReadDropped:
                continue
            starts = range(0, len(read.adc) - chosen.window + 1, chosen.every)
            parts = (window_of(read, known, start, chosen.window) for start in starts)
            yield from [part for part in parts if part is not None][: chosen.most_per_read]


def window_of(read: Read, known: Known, start: int, length: int) -> Window | None:
    """Cut a window; None if the places of too few of its samples are known.

    Args:
        read: The read.
        known: Its places.
        start: First sample of the window.
        length: Samples.
    """
    events, end = known.events, start + length
    inside = (events.start >= start) & (events.end <= end)
    if events.duration[inside].sum() < LEAST_KNOWN * length:
        return None
    position = known.position[inside]
    place = Place(known.contig, known.strand, int(position.min()), int(position.max()) + 1)
    part = replace(
        read, read_id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{read.read_id}:{start}")), adc=read.adc[start:end]
    )
    of_part = Events.of(events.start[inside] - start, events.end[inside] - start)
    return Window(part, place, of_part, read.read_id)


def _peaks(
    chosen: argparse.Namespace, windows: Sequence[Window], signal: Path, folder: Path
) -> Iterator[tuple[str, Path]]:
    """Yield the name of each set of events, and its file of peaks."""
    for number, model in enumerate(chosen.models):
        out = folder / f"{number}.peaks"
        label(model, signal, out=out, config=LabelConfig(work=WorkConfig(workers=1)))
        yield str(model), out
    truth = folder / f"{TRUTH}.peaks"
    with closing(writer_for(truth)(truth)) as writer:
        for window in windows:
            writer.write(events_table(window.read, window.events))
    yield TRUTH, truth


def _mapped(mapper: str, options: Sequence[str], reference: Path, signal: Path, *peaks: str) -> dict[str, Place]:
    """Run the mapper; return the first place of each window that it maps."""
    command = [mapper, *options, *peaks, str(reference), str(signal)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{shlex.join(command)}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    paf = signal.with_suffix(".paf")
    paf.write_text(done.stdout)
    return {name: record.place for name, record in records_in(paf).items()}


def _scored(
    name: str,
    windows: Sequence[Window],
    places: Mapping[str, Place],
    own: Mapping[str, Place],
    chosen: argparse.Namespace,
) -> Result:
    reads = {read_id: number for number, read_id in enumerate(dict.fromkeys(window.of for window in windows))}
    counts = np.zeros((len(reads), 4))  # windows, mapped, found, found with the mapper's own events
    for window in windows:
        at, of_own = places.get(window.read.read_id), own.get(window.read.read_id)
        near = [place is not None and place.is_near(window.place, chosen.slack) for place in (at, of_own)]
        counts[reads[window.of]] += (1, at is not None, *near)
    return Result(name, len(windows), with_intervals(_scores, counts, chosen.seed))


def _scores(counts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    windows, mapped, found, found_own = np.moveaxis(counts, -1, 0)
    return {
        "recall": ratio(found, windows),
        "precision": ratio(found, mapped),
        "gain": ratio(found, windows) - ratio(found_own, windows),
    }


if __name__ == "__main__":
    main()

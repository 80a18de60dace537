"""A model of a read's regions and signal files -> a table of poly(A) tails."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from poreconv.config import TailsConfig, require
from poreconv.events.events import Events
from poreconv.events.named_models import columns_writer
from poreconv.events.tabulation import ReadAnalysis, TableKind, check_out, tabulate
from poreconv.inference.auto import found_model
from poreconv.inference.heads import check_heads
from poreconv.inference.worker_model import Amount, TrainedModel, for_model
from poreconv.labels.sources.polya import POLYA
from poreconv.models.own import Networks
from poreconv.models.recipe import Recipe
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.outputs import writes_out

TAILLESS = "reads_without_tail"
"""Note in the ledger: labelled reads in which no tail was found; their rows contain -1."""

NUCLEOTIDES_PER_S = {"rna002": 3012 / 27, "rna004": 4000 / 27}
"""Chemistry -> speed of tails. RNA002: the median of the rates that nanopolish reports for 17 reads, 27 samples per
nucleotide at 3012 Hz. RNA004: 27 again, at 4000 Hz: the median of samples over nucleotides and `LEAD` of 22 tails as
dorado 1.0 places and counts them. The manufacturer's 70 and 130 bases per second are means that include stalls."""

LEAD = 5
"""Nucleotides subtracted from samples over samples per nucleotide, as nanopolish and tailfindr do."""

TAILS = pa.schema(
    [
        ("read_id", pa.string()),
        ("tail_start", pa.int64()),
        ("tail_end", pa.int64()),
        ("nucleotides", pa.float64()),
        ("score", pa.float64()),
    ]
)
"""``[tail_start, tail_end)`` in samples from the first stored one; all values are -1 where no tail was found."""


class Tail(NamedTuple):
    """One read's poly(A) tail."""

    start: int
    """First sample; -1: no tail was found."""
    end: int
    """Sample after the last."""
    nucleotides: float
    """Length."""
    score: float
    """Mean probability of its samples."""


NONE = Tail(-1, -1, -1.0, -1.0)
"""No tail was found."""


@writes_out
def tails(
    model: Path | str,
    paths: Path | str | Sequence[Path | str],
    *,
    out: Path | str,
    config: TailsConfig | None = None,
    networks: Networks = None,
    overwrite: bool = False,
) -> Ledger:
    """Find the poly(A) tail of each read and its length. A killed command resumes when it is started again.

    A tail's length in nucleotides is its time in the pore times a speed, less `LEAD`. The speed is one number for all
    reads: no method that was tried without a basecall distinguishes the speeds of reads well enough. At nanopolish's
    own places of 17 RNA002 tails, lengths by one speed differ from nanopolish's by 4 % (median; r = 0.95); by the
    read's own dwells, which a boundary model finds in the transcript, by 4 to 9 %, as these dwells correlate with
    nanopolish's rates at 0.65 at best; the t-test detector's, and the current's autocorrelation, at 0.55. nanopolish
    and tailfindr, which use the basecall, differ by 5 % from each other. At dorado's own places of 19 RNA004 tails, of
    39 nucleotides or more, lengths by one speed, learnt from the other reads, differ from dorado's by 5 % (median); by
    the read's own mean dwell in the transcript by 3 %, but in 10 of 19 reads by more than with one speed (from a
    boundary model of RNA002), and by 6 % (change points); by the adapter's duration 7 %, by autocorrelation 9 %, by the
    dwells that f5c finds with the basecall 2 %. `scripts/studies/train_regions.py` measures it for places that a model
    found.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model; with a class ``polya``. ``auto``: for each
            read the shipped model that fits it, which one more column, ``model``, names.
        paths: Signal files and folders: one, or several.
        out: Table with the columns ``read_id, tail_start, tail_end, nucleotides, score``, one row per read: ``.tsv`` or
            ``.parquet``. Places are raw samples, half-open; the score is the mean probability of the tail's samples.
            Where no tail was found, all are -1, as in nanopolish's tables. Label source ``polya`` reads the table. The
            drop ledger is written to ``<out>.ledger.json``.
        config: Speed, batch size, chunk length, precision, processes.
        networks: The network of a bundle that was trained with the user's own; see `load`.
        overwrite: Replace ``out`` if it exists, and start anew where a command was killed.

    Returns:
        The drop ledger.

    Raises:
        ConfigError: The model has no class ``polya``, the speed of its chemistry is not known, ``out`` exists, or its
            suffix names no format.
        MismatchError: No read is of a kind that the model was trained for; some are dropped.
    """
    config = config or TailsConfig()
    found = found_model(model, partial(_finds_tails, config), config.inference, networks, config.fit)
    kind = found.table(TAIL_ROWS, Path(out))
    check_out(Path(out), kind, overwrite=overwrite)
    speed = found.of_each(partial(speed_of, config=config))
    check_heads(found, paths, config.files)
    trained = found.settled(Path(out), Amount(paths, config.files, config.work), overwrite=overwrite)
    settings = {**trained.settings, "files": asdict(config.files), "speed": speed}
    return tabulate(
        paths,
        Path(out),
        trained.analysis(partial(_finding_tails, config)),
        command="tails",
        settings=settings,
        files=config.files,
        work=for_model(config.work, trained),
        kind=kind,
        overwrite=overwrite,
    )


def speed_of(recipe: Recipe, config: TailsConfig) -> float:
    """Return the speed of tails in the reads that a model is for, in nucleotides per second.

    Args:
        recipe: Recipe of the model.
        config: With the speed, if the user gave one.

    Raises:
        ConfigError: The model has no class ``polya``, or the speed of its chemistry is not known.
    """
    classes = ", ".join(recipe.classes)
    regions = _has_tails(recipe)
    require(regions, f"model: task {recipe.task}, classes {classes}; use a model of task segment with a class {POLYA}")
    speed = config.nucleotides_per_s or _usual_speed(recipe)
    trained = ", ".join(recipe.chemistries)
    require(speed is not None, f"nucleotides_per_s: not known for the model's chemistries ({trained}); set it")
    return float(speed or 0)


def _has_tails(recipe: Recipe) -> bool:
    return recipe.asked.regions and POLYA in recipe.classes


def _usual_speed(recipe: Recipe) -> float | None:
    known = {NUCLEOTIDES_PER_S.get(chemistry.code) for chemistry in recipe.trained_chemistries}
    return known.pop() if len(known) == 1 else None


def _finds_tails(config: TailsConfig, recipe: Recipe) -> bool:
    """Return whether tails can be found with a model, and measured."""
    return _has_tails(recipe) and (config.nucleotides_per_s or _usual_speed(recipe)) is not None


@contextmanager
def _finding_tails(config: TailsConfig, model: TrainedModel) -> Iterator[ReadAnalysis]:
    with model.labelling() as label:
        yield partial(find_tails, label, speed_of(model.recipe, config))


def find_tails(
    label: ReadAnalysis, nucleotides_per_s: float, reads: Iterator[Read], ledger: Ledger
) -> Iterator[tuple[Read, Tail]]:
    """Yield each read and its tail, `NONE` where no tail was found.

    Args:
        label: Labels reads; see `Labeller.label`.
        nucleotides_per_s: Speed of tails.
        reads: Taken one at a time.
        ledger: Records dropped reads, and notes reads without a tail.
    """
    for read, regions in label(reads, ledger):
        tail = tail_in(regions, read.sample_rate_hz / nucleotides_per_s)
        if tail == NONE:
            ledger.notes[TAILLESS] += 1
        yield read, tail


def tail_in(regions: Events, samples_per_nucleotide: float) -> Tail:
    """Return the tail among a read's regions, `NONE` if there is none.

    Args:
        regions: Events of a model with a class ``polya``. A model that was not trained ``ordered`` may find several
            tails; the longest counts.
        samples_per_nucleotide: Sample rate over speed.
    """
    found = np.flatnonzero(regions.label == regions.classes.index(POLYA))
    if not len(found):
        return NONE
    longest = found[regions.duration[found].argmax()]
    start, end = int(regions.start[longest]), int(regions.end[longest])
    nucleotides = max((end - start) / samples_per_nucleotide - LEAD, 0.0)
    return Tail(start, end, nucleotides, float(regions.score[longest]))


def _row(read: Read, tail: Tail) -> pa.Table:
    """Return one read's row, with numbers rounded to the digits that they are good for."""
    values = (read.read_id, tail.start, tail.end, round(tail.nucleotides, 2), round(tail.score, 4))
    return pa.table([[value] for value in values], TAILS)


TAIL_ROWS = TableKind(TAILS, _row, partial(columns_writer, schema=TAILS, of="a table of tails"))
"""One row per read."""

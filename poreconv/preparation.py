"""Reads and labels -> a store: parallel over pieces of files, whole or not at all, going on where it was killed.

Two passes. The first, in several processes, reads, checks and labels, and leaves signal and events in parts. The second
knows all events, hence their median dwell, and writes the targets.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from poreconv.config import IGNORE, LabelConfig, PrepareConfig
from poreconv.errors import LabelError, ReadDropped, StoreError
from poreconv.events import Events
from poreconv.files import Parts, fingerprint, whole_file
from poreconv.jobs import Job, plan, reads_of, run_all
from poreconv.labels import LabelSource, open_labels
from poreconv.ledger import Ledger
from poreconv.read import Read
from poreconv.readers import find_files
from poreconv.recipe import Recipe, split_of
from poreconv.scaling import read_scale
from poreconv.store import INDEX, SPLITS, Store, StoreInfo, StoreWriter
from poreconv.targets import classes_of, encode, stuck_after

ROW_FIELDS = [name for name in INDEX.names if name not in {"offset", "length", "first_labelled", "end_labelled"}]
PART = pa.schema(
    [
        *[INDEX.field(name) for name in ROW_FIELDS],
        ("adc", pa.binary()),
        ("start", pa.list_(pa.int32())),
        ("end", pa.list_(pa.int32())),
        ("label", pa.list_(pa.int16())),
        ("coverage", pa.list_(pa.int32())),
    ]
)
"""A part's table: the store's index row, the read's counts and its events."""

LONGEST_DWELL = 1 << 16
"""Dwells are counted up to here for the median; longer ones count as this."""

BATCH_BYTES = 8 << 20
"""Signal per row group of a part: bounds the memory of the first pass."""

BATCH_ROWS = 16
"""Reads looked at together in the second pass."""


@dataclass(frozen=True)
class Preparation:
    """What to prepare: all that decides the result."""

    files: tuple[Path, ...]
    labels: str
    labels_from: tuple[Path, ...]
    config: PrepareConfig
    guard: Recipe | None = None
    """A trained model's recipe: reads that trained it are dropped, reads it cannot label are refused."""

    def source(self) -> LabelSource:
        """Open the label source, once per process."""
        return _open_labels(self.labels, self.labels_from, LabelConfig(outside=self.config.outside))

    def plan(self) -> dict[str, Any]:
        """As JSON types, for telling whether a killed run was this one."""
        settings = asdict(replace(self.config, workers=0))
        guard = self.guard.to_json() if self.guard else ""
        inputs = [fingerprint(list(self.files)), fingerprint(list(self.labels_from))]
        return {"inputs": inputs, "labels": self.labels, "config": settings, "guard": guard}

    def provenance(self) -> dict[str, Any]:
        """What the store says of how it was made."""
        plan = self.plan()
        digest = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
        return {
            "poreconv_version": version("poreconv"),
            "files": len(self.files),
            "labels": self.labels,
            "labels_from": [str(path) for path in self.labels_from],
            "config": plan["config"],
            "plan_hash": digest,
        }


@lru_cache(maxsize=1)
def _open_labels(name: str, files: tuple[Path, ...], config: LabelConfig) -> LabelSource:
    return open_labels(name, files, config)


def prepare(
    paths: Sequence[Path],
    *,
    labels: str,
    out: Path,
    labels_from: Sequence[Path] = (),
    config: PrepareConfig | None = None,
    guard: Recipe | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Store:
    """Prepare a store from signal files and labels.

    Args:
        paths: Signal files and folders.
        labels: Name in ``LABEL_SOURCES``.
        out: The store's folder; if this very preparation has made it before, it is opened.
        labels_from: The label source's files.
        config: Task, split and processes.
        guard: Recipe of the model that is to be judged on the store.
        progress: Told the share of the work that is done, 0 to 1.

    Returns:
        The open store.

    Raises:
        StoreError: ``out`` is something else, or no read was kept.
        PoreconvError: A file or table that cannot be used.
    """
    config = config or PrepareConfig()
    preparation = Preparation(tuple(find_files(paths)), labels, tuple(labels_from), config, guard)
    if out.exists():
        return _finished(preparation, out)
    classes = classes_of(config.task, preparation.source().classes)
    jobs = plan(preparation.files)
    parts = Parts(out, preparation.plan())
    _label_all(preparation, jobs, parts, progress)
    _assemble(preparation, classes, [parts.path(i, ".parquet") for i in range(len(jobs))], out)
    parts.remove()
    progress(1.0)
    return Store(out)


def _finished(preparation: Preparation, out: Path) -> Store:
    """The store that this very preparation has made before."""
    store = Store(out)
    if store.info.provenance != json.loads(json.dumps(preparation.provenance())):
        raise StoreError(
            f"{out}: exists already, of other reads, labels or settings; remove it, or choose another --out"
        )
    return store


def _label_all(preparation: Preparation, jobs: list[Job], parts: Parts, progress: Callable[[float], None]) -> None:
    todo = [number for number in range(len(jobs)) if not parts.path(number, ".parquet").exists()]
    work = partial(_label_job, preparation, jobs, parts)
    for done, _ in enumerate(run_all(work, todo, preparation.config.workers), start=1):
        progress(0.9 * (len(jobs) - len(todo) + done) / len(jobs))


def _label_job(preparation: Preparation, jobs: list[Job], parts: Parts, number: int) -> None:
    """First pass over one job: its reads, their signal and events, in one table."""
    ledger, source = Ledger(), preparation.source()
    source.notes.clear()
    with whole_file(parts.path(number, ".parquet")) as path, pq.ParquetWriter(path, PART, compression="lz4") as table:
        for batch in _batched(_rows(preparation, jobs[number], source, ledger)):
            table.write_table(pa.Table.from_pylist(batch, PART))
        ledger.notes.update(source.notes)
        table.add_key_value_metadata({"ledger": json.dumps(ledger.to_dict())})


def _rows(preparation: Preparation, job: Job, source: LabelSource, ledger: Ledger) -> Iterator[dict[str, Any]]:
    for read in reads_of(job, ledger, skip_bad_files=preparation.config.skip_bad_files):
        try:
            yield _row(read, source, preparation)
        except ReadDropped as exc:
            ledger.drop(exc, read_id=read.read_id, source=read.source)


def _batched(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Rows in batches of bounded size; at least one batch, so that a table of no reads is a table."""
    batch: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row["adc"])
        if size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    yield batch


def _row(read: Read, source: LabelSource, preparation: Preparation) -> dict[str, Any]:
    """A read and its events as a row of a part.

    Raises:
        ReadDropped: The read is flat, has no label or one that doesn't fit, or trained the model that is to be judged.
        MismatchError: The model to be judged cannot label it.
    """
    if preparation.guard is not None:
        preparation.guard.check(read)
        preparation.guard.check_unseen(read)
    shift_pa, scale_pa = read_scale(read)
    events = source.events(read)
    if events is None or not len(events):
        raise LabelError(f"{read.where}: {preparation.labels} has no label for it", reason="no_label")
    split = split_of(preparation.config.split, read_id=read.read_id, run_id=read.run_id, channel=read.channel)
    return {
        "read_id": read.read_id,
        "adc": read.adc.tobytes(),
        "shift_pa": shift_pa,
        "scale_pa": scale_pa,
        "calibration_offset": read.calibration.offset,
        "calibration_scale": read.calibration.scale,
        "sample_rate_hz": read.sample_rate_hz,
        "run_id": read.run_id,
        "channel": read.channel,
        "chemistry": read.chemistry,
        "split": split,
        "source": str(read.source or ""),
        "start": events.start,
        "end": events.end,
        "label": events.label,
        "coverage": events.coverage.ravel(),
    }


def _assemble(preparation: Preparation, classes: tuple[str, ...], tables: list[Path], out: Path) -> None:
    """Second pass: targets, and the store's files, in the order of the input."""
    median_dwell = _median_dwell(tables)
    longest = stuck_after(preparation.config.task, median_dwell)
    partial_out = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial_out, ignore_errors=True)
    partial_out.mkdir(parents=True)
    writer, ledger, counts = StoreWriter(partial_out), Ledger(), Counts(classes)
    for row in _unique_rows(tables, ledger):
        adc, events = np.frombuffer(row["adc"], np.int16), _events_of(row, preparation.source().classes)
        target = encode(events, len(adc), preparation.config.task, longest)
        writer.append({name: row[name] for name in ROW_FIELDS}, adc, target)
        counts.add(row["split"], target, len(events))
        ledger.kept += 1
    if not ledger.kept:
        raise StoreError(f"{out}: no read was kept, so there is no store; {ledger.summary()}")
    writer.finish(
        StoreInfo(
            task=preparation.config.task,
            classes=classes,
            labels=(preparation.labels,),
            split=preparation.config.split,
            median_dwell=median_dwell,
            longest_event=None if np.isinf(longest) else longest,
            counts=counts.by_split,
            ledger=ledger.to_dict(),
            provenance=preparation.provenance(),
        )
    )
    partial_out.rename(out)


class Counts:
    """What stands in each split of a store."""

    def __init__(self, classes: tuple[str, ...]) -> None:
        self._classes = classes
        zeros = dict.fromkeys(("reads", "samples", "events", *classes), 0)
        self.by_split: dict[str, dict[str, int]] = {split: dict(zeros) for split in SPLITS}

    def add(self, split: str, target: NDArray[np.int8], n_events: int) -> None:
        """Count one read."""
        here = self.by_split[split]
        per_class = np.bincount(target[target != IGNORE], minlength=len(self._classes))
        for name, n in zip(self._classes, per_class, strict=True):
            here[name] += int(n)
        here["reads"] += 1
        here["samples"] += len(target)
        here["events"] += n_events


def _unique_rows(tables: list[Path], ledger: Ledger) -> Iterator[dict[str, Any]]:
    """Rows of all parts, in order; a read id seen twice is dropped, and each part's ledger is added."""
    seen: set[str] = set()
    for path in tables:
        with pq.ParquetFile(path) as table:
            ledger.merge(Ledger.from_dict(json.loads(table.metadata.metadata[b"ledger"])))
            for batch in table.iter_batches(batch_size=BATCH_ROWS):
                for row in map(dict, _row_dicts(batch)):
                    if row["read_id"] in seen:
                        twice = LabelError(f"{row['source']}: read {row['read_id']}: seen before", reason="duplicate")
                        ledger.drop(twice, read_id=row["read_id"], source=row["source"])
                        continue
                    seen.add(row["read_id"])
                    yield row


def _row_dicts(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows of a batch, lists as numpy arrays."""
    for i in range(batch.num_rows):
        scalars = {name: batch[name][i] for name in PART.names}
        yield {
            name: scalar.values.to_numpy() if pa.types.is_list(scalar.type) else scalar.as_py()
            for name, scalar in scalars.items()
        }


def _events_of(row: dict[str, Any], classes: tuple[str, ...]) -> Events:
    coverage = row["coverage"].reshape(-1, 2)
    return Events.of(row["start"], row["end"], label=row["label"], classes=classes, coverage=coverage)


def _median_dwell(tables: list[Path]) -> float:
    """Median duration of all events of all parts, samples; NaN without events."""
    counts = np.zeros(LONGEST_DWELL + 1, np.int64)
    for path in tables:
        with pq.ParquetFile(path) as table:
            for batch in table.iter_batches(batch_size=BATCH_ROWS, columns=["start", "end"]):
                dwell = batch["end"].flatten().to_numpy() - batch["start"].flatten().to_numpy()
                counts += np.bincount(np.minimum(dwell, LONGEST_DWELL), minlength=LONGEST_DWELL + 1)
    cumulative = np.cumsum(counts)
    return float(np.searchsorted(cumulative, cumulative[-1] / 2))

"""The contracts as functions: for what users bring, and for what poreconv has itself. Each raises AssertionError.

Example:
    >>> from poreconv.testing import check_label_source
    >>> check_label_source(my_labels, reads)
"""

import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from poreconv.config import SourceConfig
from poreconv.errors import ConfigError, LabelError, ReadDropped
from poreconv.evaluation.criteria import criterion_of
from poreconv.events.events import Events
from poreconv.events.targets import BASES
from poreconv.events.tasks import task_named
from poreconv.events.tasks.task import Task
from poreconv.events.writers import Writer
from poreconv.events.writers.table import events_table
from poreconv.labels.fit import check_fit
from poreconv.labels.opening import OneSource, open_labels
from poreconv.labels.sources import LabelSource
from poreconv.models.networks.choice import choose_network
from poreconv.models.networks.measuring import is_seamless
from poreconv.models.networks.network import Network
from poreconv.models.networks.outside import ROUNDING, Own
from poreconv.models.size import NetworkSize
from poreconv.reads.read import Read
from poreconv.reads.readers import HEAD_BYTES, Reader
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.registry import lookup
from poreconv.training.objectives import OBJECTIVES, Objective

# B batch, C classes, T samples

LENGTHS = (1, 2, 97, 1000)
"""Lengths of signal, samples, that a network must label."""

N_SAMPLES = 60
"""Length of the read on which a task is checked."""


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def check_label_source(
    labels: OneSource, reads: Iterable[Read], *, files: Sequence[Path] = (), config: SourceConfig | None = None
) -> list[Events | None]:
    """Check a label source: what it returns fits the reads, has the classes that it states, and repeats.

    Args:
        labels: As for `prepare`: a name, a function, a class or an object.
        reads: Reads to label; at least one that it has a label for.
        files: Its label files.
        config: Settings of label sources; default: the defaults.

    Returns:
        The events of each read; None of those that it has no label for, or one that does not fit.

    Raises:
        AssertionError: It breaks the contract; see `LabelSource`.
    """
    with closing(open_labels(labels, files, config or SourceConfig())) as source:
        stated = isinstance(source.classes, tuple) and all(isinstance(name, str) for name in source.classes)
        _check(stated, f"classes: {source.classes!r}; state a tuple of names")
        _check(isinstance(source.notes, Counter), f"notes: a {type(source.notes).__name__}; a Counter is expected")
        based = source.classes == BASES
        _check(based or source.base_offset is None, "base_offset: only where classes are A, C, G, T")
        found = [_checked_events(source, read) for read in reads]
    _check(any(events is not None for events in found), "none of the reads has a label")
    return found


def _checked_events(source: LabelSource, read: Read) -> Events | None:
    first, again = _events_or_drop(source, read), _events_or_drop(source, read)
    if first is None or again is None:
        _check(first is again, f"{read.where}: labelled once, and not when asked again")
        return None
    _check(isinstance(first, Events), f"{read.where}: a {type(first).__name__}; Events or None are expected")
    for name in ("start", "end", "label", "coverage"):
        repeats = np.array_equal(getattr(first, name), getattr(again, name))
        _check(repeats, f"{read.where}: {name} differs when it is asked again")
    _check(first.classes == source.classes, f"{read.where}: classes {first.classes}, stated are {source.classes}")
    try:
        check_fit(read, first.start, first.end)
    except LabelError as exc:
        raise AssertionError(f"{exc}; raise LabelError instead, which drops the read") from exc
    covered = first.coverage[-1, 1] if len(first.coverage) else 0
    _check(covered <= len(read.adc), f"{read.where}: covers samples up to {covered} of {len(read.adc)}")
    return first


def _events_or_drop(source: LabelSource, read: Read) -> Events | None:
    try:
        return source.events(read)
    except ReadDropped:
        return None


def check_reader(reader: Callable[[Path, Ledger], Reader], path: Path) -> list[Read]:
    """Check a reader of signal files: iteration, access by id, and writing, if it writes.

    Args:
        reader: The reader's class.
        path: A file of its format, whose reads have ids of their own.

    Returns:
        The reads of the file.

    Raises:
        AssertionError: It breaks the contract; see `Reader`.
    """
    kind: Any = reader
    with path.open("rb") as stream:
        _check(kind.recognises(path, stream.read(HEAD_BYTES)), f"{path}: not recognised by {kind.__name__}")
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / f"other{path.suffix}"
        other.write_bytes(b"something else")
        _check(not kind.recognises(other, b"something else"), f"{kind.__name__}: recognises what is no signal file")
        reads = _checked_reads(reader, path)
        if kind.write is not None:
            copy = Path(folder) / f"copy{path.suffix}"
            kind.write(copy, iter(reads))
            _check(_same(_checked_reads(reader, copy), reads), f"{kind.__name__}: reads differ from what it wrote")
    return reads


def _checked_reads(reader: Callable[[Path, Ledger], Reader], path: Path) -> list[Read]:
    ledger = Ledger()
    with reader(path, ledger) as opened:
        ids, reads = opened.read_ids, list(opened)
        _check(len(opened) == len(ids), f"{path}: len is {len(opened)}, and there are {len(ids)} read_ids")
        n_dropped = ledger.reads_in - ledger.kept
        _check(len(ids) == len(reads) + n_dropped, f"{path}: {len(ids)} ids, {len(reads)} reads, {n_dropped} dropped")
        found = [read.read_id for read in reads]
        _check(
            found == [read_id for read_id in ids if read_id in set(found)], f"{path}: reads not in order of read_ids"
        )
        _check(_same([opened[read_id] for read_id in found], reads), f"{path}: by id come other reads than in order")
        numbers = [ids.index(read_id) for read_id in found]
        _check(_same([*map(opened.record, numbers)], reads), f"{path}: by record come other reads than in order")
        _check(_same(list(opened), reads), f"{path}: the second iteration yields other reads than the first")
        try:
            opened["no such read"]
        except KeyError:
            pass
        else:
            raise AssertionError(f"{path}: an unknown id is no KeyError")
    for read in reads:
        _check_read(read, path)
    return reads


def _check_read(read: Read, path: Path) -> None:
    adc = read.adc
    in_pa = adc.dtype == np.float32 and (read.calibration.offset, read.calibration.scale) == (0, 1)
    _check(adc.ndim == 1 and (adc.dtype == np.int16 or in_pa), f"{read.where}: adc is {adc.dtype}, shape {adc.shape}")
    _check(bool(read.read_id), f"{path}: a read without an id")
    _check(0 < read.sample_rate_hz < np.inf, f"{read.where}: sample rate {read.sample_rate_hz} Hz")
    known = np.isfinite([read.calibration.offset, read.calibration.scale]).all() and read.calibration.scale != 0
    _check(bool(known), f"{read.where}: {read.calibration}")
    _check(read.source == path, f"{read.where}: source is {read.source}, and the file {path}")


def _same(some: Sequence[Read], others: Sequence[Read]) -> bool:
    return len(some) == len(others) and all(
        one.read_id == other.read_id
        and np.array_equal(one.adc, other.adc)
        and (one.calibration, one.sample_rate_hz) == (other.calibration, other.sample_rate_hz)
        for one, other in zip(some, others, strict=True)
    )


def check_writer(writer: Callable[[Path], Writer], path: Path) -> Path:
    """Check a writer of events: it writes tables of reads with events and without, and the same bytes again.

    Args:
        writer: The writer's class.
        path: A file to write, with the suffix of its format.

    Returns:
        The path; the file has three events of ``r1`` (classes A and C), none of ``r2``, and three of ``r3``.

    Raises:
        AssertionError: It breaks the contract; see `Writer`.
    """
    again = path.with_name(f"again{path.suffix}")
    for out in (path, again):
        with closing(writer(out)) as opened:
            for number in (1, 2, 3):
                opened.write(events_table(*_example(number)))
        _check(isinstance(opened.notes, Counter), f"notes: a {type(opened.notes).__name__}; a Counter is expected")
        _check(out.is_file(), f"{out}: not there after close")
    _check(path.read_bytes() == again.read_bytes(), f"{path}: other bytes for the same events")
    again.unlink()
    return path


def _example(number: int) -> tuple[Read, Events]:
    read = Read.from_array(np.arange(200, dtype=np.int16), 4000, read_id=f"r{number}", chemistry="dna_r9.4.1")
    if number == 2:
        return read, Events.of([], [], classes=("A", "C"))
    return read, Events.of([0, 40, 90], [40, 90, 170], label=[1, 0, 1], classes=("A", "C"), score=[0.5, 0.25, 1])


def check_network(
    network: str | Own, *, settings: Any = None, n_classes: int = 2, chunk_samples: int = 2000
) -> NetworkSize:
    """Check a network: shapes, a training step, saving and rebuilding, and that what it sees is what is known of it.

    Args:
        network: As for `train`: a name, a class, a function or a module.
        settings: As for `train`.
        n_classes: Number of its outputs.
        chunk_samples: Length of a training window.

    Returns:
        What it sees and costs; of one from outside as measured.

    Raises:
        AssertionError: It breaks the contract.
    """
    try:
        choice = choose_network(network, settings)
        built = choice.build(n_classes, chunk_samples)
        choice.try_out(built, chunk_samples, torch.device("cpu"), torch.float32)
    except ConfigError as exc:
        raise AssertionError(str(exc)) from exc
    _check_outputs(built.eval())
    return built.size


@torch.no_grad()
def _check_outputs(network: Network) -> None:
    n_classes, size = network.n_classes, network.size
    for batch, length in itertools.product((1, 3), LENGTHS):
        shape = tuple(network(torch.zeros(batch, 1, length)).shape)
        expected = (batch, n_classes, length)
        _check(shape == expected, f"{batch} windows of {length} samples: outputs {shape}, expected are {expected}")
    _check(size.n_parameters > 0 and size.macs_per_sample > 0, f"{size}: has no weights, or costs nothing")
    if size.receptive_field is not None:
        seamless = is_seamless(network, size, torch.float32, ROUNDING)
        _check(seamless, f"outputs depend on more than {size.receptive_field} samples, or on where a window begins")


def check_task(name: str) -> None:
    """Check a task: targets, the objective and the criterion fit each other.

    Args:
        name: Its name.

    Raises:
        AssertionError: It breaks the contract; see `Task`, `Objective` and `Criterion`.
    """
    task = task_named(name)
    classes, events = task.classes(BASES), _labelled(task)
    target = task.target(events, N_SAMPLES)
    known = task.known(target)
    found = (task.name, target.dtype, target.shape)
    _check(found == (name, np.dtype(task.dtype), (N_SAMPLES,)), f"{name}: name, dtype and shape of a target: {found}")
    counted = sum(task.counts(target, len(classes)))
    _check(counted == (1 if task.whole_reads else known.sum()), f"{name}: counts {counted} of {known.sum()} known")
    again = task.target(task.events(target, classes), N_SAMPLES)
    _check(np.array_equal(again[known], target[known]), f"{name}: events of a target make another target")
    kept = np.array_equal(task.renumbered(target, classes, classes), target, equal_nan=target.dtype.kind == "f")
    _check(kept, f"{name}: renumbered to its own classes, a target changes")
    _check_objective(task, target, classes)
    _check_criterion(task, target, classes)


def _labelled(task: Task) -> Events:
    """Events of a read as the task takes them: each of another class and value, with a gap that is not known."""
    label = [2] * 4 if task.whole_reads else [0, 1, 2, 3]
    events = Events.of([3, 12, 30, 44], [12, 25, 44, 60], label=label, classes=BASES, value=[0.5, -1.0, 2.0, 4.0])
    return task.labels(events, Read.from_array(np.arange(N_SAMPLES, dtype=np.int16), 4000))


def objective_for(task: Task, target: NDArray[Any], classes: Sequence[str]) -> Objective:
    """Make the objective of a training on one read.

    Args:
        task: The task.
        target: The read's target, shape ``(n_samples,)``.
        classes: Names of the network's outputs.
    """
    recipe: Any = SimpleNamespace(class_counts=tuple(np.maximum(task.counts(target, len(classes)), 1)))
    training: Any = SimpleNamespace(recipe=recipe, targets=lambda: iter([target]))
    kind: type[Objective] = lookup(OBJECTIVES, task.name, kind="objective")
    return kind.of(training, 0.5)


def _check_objective(task: Task, target: NDArray[Any], classes: tuple[str, ...]) -> None:
    """A loss of what is known alone, which a right network has less of than a wrong one."""
    objective = objective_for(task, target, classes)
    y_BT = torch.from_numpy(target)[None]
    y_BT = y_BT if y_BT.is_floating_point() else y_BT.long()
    wrong = torch.randn(1, len(classes), N_SAMPLES, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss, nothing, name = objective.loss(wrong, y_BT), torch.full_like(y_BT, task.unknown), task.name
    torch.autograd.backward([loss])
    finite = wrong.grad is not None and bool(torch.isfinite(wrong.grad).all())
    _check(finite and loss.item() > 0, f"{name}: the loss of a wrong network, or its gradient")
    of_nothing = float(objective.loss(wrong.detach(), nothing)), float(objective.weight(nothing))
    _check(of_nothing == (0, 0), f"{name}: loss and weight where nothing is known: {of_nothing}")
    _check(float(objective.weight(y_BT)) > 0, f"{name}: a known target weighs nothing")
    objective.update(wrong.detach(), y_BT, torch.tensor([0]))
    worse, right = objective.score(), _right_outputs(objective, target, len(classes))
    _check(objective.loss(right, y_BT).item() < loss.item(), f"{name}: the loss of a right network is no smaller")
    objective.update(right, y_BT, torch.tensor([0]))
    _check(objective.score() > worse, f"{name}: the score of a right network is no larger")


def _right_outputs(objective: Objective, target: NDArray[Any], n_classes: int) -> torch.Tensor:
    """Outputs of a network that is right, shape ``(1, C, T)``."""
    if target.dtype.kind == "f":
        undecided = objective.undecided
        right = torch.from_numpy(np.nan_to_num(target))[None, None] * undecided.temperature
        return (right - torch.tensor(undecided.bias)[None, :, None]).float()
    return 20 * torch.from_numpy(np.eye(n_classes, dtype=np.float32)[:, np.maximum(target, 0)])[None]


def _check_criterion(task: Task, target: NDArray[Any], classes: tuple[str, ...]) -> None:
    """The truth itself has the best scores, and no sample of it is wrong."""
    criterion, name, headline = criterion_of(task.name), task.name, task.headline[0]
    metric, predicted = criterion.metric(classes), task.events(target, classes)
    criterion.update(metric, target, predicted, None)
    scores, per_read = metric.compute(), metric.per_read()
    _check(abs(scores[headline] - 1) < 1e-6, f"{name}: the truth scores {scores[headline]}, not 1")
    keys = {f"{headline}_low", f"{headline}_high", *criterion.columns(classes).values(), *criterion.intervals}
    missing = keys - {"ece"} - scores.keys()
    _check(not missing, f"{name}: no scores {missing}")
    shapes = {per_read[key].shape for key in criterion.read_scores}
    _check(shapes == {(1,)}, f"{name}: scores of one read have shapes {shapes}")
    _check(criterion.read_columns.keys() == set(criterion.read_scores), f"{name}: read_columns are not read_scores")
    _check(not criterion.wrong(target, predicted).any(), f"{name}: samples of the truth are wrong")
    _check(len(criterion.baselines) > 0, f"{name}: no baseline")

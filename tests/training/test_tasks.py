"""What every task of the tables is: targets, an objective and a criterion that fit each other."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from poreconv.config import DecodeConfig
from poreconv.evaluation.criteria import CRITERIA, criterion_of
from poreconv.events.events import Events
from poreconv.events.tasks import TASKS, task_named
from poreconv.events.tasks.task import Task
from poreconv.inference.decoding.decoder import decoder_of
from poreconv.runtime.registry import lookup
from poreconv.training.objectives import OBJECTIVES, Objective
from tests.support.labels import read_of

N_SAMPLES = 60
LABELS = ("A", "C", "G", "T")


def labelled(task: Task) -> Events:
    """Events of a read as the task takes them: each of another class and value, with a gap that is not known."""
    label = [2] * 4 if task.whole_reads else [0, 1, 2, 3]
    start, end = np.array([3, 12, 30, 44]), np.array([12, 25, 44, 60])
    events = Events.of(start, end, label=label, classes=LABELS, value=[0.5, -1.0, 2.0, 4.0])
    return task.labels(events, read_of("r1", N_SAMPLES))


def objective_for(name: str, task: Task, target: NDArray[Any], classes: Sequence[str]) -> Objective:
    """The task's objective, of a training on one read."""
    recipe: Any = SimpleNamespace(class_counts=tuple(np.maximum(task.counts(target, len(classes)), 1)))
    training: Any = SimpleNamespace(recipe=recipe, targets=lambda: iter([target]))
    kind: type[Objective] = lookup(OBJECTIVES, name, kind="objective")
    return kind.of(training, 0.5)


def outputs_of(task: Task, events: Events, target: NDArray[Any], n_classes: int) -> torch.Tensor:
    """Logits of a network that is right, shape ``(1, C, T)``."""
    if np.issubdtype(np.dtype(task.dtype), np.floating):
        return torch.from_numpy(np.nan_to_num(target))[None, None]
    return 20 * torch.from_numpy(np.eye(n_classes, dtype=np.float32)[:, np.maximum(target, 0)])[None]


def as_tensor(target: NDArray[Any]) -> torch.Tensor:
    """A target as the training gives it, shape ``(1, T)``."""
    y_T = torch.from_numpy(target)[None]
    return y_T if y_T.is_floating_point() else y_T.long()


def check_task(name: str) -> None:
    """Check the contract that the three tables make for a task.

    Args:
        name: Its name.

    Raises:
        AssertionError: It breaks the contract.
    """
    task = task_named(name)
    classes, events = task.classes(LABELS), labelled(task)
    target = task.target(events, N_SAMPLES)
    assert (task.name, target.dtype, target.shape) == (name, np.dtype(task.dtype), (N_SAMPLES,))
    assert np.array_equal(task.known(target), task.known(target.copy()))
    assert sum(task.counts(target, len(classes))) == (1 if task.whole_reads else task.known(target).sum())
    again = task.target(task.events(target, classes), N_SAMPLES)
    assert np.array_equal(again[task.known(target)], target[task.known(target)])
    assert np.array_equal(task.renumbered(target, classes, classes), target, equal_nan=target.dtype.kind == "f")
    _check_objective(name, task, events, target, classes)
    _check_criterion(name, task, target, classes)


def _check_objective(name: str, task: Task, events: Events, target: NDArray[Any], classes: tuple[str, ...]) -> None:
    """A loss of what is known alone, which a right network has less of than a wrong one."""
    objective, y_BT = objective_for(name, task, target, classes), as_tensor(target)
    wrong = torch.randn(1, len(classes), N_SAMPLES, generator=torch.manual_seed(0), requires_grad=True)
    loss = objective.loss(wrong, y_BT)
    loss.backward()
    nothing = torch.full_like(y_BT, task.unknown)
    assert wrong.grad is not None
    assert bool(torch.isfinite(wrong.grad).all())
    assert loss.item() > 0
    assert (float(objective.loss(wrong.detach(), nothing)), float(objective.weight(nothing))) == (0, 0)
    assert float(objective.weight(y_BT)) > 0
    objective.update(wrong.detach(), y_BT, torch.tensor([0]))
    worse = objective.score()
    right = outputs_of(task, events, target, len(classes))
    if target.dtype.kind == "f":
        undecided = objective.undecided
        right = right * undecided.temperature - torch.tensor(undecided.bias)[None, :, None]
    assert objective.loss(right.float(), y_BT).item() < loss.item()
    objective.update(right.float(), y_BT, torch.tensor([0]))
    assert objective.score() > worse


def _check_criterion(name: str, task: Task, target: NDArray[Any], classes: tuple[str, ...]) -> None:
    """The truth itself has the best scores, and no sample of it is wrong."""
    criterion = criterion_of(name)
    metric, predicted = criterion.metric(classes), task.events(target, classes)
    criterion.update(metric, target, predicted, None)
    scores, per_read = metric.compute(), metric.per_read()
    assert scores[task.headline[0]] == pytest.approx(1)
    assert {f"{task.headline[0]}_low", f"{task.headline[0]}_high"} <= scores.keys()
    assert {*criterion.columns(classes).values(), *criterion.intervals} - {"ece"} <= scores.keys()
    assert all(per_read[key].shape == (1,) for key in criterion.read_scores)
    assert criterion.read_columns.keys() == set(criterion.read_scores)
    assert not criterion.wrong(target, predicted).any()
    assert criterion.baselines.keys()


@pytest.mark.parametrize("name", TASKS)
def test_every_task_keeps_the_contract(name: str) -> None:
    """Of targets, of the objective, of the criterion."""
    check_task(name)


def test_every_task_stands_in_the_three_tables() -> None:
    """And nothing else does."""
    assert TASKS.keys() == OBJECTIVES.keys() == CRITERIA.keys()


@pytest.mark.parametrize("name", TASKS)
def test_every_task_decodes_and_makes_rows(name: str) -> None:
    """A decoder takes a network's outputs, and a table its events."""
    task = task_named(name)
    classes = task.classes(LABELS)
    decoder = decoder_of(task, classes, DecodeConfig(bias=(0.0,) * len(classes)))
    logits_CT = np.random.default_rng(0).normal(size=(len(classes), N_SAMPLES)).astype(np.float32)
    events = decoder(decoder.outputs(logits_CT))
    rows = task.table().rows(read_of("r1", N_SAMPLES), events)

    assert events.end[-1] == N_SAMPLES
    assert set(rows["read_id"].to_pylist()) == {"r1"}

"""What every task of the tables is: targets, an objective and a criterion that fit each other."""

import numpy as np
import pytest

from poreconv.config import DecodeConfig
from poreconv.evaluation.criteria import CRITERIA
from poreconv.events.targets import BASES
from poreconv.events.tasks import TASKS, task_named
from poreconv.inference.decoding.decoder import decoder_of
from poreconv.testing import check_task
from poreconv.training.objectives import OBJECTIVES
from tests.support.labels import read_of

N_SAMPLES = 60


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
    classes = task.classes(BASES)
    decoder = decoder_of(task, classes, DecodeConfig(bias=(0.0,) * len(classes)))
    logits_CT = np.random.default_rng(0).normal(size=(len(classes), N_SAMPLES)).astype(np.float32)
    events = decoder(decoder.outputs(logits_CT))
    rows = task.table().rows(read_of("r1", N_SAMPLES), events)

    assert events.end[-1] == N_SAMPLES
    assert set(rows["read_id"].to_pylist()) == {"r1"}

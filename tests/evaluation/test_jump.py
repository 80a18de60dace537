import math

import numpy as np
import pytest

from poreconv.evaluation.metrics.jump import JumpRatio, jumps
from poreconv.events.events import Events


def test_a_step_is_a_jump_of_its_height() -> None:
    """At a step the jump is the step's height; three samples away it is gone."""
    jump = jumps(np.repeat([80.0, 95.0], 10).astype(np.float32))

    assert jump[10 - 3] == pytest.approx(15)
    assert jump[[10 - 3 - 3, 10 - 3 + 3]].tolist() == pytest.approx([0, 0])


def test_boundaries_at_the_steps_have_the_highest_ratio() -> None:
    """Labels moved off the steps by two samples score less than those at them, and labels anywhere score about 1."""
    rng = np.random.default_rng(0)
    pa = (rng.normal(90, 14, 300).repeat(9) + rng.normal(0, 1, 2700)).astype(np.float32)
    at = {}
    for shift in (0, 2):
        start = np.arange(9, 2680, 9) + shift
        ratio = JumpRatio()
        ratio.update(pa, Events.of(start, start + 9))
        at[shift] = ratio.compute()
    anywhere = JumpRatio()
    start = np.sort(rng.choice(np.arange(10, 2690), 300, replace=False))
    anywhere.update(pa, Events.of(start, np.append(start[1:], 2700)))

    assert at[0] > 1.3 > at[2]
    assert anywhere.compute() == pytest.approx(1, abs=0.15)


def test_nothing_has_no_ratio() -> None:
    """Without a boundary there is no ratio, and a read shorter than the windows adds none."""
    ratio = JumpRatio()
    ratio.update(np.zeros(4, np.float32), Events.of([1], [3]))

    assert math.isnan(ratio.compute())

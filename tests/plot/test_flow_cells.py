import numpy as np
import pytest

from poreconv.plot.flow_cells import flow_cell_layout, flow_cell_map, histogram, time_course


@pytest.mark.parametrize(
    ("channels", "shape"), [(126, (10, 13)), (512, (16, 32)), (3000, (25, 120)), (3150, (32, 100))]
)
def test_each_channel_has_one_place(channels: int, shape: tuple[int, int]) -> None:
    """Places without a channel are 0."""
    layout = flow_cell_layout(channels)

    assert layout.shape == shape
    assert sorted(layout[layout > 0]) == list(range(1, channels + 1))


@pytest.mark.parametrize(("channels", "smallest"), [(1, 126), (127, 512), (513, 3000)])
def test_a_few_channels_lie_on_the_smallest_flow_cell(channels: int, smallest: int) -> None:
    """That has as many."""
    assert np.array_equal(flow_cell_layout(channels), flow_cell_layout(smallest))


def test_the_corners_are_those_of_the_makers_maps() -> None:
    """Of a MinION and a PromethION."""
    minion, promethion = flow_cell_layout(512), flow_cell_layout(3000)

    assert (minion[0, 0], minion[-1, 0], minion[0, -1], minion[-1, -1]) == (33, 1, 121, 89)
    assert (promethion[0, 0], promethion[0, -1], promethion[-1, 0], promethion[-1, -1]) == (1, 2760, 241, 3000)


def test_a_channel_is_drawn_at_its_place() -> None:
    """And channels without a value are left out."""
    figure = flow_cell_map(512, {33: 2.0, 89: 4.0, 1: np.nan}, "noise (pA)")
    cells = figure.axes[0].images[0].get_array()

    assert cells is not None
    assert (cells[0, 0], cells[-1, -1]) == (2.0, 4.0)
    assert np.ma.count(cells) == 2


@pytest.mark.parametrize("values", [{}, {1: np.nan}, {600: 1.0}])
def test_a_map_may_be_empty(values: dict[int, float]) -> None:
    """Or have a channel that is not on it."""
    assert flow_cell_map(512, values, "noise (pA)").axes


def test_a_course_begins_at_0() -> None:
    """So that a small change looks small; several curves have a legend."""
    figure = time_course([0.5, 1.5], {"speed": [400.0, 390.0]}, "bases/s", band=[[380.0, 370.0], [420.0, 410.0]])

    assert figure.axes[0].get_ylim()[0] == 0
    assert not figure.legends
    assert time_course([0.5], {"a": [1.0], "b": [2.0]}, "x").legends


def test_a_histogram_leaves_out_what_is_not_known() -> None:
    """And draws nothing of nothing."""
    figure = histogram([np.nan, *range(100)], "speed")

    assert sum(bar.get_height() for bar in figure.axes[0].patches) == 98
    assert not histogram([np.nan], "speed").axes[0].patches

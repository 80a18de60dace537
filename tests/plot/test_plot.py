import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib._pylab_helpers import Gcf
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from poreconv import plot
from poreconv.errors import ConfigError, FormatError
from poreconv.events.events import Events
from poreconv.events.matching import TOLERANCES, nearest_distance
from poreconv.plot.decimation import extremes
from poreconv.pore_models.model import random_pore_model
from poreconv.reads.read import Read
from tests.support.signal_files import reads_made

REGIONS = Events.of([0, 40, 70], [40, 70, 100], label=[0, 1, 0], classes=("adapter", "tail"))
PLACES = Events.of([10, 30, 50], [30, 50, 90])


def read_of(n_samples: int = 100) -> Read:
    """A read of noise."""
    counts = np.random.default_rng(0).integers(400, 600, n_samples).astype(np.int16)
    return reads_made(1, adc=counts)[0]


def scores_of(f1: float) -> dict[str, float]:
    """Scores of a method that is equally good at every tolerance."""
    names = [
        f"{name}_{tolerance}{end}"
        for name in plot.scores.CURVES
        for tolerance in TOLERANCES
        for end in ("", "_low", "_high")
    ]
    return dict.fromkeys(names, f1)


def bands_of(figure: Figure, row: int) -> list[tuple[float, float]]:
    """Start and end of each band of a track."""
    [bars] = figure.subfigs[0].axes[row].collections
    return [(path.vertices[:, 0].min(), path.vertices[:, 0].max()) for path in bars.get_paths()]


@given(arrays(np.int16, st.integers(0, 300)), st.integers(1, 40))
def test_decimation_keeps_the_extremes_of_every_bin(values: np.ndarray[Any, Any], n_bins: int) -> None:
    """Of each bin, what is kept has the bin's least and greatest value, in order, and at most two points."""
    kept = extremes(values, n_bins)
    width = max(1, -(-len(values) // n_bins))

    assert (np.diff(kept) > 0).all()
    assert len(kept) <= max(2 * n_bins, 2)
    for first in range(0, len(values), width):
        of_bin = values[kept[(kept >= first) & (kept < first + width)]]
        assert (of_bin.min(), of_bin.max()) == (
            values[first : first + width].min(),
            values[first : first + width].max(),
        )


def test_a_million_samples_become_a_line_of_few_points() -> None:
    """A spike of one sample in a million is in the picture, which has no more than two points per bin."""
    counts = np.zeros(1_000_000, np.int16)
    counts[777_777] = 900
    kept = extremes(counts, 2000)

    assert len(kept) <= 4000
    assert 777_777 in kept


def test_bands_lie_where_the_events_are() -> None:
    """Each event is a band from its first sample to the one after its last, in the track of its name."""
    figure = plot.squiggle(read_of(), {"truth": PLACES, "predicted": REGIONS})

    assert bands_of(figure, 1) == [(10, 30), (30, 50), (50, 90)]
    assert bands_of(figure, 2) == [(0, 40), (40, 70), (70, 100)]
    assert [axes.get_ylabel() for axes in figure.subfigs[0].axes[1:]] == ["truth", "predicted"]


def test_a_class_has_one_colour_in_every_track() -> None:
    """Tracks whose classes stand in another order show the same class in the same colour, and the legend names it."""
    turned = Events.of([5], [9], label=[0], classes=("tail", "adapter"))
    figure = plot.squiggle(read_of(), {"truth": REGIONS, "predicted": turned})
    faces = [figure.subfigs[0].axes[row].collections[0].get_facecolor() for row in (1, 2)]
    [legend] = figure.legends

    assert to_hex(faces[0][1]) == to_hex(faces[1][0])
    assert [text.get_text() for text in legend.get_texts()] == ["adapter", "tail"]


def test_the_window_limits_what_is_drawn() -> None:
    """Of ``[20, 60)`` there are the current of 40 samples and the events that reach into it."""
    figure = plot.squiggle(read_of(), {"truth": PLACES}, start=20, end=60)
    signal = figure.subfigs[0].axes[0]

    assert signal.get_xlim() == (20, 60)
    assert len(signal.lines[0].get_xdata()) == 40
    assert len(bands_of(figure, 1)) == 3


def test_currents_are_in_pa_and_places_in_samples() -> None:
    """The axes of a squiggle name their units, and its title the read."""
    read = read_of()
    figure = plot.boundary_zoom(read, {"truth": PLACES}, {"boundary": np.zeros(100, np.float32)}, start=0, end=50)
    axes = figure.subfigs[0].axes

    assert axes[0].get_ylabel() == "current (pA)"
    assert axes[-1].get_xlabel() == "sample"
    assert axes[-1].get_ylabel() == "P(boundary)"
    assert read.read_id in figure.get_suptitle()


def test_thousands_of_events_are_counted_and_not_drawn() -> None:
    """More events than a reader can distinguish become one band with their number."""
    start = np.arange(0, 5000, 5)
    figure = plot.squiggle(read_of(5000), {"truth": Events.of(start, start + 5)})

    assert bands_of(figure, 1) == [(0, 5000)]
    assert [text.get_text() for text in figure.subfigs[0].axes[1].texts] == ["1,000 events"]


def test_a_spike_does_not_flatten_the_picture() -> None:
    """A single sample of ten times the current is outside the picture, and an arrow points to it."""
    counts = read_of(2000).adc.copy()
    counts[700] = 6000
    signal = plot.squiggle(reads_made(1, adc=counts)[0]).subfigs[0].axes[0]

    assert signal.get_ylim()[1] < 200
    assert [list(line.get_xdata()) for line in signal.lines[1:]] == [[700], []]


def test_an_overview_shows_all_and_a_part() -> None:
    """The upper panel has the whole read, the lower one the boundary in the middle of the first track."""
    read = read_of(3000)
    figure = plot.overview(read, {"truth": Events.of([0, 1500], [1500, 3000])})

    assert [part.axes[0].get_xlim() for part in figure.subfigs] == [(0, 3000), (1300, 1700)]


@pytest.mark.parametrize(("start", "end"), [(-1, 10), (50, 50), (0, 101), (100, None)])
def test_samples_outside_of_the_read_are_refused(start: int, end: int | None) -> None:
    """The message for a window that is empty or not in the read names the samples that exist."""
    with pytest.raises(ConfigError, match="choose start < end within 0 to 100"):
        plot.squiggle(read_of(), start=start, end=end)


FIGURES: dict[str, tuple[Callable[[], Figure], str, str]] = {
    "error_by_tolerance": (lambda: plot.error_by_tolerance({"model": scores_of(0.9)}), "tolerance (samples)", ""),
    "boundary_offsets": (
        lambda: plot.boundary_offsets({0: 5, -1: 2, 300: 1}),
        "nearest prediction minus true boundary (samples)",
        "share of true boundaries",
    ),
    "found_by_length": (
        lambda: plot.found_by_length([("a", 1, 1, 20, 5), ("a", 2, 3, 30, 20), ("b", 2, 3, 50, 50)]),
        "length (samples)",
        "share found",
    ),
    "confusion": (lambda: plot.confusion([[8, 2], [1, 9]], ["a", "b"]), "predicted class", "true class"),
    "dwells": (lambda: plot.dwells({"truth": [3, 9, 12], "empty": []}), "dwell (samples)", "density (per decade)"),
    "kmer_levels": (lambda: plot.kmer_levels(random_pore_model(3, 0, 90, 12)), "base 2, in it 3", "base 1"),
}
"""Function of `plot` -> a figure of it, and the labels of its first axes."""


@pytest.mark.parametrize("name", FIGURES)
def test_axes_are_labelled(name: str) -> None:
    """Each figure can be drawn, and its axes have labels, with units where there are units."""
    make, x, y = FIGURES[name]
    figure = make()
    figure.draw_without_rendering()

    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == (x, y)


def test_f1_is_drawn_beside_the_baselines() -> None:
    """The first panel has a line of F1 for each method, at each tolerance."""
    axes = plot.error_by_tolerance({"model": scores_of(0.9), "ttest": scores_of(0.5)}).axes[0]

    assert [line.get_label() for line in axes.lines] == ["model", "ttest"]
    assert [list(line.get_xdata()) for line in axes.lines] == [list(TOLERANCES)] * 2
    assert [set(line.get_ydata()) for line in axes.lines] == [{0.9}, {0.5}]


def test_undefined_scores_leave_a_gap() -> None:
    """Scores that JSON has as null, and intervals that are not there, are not drawn."""
    figure = plot.error_by_tolerance(
        {"model": {f"{name}_{t}": None for name in plot.scores.CURVES for t in TOLERANCES}}
    )

    assert np.isnan(figure.axes[0].lines[0].get_ydata().astype(float)).all()


def test_far_offsets_share_the_outermost_bars() -> None:
    """Of true boundaries at 10, 20, 90 and predictions at 10, 21, 50, a third each is right, 1 late, very early."""
    offsets = Counter(nearest_distance(np.array([10, 20, 90]), np.array([10, 21, 50])).tolist())
    bars = plot.boundary_offsets(offsets).axes[0].patches
    heights = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in bars}

    assert {place: round(height, 3) for place, height in heights.items() if height} == {-10: 0.333, 0: 0.333, 1: 0.333}


def test_confusion_shows_shares_and_counts() -> None:
    """Rows are true classes; there is a column for no class only if it has counts."""
    cells = [text.get_text() for text in plot.confusion([[8, 2, 0], [1, 9, 0]], ["a", "b"]).axes[0].texts]
    with_none = plot.confusion([[8, 1, 1], [0, 9, 1]], ["a", "b"]).axes[0]

    assert cells == ["80.0%\n8", "20.0%\n2", "10.0%\n1", "90.0%\n9"]
    assert [label.get_text() for label in with_none.get_xticklabels()] == ["a", "b", "none"]


def test_reliability_shows_the_calibration_error() -> None:
    """Bins of 30 and 10 samples that are off by 0.1 and 0.3 make an ECE of 0.15."""
    rows = [
        {"mean_predicted": 0.2, "observed": 0.3, "n_samples": 30.0},
        {"mean_predicted": 0.9, "observed": 0.6, "n_samples": 10.0},
    ]

    assert "ECE 0.1500" in plot.reliability(rows).axes[0].get_legend_handles_labels()[1]


def test_kmers_without_support_are_blank() -> None:
    """The table of 3-mers has 64 cells, and none for the one that no event had."""
    model = random_pore_model(3, 0, 90, 12)
    count = np.ones(64)
    count[0] = 0
    figure = plot.kmer_levels(type(model)(3, model.level_mean, model.level_sd, model.centre, count=count))
    table = figure.axes[0].images[0].get_array()

    assert table.shape == (4, 16)
    assert table.mask.sum() == 1 == table.mask[0, 0]
    assert figure.axes[2].get_title(loc="left") == "63 of 64 seen"


def test_a_resumed_run_has_one_curve(tmp_path: Path) -> None:
    """Of a step that two logs have, the later counts; empty cells are no values."""
    for version, rows in enumerate((["0,1.0,,", "9,0.9,0.8,0.5"], ["9,0.7,0.6,0.6", "19,,0.5,0.7"])):
        log = tmp_path / f"logs/csv/version_{version}/metrics.csv"
        log.parent.mkdir(parents=True)
        log.write_text("\n".join(["step,train_loss,validation_loss,validation_score", *rows]))
    loss, score = plot.learning_curves(tmp_path).axes

    assert [list(line.get_xdata()) for line in loss.lines] == [[0, 9], [9, 19]]
    assert list(score.lines[0].get_ydata()) == [0.6, 0.7]


def test_a_folder_without_a_log_is_no_run(tmp_path: Path) -> None:
    """The message names where the log would be."""
    with pytest.raises(FormatError, match=r"metrics.csv\); give the folder that poreconv train wrote"):
        plot.learning_curves(tmp_path)


@pytest.mark.parametrize(("suffix", "begins"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_pictures_are_saved_by_suffix(suffix: str, begins: bytes, tmp_path: Path) -> None:
    """The suffix chooses the format, and no other file is left."""
    plot.save(plot.dwells({"truth": [3, 4]}), tmp_path / f"dwells{suffix}")

    assert (tmp_path / f"dwells{suffix}").read_bytes().startswith(begins)
    assert len(list(tmp_path.iterdir())) == 1


def test_text_of_an_svg_is_text(tmp_path: Path) -> None:
    """It can be searched, read aloud and edited."""
    plot.save(plot.dwells({"truth": [3, 4]}), tmp_path / "x.svg")
    text = "".join(ET.parse(tmp_path / "x.svg").getroot().itertext())

    assert "dwell (samples)" in text


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    """The message names those that are possible."""
    with pytest.raises(ConfigError, match=r"end the name in .png, .svg, .pdf"):
        plot.save(plot.dwells({"truth": [3, 4]}), tmp_path / "x.gif")


def test_pyplot_keeps_no_figure() -> None:
    """Figures belong to the caller: none is kept open, however many are made."""
    plot.squiggle(read_of(), {"truth": PLACES})

    assert Gcf.figs == {}

from dataclasses import replace

import numpy as np
import pytest

from poreconv.errors import ConfigError
from poreconv.evaluation.criteria import criterion_of
from poreconv.evaluation.excerpt import BINS, MOST_EVENTS, Excerpt, worst_window
from poreconv.events.events import Events
from poreconv.reads.read import Read
from poreconv.runtime.records import from_plain, to_json, to_plain
from tests.support.models import recipe_for
from tests.support.signal_files import reads_made

RECIPE = recipe_for("tcn")
SEGMENTS = recipe_for("tcn", task="segment", classes=("adapter", "polya"))


def every_nine(n_samples: int) -> np.ndarray:
    """Return a boundary target with an event every 9 samples."""
    return (np.arange(n_samples) % 9 == 0).astype(np.int8)


def excerpt_of(read: Read) -> Excerpt:
    """Make the excerpt of a read of which every second boundary was found."""
    n = len(read.adc)
    found = np.arange(0, n, 18)
    likely = np.linspace(0, 1, n, dtype=np.float32)
    events = Events.of(found, np.append(found[1:], n))
    return Excerpt.of(read, every_nine(n), events, np.stack([1 - likely, likely]), RECIPE)


@pytest.fixture
def read() -> Read:
    """A read whose bins hold several samples."""
    adc = np.random.default_rng(0).integers(300, 700, 5000, dtype=np.int16)
    return replace(reads_made(1)[0], adc=adc)


def test_boundaries_without_a_partner_are_wrong() -> None:
    """Of boundaries at 0, 9 and 18, predicted at 1 and 13, two are missed, and one prediction is wrong."""
    wrong = criterion_of(RECIPE.task).wrong(every_nine(20), Events.of([1, 13], [13, 20]))

    assert np.flatnonzero(wrong).tolist() == [9, 13, 18]


def test_samples_of_another_class_are_wrong() -> None:
    """Nothing is wrong outside the coverage."""
    target = np.array([0, 0, 1, 1, -1], np.int8)
    found = Events.of([0, 1], [1, 5], label=[0, 1], classes=SEGMENTS.classes)

    assert np.flatnonzero(criterion_of(SEGMENTS.task).wrong(target, found)).tolist() == [1]


def test_the_worst_window_has_most_errors() -> None:
    """Without any error, it is inside the coverage; of a short read, it is all samples."""
    wrong, known = np.zeros(50, bool), np.arange(50) >= 30
    wrong[[3, 20, 22]] = True

    assert worst_window(wrong, known, 10) == slice(17, 27)
    assert worst_window(np.zeros(50, bool), known, 10) == slice(35, 45)
    assert worst_window(wrong, known, 100) == slice(0, 50)


def test_an_excerpt_looks_like_its_read(read: Read) -> None:
    """In the detail window it is the read; elsewhere no bin leaves the read's extremes, and the whole reaches them."""
    excerpt = excerpt_of(read)
    again = excerpt.read()

    assert (again.read_id, again.chemistry, len(again.adc)) == (read.read_id, read.chemistry, len(read.adc))
    assert np.array_equal(again.adc[excerpt.start : excerpt.end], read.adc[excerpt.start : excerpt.end])
    assert (again.adc.min(), again.adc.max()) == (read.adc.min(), read.adc.max())
    assert excerpt.envelope.shape[1] <= BINS


def test_an_excerpt_counts_the_errors(read: Read) -> None:
    """Every second boundary is missed: 277 of 5,000 samples are wrong."""
    assert excerpt_of(read).wrong.sum() == len(range(9, 5000, 18))


def test_many_events_are_kept_only_in_the_detail_window(read: Read) -> None:
    """The excerpt of a long read is small all the same."""
    excerpt = excerpt_of(read)

    assert len(every_nine(5000).nonzero()[0]) > MOST_EVENTS
    assert 0 < len(excerpt.truth.events) < 30
    assert excerpt.truth.end[0] > excerpt.start
    assert excerpt.truth.start[-1] < excerpt.end
    assert len(to_json(excerpt)) < 15_000


def test_an_excerpt_survives_json(read: Read) -> None:
    """What was written is read back the same."""
    plain = to_plain(excerpt_of(read))

    assert to_plain(from_plain(plain, Excerpt)) == plain


def test_probabilities_at_another_rate_are_left_out(read: Read) -> None:
    """A resampling model's probabilities belong to other samples than the read's."""
    n = len(read.adc)
    excerpt = Excerpt.of(read, every_nine(n), Events.of([0], [n]), np.zeros((2, n // 2), np.float32), RECIPE)

    assert excerpt.curves == {}
    assert to_plain(from_plain(to_plain(excerpt), Excerpt)) == to_plain(excerpt)


def test_parts_that_do_not_fit_are_refused(read: Read) -> None:
    """The message names samples outside the read."""
    with pytest.raises(ConfigError, match=r"excerpt of read .*: samples 9999"):
        replace(excerpt_of(read), start=9999)

"""Reads and events at another sample rate."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from poreconv.commands.evaluate import evaluate
from poreconv.commands.label import label
from poreconv.config import EvaluateConfig, PrepareConfig, TrainConfig, WorkConfig
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store, open_stores
from poreconv.errors import MismatchError, SignalError, StoreError
from poreconv.events.events import Events
from poreconv.events.resampling import resample_events
from poreconv.inference.labeller import Labeller, load
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from poreconv.reads.resampling import MOST_TIMES, resample_read
from poreconv.training.recipes import recipe_of
from tests.support.data import HALVES, simulated, store_of
from tests.support.models import bundle_at
from tests.support.signal_files import reads_made
from tests.support.stores import prepared


def steps_at(places: list[int], n_samples: int, sample_rate_hz: float) -> Read:
    """A read whose current goes up and down at the given samples."""
    level = np.searchsorted(places, np.arange(n_samples), side="right") % 2
    return replace(reads_made(1)[0], adc=(500 + 200 * level).astype(np.int16), sample_rate_hz=sample_rate_hz)


@given(
    dwells=st.lists(st.integers(1, 30), min_size=1, max_size=40),
    first=st.integers(0, 20),
    tail=st.integers(0, 20),
    rates=st.sampled_from([(3012, 4000), (4000, 5000), (250, 4000), (4000, 4001)]),
)
def test_events_survive_a_higher_rate(dwells: list[int], first: int, tail: int, rates: tuple[int, int]) -> None:
    """Up and down again, every event, class and coverage is where it was."""
    edge = first + np.cumsum([0, *dwells])
    n, ratio = int(edge[-1]) + tail, rates[1] / rates[0]
    n_up = int(np.ceil(n * ratio))
    events = Events.of(edge[:-1], edge[1:], label=np.arange(len(dwells)) % 2, classes=("a", "b"))
    up = resample_events(events, n, n_up, ratio)
    back = resample_events(up, n_up, n, 1 / ratio)

    assert back.start.tolist() == events.start.tolist()
    assert back.end.tolist() == events.end.tolist()
    assert back.label.tolist() == events.label.tolist()
    assert back.coverage.tolist() == events.coverage.tolist()


@given(st.lists(st.integers(1, 6), min_size=2, max_size=60))
def test_a_lower_rate_loses_only_events_without_a_sample(dwells: list[int]) -> None:
    """Events that are left tile what the events tiled before."""
    edge = np.cumsum([0, *dwells])
    n_new = int(np.ceil(edge[-1] * 0.5))
    moved = resample_events(Events.of(edge[:-1], edge[1:]), int(edge[-1]), n_new, 0.5)

    assert moved.start[1:].tolist() == moved.end[:-1].tolist()
    assert (moved.start[0], moved.end[-1]) == (0, n_new)


@pytest.mark.parametrize(("old", "new"), [(5000, 4000), (4000, 5000), (3012, 4000)])
def test_a_step_in_the_current_moves_with_its_event(old: int, new: int) -> None:
    """The counts step where the event's new first sample is."""
    places = [200, 333, 401, 520]
    read = steps_at(places, 700, old)
    there = resample_read(read, new)
    edge = np.array([0, *places, 700])
    events = resample_events(Events.of(edge[:-1], edge[1:]), 700, len(there.adc), new / old)
    high = there.adc > 600

    assert len(there.adc) == np.ceil(700 * new / old)
    assert (np.flatnonzero(np.diff(high)) + 1).tolist() == events.start[1:].tolist()


def test_its_own_rate_leaves_a_read_alone() -> None:
    """Nothing is filtered where nothing is to be done."""
    [read] = reads_made(1)

    assert resample_read(read, read.sample_rate_hz) is read


def test_stores_of_two_rates_train_together_once_resampled(tmp_path: Path) -> None:
    """Without --resample_hz they are refused, and the error names it; with it the recipe keeps both rates."""
    for name, rate in (("slow", 4000.0), ("fast", 5000.0)):
        reads = [replace(read, sample_rate_hz=rate) for read in reads_made(6, seed=int(rate))]
        prepared(tmp_path / name, reads, split=HALVES)
        prepare(
            [tmp_path / name / "reads.fast5"],
            labels="intervals",
            labels_from=[tmp_path / name / "labels.tsv"],
            out=tmp_path / f"{name}_4k",
            config=PrepareConfig(split=HALVES, resample_hz=4000.0, work=WorkConfig(workers=1)),
        )
    stores = open_stores([tmp_path / "slow_4k", tmp_path / "fast_4k"])
    recipe = recipe_of(stores, "tcn", {}, TrainConfig())

    with pytest.raises(StoreError, match=r"sample rates 4000, 5000 Hz .* --resample_hz"):
        open_stores([tmp_path / "slow" / "store", tmp_path / "fast" / "store"])
    assert (recipe.sample_rate_hz, recipe.resampled_from_hz) == (4000.0, (4000.0, 5000.0))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Store]:
    """A model for simulated reads of 4 kHz brought to 5 kHz, the reads, and their store."""
    folder = tmp_path_factory.mktemp("resampled")
    reads = simulated(folder / "reads", n_reads=12)
    store = Store(store_of(reads, folder / "store", resample_hz=5000.0))
    scope = {"split": HALVES, "runs": (store.text("run_id")[0],)}
    model = bundle_at(folder / "model.safetensors", resampled_from_hz=(4000.0,), sample_rate_hz=5000.0, **scope)
    return model, reads, store


def test_labels_come_back_at_the_reads_own_rate(judged: tuple[Path, Path, Store], tmp_path: Path) -> None:
    """The model works at its own rate, its events are in the read's samples."""
    model, reads, _ = judged
    ledger = label(model, reads / "reads.fast5", out=tmp_path / "events.parquet")
    labeller = load(model)
    with open_reads(reads / "reads.fast5") as stream:
        read = next(iter(stream))
    events = labeller(read)
    probabilities_CT = labeller.probabilities(read)

    assert ledger.kept == 12
    assert probabilities_CT.shape[1] == np.ceil(len(read.adc) * 1.25)
    assert events.end[-1] == len(read.adc)


def test_files_and_their_resampled_store_give_the_same_scores(judged: tuple[Path, Path, Store]) -> None:
    """Judged on files, a model prepares them at its own rate."""
    model, reads, store = judged
    on_store = evaluate(model, store.path, baselines=["ttest"], config=EvaluateConfig(work=WorkConfig(workers=1)))
    on_files = evaluate(
        model,
        reads / "reads.fast5",
        labels="intervals",
        labels_from=[reads / "events.tsv"],
        baselines=["ttest"],
        config=EvaluateConfig(work=WorkConfig(workers=1)),
    )

    assert on_files.scores == on_store.scores


def test_a_rate_that_was_not_trained_is_still_refused(judged: tuple[Path, Path, Store]) -> None:
    """A model that resamples knows the rates it has seen, and no others."""
    labeller: Labeller = load(judged[0])
    [read] = reads_made(1)

    with pytest.raises(MismatchError, match="3012 Hz, and the model was trained on 4000, 5000 Hz"):
        labeller(replace(read, sample_rate_hz=3012.0))


@pytest.mark.parametrize("rate", [1e15, 1e-9, 4000 * MOST_TIMES * 1.01])
def test_rates_that_differ_too_much_are_a_named_drop(rate: float) -> None:
    """An error in a file's rate would otherwise use up the memory."""
    with pytest.raises(SignalError, match="cannot be resampled") as caught:
        resample_read(replace(reads_made(1)[0], sample_rate_hz=rate), 4000.0)

    assert caught.value.reason == "wrong_rate"

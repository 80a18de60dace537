import inspect
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from poreconv.commands.train import train
from poreconv.config import IGNORE, PRESETS, PrepareConfig, SplitConfig, TrainConfig, WorkConfig
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError
from poreconv.models.bundle import load_bundle
from poreconv.training.presets import settled
from poreconv.training.regions import order_of, shortest_of
from tests.support.data import heartbeat_store, simulated, squiggle_store

SHORTLY = TrainConfig(max_steps=2, batch_size=2, chunk_samples=200, validate_every=2, precision="32", accelerator="cpu")


@pytest.fixture(scope="module")
def regions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of simulated reads: adapter, then DNA."""
    folder = tmp_path_factory.mktemp("regions")
    reads = simulated(folder / "reads", n_reads=8)
    config = PrepareConfig(task="segment", split=SplitConfig(validation=0.4, test=0), work=WorkConfig(workers=1))
    typed = [reads / "regions.tsv"]
    prepare([reads / "reads.fast5"], labels="intervals", labels_from=typed, out=folder / "store", config=config)
    return folder / "store"


@pytest.fixture(scope="module")
def beats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of heartbeats, which come again and again."""
    return heartbeat_store(tmp_path_factory.mktemp("beats"))


def target(*runs: int) -> NDArray[np.int8]:
    """Three samples of each class."""
    return np.repeat(np.array(runs, np.int8), 3)


def test_the_order_is_learnt_from_the_reads() -> None:
    """No read needs to have all classes, and samples of no class are passed over; a class of no read comes last."""
    names = ("never", "tail", "open pore", "adapter", "rna")
    reads = [target(2, 3), target(3, IGNORE, 1), target(IGNORE, 1, 4), target(4), target(IGNORE), target()]

    assert order_of(reads, names) == ("open pore", "adapter", "tail", "rna", "never")


@pytest.mark.parametrize("reads", [[target(0, 1), target(1, 0)], [target(0, 1, 2), target(2, 0)], [target(0, 1, 0)]])
def test_what_comes_again_has_no_order(reads: list[NDArray[np.int8]]) -> None:
    """Where one is required, this is an error before the training, not after it."""
    assert order_of(reads, ("a", "b", "c")) == ()
    with pytest.raises(ConfigError, match=r"ordered: \w both before and after \w in the training reads"):
        order_of(reads, ("a", "b", "c"), required=True)


def test_reads_of_one_class_each_show_no_order() -> None:
    """They may be modified sites: many in a read, with unknown samples between."""
    assert order_of([target(0, IGNORE, 0), target(1, IGNORE, 1)], ("modified", "canonical")) == ()


def test_the_shortest_length_is_a_share_of_short_stretches() -> None:
    """Of the 5th percentile of each class; a class of no read may have any length."""
    reads = [np.repeat(np.array([0, 1], np.int8), [100, 40])] * 3

    assert shortest_of(reads, ("a", "b", "c"), 0.25) == (25, 10, 1)


def test_training_records_the_rules(regions: Path, tmp_path: Path) -> None:
    """They are learnt from the store's own reads and stand in the bundle, unless something else is asked for."""
    asked = {"as_is": SHORTLY, "free": replace(SHORTLY, ordered="no", shortest=0.0)}
    as_is, free = (
        load_bundle(train(regions, out=tmp_path / name, config=config, with_report=False).bundle)[1].decoding
        for name, config in asked.items()
    )

    assert (as_is.method, as_is.order) == ("ordered", ("adapter", "dna"))
    assert min(as_is.shortest) > 1
    assert (free.method, free.order, free.shortest) == ("peaks", (), ())


def test_classes_that_repeat_are_decoded_by_segments(beats: Path, tmp_path: Path) -> None:
    """Beats have no order, but shortest lengths."""
    decoding = load_bundle(train(beats, out=tmp_path / "run", config=SHORTLY, with_report=False).bundle)[1].decoding

    assert (decoding.method, len(decoding.shortest)) == ("segmental", 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [(squiggle_store, "only for regions, and this task is boundary"), (heartbeat_store, "before and after")],
)
def test_what_has_no_order_is_not_trained_so(make, message: str, tmp_path: Path) -> None:
    """Boundaries are no regions; beats come again and again."""
    store = make(tmp_path / "made")

    with pytest.raises(ConfigError, match=message):
        train(store, out=tmp_path / "run", config=replace(SHORTLY, ordered="yes"))
    assert not (tmp_path / "run").exists()


def test_network_and_windows_fit_the_labels(beats: Path, regions: Path) -> None:
    """Longer events need a larger reach and longer windows; what is given stays."""
    of_beats, of_regions = (settled([Store(path)], None, None, TrainConfig()) for path in (beats, regions))
    given = settled([Store(beats)], "tcn", None, TrainConfig(chunk_samples=77))

    assert of_beats.network == of_regions.network == "strided"
    assert sum(of_beats.settings["dilations"]) < sum(of_regions.settings["dilations"])
    assert of_beats.config.chunk_samples < of_regions.config.chunk_samples
    assert (given.network, given.settings, given.config.chunk_samples) == ("tcn", None, 77)
    assert given.config.max_steps == 1000


def test_a_preset_is_for_a_task(beats: Path, tmp_path: Path) -> None:
    """By default it is that of the store's task; `trace` looks for no order, and another task's is refused."""
    boundaries = Store(squiggle_store(tmp_path))

    assert settled([boundaries], None, None, TrainConfig()).config.max_steps == 4000
    assert settled([Store(beats)], None, None, TrainConfig(preset="trace")).config.ordered == "no"
    with pytest.raises(ConfigError, match="preset: regions is for stores of task segment, and this one is of task bou"):
        settled([boundaries], None, None, TrainConfig(preset="regions"))
    with pytest.raises(ConfigError, match="preset 'region' is not known; did you mean regions"):
        settled([boundaries], None, None, TrainConfig(preset="region"))


def test_the_help_names_the_numbers_of_the_presets() -> None:
    """A number that is left open is looked up in the table of presets, and its help repeats it."""
    texts = inspect.getsource(TrainConfig)
    regions, boundaries = PRESETS["regions"], PRESETS["boundaries"]

    assert f"0: {boundaries.max_steps}, for regions {regions.max_steps}." in texts
    assert f"0: {boundaries.learning_rate:g}, for regions {regions.learning_rate:g}." in texts
    assert f"0: {boundaries.batch_size}, for regions fewer" in texts
    assert f"0: {boundaries.chunk_samples}, for regions as fits" in texts

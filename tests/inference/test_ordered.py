from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from poreconv.commands.train import train
from poreconv.config import IGNORE, DecodeConfig, PrepareConfig, SplitConfig, TrainConfig, WorkConfig
from poreconv.dataset.prepare import prepare
from poreconv.errors import ConfigError
from poreconv.events.tasks import task_named
from poreconv.inference.decoding.decoder import decoder_of
from poreconv.inference.decoding.ordered import best_ends, order_of
from poreconv.inference.decoding.stretches import LEAST
from poreconv.models.architectures import Strided
from poreconv.models.bundle import load_bundle
from tests.support.data import heartbeat_store, simulated, squiggle_store
from tests.support.models import recipe_for

CLASSES = ("transcript", "polya", "adapter")
"""Not in the signal's order."""
ORDERED = DecodeConfig(method="ordered", order=("adapter", "polya", "transcript"))


def gain_of(gain_CT: NDArray[np.float64], ends: tuple[int, ...]) -> float:
    """What a split brings: ends of all classes but the last."""
    edges = [0, *ends, gain_CT.shape[1]]
    return float(sum(gain_CT[c, edges[c] : edges[c + 1]].sum() for c in range(len(gain_CT))))


@st.composite
def gains(draw: st.DrawFn) -> NDArray[np.float64]:
    """Whole numbers, so that sums are exact and splits are often equally good."""
    n_classes, n_samples = draw(st.integers(1, 4)), draw(st.integers(0, 9))
    flat = draw(st.lists(st.integers(-4, 0), min_size=n_classes * n_samples, max_size=n_classes * n_samples))
    return np.array(flat, np.float64).reshape(n_classes, n_samples)


@given(gains())
def test_the_split_is_the_best_of_all(gain_CT: NDArray[np.float64]) -> None:
    """As trying all of them finds; of splits as good, the later classes begin first."""
    n_classes, n_samples = gain_CT.shape
    splits = list(combinations_with_replacement(range(n_samples + 1), n_classes - 1))
    most = max(gain_of(gain_CT, split) for split in splits)
    first = min((split for split in splits if gain_of(gain_CT, split) == most), key=lambda split: split[::-1])

    assert best_ends(gain_CT).tolist() == [*first, n_samples]


def test_each_class_comes_once_and_in_its_order() -> None:
    """An adapter in the transcript is none, and neither is a gap in the tail; scores are means of what was chosen."""
    likely = [2, 2, 1, 2, 1, 1, 0, 2, 0, 0]
    p_CT = np.array([[0.8 if name == one else 0.1 for name in likely] for one in range(3)], np.float32)
    events = decoder_of(task_named("segment"), CLASSES, ORDERED)(p_CT)

    assert [CLASSES[i] for i in events.label] == ["adapter", "polya", "transcript"]
    assert events.start.tolist() == [0, 2, 6]
    assert events.end.tolist() == [2, 6, 10]
    assert events.score.tolist() == pytest.approx([0.8, (3 * 0.8 + 0.1) / 4, (3 * 0.8 + 0.1) / 4])


def test_a_class_can_be_missing() -> None:
    """A read without a tail has none; an empty one has nothing."""
    p_CT = np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.1], [0.8, 0.8, 0.1]], np.float32)

    assert [CLASSES[i] for i in decoder_of(task_named("segment"), CLASSES, ORDERED)(p_CT).label] == [
        "adapter",
        "transcript",
    ]
    assert len(decoder_of(task_named("segment"), CLASSES, ORDERED)(p_CT[:, :0])) == 0


@given(st.integers(0, 2**32 - 1))
def test_what_is_ordered_already_stays(seed: int) -> None:
    """Where the likeliest classes are in order, the best split is theirs."""
    rng = np.random.default_rng(seed)
    run = np.sort(rng.integers(0, 3, 30))
    p_CT = np.full((3, 30), 0.2, np.float32)
    p_CT[run, np.arange(30)] = 0.6
    names = ("adapter", "polya", "transcript")
    events, plain = (decoder_of(task_named("segment"), names, config)(p_CT) for config in (ORDERED, DecodeConfig()))

    assert events.start.tolist() == plain.start.tolist()
    assert events.label.tolist() == plain.label.tolist()
    assert events.score.tolist() == plain.score.tolist()


def test_one_sample_forbids_nothing() -> None:
    """A class that is impossible at one sample is only very unlikely there."""
    p_CT = np.array([[1.0] * 9 + [0.0] + [1.0] * 9, [0.0] * 9 + [1.0] + [0.0] * 9], np.float32)

    assert decoder_of(task_named("segment"), ("a", "b"), DecodeConfig(method="ordered", order=("a", "b")))(
        p_CT
    ).label.tolist() == [0]
    assert 0 < LEAST < 1e-3


def target(*runs: int) -> NDArray[np.int8]:
    """Three samples of each class."""
    return np.repeat(np.array(runs, np.int8), 3)


def test_the_order_is_learnt_from_the_reads() -> None:
    """No read needs to have all classes, and samples of no class are passed over; a class of no read comes last."""
    names = ("never", "tail", "open pore", "adapter", "rna")
    reads = [target(2, 3), target(3, IGNORE, 1), target(IGNORE, 1, 4), target(4), target(IGNORE), target()]

    assert order_of(reads, names) == ("open pore", "adapter", "tail", "rna", "never")


@pytest.mark.parametrize("reads", [[target(0, 1), target(1, 0)], [target(0, 1, 2), target(2, 0)], [target(0, 1, 0)]])
def test_classes_without_an_order_are_refused(reads: list[NDArray[np.int8]]) -> None:
    """Before the training, not after it."""
    with pytest.raises(ConfigError, match=r"ordered: \w both before and after \w in the training reads"):
        order_of(reads, ("a", "b", "c"))


def test_an_order_belongs_to_its_method_and_its_classes() -> None:
    """A recipe whose decoding cannot be done is none."""
    with pytest.raises(ConfigError, match="needed by method ordered, and only by it"):
        DecodeConfig(method="ordered")
    with pytest.raises(ConfigError, match="names no classes of the model"):
        recipe_for("tcn", decoding=ORDERED)


SETTINGS = Strided(channels=4, stride=5, stem_kernel=9, dilations=(1, 2))
SHORTLY = TrainConfig(
    max_steps=2, batch_size=2, chunk_samples=200, validate_every=2, precision="32", accelerator="cpu", ordered=True
)


def test_training_records_the_order(tmp_path: Path) -> None:
    """Of the store's own reads; it stands in the bundle, and labelling follows it."""
    reads = simulated(tmp_path / "reads", n_reads=8)
    config = PrepareConfig(task="segment", split=SplitConfig(validation=0.4, test=0), work=WorkConfig(workers=1))
    regions = [reads / "regions.tsv"]
    prepare([reads / "reads.fast5"], labels="intervals", labels_from=regions, out=tmp_path / "store", config=config)
    bundle = train(
        tmp_path / "store",
        out=tmp_path / "run",
        network="strided",
        settings=SETTINGS,
        config=SHORTLY,
        with_report=False,
    )
    decoding = load_bundle(bundle)[1].decoding

    assert (decoding.method, decoding.order) == ("ordered", ("adapter", "dna"))


@pytest.mark.parametrize(
    ("make", "message"),
    [(squiggle_store, "only for regions, and this task is boundary"), (heartbeat_store, "before and after")],
)
def test_what_has_no_order_is_not_trained_so(make, message: str, tmp_path: Path) -> None:
    """Boundaries are no regions; beats come again and again."""
    store = make(tmp_path / "made")

    with pytest.raises(ConfigError, match=message):
        train(store, out=tmp_path / "run", network="strided", settings=SETTINGS, config=SHORTLY)
    assert not (tmp_path / "run").exists()

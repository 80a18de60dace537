from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from poreconv.config import BOUNDARY, IGNORE, AugmentConfig, SplitConfig, TrainConfig
from poreconv.dataset.store import Store
from poreconv.errors import StoreError
from poreconv.training.data import Reads, SquiggleData, StepSampler, Tiles, WindowBatches, Windows
from tests.support.data import reads_of_lengths, squiggle_store, typed_store

ALL_TRAIN = SplitConfig(validation=0.0, test=0.0)
CONFIG = TrainConfig(batch_size=16, chunk_samples=101, seed=3)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Simulated squiggles with reads in every split."""
    return Store(squiggle_store(tmp_path_factory.mktemp("squiggles")))


@pytest.fixture
def typed(tmp_path: Path) -> Store:
    """Three reads, of 900, 50 and 400 samples; the labels of the first begin at 300."""
    intervals = [(0, 300, 500, "a"), (0, 500, 700, "b"), (1, 0, 50, "a"), (2, 0, 400, "b")]
    return typed_store(tmp_path, intervals, reads_of_lengths(900, 50, 400), split=ALL_TRAIN)


def windows_of(store: Store, config: TrainConfig = CONFIG, rows: slice = slice(None)) -> WindowBatches:
    """Training windows of one store."""
    return WindowBatches(Reads([store], "train", 5.0), config, rows)


def targets_of(tiles: Tiles) -> NDArray[np.int64]:
    """All targets of all batches."""
    return np.concatenate([tiles[i][1].numpy().ravel() for i in range(len(tiles))])


def test_windows_follow_from_seed_and_step(store: Store) -> None:
    """The same seed and step give the same batch, whatever was asked for before; others give another."""
    config = replace(CONFIG, augment=AugmentConfig(noise=0.2, scale=0.1, shift=0.1, stretch=0.1))
    first, again = windows_of(store, config), windows_of(store, config)
    again[5], again[1]
    other = windows_of(store, replace(config, seed=4))

    assert all(torch.equal(one, two) for one, two in zip(first[2], again[2], strict=True))
    assert not torch.equal(first[2][0], first[3][0])
    assert not torch.equal(first[2][0], other[2][0])


def test_batches_have_the_shapes_that_a_network_takes(store: Store) -> None:
    """Signal is (B, 1, T) float32 and targets are (B, T) int64, with stretch and without."""
    for augment in (AugmentConfig(), AugmentConfig(stretch=0.2)):
        x_B1T, y_BT = windows_of(store, replace(CONFIG, augment=augment))[0]

        assert (x_B1T.shape, x_B1T.dtype) == ((16, 1, 101), torch.float32)
        assert (y_BT.shape, y_BT.dtype) == ((16, 101), torch.int64)


def test_the_centre_of_every_window_is_labelled(typed: Store) -> None:
    """Windows are drawn around labelled samples; beyond the read they are 0, beyond the labels ignored."""
    windows = windows_of(typed)
    batches = [windows[step] for step in range(30)]
    x_BT = torch.cat([x_B1T[:, 0] for x_B1T, _ in batches])
    y_BT = torch.cat([y_BT for _, y_BT in batches])

    assert (y_BT[:, 101 // 2] != IGNORE).all()
    assert (y_BT == IGNORE).any()
    assert (x_BT[:, 0] == 0).any()


def test_equal_stores_give_as_many_windows(typed: Store, tmp_path: Path) -> None:
    """A store with a tenth of the samples is drawn as often, if asked for; otherwise a tenth as often."""
    small = typed_store(tmp_path / "small", [(0, 0, 86, "a")], reads_of_lengths(86), split=ALL_TRAIN)
    reads = Reads([typed, small], "train", 5.0)
    shares = []
    for equal in (True, False):
        config = replace(CONFIG, batch_size=1000, chunk_samples=2001, equal_stores=equal)
        _, y_BT = WindowBatches(reads, config)[0]
        shares.append(float(((y_BT != IGNORE).sum(1) == 86).float().mean()))

    assert shares == pytest.approx([0.5, 0.09], abs=0.05)


def test_windows_fall_on_reads_by_their_labelled_length(typed: Store) -> None:
    """A read with twice the labelled samples is drawn about twice as often."""
    windows = windows_of(typed, replace(CONFIG, batch_size=2000, chunk_samples=1))
    target = windows[0][1].numpy().ravel()
    reads = Reads([typed], "train", 5.0)

    assert (reads.end - reads.first).tolist() == [400, 50, 400]
    assert np.mean(target == BOUNDARY) == pytest.approx(4 / 850, abs=0.005)


def test_a_read_shorter_than_the_window_is_padded(tmp_path: Path) -> None:
    """Around a short read a window is 0, and its target ignored; the read itself is whole."""
    store = typed_store(tmp_path, [(0, 0, 20, "a"), (0, 20, 50, "b")], reads_of_lengths(50), split=ALL_TRAIN)
    x_B1T, y_BT = windows_of(store, replace(CONFIG, chunk_samples=201))[0]

    assert ((y_BT != IGNORE).sum(1) == 50).all()
    assert (x_B1T[:, 0][y_BT == IGNORE] == 0).all()
    assert (x_B1T[:, 0].diff()[(y_BT[:, 1:] != IGNORE) & (y_BT[:, :-1] != IGNORE)] > 0).all()


def test_several_stores_share_a_batch(tmp_path: Path) -> None:
    """Windows come from every store, each with its own reads."""
    counting = typed_store(tmp_path / "up", [(0, 0, 300, "a")], reads_of_lengths(300), split=ALL_TRAIN)
    [down] = [replace(read, adc=read.adc[::-1].copy()) for read in reads_of_lengths(300, seed=9)]
    falling = typed_store(tmp_path / "down", [(0, 0, 300, "a")], [down], split=ALL_TRAIN)
    windows = WindowBatches(Reads([counting, falling], "train", 5.0), replace(CONFIG, chunk_samples=3))
    x_B1T, y_BT = windows[0]
    inside = (y_BT != IGNORE).all(1)
    slope = x_B1T[inside, 0, 2] - x_B1T[inside, 0, 0]

    assert (slope > 0).any()
    assert (slope < 0).any()


@pytest.mark.parametrize(("tile", "margin", "batch"), [(64, 0, 4), (100, 17, 3), (5000, 40, 8)])
def test_tiles_hold_every_labelled_sample_once(store: Store, tile: int, margin: int, batch: int) -> None:
    """The targets of all tiles are those of the reads, each sample once; margins are ignored."""
    counts = store.info.counts["validation"]
    target = targets_of(Tiles(Reads([store], "validation", 5.0), tile, margin, batch))

    assert [int((target == label).sum()) for label in (0, 1)] == [counts["inside"], counts["boundary"]]


@pytest.mark.parametrize("n", [2, 3])
def test_processes_share_the_windows_of_a_step(store: Store, n: int) -> None:
    """Each has some of them, cut and changed as it would be in the whole batch."""
    config = replace(CONFIG, augment=AugmentConfig(noise=0.2, scale=0.1, shift=0.1, stretch=0.1))
    whole = windows_of(store, config)[4]
    shares = [windows_of(store, config, slice(rank, None, n))[4] for rank in range(n)]

    for rank, share in enumerate(shares):
        assert all(torch.equal(part, values[rank::n]) for part, values in zip(share, whole, strict=True))


@pytest.mark.parametrize("n", [2, 3, 4])
def test_processes_share_the_tiles(store: Store, n: int) -> None:
    """Every labelled sample is in one process's tiles, whether or not their number can be divided."""
    reads, counts = Reads([store], "validation", 5.0), store.info.counts["validation"]
    shares = [targets_of(Tiles(reads, 64, 17, 4, slice(rank, None, n))) for rank in range(n)]
    target = np.concatenate(shares)

    assert [int((target == label).sum()) for label in (0, 1)] == [counts["inside"], counts["boundary"]]
    assert len({len(share) for share in shares}) == 1 + (len(target) // (64 + 34) % n > 0)


def test_tiles_see_their_neighbours(typed: Store) -> None:
    """A tile's margin is the signal beside it, so that a network sees what it will see in labelling."""
    tiles = Tiles(Reads([typed], "train", 5.0), 100, 30, 1)
    first, second = tiles[0][0][0, 0], tiles[1][0][0, 0]

    assert first.shape == (160,)
    assert torch.equal(first[100:], second[:60])


def test_tiles_end(typed: Store) -> None:
    """There is no batch after the last."""
    tiles = Tiles(Reads([typed], "train", 5.0), 100, 0, 4)

    assert len(tiles) == 3  # 4 + 1 + 4 tiles
    with pytest.raises(IndexError):
        tiles[3]


@pytest.mark.parametrize("workers", [0, 2])
def test_windows_one_by_one_are_those_of_the_batches(store: Store, workers: int) -> None:
    """A loop of one's own gets the windows that training gets, in the same order, whichever process draws them."""
    config = replace(CONFIG, max_steps=3, augment=AugmentConfig(noise=0.2, scale=0.1, shift=0.1, stretch=0.1))
    loader = DataLoader(Windows(store, config=config), batch_size=16, num_workers=workers)
    batches = windows_of(store, config)

    assert len(loader) == 3
    for step, (x_B1T, y_BT) in enumerate(loader):
        assert torch.equal(x_B1T, batches[step][0])
        assert torch.equal(y_BT, batches[step][1])


def test_windows_end(store: Store, typed: Store) -> None:
    """There are as many as a training with these settings takes; of any split, and of several stores."""
    windows = Windows(store, split="test", config=replace(CONFIG, max_steps=2))

    assert len(windows) == 32
    assert torch.equal(windows[-1][0], windows[31][0])
    assert windows[0][0].shape == (1, 101)
    assert len(Windows([typed, typed])) == 4000 * 32
    with pytest.raises(IndexError, match="window 32 of 32"):
        windows[32]


def test_steps_go_on_from_epoch_to_epoch() -> None:
    """An epoch's steps follow those of the one before; a run that goes on in a later one finds the same numbers."""
    steps = StepSampler(3)
    first = list(steps)
    steps.set_epoch(2)

    assert (first, list(steps), len(steps)) == ([0, 1, 2], [6, 7, 8], 3)
    assert list(StepSampler(3, epoch=2)) == [6, 7, 8]


def test_a_split_without_labelled_reads(typed: Store, tmp_path: Path) -> None:
    """Without a read to validate on, there are no data; the message names the way out."""
    one = typed_store(tmp_path / "one", [(0, 0, 50, "a")], reads_of_lengths(50), split=SplitConfig(by="run", test=0.0))

    with pytest.raises(
        StoreError, match=r"store: no labelled read in split validation; its share is 0 \(validation 0,"
    ):
        SquiggleData([typed], CONFIG)
    with pytest.raises(StoreError, match=r"no labelled read in split \w+; prepare more runs .*, or split them by read"):
        SquiggleData([one], CONFIG)


def test_loaders_give_batches(store: Store) -> None:
    """An epoch has the steps between two validations, and batches come as the data sets have them."""
    data = SquiggleData([store], replace(CONFIG, validate_every=4), margin=10)
    batches = list(data.train_dataloader())

    assert len(batches) == 4
    assert torch.equal(batches[1][0], windows_of(store)[1][0])
    assert next(iter(data.val_dataloader()))[0].shape[2] == CONFIG.chunk_samples + 20


def test_worker_processes_change_nothing(store: Store) -> None:
    """Batches gathered by other processes are the same, in the same order."""
    one = SquiggleData([store], replace(CONFIG, validate_every=4))
    two = SquiggleData([store], replace(CONFIG, validate_every=4, loader_workers=2))

    assert all(torch.equal(x[0], y[0]) for x, y in zip(one.train_dataloader(), two.train_dataloader(), strict=True))

"""What a researcher may write: it is run by the tests, and checked as a typed program of its own."""

import sys
from typing import Any, assert_type

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader

import poreconv
from poreconv.config import TrainConfig


def look(signal: str, model: str) -> None:
    """Label a read, and an array, and look at what is found."""
    with poreconv.open_reads(signal) as reads:
        read = assert_type(next(iter(reads)), poreconv.Read)
    assert_type(read.pa, NDArray[np.float32])
    labeller = assert_type(poreconv.load(model), poreconv.Labeller)
    events = assert_type(labeller(read), poreconv.Events)
    same = assert_type(labeller(read.pa, sample_rate_hz=4000), poreconv.Events)
    mine = assert_type(poreconv.Read.from_array(read.pa, 4000, chemistry="dna_r9.4.1"), poreconv.Read)
    p_CT = assert_type(labeller.probabilities(mine), NDArray[np.float32])
    frame, table = events.to_pandas(), events.to_arrow()
    sys.stdout.write(f"{len(frame)} {table.num_rows} {len(same)} {p_CT.shape[1]}\n")


def learn(folder: str) -> list[float]:
    """Train a network in a loop of one's own, on windows and on whole reads."""
    torch.manual_seed(0)
    store = poreconv.dataset.Store(folder)
    network = nn.Sequential(nn.Conv1d(1, 8, 9, padding=4), nn.ReLU(), nn.Conv1d(8, len(store.info.classes), 1))
    optimiser, losses = torch.optim.Adam(network.parameters(), 1e-2), list[float]()
    windows = poreconv.training.Windows(store, config=TrainConfig(chunk_samples=200, batch_size=8, max_steps=30))
    assert_type(windows[0], tuple[Tensor, Tensor])
    for x, y in DataLoader(windows, batch_size=8):
        loss = cross_entropy(network(x), y, ignore_index=-1)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert_type(store[0], poreconv.dataset.StoredRead)
    for stored in DataLoader(store, batch_size=None):
        cross_entropy(network(stored.normalised[None]), stored.target[None], ignore_index=-1)
    return losses


def prepare(signal: str, labels: str, folder: str) -> poreconv.dataset.Store:
    """Prepare a store."""
    store = poreconv.prepare(signal, labels="intervals", labels_from=[labels], out=folder)
    assert_type(store.info.counts, dict[str, dict[str, int]])
    assert_type(store.column("length"), NDArray[Any])
    assert_type(poreconv.__version__, str)
    return store

"""Whole reads through a model, seam-free.

The reference is the normalised read, zero-padded by the network's margin on each side, through the network in one
piece. Cut into chunks that carry their own margin, every sample sees the same context, so the result is the same.
"""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from poreconv.bundle import load_bundle
from poreconv.chunks import cut, stitch
from poreconv.config import LabelRunConfig
from poreconv.decode import decode
from poreconv.errors import ConfigError, SignalError, UntriedWarning
from poreconv.events import Events
from poreconv.ledger import Ledger
from poreconv.models.network import Network
from poreconv.read import Read
from poreconv.recipe import Recipe
from poreconv.resample import resample_events, resample_read
from poreconv.scaling import normalise_read
from poreconv.shipped import check
from poreconv.temperature import probabilities

# N chunks, C classes, T samples

LANES = 64
"""Chunk lengths are multiples of this, so that a sample's arithmetic does not depend on how near a chunk's end it lies:
vector instructions and their scalar remainders round differently."""

FEWEST_ROWS, MOST_ROWS = 2, 8
"""Chunks that go through the network at once on a CPU. For a single small one, and on one core for 16 and more, torch
chooses other implementations of a convolution, which round differently; in between, results are the same to the bit."""


class Labeller:
    """A trained model, ready to label reads.

    Args:
        network: In evaluation mode.
        recipe: What it was trained to do.
        config: Batch size, chunk length, precision.
        device: Where to run; default: CUDA if there is one, else the CPU.
    """

    def __init__(
        self, network: Network, recipe: Recipe, config: LabelRunConfig | None = None, device: str | None = None
    ) -> None:
        self.recipe, self.config = recipe, config or LabelRunConfig()
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.network = network.to(self._device).eval()
        self._overlap = 2 * network.margin
        self._known = {code.lower() for code in recipe.chemistries or ("unknown",)}
        self._chunk_samples = self._fit_chunk() if self._seamless else 0

    def _fit_chunk(self) -> int:
        unit = int(np.lcm(LANES, self.network.alignment))
        chunk = self.config.chunk_samples // unit * unit
        chunk -= (chunk - self._overlap) % self.network.alignment
        if chunk <= self._overlap:
            raise ConfigError(
                f"chunk_samples: {self.config.chunk_samples}; this model needs {self._overlap} samples of context"
                f" alone, raise it over {self._overlap + unit}"
            )
        return chunk

    def __call__(self, read: Read) -> Events:
        """Find the events of one read.

        Raises:
            MismatchError: The model was not trained for such reads.
            SignalError: The read is empty or flat.
        """
        return next(self.label([read]))[1]

    def label(self, reads: Iterable[Read], ledger: Ledger | None = None) -> Iterator[tuple[Read, Events]]:
        """Label reads, chunks of several in one batch; gives each read and its events, in order.

        Args:
            reads: Taken one at a time.
            ledger: Takes reads that are empty or flat; without it, they raise.

        Raises:
            MismatchError: The model was not trained for one of them.
            SignalError: One is empty or flat, and there is no ledger.
        """
        for read, probabilities_CT in self.probabilities(reads, ledger):
            yield read, self.decode(read, probabilities_CT)

    def probabilities(
        self, reads: Iterable[Read], ledger: Ledger | None = None
    ) -> Iterator[tuple[Read, NDArray[np.float32]]]:
        """Probability of each class at every sample, shape ``(C, n_samples)``, of each read; else as `label`.

        A model that was trained on resampled reads tells them at its own sample rate, ``recipe.sample_rate_hz``.
        """
        waiting: list[tuple[Read, int, NDArray[np.float32]]] = []
        for read in reads:
            try:
                x_n = self.normalised(read)
            except SignalError as exc:
                if ledger is None:
                    raise
                ledger.drop(exc, read_id=read.read_id, source=read.source)
                continue
            waiting.append((read, len(x_n), self._cut(x_n)))
            if not self._seamless or sum(len(chunks) for _, _, chunks in waiting) >= self.config.batch_size:
                yield from self._run_waiting(waiting)
                waiting = []
        yield from self._run_waiting(waiting)

    def normalised(self, read: Read) -> NDArray[np.float32]:
        """What the network is given of a read, shape ``(n_samples,)``, at the model's own sample rate.

        Raises:
            MismatchError: The model was not trained for such reads.
            SignalError: The read is empty or flat.
        """
        self._check(read)
        return normalise_read(self._at_rate(read), clip=self.recipe.normalisation.clip)

    def decode(self, read: Read, probabilities_CT: NDArray[np.float32]) -> Events:
        """The events of a read whose `probabilities` are known."""
        events = decode(probabilities_CT, self.recipe.task, self.recipe.classes, self.recipe.decoding)
        return self._as_recorded(events, probabilities_CT.shape[1], read)

    def _check(self, read: Read) -> None:
        """Refuse what the model was not trained for; warn, once for each kind, of what nobody has measured."""
        check(self.recipe, read)
        chemistry = read.chemistry.lower()
        if chemistry not in self._known:
            self._known.add(chemistry)
            warnings.warn(self.recipe.untried(read), UntriedWarning, stacklevel=2)

    @property
    def _seamless(self) -> bool:
        return self.network.receptive_field is not None

    def _cut(self, x_n: NDArray[np.float32]) -> NDArray[np.float32]:
        return cut(x_n, self._chunk_samples, self._overlap) if self._seamless else x_n[None]

    def _at_rate(self, read: Read) -> Read:
        return resample_read(read, self.recipe.sample_rate_hz) if self.recipe.resampled_from_hz else read

    def _as_recorded(self, events: Events, n_samples: int, read: Read) -> Events:
        """Events at the read's own sample rate."""
        if not self.recipe.resampled_from_hz or read.sample_rate_hz == self.recipe.sample_rate_hz:
            return events
        return resample_events(events, n_samples, len(read.adc), read.sample_rate_hz / self.recipe.sample_rate_hz)

    def _run_waiting(
        self, waiting: list[tuple[Read, int, NDArray[np.float32]]]
    ) -> Iterator[tuple[Read, NDArray[np.float32]]]:
        if not waiting:
            return
        logits_NCT = self._run(np.concatenate([chunks for _, _, chunks in waiting]))
        done, decoding = 0, self.recipe.decoding
        for read, n_samples, chunks in waiting:
            mine = logits_NCT[done : done + len(chunks)]
            done += len(chunks)
            logits_CT = stitch(mine, self._overlap, n_samples)
            yield read, probabilities(logits_CT, decoding.temperature, decoding.bias)

    def _run(self, chunks_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        on_cpu = self._device.type == "cpu"
        rows = min(self.config.batch_size, MOST_ROWS) if on_cpu else self.config.batch_size
        batches = torch.split(torch.from_numpy(chunks_NT)[:, None], rows)
        return np.concatenate([self._forward(x_B1T).float().cpu().numpy() for x_B1T in batches])

    def _forward(self, x_B1T: Tensor) -> Tensor:
        autocast = torch.autocast(self._device.type, torch.bfloat16, enabled=self.config.precision == "bf16")
        n_rows = len(x_B1T)
        enough = n_rows >= FEWEST_ROWS or not self._seamless  # a whole read is alone at all times
        filled = x_B1T if enough else x_B1T.expand(FEWEST_ROWS, -1, -1)
        with torch.inference_mode(), autocast:
            logits_BCT: Tensor = self.network(filled.to(self._device))
            return logits_BCT[:n_rows]


def load(path: str | Path, config: LabelRunConfig | None = None, device: str | None = None) -> Labeller:
    """Make a trained model ready to label.

    Args:
        path: Its file, or the name of a shipped one.
        config: Batch size, chunk length, precision.
        device: Where to run; default: CUDA if there is one, else the CPU.

    Example:
        >>> labeller = load("model.safetensors")
        >>> events = labeller(read)

    Raises:
        BundleError: The file is no trained model.
    """
    network, recipe = load_bundle(path)
    return Labeller(network, recipe, config, device)

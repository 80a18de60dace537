"""Labelling of whole reads, without seams between chunks.

The reference is the normalised read, zero-padded by the network's margin on each side, through the network in one
piece. In chunks that carry their own margin, every sample has the same context, so the result is the same.
"""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import InferenceConfig
from poreconv.errors import ConfigError, SignalError, UntriedWarning
from poreconv.events.events import Events
from poreconv.events.resampling import resample_events
from poreconv.inference.backends import BACKENDS, Backend, backend_for
from poreconv.inference.chunking import Chunking
from poreconv.inference.decoding.decoder import decoder_of
from poreconv.models.header import read_header
from poreconv.models.own import Networks
from poreconv.models.recipe import Recipe
from poreconv.models.shipped import check_fits, find_bundle
from poreconv.models.size import NetworkSize
from poreconv.reads.read import Read
from poreconv.reads.resampling import resample_read
from poreconv.reads.scaling import normalise_read
from poreconv.runtime.ledger import Ledger
from poreconv.runtime.prefetch import prefetch
from poreconv.runtime.registry import lookup

# N chunks, C classes, T samples

LANES = 64
"""Chunk lengths are multiples of this, so that a sample's arithmetic does not depend on its distance to a chunk's end:
vector instructions and their scalar remainders round differently."""

GRAINS = 8
"""Number of lengths that a read's last chunk may have: multiples of this fraction of a whole chunk."""

AT_ONCE = 16
"""Batches of chunks that are sorted by length together; also how far reading and the network run ahead of decoding."""

READ_AHEAD = 4
"""Normalised reads that wait for the network."""

Normalised = tuple[Read, NDArray[np.float32]]
"""A read, and the network's input for it, shape ``(n_samples,)``."""


def unit_of(size: NetworkSize) -> int:
    """Return the number of samples of which chunk lengths are multiples.

    Args:
        size: Receptive field and alignment of the network.
    """
    return int(np.lcm(LANES, size.alignment))


class Labeller:
    """A trained model, ready to label reads.

    Args:
        backend: The network, ready to run.
        recipe: Of the model: task, classes, normalisation, decoding.
        config: Batch size, chunk length.

    Raises:
        ConfigError: A chunk is no longer than the network's context, or the recipe's decoding cannot be used.
    """

    def __init__(self, backend: Backend, recipe: Recipe, config: InferenceConfig | None = None) -> None:
        self.backend, self.recipe, self.config = backend, recipe, config or InferenceConfig()
        self.decoder = decoder_of(recipe.asked, recipe.classes, recipe.decoding)
        self._known = {code.lower() for code in recipe.chemistries or ("unknown",)}
        self._seamless = backend.size.receptive_field is not None
        self._chunking = self._fit_chunks() if self._seamless else None
        self._rows = min(self.config.batch_size, backend.most_rows or self.config.batch_size)

    def _fit_chunks(self) -> Chunking:
        size = self.backend.size
        unit = unit_of(size)
        chunk = self.config.chunk_samples // unit * unit
        if chunk <= 2 * size.margin:
            raise ConfigError(
                f"chunk_samples: {self.config.chunk_samples}; this model needs {2 * size.margin} samples of context"
                f" alone, raise it over {2 * size.margin + unit}"
            )
        return Chunking(chunk, size.margin, grain=max(chunk // GRAINS // unit, 1) * unit)

    def __call__(self, read: Read) -> Events:
        """Find the events of one read.

        Args:
            read: The read.

        Raises:
            MismatchError: The model was not trained for such reads.
            SignalError: The read is empty or flat.
        """
        return next(self.label([read]))[1]

    def label(self, reads: Iterable[Read], ledger: Ledger | None = None) -> Iterator[tuple[Read, Events]]:
        """Yield each read and its events, in order; chunks of several reads share a batch.

        Args:
            reads: Taken one at a time.
            ledger: Records reads that are empty or flat; without a ledger, they raise.

        Raises:
            MismatchError: The model was not trained for one of the reads.
            SignalError: A read is empty or flat, and there is no ledger.
        """
        for read, probabilities_CT in self.probabilities(reads, ledger):
            yield read, self.decode(read, probabilities_CT)

    def probabilities(
        self, reads: Iterable[Read], ledger: Ledger | None = None
    ) -> Iterator[tuple[Read, NDArray[np.float32]]]:
        """Yield each read and the probability of each class at every sample, shape ``(C, n_samples)``; else as `label`.

        A model that was trained on resampled reads gives probabilities at its own sample rate,
        ``recipe.sample_rate_hz``. A model of task `read` averages the logits of all samples first, so its probabilities
        are the same at every sample.

        Args:
            reads: Taken one at a time.
            ledger: Records reads that are empty or flat; without a ledger, they raise.

        Raises:
            MismatchError: The model was not trained for one of the reads.
            SignalError: A read is empty or flat, and there is no ledger.
        """
        normalised = prefetch(self._normalised(reads, ledger), READ_AHEAD)
        for group in prefetch(self._several_at_once(normalised)):
            for read, logits_CT in group:
                yield read, self.decoder.outputs(logits_CT)

    def _normalised(self, reads: Iterable[Read], ledger: Ledger | None) -> Iterator[Normalised]:
        for read in reads:
            try:
                yield read, self.normalised(read)
            except SignalError as exc:
                if ledger is None:
                    raise
                ledger.drop(exc, read_id=read.read_id, source=read.source)

    def _several_at_once(self, reads: Iterator[Normalised]) -> Iterator[list[tuple[Read, NDArray[np.float32]]]]:
        """Yield groups of reads and their logits, shape ``(C, n_samples)``; a group fills several batches."""
        waiting: list[Normalised] = []
        n_chunks = 0
        for read, x_n in reads:
            waiting.append((read, x_n))
            n_chunks += -(-len(x_n) // self._chunking.hop) if self._chunking else AT_ONCE
            if n_chunks >= AT_ONCE * self._rows:
                yield self._run(waiting)
                waiting, n_chunks = [], 0
        if waiting:
            yield self._run(waiting)

    def normalised(self, read: Read) -> NDArray[np.float32]:
        """Return the network's input for a read, shape ``(n_samples,)``, at the model's own sample rate.

        Args:
            read: The read.

        Raises:
            MismatchError: The model was not trained for such reads.
            SignalError: The read is empty or flat.
        """
        self.check(read)
        return normalise_read(self._at_rate(read), clip=self.recipe.normalisation.clip)

    def decode(self, read: Read, probabilities_CT: NDArray[np.float32]) -> Events:
        """Find the events of a read from its probabilities.

        Args:
            read: The read.
            probabilities_CT: As `probabilities` yields them, shape ``(C, n_samples)``.
        """
        return self._as_recorded(self.decoder(probabilities_CT), probabilities_CT.shape[1], read)

    def check(self, read: Read) -> None:
        """Refuse a read that the model was not trained for; warn once per chemistry that it was not tried on.

        Args:
            read: The read; its samples are not used.

        Raises:
            MismatchError: The model was not trained for such reads.
        """
        check_fits(self.recipe, read)
        chemistry = read.chemistry.code
        if chemistry not in self._known:
            self._known.add(chemistry)
            warnings.warn(self.recipe.untried(read), UntriedWarning, stacklevel=2)

    def _at_rate(self, read: Read) -> Read:
        return resample_read(read, self.recipe.sample_rate_hz) if self.recipe.resampled_from_hz else read

    def _as_recorded(self, events: Events, n_samples: int, read: Read) -> Events:
        """Convert events to the read's own sample rate."""
        if not self.recipe.resampled_from_hz or read.sample_rate_hz == self.recipe.sample_rate_hz:
            return events
        return resample_events(events, n_samples, len(read.adc), read.sample_rate_hz / self.recipe.sample_rate_hz)

    def _run(self, reads: list[Normalised]) -> list[tuple[Read, NDArray[np.float32]]]:
        if self._chunking is None:
            return [(read, self.logits(x_n[None])[0]) for read, x_n in reads]
        chunks = [self._chunking.cut(x_n) for _, x_n in reads]
        logits = iter(self._by_length([chunk for of_read in chunks for chunk in of_read]))
        return [
            (read, self._chunking.stitch([next(logits) for _ in of_read], len(x_n)))
            for (read, x_n), of_read in zip(reads, chunks, strict=True)
        ]

    def _by_length(self, chunks: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Logits of chunks, shape ``(C, length)`` each; chunks of similar length share a batch."""
        lengths = np.array([len(chunk) for chunk in chunks])
        order = np.argsort(-lengths, kind="stable")
        found: list[NDArray[np.float32]] = [chunks[0]] * len(chunks)
        for first in range(0, len(order), self._rows):
            batch = order[first : first + self._rows]
            x_NT = np.zeros((len(batch), lengths[batch[0]]), np.float32)
            for row, i in enumerate(batch):
                x_NT[row, : lengths[i]] = chunks[i]
            for i, logits_CT in zip(batch, self.backend(x_NT), strict=True):
                found[i] = logits_CT
        return found

    def logits(self, chunks_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run the network on chunks of one length, a batch at a time.

        Args:
            chunks_NT: Normalised signal, shape ``(N, T)``.

        Returns:
            Logits, shape ``(N, C, T)``.
        """
        starts = range(0, len(chunks_NT), self._rows)
        return np.concatenate([self.backend(chunks_NT[start : start + self._rows]) for start in starts])


def load(
    path: str | Path,
    config: InferenceConfig | None = None,
    device: str | None = None,
    threads: int | None = None,
    networks: Networks = None,
) -> Labeller:
    """Load a trained model.

    Args:
        path: The model's file (a bundle, or an exported model), or the name of a shipped model.
        config: Backend, accelerator, precision, batch size, chunk length.
        device: Where to run: ``cpu``, ``cuda`` and so on; default: ``config.accelerator``.
        threads: Threads that compute on a CPU; default: the backend's own choice.
        networks: The network of a bundle that was trained with the user's own: ``{"my.py:Net": Net}``, a class by the
            name that `train` was given; or the class, a function, a module, or a name such as ``my.py:Net``.

    Example:
        >>> labeller = load("model.safetensors")
        >>> events = labeller(read)

    Raises:
        BundleError: The file is not a trained model, or its network is not given.
        ConfigError: The backend cannot run the model, or not on this device.
    """
    found, config = find_bundle(path), config or InferenceConfig()
    recipe = read_header(found).recipe
    kind: type[Backend] = lookup(BACKENDS, backend_for(found, config.backend), kind="backend")
    asked = config.accelerator if device is None else device
    backend = kind.open(found, config, None if asked == "auto" else asked, threads, networks)
    return Labeller(backend, recipe, config)

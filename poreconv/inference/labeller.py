"""Labelling of whole reads, without seams between chunks.

The reference is the normalised read, zero-padded by the network's margin on each side, through the network in one
piece. In chunks that carry their own margin, every sample has the same context, so the result is the same.
"""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from poreconv.config import FitConfig, InferenceConfig, require
from poreconv.errors import ConfigError, ReadDropped, SignalError, UntriedWarning
from poreconv.events.events import Events
from poreconv.events.resampling import resample_events
from poreconv.inference.backends import BACKENDS, Backend, backend_for, rows_for
from poreconv.inference.choosing import Choosing
from poreconv.inference.chunking import Chunking
from poreconv.inference.decoding.decoder import Decoder, decoder_of
from poreconv.models.fitting import check_fits, check_stated, stated
from poreconv.models.header import read_header
from poreconv.models.own import Networks
from poreconv.models.recipe import USUAL, Recipe
from poreconv.models.shipped import find_bundle
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

AT_ONCE = 64
"""Chunks, at least, that are sorted by length together; also how far reading and the network run ahead of decoding. Two
batches, where these are larger."""

WHOLE_READ = 16
"""Chunks that a read counts as, for networks that take whole reads."""

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
        fit: Which reads are labelled besides those of the kind that the model was trained on.

    Raises:
        ConfigError: A chunk is no longer than the network's context, the recipe's decoding cannot be used, or the
            chemistry that is stated is not known.
    """

    def __init__(
        self, backend: Backend, recipe: Recipe, config: InferenceConfig | None = None, fit: FitConfig = USUAL
    ) -> None:
        check_stated(fit, [recipe])
        self.backend: Backend = backend
        self.recipe: Recipe = recipe
        self.config: InferenceConfig = config or InferenceConfig()
        self.fit: FitConfig = fit
        self.decoder: Decoder = decoder_of(recipe.asked, recipe.classes, recipe.decoding)
        self._known = {code.lower() for code in recipe.chemistries or ("unknown",)}
        self._seamless = backend.size.receptive_field is not None
        self._chunking = self._fit_chunks() if self._seamless else None
        self._rows = rows_for(backend, self.config.batch_size)

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

    def __call__(self, read: Read | ArrayLike, sample_rate_hz: float | None = None) -> Events:
        """Find the events of one read.

        Args:
            read: The read; or an array, int16 counts or float pA, shape ``(n_samples,)``, see `Read.from_array`.
            sample_rate_hz: Of an array: samples per second.

        Raises:
            ConfigError: An array without sample rate, or a read with one more.
            MismatchError: The model was not trained for such reads.
            SignalError: The read is empty or flat.
        """
        return next(self.label([_read_of(read, sample_rate_hz)]))[1]

    def probabilities(self, read: Read | ArrayLike, sample_rate_hz: float | None = None) -> NDArray[np.float32]:
        """Return the probability of each class at every sample of one read; of task `value`, the value.

        Args:
            read: The read; or an array, as for labelling.
            sample_rate_hz: Of an array: samples per second.

        Returns:
            Shape ``(C, n_samples)``, in the order of ``recipe.classes``; see `with_probabilities` for models that
            resample, and for task `read`.

        Raises:
            ConfigError: An array without sample rate, or a read with one more.
            MismatchError: The model was not trained for such reads.
            SignalError: The read is empty or flat.
        """
        return next(self.with_probabilities([_read_of(read, sample_rate_hz)]))[1]

    def label(self, reads: Iterable[Read], ledger: Ledger | None = None) -> Iterator[tuple[Read, Events]]:
        """Yield each read and its events, in order; chunks of several reads share a batch.

        Args:
            reads: Taken one at a time.
            ledger: Records reads that the model was not trained for, and empty or flat ones; without a ledger, they
                raise.

        Raises:
            ReadDropped: A read cannot be labelled, and there is no ledger.
        """
        for read, probabilities_CT in self.with_probabilities(reads, ledger):
            yield read, self.decode(read, probabilities_CT)

    def with_probabilities(
        self, reads: Iterable[Read], ledger: Ledger | None = None
    ) -> Iterator[tuple[Read, NDArray[np.float32]]]:
        """Yield each read and the probability of each class at every sample, shape ``(C, n_samples)``; else as `label`.

        A model that was trained on resampled reads gives probabilities at its own sample rate,
        ``recipe.sample_rate_hz``. A model of task `read` averages the logits of all samples first, so its probabilities
        are the same at every sample.

        Args:
            reads: Taken one at a time; each is yielded with the chemistry that the user stated for it.
            ledger: As in `label`.

        Raises:
            ReadDropped: A read cannot be labelled, and there is no ledger.
        """
        normalised = prefetch(self._normalised(reads, ledger), READ_AHEAD)
        for group in prefetch(self._several_at_once(normalised)):
            for read, logits_CT in group:
                if np.isfinite(logits_CT).all():
                    yield read, self.decoder.outputs(logits_CT)
                else:
                    drop_not_finite(read, ledger)

    def _normalised(self, reads: Iterable[Read], ledger: Ledger | None) -> Iterator[Normalised]:
        for read in reads:
            try:
                known = stated(read, self.fit)
                yield known, self.normalised(known)
            except ReadDropped as exc:
                if ledger is None:
                    raise
                ledger.drop(exc, read_id=read.read_id, source=read.source)

    def _several_at_once(self, reads: Iterator[Normalised]) -> Iterator[list[tuple[Read, NDArray[np.float32]]]]:
        """Yield groups of reads and their logits, shape ``(C, n_samples)``; a group fills several batches."""
        waiting: list[Normalised] = []
        n_chunks = 0
        for read, x_n in reads:
            waiting.append((read, x_n))
            n_chunks += -(-len(x_n) // self._chunking.hop) if self._chunking else WHOLE_READ
            if n_chunks >= max(AT_ONCE, 2 * self._rows):
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
        scaled_alike = self.recipe.as_trained(stated(read, self.fit))
        resampled = self.recipe.resamples(read, self.fit)
        at_rate = resample_read(scaled_alike, self.recipe.sample_rate_hz) if resampled else scaled_alike
        return normalise_read(at_rate, clip=self.recipe.normalisation.clip)

    def decode(self, read: Read, probabilities_CT: NDArray[np.float32]) -> Events:
        """Find the events of a read from its probabilities.

        Args:
            read: The read.
            probabilities_CT: As `probabilities` returns them, shape ``(C, n_samples)``.
        """
        return self._as_recorded(self.decoder(probabilities_CT), probabilities_CT.shape[1], read)

    def check(self, read: Read) -> None:
        """Refuse a read that the model was not trained for; warn once per chemistry that it was not tried on.

        Args:
            read: The read; its samples are not used.

        Raises:
            MismatchError: The model was not trained for such reads.
        """
        read = stated(read, self.fit)
        check_fits(self.recipe, read, self.fit)
        chemistry = read.chemistry.code
        if chemistry not in self._known:
            self._known.add(chemistry)
            warnings.warn(self.recipe.untried(read), UntriedWarning, stacklevel=2)

    def _as_recorded(self, events: Events, n_samples: int, read: Read) -> Events:
        """Convert events to the read's own sample rate."""
        if not self.recipe.resamples(read, self.fit) or read.sample_rate_hz == self.recipe.sample_rate_hz:
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


def drop_not_finite(read: Read, ledger: Ledger | None) -> None:
    """Record a read for which the network's outputs are not all finite.

    Args:
        read: The read.
        ledger: Where it is recorded.

    Raises:
        SignalError: There is no ledger.
    """
    error = SignalError(f"{read.where}: the model's scores are not finite; use another model", reason="not_finite")
    if ledger is None:
        raise error
    ledger.drop(error, read_id=read.read_id, source=read.source)


def _read_of(read: Read | ArrayLike, sample_rate_hz: float | None) -> Read:
    """Return a read as it is, or make one of an array."""
    if isinstance(read, Read):
        require(sample_rate_hz is None, f"{read.where}: has a sample rate of its own; leave sample_rate_hz out")
        return read
    if sample_rate_hz is None:
        raise ConfigError("an array has no sample rate; give it, such as labeller(array, sample_rate_hz=4000)")
    return Read.from_array(read, sample_rate_hz)


def load(
    path: str | Path,
    config: InferenceConfig | None = None,
    device: str | None = None,
    threads: int | None = None,
    networks: Networks = None,
    fit: FitConfig = USUAL,
) -> Labeller:
    """Load a trained model.

    Which precision is the faster one here is measured the first time, in a second or less, and remembered; see
    `InferenceConfig.precision`. Where results must be the same on every machine, ask for ``32``.

    Args:
        path: The model's file (a bundle, or an exported model), or the name of a shipped model.
        config: Backend, accelerator, precision, batch size, chunk length.
        device: Where to run: ``cpu``, ``cuda`` and so on; default: ``config.accelerator``.
        threads: Threads that compute on a CPU; default: the backend's own choice.
        networks: The network of a bundle that was trained with the user's own: ``{"my.py:Net": Net}``, a class by the
            name that `train` was given; or the class, a function, a module, or a name such as ``my.py:Net``.
        fit: Which reads are labelled besides those of the kind that the model was trained on: reads whose chemistry is
            stated here, of any chemistry, or of a higher sample rate.

    Example:
        >>> labeller = load("model.safetensors")
        >>> events = labeller(read)

    Raises:
        BundleError: The file is not a trained model, or its network is not given.
        ConfigError: The backend cannot run the model, or not on this device; or the chemistry that is stated is not
            known.
    """
    found, config = find_bundle(path), config or InferenceConfig()
    recipe = read_header(found).recipe
    asked = replace(config, backend=backend_for(found, config.backend))  # also where a long labelling left an export
    config = Choosing(found, asked, device, networks).way()(config)
    kind: type[Backend] = lookup(BACKENDS, config.backend, kind="backend")
    hardware = config.accelerator if device is None else device
    backend = kind.open(found, config, None if hardware == "auto" else hardware, threads, networks)
    return Labeller(backend, recipe, config, fit)

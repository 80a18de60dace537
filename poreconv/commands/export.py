"""A bundle -> a file that other programs run, and that labels without torch."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import InferenceConfig
from poreconv.errors import ConfigError, SignalError
from poreconv.events.tabulation import check_new
from poreconv.inference.decoding.temperature import softmax
from poreconv.inference.labeller import Labeller, load
from poreconv.models.header import ONNX
from poreconv.models.onnx_export import WINDOW, middles, write_onnx
from poreconv.models.shipped import find_bundle
from poreconv.reads.readers import open_reads

MOST_WINDOWS = 64
"""Reads that scale int8."""

FP32 = InferenceConfig(precision="32")


@dataclass(frozen=True)
class Agreement:
    """How far the exported model's probabilities are from the bundle's in fp32, over some windows of signal."""

    largest: float
    mean: float


def export(
    model: Path | str, *, out: Path | str, kind: str = "onnx", int8_from: Path | str | Sequence[Path | str] = ()
) -> Agreement:
    """Write a bundle as ONNX: any number of chunks of any length in, logits out, recipe and card in the metadata.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model.
        out: The file, ``.onnx``; it goes wherever a bundle does, but for training.
        kind: ``onnx``.
        int8_from: Signal files and folders of the kind that the model is for, by which int8 is scaled; none: fp32.

    Returns:
        How well the two agree; in int8, `evaluate` tells what that costs.

    Raises:
        BundleError: The model is none.
        ConfigError: It cannot be exported so, ``out`` exists, or no read is long enough to scale by.
    """
    out, bundle = Path(out), find_bundle(model)
    if kind != "onnx" or out.suffix != ONNX:
        raise ConfigError(f"{out}: cannot be exported as {kind}; the only kind is onnx, to a file that ends in {ONNX}")
    check_new(out)
    labeller = load(bundle, FP32, "cpu")
    windows = list(islice(middles(_normalised(labeller, int8_from)), MOST_WINDOWS)) if int8_from else []
    if int8_from and not windows:
        raise ConfigError(f"{int8_from}: no read of {WINDOW:,} samples to scale int8 by; give more or longer reads")
    write_onnx(out, bundle, calibration=windows)
    return _agreement(labeller, load(out, device="cpu"), windows)


def _normalised(labeller: Labeller, paths: Path | str | Sequence[Path | str]) -> Iterator[NDArray[np.float32]]:
    """Reads as the network is given them; unusable ones are passed over."""
    with open_reads(paths) as reads:
        for read in reads:
            with suppress(SignalError):
                yield labeller.normalised(read)


def _agreement(bundle: Labeller, exported: Labeller, windows: list[NDArray[np.float32]]) -> Agreement:
    noise = np.random.default_rng(0).normal(size=(4, WINDOW)).astype(np.float32)
    x_NT = np.stack(windows) if windows else noise
    one, other = bundle.logits(x_NT), exported.logits(x_NT)
    differences = [np.abs(softmax(a_CT) - softmax(b_CT)) for a_CT, b_CT in zip(one, other, strict=True)]
    return Agreement(float(np.max(differences)), float(np.mean(differences)))

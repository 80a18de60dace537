"""A bundle -> a file that other programs can run, and that labels without torch."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import InferenceConfig
from poreconv.errors import ConfigError, SignalError
from poreconv.events.tabulation import check_apart, check_new
from poreconv.inference.labeller import Labeller, load
from poreconv.models.header import ONNX
from poreconv.models.onnx_export import WINDOW, middles, write_onnx
from poreconv.models.own import Networks
from poreconv.models.shipped import find_bundle
from poreconv.reads.readers import open_reads
from poreconv.runtime.outputs import writes_out

MOST_WINDOWS = 64
"""Limit of the reads by which int8 is scaled."""

FP32 = InferenceConfig(precision="32")


@dataclass(frozen=True)
class Difference:
    """Absolute difference of the exported model's probabilities, or values, from the bundle's in fp32, over windows."""

    largest: float
    mean: float


@writes_out
def export(
    model: Path | str,
    *,
    out: Path | str,
    kind: str = "onnx",
    int8_from: Path | str | Sequence[Path | str] = (),
    networks: Networks = None,
    overwrite: bool = False,
) -> Difference:
    """Write a bundle as ONNX: any number of chunks of any length in, logits out, recipe and card in the metadata.

    Args:
        model: The bundle that `train` wrote, or the name of a shipped model.
        out: The file, ``.onnx``; it can be used wherever a bundle can, except in training.
        kind: ``onnx``.
        int8_from: Signal files and folders, of reads like those that the model is for, by which int8 is scaled;
            empty: fp32.
        networks: The network of a bundle that was trained with the user's own; see `load`. The exported model contains
            it.
        overwrite: Replace ``out`` if it exists.

    Returns:
        The difference between the two; what int8 costs in accuracy, `evaluate` measures.

    Raises:
        BundleError: There is no such model.
        ConfigError: The model cannot be exported so, ``out`` exists, or no read is long enough to scale by.
    """
    out, bundle = Path(out), find_bundle(model)
    if kind != "onnx" or out.suffix != ONNX:
        raise ConfigError(
            f"{out}: cannot be exported as {kind}; the only format is onnx, to a file that ends in {ONNX}"
        )
    check_new(out, overwrite=overwrite)
    check_apart(out, [bundle])
    labeller = load(bundle, FP32, "cpu", networks=networks)
    windows = list(islice(middles(_normalised(labeller, int8_from)), MOST_WINDOWS)) if int8_from else []
    if int8_from and not windows:
        raise ConfigError(f"{int8_from}: no read of {WINDOW:,} samples to scale int8 by; give more or longer reads")
    write_onnx(out, bundle, calibration=windows, networks=networks)
    return _difference(labeller, load(out, device="cpu"), windows)


def _normalised(labeller: Labeller, paths: Path | str | Sequence[Path | str]) -> Iterator[NDArray[np.float32]]:
    """Yield the network's input for each read; unusable reads are skipped."""
    with open_reads(paths) as reads:
        for read in reads:
            with suppress(SignalError):
                yield labeller.normalised(read)


def _difference(bundle: Labeller, exported: Labeller, windows: list[NDArray[np.float32]]) -> Difference:
    noise = np.random.default_rng(0).normal(size=(4, WINDOW)).astype(np.float32)
    x_NT = np.stack(windows) if windows else noise
    pairs = zip(bundle.logits(x_NT), exported.logits(x_NT), strict=True)
    meant = bundle.decoder.outputs
    differences = [np.abs(meant(a_CT) - meant(b_CT)) for a_CT, b_CT in pairs]
    return Difference(float(np.max(differences)), float(np.mean(differences)))

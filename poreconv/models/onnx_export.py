"""Export of a bundle as an ONNX file, in fp32 or int8: for other programs, and for labelling without torch."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from poreconv.errors import ConfigError
from poreconv.models.bundle import load_bundle
from poreconv.models.card import Card
from poreconv.models.header import SIZE, one_line, read_header, texts_of
from poreconv.models.networks.fused import fastest
from poreconv.models.networks.network import Network
from poreconv.models.networks.outside import OutsideNetwork
from poreconv.models.own import Networks
from poreconv.runtime.files import whole_file
from poreconv.runtime.records import to_json

# N chunks, T samples

INPUT, OUTPUT = "signal", "logits"
"""Names in the file: ``signal``, normalised, shape ``(N, 1, T)``; ``logits``, ``(N, C, T)``; any N and T."""

WINDOW = 8000
"""Samples of each read by which int8 is scaled."""


def middles(signals: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Return the middle `WINDOW` samples of each read, to scale int8 by; shorter reads are left out.

    Args:
        signals: Normalised reads, shape ``(n_samples,)`` each.

    Returns:
        Shape ``(WINDOW,)`` each.
    """
    for x_n in signals:
        start = (len(x_n) - WINDOW) // 2
        if start >= 0:
            yield x_n[start : start + WINDOW]


def write_onnx(
    out: Path,
    bundle: Path,
    *,
    calibration: Sequence[NDArray[np.float32]] = (),
    card: Card | None = None,
    networks: Networks = None,
) -> None:
    """Write a bundle's network as ONNX, with its recipe, its card and its size in the metadata.

    Args:
        out: The file, written whole or not at all.
        bundle: The model that `train` wrote.
        calibration: Normalised signals, shape ``(n_samples,)`` each, by whose activations int8 is scaled (static
            quantisation: weights per channel, activations per layer; the last convolution stays fp32). Empty: fp32.
        card: Replaces the bundle's own card.
        networks: The user's own network, if the bundle has one; see `own_network`.

    Raises:
        ConfigError: The network cannot be exported, or the extra is not installed.
        BundleError: The file is not a bundle, or its network is not given.
    """
    network, recipe = load_bundle(bundle, networks)
    texts = texts_of(recipe, card or read_header(bundle).card) | {SIZE: to_json(network.size)}
    with TemporaryDirectory() as folder, _quiet():
        model = _exported(network)
        if calibration:
            model = _quantised(model, calibration, Path(folder))
    _forget_origin(model)
    for name, text in texts.items():
        model.metadata_props.add(key=name, value=text)
    with whole_file(out) as partial:
        partial.write_bytes(model.SerializeToString())


def _forget_origin(model: Any) -> None:
    """Remove the exporter's notes on each node's origin: stack traces, with paths of this machine."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]


def _exported(network: Network) -> Any:
    """Return the network as an ONNX model in fp32, for any number of chunks of any length."""
    if network.receptive_field is None:
        raise ConfigError("export: not possible for a network of unbounded context; train a unet, resnet or strided")
    try:
        program = torch.onnx.export(
            fastest(network),
            (torch.zeros(2, 1, 64 * network.alignment),),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC},),
            verbose=False,
        )
    except ImportError as exc:
        raise ConfigError(f"export: {exc}; pip install 'poreconv[export]'") from exc
    except Exception as exc:
        if not isinstance(network, OutsideNetwork):
            raise
        raise ConfigError(f"export: {network.name} cannot be written as ONNX: {one_line(exc)}") from exc
    return cast(torch.onnx.ONNXProgram, program).model_proto


def _quantised(model: Any, calibration: Sequence[NDArray[np.float32]], folder: Path) -> Any:
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Chunks(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self) -> None:
            self._left = iter(calibration)

        def get_next(self) -> dict[str, Any] | None:
            x_T = next(self._left, None)
            return None if x_T is None else {INPUT: x_T[None, None]}

    last = [node.name for node in model.graph.node if node.op_type == "Conv"][-1]
    whole, quantised = folder / "fp32.onnx", folder / "int8.onnx"
    onnx.save(model, whole)
    quantize_static(
        whole,
        quantised,
        Chunks(),
        quant_format=QuantFormat.QOperator,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        nodes_to_exclude=[last],
    )
    return onnx.load(quantised)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's output, warnings and log messages."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)

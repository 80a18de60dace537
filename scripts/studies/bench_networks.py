"""Measure how many samples per second of one core the shipped boundary models label, on each backend.

Usage: python -m scripts.studies.bench_networks [--json bench_networks.json]

The network alone, on chunks; beside it Campolina's architecture, with random weights, which cost the same.
"""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from poreconv.config import InferenceConfig, Precision
from poreconv.inference.backends.compiled import CompiledBackend
from poreconv.inference.backends.onnx_runtime import OnnxBackend
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.labeller import load
from poreconv.models.architectures import Campolina
from poreconv.models.bundle import load_bundle
from poreconv.models.networks import build_network
from poreconv.models.networks.network import Network
from poreconv.models.onnx_export import middles, write_onnx
from poreconv.models.shipped import find_bundle
from scripts.studies.bench_inputs import BEST, FAST, Inputs
from scripts.studies.results import Measurement, print_measurements, study_parser, write_results
from scripts.studies.timing import Work, as_trained, in_turns, on_chunks

CALIBRATED_BY = 16
"""Reads whose middles scale int8."""

CAMPOLINA = "Campolina's architecture"


def measure(inputs: Inputs) -> list[Measurement]:
    """Measure all networks in turns.

    Args:
        inputs: Reads that scale int8, and a folder for what is exported.
    """
    rates = in_turns(_works(inputs))
    default = max(("fp32", "bf16"), key=lambda precision: rates[f"{BEST}, torch, {precision}"])
    plain, alike = rates[f"{CAMPOLINA}, torch, as trained, fp32"], rates[f"{CAMPOLINA}, torch, {default}"]
    best, fast = rates[f"{BEST}, torch, {default}"], rates[f"{FAST}, onnx, int8"]
    return [
        *(Measurement(name, rate / 1e6, "million samples/s and core") for name, rate in rates.items()),
        Measurement(f"{BEST} ({default}) / {CAMPOLINA} as trained", best / plain, "x", ">= 20"),
        Measurement(f"{BEST} ({default}) / {CAMPOLINA}, prepared alike", best / alike, "x"),
        Measurement(f"{FAST} / {CAMPOLINA} as trained", fast / plain, "x", ">= 20"),
        Measurement(f"{FAST} / {CAMPOLINA}, prepared alike", fast / alike, "x", ">= 20"),
    ]


def _works(inputs: Inputs) -> dict[str, Work]:
    best, campolina = load(BEST, device="cpu"), build_network("campolina", Campolina(), 2).eval()
    normalised = list(islice(middles(best.normalised(read) for read in inputs.reads), CALIBRATED_BY))
    unet, _ = load_bundle(BEST)
    return {
        f"{BEST}, torch, as trained, fp32": on_chunks(as_trained(unet)),
        f"{BEST}, torch, fp32": _in_torch(unet, "32"),
        f"{BEST}, torch, bf16": _in_torch(unet, "bf16"),
        f"{BEST}, compile, fp32": on_chunks(CompiledBackend(unet, "32", "cpu", 1)),
        f"{BEST}, compile, bf16": on_chunks(CompiledBackend(unet, "bf16", "cpu", 1)),
        f"{BEST}, onnx, fp32": on_chunks(_exported(inputs.folder / "fp32.onnx", [])),
        f"{BEST}, onnx, int8": on_chunks(_exported(inputs.folder / "int8.onnx", normalised)),
        f"{FAST}, onnx, int8": on_chunks(load(FAST, device="cpu", threads=1).backend),
        f"{CAMPOLINA}, torch, as trained, fp32": on_chunks(as_trained(campolina)),
        f"{CAMPOLINA}, torch, fp32": _in_torch(campolina, "32"),
        f"{CAMPOLINA}, torch, bf16": _in_torch(campolina, "bf16"),
    }


def _in_torch(network: Network, precision: Precision) -> Work:
    return on_chunks(TorchBackend(network, precision, "cpu", 1))


def _exported(path: Path, windows: list[NDArray[np.float32]]) -> OnnxBackend:
    """The best model exported: in int8 if there are windows that scale it."""
    write_onnx(path, find_bundle(BEST), calibration=windows)
    return OnnxBackend.open(path, InferenceConfig(), "cpu", 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write.

    Args:
        arguments: Of the command line; default: those of this process.
    """
    chosen = study_parser("bench_networks", __doc__).parse_args(arguments)
    with Inputs.temporary() as inputs:
        write_results(chosen, print_measurements(measure(inputs)))


if __name__ == "__main__":
    main()

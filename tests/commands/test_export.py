import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from poreconv.cli.main import main
from poreconv.commands.export import export
from poreconv.commands.label import label
from poreconv.config import InferenceConfig, LabelConfig
from poreconv.errors import BundleError, ConfigError
from poreconv.events.events import Events
from poreconv.inference.backends import BACKENDS, onnx_runtime
from poreconv.inference.backends.onnx_runtime import OnnxBackend
from poreconv.inference.labeller import Labeller, load
from poreconv.models.bundle import load_bundle
from poreconv.models.header import read_header
from poreconv.models.networks import network
from poreconv.models.onnx_export import write_onnx
from poreconv.models.shipped import find_bundle, load_card
from poreconv.reads.readers import open_reads
from poreconv.runtime.registry import lookup
from tests.support.models import bundle_at, random_network
from tests.support.signal_files import reads_made, write_multi

FP32 = InferenceConfig(precision="32")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A U-Net of random weights."""
    return bundle_at(tmp_path_factory.mktemp("bundle") / "model.safetensors", "unet")


@pytest.fixture(scope="module")
def exported(bundle: Path) -> Path:
    """The same as ONNX."""
    export(bundle, out=bundle.with_suffix(".onnx"))
    return bundle.with_suffix(".onnx")


@pytest.mark.parametrize("name", ["unet", "strided", "resnet"])
def test_an_exported_network_says_what_it_said(name: str, tmp_path: Path) -> None:
    """For any number of chunks of any length, one sample included."""
    model = bundle_at(tmp_path / "model.safetensors", name)
    write_onnx(tmp_path / "model.onnx", model)
    backend = OnnxBackend.open(tmp_path / "model.onnx", InferenceConfig(), "cpu", 1)
    for n_rows, n_samples in ((1, 1), (1, 401), (3, 64)):
        x_NT = np.random.default_rng(n_samples).normal(size=(n_rows, n_samples)).astype(np.float32)
        with torch.inference_mode():
            expected = random_network(name)(torch.from_numpy(x_NT)[:, None]).numpy()

        np.testing.assert_allclose(backend(x_NT), expected, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_backends_agree(backend: str, bundle: Path) -> None:
    """Each of them, on one bundle, within 1e-5 of torch."""
    reads = reads_made(2)
    expected = list(load(bundle, FP32, "cpu").with_probabilities(reads))
    found = load(bundle, InferenceConfig(precision="auto" if backend == "onnx" else "32", backend=backend), "cpu")

    for (_, one_CT), (_, other_CT) in zip(expected, found.with_probabilities(reads), strict=True):
        np.testing.assert_allclose(other_CT, one_CT, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_backend_is_there(backend: str) -> None:
    """Each name in the table stands for a class that opens a model."""
    assert callable(lookup(BACKENDS, backend, kind="backend").open)


def test_an_exported_model_tells_what_the_bundle_told(bundle: Path, exported: Path) -> None:
    """Recipe, card, weights, and how far it sees; nothing else needs to travel with it."""
    before, after = read_header(bundle), read_header(exported)

    assert after.recipe == before.recipe
    assert load_card(exported) == load_card(bundle)
    assert after.n_parameters == before.n_parameters
    assert after.size == load_bundle(bundle)[0].size


def test_an_exported_model_does_not_tell_where_it_was_made(exported: Path) -> None:
    """Neither the exporter's stack traces nor paths of this machine go along."""
    content = exported.read_bytes()

    assert b"stack_trace" not in content
    assert str(Path(network.__file__).parents[2]).encode() not in content


def test_another_program_can_run_it(exported: Path) -> None:
    """The file is valid ONNX with one named input and output, and names the classes in JSON."""
    onnx.checker.check_model(onnx.load(exported), full_check=True)
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    [logits] = session.run(["logits"], {"signal": np.zeros((2, 1, 333), np.float32)})
    recipe = json.loads(session.get_modelmeta().custom_metadata_map["recipe"])

    assert logits.shape == (2, len(recipe["classes"]), 333)


def test_files_are_labelled_without_torch(bundle: Path, exported: Path, tmp_path: Path) -> None:
    """`label` takes the ONNX file where a bundle goes, gives the same events, and never imports torch."""
    write_multi(tmp_path / "reads.fast5", reads_made(3))
    run = (
        "import sys; from poreconv.cli.main import main\n"
        f"main(['label', {str(exported)!r}, {str(tmp_path / 'reads.fast5')!r}, '--out', {str(tmp_path / 'a.tsv')!r}])\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=True)
    label(
        bundle,
        tmp_path / "reads.fast5",
        out=tmp_path / "b.tsv",
        config=LabelConfig(inference=InferenceConfig(precision="32")),
    )

    assert done.stdout.splitlines()[-1] == "False"
    assert (tmp_path / "a.tsv").read_text() == (tmp_path / "b.tsv").read_text()


def test_int8_is_close(bundle: Path, tmp_path: Path) -> None:
    """Scaled by reads, eight bits give nearly the same probabilities, wherever a read is cut."""
    long = [replace(read, adc=np.tile(read.adc, 60)[:9000]) for read in reads_made(4)]
    write_multi(tmp_path / "reads.fast5", long)
    agreement = export(bundle, out=tmp_path / "int8.onnx", int8_from=tmp_path / "reads.fast5")
    by_chunks = [
        next(load(tmp_path / "int8.onnx", InferenceConfig(chunk_samples=n), "cpu").with_probabilities(long))[1]
        for n in (1000, 8000)
    ]

    assert 1e-4 < agreement.mean < 0.03
    assert np.array_equal(*by_chunks)


def test_what_cannot_be_exported_says_so(bundle: Path, exported: Path, tmp_path: Path) -> None:
    """A network that sees whole reads, another ending, a file that exists, reads too short to scale by."""
    dense = bundle_at(tmp_path / "dense.safetensors", "dense")
    write_multi(tmp_path / "short.fast5", reads_made(1))

    with pytest.raises(ConfigError, match="unbounded context"):
        export(dense, out=tmp_path / "dense.onnx")
    with pytest.raises(ConfigError, match=r"ends in \.onnx"):
        export(bundle, out=tmp_path / "model.pt")
    with pytest.raises(ConfigError, match="exists already"):
        export(bundle, out=exported)
    with pytest.raises(ConfigError, match="no read of 8,000 samples"):
        export(bundle, out=tmp_path / "int8.onnx", int8_from=tmp_path / "short.fast5")


def test_an_onnx_file_runs_on_onnx_alone(exported: Path) -> None:
    """Torch cannot run it, and bf16 is not what it was exported in."""
    with pytest.raises(ConfigError, match="runs on backend onnx, not torch"):
        load(exported, InferenceConfig(backend="torch"))
    with pytest.raises(ConfigError, match="computes as the model was exported"):
        load(exported, InferenceConfig(precision="bf16"))


def test_files_that_are_no_exported_models_are_refused(exported: Path, tmp_path: Path) -> None:
    """Text, another program's ONNX file, impossible sizes, a file that isn't there."""
    (tmp_path / "text.onnx").write_text("no model")
    model = onnx.load(exported)
    sizes = next(entry for entry in model.metadata_props if entry.key == "size")
    sizes.value = sizes.value.replace('"alignment":', '"alignment":-')
    onnx.save(model, tmp_path / "impossible.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "foreign.onnx")

    for name, message in (
        ("text", "not an ONNX file"),
        ("impossible", "does not contain the network's size"),
        ("foreign", "does not contain the network's size"),
        ("absent", "no such file"),
    ):
        with pytest.raises(BundleError, match=message):
            load(tmp_path / f"{name}.onnx")


def test_the_command_tells_how_well_it_agrees(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line names the file, another shows how far probabilities are from the bundle's."""
    main(["export", str(bundle), "--format", "onnx", "--out", str(tmp_path / "model.onnx")])
    printed = capsys.readouterr()

    assert printed.out.strip() == str(tmp_path / "model.onnx")
    assert "outputs differ from the bundle's in fp32: mean " in printed.err


@pytest.mark.real
def test_a_shipped_model_agrees_with_its_export(real_data: Path, tmp_path: Path) -> None:
    """On real reads, within 1e-4, and with the same boundaries."""
    write_onnx(tmp_path / "model.onnx", find_bundle("dna_r9.4.1_boundary"))
    with open_reads(sorted((real_data / "dna_r941_lambda_tombo").glob("*.fast5"))[:2]) as reads:
        some = list(reads)
    bundle, exported = load("dna_r9.4.1_boundary", FP32, "cpu"), load(tmp_path / "model.onnx", device="cpu")
    for (_, one_CT), (_, other_CT) in zip(
        bundle.with_probabilities(some), exported.with_probabilities(some), strict=True
    ):
        np.testing.assert_allclose(other_CT, one_CT, atol=1e-4)

    assert starts(bundle, some) == starts(exported, some)


def starts(labeller: Labeller, reads: list) -> list[list[int]]:
    """Boundaries of each read."""
    found: list[Events] = [events for _, events in labeller.label(reads)]
    return [events.start.tolist() for events in found]


# ---- files that poreconv did not export ----


def with_graph(exported: Path, change: Callable[[onnx.GraphProto], None]) -> Path:
    """Write the exported model with another network, and the metadata of the true one."""
    model = onnx.load(exported)
    change(model.graph)
    path = exported.with_name("changed.onnx")
    path.write_bytes(model.SerializeToString())
    return path


def value(name: str, kind: int, shape: list[int | str] | None) -> onnx.ValueInfoProto:
    """Describe a value of a graph."""
    return onnx.helper.make_tensor_value_info(name, kind, shape)


def replace_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto], **constants: Any) -> None:
    """Make the logits another way."""
    del graph.node[:], graph.initializer[:], graph.output[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.output.append(value("logits", onnx.TensorProto.FLOAT, None))
    graph.initializer.extend(onnx.numpy_helper.from_array(np.array(each), name) for name, each in constants.items())


def endless(graph: onnx.GraphProto) -> None:
    """Go round for ever."""
    body = onnx.helper.make_graph(
        [onnx.helper.make_node("Identity", ["go"], ["on"]), onnx.helper.make_node("Identity", ["x"], ["y"])],
        "body",
        [value("i", onnx.TensorProto.INT64, []), value("go", onnx.TensorProto.BOOL, []), value("x", 1, None)],
        [value("on", onnx.TensorProto.BOOL, []), value("y", 1, None)],
    )
    replace_nodes(
        graph, [onnx.helper.make_node("Loop", ["n", "go", "signal"], ["logits"], body=body)], n=2**62, go=True
    )


def one_class(graph: onnx.GraphProto) -> None:
    """Give the signal back."""
    replace_nodes(graph, [onnx.helper.make_node("Identity", ["signal"], ["logits"])])


def flat(graph: onnx.GraphProto) -> None:
    """Give one row."""
    replace_nodes(graph, [onnx.helper.make_node("Flatten", ["signal"], ["logits"])])


def not_finite(graph: onnx.GraphProto) -> None:
    """Give logarithms of negative numbers."""
    concat = onnx.helper.make_node("Concat", ["signal", "signal"], ["two"], axis=1)
    replace_nodes(graph, [concat, onnx.helper.make_node("Log", ["two"], ["logits"])])


def huge(graph: onnx.GraphProto) -> None:
    """Ask for four terabytes."""
    zeros = onnx.helper.make_node("ConstantOfShape", ["n"], ["zeros"])
    total = onnx.helper.make_node("ReduceSum", ["zeros"], ["total"], keepdims=0)
    replace_nodes(graph, [zeros, total, onnx.helper.make_node("Add", ["signal", "total"], ["logits"])], n=[10**12])


def in_another_file(graph: onnx.GraphProto) -> None:
    """Refer to a file."""
    weight = graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="weights.bin")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (endless, "does not label 64 samples in 0.2 s"),
        (huge, "does not label 64 samples"),
        (one_class, r"scores of shape \(1, 1, 64\), \(1, 2, 64\) are due"),
        (flat, r"scores of shape \(1, 64\)"),
        (not_finite, "scores are not finite"),
        (in_another_file, "has weights in another file"),
    ],
)
def test_a_strangers_program_is_refused_in_one_line(
    exported: Path, change: Callable[[onnx.GraphProto], None], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exported model is tried on one short window, in limited time, before it labels reads."""
    monkeypatch.setattr(onnx_runtime, "FIRST_RUN_S", 0.2)
    with pytest.raises(BundleError, match=message) as caught:
        load(with_graph(exported, change), InferenceConfig(accelerator="cpu"))

    assert "\n" not in str(caught.value)

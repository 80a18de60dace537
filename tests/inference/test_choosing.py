import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from poreconv.config import InferenceConfig
from poreconv.errors import ConfigError
from poreconv.inference import choosing
from poreconv.inference.backends.exported import MOST_KEPT, exported_file, forget_oldest
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.choosing import EXPORTED, LONGEST_S, Choosing, Way, fastest, measured, never
from poreconv.inference.labeller import load
from poreconv.models.bundle import save_bundle
from poreconv.models.header import ONNX
from poreconv.models.networks.choice import choose_network
from poreconv.models.onnx_export import write_onnx
from poreconv.runtime.processor import Processor
from tests.support.models import bundle_at, recipe_for
from tests.support.networks import Averaging

AUTO = InferenceConfig(accelerator="cpu")
FP32, BF16 = Way("torch", "32"), Way("torch", "bf16")

XEON = {"torch 32": 0.54e6, "onnx 32": 0.69e6, "torch bf16": 0.38e6}
"""Measured on an Intel Xeon with avx512_bf16 and no AMX."""
EPYC = {"torch 32": 0.88e6, "onnx 32": 0.95e6, "torch bf16": 1.57e6}
"""Measured on an AMD EPYC (Zen 5)."""


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered, and the processor computes in bf16."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(TorchBackend, "precisions", lambda *_: ("32", "bf16"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A small model."""
    return bundle_at(tmp_path / "model.safetensors")


class Measuring:
    """Stands for `measured`, with the figures of another machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, figures: Mapping[str, float]) -> None:
        self.asked: list[list[str]] = []
        self.figures = figures
        monkeypatch.setattr(choosing, "measured", self)

    def __call__(self, runs: Mapping[str, Any], rows: int, samples: int) -> dict[str, float]:
        """Return the figures of the ways that are asked for."""
        self.asked.append([*runs])
        return {name: self.figures[name] for name in runs}


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> Callable[[Mapping[str, float]], Measuring]:
    """Give a maker of `Measuring`."""
    return lambda figures: Measuring(monkeypatch, figures)


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        (XEON, EXPORTED),
        (EPYC, BF16),
        ({name: rate for name, rate in XEON.items() if name != "onnx 32"}, FP32),
        ({"torch 32": 96.0, "onnx 32": 99.0, "torch bf16": 100.0}, FP32),
        ({"torch 32": 0.0}, FP32),
    ],
)
def test_the_fastest_is_chosen(rates: dict[str, float], expected: Way) -> None:
    """Where bf16 is hardly faster, float32 is as good, and its results are those of every machine."""
    assert fastest(rates) == expected


class Clock:
    """Seconds that pass only while a network of known speed runs."""

    def __init__(self) -> None:
        self.now, self.runs = 0.0, 0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def network(self, rate: float, disturbed: float = 1.0) -> Callable[[NDArray[np.float32]], None]:
        """A network; every other time that it runs, it is disturbed so many times."""

        def run(x_NT: NDArray[np.float32]) -> None:
            self.runs += 1
            self.now += x_NT.size / rate * (disturbed if self.runs % 4 < 2 else 1.0)

        return run


def test_what_disturbs_the_measuring_does_not_count() -> None:
    """Of several turns the fastest counts, so that other programs on the machine do not choose."""
    clock = Clock()
    runs = {"torch 32": clock.network(1e6), "torch bf16": clock.network(2e6, disturbed=5.0)}
    rates = measured(runs, 4, 8000, clock)

    assert rates == pytest.approx({"torch 32": 1e6, "torch bf16": 2e6})


@pytest.mark.parametrize("rate", [1e4, 1e5, 1e6, 1e9])
def test_measuring_ends_in_a_second(rate: float) -> None:
    """Also that of a slow network, on a part of a chunk."""
    clock = Clock()
    rates = measured({"torch 32": clock.network(rate), "torch bf16": clock.network(rate)}, 1, 8000, clock)

    assert rates == pytest.approx({"torch 32": rate, "torch bf16": rate}, rel=1e-3)
    assert clock.now < 1.5 * LONGEST_S


def test_a_choice_is_remembered(bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring]) -> None:
    """A model is measured once on a machine, whoever asks; another model for itself."""
    found = measuring(EPYC)
    ways = [Choosing(bundle, AUTO).way() for _ in range(3)]
    other = Choosing(bundle_at(bundle.with_name("other.safetensors"), "unet"), AUTO).way()

    assert [*ways, other] == [BF16] * 4
    assert found.asked == [["torch 32", "torch bf16"]] * 2


def test_another_processor_is_measured_anew(
    bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Home folders are often shared by different machines."""
    measuring(EPYC)
    here = Choosing(bundle, AUTO).way()
    monkeypatch.setattr(choosing, "processor", lambda: Processor("Intel Xeon", ("avx512_bf16",), 8))
    measuring(XEON)

    assert here == BF16
    assert Choosing(bundle, AUTO).way() == FP32


def test_another_version_is_measured_anew(
    bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new version of torch may be faster in another precision."""
    measuring(EPYC)
    before = Choosing(bundle, AUTO).way()
    monkeypatch.setattr(choosing, "versions", lambda: {"torch": "99"})
    measuring(XEON)

    assert (before, Choosing(bundle, AUTO).way()) == (BF16, FP32)


def test_a_damaged_memory_is_no_error(bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring]) -> None:
    """It is measured again, and written anew."""
    found = measuring(EPYC)
    Choosing(bundle, AUTO).way()
    [kept] = bundle.parent.rglob("speeds/*.json")
    for text in ('{"of": {}', '{"of": {}, "rates": {}}', '{"of": {}, "rates": {"other": 1}}'):
        kept.write_text(text)

        assert Choosing(bundle, AUTO).way() == BF16
    assert len(found.asked) == 4
    assert json.loads(kept.read_text())["rates"] == {name: EPYC[name] for name in ("torch 32", "torch bf16")}


def test_without_a_cache_folder_it_is_measured_each_time(
    bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No error; and nothing is exported, since that could not be kept."""
    found = measuring(EPYC)
    (bundle.parent / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(bundle.parent / "file" / "cache"))
    ways = [Choosing(bundle, AUTO, is_long=lambda _: True).way() for _ in range(2)]

    assert ways == [BF16, BF16]
    assert found.asked == [["torch 32", "torch bf16"]] * 2


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"precision": "32"}, FP32),
        ({"precision": "bf16"}, BF16),
        ({"precision": "32", "backend": "onnx"}, EXPORTED),
        ({"backend": "onnx"}, EXPORTED),
        ({"precision": "bf16", "backend": "compile"}, Way("compile", "bf16")),
    ],
)
def test_what_the_user_chose_is_not_measured(
    asked: dict[str, Any], expected: Way, bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring]
) -> None:
    """A precision alone means torch, on every machine."""
    found = measuring(XEON)

    assert Choosing(bundle, replace(AUTO, **asked), is_long=lambda _: True).way() == expected
    assert found.asked == []


def test_a_backend_alone_leaves_the_precision(
    bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring]
) -> None:
    """That of a compiled network is the one that is faster in torch: compiling both would take minutes."""
    measuring(EPYC)
    ways = [Choosing(bundle, replace(AUTO, backend=name)).way() for name in ("torch", "compile")]

    assert ways == [BF16, Way("compile", "bf16")]


def test_a_network_of_one_precision_has_one_way(
    tmp_path: Path, measuring: Callable[[Mapping[str, float]], Measuring]
) -> None:
    """Where the context is not bounded, the network computes in float32, and cannot be exported."""
    found = measuring(EPYC)
    bundle = bundle_at(tmp_path / "model.safetensors", "crnn")
    ways = [Choosing(bundle, AUTO, is_long=lambda _: True).way() for _ in range(2)]

    assert ways == [FP32, FP32]
    assert found.asked == [["torch 32"]] * 2  # the second time to see whether it can be exported


@pytest.fixture
def kept(bundle: Path) -> Path:
    """An exported model in the cache folder, as a long labelling leaves it."""
    write_onnx(exported_file(bundle), bundle)
    return exported_file(bundle)


def test_a_long_labelling_exports(bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring]) -> None:
    """The export is kept, and of use to short ones from then on; without it, they begin at once."""
    found = measuring(XEON)
    short = Choosing(bundle, AUTO).way()
    rates: list[float] = []
    long = Choosing(bundle, AUTO, is_long=lambda rate: not rates.append(rate)).way()
    after = Choosing(bundle, AUTO).way()
    exported_file(bundle).unlink()

    assert (short, long, after) == (FP32, EXPORTED, EXPORTED)
    assert rates == [XEON["torch 32"]]
    assert found.asked == [["torch 32", "torch bf16"], ["torch 32", "onnx 32", "torch bf16"]]
    assert Choosing(bundle, AUTO).way() == FP32


def test_an_export_that_is_slower_is_not_tried_again(
    bundle: Path, kept: Path, measuring: Callable[[Mapping[str, float]], Measuring]
) -> None:
    """Its figure is remembered like the others."""
    found = measuring(EPYC)
    ways = [Choosing(bundle, AUTO).way()]
    kept.unlink()
    ways += [Choosing(bundle, AUTO, is_long=lambda _: True).way() for _ in range(2)]

    assert ways == [BF16] * 3
    assert len(found.asked) == 2
    assert not kept.exists()


def test_a_network_of_ones_own_is_not_exported(
    tmp_path: Path, measuring: Callable[[Mapping[str, float]], Measuring]
) -> None:
    """What it would become depends on code that may change under the same name."""
    measuring(XEON)
    network = choose_network(Averaging, {"width": 6}).build(2, 300)
    recipe = recipe_for("tcn", network=network.name, network_settings={"width": 6}, own_network=network.measured)
    save_bundle(tmp_path / "own.safetensors", network, recipe)
    own = Choosing(tmp_path / "own.safetensors", AUTO, networks=Averaging, is_long=lambda _: True)

    assert own.way() == FP32


def test_chunks_and_threads_do_not_choose(bundle: Path, measuring: Callable[[Mapping[str, float]], Measuring]) -> None:
    """The results depend on none of them."""
    found = measuring(EPYC)
    settings = [AUTO, replace(AUTO, batch_size=8, chunk_samples=512)]
    ways = [load(bundle, config, threads=threads).config.precision for config in settings for threads in (1, 2)]

    assert ways == ["bf16"] * 4
    assert len(found.asked) == 1


def test_loading_chooses_too(
    bundle: Path, kept: Path, measuring: Callable[[Mapping[str, float]], Measuring], caplog: pytest.LogCaptureFixture
) -> None:
    """Quietly, and among the precisions of torch, whose layers can be looked at."""
    measuring(EPYC)
    labeller = load(bundle, AUTO)

    assert isinstance(labeller.backend, TorchBackend)
    assert (labeller.config.backend, labeller.config.precision) == ("torch", "bf16")
    assert labeller.backend.precision == "bf16"
    assert [record for record in caplog.records if record.levelname != "DEBUG"] == []


def test_an_exported_model_has_one_way(kept: Path, measuring: Callable[[Mapping[str, float]], Measuring]) -> None:
    """It computes as it was exported."""
    found = measuring(XEON)

    assert Choosing(kept, AUTO).way().backend == "onnx"
    assert found.asked == []
    with pytest.raises(ConfigError, match="runs on backend onnx, not torch"):
        Choosing(kept, replace(AUTO, backend="torch")).way()


def test_the_cache_folder_keeps_few_exports(bundle: Path, kept: Path) -> None:
    """The oldest go."""
    for number in range(MOST_KEPT):
        (kept.parent / f"{number}{ONNX}").touch()
    forget_oldest()

    assert len([*kept.parent.iterdir()]) == MOST_KEPT


def test_never_is_never() -> None:
    """How much Python code will label is not known."""
    assert not never(1e9)

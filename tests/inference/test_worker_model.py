import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from poreconv.commands.label import label
from poreconv.config import FilesConfig, InferenceConfig, LabelConfig, WorkConfig
from poreconv.errors import BundleError, MachineError
from poreconv.events import tabulation
from poreconv.inference import backends, choosing, worker_model
from poreconv.inference.backends import Hardware, rows_for
from poreconv.inference.backends.pytorch import TorchBackend, in_threads
from poreconv.inference.worker_model import EXPORT_PAYS_S, Amount, TrainedModel, for_model
from poreconv.reads import pieces
from poreconv.runtime.ledger import Ledger
from tests.support.models import bundle_at, random_network
from tests.support.signal_files import reads_made, write_multi

READS = reads_made(3)
KNOWN = {"chemistries": (READS[0].chemistry.code,), "sample_rate_hz": READS[0].sample_rate_hz}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Write a small model for `READS`."""
    return bundle_at(tmp_path / "model.safetensors", **KNOWN)


@pytest.fixture
def signal(tmp_path: Path) -> Path:
    """Write `READS` into a file each."""
    (tmp_path / "signal").mkdir()
    for number, read in enumerate(READS):
        write_multi(tmp_path / "signal" / f"{number}.fast5", [read])
    return tmp_path / "signal"


def test_a_model_travels_as_the_name_of_its_file(model: Path) -> None:
    """What another process gets is small, and labels."""
    sent = pickle.dumps(TrainedModel.find(model, InferenceConfig()).labelling)
    with pickle.loads(sent)() as label_reads:
        labelled = list(label_reads(iter(READS), Ledger()))

    assert len(sent) < 3000
    assert [read for read, _ in labelled] == READS


def test_a_model_that_changes_under_way_is_refused(model: Path) -> None:
    """Half a table of one model and half of another would be neither's."""
    found = TrainedModel.find(model, InferenceConfig())
    bundle_at(model, "unet", **KNOWN)

    with pytest.raises(BundleError, match="changed since the command began"), found.opened():
        pass


def test_labelling_leaves_torch_its_threads(model: Path) -> None:
    """It computes in one, for the same result on any machine, and gives the others back."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with in_threads(1):
        within = torch.get_num_threads()
    with TrainedModel.find(model, InferenceConfig()).opened() as labeller:
        list(labeller.label(READS))
    after = torch.get_num_threads()
    torch.set_num_threads(before)

    assert (within, after) == (1, 2)


LABEL = """
import sys
from poreconv.reads import pieces
from poreconv.commands.label import label
from poreconv.config import LabelConfig, WorkConfig

if __name__ == "__main__":
    pieces.JOB_BYTES = 1
    label(*sys.argv[1:3], out=sys.argv[3], config=LabelConfig(work=WorkConfig(workers=2)))
    print("torch" in sys.modules)
"""


def test_several_processes_write_the_table_of_one(model: Path, signal: Path, tmp_path: Path) -> None:
    """The one that waits for them needs no torch, once its choice is remembered, so that they begin sooner."""
    label(model, signal, out=tmp_path / "one.tsv", config=LabelConfig(work=WorkConfig(workers=1)))
    (tmp_path / "main.py").write_text(LABEL)
    command = [sys.executable, tmp_path / "main.py", model, signal, tmp_path / "two.tsv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
    assert (tmp_path / "two.tsv").read_text() == (tmp_path / "one.tsv").read_text()


@pytest.fixture
def in_bf16(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which bf16 was measured to be the faster one; no other process finds that remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "no cache" / "file"))
    (tmp_path / "no cache").touch()
    monkeypatch.setattr(TorchBackend, "precisions", lambda *_: ("32", "bf16"))
    monkeypatch.setattr(choosing, "measured", lambda runs, *_: {name: float(name == "torch bf16") for name in runs})


def settings_of(out: Path) -> dict[str, Any]:
    """The settings in an output's ledger."""
    settings: dict[str, Any] = json.loads(out.with_name(f"{out.name}.ledger.json").read_text())["settings"]
    return settings


def killed_when_done(folder: Any, paths: Iterator[Path], *others: Any) -> None:
    """Stands for `join_files`: the jobs are done, and the command ends."""
    assert [*paths]
    raise ZeroDivisionError


def with_precision(precision: Any, workers: int = 1) -> LabelConfig:
    """Settings with a precision, on the CPU."""
    inference = InferenceConfig(precision=precision, accelerator="cpu")
    return LabelConfig(inference=inference, work=WorkConfig(workers=workers))


@pytest.mark.usefixtures("in_bf16")
def test_all_processes_run_what_was_chosen(
    model: Path, signal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command measures, once, and its processes do not; the choice stands in the ledger."""
    monkeypatch.setattr(pieces, "JOB_BYTES", 1)
    for name, config in {"auto": with_precision("auto", 2), "bf16": with_precision("bf16")}.items():
        label(model, signal, out=tmp_path / f"{name}.tsv", config=config)
    found = settings_of(tmp_path / "auto.tsv")

    assert (tmp_path / "auto.tsv").read_text() == (tmp_path / "bf16.tsv").read_text()
    assert (found["inference"]["precision"], found["inference"]["backend"]) == ("auto", "auto")
    assert found["chosen"] == {"backend": "torch", "precision": "bf16"}


@pytest.mark.usefixtures("in_bf16")
def test_a_killed_command_goes_on_as_it_began(
    model: Path, signal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the measuring would choose otherwise by then; anew, it does."""
    out, config = tmp_path / "out.tsv", with_precision("auto")
    with monkeypatch.context() as patch:
        patch.setattr(tabulation, "join_files", killed_when_done)
        with pytest.raises(ZeroDivisionError):
            label(model, signal, out=out, config=config)
    monkeypatch.setattr(choosing, "measured", lambda runs, *_: {name: float(name == "torch 32") for name in runs})
    label(model, signal, out=out, config=config)
    resumed, chosen = out.read_text(), settings_of(out)["chosen"]
    label(model, signal, out=out, config=config, overwrite=True)
    label(model, signal, out=tmp_path / "bf16.tsv", config=with_precision("bf16"))

    assert chosen == {"backend": "torch", "precision": "bf16"}
    assert resumed == (tmp_path / "bf16.tsv").read_text()
    assert settings_of(out)["chosen"] == {"backend": "torch", "precision": "32"}


def test_a_killed_command_with_other_settings_does_not_choose(
    model: Path, signal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it began with counts only for the same model, asked for in the same way."""
    out = tmp_path / "out.tsv"
    with monkeypatch.context() as patch:
        patch.setattr(tabulation, "join_files", killed_when_done)
        with pytest.raises(ZeroDivisionError):
            label(model, signal, out=out, config=with_precision("bf16"))
    label(model, signal, out=out, config=with_precision("32"))

    assert settings_of(out)["chosen"] == {"backend": "torch", "precision": "32"}


@pytest.mark.parametrize(
    ("files", "work", "expected"),
    [
        (FilesConfig(), WorkConfig(workers=1), True),
        (FilesConfig(), WorkConfig(workers=1000), False),
        (FilesConfig(limit=1), WorkConfig(workers=1), True),
        (FilesConfig(read_ids=Path("ids.txt")), WorkConfig(workers=1), False),
        (FilesConfig(), WorkConfig(workers=1, scheduler="tcp://host:8786"), False),
    ],
)
def test_an_amount_is_known_by_the_size_of_files(
    files: FilesConfig, work: WorkConfig, expected: bool, signal: Path
) -> None:
    """A list of reads may name few; and the machines of a cluster do not share what is exported."""
    n_bytes = sum(path.stat().st_size for path in signal.iterdir())
    rate = 0.9 * n_bytes / EXPORT_PAYS_S

    assert Amount(signal, files, work).is_long(rate) == expected
    assert not Amount([signal], FilesConfig(), WorkConfig(workers=1)).is_long(2 * rate)


class Shared(TorchBackend):
    """Torch on a GPU whose memory holds three processes."""

    @classmethod
    def hardware(cls, device: str | None) -> Hardware:
        """Return the GPU."""
        return Hardware("GPU", most_processes=3)


def test_a_gpu_has_as_many_processes_as_it_holds(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several keep it busy, at most one per core; fewer or more, if the user asks for them."""
    monkeypatch.setattr(backends, "has_driver", lambda: True)
    monkeypatch.setitem(backends.BACKENDS, "torch", f"{__name__}:Shared")
    monkeypatch.setattr(worker_model, "cores", lambda: 16)
    anywhere = TrainedModel.find(model, InferenceConfig(precision="32")).settled()
    on_cpu = TrainedModel.find(model, InferenceConfig(precision="32", accelerator="cpu")).settled()

    assert [for_model(WorkConfig(workers=given), anywhere).workers for given in (0, 1, 8)] == [3, 1, 8]
    assert for_model(WorkConfig(), on_cpu).workers == 0


def test_a_gpu_that_torch_cannot_use_is_none(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a GPU in the machine, and a torch for CPUs, there is one process per core."""
    monkeypatch.setattr(backends, "has_driver", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    trained = TrainedModel.find(model, InferenceConfig(precision="32")).settled()

    assert for_model(WorkConfig(), trained).workers == 0


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus_are_not_looked_for(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user hides them as CUDA has it; and without NVIDIA's driver there are none."""
    monkeypatch.setattr(backends, "DRIVER", None)  # this program itself, which can be opened
    shown = backends.has_driver()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    after = backends.has_driver()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr(backends, "DRIVER", "no such library")

    assert (shown, after, backends.has_driver()) == (True, False, False)


class Small(TorchBackend):
    """Torch on a GPU whose memory holds one chunk."""

    def _logits(self, x_NT: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(x_NT) > 1 or x_NT.shape[1] > 1000:
            raise torch.cuda.OutOfMemoryError
        return super()._logits(x_NT)


def test_a_batch_that_a_gpu_does_not_hold_is_divided() -> None:
    """Until it fits; a chunk alone that does not is an error that names the setting."""
    network, x_NT = random_network("tcn"), np.random.default_rng(0).normal(size=(5, 300)).astype(np.float32)
    expected, small = TorchBackend(network, "32", "cpu")(x_NT), Small(network, "32", "cpu")

    np.testing.assert_allclose(small(x_NT), expected, atol=1e-5)
    with pytest.raises(MachineError, match=r"memory on cpu for a chunk of 1,001 samples; use smaller --chunk_samples"):
        small(np.zeros((2, 1001), np.float32))


def test_a_batch_suits_the_hardware() -> None:
    """On a CPU few chunks, also where many are asked for; elsewhere many, or as many as are asked for."""
    on_cpu = TorchBackend(random_network("tcn"), "32", "cpu")
    elsewhere = TorchBackend(random_network("tcn"), "32", "meta")

    assert [rows_for(on_cpu, asked) for asked in (0, 1, 100)] == [4, 1, 8]
    assert [rows_for(elsewhere, asked) for asked in (0, 1, 100)] == [64, 1, 100]

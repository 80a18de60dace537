import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from poreconv.commands.label import label
from poreconv.config import InferenceConfig, LabelConfig, WorkConfig
from poreconv.errors import BundleError
from poreconv.inference.backends.pytorch import in_threads
from poreconv.inference.worker_model import TrainedModel, for_model
from poreconv.runtime.ledger import Ledger
from tests.support.models import bundle_at
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
    """The one that waits for them needs no torch, so that they begin sooner."""
    (tmp_path / "main.py").write_text(LABEL)
    command = [sys.executable, tmp_path / "main.py", model, signal, tmp_path / "two.tsv"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    label(model, signal, out=tmp_path / "one.tsv", config=LabelConfig(work=WorkConfig(workers=1)))

    assert done.stdout.strip() == "False"
    assert (tmp_path / "two.tsv").read_text() == (tmp_path / "one.tsv").read_text()


def test_one_process_has_the_gpu_unless_asked_otherwise(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where NVIDIA's driver came with its tool, the GPU isn't hidden, and the model is not to run on the CPU."""
    anywhere = TrainedModel.find(model, InferenceConfig())
    on_cpu = TrainedModel.find(model, InferenceConfig(accelerator="cpu"))
    (tmp_path / "nvidia-smi").write_text("")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    workers = [for_model(WorkConfig(workers=given), anywhere).workers for given in (0, 2)]
    without_gpu = for_model(WorkConfig(), on_cpu).workers
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")

    assert workers == [1, 2]
    assert without_gpu == 0
    assert for_model(WorkConfig(), anywhere).workers == 0

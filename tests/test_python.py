"""Python as researchers use it: what they write, what a type checker and tab completion make of it."""

import ast
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

import poreconv
from poreconv.reads.scaling import normalise_read
from tests.support import users_program
from tests.support.data import simulated
from tests.support.models import bundle_at
from tests.support.signal_files import reads_made, write_multi

ROOT = Path(__file__).parents[1]
PROGRAM = Path(users_program.__file__)
LOOK = "import sys, poreconv; print(*dir({})); print('torch' in sys.modules, 'numpy' in sys.modules)"


def test_a_read_and_an_array_are_labelled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Events as a data frame and as an Arrow table, and a probability for each sample."""
    [read] = reads_made(1)
    write_multi(tmp_path / "reads.fast5", [read])
    with pytest.warns(UserWarning, match="reads of chemistry unknown"):
        users_program.look(str(tmp_path / "reads.fast5"), str(bundle_at(tmp_path / "model.safetensors")))
    n_frame, n_table, n_array, n_samples = map(int, capsys.readouterr().out.split())

    assert n_frame == n_table == n_array > 1
    assert n_samples == len(read.adc)


def test_a_loop_of_ones_own_learns(tmp_path: Path) -> None:
    """Windows and whole reads go through torch's loader, loss and optimiser."""
    folder = simulated(tmp_path / "reads", "squiggle")
    store = users_program.prepare(str(folder / "reads.fast5"), str(folder / "events.tsv"), str(tmp_path / "store"))
    losses = users_program.learn(str(store.path))

    assert len(losses) == 30
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_a_users_program_is_typed() -> None:
    """mypy, strict, finds the types that the program states, and no other error in it."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", str(PROGRAM)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    *lines, summary = checked.stdout.splitlines()

    assert [line for line in lines if line.startswith(str(PROGRAM.relative_to(ROOT)))] == []
    assert "1 source file" in summary


@pytest.mark.parametrize(
    ("of", "names"),
    [
        ("poreconv", {"load", "open_reads", "prepare", "train", "Read", "dataset", "training", "__version__"}),
        ("poreconv.dataset", {"Store", "open_stores"}),
        ("poreconv.training", {"Windows"}),
        ("poreconv.reads", {"Read", "open_reads"}),
    ],
)
def test_tab_completion_lists_the_public_names(of: str, names: set[str]) -> None:
    """And loads neither torch nor numpy for it."""
    done = subprocess.run([sys.executable, "-c", LOOK.format(of)], capture_output=True, text=True, check=True)
    listed, loaded = done.stdout.splitlines()

    assert names <= set(listed.split())
    assert [name for name in listed.split() if name.startswith("_")] in ([], ["__version__"])
    assert loaded == "False False"


def test_what_a_type_checker_knows_is_what_there_is() -> None:
    """The names for type checkers are those that exist, and each can be reached."""
    tree = ast.parse(Path(poreconv.__file__).read_text())
    [block] = [node for node in tree.body if isinstance(node, ast.If)]
    known = sorted(alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names)

    assert known == sorted(dir(poreconv))
    assert [name for name in dir(poreconv) if not hasattr(poreconv, name)] == []


def test_the_package_has_a_version_and_types() -> None:
    """The version is the installed one; ``py.typed`` goes with the package."""
    assert poreconv.__version__ == version("poreconv")
    assert Path(poreconv.__file__).with_name("py.typed").is_file()


@pytest.mark.real
def test_a_real_read_as_an_array(real_data: Path) -> None:
    """Counts and pA of a lambda read have the events of the read, by a shipped model."""
    folder = real_data / "dna_r941_lambda_tombo"
    with poreconv.open_reads(folder) as reads:
        read = min(reads, key=lambda each: len(each.adc))
    labeller = poreconv.load("dna_r9.4.1_boundary_fast", device="cpu")
    events = labeller(read)
    same = [poreconv.Read.from_array(values, 4000, chemistry="dna_r9.4.1") for values in (read.adc, read.pa)]

    assert labeller.probabilities(read).shape == (2, len(read.adc))
    for found in map(labeller, same):
        assert len(set(found.start.tolist()) ^ set(events.start.tolist())) <= len(events) // 1000
    assert events.to_pandas()["label"].unique().tolist() == ["event"]
    np.testing.assert_allclose(normalise_read(same[1], clip=5.0), normalise_read(read, clip=5.0), atol=1e-4)

import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import poreconv
from poreconv.cli.main import main
from poreconv.commands.models import architectures, card_of, shipped_models
from poreconv.errors import BundleError, MismatchError
from poreconv.inference.backends.pytorch import TorchBackend
from poreconv.inference.labeller import Labeller, load
from poreconv.models import shipped
from poreconv.models.architectures import ARCHITECTURES
from poreconv.models.bundle import load_bundle, save_bundle
from poreconv.models.fitting import fitting_model
from poreconv.models.header import read_header
from poreconv.reads.read import Read
from poreconv.runtime.records import to_json
from tests.support.models import bundle_at, card_for, random_network, recipe_for, ship
from tests.support.signal_files import reads_made, write_multi

ROOT = Path(__file__).parents[2]
MOST_BYTES = 2_000_000

REAL_FOLDER = shipped.FOLDER
"""The folder of the package; tests replace `shipped.FOLDER`."""


@pytest.fixture(autouse=True)
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the package's folder by one with two models."""
    folder = tmp_path / "pretrained"
    ship(folder, "dna_r9")
    ship(folder, "dna_r10", chemistries=("dna_r10.4.1",), sample_rate_hz=5000.0)
    monkeypatch.setattr(shipped, "FOLDER", folder)
    return folder


def a_read(**fields: Any) -> Read:
    """Return a short read of R9.4.1 DNA at 4 kHz; ``fields`` overrides."""
    [read] = reads_made(1)
    return replace(read, adc=read.adc[:300], **fields)


def assert_shippable(bundle: Path) -> None:
    """Check a shipped model: small, with a chemistry, loadable, and its Markdown card is that of its header."""
    header, labeller = read_header(bundle), load(bundle, device="cpu")
    recipe = labeller.recipe

    assert bundle.stat().st_size < MOST_BYTES
    assert header.card is not None, f"{bundle}: no card"
    assert header.card.headline(recipe.asked), f"{bundle}: its first test set has no score that a table shows"
    assert bundle.with_suffix(".md").read_text() == header.card.to_markdown(bundle.stem, recipe)
    assert recipe.chemistries, f"{bundle}: names no chemistry"
    assert labeller.backend.size.n_parameters == header.n_parameters


def test_every_shipped_model_is_fit_for_it() -> None:
    """Each model of the package keeps the contract, and no card is left without its model."""
    bundles = sorted(path for path in REAL_FOLDER.iterdir() if path.suffix in shipped.SUFFIXES)
    for bundle in bundles:
        assert_shippable(bundle)

    assert sorted(path.stem for path in REAL_FOLDER.glob("*.md")) == sorted(bundle.stem for bundle in bundles)


def test_the_contract_of_shipped_models_can_fail(shelf: Path) -> None:
    """Models made here keep it; a card that was edited, or is missing, does not."""
    assert_shippable(shelf / "dna_r9.safetensors")
    (shelf / "dna_r10.md").write_text("# dna_r10\n\nBetter than it is.\n")

    with pytest.raises(AssertionError):
        assert_shippable(shelf / "dna_r10.safetensors")
    with pytest.raises(AssertionError, match="no card"):
        assert_shippable(bundle_at(shelf / "bare.safetensors"))


def test_a_built_package_has_them(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build takes bundles and cards along."""
    from setuptools import Distribution

    project = shelf.parent
    (project / "poreconv/models").mkdir(parents=True)
    (project / "poreconv/__init__.py").touch()
    shelf.rename(project / "poreconv/models/pretrained")
    monkeypatch.chdir(project)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    build = Distribution({"packages": ["poreconv"], "package_data": settings}).get_command_obj("build_py")
    build.ensure_finalized()
    [(_, _, _, taken)] = build.data_files

    assert sorted(Path(path).name for path in taken) == [
        "dna_r10.md",
        "dna_r10.safetensors",
        "dna_r9.md",
        "dna_r9.safetensors",
    ]


def test_a_card_travels_in_the_bundle(tmp_path: Path) -> None:
    """A card saved in a bundle is read from it; a bundle without one loads too."""
    recipe = recipe_for("tcn")
    save_bundle(tmp_path / "with.safetensors", random_network("tcn"), recipe, card_for())

    assert shipped.load_card(tmp_path / "with.safetensors") == card_for()
    assert load_bundle(tmp_path / "with.safetensors")[1] == recipe
    assert shipped.load_card(bundle_at(tmp_path / "without.safetensors")) is None


def test_a_card_that_cannot_be_read_does_not_stop_the_model(tmp_path: Path) -> None:
    """The error of reading such a card names the file; loading the model ignores the card."""
    path = bundle_at(tmp_path / "model.safetensors")
    texts = {"recipe": to_json(recipe_for("tcn")), "card": '{"schema_version": 1, "data": []}'}
    save_file(load_file(path), path, metadata=texts)

    assert load_bundle(path)[1] == recipe_for("tcn")
    with pytest.raises(BundleError, match=r"model\.safetensors: card: .*write the bundle again"):
        shipped.load_card(path)


@pytest.mark.parametrize("model", ARCHITECTURES)
def test_headers_count_the_weights_as_the_network_does(model: str, tmp_path: Path) -> None:
    """Statistics of batch norms do not count as weights."""
    header = read_header(bundle_at(tmp_path / "model.safetensors", model))

    assert header.n_parameters == random_network(model).n_parameters
    assert header.n_bytes == header.path.stat().st_size


def test_a_name_finds_its_model(shelf: Path) -> None:
    """A shipped model's name stands for its file."""
    assert shipped.find_bundle("dna_r9") == shelf / "dna_r9.safetensors"
    assert shipped.find_bundle(Path("dna_r9")) == shelf / "dna_r9.safetensors"


def test_a_file_wins_over_a_name(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of a shipped model's name is taken; a folder of that name is not."""
    monkeypatch.chdir(tmp_path)
    Path("dna_r10").mkdir()
    Path("dna_r9").touch()

    assert shipped.find_bundle("dna_r9") == Path("dna_r9")
    assert shipped.find_bundle("dna_r10") == shelf / "dna_r10.safetensors"


def test_a_name_that_nothing_has() -> None:
    """An unknown name is answered with the known ones, and the nearest."""
    with pytest.raises(BundleError, match=r"dna_r99: no such file; .* model: dna_r10, dna_r9; did you mean dna_r9\?"):
        load_bundle("dna_r99")
    with pytest.raises(BundleError, match=r"name of a shipped model: dna_r10, dna_r9$"):
        load_bundle("zebra")


def test_without_shipped_models_none_is_named(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is shipped, the message is about files alone."""
    monkeypatch.setattr(shipped, "FOLDER", shelf / "nowhere")

    with pytest.raises(BundleError, match=r"no such file; give the model\.safetensors that poreconv train wrote$"):
        load_bundle("dna_r9")
    assert shipped_models() == []


def test_a_name_goes_where_a_path_goes(shelf: Path, tmp_path: Path) -> None:
    """`load` and `label` do with a name what they do with the file."""
    write_multi(tmp_path / "reads.fast5", reads_made(3))
    by_name = poreconv.load("dna_r9", device="cpu")(a_read())
    by_path = poreconv.load(shelf / "dna_r9.safetensors", device="cpu")(a_read())
    poreconv.label("dna_r9", tmp_path / "reads.fast5", out=tmp_path / "name.tsv")
    poreconv.label(shelf / "dna_r9.safetensors", tmp_path / "reads.fast5", out=tmp_path / "path.tsv")

    np.testing.assert_array_equal(by_name.start, by_path.start)
    assert (tmp_path / "name.tsv").read_bytes() == (tmp_path / "path.tsv").read_bytes()


def labeller_of(**fields: Any) -> Labeller:
    """Return a labeller of R9.4.1 DNA with random weights."""
    recipe = recipe_for("tcn", **fields)
    return Labeller(TorchBackend(random_network("tcn", len(recipe.classes)), device="cpu"), recipe)


R10 = {"pore": "FLO-MIN114", "sample_rate_hz": 5000.0}


@pytest.mark.parametrize("fields", [R10, R10 | {"pore": "FLO-MIN112"}], ids=["chemistry", "family"])
def test_a_mismatch_names_the_model_that_fits(fields: dict[str, Any]) -> None:
    """The message for reads that another shipped model was trained on names it first."""
    with pytest.raises(MismatchError, match=r"; use dna_r10, which comes with poreconv, or train a model") as caught:
        labeller_of()(a_read(**fields))
    assert caught.value.reason == "wrong_chemistry"


@pytest.mark.parametrize(
    ("read", "model"),
    [
        (R10 | {"sample_rate_hz": 4000.0}, {}),
        ({"kit": "SQK-RNA004"}, {}),
        ({"pore": "", "kit": "", "experiment": "", "sample_rate_hz": 5000.0}, {}),
        (R10, {"task": "segment", "classes": ("a", "b")}),
    ],
    ids=["rate", "molecule", "unknown", "task"],
)
def test_a_mismatch_that_no_model_fits(read: dict[str, Any], model: dict[str, Any]) -> None:
    """Without a model of this task for such reads, none is named."""
    with pytest.raises(MismatchError) as caught:
        labeller_of(**model)(a_read(**read))
    assert "train a model on such reads (poreconv train --start_from MODEL)" in str(caught.value)
    assert "comes with" not in str(caught.value)


def test_of_several_models_the_nearest_is_named(shelf: Path) -> None:
    """The same classes count first, then exactly the same chemistry."""
    tails = {"task": "segment", "class_counts": (1, 1)}
    ship(shelf, "a_other_classes", **tails, classes=("x", "y"), chemistries=("dna_r10.4.1",))
    ship(shelf, "b_other_pore", **tails, classes=("a", "b"), chemistries=("dna_r10.4",))
    ship(shelf, "c_fits", **tails, classes=("a", "b"), chemistries=("DNA_R10.4.1",))

    recipe = recipe_for("tcn", **tails, classes=("a", "b"))
    assert fitting_model(recipe, a_read(pore="FLO-MIN114")) == "c_fits"


def test_the_list_of_models_describes_them(capsys: pytest.CaptureFixture[str]) -> None:
    """`poreconv models` has a row for each, the headline of its card at the end."""
    main(["models"])
    [row] = [line for line in capsys.readouterr().out.splitlines() if "dna_r10 " in line]
    weights = random_network("tcn").n_parameters

    assert [cell.strip() for cell in row.strip("│").split("│")][:6] == [
        "dna_r10",
        "boundary",
        "inside, boundary",
        "dna_r10.4.1",
        "5000",
        f"{weights:,}",
    ]
    assert "F1 ±1 0.884 (0.877-0.891), lambda, test" in row


def test_one_model_s_card_is_printed(shelf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`poreconv models NAME` prints the card, as it stands beside the bundle."""
    main(["models", "dna_r9"])

    assert capsys.readouterr().out == (shelf / "dna_r9.md").read_text()


def test_a_model_without_a_card_is_refused(tmp_path: Path) -> None:
    """A user's own model has no card to print."""
    with pytest.raises(BundleError, match="has no card"):
        card_of(bundle_at(tmp_path / "model.safetensors"))


def test_no_model_is_no_error(shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With nothing shipped, the list reports it."""
    monkeypatch.setattr(shipped, "FOLDER", shelf / "nowhere")
    main(["models"])

    assert "no model comes with this version of poreconv" in capsys.readouterr().out


def test_the_list_of_models_needs_no_torch(shelf: Path) -> None:
    """Listing models, and printing a card, reads headers alone."""
    look = (
        "import sys\nfrom pathlib import Path\n"
        "from poreconv.models import shipped\nfrom poreconv.cli.main import main\n"
        f"shipped.FOLDER = Path({str(shelf)!r})\n"
        "main(['models'])\nmain(['models', 'dna_r9'])\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"


def test_architectures_are_listed_with_what_they_cost(capsys: pytest.CaptureFixture[str]) -> None:
    """`poreconv models --architectures` has a row for each, with the size and cost at its default settings."""
    main(["models", "--architectures"])
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in capsys.readouterr().out.splitlines()]
    listed = {row[0]: row[1:5] for row in rows if row[0] in ARCHITECTURES}

    assert list(listed) == list(ARCHITECTURES)
    assert listed["dense"] == ["77,664", "whole", "400", "192"]
    for each in architectures():
        costs = [f"{number:,.0f}" for number in (each.n_parameters, each.alignment, each.macs_per_sample)]
        assert [listed[each.name][i] for i in (0, 2, 3)] == costs
        assert listed[each.name][1] == (f"{each.receptive_field:,}" if each.receptive_field else "whole")


def test_models_in_half_precision_are_shipped(shelf: Path) -> None:
    """A bundle whose weights were halved loads, and counts as many."""
    path = shelf / "dna_r9.safetensors"
    halved = {name: tensor.half() for name, tensor in load_file(path).items()}
    save_file(halved, path, metadata=read_header(path).texts)
    network, _ = load_bundle("dna_r9")

    assert_shippable(path)
    assert next(network.parameters()).dtype == torch.float32

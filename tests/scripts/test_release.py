import re
import shutil
import subprocess
import sys
import tomllib
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import poreconv
from scripts.releasing.distributions import differences, in_wheel

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what it is made of, without a network."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    shutil.copytree(ROOT / "poreconv", tree / "poreconv", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(tree / "dist"), str(tree)]
    subprocess.run(command, check=True, capture_output=True)
    return next((tree / "dist").iterdir())


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    """What the wheel contains about itself."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return message_from_bytes(archive.read(name))


def test_the_wheel_is_the_package(wheel: Path) -> None:
    """Every file of the package is in it, models, tables, pages and type stubs too, and no other."""
    files = {path.relative_to(ROOT) for path in (ROOT / "poreconv").rglob("*") if path.is_file()}
    expected = {path.as_posix() for path in files if "__pycache__" not in path.parts}

    assert {Path(name).suffix for name in expected} >= {".safetensors", ".onnx", ".npz", ".md", ".html", ".js", ".pyi"}
    assert differences(wheel.name, in_wheel(wheel), expected) == []


def test_the_metadata_name_nobody_and_no_address(metadata: Message) -> None:
    """Authors are the developers together, the licence is an SPDX expression, and what has no address names none."""
    assert metadata["Author"] == "The poreconv developers"
    assert metadata["License-Expression"] == "MIT"
    assert metadata.get_all("Project-URL") is None
    assert "Typing :: Typed" in metadata.get_all("Classifier", [])


def test_every_place_states_the_same_version(metadata: Message) -> None:
    """It is written in pyproject.toml; the package asks its metadata, and changelog and citation agree."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    entries = re.findall(r"^## \[(\S+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())

    assert poreconv.__version__ == metadata["Version"] == version
    assert entries[0] == (citation["version"], citation["date-released"])
    assert citation["version"] == version


def test_the_page_on_installing_is_up_to_date() -> None:
    """It names the version of torch that is pinned, wherever it names one, and each extra."""
    page = (ROOT / "docs" / "install.md").read_text()
    pinned = re.findall(r"^torch==.*", (ROOT / "scripts" / "constraints.txt").read_text(), re.MULTILINE)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]

    assert set(re.findall(r"torch==[\d.]+\d", page)) == set(pinned)
    assert [name for name in extras if not re.search(rf"^\|.*`{name}`.*\|.*\|$", page, re.MULTILINE)] == []


def test_missing_and_foreign_files_are_named() -> None:
    """Both kinds are listed, each with its place."""
    assert differences("a.whl", {"in_both", "foreign"}, {"in_both", "missing"}) == [
        "a.whl: missing is missing",
        "a.whl: foreign does not belong there",
    ]

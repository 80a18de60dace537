from dataclasses import dataclass
from pathlib import Path

import pytest

from poreconv.runtime import cache
from poreconv.runtime.processor import CPUINFO, Processor, processor


@dataclass(frozen=True)
class Known:
    """Something to remember."""

    name: str
    number: float


def test_what_is_remembered_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the folder that the user names, as JSON."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = cache.remembered("some/name.json", Known)
    cache.remember("some/name.json", Known("a", 0.5))

    assert before is None
    assert cache.remembered("some/name.json", Known) == Known("a", 0.5)
    assert (tmp_path / "cache" / "poreconv" / "some" / "name.json").is_file()
    assert cache.is_writable()


@pytest.mark.parametrize("text", ["", "{", '{"name": 1, "number": 2}', '{"name": "a"}', "\x00\xff"])
def test_what_is_damaged_is_forgotten(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there were nothing; it is written anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.remember("name.json", Known("a", 0.5))
    (tmp_path / "poreconv" / "name.json").write_text(text)

    assert cache.remembered("name.json", Known) is None


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    cache.remember("name.json", Known("a", 0.5))

    assert cache.remembered("name.json", Known) is None
    assert not cache.is_writable()


@pytest.mark.parametrize("named", ["", "relative/folder"])
def test_without_a_name_the_folder_is_at_home(named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path is ignored, as the standard has it: it would be another folder for each command."""
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert cache.cache_folder() == tmp_path / ".cache" / "poreconv"


def test_the_processor_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the first of the blocks that Linux writes for its cores."""
    block = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon: 8\nflags\t\t: fpu avx512_bf16\n"
    (tmp_path / "cpuinfo").write_text(f"{block}\n{block.replace('Xeon', 'Atom')}\n")
    monkeypatch.setattr("poreconv.runtime.processor.CPUINFO", tmp_path / "cpuinfo")
    found = processor()
    monkeypatch.setattr("poreconv.runtime.processor.CPUINFO", tmp_path / "none")

    assert found == Processor("GenuineIntel Xeon: 8", ("fpu", "avx512_bf16"), found.cores)
    assert processor().flags == ()
    assert CPUINFO.name == "cpuinfo"

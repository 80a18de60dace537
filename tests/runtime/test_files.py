from pathlib import Path

import pytest

from poreconv.runtime.files import Parts, fingerprint, sha256, whole_file


def test_a_whole_file_appears_at_the_end(tmp_path: Path) -> None:
    """Until the work is done the name does not exist, and afterwards nothing else does."""
    path = tmp_path / "new" / "out.json"
    with whole_file(path) as partial:
        partial.write_text("{}")
        assert not path.exists()

    assert path.read_text() == "{}"
    assert list(path.parent.iterdir()) == [path]


def _write_half(path: Path) -> None:
    with whole_file(path) as partial:
        partial.write_text("half")
        raise ZeroDivisionError


def test_an_error_leaves_the_old_file(tmp_path: Path) -> None:
    """Work that fails changes nothing and leaves nothing behind."""
    path = tmp_path / "out.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        _write_half(path)

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_parts_of_the_same_job_are_found_again(tmp_path: Path) -> None:
    """A killed job started again goes on from its pieces."""
    first = Parts(tmp_path / "out", {"files": [1, 2], "seed": 0})
    first.path(7, ".npy").write_text("done")
    again = Parts(tmp_path / "out", {"seed": 0, "files": [1, 2]})

    assert again.path(7, ".npy").read_text() == "done"


def test_parts_of_another_job_are_thrown_away(tmp_path: Path) -> None:
    """Pieces of other inputs or settings don't get into this job's output."""
    Parts(tmp_path / "out", {"seed": 0}).path(7, ".npy").write_text("done")
    other = Parts(tmp_path / "out", {"seed": 1})

    assert not other.path(7, ".npy").exists()


def test_parts_go_when_the_output_is_there(tmp_path: Path) -> None:
    """A finished job leaves its output only."""
    Parts(tmp_path / "out", {}).remove()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pieces", [0, 1])
def test_a_job_that_fails_leaves_what_is_worth_going_on_with(tmp_path: Path, pieces: int) -> None:
    """Its finished pieces stay; without any, nothing does."""
    parts = Parts(tmp_path / "out", {})
    for number in range(pieces):
        parts.path(number, ".npy").write_text("done")
    with pytest.raises(ValueError, match="broken"), parts:
        raise ValueError("broken")

    assert Parts.remain(tmp_path / "out") == bool(pieces)


def test_a_changed_file_has_another_fingerprint_and_hash(tmp_path: Path) -> None:
    """Size and time of change tell files apart cheaply, contents surely."""
    path = tmp_path / "a"
    path.write_text("one")
    before = fingerprint([path]), sha256([path])
    path.write_text("three")

    assert fingerprint([path]) != before[0]
    assert sha256([path]) != before[1]

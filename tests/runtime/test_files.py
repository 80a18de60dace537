from pathlib import Path

import pytest

from poreconv.runtime.files import JobFolder, fingerprint, sha256, whole_file


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


def test_results_of_the_same_command_are_found_again(tmp_path: Path) -> None:
    """A killed command that is run again resumes from its results."""
    first = JobFolder(tmp_path / "out", {"files": [1, 2], "seed": 0})
    first.path(7, ".npy").write_text("done")
    again = JobFolder(tmp_path / "out", {"seed": 0, "files": [1, 2]})

    assert again.path(7, ".npy").read_text() == "done"


def test_results_of_another_command_are_removed(tmp_path: Path) -> None:
    """Results of other inputs or settings do not get into this command's output."""
    JobFolder(tmp_path / "out", {"seed": 0}).path(7, ".npy").write_text("done")
    other = JobFolder(tmp_path / "out", {"seed": 1})

    assert not other.path(7, ".npy").exists()


def test_results_are_removed_when_the_output_is_complete(tmp_path: Path) -> None:
    """A finished command leaves its output only."""
    JobFolder(tmp_path / "out", {}).remove()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pieces", [0, 1])
def test_a_command_that_fails_leaves_results_to_resume_from(tmp_path: Path, pieces: int) -> None:
    """Its results stay; without any, nothing does."""
    folder = JobFolder(tmp_path / "out", {})
    (folder.folder / "out").write_text("the beginning of the output")
    for number in range(pieces):
        folder.path(number, ".npy").write_text("done")
    with pytest.raises(ValueError, match="broken"), folder:
        raise ValueError("broken")

    assert JobFolder.exists_for(tmp_path / "out") == bool(pieces)


def test_a_changed_file_has_another_fingerprint_and_hash(tmp_path: Path) -> None:
    """Size and time of change identify a file cheaply, contents reliably."""
    path = tmp_path / "a"
    path.write_text("one")
    before = fingerprint([path]), sha256([path])
    path.write_text("three")

    assert fingerprint([path]) != before[0]
    assert sha256([path]) != before[1]

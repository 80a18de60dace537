import errno
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from poreconv.errors import ConfigError, FormatError
from poreconv.runtime.files import fingerprint, sha256, whole_file
from poreconv.runtime.jobs import JobFolder, missing


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
    before = JobFolder(tmp_path / "out", {"seed": 0}).path(7, ".npy")
    before.write_text("done")
    other = JobFolder(tmp_path / "out", {"seed": 1})

    assert not before.exists()
    before.write_text("done late, by a worker that nobody has ended")
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


def test_a_change_of_equal_size_and_time_has_another_fingerprint(tmp_path: Path) -> None:
    """Its ends are read, too: editors and copies keep size and time."""
    path = tmp_path / "a"
    path.write_bytes(b"one" * 100_000)
    before, state = fingerprint([path]), path.stat()
    for place in (0, -3):
        data = bytearray(b"one" * 100_000)
        data[place] ^= 1
        path.write_bytes(data)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))

        assert fingerprint([path])[0][:3] == before[0][:3]
        assert fingerprint([path]) != before


def test_a_pipe_is_not_read_for_its_fingerprint(tmp_path: Path) -> None:
    """It could be read only once, and would never end if nobody writes into it."""
    os.mkfifo(tmp_path / "pipe")

    assert fingerprint([tmp_path / "pipe", tmp_path / "none"])[1] == [str(tmp_path / "none"), -1, -1, ""]


def test_an_error_names_the_file_as_it_was_typed(tmp_path: Path) -> None:
    """Not the temporary one that was being written."""
    path = tmp_path / "out.tsv"

    def write(kind: Callable[[Path], Exception]) -> None:
        with whole_file(path) as partial:
            raise kind(partial)

    with pytest.raises(FormatError, match=rf"^{path}: no$"):
        write(lambda partial: FormatError(f"{partial}: no"))
    with pytest.raises(OSError, match=rf"No space left on device: '{path}'$"):
        write(lambda partial: OSError(errno.ENOSPC, "No space left on device", str(partial)))


def test_a_finished_output_is_not_made_again(tmp_path: Path) -> None:
    """A command that was killed while it cleaned up is found finished; one that was killed before is not."""
    out, folder = tmp_path / "out", JobFolder(tmp_path / "out", {"seed": 0})
    joined = folder.folder / "out"
    joined.write_text("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobFolder, "remove", lambda _: None)  # killed before
        unfinished = folder.finished
        folder.publish(joined)

    assert not unfinished
    assert JobFolder(out, {"seed": 0}).finished
    out.write_text("other")
    assert not JobFolder(out, {"seed": 0}).finished


def test_what_exists_is_not_replaced_after_a_kill_of_another_command(tmp_path: Path) -> None:
    """Its left results belong to other settings, so it is not to be continued."""
    out, left = tmp_path / "out", JobFolder(tmp_path / "out", {"seed": 0})
    left.path(0, ".npy").write_text("done")
    out.write_text("whole")
    with pytest.raises(ConfigError, match=r"out: exists already; --overwrite replaces it"):
        JobFolder(out, {"seed": 1})

    assert left.path(0, ".npy").exists()
    assert not JobFolder(out, {"seed": 1}, anew=True).path(0, ".npy").exists()


def test_a_damaged_plan_counts_as_none(tmp_path: Path) -> None:
    """As a loss of power leaves it; its results are of nobody knows what."""
    left = JobFolder(tmp_path / "out", {"seed": 0})
    left.path(0, ".npy").write_text("done")
    (left.folder / "plan.json").write_bytes(bytes(10))

    assert not JobFolder(tmp_path / "out", {"seed": 0}).path(0, ".npy").exists()


@pytest.mark.parametrize("damage", [slice(0, None), slice(4, 40), slice(-8, -4)])
def test_damaged_results_are_made_again(tmp_path: Path, damage: slice) -> None:
    """Zeros in place of some bytes, or of all: one warning, and the job counts as not done."""
    good, bad, none = (tmp_path / f"{name}.parquet" for name in ("good", "bad", "none"))
    for path in (good, bad):
        with pq.ParquetWriter(
            path, pa.schema([("x", pa.int64())]), compression="none", write_page_checksum=True
        ) as file:
            file.write_table(pa.table({"x": [*range(100)]}))
    data = bytearray(bad.read_bytes())
    data[damage] = bytes(len(data[damage]))
    bad.write_bytes(data)
    with pytest.warns(UserWarning, match=rf"{bad}: damaged; made again"):
        assert missing([good, bad, none]) == {bad, none}

    assert not bad.exists()

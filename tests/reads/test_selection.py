from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from poreconv.config import FilesConfig
from poreconv.errors import ConfigError, FormatError
from poreconv.reads import pieces as module
from poreconv.reads.pieces import Job, plan_jobs, reads_of
from poreconv.reads.readers import open_reads
from poreconv.reads.selection import Selection
from poreconv.runtime.ledger import Ledger
from tests.support.signal_files import reads_made, write_multi


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three files of 2, 9 and 3 reads."""
    folder, made = tmp_path_factory.mktemp("files"), reads_made(14)
    for name, first, last in [("a", 0, 2), ("b", 2, 11), ("c", 11, 14)]:
        write_multi(folder / f"{name}.fast5", made[first:last])
    return sorted(folder.glob("*.fast5"))


IDS = [read.read_id for read in reads_made(14)]


def read_in_jobs(jobs: list[Job], selection: Selection, ledger: Ledger) -> list[str]:
    """Read all jobs; give the read ids in order."""
    taken = [reads_of(job, ledger, skip_bad_files=False, asked=selection.ids) for job in jobs]
    return [read.read_id for reads in taken for read in reads]


@pytest.mark.parametrize("limit", [None, 1, 2, 3, 5, 11, 14, 99])
@pytest.mark.parametrize("asked", [None, IDS[1:4] + IDS[12:], IDS[10:11], ["another"]], ids=["all", "6", "1", "none"])
def test_jobs_and_streams_have_the_same_reads(
    files: list[Path], asked: list[str] | None, limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first ones in file order of those that are asked for, however the files are cut into jobs."""
    selection = Selection(None if asked is None else frozenset(asked), limit)
    expected = [read_id for read_id in IDS if asked is None or read_id in asked][:limit]
    whole, cut, streamed = Ledger(), Ledger(), Ledger()
    in_one_job = read_in_jobs(plan_jobs(files, selection), selection, whole)
    monkeypatch.setattr(module, "JOB_BYTES", files[1].stat().st_size // 4)
    in_small_jobs = read_in_jobs(plan_jobs(files, selection), selection, cut)
    with open_reads(files, ledger=streamed, selection=selection) as stream:
        in_stream, listed = [read.read_id for read in stream], stream.read_ids

    assert in_one_job == in_small_jobs == in_stream == listed == expected
    assert whole == cut == streamed


def test_what_was_not_asked_for_is_counted(files: list[Path]) -> None:
    """Of files that were opened, their reads; of those after the last read, their number."""
    selection, ledger = Selection(frozenset(IDS[1:]), 4), Ledger(kept=4)

    assert read_in_jobs(plan_jobs(files, selection), selection, ledger) == IDS[1:5]
    assert ledger.summary() == "reads in 11 = kept 4 + dropped 7 (not_asked 7); files_not_opened 1"
    assert ledger.named == []


def test_files_after_the_limit_are_not_opened(files: list[Path], tmp_path: Path) -> None:
    """So that a run of thousands of files is tried in a moment; one that is bad does no harm."""
    bad = tmp_path / "z.fast5"
    bad.write_bytes(b"nothing")
    selection = Selection(None, 2)

    assert read_in_jobs(plan_jobs([*files, bad], selection), selection, Ledger()) == IDS[:2]
    with pytest.raises(FormatError, match=r"z\.fast5"):
        read_in_jobs(plan_jobs([bad, *files], selection), selection, Ledger())


@given(asked=st.sets(st.integers(0, 30)), n_reads=st.integers(0, 20), left=st.none() | st.integers(1, 25))
def test_positions_are_those_of_the_first_asked_reads(asked: set[int], n_reads: int, left: int | None) -> None:
    """In file order, and as many as are left."""
    selection = Selection(frozenset(f"{i}" for i in asked))

    assert (
        selection.positions([f"{i}" for i in range(n_reads)], left) == [i for i in range(n_reads) if i in asked][:left]
    )


@pytest.mark.parametrize(("text", "message"), [("", "contains no read id"), (None, "not a list of read ids")])
def test_a_list_that_is_no_list_is_an_error(tmp_path: Path, text: str | None, message: str) -> None:
    """An empty file, or none."""
    if text is not None:
        (tmp_path / "ids.txt").write_text(text)
    with pytest.raises(ConfigError, match=message):
        Selection.of(FilesConfig(read_ids=tmp_path / "ids.txt"))


def test_a_list_has_one_id_per_line(tmp_path: Path) -> None:
    """Empty lines and ends of lines of another system do not matter."""
    (tmp_path / "ids.txt").write_bytes(b"a\r\nb\n\nc")

    assert Selection.of(FilesConfig(read_ids=tmp_path / "ids.txt", limit=3)) == Selection(frozenset("abc"), 3)

from pathlib import Path

import pytest

from poreconv.errors import FormatError
from poreconv.reads import pieces as module
from poreconv.reads.pieces import Job, LastFile, Piece, plan_jobs, reads_of
from poreconv.reads.readers import Reader, open_file, open_reads
from poreconv.runtime.ledger import Ledger
from tests.support.signal_files import reads_made, write_multi


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Small files around a large one; job size is such that two small ones fit into one."""
    paths = [tmp_path / f"{name}.fast5" for name in "abcde"]
    for seed, path in enumerate(paths):
        write_multi(path, reads_made(12 if path.stem == "c" else 1, seed))
    return paths


@pytest.fixture
def small_jobs(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make jobs of a fifth of the large file."""
    size = files[2].stat().st_size
    monkeypatch.setattr(module, "JOB_BYTES", size // 5)


def ids(jobs: list[Job]) -> list[str]:
    """Read all jobs; give the read ids in order."""
    return [read.read_id for job in jobs for read in reads_of(job, Ledger(), skip_bad_files=False)]


def test_few_bytes_are_one_job(files: list[Path]) -> None:
    """Small files go together."""
    assert plan_jobs(files) == [tuple(Piece(path) for path in files)]
    assert plan_jobs([]) == []


@pytest.mark.usefixtures("small_jobs")
def test_jobs_hold_every_read_once_in_the_order_of_the_files(files: list[Path]) -> None:
    """However files are grouped and cut, the result has the order of the input."""
    with open_reads(files) as reads:
        expected = [read.read_id for read in reads]

    assert ids(plan_jobs(files)) == expected
    assert len(plan_jobs(files)) >= 6


@pytest.mark.usefixtures("small_jobs")
def test_the_same_files_give_the_same_jobs(files: list[Path]) -> None:
    """A command that is resumed finds its own results."""
    assert plan_jobs(files) == plan_jobs(files)


@pytest.mark.usefixtures("small_jobs")
def test_pieces_of_a_large_file_have_about_the_size_of_a_job(files: list[Path]) -> None:
    """A fifth of the file each: two reads of twelve."""
    pieces = [job[0] for job in plan_jobs([files[2]])]

    assert [(piece.first, piece.last) for piece in pieces] == [(at, at + 2) for at in range(0, 12, 2)]


@pytest.mark.usefixtures("small_jobs")
def test_a_large_bad_file_is_one_piece_and_fails_in_its_turn(tmp_path: Path) -> None:
    """Whether that stops the command is decided where files are read."""
    (tmp_path / "bad.fast5").write_bytes(b"nothing" * 100_000)
    (job,) = plan_jobs([tmp_path / "bad.fast5"])
    ledger = Ledger()

    with pytest.raises(FormatError, match=r"bad\.fast5"):
        list(reads_of(job, ledger, skip_bad_files=False))
    assert list(reads_of(job, ledger, skip_bad_files=True)) == []
    assert [Path(bad.source).name for bad in ledger.bad_files] == ["bad.fast5"]


def test_a_link_to_nothing_fails_in_its_turn(tmp_path: Path) -> None:
    """As git-annex leaves for files that it has not fetched."""
    (tmp_path / "gone.fast5").symlink_to("nowhere")
    (job,) = plan_jobs([tmp_path / "gone.fast5"])

    with pytest.raises(FormatError, match="no such file"):
        list(reads_of(job, Ledger(), skip_bad_files=False))


def test_bad_reads_of_a_piece_are_counted(tmp_path: Path) -> None:
    """As they are when a file is read whole."""
    write_multi(tmp_path / "r.fast5", [*reads_made(2), *reads_made(1, 7, adc=reads_made(1)[0].adc[:0])])
    ledger = Ledger()
    kept = list(reads_of((Piece(tmp_path / "r.fast5", 0, 9),), ledger, skip_bad_files=False))

    assert len(kept) == 2
    assert dict(ledger.counts) == {"empty": 1}


@pytest.mark.usefixtures("small_jobs")
def test_a_file_stays_open_for_its_next_piece(files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reads are indexed once, and are the same as without."""
    opened: list[Path] = []

    def counted(path: Path, ledger: Ledger) -> Reader:
        opened.append(path)
        return open_file(path, ledger)

    monkeypatch.setattr(module, "open_file", counted)
    jobs = [job for job in plan_jobs(files) if job[0].last is not None]
    expected, n_opened = ids(jobs), len(opened)
    with LastFile() as last_file:
        got = [
            read.read_id for job in jobs for read in reads_of(job, Ledger(), skip_bad_files=False, last_file=last_file)
        ]

    assert got == expected
    assert opened[n_opened:] == [files[2]]


def test_the_last_file_is_closed(files: list[Path]) -> None:
    """When another one is opened, and at the end."""
    with LastFile() as last_file:
        first = last_file.open(files[0])
        second = last_file.open(files[1])
        assert last_file.open(files[1]) is second
        assert not first._file.handle  # type: ignore[attr-defined]  # false: a closed HDF5 file

    assert not second._file.handle  # type: ignore[attr-defined]

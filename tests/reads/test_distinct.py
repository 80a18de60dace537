"""Reads that turn up several times: each record is counted, each id is used once."""

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.errors import ReadDropped
from poreconv.reads import pieces
from poreconv.reads.distinct import JobLedger, JoinedJobs, first_of_each
from poreconv.reads.pieces import plan_jobs, reads_of
from poreconv.reads.read import Calibration, Read
from poreconv.reads.readers import open_file, open_reads
from poreconv.reads.selection import Selection
from poreconv.runtime.ledger import NOT_ASKED, Ledger
from tests.support.signal_files import WRITERS, reads_made, write_old_single

REPEATING = [".pod5", ".slow5", ".blow5"]
"""Formats whose writers put one id twice into a file."""


UNDIVIDED = Calibration(10.0, 1437.5)
"""Makes a record unusable in every format."""


def record_of(number: int, length: int, *, usable: bool = True) -> Read:
    """A record of read ``number``, known by its length."""
    fields = {} if usable else {"calibration": UNDIVIDED}
    return reads_made(1, number, adc=np.arange(length, dtype=np.int16), **fields)[0]


def joined(paths: list[Path], selection: Selection) -> tuple[list[Read], Ledger]:
    """Read jobs one by one, as processes that know nothing of each other do, and join them."""
    reads, jobs = list[Read](), JoinedJobs()
    for job in plan_jobs(paths, selection):
        ledger = JobLedger()
        found = list(ledger.distinct(reads_of(job, ledger.reading, skip_bad_files=False, asked=selection.ids)))
        again = jobs.add(ledger, [read.read_id for read in found])
        reads += [read for read in found if read.read_id not in again]
    return reads, jobs.ledger


@pytest.mark.parametrize("form", REPEATING)
def test_every_record_of_an_id_has_a_number(form: str, tmp_path: Path) -> None:
    """Random access finds each record by its number, and by id the first one."""
    records = [record_of(1, 50), record_of(2, 60), record_of(1, 70), record_of(1, 80)]
    WRITERS[form](tmp_path / f"x{form}", records)
    with open_file(tmp_path / f"x{form}", Ledger()) as reader:
        assert len(reader) == 4
        assert list(reader.read_ids) == [record.read_id for record in records]
        assert [len(reader.record(number).adc) for number in (3, 2, 1, 0)] == [80, 70, 60, 50]
        assert len(reader[records[0].read_id].adc) == 50
        assert [len(read.adc) for read in reader] == [50, 60, 70, 80]


RECORDS = st.tuples(st.integers(0, 4), st.integers(1, 40), st.booleans())
"""Number of the read, length, and whether it is usable."""


@given(
    files=st.lists(st.lists(RECORDS, min_size=1, max_size=8), max_size=4),
    form=st.sampled_from(REPEATING),
    asked=st.none() | st.frozensets(st.integers(0, 4), min_size=1),
    job_bytes=st.sampled_from([1, 2000, 1 << 20]),
)
@settings(max_examples=40, deadline=None)
def test_streams_and_jobs_count_and_use_the_same_records(
    tmp_path_factory: pytest.TempPathFactory,
    files: list[list[tuple[int, int, bool]]],
    form: str,
    asked: frozenset[int] | None,
    job_bytes: int,
) -> None:
    """However records are spread over files, and files over jobs: the first usable record of each id, and the sums."""
    folder = tmp_path_factory.mktemp("files")
    usable = [(number, length) for records in files for number, length, is_usable in records if is_usable]
    usable = [record for record in usable if asked is None or record[0] in asked]
    expected = dict(reversed(usable))
    paths = [folder / f"{place}{form}" for place in range(len(files))]
    for path, records in zip(paths, files, strict=True):
        WRITERS[form](path, [record_of(number, length, usable=is_usable) for number, length, is_usable in records])
    ids = {number: record_of(number, 1).read_id for number in range(5)}
    selection = Selection(None if asked is None else frozenset(ids[number] for number in asked))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "JOB_BYTES", job_bytes)
        in_jobs, of_jobs = joined(paths, selection)
    of_stream = Ledger()
    if paths:
        with open_reads(paths, ledger=of_stream, selection=selection) as stream:
            in_stream = list(stream)
        of_stream.kept = len(in_stream)

        assert [(read.read_id, len(read.adc)) for read in in_stream] == [(r.read_id, len(r.adc)) for r in in_jobs]
    assert {read.read_id: len(read.adc) for read in in_jobs} == {ids[n]: length for n, length in expected.items()}
    assert (of_jobs.reads_in, of_jobs.kept) == (sum(map(len, files)), len(expected))
    assert of_jobs.counts["duplicate"] == len(usable) - len(expected)
    assert (of_jobs.kept, dict(of_jobs.counts)) == (of_stream.kept, dict(of_stream.counts))


def test_what_a_job_found_out_about_a_repeated_read_is_taken_out() -> None:
    """A read that two jobs drop for want of a label counts once as that, and once as a duplicate."""
    reads, jobs = reads_made(3), JoinedJobs()
    for _ in range(2):
        ledger = JobLedger()
        for read in ledger.distinct(reads):
            if read is reads[0]:
                error = ReadDropped("no label", reason="no_label")
                ledger.analysis.drop(error, read_id=read.read_id, source=read.source)
        jobs.add(ledger, [read.read_id for read in reads[1:]])

    assert (jobs.ledger.kept, dict(jobs.ledger.counts)) == (2, {"no_label": 1, "duplicate": 3})
    assert len([drop for drop in jobs.ledger.named if drop.reason == "no_label"]) == 1


def test_an_unusable_record_does_not_use_up_its_id(tmp_path: Path) -> None:
    """The first record that can be read is used, although random access by id leads to the first of all."""
    records = [record_of(1, 60, usable=False), record_of(1, 70), record_of(1, 80)]
    WRITERS[".pod5"](tmp_path / "x.pod5", records)
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        [read] = stream

    assert len(read.adc) == 70
    assert dict(ledger.counts) == {"bad_calibration": 1, "duplicate": 1}


def test_duplicates_are_named_with_their_file() -> None:
    """The message contains file, read, and which record is used."""
    [read] = reads_made(1)
    ledger = Ledger()
    list(first_of_each([read, replace(read, source=Path("again.pod5"))], ledger))

    assert ledger.named[0].detail == f"again.pod5: read {read.read_id}: duplicate id; the first record is used"


def test_records_that_are_not_asked_for_are_counted_one_by_one(tmp_path: Path) -> None:
    """Also those that repeat an id."""
    records = [record_of(1, 50), record_of(2, 60), record_of(2, 70)]
    WRITERS[".pod5"](tmp_path / "x.pod5", records)
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger, selection=Selection(frozenset([records[0].read_id]))) as stream:
        assert len(list(stream)) == 1

    assert dict(ledger.counts) == {NOT_ASKED: 2}


def test_an_old_fast5_with_several_records_of_one_id(tmp_path: Path) -> None:
    """Single-read files of early versions may hold several; none is passed over in silence."""
    first, second = record_of(1, 50), record_of(1, 60)
    write_old_single(tmp_path / "x.fast5", first)
    with h5py.File(tmp_path / "x.fast5", "r+") as file:
        file.copy(f"Raw/Reads/Read_{first.read_number}", "Raw/Reads/Read_99999")
        del file["Raw/Reads/Read_99999/Signal"]
        file["Raw/Reads/Read_99999"].create_dataset("Signal", data=second.adc)
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as stream:
        [read] = stream

    assert len(read.adc) == 50
    assert dict(ledger.counts) == {"duplicate": 1}

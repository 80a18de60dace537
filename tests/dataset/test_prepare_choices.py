from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ont_fast5_api.multi_fast5 import MultiFast5File

from poreconv.config import FilterConfig, PrepareConfig, SourceConfig, TruthConfig, WorkConfig, from_flat
from poreconv.dataset.prepare import prepare
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, StoreError
from poreconv.labels.opening import SourceChoice, choose_labels, opened
from tests.support.labels import add_tombo, bam_record, read_of, write_bam
from tests.support.signal_files import reads_made, write_multi
from tests.support.stores import STEP, prepare_in, prepared, steps


def two_sources(folder: Path) -> tuple[list[str], Store]:
    """Prepare two reads: the first has a resquiggle in its file and a row in the table, the second the row alone."""
    reads = reads_made(2)
    write_multi(folder / "reads.fast5", reads)
    with MultiFast5File(str(folder / "reads.fast5"), "a") as file:
        add_tombo(file.get_read(reads[0].read_id), [(0, 5, "A"), (5, 4, "C")], first=18)
    (folder / "labels.tsv").write_text(steps(reads))
    store = prepare(
        [folder / "reads.fast5"],
        labels=["tombo", "intervals"],
        labels_from=[folder / "labels.tsv"],
        out=folder / "store",
        config=PrepareConfig(work=WorkConfig(workers=1)),
    )
    return [read.read_id for read in reads], store


def test_the_first_source_with_a_label_counts(tmp_path: Path) -> None:
    """A read with both kinds of labels gets those of the source named first; a read with one kind gets that."""
    _, store = two_sources(tmp_path)

    assert np.flatnonzero(store.read_target(0) == 1).tolist() == [18, 23]
    assert np.flatnonzero(store.read_target(1) == 1)[:3].tolist() == [0, STEP, 2 * STEP]


def test_the_ledger_counts_which_source_labelled(tmp_path: Path) -> None:
    """The reads of each source are counted, and the store names all sources."""
    _, store = two_sources(tmp_path)

    assert store.info.ledger.notes == {"labelled_by_intervals": 1, "labelled_by_tombo": 1}
    assert store.info.labels == ("tombo", "intervals")


def test_a_store_names_the_truth_as_the_user_does(tmp_path: Path) -> None:
    """The recipe of a model takes it over, and its card."""
    reads = reads_made(2)
    write_multi(tmp_path / "reads.fast5", reads)
    (tmp_path / "labels.tsv").write_text(steps(reads))
    config = PrepareConfig(truth=TruthConfig(truth_name="typed by hand"), work=WorkConfig(workers=1))
    store = prepare(
        [tmp_path / "reads.fast5"],
        labels="intervals",
        labels_from=[tmp_path / "labels.tsv"],
        out=tmp_path / "store",
        config=config,
    )

    assert store.info.labels == ("typed by hand",)


def test_notes_of_every_source_are_kept(tmp_path: Path) -> None:
    """A source's own notes, such as second records of a read, are kept when there are several sources."""
    record = bam_record("r1", "ACT", mv=[5, 1, 1, 1], ts=10, flag=0)
    second = bam_record("r1", "ACT", mv=[5, 1, 1, 1], ts=10, flag=256)
    bam = write_bam(tmp_path / "r.bam", record, second)
    with opened(choose_labels(["tombo", "bam_moves"], [bam]), SourceConfig()) as source:
        source.events(read_of("r1"))

    assert source.notes == {"other_records": 1, "labelled_by_bam_moves": 1}


def test_files_find_their_source_by_name() -> None:
    """Where two sources read files, each file is given with its source's name; where one does, it need not be."""
    two = choose_labels(["resquiggle_paf", "intervals"], ["intervals=a=b.tsv", "resquiggle_paf=x.paf"])

    assert two == (SourceChoice("resquiggle_paf", (Path("x.paf"),)), SourceChoice("intervals", (Path("a=b.tsv"),)))
    one = choose_labels(["tombo", "intervals"], ["a.tsv"])
    assert one == (SourceChoice("tombo"), SourceChoice("intervals", (Path("a.tsv"),)))


@pytest.mark.parametrize(
    ("names", "given", "message"),
    [
        (["resquiggle_paf", "intervals"], ["x.paf"], "name the source, as in resquiggle_paf=x"),
        (["tombo", "tombo"], [], "name each source once"),
        (["tombo"], ["x.paf"], "leave out --labels_from"),
        (["tombo", "nonesuch"], [], "'nonesuch' is not known"),
    ],
)
def test_files_without_a_clear_source_are_refused(names: list[str], given: list[str], message: str) -> None:
    """A file that fits no source, or more than one, is an error; the message shows what to write."""
    with pytest.raises(ConfigError, match=message), opened(choose_labels(names, given), SourceConfig()):
        pass


@pytest.mark.parametrize(
    ("keep", "reason"),
    [
        ({"min_samples": 10**9}, "too_short"),
        ({"max_samples": 10}, "too_long"),
        ({"min_labelled": 0.5}, "little_labelled"),
    ],
)
def test_a_filtered_read_is_dropped_by_name(tmp_path: Path, keep: dict[str, Any], reason: str) -> None:
    """Each filter drops the read that it is for, and leaves the other."""
    kept, other = reads_made(1, 0)[0], reads_made(1, 1)[0]
    table = steps([kept]) + f"{other.read_id}\t0\t9\tA\n"
    limits = {
        "min_samples": min(len(kept.adc), len(other.adc)) + 1,
        "max_samples": min(len(kept.adc), len(other.adc)),
        "min_labelled": 0.5,
    }
    [name] = keep
    store = prepared(tmp_path / "in", [kept, other], table, filter=FilterConfig(**{name: limits[name]}))

    assert store.info.ledger.counts == {reason: 1}
    assert len(store) == 1


def test_reads_that_are_not_asked_for_are_counted(tmp_path: Path) -> None:
    """A list of ids chooses the reads of a store; changing the list makes another store."""
    asked, other = reads_made(2)
    ids = tmp_path / "ids.txt"
    ids.write_text(f"{asked.read_id}\n")
    store = prepared(tmp_path / "in", [asked, other], steps([asked, other]), read_ids=ids)
    ids.write_text(f"{other.read_id}\n")

    assert store.text("read_id") == [asked.read_id]
    assert store.info.ledger.counts == {"not_asked": 1}
    with pytest.raises(StoreError, match="made from other reads, labels or settings"):
        prepare_in(tmp_path / "in", "store", read_ids=ids)


def test_moves_with_margins_leave_no_boundary(tmp_path: Path) -> None:
    """So a store of boundaries is refused before any read is read; one of bases is not."""
    write_multi(tmp_path / "reads.fast5", reads_made(1))
    config = from_flat(PrepareConfig, {"move_margin": True, "workers": 1})

    with pytest.raises(ConfigError, match="move_margin: leaves no boundary for task boundary"):
        prepare([tmp_path / "reads.fast5"], labels="fast5_moves", out=tmp_path / "store", config=config)

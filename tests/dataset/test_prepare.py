from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ont_fast5_api.multi_fast5 import MultiFast5File

from poreconv.config import IGNORE, PrepareConfig, SplitConfig, WorkConfig
from poreconv.dataset import prepare as preparation
from poreconv.dataset.splits import split_of
from poreconv.dataset.store import Store
from poreconv.errors import ConfigError, FormatError, PoreconvError, StoreError
from poreconv.reads import pieces as jobs
from poreconv.reads.read import Read
from poreconv.runtime.ledger import Ledger
from tests.support.labels import add_tombo, fast5
from tests.support.signal_files import reads_made, write_multi, write_single
from tests.support.stores import contents, prepare_in, prepared, steps

HEADER = "read_id\tstart\tend\tlabel\n"


def ledger_of(store: Store) -> Ledger:
    """Return the ledger in a store."""
    return store.info.ledger


def with_tombo(folder: Path, reads: list[Read]) -> list[Path]:
    """Write reads one file each, with a base each 9 samples from the 18th on, as ``tombo resquiggle`` does."""
    files = []
    for read in reads:
        path = folder / f"{read.read_id}.fast5"
        write_multi(path, [read])
        with MultiFast5File(str(path), "a") as file:
            rows = [(start, 9, "ACGT"[i % 4]) for i, start in enumerate(range(0, len(read.adc) - 27, 9))]
            add_tombo(file.get_read(read.read_id), rows, first=18)
        files.append(path)
    return files


@pytest.mark.parametrize("task", ["boundary", "base", "segment"])
def test_tombo_goes_the_whole_way(tmp_path: Path, task: Any) -> None:
    """Files with a resquiggle in them become counts and targets."""
    reads = reads_made(3)
    files = with_tombo(tmp_path, reads)
    config = PrepareConfig(task=task, work=WorkConfig(workers=1))
    store = preparation.prepare(files, labels="tombo", out=tmp_path / "store", config=config)

    assert len(store) == 3
    for row, read in enumerate(reads):
        target = store.read_target(row)
        np.testing.assert_array_equal(store.read(row).adc, read.adc)
        assert (target[:18] == IGNORE).all()
        assert (target[-9:] == IGNORE).all()
        expected = (
            (np.arange(len(read.adc) - 27) % 9 == 0) if task == "boundary" else np.arange(len(target) - 27) // 9 % 4
        )
        np.testing.assert_array_equal(target[18:-9], expected)


def test_reads_in_are_reads_kept_and_dropped(tmp_path: Path) -> None:
    """Every reason for a drop has its name, and the numbers add up."""
    good, flat, empty, unlabelled, outside, overlapping = [r for seed in range(6) for r in reads_made(1, seed)]
    flat, empty = reads_made(1, 1, adc=np.full(90, 7, np.int16))[0], reads_made(1, 2, adc=np.zeros(0, np.int16))[0]
    (tmp_path / "in").mkdir()
    write_multi(tmp_path / "in" / "a.fast5", [good, flat, empty, unlabelled, outside, overlapping])
    write_single(tmp_path / "in" / "b.fast5", good)
    misfits = f"{outside.read_id}\t0\t99999999\tA\n{overlapping.read_id}\t0\t9\tA\n{overlapping.read_id}\t5\t20\tC\n"
    (tmp_path / "in" / "labels.tsv").write_text(steps([good, flat, empty]) + misfits)
    ledger = ledger_of(prepare_in(tmp_path / "in"))

    assert ledger.reads_in == 7
    assert ledger.kept == 1
    assert dict(ledger.counts) == {
        "flat": 1, "empty": 1, "no_label": 1, "label_outside_signal": 1, "label_order": 1, "duplicate": 1,
    }  # fmt: skip
    assert {drop.read_id for drop in ledger.named if drop.reason == "duplicate"} == {good.read_id}


def test_of_two_records_of_a_read_the_first_file_wins(tmp_path: Path) -> None:
    """In the order of the input, also where a large file is cut and small ones are grouped."""
    first, again = reads_made(1, 1)[0], reads_made(1, 1, adc=reads_made(1, 5)[0].adc)[0]
    write_multi(tmp_path / "a.fast5", [first])
    write_multi(tmp_path / "b.fast5", [*reads_made(9, 2), again])
    (tmp_path / "labels.tsv").write_text(f"{HEADER}{first.read_id}\t0\t9\tA\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "JOB_BYTES", (tmp_path / "b.fast5").stat().st_size // 2)
        store = prepare_in(tmp_path)

    np.testing.assert_array_equal(store.read(0).adc, first.adc)
    assert ledger_of(store).counts["duplicate"] == 1


def test_the_number_of_workers_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One process or two, the store is the same byte for byte."""
    for seed in range(4):
        write_multi(tmp_path / f"{seed}.fast5", reads_made(5, seed))
    reads = [read for seed in range(4) for read in reads_made(5, seed)]
    (tmp_path / "labels.tsv").write_text(steps(reads))
    monkeypatch.setattr(jobs, "JOB_BYTES", (tmp_path / "1.fast5").stat().st_size)
    one = prepare_in(tmp_path, "one", workers=1)
    two = prepare_in(tmp_path, "two", workers=2)

    assert contents(one.path) == contents(two.path)
    assert one.text("read_id") == [read.read_id for read in reads]


def test_the_same_preparation_again_changes_nothing(tmp_path: Path) -> None:
    """The store is there, so it is opened."""
    prepared(tmp_path, reads_made(3))
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "store").iterdir()}
    prepare_in(tmp_path, workers=2)

    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "store").iterdir()} == before


@pytest.mark.parametrize("settings", [{"task": "base"}, {"split": SplitConfig(seed=1)}, {"outside": "background"}])
def test_another_preparation_does_not_touch_a_store(tmp_path: Path, settings: dict[str, Any]) -> None:
    """Other settings under the same name are refused."""
    before = contents(prepared(tmp_path, reads_made(3)).path)
    with pytest.raises(StoreError, match="exists already, made from other reads, labels or settings; --overwrite"):
        prepare_in(tmp_path, **settings)

    assert contents(tmp_path / "store") == before


def test_a_folder_that_is_no_store_is_not_touched(tmp_path: Path) -> None:
    """Its contents stay as they are."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "thesis.tex").write_text("years of work")
    with pytest.raises(StoreError, match=r"exists already, and is not a usable store .*; --overwrite"):
        prepared(tmp_path, reads_made(1))

    assert contents(tmp_path / "store") == {"thesis.tex": b"years of work"}


def test_a_finished_preparation_leaves_its_store_only(tmp_path: Path) -> None:
    """Also if it was killed just before it tidied up."""
    prepared(tmp_path, reads_made(2))
    (tmp_path / ".store.parts").mkdir()
    prepare_in(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.tsv", "reads.fast5", "store"]


def test_changed_labels_are_read_anew(tmp_path: Path) -> None:
    """A table that is corrected and prepared again in the same process is read again."""
    read = reads_made(1)[0]
    prepared(tmp_path, [read], f"{HEADER}{read.read_id}\t0\t9\tA\n")
    (tmp_path / "labels.tsv").write_text(f"{HEADER}{read.read_id}\t9\t45\tA\n")
    store = prepare_in(tmp_path, "corrected")

    assert store.column("first_labelled").tolist() == [9]


def test_files_are_closed_afterwards(tmp_path: Path) -> None:
    """They can be written to again, which HDF5 refuses while they are open."""
    (path,) = with_tombo(tmp_path, reads_made(1))
    preparation.prepare(
        [path], labels="tombo", out=tmp_path / "store", config=PrepareConfig(work=WorkConfig(workers=1))
    )

    with MultiFast5File(str(path), "a") as file:
        assert len(file.get_read_ids()) == 1


@pytest.mark.parametrize(
    ("by", "key"), [("run", lambda read: read.run_id), ("channel", lambda read: (read.run_id, read.channel))]
)
def test_what_belongs_together_is_not_split(tmp_path: Path, by: Any, key: Callable[[Read], Any]) -> None:
    """All reads of a sequencing run, or of a channel of one, are in one split."""
    reads = [read for seed in range(12) for read in reads_made(3, seed, run_id=f"run{seed}", channel=seed % 3)]
    store = prepared(tmp_path, reads, split=SplitConfig(by=by, test=0.4, validation=0.2))
    sides = {(key(read), split) for read, split in zip(reads, store.text("split"), strict=True)}

    assert len(sides) == len({key(read) for read in reads}) == 12
    assert {split for _, split in sides} == {"train", "validation", "test"}


def test_splits_are_the_rules(tmp_path: Path) -> None:
    """A store's splits are those that the leak guard computes."""
    store = prepared(tmp_path, reads_made(12))
    rule = [split_of(store.info.split, read_id=name, run_id="", channel=0) for name in store.text("read_id")]

    assert store.text("split") == rule


@pytest.mark.parametrize("seed", range(5))
def test_three_reads_are_enough(tmp_path: Path, seed: int) -> None:
    """One trains, one validates, one tests; the reads that are moved to make it so are listed."""
    store = prepared(tmp_path, reads_made(3, seed))
    rule = {name: split_of(store.info.split, read_id=name, run_id="", channel=0) for name in store.text("read_id")}
    splits = dict(zip(store.text("read_id"), store.text("split"), strict=True))

    assert sorted(splits.values()) == ["test", "train", "validation"]
    assert {name: split for name, split in splits.items() if split != rule[name]} == store.info.moved
    assert [store.info.counts[split]["reads"] for split in ("train", "validation", "test")] == [1, 1, 1]


def test_runs_are_moved_whole(tmp_path: Path) -> None:
    """Where reads are split by run, what is moved and listed is a run, with all its reads, whatever job they are in."""
    runs = ["run0", "run1", "run2"]
    reads = [read for seed, run in enumerate(runs) for read in reads_made(3, seed, run_id=run)]
    split = next(
        rule
        for rule in (SplitConfig(by="run", seed=seed) for seed in range(99))
        if {split_of(rule, read_id="", run_id=run, channel=0) for run in runs} == {"train"}
    )
    store = prepared(tmp_path, [*reads[::2], *reads[1::2]], split=split)
    splits = dict(zip(store.text("run_id"), store.text("split"), strict=True))

    assert len(set(zip(store.text("run_id"), store.text("split"), strict=True))) == 3
    assert {run: split for run, split in splits.items() if split != "train"} == store.info.moved
    assert len(store.info.moved) == 2


def test_nothing_is_moved_where_no_split_is_empty(tmp_path: Path) -> None:
    """The rule alone decides."""
    assert prepared(tmp_path, reads_made(30)).info.moved == {}


def test_a_dropped_record_does_not_fill_a_split(tmp_path: Path) -> None:
    """Of two records of a read in different runs the second, which is dropped, counts for no split."""
    split = SplitConfig(by="run", validation=0.0, test=0.5)
    runs = {split_of(split, read_id="", run_id=f"run{i}", channel=0): f"run{i}" for i in range(9)}
    reads = [reads_made(1, seed, run_id=f"{seed}") for seed in range(40)]
    training = [r for [r] in reads if split_of(split, read_id="", run_id=r.run_id, channel=0) == "train"][:3]
    write_multi(tmp_path / "a.fast5", training)
    write_multi(tmp_path / "b.fast5", [replace(training[0], run_id=runs["test"])])
    (tmp_path / "labels.tsv").write_text(steps(training))
    store = prepare_in(tmp_path, split=split)

    assert ledger_of(store).counts == {"duplicate": 1}
    assert Counter(store.text("split")) == {"train": 2, "test": 1}


def test_an_outside_class_makes_two_of_one(tmp_path: Path) -> None:
    """Beats typed by hand are enough for segments of beat and background."""
    read = reads_made(1)[0]
    store = prepared(tmp_path, [read], f"{HEADER}{read.read_id}\t30\t50\tbeat\n", task="segment", outside="background")

    assert store.info.classes == ("background", "beat")
    np.testing.assert_array_equal(store.read_target(0), between(read, 30, 50))


def between(read: Read, start: int, end: int) -> np.ndarray:
    """Return 1 in ``[start, end)`` and 0 elsewhere."""
    place = np.arange(len(read.adc))
    return ((place >= start) & (place < end)).astype(np.int8)


def test_segments_need_two_classes(tmp_path: Path) -> None:
    """The message names the option that adds a class."""
    read = reads_made(1)[0]

    with pytest.raises(ConfigError, match="try --outside background"):
        prepared(tmp_path, [read], f"{HEADER}{read.read_id}\t30\t50\tbeat\n", task="segment")


def test_bases_need_a_sequence(tmp_path: Path) -> None:
    """Labels without one are refused before any file is read."""
    reads = reads_made(1)

    with pytest.raises(ConfigError, match="task base: these labels contain no bases"):
        prepared(tmp_path, reads, steps(reads, ["step", "other"]), task="base")
    assert not (tmp_path / ".store.parts").exists()


@pytest.mark.parametrize(("task", "ignored"), [("boundary", 230), ("base", 230), ("segment", 0)])
def test_stuck_events_are_ignored(tmp_path: Path, task: Any, ignored: int) -> None:
    """Longer than 25 median dwells; a region may be that long."""
    read = reads_made(1, adc=np.random.default_rng(0).integers(0, 900, 500).astype(np.int16))[0]
    edges = [*range(0, 270, 9), 270, 500]
    rows = [f"{read.read_id}\t{a}\t{b}\t{'ACGT'[i % 4]}" for i, (a, b) in enumerate(pairwise(edges)) if b > a]
    store = prepared(tmp_path, [read], HEADER + "\n".join(rows) + "\n", task=task)

    assert store.info.median_dwell == 9
    assert store.info.longest_event == (None if task == "segment" else 225)
    assert (store.read_target(0) == IGNORE).sum() == ignored


def test_only_labelled_samples_are_known(tmp_path: Path) -> None:
    """The rest of a read is there, and ignored."""
    read = reads_made(1)[0]
    rows = f"{read.read_id}\t40\t49\tA\n{read.read_id}\t60\t70\tC\n"
    target = prepared(tmp_path, [read], HEADER + rows).read_target(0)

    assert np.flatnonzero(target != IGNORE).tolist() == [*range(40, 49), *range(60, 70)]
    assert np.flatnonzero(target == 1).tolist() == [40, 60]


def test_a_bad_file_stops(tmp_path: Path) -> None:
    """And there is no store."""
    (tmp_path / "bad.fast5").write_text("no fast5")
    with pytest.raises(FormatError, match=r"bad\.fast5: its content is not fast5; it looks like text"):
        prepared(tmp_path, reads_made(2))

    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_bad_file_is_skipped_if_asked_for(tmp_path: Path, workers: int) -> None:
    """A text file, and a broken link; the ledger names both."""
    (tmp_path / "bad.fast5").write_text("no fast5")
    (tmp_path / "gone.fast5").symlink_to("nowhere")
    store = prepared(tmp_path, reads_made(2), skip_bad_files=True, workers=workers)

    assert len(store) == 2
    assert [Path(bad.source).name for bad in ledger_of(store).bad_files] == ["bad.fast5", "gone.fast5"]


def test_no_read_kept_is_an_error(tmp_path: Path) -> None:
    """With the reasons in it, and no store."""
    reasons = r"reads in 2 = kept 0 \+ dropped 2 \(no_label 2\); see poreconv explain no_label"
    with pytest.raises(StoreError, match=f"no read was kept.*{reasons}"):
        prepared(tmp_path, reads_made(2), f"{HEADER}other\t0\t9\tA\n")

    assert not (tmp_path / "store").exists()


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a missing file": ({"paths": ["missing.fast5"]}, r"missing\.fast5: no such file"),
    "an empty folder": ({"paths": ["."]}, "no signal file in this folder"),
    "an unknown source": ({"labels": "wishes"}, "label source 'wishes' is not known"),
    "no table": ({"labels": "intervals"}, "give it with --labels_from"),
    "a table that is not there": ({"labels": "intervals", "labels_from": ["x.tsv"]}, r"x\.tsv: no such file"),
    "a table too many": ({"labels_from": ["x.tsv"]}, "leave out --labels_from"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_one_line(tmp_path: Path, what: str) -> None:
    """The message contains a remedy, and nothing is left behind."""
    wrong, message = MISTAKES[what]
    settings = {"paths": ["r.fast5"], "labels": "tombo", "labels_from": [], **wrong}
    if "folder" not in what:
        write_multi(tmp_path / "r.fast5", reads_made(1))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PoreconvError, match=message):
        preparation.prepare(
            [tmp_path / path for path in settings["paths"]],
            labels=settings["labels"],
            labels_from=[tmp_path / path for path in settings["labels_from"]],
            out=tmp_path / "store",
        )

    assert sorted(tmp_path.iterdir()) == before


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    """It only grows, and ends at 1."""
    with fast5(tmp_path / "r.fast5", "r1") as (read,):
        add_tombo(read, [(0, 9, "A")], first=0)
    write_multi(tmp_path / "s.fast5", reads_made(1))
    (tmp_path / "labels.tsv").write_text(steps(reads_made(1)))
    shares: list[float] = []
    preparation.prepare(
        [tmp_path],
        labels="intervals",
        labels_from=[tmp_path / "labels.tsv"],
        out=tmp_path / "store",
        config=PrepareConfig(work=WorkConfig(workers=1)),
        progress=lambda share, *_: shares.append(share),
    )

    assert shares == sorted(shares)
    assert shares[-1] == 1

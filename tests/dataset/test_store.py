import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils.data import DataLoader, Subset

from poreconv.config import IGNORE, SplitConfig
from poreconv.dataset.splits import SPLITS, split_of
from poreconv.dataset.store import Store, StoreInfo, open_stores, subsample_reads
from poreconv.errors import StoreError
from poreconv.reads.scaling import normalise_read
from poreconv.runtime.records import from_json, to_json
from tests.support.signal_files import reads_made
from tests.support.stores import prepared, steps

READS = reads_made(6)
AGAIN = "run poreconv prepare again"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store of six reads with a boundary every 9 samples."""
    return prepared(tmp_path, READS)


def test_reads_come_back_as_they_were(store: Store) -> None:
    """Ids, counts, calibration, and where they come from."""
    assert store.text("read_id") == [read.read_id for read in READS]
    for row, read in enumerate(READS):
        again = store.read(row)
        np.testing.assert_array_equal(again.adc, read.adc)
        for name in ("read_id", "calibration", "sample_rate_hz", "channel", "run_id", "chemistry"):
            assert getattr(again, name) == getattr(read, name)


def test_targets_come_back_as_they_were(store: Store) -> None:
    """A boundary each 9 samples."""
    for row, read in enumerate(READS):
        expected = (np.arange(len(read.adc)) % 9 == 0).astype(np.int8)
        np.testing.assert_array_equal(store.read_target(row), expected)


def test_the_index_knows_where_labels_begin_and_end(tmp_path: Path) -> None:
    """So that no training window is drawn where nothing is labelled."""
    table = f"read_id\tstart\tend\tlabel\n{READS[0].read_id}\t30\t40\tA\n{READS[0].read_id}\t60\t65\tC\n"
    store = prepared(tmp_path, READS[:1], table)

    assert store.column("first_labelled").tolist() == [30]
    assert store.column("end_labelled").tolist() == [65]


def test_the_counts_are_those_of_the_targets(store: Store) -> None:
    """Split by split: reads, samples, events, samples of each class."""
    for split in SPLITS:
        rows = store.rows(split)
        targets = [store.read_target(row) for row in rows]
        n_boundaries = sum(int((target == 1).sum()) for target in targets)
        n_samples = sum(map(len, targets))

        assert store.info.counts[split] == {
            "reads": len(rows), "samples": n_samples, "events": n_boundaries,
            "inside": n_samples - n_boundaries, "boundary": n_boundaries,
        }  # fmt: skip


def test_every_read_is_in_one_split(store: Store) -> None:
    """And in `all`."""
    assert sorted(row for split in SPLITS for row in store.rows(split)) == store.rows("all").tolist()


def test_an_unknown_split_is_refused(store: Store) -> None:
    """The message lists the splits."""
    with pytest.raises(StoreError, match="no split 'exam'; choose one of train, validation, test, all"):
        store.rows("exam")


def test_windows_are_parts_of_the_normalised_read(store: Store) -> None:
    """Beyond the read they are 0 and unknown; reads don't run into each other."""
    rows = np.array([0, 2, 5, 5])
    lengths = store.length[rows]
    start = np.array([-7, 20, lengths[2] - 13, lengths[3] + 5])
    x_BT, y_BT = store.windows(rows, start, 40, clip=5.0)

    for x_T, y_T, row, first in zip(x_BT, y_BT, rows, start, strict=True):
        place = np.arange(first, first + 40)
        inside = (place >= 0) & (place < store.length[row])
        np.testing.assert_array_equal(x_T[inside], normalise_read(READS[row], clip=5.0)[place[inside]])
        np.testing.assert_array_equal(y_T[inside], store.read_target(row)[place[inside]])
        assert (x_T[~inside] == 0).all()
        assert (y_T[~inside] == IGNORE).all()


def test_a_window_longer_than_its_read_holds_all_of_it(store: Store) -> None:
    """Padded on both sides."""
    n_samples = len(READS[0].adc)
    x_BT, y_BT = store.windows(np.array([0]), np.array([-10]), n_samples + 30, clip=5.0)

    np.testing.assert_array_equal(x_BT[0, 10:-20], normalise_read(READS[0], clip=5.0))
    assert (y_BT[0] != IGNORE).sum() == n_samples


@pytest.mark.parametrize("workers", [0, 2])
def test_a_store_is_a_torch_dataset_of_whole_reads(store: Store, workers: int) -> None:
    """Normalised signal (1, T), target (T,) and id, in this process or by others; also of one split."""
    items = list(DataLoader(store, batch_size=None, num_workers=workers))
    rows = store.rows("train")

    assert [item.read_id for item in items] == [read.read_id for read in READS]
    for row, item in enumerate(items):
        np.testing.assert_array_equal(item.normalised[0], normalise_read(READS[row], clip=5.0))
        assert torch.equal(item.target, torch.from_numpy(store.read_target(row)).long())
    assert [item.read_id for item in Subset(store, rows.tolist())] == [READS[row].read_id for row in rows]


def test_a_store_ends_with_its_last_read(store: Store) -> None:
    """So that a loop over it ends; the last read is also number -1."""
    assert [item.read_id for item in store] == [read.read_id for read in READS]
    assert store[-1].read_id == READS[-1].read_id
    with pytest.raises(IndexError, match="read 6 of 6"):
        store[6]


def test_a_store_is_pickled_without_its_samples(store: Store) -> None:
    """Another process maps the files again; other splits stay."""
    ids = store.text("read_id")
    other = store.assigned(train=ids[:2], validation=ids[2:3])
    payload = pickle.dumps(other)
    again = pickle.loads(payload)

    assert store.signal[:200].tobytes() not in payload
    assert isinstance(again.signal, np.memmap)
    assert again.rows("train").tolist() == [0, 1]
    np.testing.assert_array_equal(again.read(3).adc, READS[3].adc)


def edit_json(change: dict[str, Any]) -> Callable[[Path], None]:
    """Change fields of ``dataset.json``."""

    def edit(store: Path) -> None:
        path = store / "dataset.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | change))

    return edit


def edit_index(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    """Change ``reads.parquet``."""
    return lambda store: pq.write_table(change(pq.read_table(store / "reads.parquet")), store / "reads.parquet")


def with_column(name: str, values: list[Any]) -> Callable[[Path], None]:
    """Replace a column of the index."""
    return edit_index(lambda table: table.set_column(table.schema.get_field_index(name), name, pa.array(values)))


def cut(name: str, n_bytes: int) -> Callable[[Path], None]:
    """Cut a file's end off."""
    return lambda store: (store / name).write_bytes((store / name).read_bytes()[:-n_bytes]) and None


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "another version": (
        edit_json({"schema_version": 0}),
        rf"dataset\.json: schema version 0, this poreconv reads \d+; {AGAIN}",
    ),
    "a missing field": (lambda store: (store / "dataset.json").write_text('{"schema_version": 1}'), AGAIN),
    "another field": (edit_json({"colour": "red"}), "colour"),
    "no JSON": (lambda store: (store / "dataset.json").write_bytes(b"\xff\xfe\x00"), AGAIN),
    "no description": (lambda store: (store / "dataset.json").unlink(), "no dataset.json"),
    "no index": (lambda store: (store / "reads.parquet").unlink(), AGAIN),
    "no Parquet": (lambda store: (store / "reads.parquet").write_text("read_id"), AGAIN),
    "a cut index": (cut("reads.parquet", 100), AGAIN),
    "a missing column": (edit_index(lambda table: table.drop_columns("offset")), "not the columns"),
    "a column of text": (with_column("offset", list("abcdef")), "other types"),
    "an empty cell": (with_column("shift_pa", [None, *[1.0] * 5]), "empty cells in shift_pa"),
    "no signal": (lambda store: (store / "signal.i16").unlink(), r"signal\.i16"),
    "a cut signal": (cut("signal.i16", 2), rf"signal\.i16: \d+ bytes for \d+ samples of int16; {AGAIN}"),
    "cut targets": (cut("target.i8", 1), rf"target\.i8: \d+ bytes for \d+ samples of int8; {AGAIN}"),
    "a read outside": (with_column("offset", [0, 1, 2, 3, 4, 10**9]), "points outside the signal"),
    "a read before": (with_column("offset", [-1, 1, 2, 3, 4, 5]), "points outside the signal"),
    "labels outside": (with_column("end_labelled", [10**9] * 6), "points outside the signal"),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_store_is_refused_in_one_line(store: Store, what: str) -> None:
    """The message names the file, and how to make a whole one."""
    damage, message = DAMAGES[what]
    damage(store.path)

    with pytest.raises(StoreError, match=message) as caught:
        Store(store.path)
    assert "\n" not in str(caught.value)


def test_a_store_can_have_other_splits(store: Store) -> None:
    """Reads of the listed groups train and validate, also both, and all others test; the store itself is unchanged."""
    before, ids = {split: store.rows(split).tolist() for split in SPLITS}, store.text("read_id")
    other = store.assigned(train=[ids[1], ids[4]], validation=[ids[4], "another store's"])
    n_boundaries = sum(int((store.read_target(row) == 1).sum()) for row in (1, 4))

    assert {split: other.rows(split).tolist() for split in SPLITS} == {
        "train": [1, 4], "validation": [4], "test": [0, 2, 3, 5],
    }  # fmt: skip
    assert {split: store.rows(split).tolist() for split in SPLITS} == before
    assert other.info.moved == {ids[1]: "train", ids[4]: "train", "another store's": "validation"}
    assert (other.info.counts["train"]["reads"], other.info.counts["train"]["boundary"]) == (2, n_boundaries)
    assert (other.info.split.validation, other.info.split.test) == (0, 1)


def test_other_splits_count_like_the_first_ones(store: Store) -> None:
    """The same splits have the same counts."""
    ids = store.text("read_id")
    groups = {split: [ids[row] for row in store.rows(split)] for split in ("train", "validation")}

    assert store.assigned(**groups).info.counts == store.info.counts


def test_a_moved_read_is_in_one_split_of_all_stores(tmp_path: Path) -> None:
    """A store that has it elsewhere does not train with the first, in any order; one that has it there does."""
    reads = reads_made(40)
    rule = {read.read_id: split_of(SplitConfig(), read_id=read.read_id, run_id="", channel=0) for read in reads}
    few = [read for read in reads if rule[read.read_id] == "train"][:3]
    one = prepared(tmp_path / "one", few)
    moved = next(read for read in few if one.info.moved.get(read.read_id) == "test")
    stays = next(read for read in few if read.read_id not in one.info.moved)
    rest = [read for read in reads if read not in few]
    paths = [one.path, *(prepared(tmp_path / read.read_id, [*rest, read]).path for read in (moved, stays))]

    message = rf"one/store and .*: read {moved.read_id} is in test of the first, .* and in train of the second; prepare"
    for pair in (paths[:2], paths[1::-1]):
        with pytest.raises(StoreError, match=message):
            open_stores(pair)
    assert len(open_stores([paths[0], paths[2]])) == 2


def a_store(
    folder: Path, table: str | None = None, seed: int = 0, reads: dict[str, Any] | None = None, **settings: Any
) -> Path:
    """Prepare a small store; return its folder."""
    return prepared(folder, reads_made(4, seed, **(reads or {})), table, **settings).path


OTHERS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "task": ({"task": "base"}, {"task": "segment"}, "task base and segment; prepare them alike"),
    "classes": (
        {"task": "segment", "table": steps(reads_made(4, 1), "XY")},
        {"task": "segment", "table": steps(reads_made(4, 2), "XYZ")},
        r"classes .*'Y'\) and .*'Z'\); prepare them alike",
    ),
    "split rule": ({}, {"split": SplitConfig(seed=1)}, "split .* and .*seed=1.*; prepare them alike"),
    "sample rate": (
        {}, {"reads": {"sample_rate_hz": 5000.0}}, r"rates 4000, 5000 Hz .*; prepare them with --resample_hz 4000"
    ),
    "chemistry": (
        {}, {"reads": {"pore": "FLO-MIN114"}}, "dna_r10.4.1, dna_r9.4.1 train together only with --allow_mixed"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHERS)
def test_stores_that_do_not_fit_together_are_refused(tmp_path: Path, what: str) -> None:
    """The message names both, and the remedy."""
    one, other, message = OTHERS[what]
    paths = [a_store(tmp_path / "one", seed=1, **one), a_store(tmp_path / "other", seed=2, **other)]

    with pytest.raises(StoreError, match=message) as caught:
        open_stores(paths)
    assert str(paths[0]) in str(caught.value)
    assert str(paths[1]) in str(caught.value)


def test_chemistries_are_mixed_only_if_allowed(tmp_path: Path) -> None:
    """An unknown chemistry, or a minor difference, needs no option."""
    r9 = a_store(tmp_path / "r9", seed=1)
    r10 = a_store(tmp_path / "r10", seed=2, reads={"pore": "FLO-MIN114"})
    unknown = a_store(tmp_path / "unknown", seed=3, reads={"pore": "", "kit": "", "experiment": ""})

    assert len(open_stores([r9, r10], allow_mixed=True)) == 2
    assert len(open_stores([r9, unknown])) == 2


def test_the_content_hash_depends_on_the_contents(tmp_path: Path) -> None:
    """Other labels of the same reads are another dataset."""
    one = prepared(tmp_path / "one", READS, steps(READS, "AC"), task="base").info.content_hash
    other = prepared(tmp_path / "other", READS, steps(READS, "CA"), task="base").info.content_hash

    assert len(one) == 64
    assert one != other


def test_the_description_survives_json(store: Store) -> None:
    """What was written is what is read."""
    again = from_json(to_json(store.info), StoreInfo)

    assert again == store.info
    assert again != replace(store.info, median_dwell=0.0)


def test_many_reads_are_thinned_evenly(store: Store) -> None:
    """Of too many samples, every n-th read is taken, and always one."""
    everything = subsample_reads([store, store], "train", 2**40)
    n_samples = sum(int(store.length[row]) for _, row in everything)

    assert subsample_reads([store, store], "train", n_samples // 2) == everything[::2]
    assert subsample_reads([store, store], "train", 1) == everything[:1]

from pathlib import Path

import pytest
from rich.console import Console

from poreconv.commands.prepare import prepare, render
from poreconv.config import PrepareConfig, SourceConfig
from poreconv.dataset.store import Store
from poreconv.errors import StoreError
from tests.support.signal_files import reads_made, write_multi
from tests.support.stores import prepared


def shown(store: Store) -> str:
    """The table of a store as plain text, on one line."""
    console = Console(width=250)
    with console.capture() as captured:
        console.print(render(store))
    return " ".join(captured.get().split())


def test_the_table_names_reads_that_were_moved(tmp_path: Path) -> None:
    """Of a few reads those that fill a split are named, with the split; of many reads none is moved."""
    few, many = prepared(tmp_path / "few", reads_made(3)), prepared(tmp_path / "many", reads_made(30, 1))
    moves = ", ".join(f"{read_id} to {split}" for read_id, split in few.info.moved.items())

    assert moves
    assert f"moved into splits that would be empty: read {moves}" in shown(few)
    assert "moved" not in shown(many)


def test_where_no_read_is_kept_the_cause_is_named(tmp_path: Path) -> None:
    """The row of the table that does not fit, and what to do; with a rule for overlaps the read is kept."""
    [read] = reads_made(1)
    write_multi(tmp_path / "x.fast5", [read])
    (tmp_path / "t.csv").write_text(f"Read ID;Start;End;Label\n{read.read_id};0;9;a\n{read.read_id};5;;b\n")
    given = {"labels": "intervals", "labels_from": [tmp_path / "t.csv"], "out": tmp_path / "store"}
    with pytest.raises(StoreError, match=r"label_order 1.*t\.csv row 3 starts at 5, before t\.csv row 2 ends at 9"):
        prepare(tmp_path / "x.fast5", **given)
    config = PrepareConfig(task="segment", sources=SourceConfig(overlaps="first"))
    store = prepare(tmp_path / "x.fast5", **given, config=config)

    assert store.info.ledger.notes == {"overlapping_rows": 1}
    assert sum(each["samples"] for each in store.info.counts.values()) == len(read.adc)

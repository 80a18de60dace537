from pathlib import Path

from rich.console import Console

from poreconv.commands.prepare import render
from poreconv.dataset.store import Store
from tests.support.signal_files import reads_made
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

"""Pyramids of long lines, and the memory of the reads that are kept."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from poreconv.errors import ConfigError, FormatError
from poreconv.reads.readers import open_reads
from poreconv.studio.catalogue import Catalogue
from poreconv.studio.pyramid import Pyramid
from poreconv.studio.serving import studio
from poreconv.studio.shelf import Shelf
from tests.support.signal_files import reads_made, write_multi


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 70_000), level=st.integers(0, 18), index=st.integers(0, 20))
def test_a_tile_is_what_its_samples_are(n: int, level: int, index: int) -> None:
    """Whatever level is stored, and where the line ends."""
    values = np.random.default_rng(n).integers(-500, 500, n).astype(np.int16)
    low, high = Pyramid(values).tile(level, index)
    part = values[index * 1024 << level : (index + 1) * 1024 << level]
    edges = np.arange(0, len(part), 1 << level)

    assert low.tolist() == (np.minimum.reduceat(part, edges).tolist() if len(part) else [])
    assert high.tolist() == (np.maximum.reduceat(part, edges).tolist() if len(part) else [])


def test_a_pyramid_adds_little_memory() -> None:
    """All levels together: two fifteenths of the line."""
    values = np.zeros(1_000_000, np.int16)

    assert values.nbytes < Pyramid(values).n_bytes < 1.14 * values.nbytes


def test_reads_that_were_looked_at_last_are_kept(tmp_path: Path) -> None:
    """In bounded memory; the one that is looked at is kept whatever its length."""
    write_multi(tmp_path / "reads.fast5", reads_made(3))
    catalogue = Catalogue(open_reads(tmp_path))
    catalogue.start()
    while not catalogue.complete:
        time.sleep(0.01)
    shelf = Shelf(catalogue, most_bytes=1)
    first, again, second, anew = (shelf[reads_made(3)[number].read_id] for number in (0, 0, 1, 0))
    shelf.close()

    assert first is again
    assert anew is not first
    assert second.read.read_id == reads_made(3)[1].read_id
    with pytest.raises(KeyError):
        shelf["absent"]


def test_files_without_a_read_are_an_error_at_once(tmp_path: Path) -> None:
    """Before anything is served."""
    (tmp_path / "bad.fast5").write_text("no signal")

    with pytest.raises(FormatError, match=r"bad\.fast5"):
        studio([tmp_path / "bad.fast5"], project=tmp_path / "project")


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    """The message names the way to another one."""
    import socket

    from poreconv.config import StudioConfig

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"--port {port}: .*give another one"):
            studio([tmp_path], project=tmp_path / "project", config=StudioConfig(port=port))

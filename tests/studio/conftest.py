"""A studio on a few reads, asked without a browser."""

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from poreconv.config import StudioConfig
from poreconv.reads.read import Read
from poreconv.studio.serving import opened_app
from tests.support.signal_files import reads_made, write_multi

TOKEN = "right"

SCRIPT = "<script>alert(1)"
"""An id that a careless page would run."""

ADDRESS = "http://127.0.0.1:8765"


@pytest.fixture
def reads(tmp_path: Path) -> list[Read]:
    """Three reads in one file: the second with an id that is HTML, the third long."""
    first, second, third = reads_made(3)
    long = np.random.default_rng(0).normal(500, 80, 50_000).astype(np.int16)
    made = [first, replace(second, read_id=SCRIPT), replace(third, adc=long)]
    write_multi(tmp_path / "reads.fast5", made)
    return made


@pytest.fixture
def client(reads: list[Read], tmp_path: Path) -> Iterator[TestClient]:
    """A client that has the token; its lane has an event at the first samples of the first read."""
    labels = tmp_path / "labels.tsv"
    rows = [f"{reads[0].read_id}\t{at}\t{at + 10}\t{name}\n" for at, name in ((0, "a"), (20, "b"))]
    labels.write_text("read_id\tstart\tend\tlabel\n" + "".join(rows))
    asked = {"labels": "intervals", "labels_from": [labels], "config": StudioConfig()}
    with opened_app([tmp_path / "reads.fast5"], project=tmp_path / "project", token=TOKEN, **asked) as app:
        made = TestClient(app, base_url=ADDRESS, headers={"Authorization": f"Bearer {TOKEN}"})
        while not made.get("/api/reads").json()["complete"]:
            time.sleep(0.01)
        yield made

"""A byte-order mark, which some programs put before a text, changes nothing in any text that is read."""

import gzip
from codecs import BOM_UTF8
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from poreconv.config import FilesConfig, SourceConfig
from poreconv.dataset.read_info import read_info
from poreconv.labels.opening import open_labels
from poreconv.labels.parsing.sequences import Sequences
from poreconv.pore_models.model import random_pore_model
from poreconv.pore_models.tables import read_pore_model, write_pore_model
from poreconv.reads.selection import Selection
from tests.support.labels import POLYA_HEADER, paf_line, polya_row, read_of, spans, write_bam
from tests.support.sites import aligned, bed

TEXTS = {
    "intervals.tsv": "read_id\tstart\tend\tlabel\nr1\t0\t9\tA\n",
    "intervals.csv": "read_id,start,end\nr1,0,9\n",
    "intervals.bed": "r1\t0\t9\tA\n",
    "intervals.track.bed": "#chrom\tstart\nr1\t0\t9\tA\n",
    "read_table.csv": "read_id,label\nr1,a\n",
    "polya.tsv": POLYA_HEADER + polya_row("r1", 0, 2, 40, 60),
    "resquiggle_paf.paf": paf_line("r1", 100, 0, 5, "5,") + paf_line("r2", 100, 0, 5, "5,"),
}
"""Label source and suffix -> a text that labels read r1."""


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("name", TEXTS)
def test_labels_are_the_same(name: str, packed: bool, tmp_path: Path) -> None:
    """Of every source of text, plain and compressed."""
    found = []
    for mark in (b"", BOM_UTF8):
        text = mark + TEXTS[name].encode()
        path = tmp_path / f"{len(mark)}.{name}{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(text) if packed else text)
        with closing(open_labels(name.split(".", maxsplit=1)[0], [path], SourceConfig())) as source:
            found.append((spans(source.events(read_of("r1"))), source.classes))

    assert found[0] == found[1]
    assert found[0][0]


def test_sites_are_the_same(tmp_path: Path) -> None:
    """The first row of a BED of sites is a row."""
    reads, found = write_bam(tmp_path / "r.bam", aligned("r1", "6M", at=5)), []
    for mark in (b"", BOM_UTF8):
        path = bed(tmp_path / f"{len(mark)}.bed", (7, "m", "+"))
        path.write_bytes(mark + path.read_bytes())
        with closing(open_labels("bed_modified", [path, reads], SourceConfig())) as source:
            found.append(spans(source.events(read_of("r1"))))

    assert found[0] == found[1] != []


def test_a_list_of_read_ids_is_the_same(tmp_path: Path) -> None:
    """Its first id is one of them."""
    (tmp_path / "ids.txt").write_bytes(BOM_UTF8 + b"r1\nr2\n")

    assert Selection.of(FilesConfig(read_ids=tmp_path / "ids.txt")).ids == {"r1", "r2"}


def test_quality_sequences_and_pore_models_are_the_same(tmp_path: Path) -> None:
    """The other texts."""
    model = random_pore_model(2, 0, 90.0, 14.0)
    write_pore_model(tmp_path / "m.txt", model)
    for name, text in {
        "m.txt": (tmp_path / "m.txt").read_bytes(),
        "info.csv": b"read_id,mean_quality\nr1,9\n",
        "calls.fa": b">r1\nACGT\n",
    }.items():
        (tmp_path / name).write_bytes(BOM_UTF8 + text)
    with closing(Sequences([tmp_path / "calls.fa"])) as sequences:
        assert sequences.of("r1") == b"ACGT"

    assert read_info([tmp_path / "info.csv"])["r1"].quality == 9
    np.testing.assert_allclose(read_pore_model(tmp_path / "m.txt").level_mean, model.level_mean, atol=0.01)


@pytest.mark.real
def test_a_list_from_the_field(real_data: Path) -> None:
    """50 ids behind a byte-order mark."""
    ids = Selection.of(FilesConfig(read_ids=real_data / "field_reports" / "labels" / "ids_bom.txt")).ids

    assert ids is not None
    assert len(ids) == 50
    assert {len(read_id) for read_id in ids} == {36}

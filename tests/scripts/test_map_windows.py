"""The study of mapping by raw signal, up to the mapper: a small program stands in for it."""

import json
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from poreconv.errors import LabelError
from poreconv.events.events import Events
from poreconv.reads.read import Read
from poreconv.reads.readers import open_reads
from scripts.studies import map_windows
from scripts.studies.known_places import Known, Place, known_places
from scripts.studies.map_windows import window_of
from tests.support.labels import bam_record, read_of, write_bam
from tests.support.models import bundle_at
from tests.support.signal_files import reads_made, write_multi

STAND_IN = f"""#!{sys.executable}
import sys, pod5
words = sys.argv[1:]
known = open(words[words.index("--peaks-file") + 1]).read() if "--peaks-file" in words else ""
assert ("--sig-diff" in words) == bool(known) and words[0] == "-x"
for read in pod5.Reader(words[-1]):
    found = str(read.read_id) in known
    place = [0, 220, "+", "chr1", 1000, 0, 1000] if found else "*" * 7
    print(read.read_id, 220, *place, 9, 9, 60, "mt:f:1", sep="\\t")
"""
"""Finds the windows that it has events of: on the whole contig, so near every place there."""

DWELL = 10


def folder_of_reads(folder: Path) -> list[Read]:
    """Write two reads of 100 bases with alignments: one to chr1, one to its reverse strand; and the stand-in."""
    adc = np.random.default_rng(0).integers(400, 600, 100).repeat(DWELL).astype(np.int16)
    reads = reads_made(2, adc=adc, kit="sqk-lsk114")
    write_multi(folder / "reads.fast5", reads)
    called = "ACGT" * 25
    records = [
        bam_record(read.read_id, called, flag=flag, mv=[DWELL, *[1] * 100], ts=0)
        for read, flag in zip(reads, (0, 16), strict=True)
    ]
    write_bam(folder / "calls.bam", *records)
    (folder / "mapper").write_text(STAND_IN)
    (folder / "mapper").chmod(0o755)
    return reads


def test_windows_are_mapped_with_and_without_events(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Half of them are on the strand where the stand-in finds all that it has events of."""
    folder_of_reads(tmp_path)
    model, found = bundle_at(tmp_path / "model.safetensors"), tmp_path / "found.json"
    words = [tmp_path / "mapper", "reference.fa", tmp_path / "reads.fast5", "--models", model, "--json", found]
    options = ["--places", tmp_path / "calls.bam", "--window", 400, "--every", 200, "--mapper_options=-x viral"]
    map_windows.main([*map(str, words), *map(str, options)])
    own, by_model, truth = json.loads(found.read_text())["results"]

    assert [one["events"] for one in (own, by_model, truth)] == ["own", str(model), "truth"]
    assert [one["windows"] for one in (own, by_model, truth)] == [8, 8, 8]
    assert (own["scores"]["recall"], own["scores"]["precision"]) == (0, None)
    assert (truth["scores"]["recall"], truth["scores"]["precision"], truth["scores"]["gain"]) == (0.5, 0.5, 0.5)
    assert (truth["scores"]["gain_low"], truth["scores"]["gain_high"]) == (0, 1)
    assert f"| {model} | 8 |" in capsys.readouterr().out


def test_without_the_mapper_it_ends_with_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And exit code 1."""
    with pytest.raises(SystemExit) as ended:
        map_windows.main([str(tmp_path / "rawhash2"), "reference.fa", str(tmp_path)])

    assert "rawhash2: no such program; build RawHash2" in str(ended.value.code)
    assert capsys.readouterr().out == ""


def test_a_mapper_that_fails_is_named(tmp_path: Path) -> None:
    """With what it wrote."""
    folder_of_reads(tmp_path)
    (tmp_path / "mapper").write_text("#!/bin/sh\necho no index >&2\nexit 3\n")
    words = [tmp_path / "mapper", "x.fa", tmp_path / "reads.fast5", "--places", tmp_path / "calls.bam"]
    with pytest.raises(SystemExit) as ended:
        map_windows.main([*map(str, words), "--models", "--window", "400"])

    assert str(ended.value.code).endswith("exit code 3: no index")


def test_a_window_has_the_places_of_its_events() -> None:
    """Events that it cuts are not in it; too few of known place, and it is none."""
    read = read_of("r1", 1000)
    events = Events.of(DWELL * np.arange(100), DWELL * np.arange(1, 101))
    known = Known(events, "chr1", "-", 500 - np.arange(100))
    window = window_of(read, known, 105, 200)

    assert window is not None
    assert window.place == Place("chr1", "-", 500 - 29, 500 - 11 + 1)
    assert window.events.start.tolist() == list(range(5, 195, DWELL))
    assert len(window.read.adc) == 200
    assert window_of(read, Known(events, "chr1", "+", known.position), 950, 200) is None


@pytest.mark.parametrize(("strand", "position"), [("+", [100, 119]), ("-", [119, 100])])
def test_a_paf_places_samples_at_a_constant_speed(strand: str, position: list[int], tmp_path: Path) -> None:
    """From the first aligned base to the last."""
    paf = tmp_path / "calls.paf"
    paf.write_text(
        f"r1\t40\t10\t30\t{strand}\tchr1\t1000\t100\t120\t20\t20\t60\nr2\t40\t*\t*\t*\t*\t0\t0\t0\t0\t0\t0\n"
    )
    with ExitStack() as stack:
        known_of = known_places(paf, stack)
        known = known_of(read_of("r1", 4000))
        with pytest.raises(LabelError, match="not in the PAF"):
            known_of(read_of("r2"))

    assert (known.events.start[0], known.events.end[-1]) == (1000, 3000)
    assert np.abs(known.position[[0, -1]] - position).max() <= 1


@pytest.mark.real
def test_tombos_places_are_those_of_its_alignment(real_data: Path) -> None:
    """One base per event, along the strand."""
    path = real_data / "dna_r941_lambda_tombo" / "0a15def6-87d4-4028-b2b2-9c220e3daad6.fast5"
    with ExitStack() as stack, open_reads(path) as reads:
        known = known_places(None, stack)(next(iter(reads)))

    assert known.contig == "Lambda_NEB"
    assert set(np.diff(known.position)) == {-1 if known.strand == "-" else 1}
    assert len(known.position) == len(known.events)

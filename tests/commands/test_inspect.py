import io
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from rich.console import Console

from poreconv.commands.inspect import Inspection, inspect, render
from poreconv.config import FilesConfig
from poreconv.errors import FormatError
from poreconv.labels.sources import LABEL_SOURCES
from poreconv.runtime.registry import lookup
from tests.support.signal_files import reads_made, write_multi, write_single


def drawn(inspection: Inspection) -> str:
    """The tables as plain text."""
    page = io.StringIO()
    Console(width=150, file=page).print(render(inspection))
    return page.getvalue()


def test_reads_are_counted_by_kind(tmp_path: Path) -> None:
    """Reads of two chemistries and sample rates make two rows, with their own counts."""
    dna = reads_made(3)
    rna = reads_made(2, seed=1, sample_rate_hz=3012.0, kit="sqk-rna002", experiment="rna", run_id="other")
    write_multi(tmp_path / "both.fast5", dna + rna)
    write_single(tmp_path / "one.fast5", reads_made(1, seed=2)[0])
    found = inspect([tmp_path])
    rows = {row.kind.chemistry: row for row in found.rows}
    lengths = sorted(len(read.adc) for read in rna)

    assert (found.files, found.ledger.kept) == (2, 6)
    assert (rows["dna_r9.4.1"].files, rows["dna_r9.4.1"].reads, rows["dna_r9.4.1"].kind.sample_rate_hz) == (2, 4, 4000)
    assert (rows["rna002"].files, rows["rna002"].runs, rows["rna002"].samples) == (1, 1, sum(lengths))
    assert (rows["rna002"].shortest, rows["rna002"].longest) == (lengths[0], lengths[-1])
    assert rows["rna002"].median == np.median(lengths)


def test_each_in_file_label_source_answers(tmp_path: Path) -> None:
    """Sources that read the signal files are asked about each read; reads without labels have none."""
    write_multi(tmp_path / "x.fast5", reads_made(3))
    found = inspect([tmp_path])

    assert [one.source for one in found.labels] == [
        name for name in LABEL_SOURCES if lookup(LABEL_SOURCES, name, kind="label source").in_file
    ]
    assert {(one.labelled, one.none, one.misfits.total()) for one in found.labels} == {(0, 3, 0)}


def test_drops_and_bad_files_are_in_the_ledger(tmp_path: Path) -> None:
    """Unusable reads and files passed over are counted, and listed under the tables."""
    write_multi(tmp_path / "x.fast5", reads_made(3))
    with h5py.File(tmp_path / "x.fast5", "r+") as file:
        del file[next(iter(file))]["Raw/Signal"]
    (tmp_path / "bad.fast5").write_text("no signal")
    with pytest.raises(FormatError):
        inspect([tmp_path])
    found = inspect([tmp_path], config=FilesConfig(skip_bad_files=True))

    assert found.ledger.summary() == "reads in 3 = kept 2 + dropped 1 (no_signal 1); files passed over 1"
    assert found.ledger.summary() in drawn(found)


def test_the_table_shows_the_numbers(tmp_path: Path) -> None:
    """A row has format, chemistry, sample rate and counts."""
    write_multi(tmp_path / "x.fast5", [replace(read, adc=np.arange(1234, dtype=np.int16)) for read in reads_made(2)])
    text = drawn(inspect([tmp_path]))
    [line] = [line for line in text.splitlines() if "fast5" in line and "dna_r9.4.1" in line]

    assert line.strip("│ ").replace(" ", "").split("│") == [
        *("fast5", "dna_r9.4.1", "4000", "1", "1", "2", "2,468", "1,234", "1,234", "1,234")
    ]


@pytest.mark.real
def test_real_labels_are_found(real_data: Path) -> None:
    """Tombo's resquiggles are found in all 38 lambda reads."""
    found = inspect([real_data / "dna_r941_lambda_tombo"])

    assert {one.source: one.labelled for one in found.labels}["tombo"] == 38

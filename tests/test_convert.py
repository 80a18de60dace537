from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from conftest import reads_made, write_multi
from make_stores import STEP, steps

from poreconv.commands.convert import convert
from poreconv.config import FilesConfig, LabelConfig
from poreconv.errors import ConfigError
from poreconv.labels import open_labels
from poreconv.read import Read


def converted(folder: Path, suffix: str) -> tuple[list[Read], Path]:
    """Convert a table of steps of three reads, of which the last has no label."""
    reads = reads_made(3)
    write_multi(folder / "reads.fast5", reads)
    (folder / "in.tsv").write_text(steps(reads[:2]))
    out = folder / f"out{suffix}"
    ledger = convert(
        folder / "reads.fast5",
        labels="intervals",
        labels_from=[folder / "in.tsv"],
        out=out,
        config=FilesConfig(workers=1),
    )

    assert (ledger.kept, dict(ledger.counts)) == (2, {"no_label": 1})
    return reads, out


@pytest.mark.parametrize(
    ("suffix", "source"), [(".tsv", "intervals"), (".parquet", "intervals"), (".paf", "resquiggle_paf")]
)
def test_what_is_written_is_read_back(tmp_path: Path, suffix: str, source: str) -> None:
    """Labels come out of the table as they went in; a PAF keeps their places."""
    reads, out = converted(tmp_path, suffix)
    with closing(open_labels(source, [out], LabelConfig())) as labels:
        found = [labels.events(read) for read in reads]
        classes = labels.classes

    assert found[2] is None
    assert classes == (("A", "C", "G", "T") if source == "intervals" else ())
    for read, events in zip(reads[:2], found[:2], strict=True):
        assert events is not None
        np.testing.assert_array_equal(events.start, np.arange(0, len(read.adc) - STEP + 1, STEP))
        assert (events.duration == STEP).all()


def test_a_table_is_not_written_over(tmp_path: Path) -> None:
    """An output that exists is refused."""
    _, out = converted(tmp_path, ".tsv")
    with pytest.raises(ConfigError, match="exists already"):
        convert(tmp_path / "reads.fast5", labels="intervals", labels_from=[tmp_path / "in.tsv"], out=out)

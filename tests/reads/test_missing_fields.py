"""Fields that a file lacks, or fills with what stands for nothing; calibrations that cannot be."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from poreconv.commands.convert import convert
from poreconv.config import ConvertConfig, WorkConfig
from poreconv.errors import FormatError
from poreconv.reads.read import Calibration
from poreconv.reads.readers import open_file, open_reads
from poreconv.reads.readers._fields import MAX_PA_PER_COUNT
from poreconv.reads.readers.writing import writable, write_reads
from poreconv.runtime.ledger import Ledger
from tests.support.signal_files import WRITERS, reads_made, run_info, write_multi, write_with_pod5


def set_attributes(path: Path, raw: dict[str, Any], channel: dict[str, Any]) -> None:
    """Overwrite attributes of the first read of a fast5."""
    with h5py.File(path, "r+") as file:
        group = file[next(iter(file))]
        for name, value in raw.items():
            group["Raw"].attrs[name] = value
        for name, value in channel.items():
            group["channel_id"].attrs[name] = value


@pytest.mark.parametrize("nothing", [-1, "-1", "", ".", np.bytes_(b""), h5py.Empty("i4")], ids=repr)
def test_a_field_without_a_value_is_missing(tmp_path: Path, nothing: object) -> None:
    """The read is kept; its channel, numbers and median are what they are where a file has no such field."""
    write_multi(tmp_path / "x.fast5", reads_made(2))
    set_attributes(
        tmp_path / "x.fast5",
        dict.fromkeys(("read_number", "start_mux", "median_before"), nothing),
        {"channel_number": nothing},
    )
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as reads:
        first, second = reads

    assert (first.channel, first.mux, first.read_number, first.median_before) == (0, 0, 0, None)
    assert (second.channel, second.mux, second.read_number, second.median_before) == (2, 2, 101, 210.5)
    assert ledger.dropped == 0


@pytest.mark.parametrize("impossible", [-2, "three", 2.5])
def test_an_impossible_field_is_still_a_drop(tmp_path: Path, impossible: object) -> None:
    """It was damaged, or read from the wrong place."""
    write_multi(tmp_path / "x.fast5", reads_made(1))
    set_attributes(tmp_path / "x.fast5", {}, {"channel_number": impossible})
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as reads:
        assert list(reads) == []

    assert dict(ledger.counts) == {"bad_metadata": 1}


@pytest.mark.parametrize("form", WRITERS)
def test_a_range_that_was_not_divided_is_a_bad_calibration(form: str, tmp_path: Path) -> None:
    """In every format, and at the bound; a scale is never so large in pA."""
    read, largest = reads_made(2)
    undivided = replace(read, calibration=Calibration(10.0, 1437.5))
    largest = replace(largest, calibration=Calibration(10.0, MAX_PA_PER_COUNT))
    WRITERS[form](tmp_path / f"x{form}", [undivided, largest])
    ledger = Ledger()
    with open_reads(tmp_path, ledger=ledger) as reads:
        [kept] = reads

    assert kept.calibration.scale == MAX_PA_PER_COUNT
    assert dict(ledger.counts) == {"bad_calibration": 1}
    assert "1437.5 pA per count; the range was not divided by the digitisation" in ledger.named[0].detail


@pytest.mark.parametrize("form", writable())
def test_a_calibration_that_would_be_dropped_is_not_written(form: str, tmp_path: Path) -> None:
    """What is written can be read."""
    with pytest.raises(FormatError, match="the range was not divided"):
        write_reads(tmp_path / f"x{form}", reads_made(1, calibration=Calibration(10.0, 1437.5)))


def test_a_read_has_the_run_of_its_row(tmp_path: Path) -> None:
    """Two runs of one POD5 may have one acquisition id, as of an experiment that was continued at another rate."""
    one, two = reads_made(2)
    other = run_info(two, sample_rate=5000, sequencing_kit="sqk-lsk114", flow_cell_product_code="FLO-MIN114")
    write_with_pod5(tmp_path / "x.pod5", [two, one], run_info=other)
    with open_file(tmp_path / "x.pod5", Ledger()) as reader:
        first, second = reader

        assert reader[one.read_id].kit == "sqk-lsk109"
    assert (first.run_id, first.sample_rate_hz, first.kit, first.chemistry.code) == (
        two.run_id, 5000.0, "sqk-lsk114", "dna_r10.4.1",
    )  # fmt: skip
    assert (second.run_id, second.sample_rate_hz, second.kit, second.chemistry.code) == (
        one.run_id, 4000.0, "sqk-lsk109", "dna_r9.4.1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "experiment_kit", "kit", "code"),
    [
        ("internal", "rna", "", "rna"),
        ("internal", "genomic_dna", "", "dna_r9.4.1"),
        ("internal", "rna", "sqk-lsk109", "dna_r9.4.1"),
        ("internal", "", "", "r9.4.1"),
        ("internal_rna", "", "", "rna"),
        ("", "rna", "", "rna"),
        ("genomic_dna", "rna", "", "dna_r9.4.1"),
    ],
)
def test_the_experiment_is_the_field_that_names_a_molecule(
    tmp_path: Path, kind: str, experiment_kit: str, kit: str, code: str
) -> None:
    """A kit of DNA wins; ``internal`` names none; the experiment kit counts where the kind of experiment does not."""
    [read] = reads_made(1, kit=kit, experiment=kind)
    tags = {"context_tags": {"experiment_type": kind, "experiment_kit": experiment_kit}}
    write_with_pod5(tmp_path / "x.pod5", [read], run_info=run_info(read, **tags))
    write_multi(tmp_path / "x.fast5", [replace(read, read_id="r1")])
    with h5py.File(tmp_path / "x.fast5", "r+") as file:
        file["read_r1/context_tags"].attrs["experiment_kit"] = experiment_kit
    with open_reads(tmp_path) as reads:
        assert [read.chemistry.code for read in reads] == [code, code]


@pytest.mark.real
def test_signal_files_from_the_field(real_data: Path) -> None:
    """What is missing is missing, and no read of the five files is lost but the one without a calibration."""
    ledger, folder = Ledger(), real_data / "field_reports" / "signal"
    with open_reads(folder, ledger=ledger) as stream:
        reads = {(read.source.name if read.source else "", read.channel): read for read in stream}

    assert sorted(reads) == [
        ("channel_number_dot.slow5", 0),
        ("channel_number_dot.slow5", 12),
        ("dna_experiment_type_internal.fast5", 12),
        ("no_read_id.fast5", 170),
    ]
    assert reads["no_read_id.fast5", 170].read_id == "no_read_id"
    assert reads["dna_experiment_type_internal.fast5", 12].chemistry.code == "dna_r9.4.1"
    assert dict(ledger.counts) == {"bad_calibration": 1}


@pytest.mark.real
@pytest.mark.parametrize("name", ["out.tsv", "out.bam", "out.fast5"])
def test_no_output_is_made_of_no_reads(real_data: Path, tmp_path: Path, name: str) -> None:
    """One line, and nothing is left."""
    with pytest.raises(FormatError, match=r"there are no reads \(reads in 0"):
        convert(
            real_data / "field_reports" / "signal" / "no_reads.pod5",
            labels="tombo",
            out=tmp_path / name,
            config=ConvertConfig(work=WorkConfig(workers=1)),
        )

    assert list(tmp_path.iterdir()) == []

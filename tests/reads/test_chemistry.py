import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from poreconv.reads.chemistry import chemistry_of
from tests.support.signal_files import reads_made


@pytest.mark.parametrize(
    ("pore", "kit", "experiment", "chemistry"),
    [
        ("FLO-MIN106", "SQK-LSK109", "genomic_dna", "dna_r9.4.1"),
        ("flo-min106", "sqk-lsk109", "genomic_dna", "dna_r9.4.1"),
        ("FLO-MIN106D", "", "", "dna_r9.4.1"),
        ("FLO-PRO114M", "SQK-LSK114", "genomic_dna", "dna_r10.4.1"),
        ("FLO-MIN106", "SQK-RNA002", "rna", "rna002"),
        ("FLO-MIN106", "SQK-RNA001", "rna", "rna001"),
        ("FLO-PRO004RA", "", "", "rna004"),
        ("FLO-MIN106", "", "rna", "rna"),
        ("FLO-MIN106", "SQK-PCS109", "cdna", "dna_r9.4.1"),
        ("", "SQK-LSK109", "", "dna"),
        ("", "", "genomic_dna", "dna"),
        ("", "", "", "unknown"),
        ("FLO-NEW999", "", "", "unknown"),
    ],
)
def test_chemistry_is_named_as_far_as_known(pore: str, kit: str, experiment: str, chemistry: str) -> None:
    """The kit decides for RNA, the flow cell for DNA; case does not matter."""
    assert chemistry_of(pore=pore, kit=kit, experiment=experiment) == chemistry


@given(pore=st.text(max_size=12), kit=st.text(max_size=12), experiment=st.text(max_size=12))
def test_chemistry_never_fails(pore: str, kit: str, experiment: str) -> None:
    """Any metadata has a chemistry, if only ``unknown``, the same in upper and lower case."""
    chemistry = chemistry_of(pore=pore, kit=kit, experiment=experiment)

    assert chemistry
    assert chemistry == chemistry_of(pore=pore.lower(), kit=kit.lower(), experiment=experiment.lower())


def test_a_read_names_its_file_and_id() -> None:
    """Error messages name the file and the read, or memory."""
    [read] = reads_made(1)

    assert read.where == f"memory: read {read.read_id}"


def test_a_read_is_frozen_and_pickles() -> None:
    """Reads travel to worker processes and are not changed on the way."""
    [read] = reads_made(1)
    copy = pickle.loads(pickle.dumps(read))

    np.testing.assert_array_equal(copy.adc, read.adc)
    with pytest.raises(AttributeError):
        read.channel = 7  # type: ignore[misc]

import pickle

import numpy as np
import pytest
from hypothesis import given, strategies as st

from poreconv.reads.chemistry import CHEMISTRIES, FLOW_CELLS, KITS, chemistry_named, chemistry_of
from tests.support.signal_files import reads_made


@pytest.mark.parametrize(
    ("pore", "kit", "experiment", "chemistry"),
    [
        ("FLO-MIN106", "SQK-LSK109", "genomic_dna", "dna_r9.4.1"),
        ("flo-min106", "sqk-lsk109", "genomic_dna", "dna_r9.4.1"),
        ("FLO-MIN106D", "", "genomic_dna", "dna_r9.4.1"),
        ("FLO-MIN106D", "", "", "r9.4.1"),
        ("FLO-MINSP6", "SQK-LSK109", "", "dna_r9.4.1"),
        ("FLO-PRO002-ECO", "SQK-PCS111", "", "dna_r9.4.1"),
        ("FLO-MIN107", "SQK-LSK308", "", "dna_r9.5"),
        ("FLO-MIN111", "SQK-LSK109", "", "dna_r10.3"),
        ("FLO-MIN112", "SQK-LSK112", "", "dna_r10.4"),
        ("FLO-FLG114HD", "", "", "dna_r10.4.1"),
        ("FLO-MIN114", "SQK-RBK114-96", "", "dna_r10.4.1"),
        ("", "SQK-NBD114-24", "", "dna_r10.4.1"),
        ("", "SQK-LSK112-XL", "", "dna_r10.4"),
        ("", "SQK-RNA004-XL", "", "rna004"),
        ("", "SQK-DRB004.24", "", "rna004"),
        ("", "SQK-RNA002", "", "rna002"),
        ("FLO-MIN106", "SQK-LSK109", "internal", "dna_r9.4.1"),
        ("FLO-MIN106", "SQK-LSK109", "rna", "dna_r9.4.1"),
        ("FLO-MIN106", "", "internal_rna", "rna"),
        ("FLO-MIN106", "", "internal", "r9.4.1"),
        ("FLO-PRO114M", "SQK-LSK114", "genomic_dna", "dna_r10.4.1"),
        ("FLO-MIN106", "SQK-RNA002", "rna", "rna002"),
        ("FLO-MIN106", "SQK-RNA001", "rna", "rna001"),
        ("FLO-PRO004RA", "", "", "rna004"),
        ("FLO-MIN106", "", "rna", "rna"),
        ("FLO-MIN106", "SQK-PCS109", "cdna", "dna_r9.4.1"),
        ("", "SQK-LSK109", "", "dna_r9.4.1"),
        ("", "SQK-LSK999", "genomic_dna", "dna"),
        ("", "", "genomic_dna", "dna"),
        ("", "", "", "unknown"),
        ("FLO-NEW999", "", "", "unknown"),
    ],
)
def test_chemistry_is_named_as_far_as_known(pore: str, kit: str, experiment: str, chemistry: str) -> None:
    """A kit decides between RNA and DNA, a flow cell on the pore of DNA; either is enough, and case does not matter."""
    assert chemistry_of(pore=pore, kit=kit, experiment=experiment).code == chemistry


@given(pore=st.text(max_size=12), kit=st.text(max_size=12), experiment=st.text(max_size=12))
def test_chemistry_never_fails(pore: str, kit: str, experiment: str) -> None:
    """Any metadata has a chemistry, if only ``unknown``, the same in upper and lower case."""
    chemistry = chemistry_of(pore=pore, kit=kit, experiment=experiment)

    assert chemistry.code
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


def test_every_flow_cell_and_kit_has_a_chemistry_of_its_own() -> None:
    """None is listed twice, none for a chemistry that is not in the table."""
    listed = [name for names in (*FLOW_CELLS.values(), *KITS.values()) for name in names]

    assert len(listed) == len(set(listed))
    assert {*FLOW_CELLS, *KITS} <= set(CHEMISTRIES)


@pytest.mark.parametrize("code", CHEMISTRIES)
def test_a_chemistry_is_found_by_its_code(code: str) -> None:
    """In capitals too; it has the molecule and family of its own reads, and does not conflict with itself."""
    chemistry = chemistry_named(code.upper())

    assert (chemistry, str(chemistry)) == (CHEMISTRIES[code], code)
    assert chemistry.same_family(chemistry)
    assert not chemistry.conflicts_with(chemistry)


@pytest.mark.parametrize(
    ("one", "other", "conflict"),
    [
        ("dna_r9.4.1", "rna002", True),
        ("dna_r9.4.1", "dna_r10.4.1", True),
        ("rna002", "rna004", True),
        ("dna", "rna004", True),
        ("rna001", "rna002", False),
        ("dna_r10.4", "dna_r10.4.1", False),
        ("dna", "dna_r10.4.1", False),
        ("r9.4.1", "rna002", False),
        ("r9.4.1", "dna_r9.4.1", False),
        ("r9.4.1", "dna_r10.4.1", True),
        ("r9.4.1", "rna004", True),
        ("unknown", "rna004", False),
        ("something new", "rna004", False),
    ],
)
def test_only_known_differences_conflict(one: str, other: str, *, conflict: bool) -> None:
    """Details and what is not known do not; the order does not matter."""
    first, second = chemistry_named(one), chemistry_named(other)

    assert first.conflicts_with(second) == second.conflicts_with(first) == conflict

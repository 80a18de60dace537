import pickle

import pytest
from hypothesis import given, strategies as st

from poreconv.errors import LabelError, ReadDropped, SignalError
from poreconv.runtime import ledger as module
from poreconv.runtime.ledger import NOT_ASKED, Drop, Ledger
from poreconv.runtime.records import from_json, to_json


def filled(kept: int, reasons: list[str], notes: dict[str, int]) -> Ledger:
    """Make a ledger with these drops."""
    ledger = Ledger(kept=kept)
    for number, reason in enumerate(reasons):
        ledger.drop(ReadDropped(f"x: {reason}", reason=reason), read_id=f"r{number}", source="x.fast5")
    ledger.notes.update(notes)
    return ledger


LEDGERS = st.builds(
    filled,
    st.integers(0, 1000),
    st.lists(st.sampled_from(["flat", "empty", "duplicate"]), max_size=12),
    st.dictionaries(st.sampled_from(["second_records", "absent"]), st.integers(1, 9)),
)


@given(LEDGERS)
def test_reads_in_are_reads_kept_and_dropped(ledger: Ledger) -> None:
    """No read goes missing from the books."""
    assert ledger.reads_in == ledger.kept + sum(ledger.counts.values())
    assert ledger.dropped == len(ledger.named)


@given(LEDGERS)
def test_a_ledger_survives_json(ledger: Ledger) -> None:
    """What is written into a dataset comes back."""
    ledger.bad_files.append(Drop("", "y.fast5", "bad_file", "y.fast5: truncated"))

    assert from_json(to_json(ledger), Ledger) == ledger


@given(LEDGERS, LEDGERS)
def test_merging_adds_up(a: Ledger, b: Ledger) -> None:
    """Ledgers of two workers together are the ledger of one."""
    expected = (a.reads_in + b.reads_in, a.counts + b.counts, a.notes + b.notes)
    a.merge(b)

    assert (a.reads_in, a.counts, a.notes) == expected
    assert len(a.named) == a.dropped


def test_names_are_bounded_and_counts_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a limit reads are counted without their names, also after merging."""
    monkeypatch.setattr(module, "NAMED_PER_REASON", 3)
    a, b = filled(0, ["flat"] * 5, {}), filled(0, ["flat"] * 5, {})
    a.merge(b)

    assert a.counts == {"flat": 10}
    assert len(a.named) == 3


def test_the_summary_is_one_line() -> None:
    """Reads in, kept, dropped by reason, files passed over, notes."""
    ledger = filled(1234, ["flat", "flat", "empty"], {"second_records": 2})
    ledger.bad_files.append(Drop("", "y.fast5", "bad_file", "truncated"))

    assert ledger.summary() == (
        "reads in 1,237 = kept 1,234 + dropped 3 (flat 2, empty 1); files passed over 1; second_records 2"
    )


def test_the_main_reason_is_the_most_frequent_one_that_nobody_asked_for() -> None:
    """Reads that were not asked for are no surprise."""
    ledger = filled(9, ["flat", "empty", "flat"], {})
    ledger.count(NOT_ASKED, 100)

    assert ledger.main_reason == "flat"
    assert Ledger(9).main_reason == ""


@pytest.mark.parametrize("kind", [ReadDropped, SignalError, LabelError])
def test_a_drop_crosses_processes(kind: type[ReadDropped]) -> None:
    """The reason survives pickling."""
    error = pickle.loads(pickle.dumps(kind("x: flat", reason="flat")))

    assert type(error) is kind
    assert (str(error), error.reason) == ("x: flat", "flat")

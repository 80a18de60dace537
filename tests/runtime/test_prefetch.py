import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from poreconv.runtime.prefetch import prefetch


@given(st.lists(st.integers()), st.integers(1, 5))
def test_items_come_in_order(items: list[int], depth: int) -> None:
    """All of them, however far ahead they are made."""
    assert list(prefetch(iter(items), depth)) == items


def test_the_next_item_is_made_while_one_is_worked_on() -> None:
    """The maker does not wait to be asked, and runs in a thread of its own."""
    made = threading.Event()

    def items() -> Iterator[str]:
        yield threading.current_thread().name
        made.set()
        yield ""

    made_in = next(several := prefetch(items()))

    assert made.wait(10)
    assert made_in != threading.current_thread().name
    assert list(several) == [""]


def test_no_more_than_so_many_wait() -> None:
    """While the first is worked on, two are made, and not a third."""
    asked = []

    def items() -> Iterator[int]:
        for number in range(10):
            asked.append(number)
            yield number

    several = prefetch(items(), 2)
    next(several)
    several.close()

    assert len(asked) <= 3


def test_an_error_comes_in_its_turn() -> None:
    """What was made before it is there first; then it is raised where the items are taken."""

    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    several = prefetch(items(), 3)

    assert next(several) == 1
    with pytest.raises(ValueError, match="broken"):
        next(several)

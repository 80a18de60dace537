"""Working ahead of whoever takes the results, in a thread."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], depth: int = 1) -> Iterator[T]:
    """Make items in a thread of their own while the ones before are worked on; in order.

    Args:
        items: What is made; it runs in that thread. What it raises is raised here, in its turn.
        depth: Items that may wait: bounds the memory.
    """
    end = object()
    thread = ThreadPoolExecutor(1)
    waiting = deque(thread.submit(next, items, end) for _ in range(depth))
    try:
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(next, items, end))
            yield item  # type: ignore[misc]  # it is not the end
    finally:
        thread.shutdown(cancel_futures=True)

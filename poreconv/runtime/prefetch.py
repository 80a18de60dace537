"""Computing items ahead of their use, in a thread."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def prefetch(items: Iterator[T], depth: int = 1) -> Iterator[T]:
    """Yield items in order, while a thread computes the next ones.

    Args:
        items: The items; this iterator runs in the thread. An error that it raises is raised here, after the items
            before it.
        depth: Largest number of items that are computed ahead; limits the memory.
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

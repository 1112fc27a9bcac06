"""Work on a stream in threads, with few of its items in memory at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_threads(work: Callable[[T], R], items: Iterable[T], threads: int) -> Iterator[R]:
    """What `work` makes of each item, in the items' order.

    At most `threads` items are worked on while the next one is read; an item's memory goes when its
    thread is done with it.
    """
    with ThreadPoolExecutor(threads, "costopt") as pool:
        running: deque[Future[R]] = deque()
        for item in items:
            if len(running) == threads:
                yield running.popleft().result()
            running.append(pool.submit(work, item))
            del item
        while running:
            yield running.popleft().result()

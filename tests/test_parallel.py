"""Work in threads: the order, what is in memory at a time, and how it ends when it is cut short."""

from __future__ import annotations

import gc
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costopt.parallel import in_threads

PATIENCE_S = 20.0  # what is waited for comes at once, or never


class Thing:
    """An item, or a result, whose life can be watched."""

    def __init__(self, number: int) -> None:
        self.number = number


class Source:
    """Things one by one, as they are asked for; knows how many were, and which of them live."""

    def __init__(self, count: int, before: Callable[[int], None] = lambda number: None) -> None:
        self.count = count
        self.before = before
        self.given: list[weakref.ref[Thing]] = []

    def __iter__(self) -> Iterator[Thing]:
        for number in range(self.count):
            self.before(number)
            thing = Thing(number)
            self.given.append(weakref.ref(thing))
            yield thing
            del thing

    @property
    def alive(self) -> int:
        return sum(ref() is not None for ref in self.given)


def come(true: Callable[[], bool]) -> bool:
    """Whether it comes true, if only a little later."""
    last = time.monotonic() + PATIENCE_S
    while not true() and time.monotonic() < last:
        time.sleep(0.001)
    return true()


def left() -> list[str]:
    """Threads of in_threads; others of ours may be at work for other tests of this process."""
    return [t.name for t in threading.enumerate() if t.name.startswith("costopt_")]


@given(st.lists(st.integers(), max_size=12), st.integers(1, 5))
def test_it_is_a_map_whatever_the_threads(items: list[int], threads: int) -> None:
    assert list(in_threads(lambda n: n * n, iter(items), threads)) == [n * n for n in items]
    assert left() == []


def test_results_come_in_the_items_order_not_in_that_of_their_end() -> None:
    ended = [threading.Event() for _ in range(3)]

    def work(number: int) -> int:
        if number + 1 < len(ended):
            assert ended[number + 1].wait(PATIENCE_S)  # the last one ends first
        ended[number].set()
        return number

    assert list(in_threads(work, range(3), 3)) == [0, 1, 2]


def test_so_many_items_are_worked_on_at_once() -> None:
    together = threading.Barrier(3)

    def work(number: int) -> int:
        together.wait(PATIENCE_S)  # three at a time, else it breaks
        return number

    assert list(in_threads(work, range(9), 3)) == list(range(9))


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_never_more_than_so_many(threads: int) -> None:
    guard, now, most = threading.Lock(), 0, 0

    def work(number: int) -> int:
        nonlocal now, most
        with guard:
            now += 1
            most = max(most, now)
        time.sleep(0.001)
        with guard:
            now -= 1
        return number

    assert list(in_threads(work, range(24), threads)) == list(range(24))
    assert most <= threads


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_nothing_is_read_before_it_is_wanted(threads: int) -> None:
    source = Source(20)
    results = in_threads(lambda thing: thing.number, source, threads)
    assert source.given == []
    for number in range(20):
        assert next(results) == number
        assert len(source.given) <= number + threads + 1  # the one that is read meanwhile
    assert next(results, None) is None


@pytest.mark.parametrize("count", [8, 80])
@pytest.mark.parametrize("threads", [1, 3])
def test_an_items_memory_goes_when_its_thread_is_done_with_it(threads: int, count: int) -> None:
    """However many there are: while the next one is read, none is kept whose work has ended."""

    def before(number: int) -> None:
        assert come(lambda: source.alive == 0), f"{source.alive} live when {number} is read"

    source = Source(count, before)
    assert len(list(in_threads(lambda thing: thing.number, source, threads))) == count
    assert source.alive == 0


def test_few_results_live_however_many_there_are() -> None:
    refs: list[weakref.ref[Thing]] = []

    def work(number: int) -> Thing:
        made = Thing(number)
        refs.append(weakref.ref(made))
        return made

    for result in in_threads(work, range(100), 3):
        assert sum(ref() is not None for ref in refs) <= 3 + 1
        assert result.number >= 0


class Wrong(Exception):
    """An error with more than a text."""

    def __init__(self, where: int) -> None:
        super().__init__(f"item {where}")
        self.where = where


@pytest.mark.parametrize("threads", [1, 2, 4])
@pytest.mark.parametrize("error", [Wrong(5), KeyError("5"), KeyboardInterrupt(), SystemExit(3)])
def test_an_error_comes_through_as_it_was(threads: int, error: BaseException) -> None:
    def work(thing: Thing) -> int:
        if thing.number == 5:
            raise error
        return thing.number

    source = Source(100)
    found: list[int] = []
    with pytest.raises(type(error)) as caught:
        found.extend(in_threads(work, source, threads))
    assert caught.value is error
    assert len(source.given) <= 5 + threads + 1  # what comes after it is not read to the end
    assert left() == []


def test_what_came_before_an_error_is_given_first() -> None:
    def work(number: int) -> int:
        if number >= 2:
            raise Wrong(number)
        return number

    results = in_threads(work, range(9), 4)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(Wrong) as caught:
        next(results)
    assert caught.value.where == 2  # the first by the items' order, whichever was raised first


@pytest.mark.parametrize("error", [Wrong(3), KeyboardInterrupt()])
def test_a_source_that_breaks_off_leaves_no_thread(error: BaseException) -> None:
    def before(number: int) -> None:
        if number == 3:
            raise error

    with pytest.raises(type(error)) as caught:
        list(in_threads(lambda thing: thing.number, Source(9, before), 2))
    assert caught.value is error
    assert left() == []


def test_ctrl_c_while_a_result_is_waited_for_leaves_no_thread() -> None:
    main = threading.main_thread().ident
    assert main is not None

    def work(thing: Thing) -> int:
        if thing.number == 2:
            signal.pthread_kill(main, signal.SIGINT)
        return thing.number

    source = Source(10_000)
    with pytest.raises(KeyboardInterrupt):
        list(in_threads(work, source, 2))
    # a thread that was just being started is not waited for, but sees that there is no more work
    assert come(lambda: left() == [])
    assert len(source.given) < 10_000


def test_who_stops_asking_leaves_no_thread_and_no_item() -> None:
    source = Source(100)
    results = in_threads(lambda thing: thing.number, source, 2)
    assert next(results) == 0
    assert left() != []
    results.close()  # type: ignore[attr-defined] # a generator
    assert left() == []
    gc.collect()
    assert source.alive == 0
    assert len(source.given) <= 3

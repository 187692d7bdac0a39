"""Turns: never more than there are, fairly shared, and given back whatever happens."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from bot.turns import Turns


class Takers:
    """Threads that take turns; `began` holds who got one, in order, and `release` lets somebody's turn end."""

    def __init__(self, turns: Turns, pool: ThreadPoolExecutor) -> None:
        self.turns = turns
        self.began: list[str] = []
        self._pool = pool
        self._may_end: dict[str, threading.Semaphore] = {}
        self._changed = threading.Condition()

    def ask(self, who: str, fault: Exception | None = None) -> Future[None]:
        """Let somebody ask for a turn, and return when it waits or has its turn."""
        self._may_end.setdefault(who, threading.Semaphore(0))
        asked = len(self.began) + len(self.turns._waiting)
        future = self._pool.submit(self._take, who, fault)
        while len(self.began) + len(self.turns._waiting) <= asked:
            threading.Event().wait(0.001)  # nothing tells that a thread has begun to wait
        return future

    def _take(self, who: str, fault: Exception | None) -> None:
        with self.turns.take(who):
            with self._changed:
                self.began.append(who)
                self._changed.notify_all()
            assert self._may_end[who].acquire(timeout=10)
            if fault:
                raise fault

    def release(self, who: str) -> None:
        self._may_end[who].release()

    def wait_for(self, *began: str) -> None:
        """Wait until these have got their turns, in this order."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.began) >= len(began), 10), self.began
        assert self.began == list(began)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as executor:
        yield executor


@pytest.mark.parametrize("most", [1, 2, 8])
def test_as_many_as_there_are_go_at_once(pool: ThreadPoolExecutor, most: int) -> None:
    """All turns are given out together, and never one more, however many ask."""
    turns, lock, together = Turns(most), threading.Lock(), threading.Barrier(most)
    at_once, peak = 0, 0

    def work(who: str) -> None:
        nonlocal at_once, peak
        with turns.take(who):
            with lock:
                at_once += 1
                peak = max(peak, at_once)
            together.wait(10)  # passes only when all turns are out
            with lock:
                at_once -= 1

    for future in [pool.submit(work, f"job {number % 5}") for number in range(most * 6)]:
        future.result()
    assert peak == most


@pytest.mark.parametrize("most", [1, 2, 3])
def test_who_has_few_goes_before_who_has_many(pool: ThreadPoolExecutor, most: int) -> None:
    """While one holds every turn and waits for many more, somebody else's first is the next to be granted."""
    takers = Takers(Turns(most), pool)
    tree = [takers.ask("tree") for _ in range(most + 10)]
    takers.wait_for(*["tree"] * most)
    single = takers.ask("single")
    takers.release("tree")
    takers.wait_for(*["tree"] * most, "single")
    takers.release("single")
    for _ in tree:
        takers.release("tree")
    for future in [*tree, single]:
        future.result(10)


def test_two_who_want_many_share(pool: ThreadPoolExecutor) -> None:
    """Of two who want more than there is, each gets half of the turns, whoever came first."""
    takers = Takers(Turns(2), pool)
    first = [takers.ask("first") for _ in range(6)]
    second = [takers.ask("second") for _ in range(6)]
    takers.release("first")
    takers.wait_for("first", "first", "second")
    for number in range(4, 12):  # who gives a turn back has fewer than the other
        done = takers.began[-1]
        takers.release(done)
        takers.wait_for("first", "first", *["second"] * (number - 2))
        if number == 8:
            break
    for who in ["first", "second"] * 6:
        takers.release(who)
    for future in first + second:
        future.result(10)


def test_equals_are_served_as_they_came(pool: ThreadPoolExecutor) -> None:
    """Among those who have no turn, the first who asked is the first who gets one."""
    takers = Takers(Turns(1), pool)
    names = ["a", "b", "c", "d"]
    futures = [takers.ask(name) for name in names]
    for place, name in enumerate(names, 1):
        takers.wait_for(*names[:place])
        takers.release(name)
        futures[place - 1].result(10)


@pytest.mark.parametrize("fault", [ValueError("x"), TimeoutError(), RuntimeError()])
def test_a_turn_is_given_back_after_a_fault(pool: ThreadPoolExecutor, fault: Exception) -> None:
    """What goes wrong within a turn is passed on and costs nobody a turn."""
    takers = Takers(Turns(1), pool)
    failing, after = takers.ask("failing", fault), takers.ask("after")
    takers.release("failing")
    takers.wait_for("failing", "after")
    takers.release("after")
    after.result(10)
    assert failing.exception(10) is fault


def test_many_threads(pool: ThreadPoolExecutor) -> None:
    """Sixty-four threads with thousands of turns: none is lost, none is given twice, and nobody is remembered."""
    turns, lock = Turns(3), threading.Lock()
    at_once, taken = 0, 0

    def work(seed: int) -> None:
        nonlocal at_once, taken
        rolls = random.Random(seed)
        for _ in range(50):
            with turns.take(f"job {rolls.randrange(10)}"):
                with lock:
                    at_once += 1
                    assert at_once <= 3
                with lock:
                    at_once -= 1
                    taken += 1

    for future in [pool.submit(work, seed) for seed in range(64)]:
        future.result(60)
    assert taken == 64 * 50
    assert (turns._free, dict(turns._taken), turns._waiting) == (3, {}, {})

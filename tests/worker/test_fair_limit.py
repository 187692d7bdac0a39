"""FairLimit: never more than there are, fairly shared, and given back whatever happens."""

from __future__ import annotations

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from bot.worker.fair_limit import FairLimit


class Takers:
    """Threads that take turns; `began` holds who got one, in order, and `release` lets somebody's turn end."""

    def __init__(self, most: int, pool: ThreadPoolExecutor) -> None:
        self.turns = FairLimit(most)
        self.began: list[str] = []
        self._asked = 0
        self._pool = pool
        self._may_end: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(0))
        self._changed = threading.Condition()

    def ask(self, *who: str, fault: BaseException | None = None) -> Future[None]:
        """Let somebody ask for a turn, and return when it waits or has its turn."""
        self._asked += 1
        future = self._pool.submit(self._take, who, fault)
        while len(self.began) + len(self.turns._waiting) < self._asked:
            time.sleep(0.001)  # nothing tells that a thread has begun to wait
        return future

    def _take(self, names: tuple[str, ...], fault: BaseException | None) -> None:
        who = " ".join(names)
        with self.turns.take(*names):
            with self._changed:
                self.began.append(who)
                self._changed.notify_all()
            assert self._may_end[who].acquire(timeout=10)
            if fault:
                raise fault

    def release(self, *who: str) -> None:
        self._may_end[" ".join(who)].release()

    def release_all(self) -> None:
        for semaphore in self._may_end.values():
            semaphore.release(100)
        with self.turns._lock:
            self.turns._free += 100
            for _ in range(100):
                self.turns._call()

    def wait_for(self, *began: str) -> None:
        """Wait until these have got their turns, in this order."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.began) >= len(began), 10), self.began
        assert self.began == list(began)


Taking = Callable[[int], Takers]


@pytest.fixture
def taking() -> Iterator[Taking]:
    """Return what makes takers of a number of turns; at the end all turns may end."""
    made: list[Takers] = []
    with ThreadPoolExecutor(64) as pool:

        def _taking(most: int) -> Takers:
            made.append(Takers(most, pool))
            return made[-1]

        yield _taking
        for takers in made:
            takers.release_all()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as executor:
        yield executor


@pytest.mark.parametrize("most", [1, 2, 8])
def test_as_many_as_there_are_go_at_once(pool: ThreadPoolExecutor, most: int) -> None:
    """All turns are given out together, and never one more, however many ask."""
    turns, lock, together = FairLimit(most), threading.Lock(), threading.Barrier(most)
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


@pytest.mark.parametrize("most", [2, 3, 16])
def test_who_has_few_goes_before_who_has_many(taking: Taking, most: int) -> None:
    """While one holds every turn and waits for many more, somebody else's first is the next to be granted."""
    takers = taking(most)
    for _ in range(most + 10):
        takers.ask("tree")
    takers.ask("single")
    takers.release("tree")
    takers.wait_for(*["tree"] * most, "single")


def test_two_who_want_many_share(taking: Taking) -> None:
    """Of two who want more than there is, each has half of the turns, no matter who came first."""
    takers = taking(2)
    for who in ["first"] * 4 + ["second"] * 4:
        takers.ask(who)
    expected = ["first", "first"]
    for ends, begins in [("first", "second"), ("first", "first"), ("second", "second"), ("first", "first")]:
        takers.release(ends)
        takers.wait_for(*expected, begins)
        expected.append(begins)


def test_equals_are_served_as_they_came(taking: Taking) -> None:
    """Among those who have no turn, the first who asked is the first who gets one."""
    takers = taking(1)
    for name in "abcd":
        takers.ask(name)
    for place, name in enumerate("abcd", 1):
        takers.wait_for(*"abcd"[:place])
        takers.release(name)


@pytest.mark.parametrize("fault", [ValueError("x"), TimeoutError(), KeyboardInterrupt()])
def test_a_turn_is_given_back_after_a_fault(taking: Taking, fault: BaseException) -> None:
    """What goes wrong within a turn is passed on and costs nobody a turn."""
    takers = taking(1)
    failing = takers.ask("failing", fault=fault)
    takers.ask("after")
    takers.release("failing")
    takers.wait_for("failing", "after")
    assert failing.exception(10) is fault


def test_many_threads(pool: ThreadPoolExecutor) -> None:
    """Sixty-four threads with thousands of turns: none is lost, none is given twice, and nobody is remembered."""
    turns, lock = FairLimit(3), threading.Lock()
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
    assert (turns._free, dict(turns._taken), turns._waiting) == (3, {}, [])


def test_a_person_with_many_jobs_has_one_share(taking: Taking) -> None:
    """Forty trees of one person are one who wants many, not forty."""
    takers = taking(2)
    for number in range(40):
        takers.ask("U1", f"tree {number}")
    takers.ask("U2", "single")
    takers.ask("U2", "another")
    takers.release("U1", "tree 0")
    takers.wait_for("U1 tree 0", "U1 tree 1", "U2 single")
    takers.release("U1", "tree 1")
    takers.wait_for("U1 tree 0", "U1 tree 1", "U2 single", "U1 tree 2")


def test_the_jobs_of_one_person_share_what_they_have(taking: Taking) -> None:
    """A person's single group does not wait for all of their own tree."""
    takers = taking(2)
    for _ in range(10):
        takers.ask("U1", "tree")
    takers.ask("U1", "single")
    takers.release("U1", "tree")
    takers.wait_for("U1 tree", "U1 tree", "U1 single")

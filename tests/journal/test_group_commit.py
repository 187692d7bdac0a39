"""The batch: what many threads want is done in one go, and each gets its own result, or the failure of its own go."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from bot.journal.group_commit import GroupCommit, TookTooLong

PATIENCE = 10  # seconds after which a broken batch fails a test instead of hanging it

Item = int | str


class Foreseen(Exception):
    """What the work may fail with."""


class Odd(Foreseen):
    """What the work fails with because of one of its items."""


class Work:
    """Answers an item with itself and the number of the go; "fail", "odd" and "break" end a go, foreseen or not."""

    def __init__(self) -> None:
        self.goes: list[list[Item]] = []
        self.begun = threading.Semaphore(0)  # one for each go
        self.open = threading.Event()  # while it is not set, a go does not end
        self.open.set()

    def hold_next(self) -> None:
        """Let the go end that is held, and hold the next one."""
        held, self.open = self.open, threading.Event()
        held.set()

    def __call__(self, items: list[Item]) -> list[tuple[Item, int]]:
        self.goes.append(items)
        number = len(self.goes)
        self.begun.release()
        gate = self.open
        assert gate.wait(PATIENCE)
        if "fail" in items:
            raise Foreseen("the work failed")
        if "odd" in items:
            raise Odd("an odd item")
        if "break" in items:
            raise LookupError("nobody foresaw this")
        return [(item, number) for item in items]


class _Queue(deque[Any]):
    """The queue of a batch, which tells that somebody has come."""

    def __init__(self) -> None:
        super().__init__()
        self.came = threading.Semaphore(0)

    def append(self, wanted: Any) -> None:
        super().append(wanted)
        self.came.release()


class Crowd:
    """Threads that want something of a batch one after the other, while its work is held."""

    def __init__(self, pool: ThreadPoolExecutor, most: int = 100) -> None:
        self.work = Work()
        self.batch: GroupCommit[Item, tuple[Item, int]] = GroupCommit(self.work, most, Foreseen, Odd)
        self._queue = _Queue()
        self.batch._waiting = self._queue
        self._pool = pool

    def hold(self, item: Item = "first") -> Future[tuple[Item, int]]:
        """Let somebody be at it until the work is let go."""
        self.work.open.clear()
        (held,) = self.come(item)
        assert self.work.begun.acquire(timeout=PATIENCE)
        return held

    def come(self, *items: Item, patience: float = PATIENCE, grace: float = 0.0) -> list[Future[tuple[Item, int]]]:
        """Let a thread want each of these, the next when the one before it waits."""
        wanted = []
        for item in items:
            wanted.append(self._pool.submit(self.batch.do, item, patience, grace))
            assert self._queue.came.acquire(timeout=PATIENCE)
        return wanted


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(64) as pool:
        yield pool


@pytest.fixture
def crowd(pool: ThreadPoolExecutor) -> Crowd:
    return Crowd(pool)


@pytest.fixture
def many_switches() -> Iterator[None]:
    """Let the interpreter go from thread to thread as often as it can."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("many_switches")
@pytest.mark.parametrize("most", [1, 3, 100])
def test_everybody_gets_their_own_result(pool: ThreadPoolExecutor, most: int) -> None:
    """Of many threads that want many things, each gets what it asked for, and each thing is done once."""
    work = Work()
    batch = GroupCommit(work, most, Foreseen, Odd)
    barrier = threading.Barrier(32)

    def want(thread: int) -> list[Item]:
        barrier.wait(PATIENCE)
        return [batch.do(1000 * thread + number)[0] for number in range(100)]

    got = list(pool.map(want, range(32)))
    assert got == [[1000 * thread + number for number in range(100)] for thread in range(32)]
    done = [item for go in work.goes for item in go]
    assert len(done) == len(set(done)) == 3200
    assert max(map(len, work.goes)) <= most


def test_what_comes_meanwhile_is_done_in_one_go(crowd: Crowd) -> None:
    """In the order in which it came."""
    first = crowd.hold()
    others = crowd.come(*range(20))
    crowd.work.open.set()
    assert first.result(PATIENCE) == ("first", 1)
    assert [other.result(PATIENCE) for other in others] == [(number, 2) for number in range(20)]
    assert crowd.work.goes == [["first"], list(range(20))]


def test_a_go_has_at_most_so_many(pool: ThreadPoolExecutor) -> None:
    """The rest follows in the next ones, in order still."""
    crowd = Crowd(pool, most=3)
    crowd.hold()
    others = crowd.come(*range(8))
    crowd.work.open.set()
    assert [other.result(PATIENCE)[0] for other in others] == list(range(8))
    assert crowd.work.goes == [["first"], [0, 1, 2], [3, 4, 5], [6, 7]]


def test_a_failure_is_that_of_its_go_alone(pool: ThreadPoolExecutor) -> None:
    """It is raised to each whose item was in the go, and neither to those before nor to those after."""
    crowd = Crowd(pool, most=3)
    first = crowd.hold()
    others = crowd.come(1, 2, 3, 4, "fail", 6, 7)
    crowd.work.open.set()
    assert first.result(PATIENCE) == ("first", 1)
    failed = [str(other.exception(PATIENCE) or "") for other in others]
    assert crowd.work.goes == [["first"], [1, 2, 3], [4, "fail", 6], [7]]
    assert failed == ["", "", "", *["the work failed"] * 3, ""]
    assert others[6].result() == (7, 4)


def test_an_odd_item_fails_alone(pool: ThreadPoolExecutor) -> None:
    """Each item of its go is tried alone, in order; those who came meanwhile wait for them."""
    crowd = Crowd(pool, most=4)
    first = crowd.hold()
    others = crowd.come(1, 2, "odd", 3, 4, 5)
    crowd.work.open.set()
    assert first.result(PATIENCE) == ("first", 1)
    assert [str(other.exception(PATIENCE) or "") for other in others] == ["", "", "an odd item", "", "", ""]
    assert crowd.work.goes == [["first"], [1, 2, "odd", 3], [1], [2], ["odd"], [3], [4, 5]]
    assert crowd.batch.do("later", PATIENCE) == ("later", 8)


def test_a_failure_of_all_is_not_tried_one_by_one(pool: ThreadPoolExecutor) -> None:
    """Thirty-two attempts at a database that is away would take minutes."""
    crowd = Crowd(pool)
    crowd.hold()
    others = crowd.come(*range(31), "fail")
    crowd.work.open.set()
    assert all(isinstance(other.exception(PATIENCE), Foreseen) for other in others)
    assert len(crowd.work.goes) == 2


def test_who_loses_patience_is_not_served_later(crowd: Crowd) -> None:
    """It is told as not begun, and what nobody has begun is not done after that."""
    first = crowd.hold()
    with pytest.raises(TookTooLong) as raised:
        crowd.batch.do("impatient", 0)
    assert not raised.value.begun
    (other,) = crowd.come("patient")
    crowd.work.open.set()
    assert first.result(PATIENCE) == ("first", 1)
    assert other.result(PATIENCE) == ("patient", 2)
    assert crowd.work.goes == [["first"], ["patient"]]


def begun(crowd: Crowd, grace: float) -> Future[tuple[Item, int]]:
    """Let somebody who has little patience be in a go that is held; return what they get."""
    first = crowd.hold()
    crowd.come("leader")
    (late,) = crowd.come("late", patience=1.0, grace=grace)
    crowd.work.hold_next()
    assert first.result(PATIENCE) == ("first", 1)
    assert crowd.work.begun.acquire(timeout=PATIENCE)
    return late


def test_what_takes_too_long_is_told_as_begun(crowd: Crowd) -> None:
    """Nobody knows then whether it will be done; those who come later are served."""
    late = begun(crowd, grace=0.0)
    error = late.exception(PATIENCE)
    crowd.work.open.set()
    assert isinstance(error, TookTooLong)
    assert error.begun
    assert crowd.batch.do("later", PATIENCE) == ("later", 3)


def test_what_is_begun_gets_some_grace(crowd: Crowd) -> None:
    """What is done soon after is not told as failed."""
    late = begun(crowd, grace=PATIENCE)
    threading.Timer(1.2, crowd.work.open.set).start()
    assert late.result(PATIENCE) == ("late", 2)


def test_who_has_given_up_is_not_tried_alone(crowd: Crowd) -> None:
    """An odd item is in the same go: the others are tried alone, and nobody leads for somebody who is gone."""
    late = begun(crowd, grace=0.0)
    assert isinstance(late.exception(PATIENCE), TookTooLong)
    crowd.work.goes[-1].append("odd")
    crowd.work.open.set()
    assert crowd.batch.do("later", PATIENCE)[0] == "later"
    assert ["late"] not in crowd.work.goes


def test_an_unforeseen_error_leaves_nobody_waiting(pool: ThreadPoolExecutor) -> None:
    """It reaches the one who was at it; the others of the go get the failure, and those who come later is served."""
    crowd = Crowd(pool, most=3)
    first = crowd.hold()
    others = crowd.come(1, "break", 3)
    crowd.work.open.set()
    assert first.result(PATIENCE) == ("first", 1)
    errors = [other.exception(PATIENCE) for other in others]
    assert sorted(type(error).__name__ for error in errors) == ["Foreseen", "Foreseen", "LookupError"]
    assert crowd.batch.do("later", PATIENCE) == ("later", 3)
    assert crowd.work.goes == [["first"], [1, "break", 3], ["later"]]

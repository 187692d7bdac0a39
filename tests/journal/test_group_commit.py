"""The batch: what many threads want is done in one go, and each gets its own result, or the failure of its own go."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from bot.journal.group_commit import GroupCommit

PATIENCE = 10  # seconds after which a broken batch fails a test instead of hanging it

Item = int | str


class Foreseen(Exception):
    """What the work may fail with."""


class Work:
    """Answers an item with itself and the number of the go; "fail" and "break" end a go, foreseen or not."""

    def __init__(self) -> None:
        self.goes: list[list[Item]] = []
        self.begun = threading.Semaphore(0)  # one for each go
        self.open = threading.Event()  # while it is not set, a go does not end
        self.open.set()

    def __call__(self, items: list[Item]) -> list[tuple[Item, int]]:
        self.goes.append(items)
        number = len(self.goes)
        self.begun.release()
        assert self.open.wait(PATIENCE)
        if "fail" in items:
            raise Foreseen("the work failed")
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
        self.batch: GroupCommit[Item, tuple[Item, int]] = GroupCommit(self.work, most, Foreseen)
        self._queue = _Queue()
        self.batch._waiting = self._queue
        self._pool = pool

    def hold(self, item: Item = "first") -> Future[tuple[Item, int]]:
        """Let somebody be at it until the work is let go."""
        self.work.open.clear()
        (held,) = self.come(item)
        assert self.work.begun.acquire(timeout=PATIENCE)
        return held

    def come(self, *items: Item, patience: float = PATIENCE) -> list[Future[tuple[Item, int]]]:
        """Let a thread want each of these, the next when the one before it waits."""
        wanted = []
        for item in items:
            wanted.append(self._pool.submit(self.batch.do, item, patience))
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
    batch = GroupCommit(work, most, Foreseen)
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


def test_who_loses_patience_is_not_served_later(crowd: Crowd) -> None:
    """The failure is raised, and what nobody has begun is not done after that."""
    first = crowd.hold()
    with pytest.raises(Foreseen, match="in time"):
        crowd.batch.do("impatient", 0)
    (other,) = crowd.come("patient")
    crowd.work.open.set()
    assert first.result(PATIENCE) == ("first", 1)
    assert other.result(PATIENCE) == ("patient", 2)
    assert crowd.work.goes == [["first"], ["patient"]]


@pytest.mark.parametrize("others", [(), ("other",)], ids=["their turn", "done by another"])
def test_who_loses_patience_too_late_gets_the_result(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch, others: tuple[Item, ...]
) -> None:
    """They are called, to be at it or because it is done, while they leave: what is done is not told as failed."""
    leave = GroupCommit._too_late_to_leave
    before = [crowd.hold(), *crowd.come(*others)]

    def called_while_leaving(batch: GroupCommit[Any, Any], wanted: Any) -> bool:
        crowd.work.open.set()
        assert [each.result(PATIENCE)[0] for each in before] == ["first", *others]
        return leave(batch, wanted)

    monkeypatch.setattr(GroupCommit, "_too_late_to_leave", called_while_leaving)
    assert crowd.batch.do("late", 0) == ("late", 2)
    assert crowd.work.goes == [["first"], [*others, "late"]]


def test_an_unforeseen_error_leaves_nobody_waiting(pool: ThreadPoolExecutor) -> None:
    """It reaches the one who was at it; the others of the go get the failure, and whoever comes later is served."""
    crowd = Crowd(pool, most=3)
    first = crowd.hold()
    others = crowd.come(1, "break", 3)
    crowd.work.open.set()
    assert first.result(PATIENCE) == ("first", 1)
    errors = [other.exception(PATIENCE) for other in others]
    assert sorted(type(error).__name__ for error in errors) == ["Foreseen", "Foreseen", "LookupError"]
    assert crowd.batch.do("later", PATIENCE) == ("later", 3)
    assert crowd.work.goes == [["first"], [1, "break", 3], ["later"]]

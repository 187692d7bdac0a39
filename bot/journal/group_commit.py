"""Work that many threads want at the same time, done in one go by one of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class GroupCommit(Generic[T, R]):
    """Lets whoever comes first do the work of all who came while the one before was at it: a group commit.

    `work` gets at most `most` items, in the order in which they came, and returns as many results. An error of the
    class `failure` that it raises is raised to all whose items these are.
    """

    def __init__(self, work: Callable[[list[T]], list[R]], most: int, failure: type[Exception]) -> None:
        self._work = work
        self._most = most
        self._failure = failure
        self._waiting: deque[_Wanted[T, R]] = deque()
        self._led = False  # whether somebody is at it, or about to be
        self._lock = threading.Lock()  # of these two

    def do(self, item: T, patience: float = -1) -> R:
        """Return the result for one item.

        Raises `failure`, also when nothing is heard of it for `patience` seconds, which -1 takes for any number: then
        it is not begun any more, but somebody may be at it.
        """
        wanted: _Wanted[T, R] = _Wanted(item)
        with self._lock:
            self._waiting.append(wanted)
            if not self._led:
                self._led = True
                wanted.called.release()
        if wanted.called.acquire(timeout=patience) or self._too_late_to_leave(wanted):
            if not wanted.done:
                self._lead()
            if wanted.results:
                return wanted.results[0]
        raise wanted.error or self._failure("others did not finish in time, or failed")

    def _too_late_to_leave(self, wanted: _Wanted[T, R]) -> bool:
        """Leave the queue; True when one's turn has come at this very moment."""
        with self._lock:
            if wanted.called.acquire(blocking=False):
                return True
            if wanted in self._waiting:
                self._waiting.remove(wanted)
            return False

    def _lead(self) -> None:
        """Do the work of the first who wait, oneself among them, and call the next."""
        with self._lock:
            some = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))]
        try:
            results = self._work([wanted.item for wanted in some])
            for wanted, result in zip(some, results, strict=True):
                wanted.results.append(result)
        except self._failure as error:
            for wanted in some:
                wanted.error = error
        finally:
            for wanted in some:  # before the next is called: who comes back at once is then in the next go
                wanted.done = True
                wanted.called.release()
            with self._lock:
                self._led = bool(self._waiting)
                if self._led:
                    self._waiting[0].called.release()


class _Wanted(Generic[T, R]):
    """An item, and what came of it; `called` wakes its thread, when it is done or when it is to lead."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.results: list[R] = []
        self.error: Exception | None = None
        self.done = False
        self.called = threading.Lock()  # released to call
        self.called.acquire()

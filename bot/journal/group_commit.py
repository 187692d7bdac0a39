"""Group commit: what many threads want at the same time is done in one go, by the first of them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class TookTooLong(Exception):
    """Nothing was heard of an item in time. When it has `begun`, somebody is at it and may still finish it."""

    def __init__(self, begun: bool) -> None:
        super().__init__("others did not finish in time")
        self.begun = begun


class GroupCommit(Generic[T, R]):
    """The first thread that wants something does the work of all that came while the one before was at work.

    `work` gets at most `most` items, in the order in which they came, and returns as many results. An error of the
    class `failure` is raised to each whose item was in the go. After one of the class `of_one`, each item of the go is
    tried alone, so that only those fail that caused it.
    """

    def __init__(
        self, work: Callable[[list[T]], list[R]], most: int, failure: type[Exception], of_one: type[Exception]
    ) -> None:
        self._work = work
        self._most = most
        self._failure = failure
        self._of_one = of_one
        self._waiting: deque[_Wanted[T, R]] = deque()
        self._led = False  # whether somebody is at work, or about to be
        self._lock = threading.Lock()  # of these two

    def do(self, item: T, patience: float = -1, grace: float = 0.0) -> R:
        """Return the result for one item, or raise what the work raised.

        Raises TookTooLong when it is not begun within `patience` seconds (-1 for no limit), or is not finished `grace`
        seconds after that.
        """
        wanted: _Wanted[T, R] = _Wanted(item)
        with self._lock:
            self._waiting.append(wanted)
            if not self._led:
                self._led = True
                wanted.called.release()
        for seconds in (patience, grace):
            if wanted.called.acquire(timeout=seconds):
                return self._result(wanted)
            if self._left(wanted):
                raise TookTooLong(begun=False)
        if self._given_up(wanted):
            raise TookTooLong(begun=True)
        return self._result(wanted)

    def _left(self, wanted: _Wanted[T, R]) -> bool:
        """Leave the queue; False when the item is begun, or its turn has come at this very moment."""
        with self._lock:
            if wanted in self._waiting and wanted.called.locked():
                self._waiting.remove(wanted)
                return True
            return False

    def _given_up(self, wanted: _Wanted[T, R]) -> bool:
        """Wait no longer for an item that is begun; False when it is called at this very moment."""
        with self._lock:
            if wanted.called.acquire(blocking=False):
                return False
            if wanted in self._waiting:  # put back just now
                self._waiting.remove(wanted)
            wanted.given_up = True
            return True

    def _result(self, wanted: _Wanted[T, R]) -> R:
        """Return the result of an item that was called, and do the work where it was called for that."""
        while not wanted.done:
            self._lead()
        if wanted.results:
            return wanted.results[0]
        raise wanted.error or self._failure("the work failed")

    def _lead(self) -> None:
        """Do the work of the first who wait, the caller among them, and call the next."""
        some = self._next()
        again = False
        try:
            results = self._work([wanted.item for wanted in some])
            for wanted, result in zip(some, results, strict=True):
                wanted.results.append(result)
        except self._of_one as error:
            again = len(some) > 1
            some[0].error = error
        except self._failure as error:
            for wanted in some:
                wanted.error = error
        finally:
            if again:
                self._try_alone(some)
            else:
                self._finish(some)

    def _next(self) -> list[_Wanted[T, R]]:
        with self._lock:
            some = [self._waiting.popleft()]
            while self._waiting and len(some) < self._most and not some[0].alone and not self._waiting[0].alone:
                some.append(self._waiting.popleft())
            return some

    def _try_alone(self, some: list[_Wanted[T, R]]) -> None:
        """Put items back, each for a go of its own; the caller, who is the first of them, goes on."""
        with self._lock:
            for wanted in reversed(some):
                wanted.alone = True
                if not wanted.given_up:
                    self._waiting.appendleft(wanted)

    def _finish(self, some: list[_Wanted[T, R]]) -> None:
        for wanted in some:  # before the next is called: who comes back at once is then in the next go
            wanted.done = True
            wanted.called.release()
        with self._lock:
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].called.release()


class _Wanted(Generic[T, R]):
    """An item and what came of it; `called` wakes its thread, when it is done or when it is to lead."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.results: list[R] = []
        self.error: Exception | None = None
        self.alone = False  # in a go of its own
        self.given_up = False  # nobody waits for it
        self.done = False
        self.called = threading.Lock()  # released to call
        self.called.acquire()

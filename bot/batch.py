"""Work that many threads want at the same time, done in one go by one of them."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Batch(Generic[T, R]):
    """Lets whoever comes first do the work of all who came while the one before was at it: a group commit.

    `work` gets at most `most` items, in the order in which they came, and returns as many results. An error of the
    class `failure` that it raises is raised to all whose items these are.
    """

    def __init__(self, work: Callable[[list[T]], list[R]], most: int, failure: type[Exception]) -> None:
        self._work = work
        self._most = most
        self._failure = failure
        self._waiting: deque[_Wanted[T, R]] = deque()
        self._turn = threading.Lock()

    def do(self, item: T, patience: float = -1) -> R:
        """Return the result for one item.

        Raises `failure`, also when its turn does not come within `patience` seconds, which -1 takes for any number;
        somebody may be at it by then.
        """
        wanted: _Wanted[T, R] = _Wanted(item)
        self._waiting.append(wanted)
        if self._turn.acquire(timeout=patience):
            try:
                while not wanted.done:
                    self._do_some()
            finally:
                self._take_back(wanted)
                self._turn.release()
        else:
            self._take_back(wanted)
        if wanted.results:
            return wanted.results[0]
        raise wanted.error or self._failure("others did not finish in time, or failed")

    def _take_back(self, wanted: _Wanted[T, R]) -> None:
        """Let nobody begin an item any more."""
        with contextlib.suppress(ValueError):  # somebody has begun it
            self._waiting.remove(wanted)

    def _do_some(self) -> None:
        some: list[_Wanted[T, R]] = []
        with contextlib.suppress(IndexError):  # others may take theirs back meanwhile, so there is no counting before
            while len(some) < self._most:
                some.append(self._waiting.popleft())
        try:
            results = self._work([wanted.item for wanted in some])
            for wanted, result in zip(some, results, strict=True):
                wanted.results.append(result)
        except self._failure as error:
            for wanted in some:
                wanted.error = error
        finally:
            for wanted in some:
                wanted.done = True


class _Wanted(Generic[T, R]):
    """An item, and what came of it."""

    def __init__(self, item: T) -> None:
        self.item = item
        self.results: list[R] = []
        self.error: Exception | None = None
        self.done = False

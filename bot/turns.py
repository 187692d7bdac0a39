"""Turns at a limited resource, shared fairly: who has the fewest at the moment is next."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import Iterator


class Turns:
    """Lets `most` turns be taken at once. Among those who wait, one with few turns goes before one with many."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._taken: Counter[str] = Counter()
        self._waiting: dict[int, str] = {}
        self._tickets = itertools.count()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def take(self, who: str) -> Iterator[None]:
        """Wait for a turn, and hold it until the end of the `with`."""
        with self._changed:
            ticket = next(self._tickets)
            self._waiting[ticket] = who
            self._changed.wait_for(lambda: self._free and self._next() == ticket)
            del self._waiting[ticket]
            self._free -= 1
            self._taken[who] += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._taken[who] -= 1
                if not self._taken[who]:
                    del self._taken[who]
                self._changed.notify_all()

    def _next(self) -> int:
        return min(self._waiting, key=lambda ticket: (self._taken[self._waiting[ticket]], ticket))

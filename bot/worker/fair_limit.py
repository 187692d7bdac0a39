"""FairLimit at a limited resource, shared fairly: who has the fewest at the moment is next."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator


class FairLimit:
    """Lets `most` turns be taken at once. Among those who wait, one with few turns goes before one with many."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._taken: Counter[str] = Counter()
        self._waiting: list[tuple[str, threading.Event]] = []  # in the order in which they came
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def take(self, who: str) -> Iterator[None]:
        """Wait for a turn, and hold it until the end of the `with`."""
        called = threading.Event()
        with self._lock:
            self._waiting.append((who, called))
            self._call()
        called.wait()
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                self._taken[who] -= 1
                if not self._taken[who]:
                    del self._taken[who]
                self._call()

    def _call(self) -> None:
        """Give a free turn to the one who is next, and wake nobody else."""
        if self._free and self._waiting:
            who, called = chosen = min(self._waiting, key=lambda waiting: self._taken[waiting[0]])
            self._waiting.remove(chosen)
            self._free -= 1
            self._taken[who] += 1
            called.set()

"""A limit on how much is done at once, shared fairly: who has the fewest turns at the moment is next."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator

Who = tuple[str, ...]


class FairLimit:
    """Lets `most` turns be taken at once, shared among people, and each person's among their jobs."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._taken: Counter[Who] = Counter()  # by person, and by person and job
        self._waiting: list[tuple[Who, threading.Event]] = []  # in the order in which they came
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def take(self, *who: str) -> Iterator[None]:
        """Wait for a turn, and hold it until the end of the `with`. `who` is for example a person and a job.

        Next is the person with the fewest turns, and of their jobs the one with the fewest.
        """
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
                self._taken -= Counter(_levels(who))
                self._call()

    def _call(self) -> None:
        """Give a free turn to the one who is next, and wake nobody else."""
        if self._free and self._waiting:
            who, called = chosen = min(self._waiting, key=lambda waiting: [self._taken[x] for x in _levels(waiting[0])])
            self._waiting.remove(chosen)
            self._free -= 1
            self._taken.update(_levels(who))
            called.set()


def _levels(who: Who) -> list[Who]:
    return [who[: level + 1] for level in range(len(who))]

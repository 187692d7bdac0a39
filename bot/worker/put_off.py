"""Jobs that this process has put off. It measures with the monotonic clock, so a clock that is set delays none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

REMEMBERED = 600.0
"""How long a job is remembered after it was due, in seconds: another process may have carried it meanwhile."""


@dataclass(frozen=True)
class _Entry:
    until: float
    released: bool


class PutOff:
    """Remembers until when each job is put off. Safe to use from many threads."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.Lock()

    def add(self, job: str, seconds: float, *, released: bool) -> None:
        """Put a job off. It is not `released` where that could not be written into the journal."""
        with self._lock:
            self._entries[job] = _Entry(time.monotonic() + seconds, released)

    def forget(self, jobs: Iterable[str]) -> None:
        """Forget jobs that are carried again, and those that were due long ago."""
        long_ago = time.monotonic() - REMEMBERED
        with self._lock:
            for job in {*jobs, *(job for job, entry in self._entries.items() if entry.until < long_ago)}:
                self._entries.pop(job, None)

    def due(self) -> list[str]:
        """Return the jobs whose time has come."""
        return [job for job, entry in self._now() if entry.until <= time.monotonic()]

    def held(self) -> list[str]:
        """Return the jobs that are this process's in the journal, though their time has not come."""
        return [job for job, entry in self._now() if entry.until > time.monotonic() and not entry.released]

    def _now(self) -> list[tuple[str, _Entry]]:
        with self._lock:
            return list(self._entries.items())

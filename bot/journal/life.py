"""Which processes live: each changes its row every few seconds, and the others watch it by their own monotonic clocks.

No wall clock is asked, so none can lie; and nobody counts time in which it did not look itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

EVERY = 2.0
"""How often a process shows that it lives, in seconds."""

TAKE_OVER = 8.0
"""After how long without a sign of life a process's jobs are taken over, in seconds."""

SERVE = "serve"
"""The `machine` of a process that shows its life so often; version 0.2.0 writes another word there."""

LEASE = 30.0
"""How long a process of version 0.2.0 may be silent, in seconds; it renews its lease every five."""

SURE = TAKE_OVER - EVERY
"""For how long after a sign of life a process need not ask whether it still holds its jobs, in seconds."""


def boottime() -> float:
    """Return a clock in seconds that goes on while the machine is suspended, where the platform has one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Watch:
    """Watches the rows of `processes`, one look after another."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._looked_at = clock()
        self._seen: dict[str, tuple[float, float]] = {}  # what a row showed, and for how long it has

    def silent(self, rows: Iterable[Any]) -> list[Any]:
        """Take a look; return the rows that have shown nothing new for too long."""
        now = self._clock()
        passed = min(now - self._looked_at, 2 * EVERY)  # more than that, and this process stood still itself
        seen: dict[str, tuple[float, float]] = {}
        silent = []
        for row in rows:
            shown, since = self._seen.get(row.id, (None, 0.0))
            since = since + passed if shown == row.lease_until else 0.0
            seen[row.id] = row.lease_until, since
            if since >= (TAKE_OVER if row.machine == SERVE else LEASE):
                silent.append(row)
        self._looked_at, self._seen = now, seen
        return silent

    def forget(self) -> None:
        """Begin again: the database was away, so that nobody could show anything."""
        self._seen = {}

"""Counts what comes again and again, so that a loop does not fill the log."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable


class Repeated:
    """Counts events that come again too soon. Safe to use from many threads."""

    def __init__(self, most: int = 1000) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._seen: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def count(self, key: Hashable, every: float) -> int | None:
        """Return how many were left out since the last one, or None when this one is to be left out."""
        now = time.monotonic()
        with self._lock:
            last, left_out = self._seen.get(key, (now - every, 0))
            if now - last < every:
                self._seen[key] = last, left_out + 1
                return None
            self._seen[key] = now, 0
            self._seen.move_to_end(key)
            if len(self._seen) > self._most:
                self._seen.popitem(last=False)
            return left_out

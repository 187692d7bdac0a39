"""A limit as Slack has them: so many at once, and so many a second after that."""

import threading
import time


class Bucket:
    """Lets `burst` through at once and `per_second` after that. Safe to use from many threads."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_second = per_second
        self._burst = burst
        self._full_at = 0.0
        self._lock = threading.Lock()

    def take(self) -> float:
        """Return 0.0 and count one, or return in how many seconds one will be let through."""
        with self._lock:
            now = time.monotonic()
            full_at = max(self._full_at, now) + 1 / self._per_second
            wait = full_at - now - self._burst / self._per_second
            if wait <= 0:
                self._full_at = full_at
            return max(wait, 0.0)

"""A timed cache with one load per key, however many threads ask for it at the same time."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Keeps `load(key)` for `seconds`, for at most `most` keys. Safe to use from many threads."""

    def __init__(self, load: Callable[[K], V], seconds: float, most: int = 10_000) -> None:
        self._load = load
        self._seconds = seconds
        self._most = most
        self._kept: OrderedDict[K, tuple[float, Future[V]]] = OrderedDict()
        self._lock = threading.Lock()
        self._loaders = ThreadPoolExecutor(4, thread_name_prefix="cache")

    def get(self, key: K, timeout: float | None = None) -> V:
        """Return the value, loaded when there is none or it is too old.

        Raises what `load` raises, which is not kept; raises TimeoutError when it takes longer than `timeout` seconds.
        """
        return self.prefetch(key).result(timeout)

    def prefetch(self, key: K) -> Future[V]:
        """Begin to load the value where that is needed; never waits."""
        with self._lock:
            future = self._fresh(key)
            if future is None:
                future = self._loaders.submit(self._load, key)
                self._kept[key] = (time.monotonic() + self._seconds, future)
                self._kept.move_to_end(key)
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
            return future

    def known(self, key: K) -> V | None:
        """Return the value if it is there and fresh; never waits."""
        with self._lock:
            return self._value(key)

    def forget(self, key: K, value: V | None = None) -> None:
        """Let the next `get` load the value again; with a `value` only if it is still that one.

        So many who miss something in one value share one load of the next.
        """
        with self._lock:
            if value is None or self._value(key) is value:
                self._kept.pop(key, None)

    def _value(self, key: K) -> V | None:
        future = self._fresh(key)
        return future.result() if future and future.done() else None

    def _fresh(self, key: K) -> Future[V] | None:
        until, future = self._kept.get(key, (0.0, None))
        failed = future is not None and future.done() and future.exception() is not None
        return None if failed or until <= time.monotonic() else future

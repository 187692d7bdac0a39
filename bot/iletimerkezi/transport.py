"""One exchange over HTTP: one deadline for all of it, sent at most once, and known whether it can have left.

Each exchange runs in a thread of its own, and its caller waits for that thread until the deadline and no longer. So
whatever hangs (the resolver above all), the call ends in time; and the thread must pass one gate before it sends, which
the end of the wait closes.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from bot.network import Answer, Failed, Session

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read unless a call allows more, in bytes."""


def now() -> float:
    """Return seconds of a clock that goes on while the process is stopped or the machine suspended."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Exchange(threading.Thread):
    """Sends `content` as JSON to `url` once, within `timeout` seconds all in all; `wait` returns the answer.

    It opens a connection of its own: on a kept one that a firewall has silently dropped, a request would vanish and its
    outcome be unknown. `may_send` is asked once, when the connection stands and before the first byte of the request
    leaves; it must not raise.
    """

    def __init__(
        self, url: str, content: Mapping[str, Any], timeout: float, most: int, may_send: Callable[[], bool]
    ) -> None:
        super().__init__(name="exchange", daemon=True)
        self._url = url
        self._body = json.dumps(content).encode()
        self._timeout = timeout
        self._most = most
        self._may_send = may_send
        self._deadline = now() + timeout
        self._lock = threading.Lock()
        self._sent = False  # the request may have left
        self._over = False  # the caller waits no longer
        self._result: Answer | Failed | None = None

    def wait(self) -> Answer:
        """Return what the exchange brought. Raises Failed, at the deadline at the latest."""
        try:
            self.start()
        except RuntimeError as error:  # the machine allows no more threads
            raise Failed("unreachable", connected=False) from error
        self.join(self._timeout)
        with self._lock:
            self._over = True
            result = self._result or Failed("timeout" if self._sent else "connect_timeout", self._sent)
        if isinstance(result, Failed):
            raise result
        return result

    def run(self) -> None:
        """Carry it out, in the thread."""
        headers = {"Content-Type": "application/json", "Connection": "close"}
        try:
            with Session(kept=0, gate=self._pass_gate) as session:
                self._result = session.exchange(self._url, self._body, headers, self._timeout, self._most)
        except Failed as failed:
            self._result = failed

    def _pass_gate(self) -> None:
        """Note that the request leaves from here on. Raises Failed when it must not."""
        allowed = self._may_send()
        with self._lock:
            if now() >= self._deadline:
                raise Failed("too_late", connected=False)
            if self._over:
                raise Failed("connect_timeout", connected=False)
            if not allowed:
                raise Failed("withdrawn", connected=False)
            self._sent = True

"""What joins the process that takes commands in with the one that carries them out."""

from __future__ import annotations

import contextlib
import multiprocessing
import socket
import time


class Wakeup:
    """Wakes the carriers at once, which look into the journal from time to time anyway, and shows that they live.

    Made before the processes are forked, it serves all of them, whichever ends and is started anew.
    """

    def __init__(self) -> None:
        self._listening, self._ringing = socket.socketpair()
        self._ringing.setblocking(False)
        self._beats_until = multiprocessing.Value("d", 0.0, lock=False)  # a killed process would keep a lock

    def ring(self) -> None:
        """Wake who waits, or who waits next."""
        with contextlib.suppress(BlockingIOError):  # it has rung so often that one more makes no difference
            self._ringing.send(b"!")

    def wait(self, seconds: float) -> None:
        """Wait until it rings, for at most so long."""
        self._listening.settimeout(seconds)
        with contextlib.suppress(TimeoutError, BlockingIOError):  # the latter where there is no time to wait
            self._listening.recv(4096)

    def beat(self, until: float) -> None:
        """Show that the carriers live, and will show it again before this time of time.monotonic()."""
        self._beats_until.value = until

    def alive(self) -> bool:
        """Tell whether the carriers live."""
        return bool(time.monotonic() < self._beats_until.value)

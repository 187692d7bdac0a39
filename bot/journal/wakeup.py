"""What joins the front and the worker: one socket pair that carries rings one way and heartbeats the other.

The end of either process closes its end of the pair, which the other notices at once, also after a SIGKILL.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time

SILENT_FOR = 10.0
"""How long the worker may be silent before it counts as dead, in seconds; it may wait this long for the database."""

HUNG_AFTER = 60.0
"""How long a worker may be silent before it is given up, in seconds."""

_BEAT_EVERY = 0.5  # seconds


class Bell:
    """The front's end: wakes the worker and knows whether it lives. It stays when one worker follows another."""

    def __init__(self) -> None:
        self._link: socket.socket | None = None
        self._last_beat = float("-inf")

    def connect(self) -> socket.socket:
        """Return the other end of a new pair, for the next worker."""
        if self._link:
            self._link.close()
        self._link, other = socket.socketpair()
        return other

    def listen(self) -> None:
        """Follow the worker's heartbeat, until the worker is gone or has been silent for HUNG_AFTER seconds."""
        while self._link and _readable(self._link, HUNG_AFTER) and _received(self._link):
            self._last_beat = time.monotonic()
        self._last_beat = float("-inf")

    def close(self) -> None:
        """Let the worker know that there will be no more rings."""
        if self._link:
            with contextlib.suppress(OSError):  # the worker was faster
                self._link.shutdown(socket.SHUT_RDWR)
            self._link.close()

    def ring(self) -> None:
        """Wake the worker. Without one, nothing happens: the next one looks into the journal at its start."""
        if self._link:
            _send(self._link)

    def alive(self) -> bool:
        """Tell whether the worker has shown a sign of life lately."""
        return time.monotonic() - self._last_beat < SILENT_FOR


class Wakeup:
    """The worker's end: waits for rings, from the front or from its own threads, and sends the heartbeat."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._rung = threading.Event()
        self._next_beat = 0.0

    def listen(self) -> None:
        """Pass the front's rings on, until the front is gone."""
        while _received(self._link):
            self.ring()

    def ring(self) -> None:
        """Wake the thread that waits, or waits next."""
        self._rung.set()

    def wait(self, seconds: float) -> None:
        """Wait until it rings, for at most so long."""
        self._rung.wait(seconds)
        self._rung.clear()

    def beat(self) -> None:
        """Show that the worker lives; to be called at least every few seconds."""
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + _BEAT_EVERY
            _send(self._link)


def _send(link: socket.socket) -> None:
    with contextlib.suppress(OSError):  # full of bytes that nobody has read yet, or the other end is gone
        link.send(b"!", socket.MSG_DONTWAIT)


def _readable(link: socket.socket, seconds: float) -> bool:
    """Wait until something has come, or the other end is gone; tell whether that happened in time."""
    waiting = select.poll()
    waiting.register(link, select.POLLIN)
    return bool(waiting.poll(1000 * seconds))


def _received(link: socket.socket) -> bytes:
    """Return what has come, or nothing when the other end is gone: closed, or with bytes of ours left unread."""
    try:
        return link.recv(4096)
    except OSError:
        return b""

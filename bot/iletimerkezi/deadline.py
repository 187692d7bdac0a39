"""The deadline of a call: shuts its connection when the time is up, and knows whether the connection stood."""

from __future__ import annotations

import contextlib
import socket
import threading
import time


class Deadline:
    """Ends one call when its time is up, however slowly the other side drips: a socket's timeout is one per read.

    `ends` is on the monotonic clock. `connected` says that the request may have left, `cut` that the connection was
    shut. Use it as a context: when it is left, nothing is shut any more.
    """

    def __init__(self, seconds: float, watch: Watch) -> None:
        self.ends = time.monotonic() + seconds
        self.connected = False
        self.cut = False
        self._watch = watch
        self._watched: socket.socket | None = None

    def __enter__(self) -> Deadline:
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.remove(self)
        if self._watched:
            self._watched.close()

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self.ends

    def watch(self, connection: socket.socket) -> None:
        """Have the connection shut when the time is up, handshakes of a proxy and of TLS included."""
        # Through a duplicate: TLS takes the socket itself over, and a close of it must not race with the shutdown.
        self._watched = connection.dup()
        self._watch.add(self)

    def check(self) -> None:
        """Raise TimeoutError when the time is up already."""
        if self.passed:
            raise TimeoutError("connecting took all the time of the call")

    def stand(self) -> None:
        """Note that the request may leave from here on. Raises TimeoutError when the time is up already."""
        self.check()
        self.connected = True

    def shut(self) -> None:
        """Shut the connection down, in both directions."""
        self.cut = True
        if self._watched:
            with contextlib.suppress(OSError):  # the other side was faster
                self._watched.shutdown(socket.SHUT_RDWR)


class Watch:
    """Shuts the connections of the calls whose time is up, for any number of calls at once.

    One thread looks after all of them: to start one for each call would cost more than the call's own sending. It
    begins with a call and ends when it finds none.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._deadlines: set[Deadline] = set()
        self._looks_at: float | None = None  # when the thread looks next; None while there is no thread

    def add(self, deadline: Deadline) -> None:
        """Watch a call from here on."""
        with self._changed:
            self._deadlines.add(deadline)
            if self._looks_at is None:
                threading.Thread(target=self._run, name="deadlines", daemon=True).start()
            elif deadline.ends < self._looks_at:
                self._changed.notify()
            else:
                return
            self._looks_at = deadline.ends

    def remove(self, deadline: Deadline) -> None:
        """Watch a call no more: once this returns, it is not shut."""
        with self._changed:
            self._deadlines.discard(deadline)

    def _run(self) -> None:
        with self._changed:
            while self._deadlines:
                for deadline in [deadline for deadline in self._deadlines if deadline.passed]:
                    self._deadlines.remove(deadline)
                    deadline.shut()
                if self._deadlines:
                    self._looks_at = min(deadline.ends for deadline in self._deadlines)
                    self._changed.wait(self._looks_at - time.monotonic())
            self._looks_at = None

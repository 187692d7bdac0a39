"""Writes the log's lines from a thread of its own: a reader that is slow or stuck holds up that thread alone."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import queue
import select
import threading
import time
from collections.abc import Iterator

MOST_WAITING = 10_000
"""How many lines may wait to be written; what comes beyond them is dropped and counted."""

AT_EXIT = 2.0
"""How long the end of the process waits for lines that are not written yet, in seconds."""


class Writer(logging.Handler):
    """Hands lines to the thread that writes them to `fd`, if there is one."""

    def __init__(self, fd: int | None) -> None:
        super().__init__()
        self._fd = fd
        self._start()

    def _start(self) -> None:
        self._lines: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._dropped = 0
        self._counting = threading.Lock()
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line, or count it as dropped where too many wait."""
        if self._process != os.getpid():  # forked, and the thread stayed behind
            self._start()
        try:
            self._lines.put_nowait(self._line(record))
        except queue.Full:
            with self._counting:
                self._dropped += 1

    def wait(self, seconds: float) -> None:
        """Wait until all lines so far are written, at most so long."""
        until = time.monotonic() + seconds
        with self._lines.all_tasks_done:
            while self._lines.unfinished_tasks and (left := until - time.monotonic()) > 0:
                self._lines.all_tasks_done.wait(left)

    def close(self) -> None:
        """Write what waits, within AT_EXIT, and end the thread. `logging` calls this at the end of the process."""
        if self._thread.is_alive():
            with contextlib.suppress(queue.Full):
                self._lines.put(None, timeout=AT_EXIT)
                self._thread.join(AT_EXIT)
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def _write_all(self) -> None:
        while (line := self._lines.get()) is not None:
            self._write(line)
            if self._dropped and self._lines.qsize() < MOST_WAITING // 2:
                self._tell_dropped()
            self._lines.task_done()
        self._tell_dropped()

    def _tell_dropped(self) -> None:
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._write(self._line(_lines_dropped(dropped)))

    def _write(self, line: bytes) -> None:
        if self._fd is None:
            return
        with contextlib.suppress(OSError), _alone(self._fd):  # nobody reads any more: there is nobody to tell
            while line:
                try:
                    line = line[os.write(self._fd, line) :]
                except BlockingIOError:  # the process that started this one made it so
                    select.select([], [self._fd], [])


@contextlib.contextmanager
def _alone(fd: int) -> Iterator[None]:
    """Keep the bot's other process from writing into the middle of a line that is longer than a pipe takes at once.

    Source: PIPE_BUF in https://man7.org/linux/man-pages/man7/pipe.7.html
    """
    locked = False
    with contextlib.suppress(OSError):  # not everything can be locked
        fcntl.lockf(fd, fcntl.LOCK_EX)
        locked = True
    try:
        yield
    finally:
        if locked:
            fcntl.lockf(fd, fcntl.LOCK_UN)


def _lines_dropped(count: int) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"msg": "log_lines_dropped", "levelno": 30, "levelname": "WARNING", "fields": {"count": count}}
    )

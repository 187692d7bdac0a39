"""The log: one line an event, as key=value or as JSON."""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import queue
import re
import select
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Hashable, Iterator
from datetime import datetime

# Slack's libraries write bodies, tokens and response URLs into their lower levels, urllib3 writes addresses.
_QUIET = ("slack_bolt", "slack_sdk", "sqlalchemy", "urllib3")

MOST_WAITING = 10_000
"""How many lines may wait to be written; what comes beyond them is dropped and counted."""

AT_EXIT = 2.0
"""How long the end of the process waits for lines that are not written yet, in seconds."""

logger = logging.getLogger("addgroup")


def configure(level: str, form: str = "text", secrets: Collection[str] = (), fd: int | None = None) -> None:
    """Send events of `level` and above to standard error, as `form` (text or json) says, without the `secrets`.

    Each process calls it once. `fd` is another file descriptor to write to.
    """
    if fd is None and sys.stderr is not None:  # None where the process was started with it closed
        fd = 2
    handler = Writer(fd)
    handler.setFormatter((Json if form == "json" else Text)(secrets))
    handler.setLevel(level)  # quiet() gives some loggers a level below CRITICAL
    logging.basicConfig(level=level, handlers=[handler], force=True)
    quiet()


def quiet() -> None:
    """Keep the libraries that would log secrets or bodies from doing so, whatever the level."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def flush(seconds: float = AT_EXIT) -> None:
    """Wait until the lines so far are written, at most so long."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Writer):
            handler.wait(seconds)


def event(
    name: str,
    *,
    level: int = logging.INFO,
    trace: BaseException | None = None,
    every: float = 0.0,
    per: Hashable = None,
    **fields: object,
) -> None:
    """Log an event. `fields` are its facts, none of them secret; `trace` adds its traceback, escaped into the line.

    With `every`, the event is logged at most once in so many seconds for each value of `per`; the next line tells how
    many were left out, as `repeated`.
    """
    if every:
        repeated = _repeated.count((name, per), every)
        if repeated is None:
            return
        fields |= {"repeated": repeated or None}
    logger.log(level, name, extra={"fields": fields}, exc_info=trace)


class Formatter(logging.Formatter):
    """Takes a record apart; a foreign library's message becomes an event named `log`."""

    default_msec_format = "%s.%03d"

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__()
        hidden = [re.escape(secret) for secret in sorted(secrets, key=len, reverse=True)]
        self._secret = re.compile("|".join([*hidden, r"(?<=://)[^/@\s'\"]+(?=@)"]))  # the user in an address, too

    def parts(self, record: logging.LogRecord) -> tuple[str, dict[str, object]]:
        """Return an event's name and facts."""
        fields = getattr(record, "fields", None)
        name = "log" if fields is None else record.getMessage()
        if fields is None:
            fields = {"logger": record.name, "message": _message(record)}
        if record.exc_info:
            fields = {**fields, "traceback": self.formatException(record.exc_info)}
        return name, {key: value for key, value in fields.items() if value is not None}

    def hide(self, text: str) -> str:
        """Return text without secrets."""
        return self._secret.sub("…", text)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a library's placeholders and values do not fit together
        return str(record.msg)


class Text(Formatter):
    """time, level, event and facts, for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        name, fields = self.parts(record)
        pairs = [f"{key}={self._value(value)}" for key, value in fields.items()]
        return " ".join([self.formatTime(record), record.levelname, f"event={name}", *pairs])

    def _value(self, value: object) -> str:
        text = self.hide(f"{value:.3f}" if isinstance(value, float) else str(value))
        return text if re.fullmatch(r"[\w.:/+-]+", text) else _quoted(text)


class Json(Formatter):
    """An object of time (ISO 8601 with the zone), level, event and facts, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        name, fields = self.parts(record)
        time_with_zone = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        head = {"time": time_with_zone, "level": record.levelname, "event": name}
        return _quoted(head | {key: self._value(value) for key, value in fields.items() if key not in head})

    def _value(self, value: object) -> object:
        if isinstance(value, bool | int):
            return value
        if isinstance(value, float) and abs(value) < float("inf"):
            return round(value, 3)
        if isinstance(value, list | tuple):
            return [self._value(each) for each in value]
        return self.hide(str(value))


def _quoted(value: object) -> str:
    """Return JSON, escaping also what some readers take for the end of a line, and terminals for a command."""
    return re.sub(
        "[\x7f-\x9f\u2028\u2029]",
        lambda char: f"\\u{ord(char[0]):04x}",
        json.dumps(value, ensure_ascii=False),
    )


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


_repeated = Repeated()


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

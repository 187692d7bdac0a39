"""The log: one line an event, as key=value or as JSON, without secrets. A reader that is stuck holds up nobody."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import os
import queue
import re
import select
import sys
import threading
import time
from collections.abc import Collection
from datetime import datetime

MOST_WAITING = 10_000
"""How many lines may wait to be written; what comes beyond them is dropped and counted."""

AT_EXIT = 2.0
"""How long the end of the process waits for lines that are not written yet, in seconds."""

LONGEST = 16_000
"""The bytes of a line; values of a longer one are cut. Container runtimes split lines of more than 16 KiB."""

# Slack's libraries write bodies, tokens and response URLs into their lower levels, the others addresses.
_QUIET = ("slack_bolt", "slack_sdk", "sqlalchemy", "urllib3", "waitress", "websockets")
# The way in an address may be the secret, as in a response_url or a ticket; slashes may be escaped. urllib3 names the
# way alone. The rest are Slack's tokens, and hashes and signatures by SHA-256.
_ADDRESS = re.compile(
    r"([\w+]{1,20}(?::|%3A)(?:\\*/|%2F){2})(?:[^/@\s'\"]*@)?([\w.:\[\]-]*)((?:[/?#\\]|%2F|%3F)[^\s'\"]+)?",
    re.IGNORECASE,
)
_SECRETS = r"(?<=with url: )\S+|(?<=ticket=)[^\s&'\"]+|xox[a-z][\w.-]{0,20}-[\w-]+|xapp-[\w-]+|[0-9a-f]{64}"

logger = logging.getLogger("addgroup")


def configure(level: str = "INFO", form: str = "text", secrets: Collection[str] = (), fd: int | None = None) -> None:
    """Send events of `level` and above to standard error, as `form` (text or json) says, without the `secrets`.

    What no part catches is an event as well. `fd` is another file descriptor to write to, for tests.
    """
    if fd is None:
        sys.excepthook = lambda _kind, error, _trace: event("crashed", level=logging.CRITICAL, trace=error)
        threading.excepthook = lambda args: event("thread_crashed", level=logging.ERROR, trace=args.exc_value)
        fd = 2 if sys.stderr else -1  # none where the process was started with it closed
    handler = _Waiting(fd)
    handler.setFormatter(_Line(form, secrets))
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
        if isinstance(handler, _Waiting):
            handler.wait(seconds)


def say(*sentences: str) -> None:
    """Tell the person who starts the bot why it does not start: in events where the log is JSON, else as it stands."""
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    as_json = any(isinstance(formatter, _Line) and formatter.json for formatter in formatters)
    for sentence in sentences:
        if as_json:
            event("not_started", level=logging.CRITICAL, reason=sentence.lstrip(" -"))
        else:
            sys.stderr.write(f"{sentence}\n")


def event(
    name: str,
    *,
    level: int = logging.INFO,
    trace: BaseException | None = None,
    every: float = 0.0,
    **fields: object,
) -> None:
    """Log an event. `fields` are its facts, none of them secret; `trace` adds its traceback, escaped into the line.

    With `every`, the event is logged at most once in so many seconds; the next line tells how many were left out, as
    `repeated`.
    """
    if every:
        with _counting:
            last, left_out = _repeated.get(name, (time.monotonic() - every, 0))
            due = time.monotonic() - last >= every
            _repeated[name] = (time.monotonic(), 0) if due else (last, left_out + 1)
        if not due:
            return
        fields |= {"repeated": left_out or None}
    logger.log(level, name, extra={"fields": fields}, exc_info=trace)


_counting = threading.Lock()
_repeated: dict[str, tuple[float, int]] = {}  # when an event was last logged, and how many were left out since


class _Line(logging.Formatter):
    """Makes a line of a record; a foreign library's message becomes an event named `log`."""

    default_msec_format = "%s.%03d"

    def __init__(self, form: str, secrets: Collection[str]) -> None:
        super().__init__()
        self.json = form.strip("\"' ").lower() == "json"
        longest_first = [re.escape(secret) for secret in sorted(secrets, key=len, reverse=True)]
        self._secrets = re.compile("|".join([*longest_first, _SECRETS]))

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None)
        name = "log" if fields is None else record.getMessage()
        if fields is None:
            fields = {"logger": record.name, "message": _message(record)}
        if record.exc_info:
            fields = {**fields, "traceback": self.formatException(record.exc_info)}
        fields = {key: value for key, value in fields.items() if value is not None}
        line = ""
        for most in (LONGEST, 2000, 500, 100):  # characters of a value
            line = self._as_json(record, name, fields, most) if self.json else self._as_text(record, name, fields, most)
            if len(line.encode(errors="backslashreplace")) <= LONGEST:
                break
        return line

    def _as_text(self, record: logging.LogRecord, name: str, fields: dict[str, object], most: int) -> str:
        pairs = [f"{key}={self._word(value, most)}" for key, value in fields.items()]
        return " ".join([self.formatTime(record), record.levelname, f"event={name}", *pairs])

    def _word(self, value: object, most: int) -> str:
        text = self._cut(f"{value:.3f}" if isinstance(value, float) else value, most)
        return text if re.fullmatch(r"[\w.:/+-]+", text) else _quoted(text)

    def _as_json(self, record: logging.LogRecord, name: str, fields: dict[str, object], most: int) -> str:
        time_with_zone = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        head = {"time": time_with_zone, "level": record.levelname, "event": name}
        return _quoted(head | {key: self._value(value, most) for key, value in fields.items() if key not in head})

    def _value(self, value: object, most: int) -> object:
        if isinstance(value, bool | int):
            return value
        if isinstance(value, float) and abs(value) < float("inf"):
            return round(value, 3)
        if isinstance(value, list | tuple) and most == LONGEST:
            return [self._value(each, most) for each in value]
        return self._cut(value, most)

    def _cut(self, value: object, most: int) -> str:
        """Return text without secrets, and of a long one its beginning and its end."""
        text = self._secrets.sub("…", _ADDRESS.sub(_place, str(value)))
        return text if len(text) <= most else f"{text[: most // 2]} […] {text[-most // 2 :]}"


def _place(address: re.Match[str]) -> str:
    return f"{address[1]}{address[2]}{'/…' if address[3] else ''}"


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # a library's placeholders and values do not fit together
        return str(record.msg)


def _quoted(value: object) -> str:
    """Return JSON, escaping also what some readers take for the end of a line, and terminals for a command."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda char: f"\\u{ord(char[0]):04x}", text)


class _Waiting(logging.handlers.QueueHandler):
    """Puts lines into a queue, from which a thread writes them to `fd`; -1 for nowhere."""

    def __init__(self, fd: int) -> None:
        self.lines: queue.Queue[logging.LogRecord | None] = queue.Queue(MOST_WAITING)
        super().__init__(self.lines)
        self._dropped = 0
        self._counting = threading.Lock()
        self._writer = _Writer(fd, self)
        self._writer.start()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a line, or count it as dropped where too many wait."""
        try:
            self.lines.put_nowait(record)
        except queue.Full:
            with self._counting:
                self._dropped += 1

    def dropped(self) -> logging.LogRecord | None:
        """Return the line on what was dropped, once."""
        with self._counting:
            count, self._dropped = self._dropped, 0
        told = {"msg": "log_lines_dropped", "levelno": 30, "levelname": "WARNING", "fields": {"count": count}}
        return self.prepare(logging.makeLogRecord(told)) if count else None

    def wait(self, seconds: float) -> None:
        """Wait until all lines so far are written, at most so long."""
        until = time.monotonic() + seconds
        with self.lines.all_tasks_done:
            while self.lines.unfinished_tasks and (left := until - time.monotonic()) > 0:
                self.lines.all_tasks_done.wait(left)

    def close(self) -> None:
        """Write what waits, within AT_EXIT, and end the thread. `logging` calls this at the end of the process."""
        self.wait(AT_EXIT)
        with contextlib.suppress(queue.Full):
            self._writer.enqueue_sentinel()
        super().close()


class _Writer(logging.handlers.QueueListener):
    """Writes the lines. It is no handler: a handler's lock, held here by a stuck reader, would hold up the exit."""

    def __init__(self, fd: int, waiting: _Waiting) -> None:
        super().__init__(waiting.lines)
        self._fd = fd
        self._waiting = waiting

    def handle(self, record: logging.LogRecord) -> None:
        """Write a line, and then how many were dropped, once there is room again."""
        self._write(record)
        if self._waiting.lines.qsize() < MOST_WAITING // 2 and (told := self._waiting.dropped()):
            self._write(told)

    def _write(self, record: logging.LogRecord) -> None:
        line = f"{record.getMessage()}\n".encode(errors="backslashreplace")
        with contextlib.suppress(OSError):  # nobody reads any more: there is nobody to tell
            while line:
                try:
                    line = line[os.write(self._fd, line) :]
                except BlockingIOError:  # the process that started this one made it so
                    select.select([], [self._fd], [])

"""The log: one line an event, as key=value or as JSON, without secrets. A reader that is stuck holds up nobody."""

import contextlib
import json
import logging
import logging.handlers
import os
import queue
import re
import sys
import threading
import time
from collections.abc import Collection
from datetime import datetime

MOST_WAITING = 10_000
"""How many lines may wait to be written; what comes beyond them is dropped and counted."""

REPEATED = 60.0
"""How often a failure that goes on and on is logged at most, in seconds: see `every` of `event`."""

AT_EXIT = 2.0
"""How long the end of the process waits for lines that are not written yet, in seconds."""

LONGEST = 8000
"""The characters of a value; of a longer one the middle is left out. Container runtimes split lines over 16 KiB."""

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

    What ends the process uncaught is an event as well. `fd` is another file descriptor to write to, for tests.
    """
    if fd is None:
        sys.excepthook = lambda _kind, error, _trace: event("crashed", level=logging.CRITICAL, trace=error)
        fd = 2 if sys.stderr else -1  # none where the process was started with it closed
    logging.raiseExceptions = False  # a message that cannot be formatted is lost, and nothing is written past the queue
    handler = _Waiting(fd)
    handler.setFormatter(_Line(form, secrets))
    handler.setLevel(level)  # quiet() gives some loggers a level below CRITICAL
    logging.basicConfig(level=level, handlers=[handler], force=True)
    quiet()


def quiet() -> None:
    """Keep the libraries that would log secrets or bodies from doing so, whatever the level."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def say(*sentences: str) -> None:
    """Tell the person who starts the bot why it does not start: in events where the log is JSON, else as it stands."""
    for sentence in sentences:
        if any(getattr(handler.formatter, "json", False) for handler in logging.getLogger().handlers):
            event("not_started", level=logging.CRITICAL, reason=sentence.lstrip(" -"))
        else:
            sys.stderr.write(f"{sentence}\n")


def event(
    name: str, *, level: int = logging.INFO, trace: BaseException | None = None, every: float = 0.0, **fields: object
) -> None:
    """Log an event. `fields` are its facts, none of them secret; `trace` adds its traceback, escaped into the line.

    With `every`, the event is logged at most once in so many seconds.
    """
    now = time.monotonic()
    if every and now < _due.get(name, now):
        return
    _due[name] = now + every
    logger.log(level, name, extra={"fields": fields}, exc_info=trace)


_due: dict[str, float] = {}  # when an event of a kind that comes again and again may be logged the next time


class _Line(logging.Formatter):
    """Makes a line of a record; a foreign library's message becomes an event named `log`."""

    default_msec_format = "%s.%03d"

    def __init__(self, form: str, secrets: Collection[str]) -> None:
        super().__init__()
        self.json = form.strip("\"' ").lower() == "json"
        longest_first = [re.escape(secret) for secret in sorted(secrets, key=len, reverse=True)]
        self._secrets = re.compile("|".join([*longest_first, _SECRETS]))

    def format(self, record: logging.LogRecord) -> str:
        name, fields = record.getMessage(), getattr(record, "fields", None)
        if fields is None:
            name, fields = "log", {"logger": record.name, "message": name}
        if record.exc_info:
            fields = {**fields, "traceback": self.formatException(record.exc_info)}
        shown = {key: self._shown(value) for key, value in fields.items() if value is not None}
        if self.json:
            at = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
            return _quoted({"time": at, "level": record.levelname, "event": name, **shown})
        words = (f"{key}={_word(value)}" for key, value in shown.items())
        return " ".join([self.formatTime(record), record.levelname, f"event={name}", *words])

    def _shown(self, value: object) -> object:
        """Return a number, or text without secrets and not too long."""
        if isinstance(value, int | float):
            return value if isinstance(value, int) else round(value, 3)
        text = _ADDRESS.sub(lambda found: f"{found[1]}{found[2]}{'/…' if found[3] else ''}", str(value))
        text = self._secrets.sub("…", text)
        return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} […] {text[-LONGEST // 2 :]}"


def _word(value: object) -> str:
    text = str(value)
    return text if re.fullmatch(r"[\w.:/+-]+", text) else _quoted(text)


def _quoted(value: object) -> str:
    """Return JSON, escaping also what some readers take for the end of a line, and terminals for a command."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda char: f"\\u{ord(char[0]):04x}", text)


class _Waiting(logging.handlers.QueueHandler):
    """Puts lines into a queue, from which a thread writes them to `fd`; -1 for nowhere.

    The thread is no handler: a handler's lock, held by a stuck reader, would hold up the exit.
    """

    queue: queue.Queue[logging.LogRecord | None]

    def __init__(self, fd: int) -> None:
        super().__init__(queue.Queue(MOST_WAITING))
        self._fd, self._dropped = fd, 0
        self._writer = threading.Thread(target=self._write, name="log", daemon=True)
        self._writer.start()

    def enqueue(self, record: logging.LogRecord) -> None:
        """Queue a line, or count it as dropped where too many wait."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while record := self.queue.get():
            line = f"{record.getMessage()}\n".encode(errors="backslashreplace")
            with contextlib.suppress(OSError):  # nobody reads any more: there is nobody to tell
                while line:
                    line = line[os.write(self._fd, line) :]
            if self._dropped and self.queue.qsize() < MOST_WAITING // 2:  # there is room again
                count, self._dropped = self._dropped, 0
                event("log_lines_dropped", level=logging.WARNING, count=count)

    def close(self) -> None:
        """Wait until all lines so far are written, for AT_EXIT at most, and end the thread.

        `logging` calls this when the process ends, and when it is configured again.
        """
        with contextlib.suppress(queue.Full):
            self.queue.put_nowait(None)
        self._writer.join(AT_EXIT)
        super().close()

"""The log: one line an event, key=value, for a machine and a person."""

from __future__ import annotations

import json
import logging
import re
import sys

# Slack's libraries write bodies, tokens and response URLs into their lower levels, urllib3 writes addresses.
_QUIET = ("slack_bolt", "slack_sdk", "sqlalchemy", "urllib3")

log = logging.getLogger("addgroup")


def configure(level: str) -> None:
    """Send events of `level` and above to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine())
    handler.setLevel(level)  # quiet() gives some loggers a level below CRITICAL
    logging.basicConfig(level=level, handlers=[handler], force=True)
    quiet()


def quiet() -> None:
    """Keep the libraries that would log secrets or bodies from doing so, whatever the level."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)


def event(name: str, *, level: int = logging.INFO, trace: BaseException | None = None, **fields: object) -> None:
    """Log an event. `fields` are its facts, none of them secret; `trace` adds its traceback, escaped into the line."""
    log.log(level, name, extra={"fields": fields}, exc_info=trace)


class _OneLine(logging.Formatter):
    """time, level, event and fields; a foreign library's message becomes an event named `log`."""

    default_msec_format = "%s.%03d"

    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", None)
        if fields is None:
            head, fields = "log", {"logger": record.name, "message": record.getMessage()}
        else:
            head = record.getMessage()
        if record.exc_info:
            fields = {**fields, "traceback": self.formatException(record.exc_info)}
        pairs = [f"{key}={_value(value)}" for key, value in fields.items() if value is not None]
        return " ".join([self.formatTime(record), record.levelname, f"event={head}", *pairs])


def _value(value: object) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    if re.fullmatch(r"[\w.:/+-]+", text):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    # What JSON leaves as it is, though some readers take it for the end of a line and terminals for a command.
    return re.sub("[\x7f-\x9f\u2028\u2029]", lambda char: f"\\u{ord(char[0]):04x}", quoted)

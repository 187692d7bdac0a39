"""The forms of a line of the log: key=value for people, JSON for machines."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection
from datetime import datetime


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

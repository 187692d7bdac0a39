"""The log: one line an event, as key=value or as JSON."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Hashable

from bot.logs.formats import Json, Text
from bot.logs.repeated import Repeated
from bot.logs.writer import AT_EXIT, Writer

# Slack's libraries write bodies, tokens and response URLs into their lower levels, urllib3 writes addresses.
_QUIET = ("slack_bolt", "slack_sdk", "sqlalchemy", "urllib3")

log = logging.getLogger("addgroup")


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
    log.log(level, name, extra={"fields": fields}, exc_info=trace)


_repeated = Repeated()

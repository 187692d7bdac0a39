"""Slack's mrkdwn: what people, the provider and Slack itself wrote, shown as it is and within a length. Pure.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from bot.model.message_text import unescape

MAX_NAME = 1500
"""Longest name that is shown, in characters after escaping: 255 characters that all need it fit in."""

MAX_PATH = 300
"""Longest path of names, in characters after escaping; its end is shown."""

MAX_ID = 50
"""Longest id that is shown, in characters after escaping."""

MAX_QUOTE, MAX_QUOTED_LINES = 1200, 10
"""Longest quotation, in characters after escaping and in lines."""


def escape(text: str) -> str:
    """Escape what people or the API wrote, so that Slack shows it and acts on none of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    """Cut a text to a number of characters; an ellipsis then ends it."""
    return text if len(text) <= most else text[: most - 1] + "…"


def fit(text: str, most: int, keep_end: bool = False) -> str:
    """Escape a text and cut it, so that it has at most `most` characters after that; an ellipsis stands for the rest.

    It is cut at its end, or at its front to `keep_end`.
    """
    letters = [escape(letter) for letter in (reversed(text) if keep_end else text)]
    ends = list(accumulate(map(len, letters)))
    if not ends or ends[-1] <= most:
        return escape(text)
    kept = letters[: bisect_right(ends, most - 1)]
    return "".join(["…", *reversed(kept)]) if keep_end else "".join([*kept, "…"])


def mention(user: str) -> str:
    """Name a person by their Slack user id; Slack shows their name. No real id is as long as the limit."""
    return f"<@{fit(user, MAX_ID)}>"


def as_typed(text: str, most: int = MAX_NAME, keep_end: bool = False) -> str:
    """Show a name exactly: as code, in which Slack formats nothing, or in quotes where it holds a backtick."""
    shown = fit(text, most, keep_end)
    return f"“{shown}”" if "`" in text else f"`{shown}`"


def path(names: str) -> str:
    """Show a path of names; of a long one, the end that tells the group."""
    return as_typed(names, MAX_PATH, keep_end=True)


def code(text: str) -> str:
    """Show an id as code, so that it is easy to copy; "" stays empty."""
    return f"`{fit(text, MAX_ID)}`" if text else ""


def quote(text: str, most: int = MAX_QUOTE) -> str:
    """Show the provider's words as a quotation, each line marked; cut where they are too long for a message."""
    lines = [line for line in fit(text, most).splitlines() if line.strip()]
    return "\n".join(f"> {line}" for line in lines[:MAX_QUOTED_LINES])


def moment(seconds: float, link: str = "") -> str:
    """Show a time (in seconds since 1970) in the reader's own time zone, as a link if one is given."""
    shown = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(seconds)}^{{date_num}} {{time}}{f'^{link}' if link else ''}|{shown}>"


def spans(text: str, literal: str = "") -> list[dict[str, Any]]:
    """Return text with code in it as spans of rich text. The name `literal`, shown by `as_typed`, becomes code too.

    Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    """
    before, name, after = text.partition(as_typed(literal)) if literal else (text, "", "")
    named = [_span(literal, code=True)] if name else []
    return [*_code_and_text(before), *named, *_code_and_text(after)]


def _code_and_text(text: str) -> Iterator[dict[str, Any]]:
    for place, part in enumerate(re.split(r"`([^`]+)`", text)):
        if part:
            yield _span(unescape(part), code=place % 2 == 1)


def _span(text: str, code: bool) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"style": {"code": True}} if code else {})}

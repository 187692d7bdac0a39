"""Slack's mrkdwn as cells: each character with how it is to look, without the marks. Pure.

Source: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

Cell = tuple[str, str]
"""A character and its style: "" or one of bold, code, quote."""

_MARKED = re.compile(
    r"""
    ```\n?(?P<block>.*?)\n?```
    | `(?P<code>[^`\n]+)`
    | <(?P<angle>[^<>\n]+)>
    | (?<![\w*])\*(?=[^\s*])(?P<bold>(?:`[^`\n]*`|[^*`\n])+)(?<=\S)\*(?![\w*])
    | (?<![\w_])_(?=[^\s_])(?P<italic>(?:`[^`\n]*`|[^_`\n])+)(?<=\S)_(?![\w_])
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTE = re.compile(r"^(?:>|&gt;) ?", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def lines(text: str, names: Mapping[str, str]) -> list[list[Cell]]:
    """Return a message's lines as cells; `names` are what mentions show, by user id."""
    found: list[list[Cell]] = [[]]
    for char, style in _cells(_QUOTE.sub("│ ", text), "", names):
        if char == "\n":
            found.append([])
        else:
            found[-1].append((char, style))
    return found


def _cells(text: str, style: str, names: Mapping[str, str]) -> Iterator[Cell]:
    end = 0
    for match in _MARKED.finditer(text):
        yield from _leaf(text[end : match.start()], style)
        end = match.end()
        kind, inside = match.lastgroup or "", match[match.lastgroup or 0]
        if kind == "angle":
            yield from _leaf(_reference(inside, names), style)
        elif kind in ("bold", "italic"):
            yield from _cells(inside, style or "bold", names)
        else:
            yield from _leaf(inside, "code")
    yield from _leaf(text[end:], style)


def _leaf(text: str, style: str) -> Iterator[Cell]:
    shown = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return ((char, style) for char in _CONTROL.sub("", shown.replace("\t", "    ")))


def _reference(inside: str, names: Mapping[str, str]) -> str:
    """Return what a reference in angle brackets shows: a mention, a date, a link."""
    target, _, label = inside.partition("|")
    if date := re.match(r"!date\^(\d+)", target):
        return f"{datetime.fromtimestamp(int(date[1]), UTC).astimezone():%Y-%m-%d %H:%M}"
    if target.startswith("@"):
        return names.get(target[1:], f"@{label or target[1:]}")
    if target.startswith(("#", "!")):
        return label or target
    return f"{label} ({target})" if label and label != target else target

"""Lines of text become messages: split where they are too long, with lists and buttons as blocks. Pure.

A message is {"text": …} and, where there are lists or buttons, {"blocks": […]} that show the same: a screen reader and
a notification have only the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from bot.slack.mrkdwn import spans

Message = dict[str, Any]

MAX_TEXT = 3000
"""Longest text of one message, in characters: that of one section.

Source: https://docs.slack.dev/reference/block-kit/blocks/section-block
"""

_DEEPEST = 8
"""Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block#rich_text_list"""


@dataclass(frozen=True)
class Line:
    """One line of a message, in mrkdwn. As an `item` of a list it is shown without what its `depth` tells.

    `name` is the group's name that the item shows exactly.
    """

    text: str
    item: str = ""
    name: str = ""
    depth: int = 0


def plain(text: str) -> Message:
    """Return a message without blocks."""
    return {"text": text}


def messages(lines: Iterable[Line], buttons: Sequence[Message] = ()) -> list[Message]:
    """Return as few messages as possible; the last one has the buttons. No line may be longer than MAX_TEXT."""
    parts = [trimmed for part in _parts(lines) if (trimmed := _trimmed(part))]
    return [_message(part, buttons if part is parts[-1] else ()) for part in parts]


def _parts(lines: Iterable[Line]) -> list[list[Line]]:
    parts: list[list[Line]] = []
    length = 0
    for line in lines:
        length += 1 + len(line.text)
        if not parts or length > MAX_TEXT:
            parts.append([])
            length = len(line.text)
        parts[-1].append(line)
    return parts


def _trimmed(lines: list[Line]) -> list[Line]:
    """Return lines without the blank ones at either end: Slack refuses a section that is empty."""
    filled = [place for place, line in enumerate(lines) if line.text]
    return lines[filled[0] : filled[-1] + 1] if filled else []


def _message(lines: Sequence[Line], buttons: Sequence[Message]) -> Message:
    message = plain("\n".join(line.text for line in lines))
    if buttons or any(line.item for line in lines):
        blocks = [
            _list(list(run)) if item else section("\n".join(line.text for line in run))
            for item, run in groupby(lines, lambda it: bool(it.item))
        ]
        message["blocks"] = [*blocks, *([{"type": "actions", "elements": list(buttons)}] if buttons else [])]
    return message


def section(text: str) -> Message:
    """Return a section with mrkdwn, which Slack shows whole."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}, "expand": True}


def _list(lines: Iterable[Line]) -> Message:
    """Return a list as rich text, in which depth stays visible however it is shown."""
    return {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_list",
                "style": "bullet",
                "indent": depth,
                "elements": [
                    {"type": "rich_text_section", "elements": spans(line.item, line.name)} for line in of_depth
                ],
            }
            for depth, of_depth in groupby(lines, lambda line: min(line.depth, _DEEPEST))
        ],
    }

"""Lines of text become messages: split where they are too long, with buttons; and what was typed is given back. Pure.

A message is {"text": …} and, where there are lists or buttons, {"blocks": […]} that show the same: a screen reader and
a notification have only the text.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bot.model.grammar import COMMAND
from bot.slack.texts import Language, say
from bot.slack.wording import escape

Message = dict[str, Any]

MAX_TEXT = 3000
"""Longest text of one message, in characters: that of one section.

Source: https://docs.slack.dev/reference/block-kit/blocks/section-block
"""

EDIT_TEXT = "edit_text"
"""The action_id of the button under a text that was given back."""

_PARTS = re.compile(r"(?s).{1,2500}(?:\n|\Z)|.{2500}")
"""Parts of a text that is given back, cut at a line's end where there is one: with what is said, below MAX_TEXT."""

_MOST_PARTS = 4
"""In how many messages a text is given back at most; a response_url takes five.

Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

MAX_VALUE = 2000
"""Longest value of a button. Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element"""


@dataclass(frozen=True)
class Line:
    """One line of a message, in mrkdwn; in blocks it is `shown` otherwise, where that says more to the eye."""

    text: str
    shown: str = ""


def item(text: str, shown: str, depth: int = 0) -> Line:
    """Return an item of a list: as `text` for a screen reader, which tells no depth; `shown` as deep as it is."""
    return Line(f"• {text}", "\u2003" * depth + f"{'◦' if depth else '•'} {shown}")


def plain(text: str) -> Message:
    """Return a message without blocks."""
    return {"text": text}


def section(text: str) -> Message:
    """Return a section with mrkdwn, which Slack shows whole."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}, "expand": True}


def button(action: str, label: str, value: str) -> Message:
    """Return a button."""
    return {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": label}, "value": value}


def messages(lines: Iterable[Line], buttons: Sequence[Message] = ()) -> list[Message]:
    """Return as few messages as possible; the last one has the buttons. No line may be longer than MAX_TEXT."""
    parts: list[list[Line]] = []
    room = 0
    for line in lines:
        room -= 1 + max(len(line.text), len(line.shown))
        if room < 0 or not parts:
            parts.append([])
            room = MAX_TEXT - max(len(line.text), len(line.shown))
        parts[-1].append(line)
    parts = [part for part in parts if any(line.text for line in part)]
    return [_message(part, buttons if part is parts[-1] else ()) for part in parts]


def _message(lines: Sequence[Line], buttons: Sequence[Message]) -> Message:
    message = plain("\n".join(line.text for line in lines).strip("\n"))  # Slack refuses a section that is empty
    if buttons or any(line.shown for line in lines):
        message["blocks"] = [section("\n".join(line.shown or line.text for line in lines).strip("\n"))]
        message["blocks"] += [{"type": "actions", "elements": list(buttons)}] if buttons else []
    return message


@dataclass(frozen=True)
class Typed:
    """What somebody typed behind the command.

    `reply_to` is the ts of the message in whose thread it is answered, `trigger` what the person did: a form that
    opened after all and the one that the button opens make one job.
    """

    text: str
    reply_to: str = ""
    trigger: str = ""

    def dump(self) -> str:
        """Return it as text for a button, packed, because 40 lines would not fit otherwise."""
        packed = zlib.compress(json.dumps([self.text, self.reply_to, self.trigger]).encode())
        return base64.urlsafe_b64encode(packed).decode()

    @classmethod
    def load(cls, value: str) -> Typed:
        """Read what `dump` wrote. Raises ValueError."""
        try:
            text, reply_to, *trigger = json.loads(zlib.decompress(base64.urlsafe_b64decode(value)))
        except (zlib.error, TypeError) as error:
            raise ValueError("not what was typed") from error
        return cls(str(text), str(reply_to), *map(str, trigger[:1]))


def with_text(language: Language, message: Message, typed: Typed | None) -> list[Message]:
    """Return a message with what was typed, if anything, below it, exactly, continued in further ones where it is long.

    The last one has a button that opens the form filled in with it, and says so where not all of it is there.
    """
    if not typed or not typed.text.strip():
        return [message]
    told = [section(f"{message['text']}\n\n{say(language, 'given_back.intro')}")]
    parts = [part for found in _PARTS.findall(f"{COMMAND} {typed.text}") if (part := found.strip("\n"))]
    given = []
    for part in parts[:_MOST_PARTS]:
        code = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": part}]}
        text = "\n".join([*(each["text"]["text"] for each in told), f"```\n{escape(part)}\n```"])
        given.append({**plain(text), "blocks": [*told, {"type": "rich_text", "elements": [code]}]})
        told = []
    if len(parts) > _MOST_PARTS:
        given[-1]["text"] += f"\n{say(language, 'given_back.cut')}"
        given[-1]["blocks"].append(section(say(language, "given_back.cut")))
    buttons = [each for block in message.get("blocks", ()) if block["type"] == "actions" for each in block["elements"]]
    if len(typed.text) <= MAX_TEXT and len(value := typed.dump()) <= MAX_VALUE:  # else the form has no room for it
        buttons.append(button(EDIT_TEXT, say(language, "button.edit"), value))
    given[-1]["blocks"] += [{"type": "actions", "elements": buttons}] if buttons else []
    return given

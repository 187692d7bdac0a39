"""What somebody typed, given back in a private message, with a button that opens the form filled in. Pure."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.grammar import COMMAND
from bot.slack.blocks import Message, plain, section
from bot.slack.mrkdwn import escape
from bot.slack.texts import Language, say

EDIT_TEXT = "edit_text"
"""The button's action_id."""

MOST_PARTS = 4
"""In how many messages a text is given back at most; a response_url takes five.

Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

_MAX_PART = 2500  # characters of a text in one message, so that all of it stays below 3000 with what is said about it
_MAX_VALUE = 2000  # of a button. Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element


@dataclass(frozen=True)
class Typed:
    """What somebody typed behind the command.

    `reply_to` is the ts of the message in whose thread it is answered, `trigger` what the person did: a form that has
    opened in spite of it and the one that the button opens make one job.
    """

    text: str
    reply_to: str = ""
    trigger: str = ""

    def dump(self) -> str:
        """Return it as text for a button, packed, because 40 lines would not fit otherwise."""
        return base64.urlsafe_b64encode(
            zlib.compress(json.dumps([self.text, self.reply_to, self.trigger]).encode())
        ).decode()

    @classmethod
    def load(cls, value: str) -> Typed:
        """Read what `dump` wrote. Raises ValueError."""
        try:
            text, reply_to, *trigger = json.loads(zlib.decompress(base64.urlsafe_b64decode(value)))
        except (zlib.error, TypeError) as error:
            raise ValueError("not what was typed") from error
        return cls(str(text), str(reply_to), *map(str, trigger[:1]))


def with_text(language: Language, message: Message, typed: Typed) -> list[Message]:
    """Return a message with what was typed below it, continued in further messages where it is long."""
    parts = list(_parts(f"{COMMAND} {typed.text}"))
    buttons = [button for block in message.get("blocks", ()) for button in block.get("elements", ()) if _pressed(block)]
    if len(value := typed.dump()) <= _MAX_VALUE:
        buttons.append(_button(say(language, "button.edit"), value))
    cut = [say(language, "given_back.cut")] if len(parts) > MOST_PARTS else []
    said = [f"{message['text']}\n\n{say(language, 'given_back.intro')}", *[""] * (len(parts) - 1)][:MOST_PARTS]
    told = [_message(sentence, part) for sentence, part in zip(said, parts, strict=False)]
    for sentence in cut:
        told[-1]["text"] += f"\n{sentence}"
        told[-1]["blocks"].append(section(sentence))
    if buttons:
        told[-1]["blocks"].append({"type": "actions", "elements": buttons})
    return told


def _message(sentence: str, part: str) -> Message:
    shown = f"```\n{escape(part)}\n```"
    code = {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": part}]}
    sections = [section(sentence)] if sentence else []
    return {
        **plain(f"{sentence}\n{shown}" if sentence else shown),
        "blocks": [*sections, {"type": "rich_text", "elements": [code]}],
    }


def _pressed(block: Message) -> bool:
    return bool(block["type"] == "actions")


def _button(label: str, value: str) -> Message:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "action_id": EDIT_TEXT, "text": text, "value": value}


def _parts(text: str) -> Iterator[str]:
    """Split a text at its lines; a line that is too long is split within."""
    part = ""
    for line in text.splitlines(keepends=True):
        if part and len(part) + len(line) > _MAX_PART:
            yield part.rstrip("\n")
            part = ""
        part += line
        while len(part) > _MAX_PART:
            yield part[:_MAX_PART]
            part = part[_MAX_PART:]
    if part.strip():
        yield part.rstrip("\n")

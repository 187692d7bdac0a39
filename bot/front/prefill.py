"""A text that fills the form's field: what of it fits, and what is wrong with it, said before it is sent. Pure."""

from __future__ import annotations

from itertools import accumulate
from typing import NamedTuple

from bot.model.command import MAX_GROUPS, outline
from bot.model.names import UsageError
from bot.slack import wording
from bot.slack.texts import Language, say_plain

MAX_FIELD = 3000
"""Longest text of a field, in characters.

Source: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
"""


class Prefill(NamedTuple):
    """The `text` of the field, and `notes` for the person above it."""

    text: str
    notes: list[str]


def prefill(language: Language, text: str) -> Prefill:
    """Return what the form shows for a text of one group a line."""
    lines = text.splitlines()
    count = sum(bool(line.strip()) for line in lines)
    kept = sum(end <= MAX_FIELD + 1 for end in accumulate(len(line) + 1 for line in lines))
    notes = []
    if count > MAX_GROUPS:
        notes.append(say_plain(language, "form.too_many", count=count, most=MAX_GROUPS))
    elif mistake := _mistake(language, text):
        notes.append(mistake)
    if kept == len(lines):
        return Prefill(text, notes)
    notes.append(say_plain(language, "form.cut", kept=kept, count=len(lines)))
    return Prefill("\n".join(lines[:kept]), notes)


def _mistake(language: Language, text: str) -> str:
    try:
        outline(text)
    except UsageError as error:
        return wording.mistake(language, error, plain=True)
    return ""

"""Names: in the form in which they are sent, as they are compared, and as a parent is given by one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MAX_NAME = 255
"""Longest group name, in characters. The provider documents no limit; this one is the house's."""

DASHES = "-‐‑‒–—−"

INVISIBLE = {"Cc", "Cf", "Cs"}
"""Categories of characters that leave no mark: control, zero width, halves of a pair."""


class UsageError(Exception):
    """What was typed is not a command.

    `key` names the sentence in texts/ (under `usage`), `values` fill its places; `part` among them is the
    offending part as it was typed.
    """

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values
        self.line: int | None = None  # of several, counted from 1


@dataclass(frozen=True)
class ParentId:
    """A parent given by its id: digits, as text."""

    id: str


@dataclass(frozen=True)
class ParentName:
    """A parent given by its name."""

    name: str


Parent = ParentId | ParentName | None


def clean_name(text: str) -> str:
    """Put a name in the form in which it is sent: NFC, single spaces, nothing invisible.

    Raises UsageError when nothing is left or when it is longer than MAX_NAME.
    """
    name = clean(text)
    if not name:
        raise UsageError("no_name")
    if len(name) > MAX_NAME:
        raise too_long(name)
    return name


def parent_from(text: str) -> ParentId | ParentName:
    """Read a parent given without quotes: digits are an id, anything else is a name. Raises UsageError."""
    name = clean_name(text)
    number = name.translate(_FULL_WIDTH)
    if re.fullmatch(rf"[{DASHES}+]?[0-9]+", number):
        identifier = number.lstrip("0")
        if not identifier.isdecimal():
            raise UsageError("bad_parent_id", part=name)
        return ParentId(identifier)
    return ParentName(name)


_FULL_WIDTH = dict(zip(map(ord, "０１２３４５６７８９＋－"), "0123456789+-", strict=True))


def fold(name: str) -> str:
    """Return the form in which names are compared: without regard to case, and I, ı, İ and i are one letter."""
    one_i = clean(name).translate({ord("I"): "i", ord("İ"): "i", ord("ı"): "i"})
    return clean(re.sub("i\u0307+", "i", one_i.casefold()))


def too_long(name: str) -> UsageError:
    """Return the error that says of a name, or of a line, that it is too long."""
    return UsageError("long_name", part=clean(name[:40]) + "…", length=str(len(name)), most=str(MAX_NAME))


def clean(text: str) -> str:
    """Return a text in NFC with single spaces and without what is invisible."""
    spaced = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFC", text))
    visible = "".join(char for char in spaced if unicodedata.category(char) not in INVISIBLE)
    return " ".join(unicodedata.normalize("NFC", visible).split())

"""Names: in the form in which they are sent, as they are compared, and as a parent is given by one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from bot.model.characters import cleaned, ignorable, visible

MAX_NAME = 255
"""Longest group name, in characters. The provider documents no limit; this one is the house's."""

DASHES = "-‐‑‒–—−"


class UsageError(Exception):
    """What was typed is not a command.

    `key` names the sentence in texts/ (under `usage`), `values` fill its places; `part` among them is the
    offending part as it was typed, and `suggestion` is a whole line that can be typed in place of the one at fault.
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


def clean(text: str) -> str:
    """Return a text in NFC with single spaces and without what is invisible.

    A joiner that does something in a word or an emoji stays, and so do format characters that can be seen.
    """
    return cleaned(text)


def clean_name(text: str) -> str:
    """Put a name in the form in which it is sent: NFC, single spaces, nothing invisible.

    Raises UsageError when nothing that can be seen is left or when it is longer than MAX_NAME.
    """
    name = clean(text)
    if not visible(name):
        raise UsageError("no_name")
    if len(name) > MAX_NAME:
        raise too_long(name)
    return name


def parent_from(text: str) -> ParentId | ParentName:
    """Read a parent given without quotes: digits are an id, anything else is a name. Raises UsageError."""
    name = clean_name(text)
    number = plain_digits(name)
    if re.fullmatch(rf"[{DASHES}+]?[0-9]+", number):
        identifier = number.lstrip("0")
        if not identifier.isdecimal():
            raise UsageError("bad_parent_id", part=name)
        return ParentId(identifier)
    return ParentName(name)


def plain_digits(text: str) -> str:
    """Return a text with full-width digits, signs and marks as those of ASCII; a superscript stays."""
    return text.translate(_FULL_WIDTH)


_FULL_WIDTH = dict(zip(map(ord, "０１２３４５６７８９＋－＃（）：，；"), "0123456789+-#():,;", strict=True))


@lru_cache(maxsize=256)
def fold(name: str) -> str:
    """Return the form in which names are compared: those that look the same are the same.

    Case does not count, I, ı, İ and i are one letter, and neither do invisible characters, the width or shape of a
    letter (`ＶＩＰ`, ﬁ), or which apostrophe, quotation mark or dash a keyboard makes. `m²` is not `m2`.
    """
    looks = clean(name).translate(_LOOKS)
    return clean(re.sub("i\u0307+", "i", unicodedata.normalize("NFC", looks.casefold())).translate(_LOOKS))


@lru_cache(maxsize=256)  # the grammar compares the same few words with many lists
def unmarked(name: str) -> str:
    """Return the form of `fold` without marks on letters, for what is typed on another keyboard: musteri."""
    letters = unicodedata.normalize("NFD", fold(name))
    return clean("".join(char for char in letters if unicodedata.category(char) != "Mn"))


class _Looks(dict[int, str]):
    """What a character is compared as. Superscripts, fractions and circled digits look different, and stay."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        kind = unicodedata.decomposition(char).partition(" ")[0]
        if ignorable(code) and not 0xE0020 <= code <= 0xE007F:  # tags tell flags from each other
            self[code] = ""
        elif kind.startswith("<") and kind not in ("<super>", "<sub>", "<circle>", "<fraction>"):
            plain = unicodedata.normalize("NFKC", char)
            self[code] = char if plain.startswith(" ") else plain.translate(self)
        else:
            self[code] = char
        return self[code]


_LOOKS = _Looks({ord("I"): "i", ord("İ"): "i", ord("ı"): "i"})
_LOOKS.update(dict.fromkeys(map(ord, "‘’‚‛ʼ`´"), "'") | dict.fromkeys(map(ord, "“”„‟"), '"'))
_LOOKS.update(dict.fromkeys(map(ord, DASHES), "-"))


def too_long(name: str) -> UsageError:
    """Return the error that says of a name, or of a line, that it is too long."""
    return UsageError("long_name", part=clean(name[:40]) + "…", length=str(len(name)), most=str(MAX_NAME))

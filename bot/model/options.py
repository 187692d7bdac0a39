"""Options that are not `parent=`: which are a mistake for it, and which are a name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable

from bot.model.names import DASHES, UsageError, plain_digits, unmarked
from bot.model.words import Word, replaced

GIVEN_ID = re.compile(r"[#(\[{<:]*([0-9]+)[)\]}>.,;:]*")
"""A parent's id with the marks that people put around one."""


def unknown_option(words: list[Word], place: int, literally: Callable[[str], str]) -> UsageError:
    """Return the error for an option that is not `parent=`, with what was probably meant.

    `literally` puts a name in quotes.
    """
    word = words[place]
    key = unmarked(word.option).strip(f"{DASHES}([{{<,;.")
    start = place
    if place and key in _GROUP_WORDS and unmarked(words[place - 1].text).strip("([{<") in _PARENT_WORDS:
        start, key = place - 1, "parent"
    count = place - start + 1
    part = " ".join(other.typed for other in words[start : place + 1])
    number = GIVEN_ID.fullmatch(plain_digits(word.text))
    if _means_parent(key) or (key in _GROUP_WORDS and number):
        if not word.value:
            return UsageError("empty_parent", part=part)
        value = number[1] if number and not word.quoted else word.value
        joined = _JOINED.match(word.option)  # VIP-parent=5
        value = f"{joined[1] if joined else ''} parent={value}".strip()
        return UsageError("unknown_option", part=part, suggestion=replaced(words, start, count, value))
    if key in _NAME_WORDS and word.text:
        return UsageError("unknown_option", part=part, suggestion=replaced(words, place, 1, literally(word.text)))
    return UsageError("unknown_option", part=part, suggestion=replaced(words, place, 1, literally(word.typed)))


_JOINED = re.compile(rf"(.*\w)[{DASHES}/\\._:+&]parent$", re.IGNORECASE)
_PARENT_WORDS = {"parent", "ust", "ana", "ebeveyn", "under", "parentid", "parent_id", "parent-id", "parentgroup"}
_PARENT_WORDS |= {"ustgrup", "ust_grup", "ust-grup", "anagrup", "ana_grup", "ana-grup", "altinda"}
_GROUP_WORDS = {"grup", "grubu", "group", "id", "no"}
_NAME_WORDS = {"name", "ad", "adi", "isim", "title", "baslik"}


def _means_parent(key: str) -> bool:
    return key in _PARENT_WORDS or bool(difflib.get_close_matches(key, ["parent"], cutoff=0.6))

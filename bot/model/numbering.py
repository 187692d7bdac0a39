"""The number before a line of a list: 1. 1) (1) 1- a) iv. and 2.1."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Numbered:
    """A number before a name.

    `last` is what the number may stand for: a kind of counting and a place in it. `path` are the numbers before that
    one, as in 2.1. `surely` says that it is a list's number even when it comes alone.
    """

    last: frozenset[tuple[str, int]]
    path: tuple[int, ...]
    rest: str
    surely: bool


_NUMBER = re.compile(
    r"\(?(?:(?P<path>\d{1,3}(?:\.\d{1,3})+)(?P<end>[.)]?)|(?P<one>\d{1,3}|[^\W\d_]|[ivx]{1,5}) ?(?P<end1>[.)\-–]))"
    r"(?P<gap> *)(?P<rest>\S.*)"
)
_ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_ENGLISH, _TURKISH = "abcdefghijklmnopqrstuvwxyz", "abcçdefgğhıijklmnoöprsştuüvyz"


def numbered(content: str) -> Numbered | None:
    """Return the number before a name in a line without indentation, or None when there is none."""
    found = _NUMBER.fullmatch(content)
    if not found:
        return None
    rest, end = found["rest"], found["end1"] or found["end"] or ""
    if not found["gap"] and not (rest[0].isalpha() and found["one"] and found["one"].isdecimal()):
        return None
    if found["path"]:
        *path, last = map(int, found["path"].split("."))
        return Numbered(frozenset({("number", last)}), tuple(path), rest, surely=False) if found["gap"] else None
    surely = end == ")"
    one = found["one"]
    if not one.isdecimal() and not surely and (end != "." or not found["gap"] or one != one.lower()):
        return None
    return Numbered(_meanings(one), (), rest, surely)


def _meanings(one: str) -> frozenset[tuple[str, int]]:
    if one.isdecimal():
        return frozenset({("number", int(one))})
    letter = one.lower()
    kinds = {"english": _ENGLISH, "turkish": _TURKISH, "roman": _ROMAN}
    return frozenset((kind, letters.index(letter) + 1) for kind, letters in kinds.items() if letter in letters)

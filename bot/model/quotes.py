"""Quotes, which keep words as they are: what stands in them, and which fit around a name."""

from __future__ import annotations

import re

_PAIRS = (('"', '"'), ("“", "”"), ("«", "»"), ("„", "‟"), ("＂", "＂"))
_MARKS = "".join(dict.fromkeys("".join(map("".join, _PAIRS))))
QUOTE = re.compile(f"[{_MARKS}]")
QUOTED = "|".join([*(f"{a}[^{a}{b}]*{b}(?![\\w{_MARKS}])" for a, b in _PAIRS), f"[{_MARKS}][^{_MARKS}]*[{_MARKS}]"])
"""A pattern: a text in a pair of quotes, in which other quotes may stand, or between any two quotes."""


def inside(text: str) -> str | None:
    """Return what stands in the quotes around the whole of a text, None where there are none."""
    return text[1:-1] if len(text) > 1 and re.fullmatch(QUOTED, text) else None


def quoted(name: str) -> str:
    """Return a name in quotes that it does not hold itself."""
    one, two = next((pair for pair in _PAIRS if pair[0] not in name and pair[1] not in name), _PAIRS[0])
    return f"{one}{name}{two}"

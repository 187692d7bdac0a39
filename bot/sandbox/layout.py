"""Lines of cells on a terminal: as wide as it shows them, wrapped with their indentation, coloured. Pure."""

from __future__ import annotations

import unicodedata
from itertools import groupby

from bot.sandbox.markup import Cell

_LEADS = " \u2003•└│-*"
"""What a line may begin with before its text: its continuation is indented by as much."""

_SGR = {
    "bold": "1",
    "code": "36",
    "quote": "2",
    "created": "1;32",
    "unclear": "1;33",
    "failed": "1;31",
}


def plain(text: str, style: str = "") -> list[Cell]:
    """Return text in one style."""
    return [(char, style) for char in text]


def wrap(line: list[Cell], room: int | None, margin: int | None = None) -> list[list[Cell]]:
    """Break a line into some that are at most `room` columns wide; None is as much room as it needs.

    What follows the first is indented by `margin` columns, or as the line itself is.
    """
    if room is None:
        return [line]
    lead = _lead(line, room) if margin is None else plain(" " * margin)
    hang = [(char if char == "│" else " ", style) for char, style in lead for _ in range(_columns(char))]
    wrapped, rest, least = [], line, len(hang)
    while width(rest) > room:
        cut = _cut(rest, room, least)
        wrapped.append(_stripped(rest[:cut]))
        while cut < len(rest) and rest[cut][0] == " ":
            cut += 1
        rest, least = hang + rest[cut:], len(hang)
    return [*wrapped, rest]


def width(line: list[Cell]) -> int:
    """Return how many columns a line takes."""
    return sum(_columns(char) for char, _ in line)


def coloured(line: list[Cell]) -> str:
    """Return a line with the terminal's codes for its styles."""
    runs = ((style, "".join(char for char, _ in run)) for style, run in groupby(line, key=lambda cell: cell[1]))
    return "".join(f"\x1b[{_SGR[style]}m{text}\x1b[0m" if style in _SGR else text for style, text in runs)


def uncoloured(line: list[Cell]) -> str:
    """Return a line's characters alone."""
    return "".join(char for char, _ in line)


def _lead(line: list[Cell], room: int) -> list[Cell]:
    length = next((place for place, (char, _) in enumerate(line) if char not in _LEADS), len(line))
    while length and line[length - 1][0] not in " \u2003":  # marks that belong to the text, such as a minus sign
        length -= 1
    return line[:length] if width(line[:length]) <= room // 2 else []


def _cut(line: list[Cell], room: int, least: int) -> int:
    """Return where to break: at the last space that fits, or in a word that is too long."""
    used, space, place = 0, 0, 0
    for place, (char, _) in enumerate(line):
        used += _columns(char)
        if char == " " and place > least:
            space = place
        if used > room:
            break
    return space or max(place, least + 1)


def _stripped(line: list[Cell]) -> list[Cell]:
    while line and line[-1][0] == " ":
        line = line[:-1]
    return line


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1

"""A text as lines: what stands on each, without the bullets, numbers, drawings and sentences that make a list of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from operator import ne
from typing import Any

from bot.model.doubt import asks, pieces
from bot.model.message_text import with_emoji
from bot.model.names import BLANKS, QUOTED, clean, fold, inside

MAX_GROUPS = 50
"""Most groups in one command."""

OPTION = re.compile(
    rf"(?<!\S)(?:{QUOTED})(?![^\s,;])|(?<![^\s(\[{{（*_`,;|])(?P<key>parent|[üu]st)\s*[=＝]\s*(?:(?P<quoted>{QUOTED})|(?P<word>\S*))",
    re.IGNORECASE,
)
_SHOWN = str.maketrans({**dict.fromkeys(BLANKS, " "), **dict.fromkeys("\u00ad\u200b\u200e\u200f\u2060\ufeff")})
_BULLET = re.compile(r"(?:[-–—*+•◦▪▫·‣●○■□∙⁃✓✔☐☑>]|\[[ xX]?\]|o(?=\t))\s+")
# What draws a tree, which is as wide as the line is indented, or marks an item elsewhere.
_DRAWN = re.compile(
    r"(?:(?P<deep>[\u2500-\u257f|+\\][\s\u2500-\u257f|`+\\-]*|`-+|[.·_=]{2,}|-{2,}(?=\s|$)|[*#]{1,9}\s|[-=]?>+)"
    r"|[→➔➤►▶▸✓✔✅☐☑☒•◦▪▫●○■□\ue000-\uf8ff]+)\s*"
)
_NUMBER = re.compile(r"\(?(?:(\d{1,3}(?:\.\d{1,3})+)[.)]?|\d{1,3}[.):]|(?:[^\W\d_]|[ivxIVX]{1,4})[.)])\s+")
_FORMATS = re.compile(r"([*_~`'‘’])(?=\S)((?:(?!\1\s|\s\1).)+)(?:\1|’)")


@dataclass(frozen=True)
class Line:
    """A line with something on it: its number, None if alone, its indentation in columns, if a bullet was before it.

    `unclear` is the key of what is to be asked about it, "" for nothing.
    """

    number: int | None
    indent: int
    bullet: bool
    content: str
    unclear: str = ""

    def asked(self, key: str, **changes: Any) -> Line:
        """Return the line with changes, and with what is to be asked about it, if nothing is yet."""
        return replace(self, unclear=self.unclear or key, **changes)


def lines_in(text: str, commands: Collection[str]) -> list[Line]:
    """Return the lines of a text on which something stands, of too many the first that is too many."""
    own = {fold(command) for command in commands} | {"@" + command.lstrip("/") for command in commands}
    text = re.sub(r"\A\s*```|```\s*\Z", "", with_emoji(text))
    found = [_line(number, typed, own) for number, typed in enumerate(text.splitlines(), 1)]
    found = [line for line in found if line.content][: MAX_GROUPS + 1]
    return found if len(found) > 1 else [replace(line, number=None) for line in found]


def _line(number: int, typed: str, own: Collection[str]) -> Line:
    typed = typed.translate(_SHOWN)
    rest = typed.lstrip()
    indent, unclear = len(typed[: len(typed) - len(rest)].expandtabs(4)), ""
    if bullet := _BULLET.match(rest):
        rest, indent = rest[bullet.end() :], indent + 1  # under a line without a bullet beside it
    elif drawn := _DRAWN.match(rest):
        rest, indent, unclear = rest[drawn.end() :], indent + drawn.end("deep") + 1, "lines"
    if "\t" in rest.strip():
        rest, unclear = _cell(rest), "columns"
    content = clean(rest)
    while content and content[0] in "/@／*_`":
        word, _, rest = unwrapped(content).partition(" ")
        if fold(word.strip("`*_:")).replace("／", "/") not in own:
            break
        content = rest
    return Line(number, indent, bool(bullet or unclear == "lines"), content, unclear)


def _cell(row: str) -> str:
    """Return the first cell of a row in which a letter stands."""
    return next((clean(cell) for cell in re.split(r"[\t|]", row) if re.search(r"[^\W\d_]", cell)), row)


def unwrapped(line: str) -> str:
    """Return a line without the pairs of marks that Slack formats with, and single quotes, around the whole of it."""
    for _ in range(4):
        line = found[2] if (found := _FORMATS.fullmatch(line)) else line
    return line


def options_in(line: str) -> list[re.Match[str]]:
    """Return the options in a line; not those that stand in quotes."""
    return [found for found in OPTION.finditer(line) if found["key"]]


def listed(lines: list[Line]) -> list[Line]:
    """Return a line for each name where one line lists several."""
    names = pieces(lines[0].content) if len(lines) == 1 else []
    return [lines[0].asked("listed", content=name) for name in names] or lines


def without_list(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return lines without what makes a list of them, numbers and sentences around it, and those that were left out."""
    if len(lines) < 2 or lines[0].number is None:
        return lines, []
    rows = [line for line in lines if "|" in re.sub(QUOTED, "", line.content)]
    lines = [line.asked("columns", content=_cell(line.content)) if line in rows else line for line in lines]
    lines = _without_numbers(lines)
    around = [line for line in lines if not line.bullet and _around(line.content)]
    lines = [line for line in lines if line not in around] if len(around) < len(lines) else lines
    return lines, around


def _without_numbers(lines: list[Line]) -> list[Line]:
    """Return lines without the numbers before them, where the rest tells them apart: not 1. Bölge, 2. Bölge."""
    bare = list(lines)
    for place, line in enumerate(lines):
        if found := _NUMBER.match(line.content):
            indent = line.indent + 1 + 2 * (found[1] or "").count(".")
            bare[place] = replace(line, content=line.content[found.end() :], indent=indent, bullet=True)
    if sum(map(ne, bare, lines)) < 2:
        return lines
    apart = len({fold(line.content) for line in bare}) == len(bare)
    return [line.asked("lines") for line in (bare if apart else lines)]


def _around(content: str) -> bool:
    """Tell whether a line of several is a sentence or a heading around a list and not a name."""
    heading = content.endswith((":", "：", "?", "!"))
    return not options_in(content) and inside(content) is None and (heading or asks(content))

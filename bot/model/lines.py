"""A text as lines: what stands on each, without the bullets, numbers, drawings and sentences that make a list of it."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from bot.model.doubt import asks, pieces
from bot.model.message_text import with_emoji
from bot.model.names import BLANKS, QUOTED, clean, fold, inside

MAX_GROUPS = 50
"""Most groups in one command."""

MAX_LINE = 2000
"""How much of a line is read, in characters: over any two names in quotes."""

OPTION = re.compile(
    rf"(?<!\S)(?:{QUOTED})(?![^\s,;])|(?<![^\s(\[{{（*_`,;|])(?P<key>parent|[üu]st)\s*[=＝]\s*(?:(?P<quoted>{QUOTED})|(?P<word>\S*))",
    re.IGNORECASE,
)
_SHOWN = str.maketrans({**dict.fromkeys(BLANKS, " "), **dict.fromkeys("\u00ad\u200b\u200e\u200f\u2060\ufeff")})
# A bullet, or what draws a tree: such a line is as deep as its drawing is wide.
_MARK = re.compile(
    r"(?P<bullet>[-–—*+•◦▪▫·‣●○■□∙⁃✓✔☐☑>]\s+|\[[ xX]?\]\s+|o\t\s*)|(?:(?!\+\d)[─-╿|+\\][\s─-╿|`+\\-]*"
    r"|`-+|[.·_=]{2,}|-{2,}(?=\s|$)|[*#]{1,9}\s|[-=]?>+|[→➔➤►▶▸✓✔✅☐☑☒•◦▪▫●○■□\ue000-\uf8ff]+)\s*"
)
_NUMBER = re.compile(r"\(?(?:(\d{1,3}(?:\.\d{1,3})+)[.)]?|\d{1,3}[.):]|(?:[^\W\d_]|[ivxIVX]{1,4})[.)])\s+")
_FORMATS = re.compile(r"([*_~`'‘’])(?=\S)((?:(?!\1\s|\s\1).)+)(?:\1|’)")


@dataclass
class Line:
    """A line with something on it: its number, None if alone, its indentation in columns, if a bullet was before it.

    `unclear` is the key of what is to be asked about it, "" for nothing.
    """

    number: int | None
    indent: int
    bullet: bool
    content: str
    unclear: str = ""


def lines_in(text: str, commands: Collection[str]) -> list[Line]:
    """Return the lines of a text on which something stands, of too many the first that is too many."""
    text = re.sub(r"\A\s*```|```\s*\Z", "", with_emoji(text))
    names = "|".join(re.escape(command.lstrip("/")) for command in commands)
    own = re.compile(rf"\A(?:[`*_]*[/／@](?:{names})[`*_:]*(?:\s+|$))+", re.IGNORECASE)
    typed = [(number, line) for number, line in enumerate(text.splitlines(), 1) if clean(line)]
    found = [_line(number if len(typed) > 1 else None, line, own) for number, line in typed]
    return [line for line in found if line.content][: MAX_GROUPS + 1]


def _line(number: int | None, typed: str, own: re.Pattern[str]) -> Line:
    typed = typed.translate(_SHOWN)
    rest, unclear = typed.lstrip(), ""
    indent = len(typed[: len(typed) - len(rest)].expandtabs(4))
    if mark := _MARK.match(rest):
        # A bullet is under a line without one beside it.
        rest, indent = rest[mark.end() :], indent + (1 if mark["bullet"] else len(mark[0].rstrip()))
        unclear = "" if mark["bullet"] else "lines"
    divider = r"\t" if number is None else r"[\t|]"
    if re.search(divider, re.sub(QUOTED, "", rest.strip())):  # a row of a table: the first cell with a letter
        rest = next((cell for cell in re.split(divider, rest) if re.search(r"[^\W\d_]", cell)), rest)
        unclear = "columns"
    return Line(number, indent, bool(mark), own.sub("", unwrapped(clean(rest[:MAX_LINE]))), unclear)


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
    return [Line(None, 0, False, name, lines[0].unclear or "listed") for name in names] or lines


def without_list(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """Return lines without what makes a list of them, numbers and sentences around it, and those that were left out."""
    if len(lines) < 2 or lines[0].number is None:
        return lines, []
    numbers = [_NUMBER.match(line.content) for line in lines]
    bare = [line.content[number.end() if number else 0 :] for line, number in zip(lines, numbers, strict=True)]
    apart = len(set(map(fold, bare))) == len(bare)  # not 1. Bölge, 2. Bölge
    if sum(map(bool, numbers)) > 1:
        for line, number, content in zip(lines, numbers, bare, strict=True):
            line.unclear = line.unclear or "lines"
            if number and apart:  # 1.1 is deeper than 1
                line.content, line.bullet = content, True
                line.indent += 1 + 2 * (number[1] or "").count(".")
    around = [line for line in lines if (not line.bullet or line.unclear == "columns") and _around(line.content)]
    lines = [line for line in lines if line not in around] if len(around) < len(lines) else lines
    return lines, around


def _around(content: str) -> bool:
    """Tell whether a line of several is a sentence or a heading around a list and not a name."""
    heading = content.endswith((":", "：", "?", "!"))
    return not options_in(content) and inside(content) is None and (heading or asks(content))

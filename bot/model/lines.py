"""The lines of a list: how far each is indented, and what is on it without bullets, numbers and the command's name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from bot.model.characters import BLANKS, cleaned, ignorable
from bot.model.columns import has_columns, is_table
from bot.model.group_line import literally
from bot.model.keywords import COMMANDS
from bot.model.marks import FORMATS, unwrapped
from bot.model.names import UsageError, clean, fold, too_long
from bot.model.numbering import Numbered, numbered

MAX_GROUPS = 50
"""Most groups in one command."""

MAX_LINE = 2000
"""Longest line, in characters as typed: over any two names in quotes; what comes after takes its square in time."""

# `>` and what no name begins with are bullets also without a space behind them.
_LEAD = re.compile(r"[-*+–—·#•◦▪‣●○■□⁃∙▸▹►➤➢➔→⇒✓✔›>＞]+(?=\s|$)|[•◦▪‣●○■□⁃∙▸▹►➤➢➔→⇒✓✔›>＞]+|\[[ xX✓✔]?\](?=\s|$)")
_MARK = re.compile(
    rf"(?:(?:{_LEAD.pattern}|o(?=\t)|\(?(?:\d{{1,3}}(?:\.\d{{1,3}})*[.)\-–]|(?:[^\W\d_]|[ivx]{{1,5}})[.)]))\s*)+"
)
_FENCE = re.compile(r"```|~~~")


@dataclass(frozen=True)
class Line:
    """One line with something on it; `number` counts from 1, `error` says why it cannot be read.

    `indent` is in columns. `bulleted` says that a bullet or number stood before `content`; `numbered` is a number that
    may be one of a list's or part of the name.
    """

    number: int
    indent: int
    content: str
    bulleted: bool = False
    numbered: Numbered | None = None
    error: UsageError | None = None


def read_lines(text: str, commands: Collection[str] = COMMANDS) -> list[Line]:
    """Return the lines with something on them, and of too many the first that is too many. Raises nothing."""
    found: list[Line] = []
    for number, typed in enumerate(_without_fence(text).splitlines(), 1):
        if not typed or typed.isspace():
            continue
        line = _read(number, typed, commands)
        if (line.content and not _FENCE.fullmatch(line.content)) or line.error:
            found.append(line)
        if len(found) > MAX_GROUPS:
            break
    return _without_table(found)


def listed(text: str) -> str:
    """Return the lines with a bullet or number, and what is indented below them, where a text has a list; else it all.

    Two such lines are a list, or one with a sentence around it.
    """
    typed = text.splitlines()
    lines = [_read(number, line, COMMANDS) for number, line in enumerate(typed) if not line.isspace() and line]
    lines = with_numbers_read([line for line in lines if line.content or line.error])
    marked = [line for line in lines if line.bulleted]
    around = [line for line in lines if not line.bulleted]
    if len(marked) < 2 and not (marked and any(map(_sentence, around))):
        return text
    kept: list[int] = []
    left: int | None = None  # the indentation of the items that the present line may stand below
    for line in lines:
        if line.bulleted:
            left = line.indent if left is None else min(left, line.indent)
        elif left is None or line.indent <= left:
            left = None
            continue
        kept.append(line.number)
    return "\n".join(typed[number] for number in kept)


def _sentence(line: Line) -> bool:
    return line.content.endswith((".", "!", "?", ":", ",")) or len(line.content.split()) > 3


def _without_table(lines: list[Line]) -> list[Line]:
    """Return lines, the first of which has an error where they are the rows of a table together."""
    if not is_table([line.content for line in lines]):
        return lines
    return [replace(lines[0], error=lines[0].error or _columns(lines[0].content)), *lines[1:]]


def _columns(typed: str) -> UsageError:
    return UsageError("columns", part=" ⇥ ".join(filter(None, map(clean, typed.split("\t")))))


def _without_fence(text: str) -> str:
    """Return a text without the code block around it, its lines in place."""
    inner = text.strip()
    if "\n" in inner and (fence := re.match("`+", inner)) and inner.endswith(fence[0]) and "`" not in inner.strip("`"):
        return text.replace("`", "")
    return text


def _read(number: int, typed: str, commands: Collection[str]) -> Line:
    if len(typed) > MAX_LINE:
        return Line(number, 0, "", error=too_long(typed))
    indent, rest = _indented(typed)
    content, depth, bulleted = _content(re.sub("^o\t", "• ", rest), commands)
    row = content and has_columns(_MARK.sub("", rest, count=1) if _MARK.match(rest) else rest)
    line = Line(number, indent + 2 * depth, content, bulleted, error=_columns(rest) if row else None)
    number_before = numbered(content)
    if number_before and number_before.surely:
        return replace(line, content=number_before.rest, bulleted=True)
    return replace(line, numbered=number_before)


def _indented(line: str) -> tuple[int, str]:
    """Return how far a line is indented, in columns, and what follows; a tab goes to the next multiple of four."""
    column = 0
    for place, char in enumerate(line):
        if char == "\t":
            column += 4 - column % 4
        elif char.isspace() or char in BLANKS:
            column += 1
        elif (char.isprintable() and not ignorable(ord(char))) or cleaned(char + "a") != "a":
            return column, line[place:]
    return column, ""


def _content(typed: str, commands: Collection[str]) -> tuple[str, int, bool]:
    """Return a line without what is not the name, the levels that bullets add, and whether it has any."""
    content, depth, bulleted = clean(typed), 0, False
    while content:
        before = content
        if lead := _LEAD.match(content):
            depth += 0 if content[0] == "[" else lead.end() - 1
            content, bulleted = content[lead.end() :].lstrip(), True
        content = _without_command(unwrapped(content, FORMATS), commands)
        if content == before:
            break
    return content, depth, bulleted


def _without_command(content: str, commands: Collection[str]) -> str:
    """Return a line without the command's own name at its beginning, however it is written."""
    if content[:1] not in (*"/／@", *FORMATS):
        return content
    first, _, rest = content.partition(" ")
    word = fold(unwrapped(first, FORMATS)).replace("／", "/").rstrip(":")
    if word == "/" and rest:
        first, _, rest = rest.partition(" ")
        word += fold(first)
    known = {fold(command) for command in commands}
    return rest if word in known | {"@" + name.removeprefix("/") for name in known} else content


def with_numbers_read(lines: list[Line]) -> list[Line]:
    """Return lines whose numbers are bullets where they count: `1. VIP`, `2. Regular`; elsewhere they are in the name.

    A number that comes alone, or before the same words each time (`1. Bölge`, `2. Bölge`), is part of the name. Where
    the names begin alike and go on differently, it may be either: that line has an error.
    """
    counted = [line for line in lines if line.numbered]
    if len(counted) < 2 or not _count(counted):
        return [replace(line, numbered=None) for line in lines]
    rests = [line.numbered.rest for line in counted if line.numbered]
    if len(set(map(fold, rests))) == 1:
        return [replace(line, numbered=None) for line in lines]
    if len({fold(rest.split()[0]) for rest in rests}) == 1 and not any(n.numbered and n.numbered.path for n in counted):
        return list(_refused(lines))
    return _first_in_line([_numbered_line(line) for line in lines], len(counted) == len(lines), counted)


def _numbered_line(line: Line) -> Line:
    if not line.numbered:
        return line
    indent = line.indent + 2 * len(line.numbered.path)
    return replace(line, content=line.numbered.rest, indent=indent, bulleted=True)


def _first_in_line(lines: list[Line], all_counted: bool, counted: list[Line]) -> list[Line]:
    """Put the first line beside the others where Slack took its indentation: one list is counted through."""
    others = {line.indent for line in counted[1:]}
    values = [line.numbered.last for line in counted if line.numbered and not line.numbered.path]
    through = len(values) == len(lines) and all(_follows(one, two) for one, two in pairwise(values))
    if all_counted and through and len(others) == 1:
        return [replace(lines[0], indent=lines[1].indent), *lines[1:]]
    return lines


def _follows(one: frozenset[tuple[str, int]], two: frozenset[tuple[str, int]]) -> bool:
    return any((kind, value + 1) in two for kind, value in one)


def _count(lines: list[Line]) -> bool:
    """Tell whether the numbers count: each is one more than the one before at its place, or begins."""
    last: dict[tuple[int, tuple[int, ...]], frozenset[tuple[str, int]]] = {}
    through: frozenset[tuple[str, int]] = frozenset()
    for line in lines:
        if not line.numbered:
            continue
        place = (line.indent, line.numbered.path)
        known, new = last.get(place), line.numbered.last
        begins = any(value == 1 for _, value in new)
        if known and not (begins or _follows(known, new)):
            return False
        if not known and not begins and last and not _follows(through, new):
            return False
        last[place] = through = new
    return True


def _refused(lines: list[Line]) -> Iterator[Line]:
    for line in lines:
        if line.numbered:
            error = UsageError("unknown_option", part=line.content, suggestion=literally(line.content))
            yield replace(line, error=line.error or error)
        else:
            yield line

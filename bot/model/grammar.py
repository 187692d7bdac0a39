"""The grammar of /addgroup: `NAME [parent=PARENT]`, one group a line, quotes keep words as they are, four keywords.

Whatever can be read has one reading, and it is sure when nothing in it can mean anything else. One that is not is shown
to the person in the form, so a wrong alarm costs a click, and no list of exceptions is needed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import ne
from typing import Any

from bot.model.doubt import asks, doubtful, guess, pieces
from bot.model.message_text import with_emoji
from bot.model.names import (
    BLANKS,
    QUOTE,
    QUOTED,
    Parent,
    ParentId,
    ParentName,
    UsageError,
    clean,
    clean_name,
    fold,
    inside,
    quoted,
    unmarked,
)

COMMAND = "/addgroup"
MAX_GROUPS = 50
"""Most groups in one command."""
MAX_LINE = 2000
"""Longest line, in characters as typed: over any two names in quotes."""


@dataclass(frozen=True)
class NewGroup:
    """A group to create: a main group, or under `parent`, or under the group at index `above` of the same reading."""

    name: str
    parent: Parent = None
    above: int | None = None


@dataclass(frozen=True)
class Keyword:
    """A word that is a command: help, history, list (`rest` is what to look for), language (`rest` is en, tr or "")."""

    word: str
    rest: str = ""


@dataclass(frozen=True)
class Unclear:
    """What a person should look at: `key` names the sentence, `values` fill it, `line` counts from 1 if several."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict)
    line: int | None = None


@dataclass(frozen=True)
class Reading:
    """What a text is read as: `groups` in the order typed, and what is `unclear`, None where the reading is sure.

    Without groups, `unclear` says why there can be none; where nothing was typed, there is neither. `text` and
    `parent` fill the form: read there, they give the same groups; without groups, `typed` is the text.
    """

    groups: tuple[NewGroup, ...] = ()
    unclear: Unclear | None = None
    typed: str = ""
    parent: Parent = None

    @property
    def text(self) -> str:
        """What the form's field of names is filled with."""
        own = (replace(group, parent=None) if group.parent == self.parent else group for group in self.groups)
        return as_text(own, sure=False) if self.groups else self.typed


_WORDS = {"help": "help", "usage": "help", "yardim": "help", "kullanim": "help", "history": "history"}
_WORDS |= {"gecmis": "history", "list": "list", "liste": "list", "language": "language", "dil": "language"}
_LANGUAGES = {"tr": "tr", "turkce": "tr", "turkish": "tr", "en": "en", "english": "en", "ingilizce": "en"}
_LANGUAGES |= {"auto": "", "automatic": "", "otomatik": ""}
_EVERYTHING = {"all", "*", "hepsi", "tumu", "groups", "gruplar", "all groups", "tum gruplar"}
_OPTION = re.compile(
    rf"(?<!\S)(?:{QUOTED})(?![^\s,;])|(?<![^\s(\[{{（*_`,;|])(?P<key>parent|[üu]st)\s*[=＝]\s*(?:(?P<quoted>{QUOTED})|(?P<word>\S*))",
    re.IGNORECASE,
)
_BULLET = re.compile(r"(?:[-–—*+•◦▪▫·‣●○■□∙⁃✓✔☐☑>]|\[[ xX]?\]|o(?=\t))\s+")
# What draws a tree, which is as wide as the line is indented, or marks an item elsewhere.
_DRAWN = re.compile(
    r"(?:(?P<deep>[\u2500-\u257f|+\\][\s\u2500-\u257f|`+\\-]*|`-+|[.·_=]{2,}|-{2,}(?=\s|$)|[*#]{1,9}\s|[-=]?>+)"
    r"|[→➔➤►▶▸✓✔✅☐☑☒•◦▪▫●○■□\ue000-\uf8ff]+)\s*"
)
_NUMBER = re.compile(r"\(?(?:(\d{1,3}(?:\.\d{1,3})+)[.)]?|\d{1,3}[.):]|(?:[^\W\d_]|[ivxIVX]{1,4})[.)])\s+")
_FORMATS = re.compile(r"([*_~`'‘’])(?=\S)((?:(?!\1\s|\s\1).)+)(?:\1|’)")


def parse(text: str, commands: Collection[str] = (COMMAND,)) -> Keyword | Reading:
    """Read the text behind the command, as Slack sent it but for `&amp;` and its like. Raises nothing.

    `commands` are the names by which the command may be called in Slack; where a line begins with one, it is dropped.
    """
    lines = _lines(text, commands)
    if len(lines) == 1 and (keyword := _keyword(lines[0].content)):
        return keyword
    command = _near_keyword if len(lines) == 1 else _keyword
    lines = [line.asked("command") if command(line.content) else line for line in lines]
    return _read(text, _listed(lines))


def read_form(text: str, parent: Parent = None, filled: bool = False) -> Reading:
    """Read the form's fields: no word is a command; groups of the first level go under `parent`. Raises nothing.

    A line is one name, unless the text is what the form is to be `filled` with. No group at all is a reading with
    `unclear`, too.
    """
    lines = _lines(text, (COMMAND,))
    lines = _listed(lines) if filled else lines
    return _read(text, lines, parent) if lines else Reading((), Unclear("no_name"), "", parent)


def as_text(groups: Iterable[NewGroup], sure: bool = True) -> str:
    """Return groups as a text that is read as these groups: what would be read otherwise stands in quotes.

    With `sure`, so does what would be asked about.
    """
    groups, text = tuple(groups), ""

    def careful(name: str) -> str:
        return name if _is_read(name, (NewGroup(name),), sure) else quoted(name)

    for shown in (str, careful, quoted):
        text = "\n".join(_shown(groups, shown))
        if _is_read(text, groups, sure):
            break
    return text


def option(parent: Parent) -> str:
    """Return a parent as the option that gives it."""
    return f"parent={parent.id}" if isinstance(parent, ParentId) else f"parent={quoted(parent.name)}" if parent else ""


def _is_read(text: str, groups: tuple[NewGroup, ...], sure: bool) -> bool:
    reading = parse(text) if sure else read_form(text)
    return isinstance(reading, Reading) and reading.groups == groups and not (sure and reading.unclear)


def _shown(groups: tuple[NewGroup, ...], shown: Callable[[str], str]) -> Iterable[str]:
    depths: list[int] = []
    for group in groups:
        depths.append(0 if group.above is None else depths[group.above] + 1)
        yield f"{'  ' * depths[-1]}{shown(group.name)} {option(group.parent)}".rstrip()


# Lines.


@dataclass(frozen=True)
class _Line:
    """A line with something on it: its number, None if alone, its indentation in columns, if a bullet was before it.

    `unclear` is the key of what is to be asked about it, "" for nothing.
    """

    number: int | None
    indent: int
    bullet: bool
    content: str
    unclear: str = ""

    def asked(self, key: str, **changes: Any) -> _Line:
        """Return the line with changes, and with what is to be asked about it, if nothing is yet."""
        return replace(self, unclear=self.unclear or key, **changes)


def _lines(text: str, commands: Collection[str]) -> list[_Line]:
    """Return the lines of a text on which something stands, of too many the first that is too many."""
    own = {fold(command) for command in commands} | {"@" + command.lstrip("/") for command in commands}
    text = with_emoji(text)
    text = re.sub(r"\A\s*(?:```|~~~)|(?:```|~~~)\s*\Z", "", text) if re.match(r"\s*(?:```|~~~)", text) else text
    found = [_line(number, typed, own) for number, typed in enumerate(text.splitlines(), 1)]
    found = [line for line in found if line.content][: MAX_GROUPS + 1]
    return found if len(found) > 1 else [replace(line, number=None) for line in found]


def _line(number: int, typed: str, own: Collection[str]) -> _Line:
    typed = re.sub("[\u00ad\u200b-\u200f\u2060\ufeff]", "", typed).translate(dict.fromkeys(map(ord, BLANKS), " "))
    rest = typed.lstrip()
    indent, unclear = len(typed[: len(typed) - len(rest)].expandtabs(4)), ""
    if bullet := _BULLET.match(rest):
        rest = rest[bullet.end() :]
    elif drawn := _DRAWN.match(rest):
        indent, rest, unclear = indent + drawn.end("deep") + 1, rest[drawn.end() :], "lines"
    if "\t" in rest.strip():
        rest, unclear = _cell(rest), "columns"
    content = clean(rest)
    while content and content[0] in "/@／*_`":
        word, _, rest = _unwrapped(content).partition(" ")
        if fold(word.strip("`*_:")).replace("／", "/") not in own:
            break
        content = rest
    return _Line(number, indent, bool(bullet or unclear == "lines"), content, unclear)


def _cell(row: str) -> str:
    """Return the first cell of a row in which a letter stands."""
    return next((clean(cell) for cell in re.split(r"[\t|]", row) if re.search(r"[^\W\d_]", cell)), row)


def _unwrapped(line: str) -> str:
    """Return a line without the pairs of marks that Slack formats with, and single quotes, around the whole of it."""
    for _ in range(4):
        line = found[2] if (found := _FORMATS.fullmatch(line)) else line
    return line


def _keyword(line: str) -> Keyword | None:
    if line.strip() in ("?", "？"):
        return Keyword("help")
    first, *rest = unmarked(line).strip(" -/.!?").split() or [""]
    word = _WORDS.get(first.rstrip(":="), "")
    if word == "list" and not _options(line):
        wanted = line.split(None, 1)[1] if rest else ""
        return Keyword(word, "" if unmarked(wanted) in _EVERYTHING else clean(inside(wanted) or wanted))
    if word == "language" and len(rest) == 1 and rest[0] in _LANGUAGES:
        return Keyword(word, _LANGUAGES[rest[0]])
    return Keyword(word) if word in ("help", "history") and not rest else None


def _near_keyword(line: str) -> bool:
    """Tell whether a line is nearly a command, or goes on where a command ends: hlep, help desk."""
    first, *rest = unmarked(line).strip(" -/.!?").split() or [""]
    if QUOTE.match(line) or _options(line):
        return False
    if rest:
        return first in _WORDS and (line.islower() or line[0] in "-/")
    swapped = any(sorted(first) == sorted(word) for word in _WORDS)
    return len(first) > 3 and (swapped or bool(difflib.get_close_matches(first, _WORDS, cutoff=0.8)))


# A tree.


def _read(text: str, lines: list[_Line], parent: Parent = None) -> Reading:
    """Return the reading of lines: each group under the nearest line above it that is indented less."""
    lines, notes = _list(lines)
    groups: list[NewGroup] = []
    above: list[tuple[int, int]] = []  # indentation and index of the lines above the present one
    seen: set[tuple[int | None, str, str]] = set()
    for line in lines:
        found, unclear = _read_line(line.content)
        if (
            not found.name and found.parent and groups and groups[-1].above is None
        ):  # an option in the line below its group
            groups[-1] = replace(groups[-1], parent=found.parent)
            notes.append(Unclear("phrase", {"part": line.content}, line.number))
            continue
        rest = [level for level in above if level[0] < line.indent]
        level = len(rest) < len(above) and above[len(rest)][0] != line.indent
        keys = [line.unclear, "lines" * level, "second_parent" * bool(rest and found.parent)]
        keys += ["second_parent" * bool(not rest and parent and found.parent not in (None, parent))]
        notes += [Unclear(key, {"part": line.content}, line.number) for key in keys if key]
        notes += [replace(unclear, line=line.number)] if unclear else []
        above = [*rest, (line.indent, len(groups))]
        group = NewGroup(found.name, found.parent or parent) if not rest else NewGroup(found.name, None, rest[-1][1])
        key = (group.above, fold(str(group.parent)), fold(group.name))
        why = Unclear("twice", {"part": group.name}, line.number) if key in seen else None
        why = Unclear("too_many_lines", {"most": str(MAX_GROUPS)}) if len(groups) == MAX_GROUPS else why
        if why or not found.name:
            return Reading((), why or notes[-1], text.strip() if line.number or why else "", group.parent)
        seen.add(key)
        groups.append(group)
    parents = {group.parent for group in groups if group.above is None}
    return Reading(tuple(groups), notes[0] if notes else None, "", parents.pop() if len(parents) == 1 else None)


def _listed(lines: list[_Line]) -> list[_Line]:
    """Return a line for each name where one line lists several; the last one's parent is the parent of all."""
    names = pieces(lines[0].content) if len(lines) == 1 else []
    if not names:
        return lines
    given = [_options(name) for name in names]
    more = f" {given[-1][0][0]}" if given[-1] and not any(given[:-1]) else ""
    names = [*(name + more for name in names[:-1]), names[-1]]
    return [lines[0].asked("listed", content=name) for name in names]


def _list(lines: list[_Line]) -> tuple[list[_Line], list[Unclear]]:
    """Return lines without what makes a list of them, numbers and sentences around it, and what was left out."""
    if len(lines) < 2 or lines[0].number is None:
        return lines, []
    lines = [line.asked("columns", content=_cell(line.content)) if "|" in line.content else line for line in lines]
    lines = _without_numbers(lines)
    around = [line for line in lines if not line.bullet and _around(line.content)]
    lines = [line for line in lines if line not in around] if len(around) < len(lines) else lines
    heads = {line.indent for line in lines if not line.bullet}
    beside = any(line.bullet and line.indent in heads for line in lines)
    if len(heads) == 1 and not lines[0].bullet and beside:  # a list below a line without a bullet
        lines = [line.asked("lines", indent=line.indent + 1) if line.bullet else line for line in lines]
    return lines, [Unclear("left_out", {"part": line.content}, line.number) for line in around]


def _without_numbers(lines: list[_Line]) -> list[_Line]:
    """Return lines without the numbers before them, where the rest tells them apart: not 1. Bölge, 2. Bölge."""
    bare = list(lines)
    for place, line in enumerate(lines):
        if found := _NUMBER.match(line.content):
            indent = line.indent + 2 * (found[1] or "").count(".")
            bare[place] = replace(line, content=line.content[found.end() :], indent=indent, bullet=True)
    if sum(map(ne, bare, lines)) < 2:
        return lines
    apart = len({fold(line.content) for line in bare}) == len(bare)
    return [line.asked("lines") for line in (bare if apart else lines)]


def _around(content: str) -> bool:
    """Tell whether a line of several is a sentence or a heading around a list and not a name."""
    heading = content.endswith((":", "：", "?", "!"))
    return not _options(content) and not QUOTE.match(content) and (heading or asks(content))


# One line: the group, without a name where there can be none, and what is unclear.


def _options(line: str) -> list[re.Match[str]]:
    """Return the options in a line; not those that stand in quotes."""
    return [found for found in _OPTION.finditer(line) if found["key"]]


def _read_line(line: str) -> tuple[NewGroup, Unclear | None]:
    line = _unwrapped(line)
    group, unclear = NewGroup(line), None
    if len(line) > MAX_LINE:
        return NewGroup(""), Unclear("long_name", {"part": line[:40] + "…", "length": str(len(line)), "most": "255"})
    if options := _options(line):
        group, unclear = _without_option(line, options[0])
        if len(options) > 1:
            group = replace(group, name=_OPTION.sub("", group.name))
            unclear = Unclear("second_parent", {"part": options[1][0].strip()})
    try:
        name, parent, doubt = _name(group.name)
    except UsageError as error:
        return replace(group, name=""), Unclear(error.key, error.values)
    above = group.parent or (_parent(parent)[0] if parent else None)
    return NewGroup(name, above), unclear or doubt


def _name(typed: str) -> tuple[str, str, Unclear | None]:
    """Return a name as it is sent, the parent that is guessed, and what is unclear.

    Raises UsageError where there can be no name.
    """
    line = _unwrapped(typed)
    if (name := inside(line)) is not None:
        return clean_name(name), "", None
    bare = re.sub(rf"(?<!\S)(?:{QUOTED})(?!\S)", "q", line)
    if re.search(rf"(?<!\S){QUOTE.pattern}", bare):
        return clean_name(QUOTE.sub("", line)), "", Unclear("name", {"part": line})
    if bare == line and not doubtful(line):
        return clean_name(line), "", None
    name, parent = guess(line)
    key = "phrase" if parent else "number" if line.isdecimal() else "name"
    return clean_name(name), parent, Unclear(key, {"part": parent or line})


def _without_option(line: str, option: re.Match[str]) -> tuple[NewGroup, Unclear | None]:
    """Return the parent that an option gives, and what is left of the line as the name."""
    before, after = line[: option.start()].strip(" ,;|-([{（*_`<"), line[option.end() :].strip(" ,;:|-]}*_`>.")
    value = option["quoted"] or option["word"].strip(" ,;:([{<>}])`*.=“”\"'")
    if not clean(inside(value) or value.strip("\"“”'")):
        return NewGroup(f"{before} {after}".strip()), Unclear("bad_parent", {"part": option[0].strip()})
    more = bool(after and before) and not option["quoted"] and not value.isdecimal()  # Gold parent=VIP Customers
    value, after = (guess(f"{value} {after}")[0], "") if more else (value, after)
    parent, sure = _parent(value)
    sure = sure and not more and value == (option["quoted"] or option["word"].rstrip(",)"))
    sure = sure and (bool(before) or bool(option["quoted"]) or isinstance(parent, ParentId))  # parent=Customers VIP
    unclear = None if sure else Unclear("phrase" if parent else "bad_parent", {"part": value})
    if before and after:  # X parent=97 101, Sub parent=5 (Müşteriler), VIP parent=5 please
        name = f"{before} {after}" if after[0].isalpha() and not doubtful(after) else before
        return NewGroup(name, parent), unclear or Unclear("left_out" if name == before else "name", {"part": after})
    return NewGroup(before or after, parent), unclear


def _parent(text: str) -> tuple[Parent, bool]:
    """Return the parent that a text gives, None for an ID that is none, and whether nothing else can be meant."""
    given = inside(text)
    name = clean(given) if given is not None else clean(text).strip(" ,;*_`")
    if given is None and (found := re.fullmatch(r"[#(<\[]*([-+−－]?\d{1,20})(?:\.0+)?[)>\].]*", name)):
        number = found[1]
        return (ParentId(str(int(number))), name.isdecimal()) if number.isdecimal() and int(number) else (None, False)
    if found := re.search(r"(?:^|[\s,(—-])(?:ID:?\s*|no\.?\s+|\()(\d{1,20})\)?$", name, re.IGNORECASE):
        return ParentId(str(int(found[1]))), False
    try:
        return ParentName(clean_name(name)), given is not None or not doubtful(name)
    except UsageError:
        return None, False

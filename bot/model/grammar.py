"""The grammar of /addgroup: `NAME [parent=PARENT]`, one group a line, quotes keep words as they are, a few keywords.

Whatever can be read has one reading, and it is sure when nothing in it can mean anything else. One that is not is shown
to the person in the form, so a wrong alarm costs a click, and no list of exceptions is needed.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from bot.model.doubt import doubtful, guess
from bot.model.lines import MAX_GROUPS, OPTION, Line, lines_in, listed, options_in, unwrapped, without_list
from bot.model.names import MAX_NAME, Parent, ParentId, ParentName, clean, fold, inside, is_seen, quoted, unmarked

COMMAND = "/addgroup"


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
_ID = re.compile(r"(?:(?:.*[\s,(—-])?(?:ID:?\s*|no\.?\s+|\()|\W*)(\d{1,20})(?:\.0+)?\W*", re.IGNORECASE)
_EVERYTHING = {"all", "*", "hepsi", "tumu", "groups", "gruplar", "all groups", "tum gruplar"}


def parse(text: str, commands: Collection[str] = (COMMAND,)) -> Keyword | Reading:
    """Read the text behind the command, as Slack sent it but for `&amp;` and its like. Raises nothing.

    `commands` are the names by which the command may be called in Slack; where a line begins with one, it is dropped.
    """
    lines = lines_in(text, commands)
    if len(lines) == 1 and (keyword := _keyword(lines[0].content)):
        return keyword
    command = _near_keyword if len(lines) == 1 else _keyword
    for line in lines:
        line.unclear = line.unclear or ("command" if command(line.content) else "")
    return _read(text, listed(lines))


def read_form(text: str, parent: Parent = None, filled: bool = False) -> Reading:
    """Read the form's fields: no word is a command; groups of the first level go under `parent`. Raises nothing.

    A line is one name, unless the text is what the form is to be `filled` with. No group at all is a reading with
    `unclear`, too.
    """
    lines = lines_in(text, (COMMAND,))
    lines = listed(lines) if filled else lines
    return _read(text, lines, parent) if lines else Reading((), Unclear("no_name"), "", parent)


def as_text(groups: Iterable[NewGroup], sure: bool = True) -> str:
    """Return groups as a text that is read as these groups: what would be read otherwise stands in quotes.

    With `sure`, so does what would be asked about.
    """
    groups = tuple(groups)

    def careful(name: str) -> str:
        return name if _is_read(name, (NewGroup(name),), sure) else quoted(name)

    text = "\n".join(_shown(groups, careful))
    return text if _is_read(text, groups, sure) else "\n".join(_shown(groups, quoted))


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


def _keyword(line: str) -> Keyword | None:
    if line.strip() in ("?", "？"):
        return Keyword("help")
    first, *rest = unmarked(line).strip(" -/.!?").split() or [""]
    word = _WORDS.get(first.rstrip(":="), "")
    if word == "list" and not options_in(line):
        wanted = line.split(None, 1)[1] if rest else ""
        return Keyword(word, "" if unmarked(wanted) in _EVERYTHING else clean(inside(wanted) or wanted))
    if word == "language" and len(rest) == 1 and rest[0] in _LANGUAGES:
        return Keyword(word, _LANGUAGES[rest[0]])
    return Keyword(word) if word in ("help", "history") and not rest else None


def _near_keyword(line: str) -> bool:
    """Tell whether a line is nearly a command, or goes on where a command ends: hlep, help desk, langauge tr."""
    first, *rest = unmarked(line).strip(" -/.!?").split() or [""]
    if inside(line) is not None or options_in(line) or (rest and not (line.islower() or line[0] in "-/")):
        return False
    swapped = any(sorted(first) == sorted(word) for word in _WORDS)
    return len(first) > 2 and (swapped or bool(difflib.get_close_matches(first, _WORDS, cutoff=0.8)))


# A tree.


def _read(text: str, lines: list[Line], parent: Parent = None) -> Reading:
    """Return the reading of lines: each group under the nearest line above it that is indented less."""
    lines, around = without_list(lines)
    notes = [Unclear("left_out", {"part": line.content}, line.number) for line in around]
    groups: list[NewGroup] = []
    above: list[tuple[int, int]] = []  # indentation and index of the lines above the present one
    seen: set[tuple[int | None, str, str]] = set()
    for line in lines:
        found, unclear = _read_line(line.content)
        rest = [level for level in above if level[0] < line.indent]
        between = len(rest) < len(above) and above[len(rest)][0] != line.indent
        beside = line.bullet and bool(rest) and rest[-1][0] == line.indent - 1
        wanted = None if rest else parent or found.parent
        keys = [line.unclear, "lines" * (between or beside), "second_parent" * (found.parent not in (None, wanted))]
        notes += [Unclear(key, {"part": line.content}, line.number) for key in keys if key]
        notes += [replace(unclear, line=line.number)] if unclear else []
        above = [*rest, (line.indent, len(groups))]
        group = NewGroup(found.name, None, rest[-1][1]) if rest else NewGroup(found.name, found.parent or parent)
        key = (group.above, fold(str(group.parent)), fold(group.name))
        why = Unclear("twice", {"part": group.name}, line.number) if key in seen else None
        why = Unclear("too_many_lines", {"most": str(MAX_GROUPS)}) if len(groups) == MAX_GROUPS else why
        if why or not found.name:
            nothing = line.number is None and notes[-1].key == "no_name"
            return Reading((), why or notes[-1], "" if nothing else text.strip(), group.parent)
        seen.add(key)
        groups.append(group)
    notes.sort(key=lambda note: note.key != "columns")  # what is lost with them is not seen in the form
    parents = {group.parent for group in groups if group.above is None}
    return Reading(tuple(groups), notes[0] if notes else None, "", parents.pop() if len(parents) == 1 else None)


# One line.


def _read_line(line: str) -> tuple[NewGroup, Unclear | None]:
    """Return the group, without a name where there can be none, and what is unclear."""
    options = options_in(line)
    typed, parent, unclear = _without_option(line, options[0]) if options else (line, None, None)
    if len(options) > 1:
        typed, unclear = OPTION.sub("", typed), Unclear("second_parent", {"part": options[1][0].strip()})
    typed = unwrapped(typed)
    name = inside(typed)
    if name is None and doubtful(typed):
        name, guessed = guess(typed)
        parent = parent or (_parent(guessed)[0] if guessed else None)
        key = "phrase" if guessed else "number" if typed.isdecimal() else "name"
        unclear = unclear or Unclear(key, {"part": guessed or typed})
    name = clean(typed if name is None else name)
    if not is_seen(name):
        name, unclear = "", Unclear("no_name")
    if len(name) > MAX_NAME:
        long = {"part": name[:40] + "…", "length": str(len(name)), "most": str(MAX_NAME)}
        name, unclear = "", Unclear("long_name", long)
    return NewGroup(name, parent), unclear


def _without_option(line: str, option: re.Match[str]) -> tuple[str, Parent, Unclear | None]:
    """Return what is left of a line without an option, the parent that this gives, and what is unclear of it."""
    before, after = line[: option.start()].strip(" ,;|-([{（*_`<"), line[option.end() :].strip(" ,;:|-]}*_`>.")
    value = option["quoted"] or option["word"].strip(" ,;:([{<>}])`*.=“”\"'")
    exact = bool(option["quoted"]) or value.isdecimal()
    goes_on = bool(before and after) and not exact  # Gold parent=VIP Customers
    alone = exact or bool(before)  # and not parent=Customers VIP
    whole = value == (option["quoted"] or option["word"].rstrip(",)"))
    value, after = (guess(f"{value} {after}")[0], "") if goes_on else (value, after)
    parent, sure = _parent(value)
    unclear = None
    if not (sure and whole and alone) or goes_on:
        unclear = Unclear("phrase" if parent else "bad_parent", {"part": value or option[0].strip()})
    elif before and after:  # X parent=97 101, Sub parent=5 (Müşteriler), VIP parent=5 please
        unclear = Unclear("left_out", {"part": after})
    return before or after, parent, unclear


def _parent(text: str) -> tuple[Parent, bool]:
    """Return the parent that a text gives, None for an ID that is none, and whether nothing else can be meant."""
    given = inside(text)
    name = clean(given) if given is not None else clean(text).strip(" ,;*_`")
    if (digits := _ID.fullmatch(name)) and (given is None or not name.isdecimal()):
        return (ParentId(str(number)), name.isdecimal()) if (number := int(digits[1])) else (None, False)
    found = ParentName(name) if is_seen(name) and len(name) <= MAX_NAME else None
    return found, bool(found) and (given is not None or not doubtful(name))

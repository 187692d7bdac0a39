"""The grammar of /addgroup: what somebody typed becomes a command, or a usage error that names the fault."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.model.names import (
    DASHES,
    INVISIBLE,
    Parent,
    ParentName,
    UsageError,
    clean,
    clean_name,
    fold,
    parent_from,
    too_long,
)

MAX_GROUPS = 50
"""Most groups in one command."""

_MAX_LINE = 2000  # of a line as typed: over any two names in quotes; what comes after takes its square in time
_QUOTES = '"“”„‟'
_HELP = {"help", "yardim", "?"}
_HISTORY = {"history"}


@dataclass(frozen=True)
class NewGroup:
    """One group to create: a main group, or under `parent`, or under the group at index `above` of the same command."""

    name: str
    parent: Parent = None
    above: int | None = None


@dataclass(frozen=True)
class Help:
    """Asked how the command is used."""


@dataclass(frozen=True)
class History:
    """Asked for the last jobs."""


@dataclass(frozen=True)
class OpenForm:
    """Typed nothing: wants the form."""


@dataclass(frozen=True)
class Create:
    """Groups to create, in the order in which they were typed."""

    groups: tuple[NewGroup, ...]


Command = Help | History | OpenForm | Create


def parse(text: str) -> Command:
    """Read the text behind `/addgroup`, as Slack sent it but for `&amp;` and its like, which are decoded before.

    Raises UsageError, and nothing else, whatever the text is.
    """
    lines = _filled(text)
    if not lines:
        return OpenForm()
    if len(lines) > 1:
        groups = outline(text, _group)
        return Create(groups) if groups else OpenForm()
    line = _line(lines[0])
    if fold(line) in _HELP:
        return Help()
    if fold(line) in _HISTORY:
        return History()
    return Create((_group(line),))


def outline(text: str, read: Callable[[str], NewGroup]) -> tuple[NewGroup, ...]:
    """Read one group a line; a line that is indented further than one before it is a group under that one.

    `read` makes a group of a line without its indentation and bullet. Raises UsageError, with the `line` of several.
    """
    groups: list[NewGroup] = []
    levels: list[tuple[int, int]] = []  # indentation and index of the lines above the present one
    seen: set[tuple[int | None, str, str]] = set()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            indent, content = _indented(line)
            if not content:
                continue
            levels = _levels(levels, indent, content)
            group = read(content)
            above = levels[-1][1] if levels else None
            if above is not None and group.parent:
                raise UsageError("parent_below", part=content)
            same = (above, _parent_key(group.parent), fold(group.name))
            if same in seen:
                raise UsageError("twice", part=group.name)
            if len(groups) == MAX_GROUPS:
                raise UsageError("too_many_lines", most=str(MAX_GROUPS))
        except UsageError as error:
            error.line = number if len(_filled(text)) > 1 else None
            raise
        seen.add(same)
        levels.append((indent, len(groups)))
        groups.append(replace(group, above=above))
    return tuple(groups)


def _filled(text: str) -> list[str]:
    """Return the lines on which something stands."""
    return [line for line in text.splitlines() if len(line) > _MAX_LINE or clean(line)]


_BULLETS = "-*•◦▪‣"


def _indented(line: str) -> tuple[int, str]:
    """Return how far a line is indented, and what is on it without a bullet; more bullets are a deeper level."""
    if len(line) > _MAX_LINE:
        raise too_long(line)
    seen = (char for char in line if char.isspace() or unicodedata.category(char) not in INVISIBLE)
    expanded = "".join(" " if char.isspace() and char != "\t" else char for char in seen).expandtabs(4)
    content = expanded.lstrip(" ")
    indent = len(expanded) - len(content)
    bullets = len(content) - len(content.lstrip(_BULLETS))
    if bullets and content[bullets : bullets + 1] == " ":
        return indent + 2 * (bullets - 1), clean(content[bullets:])
    return indent, clean(content)


def _parent_key(parent: Parent) -> str:
    return f"name:{fold(parent.name)}" if isinstance(parent, ParentName) else parent.id if parent else ""


def _levels(levels: list[tuple[int, int]], indent: int, content: str) -> list[tuple[int, int]]:
    """Return the lines above one that is indented so far; it must stand below one of them or beside another."""
    above = [level for level in levels if level[0] < indent]
    if len(above) < len(levels) and levels[len(above)][0] != indent:
        raise UsageError("uneven_indent", part=content)
    return above


def _line(text: str) -> str:
    if len(text) > _MAX_LINE:
        raise too_long(text)
    return clean(text)


@dataclass(frozen=True)
class _Word:
    text: str  # without its quotes, and without the option
    typed: str
    quoted: bool
    option: str | None  # the part before "=", when there is one


def _group(line: str) -> NewGroup:
    name: list[str] = []
    parent: Parent = None
    words = _words(line)
    for index, word in enumerate(words):
        if word.option is None:
            if not word.quoted:
                _refuse_lookalike(word, words[index + 1 : index + 3])
            name.append(word.text)
            continue
        if unicodedata.normalize("NFKC", word.option).casefold() != "parent":
            raise _unknown_option(word)
        if parent is not None:
            raise UsageError("second_parent", part=word.typed)
        parent = _parent(word)
    return NewGroup(clean_name(" ".join(name)), parent)


def _parent(word: _Word) -> Parent:
    if not clean(word.text):
        raise UsageError("empty_parent", part=word.typed)
    if word.quoted:
        return ParentName(clean_name(word.text))
    if word.text[0] in "'‘’":
        raise UsageError("single_quotes", part=word.typed)
    if _EQUALS.search(word.text):
        raise UsageError("unknown_option", part=word.text, suggestion=f'"{word.text}"')
    return parent_from(word.text)


_EQUALS = re.compile("[=＝﹦]")
# Either a quoted run or a run without white space; "=" may have spaces around it, and its value may be quoted.
# What was surely meant as the option is read as one, to be refused: `parent:5`, `--parent 5`.
_OPTION = re.compile(
    rf"([^\s{_QUOTES}=＝﹦]*)\s*[=＝﹦]\s*|([{DASHES}]*parent[:：]|[{DASHES}]+parent(?=\s|$))\s*", re.IGNORECASE
)


def _words(line: str) -> list[_Word]:
    words: list[_Word] = []
    at = 0
    while at < len(line):
        if line[at] == " ":
            at += 1
            continue
        begin, option = at, _OPTION.match(line, at)
        start = option.end() if option else at
        text, quoted, at = _value(line, start)
        words.append(_Word(text, line[begin:at], quoted, option[1] or option[2] or "" if option else None))
    return words


def _value(line: str, start: int) -> tuple[str, bool, int]:
    """Return the value that begins at `start`, whether it was quoted, and where it ends."""
    if start < len(line) and line[start] in _QUOTES:
        end = _closing_quote(line, start)
        return line[start + 1 : end], True, end + 1
    end = line.find(" ", start)
    end = len(line) if end < 0 else end
    return line[start:end], False, end


def _closing_quote(line: str, start: int) -> int:
    """Find the quote that ends the word: one before a space or the end, of the opening one's kind if there is one."""
    closing = [match.start() for match in _CLOSING.finditer(line, start + 1)]
    if not closing:
        raise UsageError("unclosed_quote", part=line[start:])
    kind = '"' if line[start] == '"' else _QUOTES.replace('"', "")
    end = next((end for end in closing if line[end] in kind), closing[0])
    # Where that kind opens again before it closes, the quote was closed by one of another kind: “A" parent=“B”.
    return closing[0] if re.search(rf"[ =＝﹦][{kind}][^ ]", line[closing[0] : end]) else end


_CLOSING = re.compile(rf"[{_QUOTES}](?= |$)")


def _refuse_lookalike(word: _Word, following: list[_Word]) -> None:
    """Refuse what was surely meant as the option, rather than make it part of a name."""
    if _EQUALS.search(word.text):
        raise UsageError("unknown_option", part=word.typed, suggestion=f'"{word.typed}"')
    if unicodedata.normalize("NFKC", word.text).casefold() == "parent" and len(following) == 1:
        value = following[0].typed
        if value.isdecimal():
            raise UsageError("unknown_option", part=f"{word.typed} {value}", suggestion=f"parent={value}")


def _unknown_option(word: _Word) -> UsageError:
    option = unicodedata.normalize("NFKC", word.option or "").casefold().strip(DASHES)
    meant = difflib.get_close_matches(option, ["parent"], cutoff=0.6) or option in ("üst", "ust", "ana")
    value = f'"{word.text}"' if word.quoted else word.text or "5"
    return UsageError("unknown_option", part=word.typed, suggestion=f"parent={value}" if meant else f'"{word.typed}"')

"""The grammar of /addgroup: what somebody typed becomes a command, or a usage error that names the fault."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass

MAX_NAME = 255
"""Longest group name, in characters. The provider documents no limit; this one is the house's."""

_QUOTES = '"“”„‟'
_ZERO_WIDTH_AND_CONTROL = {"Cc", "Cf", "Cs"}
_HELP = {"help", "yardim", "?"}
_HISTORY = {"history"}


class UsageError(Exception):
    """What was typed is not a command.

    `key` names the sentence in texts/ (under `usage`), `values` fill its places; `part` among them is the
    offending part as it was typed.
    """

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values


@dataclass(frozen=True)
class ParentId:
    """A parent given by its id: digits, as text."""

    id: str


@dataclass(frozen=True)
class ParentName:
    """A parent given by its name."""

    name: str


Parent = ParentId | ParentName | None


@dataclass(frozen=True)
class NewGroup:
    """One group to create; `parent` is None for a main group."""

    name: str
    parent: Parent = None


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
    lines = [line for line in map(_clean, text.splitlines()) if line]
    if not lines:
        return OpenForm()
    if len(lines) > 1:
        raise UsageError("several_lines", part=lines[1])
    if fold(lines[0]) in _HELP:
        return Help()
    if fold(lines[0]) in _HISTORY:
        return History()
    return Create((_group(lines[0]),))


def clean_name(text: str) -> str:
    """Put a name in the form in which it is sent: NFC, single spaces, nothing invisible.

    Raises UsageError when nothing is left or when it is longer than MAX_NAME.
    """
    name = _clean(text)
    if not name:
        raise UsageError("no_name")
    if len(name) > MAX_NAME:
        raise UsageError("long_name", part=name[:40] + "…", length=str(len(name)), most=str(MAX_NAME))
    return name


def parent_from(text: str) -> ParentId | ParentName:
    """Read a parent given without quotes: digits are an id, anything else is a name. Raises UsageError."""
    number = unicodedata.normalize("NFKC", text)
    if re.fullmatch(r"[-+]?[0-9]{1,20}", number):
        if int(number) <= 0 or number.startswith("+"):
            raise UsageError("bad_parent_id", part=text)
        return ParentId(str(int(number)))
    return ParentName(clean_name(text))


def fold(name: str) -> str:
    """Return the form in which names are compared: without regard to case, and I, ı, İ and i are one letter."""
    one_i = name.translate({ord("I"): "i", ord("İ"): "i", ord("ı"): "i"})
    return _clean(unicodedata.normalize("NFC", one_i.casefold().replace("i\u0307", "i")))


def _clean(text: str) -> str:
    spaced = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFC", text))
    visible = "".join(char for char in spaced if unicodedata.category(char) not in _ZERO_WIDTH_AND_CONTROL)
    return " ".join(unicodedata.normalize("NFC", visible).split())


@dataclass(frozen=True)
class _Word:
    text: str
    quoted: bool = False
    option: str | None = None  # the part before "=", when there is one


def _group(line: str) -> NewGroup:
    name: list[str] = []
    parent: Parent = None
    words = _words(line)
    for index, word in enumerate(words):
        if word.option is None:
            if not word.quoted:
                _refuse_lookalike(word.text, words[index + 1 :])
            name.append(word.text)
            continue
        if unicodedata.normalize("NFKC", word.option).casefold() != "parent":
            raise _unknown_option(word)
        if parent is not None:
            raise UsageError("second_parent", part=_shown(word))
        parent = _parent(word)
    return NewGroup(clean_name(" ".join(name)), parent)


def _parent(word: _Word) -> Parent:
    if not _clean(word.text):
        raise UsageError("empty_parent", part=_shown(word))
    if word.quoted:
        return ParentName(clean_name(word.text))
    if word.text[0] in "'‘’":
        raise UsageError("single_quotes", part=_shown(word))
    if _EQUALS.search(word.text):
        raise UsageError("unknown_option", part=word.text, suggestion=f'"{word.text}"')
    return parent_from(word.text)


_EQUALS = re.compile("[=＝﹦]")
# Either a quoted run or a run without white space; "=" may have spaces around it, and its value may be quoted.
_OPTION = re.compile(rf"([^\s{_QUOTES}=＝﹦]*)\s*[=＝﹦]\s*")


def _words(line: str) -> list[_Word]:
    words: list[_Word] = []
    at = 0
    while at < len(line):
        if line[at] == " ":
            at += 1
            continue
        option = _OPTION.match(line, at)
        start = option.end() if option else at
        text, quoted, at = _value(line, start)
        words.append(_Word(text, quoted, option.group(1) if option else None))
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
    same_kind = '"' if line[start] == '"' else "“”"
    for closers in (same_kind, _QUOTES):
        for end in range(start + 1, len(line)):
            if line[end] in closers and line[end + 1 : end + 2] in ("", " "):
                return end
    raise UsageError("unclosed_quote", part=line[start:])


def _refuse_lookalike(word: str, following: list[_Word]) -> None:
    """Refuse what was surely meant as the option, rather than make it part of a name."""
    bare = unicodedata.normalize("NFKC", word).casefold().lstrip("-")
    value = part = ""
    if bare.startswith("parent:"):
        value, part = bare.removeprefix("parent:"), word
    elif bare == "parent" and len(following) == 1 and following[0].text.isdecimal() and not following[0].quoted:
        value, part = following[0].text, f"{word} {following[0].text}"
    elif bare == "parent" and word.startswith("-"):
        part = word
    if part:
        raise UsageError("unknown_option", part=part, suggestion=f"parent={value or '5'}")


def _unknown_option(word: _Word) -> UsageError:
    option = unicodedata.normalize("NFKC", word.option or "").casefold().lstrip("-")
    meant = difflib.get_close_matches(option, ["parent"], cutoff=0.6) or option in ("üst", "ust", "ana")
    part = _shown(word)
    return UsageError("unknown_option", part=part, suggestion=f"parent={word.text or '5'}" if meant else f'"{part}"')


def _shown(word: _Word) -> str:
    value = f'"{word.text}"' if word.quoted else word.text
    return value if word.option is None else f"{word.option}={value}"

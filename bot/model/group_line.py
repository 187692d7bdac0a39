"""One line that names a group: its name and its parent, or a usage error that says what was probably meant."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from bot.model import keywords
from bot.model.marks import FORMATS, PARTNERS, in_double_quotes, readable, unwrapped
from bot.model.names import (
    DASHES,
    Parent,
    ParentId,
    ParentName,
    UsageError,
    clean,
    clean_name,
    parent_from,
    plain_digits,
    unmarked,
)
from bot.model.words import EQUALS, Word, keyword, words_of


@dataclass(frozen=True)
class NewGroup:
    """One group to create: a main group, or under `parent`, or under the group at index `above` of the same command."""

    name: str
    parent: Parent = None
    above: int | None = None


def read_group(line: str) -> NewGroup:
    """Read the name and the parent in a line that is clean. Raises UsageError.

    The `suggestion` of an error is a whole line that makes a group as it stands.
    """
    try:
        return _group(line)
    except UsageError as error:
        raise _with_good_suggestion(error) from None


def as_name(line: str) -> str:
    """Return a line, which may be a command or a name, with its name in quotes and its option as it is."""
    try:
        group = _name_and_parent(line)
    except UsageError:
        return literally(line)
    return f"{literally(group.name)} {shown(group.parent)}".strip()


def literally(name: str) -> str:
    """Return a name in double quotes of a kind that keeps it as it is."""
    for pair in ('""', "“”", "„“"):
        quoted = pair[0] + name + pair[1]
        try:
            if _group(quoted).name == clean(name):
                return quoted
        except UsageError:
            continue
    return f'"{name}"'


def _with_good_suggestion(error: UsageError) -> UsageError:
    """Return an error whose suggestion is understood; where that would be a mistake too, the next one's error."""
    for _ in range(10):
        suggestion = error.values.get("suggestion")
        if suggestion is None:
            return error
        try:
            _group(suggestion)
        except UsageError as following:
            if "suggestion" not in following.values:
                return following
            error.values["suggestion"] = following.values["suggestion"]
        else:
            if keywords.means_something(suggestion):
                error.values["suggestion"] = literally(suggestion)
            return error
    return UsageError("no_name")


def _group(line: str) -> NewGroup:
    line = unwrapped(line, FORMATS)
    keywords.refuse_commands(line, as_name)
    return _name_and_parent(line)


def _name_and_parent(line: str) -> NewGroup:
    words = words_of(readable(line))
    _refuse_quoted_command(line, words)
    parent: Parent = None
    for place, word in enumerate(words):
        if not word.is_option:
            if not word.quoted:
                _refuse_lookalike(words, place)
        elif not word.is_parent:
            raise _unknown_option(words, place)
        elif parent is not None:
            raise UsageError("second_parent", part=word.typed)
        else:
            parent = _parent(words, place)
    return NewGroup(_name(words), parent)


def _name(words: list[Word]) -> str:
    """Return the name: the words that are no option, without marks around the whole and separators at the option."""
    parts: list[str] = []
    for place, word in enumerate(words):
        if word.is_option:
            continue
        text = word.text
        if not word.quoted and _option_at(words, place + 1):
            text = "" if text in _SEPARATORS else text.rstrip(",;|")
        if not word.quoted and _option_at(words, place - 1):
            text = "" if text in _SEPARATORS else text.lstrip(",;|")
        parts += [text] if text else []
    named = [word for word in words if not word.is_option]
    if any(word.quoted for word in named):
        return clean_name(" ".join(parts))
    name = unwrapped(" ".join(parts))
    return clean_name(name[1:-1] if in_double_quotes(name) else name)


_SEPARATORS = {*DASHES, *",;:|/→•·"}
_LINKS = {"with", "and", "ve", "ile"}


def _option_at(words: list[Word], place: int) -> bool:
    return 0 <= place < len(words) and words[place].is_option


def _parent(words: list[Word], place: int) -> Parent:
    """Read what a parent is given by: digits in any dress are an id, what is in double quotes is a name."""
    word = words[place]
    before = words[place - 1] if place else None
    if before and not before.quoted and keyword(before.text) in _LINKS and place > 1:
        part = f"{before.typed} {word.typed}"
        raise UsageError("unknown_option", part=part, suggestion=_typed(words, place - 1, 2, word.typed))
    if not clean(word.text):
        raise UsageError("empty_parent", part=word.typed)
    if word.quoted:
        return ParentName(clean_name(word.text))
    if number := _ID.fullmatch(plain_digits(word.text)):
        return parent_from(number[1])
    following = words[place + 1].text if place + 1 < len(words) else ""
    dressed = _DRESSED_ID.fullmatch(unmarked(word.text))
    if dressed and (dressed[1] or following.isdecimal()):
        part, count = (word.typed, 1) if dressed[1] else (f"{word.typed} {following}", 2)
        suggestion = _typed(words, place, count, f"parent={dressed[1] or following}")
        raise UsageError("unknown_option", part=part, suggestion=suggestion)
    if EQUALS.search(word.text):
        suggestion = _typed(words, place, 1, f"parent={literally(word.text)}")
        raise UsageError("unknown_option", part=word.typed, suggestion=suggestion)
    return parent_from(word.text.rstrip(",;") or word.text)


_ID = re.compile(r"[#(\[{<:]*([0-9]+)[)\]}>.,;:]*")
_DRESSED_ID = re.compile(r"(?:id|no|nr|№|#|grup|group)?[ :=#.]*([0-9]*)['\"*_~`]?")


def _typed(words: list[Word], place: int, count: int, instead: str) -> str:
    """Return the line with something else in place of `count` words."""
    typed = [word.typed for word in words]
    return " ".join(part for part in [*typed[:place], instead, *typed[place + count :]] if part)


def _refuse_quoted_command(line: str, words: list[Word]) -> None:
    """Refuse a line with an option that stands in single quotes as a whole: 'VIP parent=5'."""
    inner = unwrapped(line)
    if inner != line and line[0] in PARTNERS and any(word.is_option for word in words):
        raise UsageError("unknown_option", part=line, suggestion=inner)


def _refuse_lookalike(words: list[Word], place: int) -> None:
    """Refuse what was surely meant as the option, rather than make it part of a name."""
    word = words[place]
    if EQUALS.search(word.text):
        suggestion = _typed(words, place, 1, literally(word.typed))
        raise UsageError("unknown_option", part=word.typed, suggestion=suggestion)
    rest = words[place:]
    if any(other.quoted or other.is_option for other in rest[:6]) or len(rest) > 6:
        return
    part = " ".join(other.typed for other in rest)
    found = _PHRASE.fullmatch(unmarked(part))
    if found and (place or found["key"] in ("parent", "ust", "ebeveyn")):
        suggestion = _typed(words, place, len(rest), f"parent={found['id']}")
        raise UsageError("unknown_option", part=part, suggestion=suggestion)


_PHRASE = re.compile(
    r"[(\[]?(?P<key>parent|ust|ebeveyn|ana|under|altinda|altina)(?: ?(?:group|grup|grubu|id|no))*"
    r"[ :#>-]*(?P<id>[0-9]+)[)\]]?"
)


def _unknown_option(words: list[Word], place: int) -> UsageError:
    """Return the error for an option that is not `parent=`, with what was probably meant."""
    word = words[place]
    key = unmarked(word.option).strip(f"{DASHES}([{{<,;.")
    start = place
    if place and key in _GROUP_WORDS and unmarked(words[place - 1].text).strip("([{<") in _PARENT_WORDS:
        start, key = place - 1, "parent"
    count = place - start + 1
    part = " ".join(other.typed for other in words[start : place + 1])
    number = _ID.fullmatch(plain_digits(word.text))
    if _means_parent(key) or (key in _GROUP_WORDS and number):
        if not word.value:
            return UsageError("empty_parent", part=part)
        value = number[1] if number and not word.quoted else word.value
        return UsageError("unknown_option", part=part, suggestion=_typed(words, start, count, f"parent={value}"))
    if key in _NAME_WORDS and word.text:
        return UsageError("unknown_option", part=part, suggestion=_typed(words, place, 1, literally(word.text)))
    return UsageError("unknown_option", part=part, suggestion=_typed(words, place, 1, literally(word.typed)))


_PARENT_WORDS = {"parent", "ust", "ana", "ebeveyn", "under", "parentid", "parent_id", "parent-id", "parentgroup"}
_PARENT_WORDS |= {"ustgrup", "ust_grup", "ust-grup", "anagrup", "ana_grup", "ana-grup", "altinda"}
_GROUP_WORDS = {"grup", "grubu", "group", "id", "no"}
_NAME_WORDS = {"name", "ad", "adi", "isim", "title", "baslik"}


def _means_parent(key: str) -> bool:
    return key in _PARENT_WORDS or bool(difflib.get_close_matches(key, ["parent"], cutoff=0.6))


def shown(parent: Parent) -> str:
    """Return a parent as the option that gives it."""
    match parent:
        case ParentId(id=identifier):
            return f"parent={identifier}"
        case ParentName(name=name):
            return f"parent={literally(name)}"
        case _:
            return ""

"""One line that names a group: its name and its parent, or a usage error that says what was probably meant."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.model import keywords
from bot.model.columns import is_list, refuse_several
from bot.model.marks import FORMATS, PARTNERS, QUOTES, in_double_quotes, readable, unwrapped
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
from bot.model.options import GIVEN_ID, unknown_option
from bot.model.phrases import end_of_path, find_phrase
from bot.model.words import EQUALS, Word, keyword, replaced, typed, words_of


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
        return _in_quotes(line)
    return f"{_in_quotes(group.name)} {shown(group.parent)}".strip()


def literally(name: str) -> str:
    """Return a name in double quotes of a kind that keeps it as it is."""
    return _kept(name) or f'"{name}"'


def _in_quotes(name: str) -> str:
    """Return a name in double quotes for a suggestion: without quotes in it where no kind keeps them."""
    return _kept(name) or literally(re.sub(f"[{QUOTES}]", "", name).strip() or name)


def _kept(name: str) -> str:
    """Return a name in the double quotes that keep it as it is; "" when none do."""
    for pair in ('""', "“”", "„“"):
        quoted = pair[0] + name + pair[1]
        try:
            words = words_of(readable(quoted))
            refuse_several(quoted, words)
        except UsageError:
            continue
        if len(words) == 1 and words[0].quoted and clean(words[0].text) == clean(name):
            return quoted
    return ""


def _with_good_suggestion(error: UsageError) -> UsageError:
    """Return an error whose suggestion is understood; where that would be a mistake too, the next one's error."""
    for _ in range(10):
        suggestion = error.values.get("suggestion")
        if suggestion is None:
            return error
        if following := _mistake(suggestion):
            if "suggestion" not in following.values:
                return following
            error.values["suggestion"] = following.values["suggestion"]
        else:
            bulleted = not suggestion[0].isalnum() and suggestion[0] not in QUOTES
            if bulleted or keywords.means_something(suggestion):
                error.values["suggestion"] = as_name(suggestion)
            forms = [error.values[form] for form in ("suggestion", "quoted") if form in error.values]
            return next(filter(None, map(_mistake, forms)), error)
    return UsageError("no_name")


def _mistake(line: str) -> UsageError | None:
    try:
        _group(line)
    except UsageError as error:
        return error
    return None


def _group(line: str) -> NewGroup:
    line = unwrapped(line, FORMATS)
    keywords.refuse_commands(line, as_name)
    return _name_and_parent(line)


def _name_and_parent(line: str) -> NewGroup:
    words = words_of(readable(line))
    _refuse_quoted_command(line, words)
    refuse_several(line, words)
    _refuse_list(line, words)
    parent: Parent = None
    for place, word in enumerate(words):
        if not word.is_option:
            if EQUALS.search(word.text) and not word.quoted:
                suggestion = replaced(words, place, 1, _in_quotes(word.typed))
                raise UsageError("unknown_option", part=word.typed, suggestion=suggestion)
        elif not word.is_parent:
            raise unknown_option(words, place, _in_quotes)
        elif parent is not None:
            raise UsageError("second_parent", part=word.typed)
        else:
            parent = _parent(words, place)
            if isinstance(parent, ParentName):
                _refuse_open_parent(words, place)
    _refuse_phrase(words, parent)
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
        raise UsageError("unknown_option", part=part, suggestion=replaced(words, place - 1, 2, word.typed))
    if not clean(word.text):
        raise UsageError("empty_parent", part=word.typed)
    if word.quoted:
        return ParentName(clean_name(word.text))
    if number := GIVEN_ID.fullmatch(plain_digits(word.text)):
        return parent_from(number[1])
    following = words[place + 1].text if place + 1 < len(words) else ""
    dressed = _DRESSED_ID.fullmatch(unmarked(word.text))
    if dressed and (dressed[1] or following.isdecimal()):
        part, count = (word.typed, 1) if dressed[1] else (f"{word.typed} {following}", 2)
        suggestion = replaced(words, place, count, f"parent={dressed[1] or following}")
        raise UsageError("unknown_option", part=part, suggestion=suggestion)
    if EQUALS.search(word.text):
        suggestion = replaced(words, place, 1, f"parent={_in_quotes(word.text)}")
        raise UsageError("unknown_option", part=word.typed, suggestion=suggestion)
    return parent_from(word.text.rstrip(",;") or word.text)


_DRESSED_ID = re.compile(r"(?:id|no|nr|№|#|grup|group)?[ :=#.]*([0-9]*)['\"*_~`]?")


def _refuse_quoted_command(line: str, words: list[Word]) -> None:
    """Refuse a line with an option that stands in single quotes as a whole: 'VIP parent=5'."""
    inner = unwrapped(line)
    if inner != line and line[0] in PARTNERS and any(word.is_option for word in words):
        raise UsageError("unknown_option", part=line, suggestion=inner)


def _refuse_list(line: str, words: list[Word]) -> None:
    """Refuse a line that lists names. Raises UsageError."""
    if is_list(words):
        name, options = typed([word for word in words if not word.is_option]), [w.typed for w in words if w.is_option]
        raise UsageError("listed", part=line, suggestion=" ".join([_in_quotes(name), *options]))


def _refuse_open_parent(words: list[Word], place: int) -> None:
    """Refuse a parent's name without quotes that may go on in the next words: Altın parent=VIP Müşteriler."""
    word, before, after = words[place], words[:place], words[place + 1 :]
    after = [other for other in after if other.text not in _SEPARATORS]
    if word.quoted or word.value[:1] in PARTNERS or not after or any(other.is_option for other in [*before, *after]):
        return
    name = typed(before)
    if any(other.text not in _SEPARATORS for other in before):
        longer = end_of_path(" ".join([word.text, *(other.text for other in after)]))
        raise UsageError("parent_quotes", part=word.typed, suggestion=f"{name} {_option(longer)}")
    if len(after) > 1:
        longer = " ".join([word.text, *(other.text for other in after[:-1])])
        shorter = _in_quotes(" ".join(other.text for other in after))
        last = f"parent={_in_quotes(longer)} {after[-1].typed}"
        raise UsageError("parent_end", part=word.typed, suggestion=f"{shorter} {word.typed}", quoted=last)


def _refuse_phrase(words: list[Word], parent: Parent) -> None:
    """Refuse a parent in words or as a path, rather than make it part of a name."""
    phrase = find_phrase(words)
    if not phrase:
        return
    if parent:
        raise UsageError("second_parent", part=phrase.part)
    suggestion = f"{phrase.name} {_option(phrase.parent)}".strip()
    raise UsageError("parent_words", part=phrase.part, suggestion=suggestion, quoted=_in_quotes(typed(words)))


def _option(parent: str) -> str:
    plain = re.fullmatch(r"[\w.&'’-]+", parent)
    return f"parent={parent if plain else _in_quotes(parent)}"


def shown(parent: Parent) -> str:
    """Return a parent as the option that gives it."""
    match parent:
        case ParentId(id=identifier):
            return f"parent={identifier}"
        case ParentName(name=name):
            return f"parent={literally(name)}"
        case _:
            return ""

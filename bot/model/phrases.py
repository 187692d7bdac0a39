"""A parent given in words or as a path: VIP under Customers, Müşteriler altında VIP, Customers › VIP."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.model.names import DASHES, clean, unmarked
from bot.model.words import Word, typed


@dataclass(frozen=True)
class Phrase:
    """What was probably meant: a group called `name` under `parent`.

    `part` is what names the parent, as it was typed. `name` may be "".
    """

    part: str
    name: str
    parent: str


def end_of_path(text: str) -> str:
    """Return the last name of a path, which is another text's whole."""
    return re.split(r" ?› ?", text)[-1] or text


def find_phrase(words: list[Word]) -> Phrase | None:
    """Return the parent that words without `parent=` seem to name, or None.

    Where `parent=` is given as well, only a path counts: with an option, "Kids under Customers" is a name.
    """
    plain = [word for word in words if not word.is_option]
    if path := _path(plain):
        return path
    if len(plain) < len(words) or len(words) < 2:
        return None
    keys = [_key(word) for word in words]
    for place in range(len(words)):
        if found := _number(words, place) or _before_parent(words, keys, place) or _behind_parent(words, keys, place):
            return found
    return _at_the_end(words, keys)


def _key(word: Word) -> str:
    return "" if word.quoted else unmarked(word.text).strip(f"()[]{{}}<>,;:|→{DASHES}")


# Paths, as the bot itself shows them.

_ARROW = re.compile(r" ?[›→➔➜⟶] ?| [»>＞] | ?(?:-+|–|—)[>＞] ?|(?<=[^\W\d_])[>＞](?=[^\W\d_])")
_TAIL = re.compile(rf" ?[{DASHES},(] ?ID:? ?\d+\)?$", re.IGNORECASE)


def _path(words: list[Word]) -> Phrase | None:
    """Read `Acme › VIP`. "Age > 18" compares, and "R&D <all>" has brackets: these are names."""
    marked = "".join(f" {' ' * len(word.typed) if word.quoted else word.typed}" for word in words)[1:]
    line = typed(words)
    if "<" in marked or not _ARROW.search(marked):
        return None
    arrows = list(_ARROW.finditer(marked))
    starts, ends = [0, *(arrow.end() for arrow in arrows)], [*(arrow.start() for arrow in arrows), len(line)]
    parts = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
    if not all(map(clean, parts[-2:])) or re.match(r"[\d≥≤+$€₺%-]", parts[-1]):
        return None
    return Phrase(line[starts[-2] : starts[-1]].strip(), _TAIL.sub("", parts[-1]), parts[-2])


# A parent's id in words. Here "üst" and "ana" alone will do, which before a word are adjectives: Üst Yönetim.

_NUMBER = re.compile(
    r"[(\[]?(?P<key>parent|ust|ebeveyn|ana|under|altinda|altina)(?: ?(?:group|grup|grubu|id|no))*"
    r"[ :#>-]*(?P<id>[0-9]+)[)\]]?"
)
_OWN_ID = re.compile(rf"(?:[{DASHES}] ?|[(\[])id[ :#]*(?P<id>[0-9]+)[)\]]?")
_AGED = {"kids", "children", "boys", "girls", "youth", "juniors", "teens", "players", "students", "people", "adults"}
_AGED |= {"age", "ages", "aged", "women", "men", "members"}


def _number(words: list[Word], place: int) -> Phrase | None:
    """Read `under 5` at the end of a line, and `— ID 5` as the bot's lists show it; "Kids under 12" is an age."""
    rest = words[place:]
    if len(rest) > 6 or any(word.quoted for word in rest):
        return None
    before, part = words[:place], typed(rest)
    found = _NUMBER.fullmatch(unmarked(part))
    if found and found["key"] == "under" and before and _key(before[-1]) in _AGED and len(found["id"]) < 3:
        return None
    if found and (place or found["key"] in ("parent", "ust", "ebeveyn")):
        return Phrase(part, _name(before), found["id"])
    found = _OWN_ID.fullmatch(unmarked(part)) if place else None
    return Phrase(part, _name(before), found["id"]) if found else None


# A parent's name in words behind the group's: VIP under Customers.

_LINK = re.compile(
    r"(?:parent|ebeveyn|(?:parent|ust|ana|ebeveyn) ?(?:group|grup|grubu))(?: (?:name|id|no|adi))?"
    r"|under(?:neath)?|beneath|below|(?:child|subgroup|sub-group|sub group) of"
)
_LINK_WITH_COLON = re.compile(r"ust|ana")
_GROUP = {"group", "groups", "grup", "grubu", "grubunun", "gruplari"}
_BETWEEN = {"with", "and", "ve", "ile", "as", "a", "an", "the", "is", "its", "whose", "with its", "to", ""}
_NO_PARENT = {"contract", "construction", "review", "warranty", "control", "pressure", "age", "way", "development"}
_NO_PARENT |= {"investigation", "maintenance", "consideration", "observation", "treatment", "notice", "average"}
_NO_PARENT |= {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"}
_NO_PARENT |= {"thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "twenty", "thirty", "forty"}
_NO_PARENT |= {"fifty", "sixty"}
_UNITS = {"years", "year", "yrs", "yo", "kg", "km", "eur", "euro", "euros", "usd", "dollars", "tl", "lira", "percent"}
_UNITS |= {"yas", "gun", "ay", "yil", "adet", "kilo", "metre", "derece"}


def _before_parent(words: list[Word], keys: list[str], place: int) -> Phrase | None:
    for count in (3, 2, 1):
        link, value = " ".join(keys[place : place + count]), words[place + count :]
        colon = words[place + count - 1].typed.endswith((":", "：")) if value else False
        if not value or not (_LINK.fullmatch(link) or (colon and _LINK_WITH_COLON.fullmatch(link))):
            continue
        if _is_measure(keys, place, count) or set(keys[place + count :]) <= _GROUP:
            return None
        if place:
            return Phrase(typed(words[place:]), _name(words[:place]), _parent(value))
        if colon:  # üst grup: Müşteriler VIP
            return Phrase(typed(words[: count + 1]), typed(value[1:]), _parent(value[:1]))
    return None


def _is_measure(keys: list[str], place: int, count: int) -> bool:
    """Tell whether "under" or "below" stands before what no group is called: under five, under 12s, below 100 TL."""
    link, value = keys[place], keys[place + count :]
    if link not in ("under", "below", "beneath"):
        return False
    if value[0] in _NO_PARENT or re.fullmatch(r"\d+'?s", value[0]):
        return True
    number = re.match(r"[$€₺%]?\d", value[0]) is not None
    aged = place > 0 and keys[place - 1] in _AGED
    return number and (link != "under" or aged or bool(_UNITS & set(value[1:2])) or not value[0].isdecimal())


# A parent's name before the group's, as Turkish has it.


def _behind_parent(words: list[Word], keys: list[str], place: int) -> Phrase | None:
    if keys[place] not in ("altina", "altinda", "grubuna") or not 0 < place < len(words) - 1:
        return None
    if keys[place - 1] in _UNITS:  # an age or a price
        return None
    return Phrase(typed(words[: place + 1]), typed(words[place + 1 :]), _parent(words[:place]))


def _at_the_end(words: list[Word], keys: list[str]) -> Phrase | None:
    """Read `Altın VIP altına`: a direction has no other meaning."""
    if keys[-1] not in ("altina", "grubuna") or len(words) < 3:
        return None
    start = -3 if len(words) > 3 and keys[-2] in _GROUP else -2
    return Phrase(typed(words[start:]), _name(words[:start]), _parent(words[start:-1]))


def _name(words: list[Word]) -> str:
    """Return the words of a name without what leads over to the parent."""
    while len(words) > 1 and (_key(words[-1]) in _BETWEEN and not words[-1].quoted):
        words = words[:-1]
    text = re.sub(r"\s+grubunu$", "", typed(words), flags=re.IGNORECASE)
    return text if words and words[-1].quoted else text.rstrip(f" ,;:|([{{{DASHES}") or text


def _parent(words: list[Word]) -> str:
    """Return the words of a parent's name without articles, the word group and Turkish endings."""
    while len(words) > 1 and _key(words[0]) in _BETWEEN and not words[0].quoted:
        words = words[1:]
    if len(words) > 1 and _key(words[-1]) in _GROUP:
        words = words[:-1]
    if words[-1].quoted:
        return " ".join(word.text for word in words)
    text = _TAIL.sub("", " ".join(word.text for word in words)).strip(" ()[]{}<>,;:|") or typed(words)
    return re.sub(r"(?<=\w)['’]n?[ıiuü]n$|(?<=l[ae]r)[ıi]n$", "", text)

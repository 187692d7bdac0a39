"""Names: as they are sent, compared and quoted; and the groups that have them, as parents and in the account."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MAX_NAME = 255
"""Longest group name, in characters as `clean` leaves them. The provider documents no limit; it is the house's."""

BLANKS = "\u115f\u1160\u2800\u3164\uffa0"  # letters and a symbol that are drawn as nothing
# Default_Ignorable_Code_Point, https://www.unicode.org/Public/16.0.0/ucd/DerivedCoreProperties.txt
_HIDDEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Controls that are no space, half a pair, and what is no character at all.
_NO_CHARACTER = re.compile("[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
# What a word or an emoji may need inside: joiners, selectors, and the tags of a region's flag.
_JOINING = "\u180b-\u180f\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef"
_GOES = re.compile(f"[{_HIDDEN}\ufff9-\ufffc]")
_GOES_ELSEWHERE = re.compile(f"(?![{_JOINING}]){_GOES.pattern}")
_EUROPEAN = re.compile(f"[\0-\u058f{_HIDDEN}]*")  # scripts whose words need no joiners
_IGNORED = re.compile(f"(?![\U000e0020-\U000e007f])[{_HIDDEN}]")
_WIDTHS = re.compile("[\uff01-\uffee\ufb00-\ufb06\u2160-\u217f]+")  # another width, ligatures, numerals
_LOOKS = str.maketrans("Iİı‘’‚‛ʼ`´“”„‟‐‑‒–—−", "iii" + "'" * 7 + '"' * 4 + "-" * 6)


@dataclass(frozen=True)
class ParentId:
    """A parent given by its id: digits, as text."""

    id: str


@dataclass(frozen=True)
class ParentName:
    """A parent given by its name."""

    name: str


Parent = ParentId | ParentName | None

BETWEEN = " › "
"""Stands between the names of a path."""


@dataclass(frozen=True, slots=True)
class Group:
    """One contact group, as the provider knows it. Ids are text; `parent` is the parent's id, "" for a main group."""

    id: str
    name: str
    parent: str = ""


def clean(text: str) -> str:
    """Return a text as it is sent: in NFC, with single spaces, nothing invisible but joiners where words need them."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = unicodedata.normalize("NFC", _NO_CHARACTER.sub("", text).translate(dict.fromkeys(map(ord, BLANKS), " ")))
    goes = _GOES if _EUROPEAN.fullmatch(text) else _GOES_ELSEWHERE
    return " ".join(unicodedata.normalize("NFC", goes.sub("", text)).split())


def is_seen(name: str) -> bool:
    """Tell whether anything of a name can be seen by itself."""
    return any(unicodedata.category(c)[0] not in "MZ" and c not in BLANKS and not _IGNORED.match(c) for c in name)


@lru_cache(maxsize=1024)
def fold(name: str) -> str:
    """Return the form in which names are compared: those that look the same are the same.

    Case does not count, I, ı, İ and i are one letter, and neither do invisible characters, the width or shape of a
    letter (`ＶＩＰ`, ﬁ), or which apostrophe, quotation mark or dash a keyboard makes. `m²` is not `m2`.
    """
    looks = _WIDTHS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), _IGNORED.sub("", clean(name)))
    looks = unicodedata.normalize("NFC", looks.translate(_LOOKS).casefold())
    return clean(re.sub("i\u0307+", "i", looks).translate(_LOOKS))


@lru_cache(maxsize=1024)
def unmarked(name: str) -> str:
    """Return the form of `fold` without marks on letters, for what is typed on another keyboard: musteri."""
    letters = unicodedata.normalize("NFD", fold(name))
    return clean("".join(char for char in letters if unicodedata.category(char) != "Mn"))


# Quotes, which keep words as they are.

_PAIRS = (('"', '"'), ("“", "”"), ("«", "»"), ("„", "‟"), ("＂", "＂"))
_MARKS = "".join(dict.fromkeys("".join(map("".join, _PAIRS))))
QUOTED = "|".join([*(f"{a}[^{a}{b}]*{b}(?![\\w{_MARKS}])" for a, b in _PAIRS), f"[{_MARKS}][^{_MARKS}]*[{_MARKS}]"])
"""A pattern: a text in a pair of quotes, in which other quotes may stand, or between any two quotes."""


def inside(text: str) -> str | None:
    """Return what stands in the quotes around the whole of a text, None where there are none."""
    return text[1:-1] if len(text) > 1 and re.fullmatch(QUOTED, text) else None


def quoted(name: str) -> str:
    """Return a name in quotes that it does not hold itself."""
    one, two = next((pair for pair in _PAIRS if pair[0] not in name and pair[1] not in name), _PAIRS[0])
    return f"{one}{name}{two}"

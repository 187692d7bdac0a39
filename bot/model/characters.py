"""Characters that leave no mark on a screen: which go, which are spaces, and which belong to a word or an emoji."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import takewhile

IGNORABLE = (
    *((0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)),
    *((0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
"""First and last of the code points with Default_Ignorable_Code_Point, 4174 in all, of Unicode 16.

Source: https://www.unicode.org/Public/16.0.0/ucd/DerivedCoreProperties.txt
"""

BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and a symbol that are drawn as nothing: the Hangul fillers and the empty braille pattern."""

_JOINERS = "\u180e\u200c\u200d"
_SELECTORS = (*range(0x180B, 0x180E), 0x180F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))
_IN_CONTEXT = frozenset([*map(ord, _JOINERS), *_SELECTORS, *range(0xE0000, 0xE0080)])
# Scripts whose letters join or change beside a joiner or a selector: Arabic to Myanmar, Khmer, Mongolian, and so on.
_JOINING = (
    *((0x600, 0x109F), (0x1780, 0x18AF), (0x1900, 0x1CFF), (0xA800, 0xAAFF), (0xABC0, 0xABFF)),
    *((0xFB50, 0xFDFF), (0xFE70, 0xFEFE), (0x10A00, 0x11FFF), (0x1E900, 0x1E95F)),
)
_MOST_MARKS = 30  # on one letter, as in https://www.unicode.org/reports/tr15/#Stream_Safe_Text_Format
_IDEOGRAPHS = ((0x2E80, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
# A flag of a region is a black flag and its letters as tags: https://www.unicode.org/reports/tr51/#emoji_tag_sequence
_TAGS = re.compile("(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f)|[\U000e0000-\U000e007f]+")


def ignorable(code: int) -> bool:
    """Tell whether a code point shows nothing of its own where it is not supported."""
    return _within(code, IGNORABLE)


def visible(text: str) -> bool:
    """Tell whether anything of a text can be seen: more than spaces, marks without a letter and format characters."""
    return any(_shows(char) for char in text)


def cleaned(text: str) -> str:
    """Return a text in NFC with single spaces and without what leaves no mark."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    text = unicodedata.normalize("NFC", text.translate(_PLAIN))
    if not _IN_CONTEXT.isdisjoint(map(ord, text)):
        text = unicodedata.normalize("NFC", _TAGS.sub(r"\1", text))
        text = unicodedata.normalize("NFC", _without_loose(text))
    return " ".join(text.split())


class _Plain(dict[int, str]):
    """What becomes of a character wherever it stands: white space and blanks are spaces, what is never seen goes."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if char.isspace() or char in BLANKS:
            self[code] = " "
        elif unicodedata.category(char) in ("Cc", "Cs") or (ignorable(code) and code not in _IN_CONTEXT):
            self[code] = ""
        else:
            self[code] = "" if _no_character(code) else char
        return self[code]


_PLAIN = _Plain()


def _without_loose(text: str) -> str:
    """Return a text without the joiners and selectors that do nothing where they stand."""
    kept: list[str] = []
    for place, char in enumerate(text):
        following = text[place + 1 : place + 2]
        if char in _JOINERS and not _joins(kept, char, following):
            continue
        if ord(char) in _SELECTORS and not _selects(kept, following):
            continue
        kept.append(char)
    return "".join(kept)


def _joins(kept: list[str], joiner: str, following: str) -> bool:
    """Tell whether a joiner does something after what is kept.

    Source: the contextual rules of https://www.rfc-editor.org/rfc/rfc5892#appendix-A.1, and emoji sequences.
    """
    before = kept[-1] if kept else " "
    if before == " " or before in _JOINERS:
        return False
    if any(unicodedata.combining(mark) == 9 for mark in _marks(kept)):  # a virama
        return True
    if following in ("", " ") or ord(following) in _IN_CONTEXT:
        return False
    base = _base(kept)
    if joiner == "\u200d" and _pictograph(base):
        return _pictograph(following)
    return _within(ord(base), _JOINING) and (joiner == "\u200d" or _within(ord(following), _JOINING))


def _selects(kept: list[str], following: str) -> bool:
    """Tell whether a variation selector has something before it of which there are variants."""
    if not kept or ord(kept[-1]) in _IN_CONTEXT:
        return False
    base = _base(kept)
    if base in "0123456789#*":
        return following == "\u20e3"  # a keycap
    return _pictograph(base) or base in "‼⁉〰" or _within(ord(base), (*_JOINING, *_IDEOGRAPHS))


def _base(kept: list[str]) -> str:
    """Return the letter or picture to which the last characters belong."""
    return next((char for char in kept[: -_MOST_MARKS - 1 : -1] if not _hangs(char)), " ")


def _marks(kept: list[str]) -> Iterator[str]:
    """Yield the marks at the end, whose order is not fixed yet."""
    return takewhile(unicodedata.combining, kept[: -_MOST_MARKS - 1 : -1])


def _hangs(char: str) -> bool:
    """Tell whether a character belongs to the one before it: a mark, a selector, a tag, the tone of a skin."""
    return unicodedata.category(char)[0] == "M" or ord(char) in _IN_CONTEXT or "\U0001f3fb" <= char <= "\U0001f3ff"


def _pictograph(char: str) -> bool:
    code = ord(char)
    return 0x1F000 <= code <= 0x1FBFF or (code >= 0xA9 and unicodedata.category(char) in ("So", "Sm"))


def _shows(char: str) -> bool:
    code, category = ord(char), unicodedata.category(char)
    return not (category[0] in "MZ" or category in ("Cc", "Cs") or char in BLANKS or ignorable(code) or _no_mark(code))


def _no_mark(code: int) -> bool:
    return 0xFFF9 <= code <= 0xFFFB or 0x13430 <= code <= 0x1343F or _no_character(code)


def _no_character(code: int) -> bool:
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)

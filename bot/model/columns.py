"""Several names or columns in one line: rows of a spreadsheet, quoted names beside each other, and lists."""

from __future__ import annotations

import re

from bot.model.marks import FORMATS, PARTNERS, QUOTES
from bot.model.names import UsageError, clean
from bot.model.words import Word

_OPTION = re.compile(
    rf"[\s,;|(\[]*\bparent\s*[:=＝﹦]+\s*(?:[{QUOTES}][^{QUOTES}]*[{QUOTES}]|[^\s,;|]*)[\s,;|)\]]*", re.IGNORECASE
)
_COMMA = re.compile(r",\s|(?<=[^\W\d_]),(?=[^\W\d_])")
_LISTED = re.compile(
    "|".join(
        [
            r"\w;\s\S",  # VIP; Gold
            r"\w,?\s[•◦▪‣]\s\w",  # VIP • Gold
            r"\w,\s[-*]\s\w",  # VIP, - Gold
            r"\w,\s\w.*\w\s(?:and|ve)\s\w",  # VIP, Gold and Silver
            r"\s2\)\s\S",  # VIP 2) Gold, whose first number was a bullet
            r"^1\.\s.*\s2\.\s.*\s3\.\s\S",  # 1. VIP 2. Gold 3. Silver; but 1. Etap 2. Faz may be one name
        ]
    ),
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&#?\w+;")
_QUOTED = re.compile(rf"[{QUOTES}][^{QUOTES}]*[{QUOTES}]")
_SINGLE = re.escape("".join(mark for mark in PARTNERS if mark not in FORMATS) + "`")


def has_columns(typed: str) -> bool:
    """Tell whether a line, without its indentation and bullet, is a row: VIP⇥Customers, VIP;Customers, | VIP | 5 |.

    Quotes keep what they hold, and white space may stand around the option.
    """
    text = _QUOTED.sub("q", _OPTION.sub(" ", typed) if "=" in typed or ":" in typed else typed).strip()
    if typed[:1] in QUOTES and typed.rstrip()[-1:] in QUOTES:
        return False  # quotes keep what they hold; of two names in quotes it is told that they are two
    cells = [cell for cell in text.split("\t") if clean(cell)]
    bars = len(text) > 2 and text[0] == text[-1] == "|"
    return len(cells) > 1 or bars or re.search(r"\w;\w", _ENTITY.sub("&", text)) is not None


def is_table(lines: list[str]) -> bool:
    """Tell whether all of several lines have as many bars, or as many commas without a space behind them."""
    texts = [_QUOTED.sub("q", line) for line in lines]
    for separator in (r" \| ?", r"(?<=[^\W_]),(?=[^\W\d_])"):
        counts = {len(re.findall(separator, text)) for text in texts}
        if len(texts) > 1 and len(counts) == 1 and counts != {0}:
            return True
    return False


def refuse_several(line: str, words: list[Word]) -> None:
    """Refuse a line with two names in quotes. Raises UsageError."""
    names = [word for word in words if not word.is_option]
    quoted = [word for word in names if word.quoted and clean(word.text)]
    inside = any(re.search(_between(word.typed[0]), word.text) for word in quoted)
    single = rf"[{_SINGLE}][^{_SINGLE}]+[{_SINGLE}]"
    if len(quoted) > 1 or inside or re.fullmatch(rf"{single}(?:\s*[,;]\s*{single})+[,;]?", line):
        raise UsageError("one_name", part=line)


def _between(opening: str) -> str:
    """Return what stands between two names in quotes of one kind."""
    kind = '"' if opening == '"' else QUOTES.replace('"', "")
    return rf"[{kind}]\s?[,;:+/|&]\s?[{kind}]"


def is_list(words: list[Word]) -> bool:
    """Tell whether a line lists names: VIP; Gold or VIP, Gold and Silver or 1) VIP 2) Gold or VIP • Gold.

    Two with a comma between them may be one name: Berlin, Germany.
    """
    text = " ".join("q" if word.quoted else _ENTITY.sub("&", word.text) for word in words if not word.is_option)
    items = [item for item in _COMMA.split(text) if re.search(r"\w", item)]
    return len(items) > 2 or _LISTED.search(text) is not None

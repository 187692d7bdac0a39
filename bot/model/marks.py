"""Pairs of marks around a value, and mentions and links as Slack writes them: what of them is not part of a name."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.model.names import UsageError, clean

QUOTES = '"“”„‟＂'
"""Double quotes: what stands between them is taken as it is."""

FORMATS = "`*_~"
"""Marks that Slack formats with, each its own partner."""

_SINGLE = {"'": "'’", "‘": "’‘'", "’": "’‘", "‚": "‘’'", "‛": "’", "´": "´", "`": "´"}
_SINGLE |= {"«": "»", "»": "«", "‹": "›", "›": "‹", "「": "」", "『": "』"}
PARTNERS = {mark: mark + _SINGLE.get(mark, "") for mark in FORMATS} | {k: v for k, v in _SINGLE.items() if k != "`"}
"""The marks that may close what one of them opens."""

BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">", "（": "）"}


def unwrapped(text: str, marks: str = "".join(PARTNERS)) -> str:
    """Return a text without the pairs of `marks` that stand around the whole of it: *`VIP`* is VIP.

    Marks within stay: Bob's, 5*, and *one* and *two*.
    """
    while (inner := _without_pair(text, marks)) is not None:
        text = inner
    return text


def _without_pair(text: str, marks: str) -> str | None:
    if len(text) < 3 or text[0] not in marks or text[-1] not in PARTNERS[text[0]]:
        return None
    both = re.escape(text[0] + PARTNERS[text[0]])
    inner = text[1:-1]
    within = inner.strip(text[0] + PARTNERS[text[0]])
    if not within.strip() or within != within.strip() or re.search(rf"\s[{both}]|[{both}]\s", within):
        return None
    return inner


def closing_mark(text: str, start: int) -> int:
    """Return where the mark is that closes the one at `start`, before a space or the end; -1 when there is none."""
    partners = re.escape(PARTNERS[text[start]])
    found = re.compile(rf"(?<=[^\s{partners}])[{partners}]+(?=\s|$)").search(text, start + 1)
    return found.end() - 1 if found else -1


def in_double_quotes(text: str) -> bool:
    """Tell whether one pair of double quotes stands around the whole text."""
    return len(text) > 2 and text[0] in QUOTES and text[-1] in QUOTES and not re.search(f"[{QUOTES}] ", text[1:-1])


# <@U1|ayse>, <#C1|ops>, <!subteam^S1|@team>, <!here>, <https://…|…>, <mailto:…|…>
_REFERENCE = re.compile(
    r"<(?:(?:[@#]|!subteam\^)(?P<id>[A-Z][A-Z0-9]+)|!(?:date\^[^>|]+|here|channel|everyone)"
    r"|(?P<url>(?:https?://|mailto:|tel:)[^\s<>|]+))(?:\|(?P<label>[^<>]*))?>"
)


def readable(text: str, name_of: Callable[[str], str] | None = None) -> str:
    """Return a text in which mentions and links are what they show: a name, a link's text, else its address.

    A mention that does not say its name has the one that `name_of` returns for its id; without `name_of`, as for typed
    text, `<!here>` is a text as any other, and a mention by its id alone raises UsageError.
    Source: https://docs.slack.dev/messaging/formatting-message-text#advanced
    """
    return _REFERENCE.sub(lambda found: _shown(found, name_of), text) if "<" in text else text


def _shown(found: re.Match[str], name_of: Callable[[str], str] | None) -> str:
    label = clean(found["label"] or "")
    if found["url"]:
        return label or re.sub("^(mailto|tel):", "", found["url"])
    if shown := label.lstrip("@#"):
        return shown
    if name_of is None and found["id"]:
        raise UsageError("mention", part=found[0])
    return name_of(found["id"] or "") if name_of else found[0]

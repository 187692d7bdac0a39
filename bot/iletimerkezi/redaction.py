"""Hides the bot's own credentials in what the provider says: a refusal may quote the request."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.settings import SHORTEST_SECRET

HIDDEN = "…"

_HEAD = 8  # characters of a long secret that give it away where a quotation is cut off
_NAMES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def hiding(*secrets: str) -> Callable[[str], str]:
    """Return a function that replaces the secrets in a text.

    They are found in any case, escaped as in JSON, in an address or in HTML, also more than once, and cut off.
    """
    found = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)
    whole = [_encoded(secret) for secret in found]
    heads = [_encoded(secret[:_HEAD]) + r"[^\s\"'<>,;:{}\[\]()]*" for secret in found if len(secret) >= 2 * _HEAD]
    if not found:
        return str
    pattern = re.compile("|".join(whole + heads), re.IGNORECASE | re.ASCII)
    return lambda text: pattern.sub(HIDDEN, text)


def _encoded(secret: str) -> str:
    return "".join(map(_character, secret))


def _character(char: str) -> str:
    """Return a pattern for one character, as it is or escaped."""
    code = ord(char)
    entities = rf"#0*{code};|#x0*{code:x};" + (f"|{_NAMES[char]};" if char in _NAMES else "")
    return rf"(?:\\*{re.escape(char)}|\\+u{code:04x}|%(?:25)*{code:02x}|&(?:amp;)*(?:{entities}))"

"""Emoji codes as Slack delivers them, `:cherry_blossom:`: the emoji where Unicode or a short table knows them."""

from __future__ import annotations

import re
import unicodedata

_CODE = re.compile(r":(?=[^:\s]*[a-z+])([a-z0-9_+'-]{1,60}):(?::skin-tone-([2-6]):)?")
# What Slack calls otherwise than Unicode, or what Unicode calls so is another picture.
_OWN = dict(
    re.findall(
        r"(\S+) (\S+)",
        "tada 🎉 star ⭐ heart ❤️ +1 👍 thumbsup 👍 ok_hand 👌 wave 👋 white_check_mark ✅ x ❌ warning ⚠️ sunny ☀️ "
        "zap ⚡ smile 😄 phone ☎️ soccer ⚽ gift 🎁 car 🚗 moneybag 💰 bulb 💡 email ✉️ cat 🐱 dog 🐶 mouse 🐭 cow 🐮 "
        "tiger 🐯 rabbit 🐰 horse 🐴 pig 🐷 house 🏠 book 📖 calendar 📆 train 🚋 kiss 💋 lips 👄 whale 🐳",
    )
)
_COUNTRY = re.compile("flag-([a-z]{2})|(cn|de|es|fr|gb|it|jp|kr|ru|us)")


def with_emoji(text: str) -> str:
    """Return a text with the emoji in place of their codes; a code that is not known stays."""
    return _CODE.sub(lambda found: _emoji(found[1], found[2]) or found[0], text) if ":" in text else text


def _emoji(code: str, tone: str | None) -> str:
    if country := _COUNTRY.fullmatch(code):
        return "".join(chr(ord(letter) - ord("a") + 0x1F1E6) for letter in country[1] or country[2])
    try:
        char: str = _OWN.get(code) or unicodedata.lookup(code.replace("_", " "))
    except KeyError:
        return ""
    known = code in _OWN or ord(char) >= 0x1F300 or char in "▪▫◾◽◼◻⬛⬜✔☑"
    return char + (chr(0x1F3FB + int(tone) - 2) if tone else "") if known else ""

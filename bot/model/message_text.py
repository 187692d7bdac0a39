"""What Slack delivers, as plain text: emoji for their codes, and a message as lines of names."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

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
_MENTION = re.compile(
    r"<(?:[@#]|!subteam\^)([A-Z0-9]+)(?:\|[^<>]*)?>|<(?:!date\^|(?![@#!]))[^|<>]*\|([^<>]+)>"
    r"|<(?:mailto:|tel:)?([^!@#<>][^<>]*)>|<[^<>]*>"
)


def with_emoji(text: str) -> str:
    """Return a text with emoji in place of their codes, `:cherry_blossom:`; a code that is not known stays."""
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


def unescape(text: str) -> str:
    """Undo Slack's escaping of three characters, once, and of no other (`&copy;` stays as it is typed).

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def lines_of(message: object, name_of: Callable[[str], str] = lambda _: "") -> tuple[str, bool]:
    """Return what a message holds as a text that the form reads, and whether all of it could be read.

    A line is a group, indented where the lists are. Where the message has lists, only their items count; of a table,
    each row is a line and its cells are divided by tabs. What another app or a forwarded message shows in attachments
    is read too; files and pictures are not. Mentions, links, emoji and formatting become plain text; `name_of` returns
    the name of a person, user group or channel by its id, or "". Raises nothing, whatever the payload holds.
    Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    """
    holders = [message, *_dicts(message, "attachments")]
    parts = [part for holder in holders for part in _parts(holder)]
    text = "\n".join([text for is_list, text in parts if is_list and text] or [text for _, text in parts])
    text = _MENTION.sub(
        lambda found: (found[1] and name_of(found[1])) or found[2] or found[3] or "\0", with_emoji(text)
    )
    lines = re.sub("\0+ ?", "", unescape(text)).splitlines()  # what cannot be shown, and the space behind it
    unread = any(isinstance(each, dict) and (each.get("files") or each.get("image_url")) for each in holders)
    return "\n".join(line.rstrip() for line in lines if line.strip()), not unread


def _parts(holder: object) -> list[tuple[bool, str]]:
    """Return the parts of a message or an attachment in Slack's markup, each with whether it is a list or table."""
    forwarded = [each.get("message") for each in _dicts(holder, "message_blocks")]
    blocks = [block for each in (holder, *forwarded) for block in _dicts(each, "blocks")]
    parts = [part for block in blocks for part in _block(block)]
    return parts if any(text.strip() for _, text in parts) else [(False, _text(holder))]


def _block(block: dict[str, Any]) -> Iterator[tuple[bool, str]]:
    match block:
        case {"type": "table", "rows": list(rows)}:
            cells = [[" ".join(_span(cell).split()) for cell in row] for row in rows if isinstance(row, list)]
            yield True, "\n".join("\t".join(row).strip("\t") for row in cells)
        case {"type": "rich_text"}:
            above: list[float] = []  # an item is as deep as there are shallower ones above it
            for part in _dicts(block, "elements"):
                if part.get("type") != "rich_text_list":
                    yield False, _span(part)
                    continue
                depth = part["indent"] if isinstance(part.get("indent"), int | float) else 0
                above = [level for level in above if level < depth]
                items = [" ".join(_span(item).split()) for item in _dicts(part, "elements")]
                yield True, "\n".join("  " * len(above) + item for item in items if item)
                above.append(depth)
        case _:
            yield False, "\n".join(map(_text, (block, *_dicts(block, "fields"), *_dicts(block, "elements"))))


def _span(span: object) -> str:
    """Return a piece of rich text in Slack's markup; "<>" is something that cannot be shown."""
    match span:
        case {"type": "user" | "usergroup" | "channel" as kind, **rest}:
            return f"<@{rest.get(f'{kind}_id')}>"
        case {"type": "emoji", **rest}:
            codes = re.fullmatch(r"[0-9a-fA-F]{2,5}(-[0-9a-fA-F]{2,5})*", str(rest.get("unicode")))
            return "".join(chr(int(code, 16)) for code in codes[0].split("-")) if codes else "<>"
        case {"type": "link", "url": str(url), "text": str(text)}:
            return f"<{escape(url, quote=False)}|{escape(text, quote=False)}>"
        case {"type": "link", "url": str(url)}:
            return f"<{escape(url, quote=False)}>"
        case {"fallback": str(text)} | {"text": str(text)} | {"value": str(text)}:
            return escape(text, quote=False)
        case {"elements": list(inner)}:
            return "".join(map(_span, inner))
    return ""


def _text(holder: object) -> str:
    """Return the text of a message, a block or what stands in one, which may be an object with a text."""
    match holder:
        case {"text": str(text)} | {"text": {"text": str(text)}}:
            return text
    return ""


def _dicts(holder: object, key: str) -> list[dict[str, Any]]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

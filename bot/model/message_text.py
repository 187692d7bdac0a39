"""What Slack delivers, as plain text: emoji for their codes, and a message as lines of names."""

import re
import unicodedata
from collections.abc import Callable
from html import escape
from typing import Any

_CODE = re.compile(r":(?=[^:\s]*[a-z+])([a-z0-9_+'-]{1,60}):(?::skin-tone-[2-6]:)?")
# What Slack calls otherwise than Unicode, or what Unicode calls so is another picture.
_OWN = (
    "tada 🎉 star ⭐ heart ❤️ +1 👍 wave 👋 white_check_mark ✅ x ❌ warning ⚠️ sunny ☀️ zap ⚡ smile 😄 phone ☎️ "
    "soccer ⚽ gift 🎁 car 🚗 moneybag 💰 bulb 💡 email ✉️ cat 🐱 dog 🐶 mouse 🐭 cow 🐮 tiger 🐯 rabbit 🐰 horse 🐴 "
    "pig 🐷 house 🏠 book 📖 calendar 📆 train 🚋 whale 🐳"
)
_EMOJI = dict(re.findall(r"(\S+) (\S+)", _OWN))
_MENTION = re.compile(
    r"<(?:[@#]|!subteam\^)([A-Z0-9]+)(?:\|[^<>]*)?>|<(?:!date\^|(?![@#!]))[^|<>]*\|([^<>]+)>"
    r"|<(?:mailto:|tel:)?([^!@#<>][^<>]*)>|<[^<>]*>"
)


def with_emoji(text: str) -> str:
    """Return a text with emoji in place of their codes, `:cherry_blossom:`; a code that is not known stays."""
    return _CODE.sub(_emoji, text)


def _emoji(code: re.Match[str]) -> str:
    if country := re.fullmatch("flag-([a-z]{2})", code[1]):
        return "".join(chr(ord(letter) - ord("a") + 0x1F1E6) for letter in country[1])
    try:
        char: str = _EMOJI.get(code[1]) or unicodedata.lookup(code[1].replace("_", " "))
    except KeyError:
        return code[0]
    return char if code[1] in _EMOJI or char >= "\U0001f300" or char in "▪▫◾◽◼◻⬛⬜✔☑" else code[0]


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
    text = _MENTION.sub(lambda each: (each[1] and name_of(each[1])) or each[2] or each[3] or "\0", with_emoji(text))
    lines = re.sub("\0+ ?", "", unescape(text)).splitlines()  # what cannot be shown, and the space behind it
    unread = any(each.get("files") or each.get("image_url") for each in holders if isinstance(each, dict))
    return "\n".join(line.rstrip() for line in lines if line.strip()), not unread


def _parts(holder: object) -> list[tuple[bool, str]]:
    """Return the parts of a message or an attachment in Slack's markup, each with whether it is a list or table."""
    forwarded = [each.get("message") for each in _dicts(holder, "message_blocks")]
    blocks = [block for each in (holder, *forwarded) for block in _dicts(each, "blocks")]
    parts: list[tuple[bool, str]] = []
    above: list[float] = []  # an item of a list is as deep as there are shallower ones above it
    for part in [part for block in blocks for part in (_dicts(block, "elements") or [block])]:
        match part:
            case {"type": "rich_text_list", "elements": list(items)}:
                depth = part["indent"] if isinstance(part.get("indent"), int | float) else 0
                above = [level for level in above if level < depth]
                names = [" ".join(_said(item).split()) for item in items]
                parts.append((True, "\n".join("  " * len(above) + name for name in names if name)))
                above.append(depth)
            case {"type": "table", "rows": list(rows)}:
                cells = [[" ".join(_said(cell).split()) for cell in row] for row in rows if isinstance(row, list)]
                parts.append((True, "\n".join("\t".join(row).strip("\t") for row in cells)))
            case _:
                parts.append((False, "\n".join(map(_said, (part, *_dicts(part, "fields"))))))
    return parts if any(text.strip() for _, text in parts) else [(False, _said(holder))]


def _said(part: object) -> str:
    """Return what a part of a message says in Slack's markup; "<>" is something that cannot be shown."""
    match part:
        case {"type": "user" | "usergroup" | "channel" as kind, **rest}:
            return f"<@{rest.get(f'{kind}_id')}>"
        case {"type": "emoji", **rest}:
            codes = re.fullmatch(r"[0-9a-fA-F]{2,5}(-[0-9a-fA-F]{2,5})*", str(rest.get("unicode")))
            return "".join(chr(int(code, 16)) for code in codes[0].split("-")) if codes else "<>"
        case {"type": "link", "url": str(url), **rest}:
            return escape(str(rest.get("text") or url.removeprefix("mailto:")), quote=False)
        case {"type": "text" | "raw_text" | "date" | "color", **rest}:
            return escape(str(rest.get("text") or rest.get("fallback") or rest.get("value")), quote=False)
        case {"text": str(text)} | {"text": {"text": str(text)}}:
            return text
        case {"elements": list(inner)}:
            return "".join(map(_said, inner))
    return ""


def _dicts(holder: object, key: str) -> list[dict[str, Any]]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

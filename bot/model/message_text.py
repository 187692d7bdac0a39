"""A Slack message as lines of names: one group a line, indented where the message's lists are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from bot.model.emoji import with_emoji

NameOf = Callable[[str], str]
_MENTION = re.compile(
    r"<(?:[@#]|!subteam\^)([A-Z0-9]+)(?:\|[^<>]*)?>|<(?:!date\^|(?![@#!]))[^|<>]*\|([^<>]+)>"
    r"|<(?:mailto:|tel:)?([^!@#<>][^<>]*)>|<[^<>]*>"
)


def lines_of(message: object, name_of: NameOf = lambda _: "") -> tuple[str, bool]:
    """Return what a message holds as a text that the form reads, and whether all of it could be read.

    Where the message has lists, only their items count; of a table, each row is a line and its cells are divided by
    tabs. What another app or a forwarded message shows in attachments is read too; files and pictures are not.
    Mentions, links, emoji and formatting become plain text; `name_of` returns the name of a person, user group or
    channel by its id, or "". Raises nothing, whatever the payload holds.
    Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    """
    holders = [message, *_dicts(_get(message, "attachments"))] if isinstance(message, dict) else []
    parts = [part for holder in holders for part in _parts(holder, name_of)]
    lists = [line for is_list, lines in parts for line in lines if is_list]
    lines = lists or [line for _, found in parts for line in found]
    lines = [re.sub("\0+ ?", "", line) for line in lines]  # what cannot be shown, and the space behind it
    unread = any(_get(holder, "files") or _get(holder, "image_url") for holder in holders)
    return "\n".join(line.rstrip() for line in lines if line.strip()), not unread


def _parts(holder: dict[str, Any], name_of: NameOf) -> Iterator[tuple[bool, list[str]]]:
    """Yield the parts of a message or an attachment, each with whether it is a list or table."""
    inner = [_get(each, "message", "blocks") for each in _dicts(holder.get("message_blocks"))]
    found = [part for blocks in (holder.get("blocks"), *inner) for part in _blocks(blocks, name_of)]
    if any(line.strip() for _, lines in found for line in lines):
        yield from found
        return
    fields = [_text(field) or _string(field, "value") for field in _dicts(holder.get("fields"))]
    yield False, _plain("\n".join([_text(holder), *fields]), name_of).splitlines()


def _blocks(blocks: object, name_of: NameOf) -> Iterator[tuple[bool, list[str]]]:
    for block in _dicts(blocks):
        match block.get("type"):
            case "rich_text":
                yield from _rich(_dicts(block.get("elements")), name_of)
            case "table":
                rows = block.get("rows")
                yield True, [_row(row, name_of) for row in rows] if isinstance(rows, list) else []
            case _:
                texts = [_text(block), *map(_text, [*_dicts(block.get("fields")), *_dicts(block.get("elements"))])]
                yield False, _plain("\n".join(texts), name_of).splitlines()


def _rich(parts: list[dict[str, Any]], name_of: NameOf) -> Iterator[tuple[bool, list[str]]]:
    """Yield the lists and sections of a rich text; an item is as deep as there are shallower ones above it."""
    above: list[float] = []
    for part in parts:
        if part.get("type") != "rich_text_list":
            yield False, _spans(part, name_of).splitlines()
            continue
        indent = part.get("indent")
        depth = indent if isinstance(indent, int | float) else 0
        above = [level for level in above if level < depth]
        items = [" ".join(_spans(item, name_of).split()) for item in _dicts(part.get("elements"))]
        yield True, ["  " * len(above) + item for item in items if item]
        above.append(depth)


def _row(row: object, name_of: NameOf) -> str:
    cells = [
        _get(cell, "text") if _get(cell, "type") == "raw_text" else _spans_of(cell, name_of) for cell in _dicts(row)
    ]
    return "\t".join(" ".join(str(cell).split()) for cell in cells).strip("\t")


def _spans_of(cell: dict[str, Any], name_of: NameOf) -> str:
    return " ".join(_spans(part, name_of) for part in _dicts(cell.get("elements")))


def _spans(part: dict[str, Any], name_of: NameOf) -> str:
    return "".join(_span(span, name_of) for span in _dicts(part.get("elements")))


def _span(span: dict[str, Any], name_of: NameOf) -> str:
    match span.get("type"):
        case "user" | "usergroup" | "channel" as kind:
            return name_of(_string(span, f"{kind}_id")) or "\0"
        case "emoji":
            codes = re.fullmatch(r"[0-9a-fA-F]{2,5}(-[0-9a-fA-F]{2,5})*", _string(span, "unicode"))
            return "".join(chr(int(code, 16)) for code in codes[0].split("-")) if codes else "\0"
        case "link":
            return _string(span, "text") or re.sub("^(mailto|tel):", "", _string(span, "url"))
        case "date":
            return _string(span, "fallback")
        case "broadcast":
            return ""
        case _:
            return _string(span, "text") or _string(span, "value")


def _plain(text: str, name_of: NameOf) -> str:
    """Return a text in Slack's markup as plain text."""
    text = _MENTION.sub(
        lambda found: (found[1] and name_of(found[1])) or found[2] or found[3] or "\0", with_emoji(text)
    )
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _text(holder: object) -> str:
    """Return the text of a message or a block, which may be an object with a text."""
    text = _get(holder, "text")
    return str(_get(text, "text") or "") if isinstance(text, dict) else text if isinstance(text, str) else ""


def _get(value: object, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _string(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

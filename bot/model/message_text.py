"""A Slack message as an outline: one group a line, indented where the message's lists are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from bot.model.lines import listed
from bot.model.marks import readable

_NOTHING = "\0"  # in place of what cannot be shown; the space behind it is no indentation


def lines_of(message: object, name_of: Callable[[str], str] = lambda _: "") -> str:
    """Return what a message holds as a text that `outline` reads.

    Where the message has lists, made by Slack or of bullets and numbers that were typed, only their items count, not
    the sentence around them; else every line does. Mentions, links, emoji and formatting become plain text; `name_of`
    returns the name of a person, user group or channel by its id, or "" to leave it out. Files and attachments are not
    read. Raises nothing, whatever the payload holds.
    Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block
    """
    if not isinstance(message, dict):
        return ""
    blocks = _dicts(message.get("blocks"))
    parts = [part for block in blocks if block.get("type") == "rich_text" for part in _dicts(block.get("elements"))]
    with_lists = any(part.get("type") == "rich_text_list" for part in parts)
    if with_lists:
        lines = list(_items(parts, name_of))
    elif parts:
        lines = "".join(_part(part, name_of) for part in parts).splitlines()
    else:
        lines = _plain(_text(message) or "\n".join(map(_text, blocks)), name_of).splitlines()
    lines = [re.sub(f"{_NOTHING}+ ?", "", line).rstrip() for line in lines]
    text = "\n".join(line for line in lines if line.strip())
    return text if with_lists else listed(text)


def _items(parts: list[dict[str, Any]], name_of: Callable[[str], str]) -> Iterator[str]:
    """Yield the items of all lists; one is as deep as there are shallower ones above it."""
    above: list[float] = []
    for part in parts:
        if part.get("type") != "rich_text_list":
            continue
        indent = part.get("indent")
        depth = indent if isinstance(indent, int | float) else 0
        for item in _dicts(part.get("elements")):
            if name := " ".join(_part(item, name_of).replace(_NOTHING, "").split()):
                above = [level for level in above if level < depth]
                yield "  " * len(above) + name
                above.append(depth)


def _part(part: dict[str, Any], name_of: Callable[[str], str]) -> str:
    """Return the text of a section, a quote or preformatted lines, each of which ends a line."""
    return "".join(_element(element, name_of) or _NOTHING for element in _dicts(part.get("elements"))) + "\n"


def _element(element: dict[str, Any], name_of: Callable[[str], str]) -> str:
    match element.get("type"):
        case "user" | "usergroup" | "channel" as kind:
            return name_of(_string(element, f"{kind}_id"))
        case "emoji":
            return _emoji(_string(element, "unicode"))
        case "link":
            return _string(element, "text") or re.sub("^(mailto|tel):", "", _string(element, "url"))
        case "date":
            return _string(element, "fallback")
        case "color":
            return _string(element, "value")
        case "broadcast":
            return ""
        case _:
            return _string(element, "text")


def _emoji(codes: str) -> str:
    """Return the characters of an emoji by its code points in hexadecimal, as Slack writes them: 1f469-200d-1f4bb."""
    if not re.fullmatch(r"[0-9a-fA-F]{2,5}(-[0-9a-fA-F]{2,5})*", codes):
        return ""
    return "".join(chr(int(code, 16)) for code in codes.split("-"))


def _plain(text: str, name_of: Callable[[str], str]) -> str:
    """Return a text in Slack's markup as plain text; an emoji by its code has no character here, and goes."""
    text = readable(text, lambda identifier: name_of(identifier) or _NOTHING)
    shown = re.sub(r":(?=[^:\s]*[a-z+])[a-z0-9_+'-]+:(?::skin-tone-\d:)?", _NOTHING, text, flags=re.IGNORECASE)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _text(holder: dict[str, Any]) -> str:
    """Return the text of a message or a block, which may be an object with a text."""
    text = holder.get("text")
    return _string(text, "text") if isinstance(text, dict) else _string(holder, "text")


def _string(holder: dict[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def _dicts(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

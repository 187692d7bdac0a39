"""Slack's limits and structure of what an app sends, as far as the bot uses them: what breaks one is refused.

Source: https://docs.slack.dev/reference/block-kit
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# A mention of everybody, of a channel's members or of a group may never come from what people wrote.
_FORBIDDEN = re.compile(r"<!(?!date\^)|<#|<mailto:")


def answer_problems(body: bytes) -> list[str]:
    """Return what Slack would refuse in the answer to a request, if it came over Socket Mode."""
    return [f"an answer of {len(body)} bytes"] if len(body) > 20_000 else []


def message_problems(message: dict[str, Any]) -> list[str]:
    """Return what Slack would refuse in a message, and what would ring everybody."""
    text = message.get("text", "")
    problems = [] if text and len(text) <= 40_000 else [f"text of {len(text)} characters"]
    problems += ["a message acts on what people wrote"] if _FORBIDDEN.search(text) else []
    return problems + _blocks(message.get("blocks", []), 50)


def view_problems(view: dict[str, Any]) -> list[str]:
    """Return what Slack would refuse in a modal."""
    problems = [
        *_text(view, "title", 24),
        *_text(view, "submit", 24),
        *_text(view, "close", 24),
        *_blocks(view["blocks"], 100),
    ]
    if len(view.get("private_metadata", "")) > 3000:
        problems.append("private_metadata too long")
    ids = [block.get("block_id") for block in view["blocks"]]
    return problems + (["two blocks have one id"] if len(set(ids)) < len(ids) else [])


def options_problems(options: list[dict[str, Any]]) -> list[str]:
    """Return what Slack would refuse in the answer to block_suggestion."""
    problems = ["more than 100 options"] if len(options) > 100 else []
    return problems + [problem for option in options for problem in _option(option)]


def _blocks(blocks: list[dict[str, Any]], most: int) -> list[str]:
    problems = [f"{len(blocks)} blocks"] if len(blocks) > most else []
    return problems + [problem for block in blocks for problem in _block(block)]


def _block(block: dict[str, Any]) -> Iterator[str]:
    match block["type"]:
        case "section":
            yield from _text(block, "text", 3000)
            if _FORBIDDEN.search(block["text"]["text"]):
                yield "a section acts on what people wrote"
        case "actions":
            if not 1 <= len(block["elements"]) <= 25:
                yield "an actions block without buttons, or with too many"
            for button in block["elements"]:
                yield from _button(button)
        case "input":
            yield from _text(block, "label", 2000)
            yield from _text(block, "hint", 2000)
            yield from _element(block["element"])
        case kind:
            yield f"a block of the type {kind}"


def _button(button: dict[str, Any]) -> Iterator[str]:
    yield from _text(button, "text", 75)
    if len(button["value"]) > 2000 or len(button["action_id"]) > 255:
        yield "a button's value or action_id is too long"
    if button.get("style") not in (None, "primary", "danger"):
        yield "a button's style"
    if confirm := button.get("confirm"):
        for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            yield from _text(confirm, name, most)


def _element(element: dict[str, Any]) -> Iterator[str]:
    match element["type"]:
        case "plain_text_input":
            if len(element.get("initial_value", "")) > element.get("max_length", 3000):
                yield "an initial value longer than its field"
        case "external_select":
            yield from _text(element, "placeholder", 150)
            if option := element.get("initial_option"):
                yield from _option(option)
        case kind:
            yield f"an element of the type {kind}"


def _option(option: dict[str, Any]) -> Iterator[str]:
    yield from _text(option, "text", 75)
    if not 1 <= len(option["value"]) <= 150:
        yield "an option's value"


def _text(holder: dict[str, Any], name: str, most: int) -> Iterator[str]:
    text = holder[name]
    if text["type"] not in ("plain_text", "mrkdwn") or not 1 <= len(text["text"]) <= most:
        yield f"{name} of {len(text['text'])} characters"

"""Slack's limits and structure of what an app sends, as far as the bot uses them: what breaks one is refused.

Source: https://docs.slack.dev/reference/block-kit
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

Block = dict[str, Any]

# A mention of everybody may never come from what people wrote. Of a user group or a channel, only the contact is named.
_FORBIDDEN = re.compile(r"<!(?!date\^|subteam\^S[A-Z0-9]+>)|<#(?![CG][A-Z0-9]+>)|<mailto:")


def answer_problems(body: bytes) -> list[str]:
    """Return what Slack would refuse in the answer to a request, if it came over Socket Mode."""
    return [f"an answer of {len(body)} bytes"] if len(body) > 20_000 else []


def message_problems(message: dict[str, Any]) -> list[str]:
    """Return what Slack would refuse in a message, and what would ring everybody."""
    text = message.get("text") or ""  # screen readers and notifications have only this
    problems = [] if text and len(text) <= 40_000 else [f"text of {len(text)} characters"]
    problems += ["a message acts on what people wrote"] if _FORBIDDEN.search(text) else []
    return problems + _blocks(message.get("blocks", []), 50)


def view_problems(view: dict[str, Any]) -> list[str]:
    """Return what Slack would refuse in a modal.

    Source: https://docs.slack.dev/reference/views/modal-views
    """
    asks = any(block["type"] == "input" for block in view["blocks"])
    problems = [
        *_text(view, "title", 24),
        *(_text(view, "submit", 24) if asks or "submit" in view else ()),
        *(_text(view, "close", 24) if "close" in view else ()),
        *_blocks(view["blocks"], 100),
    ]
    if len(view.get("private_metadata", "")) > 3000:
        problems.append("private_metadata too long")
    return problems


def options_problems(options: list[dict[str, Any]]) -> list[str]:
    """Return what Slack would refuse in the answer to block_suggestion."""
    problems = ["more than 100 options"] if len(options) > 100 else []
    return problems + [problem for option in options for problem in _option(option)]


def problems(kind: str, sent: Any) -> list[str]:
    """Return what Slack would refuse in a "message", a "view", "options" or an "answer"."""
    rules: dict[str, Callable[[Any], list[str]]] = {
        "message": message_problems,
        "view": view_problems,
        "home": lambda view: _blocks(view["blocks"], 100),
        "options": options_problems,
        "answer": answer_problems,
    }
    return rules[kind](sent)


def _blocks(blocks: list[Block], most: int) -> list[str]:
    problems = [f"{len(blocks)} blocks"] if len(blocks) > most else []
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    problems += ["two blocks have one id"] if len(set(ids)) < len(ids) else []
    problems += ["a block_id is too long"] if any(len(block_id) > 255 for block_id in ids) else []
    return problems + [problem for block in blocks for problem in _block(block)]


def _block(block: Block) -> Iterator[str]:
    match block.get("type"):
        case "section":
            yield from _text(block, "text", 3000)
            if block["text"]["type"] == "mrkdwn" and _FORBIDDEN.search(block["text"]["text"]):
                yield "a section acts on what people wrote"
            if not isinstance(block.get("expand", False), bool):
                yield "expand is not a boolean"
        case "context":
            for element in block["elements"]:
                yield from _text({"text": element}, "text", 3000)
        case "actions":
            ids = [button.get("action_id") for button in block["elements"]]
            if not 1 <= len(ids) <= 25 or len(set(ids)) < len(ids):
                yield "no button, too many, or two with one action_id"
            for button in block["elements"]:
                yield from _element(button)
        case "input":
            yield from _text(block, "label", 2000, "plain_text")
            yield from _text(block, "hint", 2000, "plain_text")
            yield from _element(block["element"])
        case "rich_text":
            yield from (problem for element in block["elements"] for problem in _rich(element))
        case kind:
            yield f"a block of the type {kind}"


def _element(element: Block) -> Iterator[str]:
    if len(element.get("action_id", "")) > 255:
        yield "an action_id is too long"
    match element.get("type"):
        case "button":
            yield from _button(element)
        case "plain_text_input":
            if len(element.get("initial_value", "")) > 3000:
                yield "an initial value longer than its field"
        case "external_select":
            yield from _text(element, "placeholder", 150, "plain_text")
            if "initial_option" in element:
                yield from _option(element["initial_option"])
        case kind:
            yield f"an element of the type {kind}"


def _button(button: Block) -> Iterator[str]:
    yield from _text(button, "text", 75, "plain_text")
    if len(button.get("value", "")) > 2000 or len(button.get("url", "")) > 3000:
        yield "a button's value or url is too long"
    if not 1 <= len(button.get("accessibility_label", "-")) <= 75:
        yield "a button's accessibility_label"
    asked = button.get("confirm", {})
    for name, most in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)) if asked else ():
        yield from _text(asked, name, most, "" if name == "text" else "plain_text")
    if not {button.get("style"), asked.get("style")} <= {None, "primary", "danger"}:
        yield "the style of a button or of its question"


def _option(option: Block) -> Iterator[str]:
    yield from _text(option, "text", 75, "plain_text")
    if not 1 <= len(option["value"]) <= 150:
        yield "an option's value"


def _rich(element: Block) -> Iterator[str]:
    """Look at what is given back. Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block."""
    if element.get("type") != "rich_text_preformatted":
        yield f"a rich text of the type {element.get('type')}"
    if not all(span.get("type") == "text" and span.get("text") for span in element["elements"]):
        yield "a span that is no text"  # a mention of everybody ("broadcast") is none of the bot's either


def _text(holder: Block, name: str, most: int, kind: str = "") -> Iterator[str]:
    text = holder.get(name) or {}
    if text.get("type") not in ([kind] if kind else ["plain_text", "mrkdwn"]):
        yield f"{name} of the type {text.get('type')}"
    elif not 1 <= len(text.get("text", "")) <= most:
        yield f"{name} of {len(text.get('text', ''))} characters"

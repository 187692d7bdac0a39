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
    sends = any(block["type"] == "input" for block in view["blocks"])
    needed = dict.fromkeys(("title", "submit") if sends else ("title",))
    problems = list(_part({**needed, **view}, "modal"))
    return problems + _blocks(view["blocks"], 100)


def options_problems(options: list[dict[str, Any]]) -> list[str]:
    """Return what Slack would refuse in the answer to block_suggestion."""
    problems = ["more than 100 options"] if len(options) > 100 else []
    return problems + [problem for option in options for problem in _part(option, "option")]


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
    return problems + [problem for block in blocks for problem in _part(block)]


TEXTS = {
    "modal": {"title": 24, "submit": 24, "close": 24},
    "section": {"text": 3000},
    "context": {},
    "actions": {},
    "input": {"label": 2000, "hint": 2000},
    "rich_text": {},
    "button": {"text": 75},
    "question": {"title": 100, "text": 300, "confirm": 30, "deny": 30},
    "plain_text_input": {},
    "external_select": {"placeholder": 150},
    "option": {"text": 75},
}
"""The texts of each kind of part that the bot may use, each with the most characters that it may have."""

FORMATTED = {("section", "text"), ("question", "text")}
"""Those that may be formatted; a question is the `confirm` of a button."""

MOST = {"action_id": 255, "block_id": 255, "private_metadata": 3000, "initial_value": 3000, "url": 3000}
MOST |= {"value": 2000, "accessibility_label": 75}
"""The most characters that other fields may have."""


INSIDE = {"element": "", "confirm": "question", "initial_option": "option"}
"""Fields that hold another part, with the kind of those that have no type."""


def _part(part: Block, kind: str = "") -> Iterator[str]:
    """Yield what Slack would refuse in a part of a view or a message and in what that contains."""
    kind = kind or str(part.get("type"))
    if kind not in TEXTS:
        yield f"a part of the type {kind}"
    for name, most in TEXTS.get(kind, {}).items():
        if kind != "modal" or name in part:
            yield from _text(part.get(name), name, most, formatted=(kind, name) in FORMATTED)
    yield from (f"{name} is too long" for name, most in MOST.items() if len(part.get(name, "")) > most)
    yield from _rules(part, kind)
    for name, of in INSIDE.items() if kind != "question" else ():
        yield from _part(part[name], of) if name in part else ()


def _rules(part: Block, kind: str) -> Iterator[str]:
    match kind:
        case "section":
            if _FORBIDDEN.search(part["text"]["text"]) and part["text"]["type"] == "mrkdwn":
                yield "a section acts on what people wrote"
            if not isinstance(part.get("expand", False), bool):
                yield "expand is not a boolean"
        case "context":
            for element in part["elements"]:
                yield from _text(element, "text", 3000, formatted=True)
        case "actions":
            ids = [button.get("action_id") for button in part["elements"]]
            if not 1 <= len(ids) <= 25 or len(set(ids)) < len(ids):
                yield "no button, too many, or two with one action_id"
            yield from (problem for element in part["elements"] for problem in _part(element))
        case "button":
            if part.get("accessibility_label") == "":
                yield "an empty accessibility_label"
            if not {part.get("style"), part.get("confirm", {}).get("style")} <= {None, "primary", "danger"}:
                yield "the style of a button or of its question"
        case "option" if not 1 <= len(part["value"]) <= 150:
            yield "an option's value"
        case "rich_text":
            yield from (problem for element in part["elements"] for problem in _rich(element))


def _rich(element: Block) -> Iterator[str]:
    """Look at what is given back. Source: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block."""
    if element.get("type") != "rich_text_preformatted":
        yield f"a rich text of the type {element.get('type')}"
    if not all(span.get("type") == "text" and span.get("text") for span in element["elements"]):
        yield "a span that is no text"  # a mention of everybody ("broadcast") is none of the bot's either


def _text(text: Block | None, name: str, most: int, *, formatted: bool) -> Iterator[str]:
    text = text or {}
    if text.get("type") != "plain_text" and not (formatted and text.get("type") == "mrkdwn"):
        yield f"{name} of the type {text.get('type')}"
    elif not 1 <= len(text.get("text", "")) <= most:
        yield f"{name} of {len(text.get('text', ''))} characters"

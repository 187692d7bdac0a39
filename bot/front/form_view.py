"""The form as Slack takes it: its fields, and the options of its menu. Pure."""

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any

from bot.front.reply import Origin
from bot.model.grammar import Reading, Unclear
from bot.model.names import Parent, ParentId, ParentName
from bot.slack.texts import Language, say
from bot.slack.wording import MAX_LABEL, choice, cut, mistake

Json = dict[str, Any]

NAME, PARENT = "name", "parent"
"""The action_ids of the form's fields. A field that is filled once more needs another block_id: see `form`."""

FORM = "addgroup"
"""The form's callback_id."""

MAX_OPTIONS = 100
"""Most options of a menu. Source: https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element"""

MAX_FIELD = 3000
"""Longest text of a field, in characters.

Source: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
"""


def form(language: Language, origin: Origin, reading: Reading, parent: Json, remark: str = "") -> Json:
    """Return the form as a modal view, filled with a reading, whose text must fit, and the option for its `parent`.

    What is unclear stands above the fields, and the sentence `remark` of the texts.
    """
    notes = [mistake(language, reading.unclear, plain=True)] if reading.unclear else []
    notes += [say(language, remark)] if remark else []
    text = reading.text
    name_input = {"type": "plain_text_input", "action_id": NAME, "multiline": True}
    name_input |= {"initial_value": text} if text else {"focus_on_load": True}
    parent_input = {"type": "external_select", "action_id": PARENT, "min_query_length": 0}
    parent_input |= {"placeholder": _text(say(language, "form.parent_placeholder"))}
    parent_input |= {"initial_option": parent} if parent else {}
    named = reading.parent.name if isinstance(reading.parent, ParentName) else origin.parent
    opened = {NAME: digest(text), PARENT: digest(parent.get("value", ""))}
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": _text(say(language, "form.title")),
        "submit": _text(say(language, "form.submit")),
        "close": _text(say(language, "form.close")),
        "notify_on_close": True,
        "private_metadata": json.dumps(asdict(replace(origin, parent=named, opened=opened)), ensure_ascii=False),
        "blocks": [
            *({"type": "section", "text": _text(note)} for note in notes),
            _input(language, NAME, origin, name_input),
            {**_input(language, PARENT, origin, parent_input), "optional": True},
            {"type": "context", "elements": [_text(say(language, "form.public"))]},
        ],
    }


def block_id(name: str, origin: Origin) -> str:
    """Return the block_id of a field: another each time that the form is filled."""
    return f"{name}-{origin.asked}" if origin.asked else name


def entered(view: Json) -> tuple[Origin, str, str, Parent]:
    """Return what a form that was sent or closed holds: its origin, the text, the chosen option's value, that parent.

    A form that was closed may come without its state: then it is what the form was opened with. Where no option is
    chosen the value is "", and where it stands for no parent that is None.
    """
    origin = Origin(**json.loads(view["private_metadata"]))
    inputs = [block["element"] for block in view.get("blocks") or () if block.get("type") == "input"]
    fields = {element["action_id"]: element for element in inputs}
    for sent in ((view.get("state") or {}).get("values") or {}).values():
        fields |= sent
    text, menu = fields.get(NAME) or {}, fields.get(PARENT) or {}
    value = (menu.get("selected_option") or menu.get("initial_option") or {}).get("value", "")
    parent: Parent = ParentName(origin.parent) if value.startswith("name:") and origin.parent else None
    if value.startswith("id:") and value[3:].isdecimal():
        parent = ParentId(value[3:])
    return origin, text.get("value") or text.get("initial_value") or "", value, parent


def digest(text: str) -> str:
    """Return a short digest of a field's content; line ends, and blanks around it, do not count."""
    plain = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()[:16]


def as_shown(origin: Origin, typed: str, value: str, unclear: Unclear) -> bool:
    """Tell whether what is unclear stands in a field that was not changed."""
    name = digest(typed) == origin.opened.get(NAME)
    return name and (unclear.key != "second_parent" or digest(value) == origin.opened.get(PARENT))


def option(language: Language, parent: Parent, path: str = "") -> Json:
    """Return a menu's option for a parent: its path and id where they are known, the id alone, or the name as typed."""
    match parent:
        case ParentId(id=identifier):
            text = choice(path, identifier) if path else cut(say(language, "form.by_id", id=identifier), MAX_LABEL)
            return {"text": _text(text), "value": f"id:{identifier}"}
        case ParentName(name=name):
            return {"text": _text(cut(name, MAX_LABEL)), "value": "name:"}
        case None:
            return {"text": _text(say(language, "form.no_list")), "value": "none:"}


def _input(language: Language, name: str, origin: Origin, element: Json) -> Json:
    return {
        "type": "input",
        "block_id": block_id(name, origin),
        "label": _text(say(language, f"form.{name}")),
        "hint": _text(say(language, f"form.{name}_hint")),
        "element": element,
    }


def _text(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}

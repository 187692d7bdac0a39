"""The form as Slack takes it: its fields, and the options of its menu. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate
from typing import Any

from bot.iletimerkezi.index import Choice
from bot.model.names import Parent, ParentId, ParentName
from bot.slack.mrkdwn import cut
from bot.slack.texts import Language, say

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

_MAX_OPTION = 75


@dataclass(frozen=True)
class Origin:
    """What a form goes on from, carried in its private_metadata.

    That is where it was asked for (`channel_kind` as in a Job), by which `job`'s answer, and in the thread of which
    message (its ts) the answer is to come. `parent` is the name of the parent that the form was opened with, for which
    an option is too short. `trigger` is what the person did first: forms that go back to the same make one job.
    `opened` are digests of what the fields were opened with, by action_id, and `asked` counts how often this form has
    asked back.
    """

    channel: str
    response_url: str = ""
    job: str = ""
    reply_to: str = ""
    parent: str = ""
    trigger: str = ""
    opened: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    channel_kind: str = ""

    def __repr__(self) -> str:
        return f"Origin(channel={self.channel!r}, job={self.job!r})"

    def dump(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def load(cls, text: str) -> Origin:
        """Read what `dump` wrote. Raises ValueError or TypeError."""
        return cls(**json.loads(text))


@dataclass(frozen=True)
class Filled:
    """What a form is filled with: the `name` field's text, the parent and its path if known, and notes above them."""

    name: str = ""
    parent: Parent = None
    path: str = ""
    notes: Sequence[str] = ()


def form(language: Language, origin: Origin, filled: Filled) -> dict[str, Any]:
    """Return the form as a modal view. A text that is too long for the field is cut at a line, and a note says so."""
    lines = filled.name.splitlines()
    kept = sum(end <= MAX_FIELD + 1 for end in accumulate(len(line) + 1 for line in lines))
    text = filled.name if kept == len(lines) else "\n".join(lines[:kept])
    cut_note = [] if kept == len(lines) else [say(language, "form.cut", kept=kept, count=len(lines))]
    parent = option(language, filled.parent, filled.path) if filled.parent else None
    opened = {NAME: digest(text), PARENT: digest(parent["value"] if parent else "")}
    named = filled.parent.name if isinstance(filled.parent, ParentName) else origin.parent
    origin = replace(origin, parent=named, opened=opened)
    name_input: dict[str, Any] = {"type": "plain_text_input", "action_id": NAME, "multiline": True}
    name_input |= {"initial_value": text} if text else {"focus_on_load": True}
    parent_input: dict[str, Any] = {
        "type": "external_select",
        "action_id": PARENT,
        "min_query_length": 0,
        "placeholder": _text(say(language, "form.parent_placeholder")),
    }
    parent_input |= {"initial_option": parent} if parent else {}
    label, hint = say(language, "form.parent"), say(language, "form.parent_hint")
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": _text(say(language, "form.title")),
        "submit": _text(say(language, "form.submit")),
        "close": _text(say(language, "form.close")),
        "notify_on_close": True,
        "private_metadata": origin.dump(),
        "blocks": [
            *({"type": "section", "text": _text(note)} for note in (*filled.notes, *cut_note)),
            _input(block_id(NAME, origin), say(language, "form.name"), say(language, "form.name_hint"), name_input),
            _input(block_id(PARENT, origin), label, hint, parent_input, optional=True),
            {"type": "context", "elements": [_text(say(language, "form.public"))]},
        ],
    }


def block_id(name: str, origin: Origin) -> str:
    """Return the block_id of a field: another each time that the form is filled."""
    return f"{name}-{origin.asked}" if origin.asked else name


def entered(view: dict[str, Any]) -> tuple[str, str]:
    """Return the text and the value of the chosen option, "" for none, as a form was sent or closed.

    A form that was closed may come without its state: then it is what the form was opened with.
    """
    blocks = [block["element"] for block in view.get("blocks") or () if block.get("type") == "input"]
    opened = {element["action_id"]: element for element in blocks}
    sent = {action: value for block in _values(view) for action, value in block.items()}
    text, parent = sent.get(NAME) or {}, sent.get(PARENT) or {}
    if NAME not in sent:
        text, parent = ({"value": opened.get(NAME, {}).get("initial_value")}, opened.get(PARENT, {}))
    chosen_option = parent.get("selected_option") or (parent.get("initial_option") if NAME not in sent else None)
    return text.get("value") or "", (chosen_option or {}).get("value", "")


def digest(text: str) -> str:
    """Return a short digest of a field's content; line ends, and blanks around it, do not count."""
    plain = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()[:16]


def _values(view: dict[str, Any]) -> list[dict[str, Any]]:
    return list(((view.get("state") or {}).get("values") or {}).values())


def option(language: Language, parent: Parent, path: str = "") -> dict[str, Any]:
    """Return a menu's option for a parent: its path and id where they are known, the id alone, or the name as typed."""
    match parent:
        case ParentId(id=identifier):
            text = f"{_front_cut(path, _MAX_OPTION - len(identifier) - 3)} ({identifier})" if path else ""
            text = text or say(language, "form.by_id", id=identifier)
            return {"text": _text(cut(text, _MAX_OPTION)), "value": f"id:{identifier}"}
        case ParentName(name=name):
            return {"text": _text(cut(name, _MAX_OPTION)), "value": "name:"}
        case None:
            return {"text": _text(say(language, "form.no_list")), "value": "none:"}


def options(language: Language, choices: Iterable[Choice]) -> list[dict[str, Any]]:
    """Return the options for groups found by typing."""
    return [option(language, ParentId(identifier), path) for path, identifier in choices][:MAX_OPTIONS]


def chosen(value: str, origin: Origin) -> Parent:
    """Return the parent that an option stands for in a form, "" for none. Raises ValueError if it is no parent."""
    if not value:
        return None
    kind, _, rest = value.partition(":")
    if kind == "id" and rest.isdecimal():
        return ParentId(rest)
    if kind == "name" and origin.parent:
        return ParentName(origin.parent)
    raise ValueError("not an option for a parent")


def _input(block: str, label: str, hint: str, element: dict[str, Any], optional: bool = False) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": block,
        "label": _text(label),
        "hint": _text(hint),
        "element": element,
        "optional": optional,
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def _front_cut(path: str, most: int) -> str:
    """Cut a path at its front, since its end tells the group."""
    return path if len(path) <= most else "…" + path[1 - most :]

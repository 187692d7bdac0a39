"""The form as Slack takes it: its fields, and the options of its menu. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.iletimerkezi.index import Choice
from bot.model.names import Parent, ParentId, ParentName
from bot.slack.mrkdwn import cut
from bot.slack.texts import Language, say

NAME, PARENT = "name", "parent"
"""Ids of the form's fields, each of a block and of the element in it."""

FORM = "addgroup"
"""The form's callback_id."""

MAX_OPTIONS = 100
"""Most options of a menu. Source: https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element"""

_MAX_OPTION = 75


@dataclass(frozen=True)
class Origin:
    """What a form goes on from, carried in its private_metadata.

    That is where it was asked for, by which `job`'s answer, and in the thread of which message (its ts) the answer is
    to come. `parent` is the name of the parent that the form was opened with, for which an option is too short.
    """

    channel: str
    response_url: str = ""
    job: str = ""
    reply_to: str = ""
    parent: str = ""

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
    """What a form is opened with: the `name` field's text, the parent and its path if known, and notes above them."""

    name: str = ""
    parent: Parent = None
    path: str = ""
    notes: Sequence[str] = ()


def form(language: Language, origin: Origin, filled: Filled) -> dict[str, Any]:
    """Return the form as a modal view."""
    if isinstance(filled.parent, ParentName):
        origin = replace(origin, parent=filled.parent.name)
    name_input: dict[str, Any] = {"type": "plain_text_input", "action_id": NAME, "multiline": True}
    if filled.name:
        name_input["initial_value"] = filled.name
    else:
        name_input["focus_on_load"] = True
    parent_input: dict[str, Any] = {
        "type": "external_select",
        "action_id": PARENT,
        "min_query_length": 0,
        "placeholder": _text(say(language, "form.parent_placeholder")),
    }
    if filled.parent:
        parent_input["initial_option"] = option(language, filled.parent, filled.path)
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": _text(say(language, "form.title")),
        "submit": _text(say(language, "form.submit")),
        "close": _text(say(language, "form.close")),
        "private_metadata": origin.dump(),
        "blocks": [
            *({"type": "section", "text": _text(note)} for note in filled.notes),
            _input(NAME, say(language, "form.name"), say(language, "form.name_hint"), name_input),
            _input(
                PARENT, say(language, "form.parent"), say(language, "form.parent_hint"), parent_input, optional=True
            ),
            {"type": "context", "elements": [_text(say(language, "form.public"))]},
        ],
    }


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
    """Return the parent that an option stands for in a form. Raises ValueError for an option that is none."""
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

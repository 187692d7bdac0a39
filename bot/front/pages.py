"""What is shown beside answers: the form, the help and the history. Pure; the sentences are those of texts/."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bot.iletimerkezi.index import Choice
from bot.model.job import Job
from bot.model.names import Parent, ParentId, ParentName
from bot.slack.messages import Message, plain
from bot.slack.texts import say
from bot.slack.wording import as_typed, cut, describe, escape, mention, tally

NAME, PARENT = "name", "parent"
"""Ids of the form's fields, each of a block and of the element in it."""

FORM = "addgroup"
"""The form's callback_id."""

MAX_OPTIONS = 100
"""Most options of a menu. Source: https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element"""

_MAX_OPTION = 75


@dataclass(frozen=True)
class Origin:
    """What a form goes on from, carried in its private_metadata: where it was asked for, and by which job's answer."""

    channel: str
    response_url: str = ""
    job: str = ""

    def __repr__(self) -> str:
        return f"Origin(channel={self.channel!r}, job={self.job!r})"

    def dump(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Origin:
        """Read what `dump` wrote. Raises ValueError or TypeError."""
        return cls(**json.loads(text))


def form(language: str, origin: Origin, name: str = "", parent: Parent = None) -> dict[str, Any]:
    """Return the form as a modal view, filled in with what is given."""
    name_input: dict[str, Any] = {"type": "plain_text_input", "action_id": NAME, "multiline": True}
    if name:
        name_input["initial_value"] = name
    else:
        name_input["focus_on_load"] = True
    parent_input: dict[str, Any] = {
        "type": "external_select",
        "action_id": PARENT,
        "min_query_length": 0,
        "placeholder": _text(say(language, "form.parent_placeholder")),
    }
    if parent:
        parent_input["initial_option"] = option(language, parent)
    return {
        "type": "modal",
        "callback_id": FORM,
        "title": _text(say(language, "form.title")),
        "submit": _text(say(language, "form.submit")),
        "close": _text(say(language, "form.close")),
        "private_metadata": origin.dump(),
        "blocks": [
            _input(NAME, say(language, "form.name"), say(language, "form.name_hint"), name_input),
            _input(
                PARENT, say(language, "form.parent"), say(language, "form.parent_hint"), parent_input, optional=True
            ),
        ],
    }


def option(language: str, parent: Parent, path: str = "") -> dict[str, Any]:
    """Return a menu's option for a parent: its path and id where they are known, the id alone, or the name as typed."""
    match parent:
        case ParentId(id=identifier):
            text = f"{_front_cut(path, _MAX_OPTION - len(identifier) - 3)} ({identifier})" if path else ""
            text = text or say(language, "form.by_id", id=identifier)
            return {"text": _text(cut(text, _MAX_OPTION)), "value": f"id:{identifier}"}
        case ParentName(name=name):
            return {"text": _text(cut(name, _MAX_OPTION)), "value": cut(f"name:{name}", 150)}
        case None:
            return {"text": _text(say(language, "form.no_list")), "value": "none:"}


def options(language: str, choices: Iterable[Choice]) -> list[dict[str, Any]]:
    """Return the options for groups found by typing."""
    return [option(language, ParentId(identifier), path) for path, identifier in choices][:MAX_OPTIONS]


def chosen(value: str) -> Parent:
    """Return the parent that an option stands for. Raises ValueError for an option that is none."""
    kind, _, rest = value.partition(":")
    if kind == "id" and rest.isdecimal():
        return ParentId(rest)
    if kind == "name" and rest:
        return ParentName(rest)
    raise ValueError("not an option for a parent")


def help_page(language: str, groups: Sequence[Choice]) -> Message:
    """Return the usage of the command, with examples from the account's own groups where they are known."""
    path, identifier = next(((path, i) for path, i in groups if "›" not in path), ("VIP Customers", "5"))
    return plain(say(language, "help.text", id=escape(identifier), parent=escape(cut(path, 40).replace("`", "'"))))


def history_page(language: str, jobs: Sequence[Job], team: str) -> Message:
    """Return the last jobs: when, who, what, what came of it, and a link to the thread; `team` is the Slack domain."""
    if not jobs:
        return plain(say(language, "history.none"))
    return plain("\n".join([say(language, "history.heading"), *(_line(language, job, team) for job in jobs)]))


def _line(language: str, job: Job, team: str) -> str:
    first = job.steps[0]
    when = datetime.fromtimestamp(job.accepted_at, UTC)
    shown = f"<!date^{int(job.accepted_at)}^{{date_short_pretty}} {{time}}|{when:%Y-%m-%d %H:%M} UTC>"
    result = _result(language, job)
    link = ""
    if job.thread and team:
        address = f"https://{team}.slack.com/archives/{job.thread.channel}/p{job.thread.ts.replace('.', '')}"
        link = f" · <{address}|{say(language, 'history.thread')}>"
    what = as_typed(first.name)
    if len(job.steps) > 1:
        what = say(language, "history.more", name=what, count=len(job.steps) - 1)
    return f"• {shown} · {mention(job.user)} · {what} · {result}{link}"


def _result(language: str, job: Job) -> str:
    """Return what became of a job, or that it is under way."""
    if not job.settled:
        return say(language, "history.open")
    if len(job.steps) == 1 or job.denied:
        return describe(language, job.steps[0], "history")
    return tally(language, "history.tree", job)


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

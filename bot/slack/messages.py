"""The form of messages: text, and buttons where people can go on. Pure.

A message is {"text": …} and, where there are buttons, {"blocks": […]} with the same text: a screen reader and a
notification have only the text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.iletimerkezi.client import NotSent, Rejected
from bot.model.job import Created, Duplicate, Job, NoParent, Outcome, Unclear, rest
from bot.model.names import UsageError
from bot.slack import tree, wording
from bot.slack.texts import has, say

Message = dict[str, Any]

VERSION = 1
"""Of what buttons carry: one that was posted by another version is answered with a sentence."""

CURED_IN_TIME = (400, 401, 402, 404, 503)
"""Codes of refusals after which the same command may be sent again when somebody has mended the cause."""

MAX_SECTION = 3000
"""Longest text of a section, in characters. Source: https://docs.slack.dev/reference/block-kit/blocks/section-block"""


def plain(text: str) -> Message:
    """Return a message without buttons."""
    return {"text": text}


def usage(language: str, error: UsageError) -> Message:
    """Return what is wrong with a command, its offending part shown, and an example of a right one."""
    return plain(f"{wording.mistake(language, error)}\n{say(language, 'usage.nothing_done')}")


def root(job: Job, made: int | None = None) -> Message:
    """Return the root message: who asked for what, and what came of it or how far it is.

    `made` is how many of its groups there are, where other jobs have gone on from it.
    """
    return plain(tree.root(job, made) if len(job.steps) > 1 else wording.root(job))


def answer(job: Job, remark: str = "") -> list[Message]:
    """Return the final answer of a settled job; its last message has `remark` and the buttons that go on from it."""
    if not job.settled:
        raise ValueError(f"job {job.id} is not settled")
    texts = tree.answer(job) if len(job.steps) > 1 and not job.denied else [wording.answer(job)]
    if via := wording.via(job):
        texts[0] = f"{via}\n{texts[0]}"
    if remark:
        texts[-1] = f"{texts[-1]}\n\n{remark}"
    buttons = [_button(job.language, action, job) for action in _actions(job)]
    return [*map(plain, texts[:-1]), _message(texts[-1], buttons)]


def private(job: Job) -> list[Message]:
    """Return the final answer for where the bot may not post, with the remedy; a refusal of the person has its own."""
    return answer(job) if job.denied else answer(job, say(job.language, "answer.private"))


def duplicate(job: Job, language: str) -> Message:
    """Return why a job was not accepted, with the button that has it made all the same."""
    found = next(step for step in job.steps if isinstance(step.outcome, Duplicate))
    return _message(wording.duplicate(language, found), [_button(language, "another", job)])


def _message(text: str, buttons: Sequence[Message]) -> Message:
    if not buttons:
        return plain(text)
    texts = [{"type": "mrkdwn", "text": part, "verbatim": True} for part in _parts(text)]
    sections = [{"type": "section", "text": part} for part in texts]
    return {"text": text, "blocks": [*sections, {"type": "actions", "elements": list(buttons)}]}


def _parts(text: str) -> list[str]:
    """Split a text at its lines into parts that a section bears."""
    parts = [""]
    for line in text.splitlines(keepends=True):
        if len(parts[-1]) + len(line) > MAX_SECTION:
            parts.append("")
        parts[-1] += line
    return parts


def _actions(job: Job) -> list[str]:
    """Return how people can go on from an answer."""
    if len(job.steps) == 1:
        return _actions_after(job.steps[0].outcome)
    unclear = [step.outcome for step in job.steps if isinstance(step.outcome, Unclear)]
    looked_up = [outcome for outcome in unclear if outcome.found is not None]
    actions = ["again"] if rest(job, "again") else []
    return [*actions, *["look"][: len(unclear)], *["anyway"][: len(looked_up)]]


def _actions_after(outcome: Outcome | None) -> list[str]:
    match outcome:
        case Created():
            return ["subgroup"]
        case Rejected(code=code):
            return ["again"] if code in CURED_IN_TIME else ["edit"]
        case NotSent():
            return ["again"]
        case NoParent(reason=reason):
            return ["edit", "again"] if reason == "unavailable" else ["edit"]
        case Unclear(found=found):
            return ["look"] if found is None else ["look", "anyway"]
        case Duplicate():
            return ["another"]
        case _:
            return []


def _button(language: str, action: str, job: Job) -> Message:
    """Return a button; what it does and to which job is in its value, what it risks in its question."""
    label = "rest" if action == "again" and len(job.steps) > 1 else action
    button: Message = {
        "type": "button",
        "action_id": action,
        "text": _text(language, f"button.{label}"),
        "value": json.dumps({"v": VERSION, "job": job.id}),
    }
    if has(f"confirm.{action}"):
        button["style"] = "danger"
        button["confirm"] = {
            "title": _text(language, f"button.{label}"),
            "text": _text(language, f"confirm.{action}"),
            "confirm": _text(language, "confirm.yes"),
            "deny": _text(language, "confirm.no"),
        }
    return button


def _text(language: str, key: str) -> Message:
    return {"type": "plain_text", "text": say(language, key)}

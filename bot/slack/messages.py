"""Messages as Slack takes them: text, and buttons. Pure.

A message is {"text": …} and, where there are buttons, {"blocks": […]} with the same text: a screen reader and a
notification have only the text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from bot.model.followup import FollowUp
from bot.model.job import Job
from bot.model.names import UsageError
from bot.model.next_job import offers
from bot.model.outcome import Duplicate
from bot.slack import tree, wording
from bot.slack.texts import say

Message = dict[str, Any]

VERSION = 1
"""Version of what buttons carry. A button of another version is answered with a sentence."""

MAX_SECTION = 3000
"""Longest text of a section, in characters. Source: https://docs.slack.dev/reference/block-kit/blocks/section-block"""


def plain(text: str) -> Message:
    """Return a message without buttons."""
    return {"text": text}


def usage(language: str, error: UsageError) -> Message:
    """Return what is wrong with a command, its offending part shown, and an example of a right one."""
    return plain(f"{wording.mistake(language, error)}\n{say(language, 'usage.nothing_done')}")


def root(job: Job, created: int | None = None) -> Message:
    """Return the root message: who asked for what, and what came of it or how far it is.

    `created` is how many of its groups exist, where other jobs went on from it.
    """
    return plain(tree.root(job, created) if len(job.steps) > 1 else wording.root(job))


def answer(job: Job, remark: str = "") -> list[Message]:
    """Return the final answer to a settled job; its last message has `remark` and the buttons."""
    if not job.settled:
        raise ValueError(f"job {job.id} is not settled")
    single = len(job.steps) == 1 or job.denied
    texts = [wording.answer(job.language, job, job.steps[0])] if single else tree.answer(job)
    if via := wording.via(job):
        texts[0] = f"{via}\n{texts[0]}"
    if remark:
        texts[-1] = f"{texts[-1]}\n\n{remark}"
    return [*map(plain, texts[:-1]), _message(texts[-1], [_button(job.language, way, job) for way in offers(job)])]


def private(job: Job, refused: str = "") -> list[Message]:
    """Return the final answer for where the bot may not post, with the remedy; a refused person gets none.

    `refused` is Slack's word for why, "" when it is not known: an invitation helps only in channels that take posts.
    """
    if job.denied:
        return answer(job)
    invited = refused in ("", "not_in_channel", "channel_not_found") and not job.channel.startswith("D")
    return answer(job, say(job.language, "answer.private" if invited else "answer.private_closed"))


def duplicate(job: Job, language: str) -> Message:
    """Return why a job was not accepted, with the button that creates the group anyway."""
    step = next(step for step in job.steps if isinstance(step.outcome, Duplicate))
    return _message(wording.answer(language, job, step), [_button(language, FollowUp.ANOTHER, job)])


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


def _button(language: str, action: FollowUp, job: Job) -> Message:
    """Return a button. Its value names the job; a dialog asks before it does something risky."""
    label = "rest" if action is FollowUp.AGAIN and len(job.steps) > 1 else action
    button: Message = {
        "type": "button",
        "action_id": action.value,
        "text": _text(language, f"button.{label}"),
        "value": json.dumps({"v": VERSION, "job": job.id}),
    }
    if action.forced:
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

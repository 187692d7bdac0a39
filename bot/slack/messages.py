"""Messages about a job as Slack takes them, with the buttons to go on from there. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from bot.model.followup import FollowUp
from bot.model.job import Count, Job
from bot.model.next_job import acted_on, still_offered
from bot.model.outcome import Duplicate
from bot.slack import blocks, tree, wording
from bot.slack.blocks import Line, Message, plain
from bot.slack.handing_back import Typed, with_text
from bot.slack.mrkdwn import cut
from bot.slack.texts import Language, Voice, say

__all__ = ["VERSION", "Message", "answer", "duplicate", "plain", "private", "root"]

VERSION = 1
"""Version of what buttons carry. A button of another version is answered with a sentence."""

_CLOSED = ("is_archived", "restricted_action", "messages_tab_disabled")
"""How Slack's words begin that mean a conversation in which no app can post.

Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

_MAX_SPOKEN = 75
"""Longest accessibility label.

Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element
"""


def root(job: Job, count: Count | None = None) -> Message:
    """Return the root message: who asked for what, and what came of it or how far it is.

    `count` is what became of its groups, where other jobs went on from it.
    """
    return plain(tree.root(job, count) if len(job.steps) > 1 else wording.root(job))


def answer(job: Job, contact: str = "", remark: str = "", used: Collection[FollowUp] = ()) -> list[Message]:
    """Return the final answer to a settled job, for the thread under its root; or, with a `remark`, without a root.

    `contact` is the Slack id of who helps. The last message has the remark and the buttons, without those that were
    `used`.
    """
    if not job.settled:
        raise ValueError(f"job {job.id} is not settled")
    voice = Voice(job.language, contact)
    via = wording.via(voice, job)
    if job.rootless and not via:
        via = tree.asked_for(job) if len(job.steps) > 1 else wording.asked(job)
    if len(job.steps) > 1 and not job.denied:
        lines = tree.answer(voice, job)
    else:
        named = bool(job.denied or remark or via)  # there is no root, or it may name another group
        lines = [Line(line) for line in wording.answer(voice, job, job.steps[0], named)]
    told = [*([Line(via)] if via else []), *lines, *([Line(""), Line(remark)] if remark else [])]
    return blocks.messages(told, [_button(job.language, way, job) for way in still_offered(job, used)])


def private(job: Job, refused: str = "", contact: str = "") -> list[Message]:
    """Return the final answer for where the bot may not post, with the remedy; a refused person gets none.

    `refused` is Slack's word for why, "" when it is not known: an invitation helps only in channels that take posts.
    """
    if job.denied:
        return answer(job, contact)
    if job.refused:
        return _of_refused(job, Voice(job.language, contact))
    missing = refused in ("", "not_in_channel", "channel_not_found")
    if missing and not job.channel.startswith("D"):
        why = "private"
    else:
        why = "private_closed" if missing or refused.startswith(_CLOSED) else "private_refused"
    return answer(job, contact, say(job.language, f"answer.{why}"))


def duplicate(job: Job, language: Language) -> Message:
    """Return why a job was not accepted, with the button that creates the group anyway."""
    step = next(step for step in job.steps if isinstance(step.outcome, Duplicate))
    lines = [Line(line) for line in wording.answer(language, job, step, named=True)]
    (message,) = blocks.messages(lines, [_button(language, FollowUp.ANOTHER, job)])
    return message


def _of_refused(job: Job, voice: Voice) -> list[Message]:
    """Return why a job was not accepted, with what was typed below it; a button is still there to be pressed."""
    told = duplicate(job, voice)
    typed = job.followup in (None, FollowUp.EDIT) and job.typed.strip()
    return with_text(voice, told, Typed(job.typed, job.reply_to)) if typed else [told]


def _button(language: Language, action: FollowUp, job: Job) -> Message:
    """Return a button. Its value names the job; a dialog asks before it does something risky.

    A screen reader also hears which groups it is about, because a thread may have the same button several times.
    """
    label = say(language, f"button.{'rest' if action is FollowUp.AGAIN and len(job.steps) > 1 else action}")
    names = ", ".join(acted_on(job, action))
    button: Message = {
        "type": "button",
        "action_id": action.value,
        "text": _text(label),
        "value": json.dumps({"v": VERSION, "job": job.id}),
        "accessibility_label": cut(say(language, "answer.button", button=label, name=names), _MAX_SPOKEN),
    }
    if action is FollowUp.CONFIRM:
        button["style"] = "primary"
    if action.forced:
        button["confirm"] = {
            "title": _text(label),
            "text": _text(say(language, f"confirm.{action}")),
            "confirm": _text(say(language, "confirm.yes")),
            "deny": _text(say(language, "confirm.no")),
            "style": "danger",
        }
    return button


def _text(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}

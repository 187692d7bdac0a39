"""Messages about a job as Slack takes them, with the buttons to go on from there. Pure.

The outcome stands first, then the group's name, then the person: a phone shows the first words of `text`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Any

from bot.model.job import GROUP_DM, Job, Step
from bot.model.next_job import Count, acted_on, choices, missing, offers
from bot.model.outcome import FORCED, Duplicate, FollowUp, Skipped
from bot.slack import blocks, wording
from bot.slack.blocks import Line, Message, plain
from bot.slack.handing_back import Typed, with_text
from bot.slack.mrkdwn import as_typed, cut, mention, quote
from bot.slack.texts import Language, say
from bot.slack.wording import MOST_OF_NAME, Told, tell

__all__ = ["VERSION", "Message", "answer", "audit", "duplicate", "plain", "private", "root"]

VERSION = 1
"""Version of what buttons carry. A button of another version is answered with a sentence."""

LATE = 60.0
"""After how many seconds an answer mentions the person even if there is nothing to do: they look elsewhere by then."""

_CLOSED = ("is_archived", "restricted_action", "messages_tab_disabled")
"""How Slack's words begin that mean a conversation in which no app can post.

Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
"""

_MAX_LABEL = 75
"""Longest label of a button, and the longest accessibility label.

Source: https://docs.slack.dev/reference/block-kit/block-elements/button-element
"""

_MOST_SKIPPED = 10  # groups of a tree that were skipped for one above them and have a line each
_SHORT = 300  # characters of a quotation, of which a tree may have several


def root(language: Language, job: Job, count: Count | None = None, *, edited: bool = False) -> Message:
    """Return the root message: what came of it or how far it is, and who asked for it.

    `count` is what became of its groups, where other jobs went on from it. It mentions the person where that rings
    nobody, as when an `edited` one shows the result, or where the answer does not.
    """
    rings = job.settled and (edited or not (_calls(job) or job.looked_for))
    told = wording.heading(language, job, count, "root")
    who, editor = (mention(user) if rings else wording.person(language, user) for user in (job.asker, job.user))
    if not rings and "<" in who + editor:  # a name is not at hand
        return plain(told)
    if job.followup is FollowUp.EDIT and job.user != job.asker:
        return plain(say(language, "root.changed", told=told, who=who, editor=editor))
    return plain(say(language, "root.for", told=told, who=who))


def answer(language: Language, job: Job, remark: str = "", used: Collection[FollowUp] = ()) -> list[Message]:
    """Return the final answer to a settled job, for the thread under its root; with a `remark`, for one person alone.

    The last message has the remark and the buttons, without those that were `used`. It mentions the person where they
    have something to do, or waited long.
    """
    if not job.settled:
        raise ValueError(f"job {job.id} is not settled")
    head = wording.heading(language, job)
    if (pressed := wording.via(language, job)) or (_calls(job) and not remark and not job.rootless):
        head = say(language, "answer.pressed", told=head, via=pressed or mention(job.user))
    elif job.rootless:
        head = say(language, "root.for", told=head, who=mention(job.asker))
    below = _of_tree(language, job) if len(job.steps) > 1 and not job.denied else _of_one(language, job)
    lines = [Line(head), *below, *([Line(""), Line(remark)] if remark else [])]
    return blocks.messages(lines, list(_buttons(language, job, used)))


def private(language: Language, job: Job, refused: str = "") -> list[Message]:
    """Return the final answer for where the bot may not post, with the remedy; a refused person gets none.

    `refused` is Slack's word for why, "" when it is not known: an invitation helps only in channels that take posts.
    """
    if job.refused:
        return _of_refused(language, job)
    missing = refused in ("", "not_in_channel", "channel_not_found")
    if missing and job.channel_kind != GROUP_DM and not job.channel.startswith(("D", "U", "W")):
        why = "private"
    else:
        why = "private_closed" if missing or refused.startswith(_CLOSED) else "private_refused"
    return answer(language, job, "" if job.denied else say(language, f"answer.{why}"))


def duplicate(job: Job, language: Language) -> Message:
    """Return why a job was not accepted, with the button that creates the group anyway."""
    step = next(step for step in job.steps if isinstance(step.outcome, Duplicate))
    told = tell(language, job, step)
    lines = [Line(told["heading"]), *_advice(language, told)]
    (message,) = blocks.messages(lines, [_button(language, FollowUp.ANOTHER, job, say(language, "button.another"))])
    return message


def _of_refused(language: Language, job: Job) -> list[Message]:
    """Return why a job was not accepted, with what was typed below it; a button is still there to be pressed."""
    told = duplicate(job, language)
    typed = job.followup in (None, FollowUp.EDIT) and job.typed.strip()
    return with_text(language, told, Typed(job.typed, job.reply_to)) if typed else [told]


def audit(language: Language, job: Job) -> list[Message]:
    """Return what the audit channel reads: what was created, or that somebody was refused; nothing for neither."""
    lines = dict.fromkeys(tell(language, job, step)["audit"] for step in job.steps)
    return blocks.messages(Line(line) for line in lines if line)


def _calls(job: Job) -> bool:
    """Tell whether an answer mentions the person: they have something to do, or it comes late.

    Where the bot looks again by itself, it is told later what came of that.
    """
    looked_for = job.looked_for
    done = [
        step.position in looked_for or isinstance(step.outcome, Skipped) or (step.outcome and step.outcome.group_id)
        for step in job.steps
    ]
    return not job.denied and (not all(done) or (job.age > LATE and not looked_for))


def _of_one(language: Language, job: Job) -> list[Line]:
    """Return what stands below the outcome of one group: what to do, and why."""
    step = job.steps[0]
    told = tell(language, job, step)
    outcome = step.outcome
    words = f"{told['quoted']}\n{quote(outcome.told.quoted)}".strip() if outcome and told["quoted"] else ""
    reference = say(language, "answer.reference", reference=job.id) if outcome and outcome.told.traceable else ""
    return [*_advice(language, told), *(Line(line) for line in (words, reference) if line)]


def _advice(language: Language, told: Told) -> list[Line]:
    todo = say(language, "answer.next", next=told["next"]) if told["next"] else ""
    return [Line(line) for line in (told["finding"], todo, told["explanation"], told["choices"]) if line]


def _of_tree(language: Language, job: Job) -> list[Line]:
    """Return a line for each group of a tree, then what to do about what is missing."""
    told = [tell(language, job, step) for step in job.steps]
    lines = list(_groups(language, job, told))
    lines += [Line(line) for line in dict.fromkeys(_known(job, told)) if line]
    advice: dict[str, list[str]] = {}
    for step, each in zip(job.steps, told, strict=True):
        if step.outcome and not step.outcome.group_id and each["next"]:
            todo = each["below"] or " ".join(filter(None, (each["finding"], each["next"], each["choices"])))
            advice.setdefault(todo, []).append(as_typed(cut(step.name, MOST_OF_NAME)))
    for todo, names in advice.items():
        if len(advice) == 1:
            lines.append(Line(say(language, "answer.next", next=todo)))
        else:
            lines.append(Line(say(language, "tree.why", names=", ".join(names[:3]), next=todo)))
    if not advice and FollowUp.AGAIN in offers(job):
        lines.append(Line(say(language, "answer.next", next=say(language, "tree.rest"))))
    elif not advice and missing(job, FollowUp.AGAIN):
        lines.append(Line(say(language, "answer.next", next=say(language, "tree.change"))))
    words = dict.fromkeys(
        f"{each['quoted']}\n{quote(step.outcome.told.quoted, _SHORT)}".strip()
        for step, each in zip(job.steps, told, strict=True)
        if step.outcome and each["quoted"]
    )
    traceable = any(step.outcome.told.traceable for step in job.steps if step.outcome)
    reference = [say(language, "answer.reference", reference=job.id)] if traceable else []
    return [*lines, *map(Line, [*words, *reference])]


def _known(job: Job, told: list[Told]) -> Iterator[str]:
    """Yield what is to be known of groups of a tree that are there."""
    for step, each in zip(job.steps, told, strict=True):
        if step.outcome and step.outcome.group_id:
            yield each["below"]


def _groups(language: Language, job: Job, told: list[Told]) -> Iterator[Line]:
    """Yield a line for each group; many that were skipped for one group above them share a line.

    Its text names the group above, because a screen reader does not tell its depth.
    """
    for over, steps in groupby(job.steps, lambda step: _missing_above(job, step)):
        run = list(steps)
        if over and len(run) > _MOST_SKIPPED:
            name, above = cut(over.name, MOST_OF_NAME), tell(language, job, run[0])["above"]
            shared = say(language, "tree.many", count=len(run), name=as_typed(name), above=above)
            yield Line(f"• {shared}", item=shared, name=name, depth=_depth(job, run[0]))
            continue
        for step in run:
            each, depth = told[step.position], _depth(job, step)
            name, above = as_typed(step.name), wording.parent(language, job, step)
            named, values = name + wording.under(language, above), {"mark": each["mark"], "result": each["line"]}
            item = say(language, "tree.line", name=name if depth else named, **values)
            yield Line("• " + say(language, "tree.line", name=named, **values), item, step.name, depth)


def _missing_above(job: Job, step: Step) -> Step | None:
    """Return the group for which a step was skipped, None if it was not."""
    above = step
    while isinstance(above.outcome, Skipped) and above.above is not None:
        above = job.steps[above.above]
    return None if above is step else above


def _depth(job: Job, step: Step) -> int:
    return 0 if step.above is None else 1 + _depth(job, job.steps[step.above])


def _buttons(language: Language, job: Job, used: Collection[FollowUp]) -> Iterator[Message]:
    for way in offers(job, used):
        if way is FollowUp.UNDER:
            for number, (path, identifier) in enumerate(choices(job), 1):
                label = f"{cut(path[::-1], _MAX_LABEL - len(identifier) - 3)[::-1]} ({identifier})"  # its end tells it
                yield {
                    **_button(language, way, job, cut(label, _MAX_LABEL), parent=identifier[:_MAX_LABEL]),
                    "action_id": f"{way}_{number}",
                }
        else:
            label = say(language, f"button.{'rest' if way is FollowUp.AGAIN and len(job.steps) > 1 else way}")
            yield _button(language, way, job, label)


def _button(language: Language, action: FollowUp, job: Job, label: str, **value: str) -> Message:
    """Return a button. Its value names the job; a dialog asks before it does something risky.

    A screen reader also hears which groups it is about, because a thread may have the same button several times.
    """
    names = ", ".join(acted_on(job, action))
    button: Message = {
        "type": "button",
        "action_id": action.value,
        "text": _text(label),
        "value": json.dumps({"v": VERSION, "job": job.id, **value}),
        "accessibility_label": cut(say(language, "answer.button", button=label, name=names), _MAX_LABEL),
    }
    if action is FollowUp.CONFIRM:
        button["style"] = "primary"
    if action in FORCED:
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

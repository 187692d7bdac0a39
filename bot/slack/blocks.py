"""What answers look like: jobs and outcomes become Slack messages. Pure; the sentences are those of texts/.

A message is {"text": …} and, where there are buttons, {"blocks": […]} with the same text: a screen reader and a
notification have only the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from bot.command import ParentId, ParentName, UsageError
from bot.iletimerkezi import NotSent, Rejected
from bot.jobs import Created, Duplicate, Job, NoParent, Outcome, Skipped, Step, Unclear
from bot.texts import has, say

Message = dict[str, Any]

VERSION = 1
"""Of what buttons carry: one that was posted by another version is answered with a sentence."""

SETTINGS_FAULTS = ("tls", "proxy", "address")
"""Reasons for NotSent that trying again does not cure."""

CURED_BY_EDITING = (422, 461, 463)
"""Codes of refusals that another name or parent cures; unknown codes may be such too."""

CURED_IN_TIME = (400, 401, 402, 404, 503)
"""Codes of refusals after which the same command may be sent again when somebody has mended the cause."""

MAX_QUOTE = 1000
"""Longest quotation, in characters."""

MAX_SECTION = 3000
"""Longest text of a section, in characters. Source: https://docs.slack.dev/reference/block-kit/blocks/section-block"""


def escape(text: str) -> str:
    """Escape what people or the API wrote, so that Slack shows it and acts on none of it.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def as_typed(text: str) -> str:
    """Show a name exactly: as code, in which Slack formats nothing, or in quotes where it holds a backtick."""
    return f"“{escape(text)}”" if "`" in text else f"`{escape(text)}`"


def quote(text: str) -> str:
    """Show foreign words as a quotation, each line marked; cut where they are longer than a message bears."""
    return "\n".join(f"> {escape(line)}" for line in cut(text, MAX_QUOTE).splitlines() if line.strip())


def cut(text: str, most: int) -> str:
    """Cut a text to a number of characters, the last of which then says so."""
    return text if len(text) <= most else text[: most - 1] + "…"


def plain(text: str) -> Message:
    """Return a message without buttons."""
    return {"text": text}


def usage(language: str, error: UsageError) -> Message:
    """Return what is wrong with a command, its offending part shown, and an example of a right one."""
    return plain(f"{mistake(language, error)}\n{say(language, 'usage.nothing_done')}")


def mistake(language: str, error: UsageError) -> str:
    """Return the sentence for a usage error."""
    return say(language, f"usage.{error.key}", **{name: as_typed(value) for name, value in error.values.items()})


def root(job: Job) -> Message:
    """Return the root message: who asked for what and, once it is settled, what came of it."""
    step, language = job.steps[0], job.language
    what = as_typed(step.name)
    if step.parent:
        what = say(language, "root.under", name=what, parent=_parent(step))
    asked = say(language, "root.asked", who=f"<@{job.asker}>", what=what)
    if not step.outcome:
        return plain(asked)
    group_id = escape(step.outcome.group.id) if isinstance(step.outcome, Created) else ""
    return plain(say(language, f"root.{step.state}", asked=asked, id=group_id, title=_title(language, step.outcome)))


def answer(job: Job) -> Message:
    """Return the final answer of a settled job, with the buttons that go on from it."""
    step = job.steps[0]
    if not step.outcome:
        raise ValueError(f"job {job.id} is not settled")
    lines = [_via(job), *_answer_lines(job, step, step.outcome)]
    return _message("\n".join(line for line in lines if line), _buttons(job, step.outcome))


def private(job: Job) -> Message:
    """Return the final answer for where the bot may not post, with the remedy."""
    message = answer(job)
    text = f"{message['text']}\n\n{say(job.language, 'answer.private')}"
    return _message(text, _buttons(job, job.steps[0].outcome))


def duplicate(job: Job, language: str) -> Message:
    """Return why a job was not accepted, with the button that has it made all the same."""
    (found,) = (step for step in job.steps if isinstance(step.outcome, Duplicate))
    return _message(_duplicate_text(language, found), [_button(language, "another", job.id)])


def _message(text: str, buttons: Sequence[Message]) -> Message:
    if not buttons:
        return plain(text)
    sections = [
        {"type": "section", "text": {"type": "mrkdwn", "text": part, "verbatim": True}} for part in _parts(text)
    ]
    return {"text": text, "blocks": [*sections, {"type": "actions", "elements": list(buttons)}]}


def _parts(text: str) -> list[str]:
    """Split a text at its lines into parts that a section bears."""
    parts = [""]
    for line in text.splitlines(keepends=True):
        if len(parts[-1]) + len(line) > MAX_SECTION:
            parts.append("")
        parts[-1] += line
    return parts


def _button(language: str, action: str, job: str) -> Message:
    """Return a button; what it does and to which job is in its value, what it risks in its question."""
    button: Message = {
        "type": "button",
        "action_id": action,
        "text": {"type": "plain_text", "text": say(language, f"button.{action}")},
        "value": json.dumps({"v": VERSION, "job": job}),
    }
    if has(f"confirm.{action}"):
        button["style"] = "danger"
        button["confirm"] = {
            "title": {"type": "plain_text", "text": say(language, f"button.{action}")},
            "text": {"type": "plain_text", "text": say(language, f"confirm.{action}")},
            "confirm": {"type": "plain_text", "text": say(language, "confirm.yes")},
            "deny": {"type": "plain_text", "text": say(language, "confirm.no")},
        }
    return button


def _buttons(job: Job, outcome: Outcome | None) -> list[Message]:
    match outcome:
        case Created():
            actions: Iterable[str] = ["subgroup"]
        case Rejected(code=code):
            actions = ["again"] if code in CURED_IN_TIME else ["edit"]
        case NotSent():
            actions = ["again"]
        case NoParent(reason=reason):
            actions = ["edit", "again"] if reason == "unavailable" else ["edit"]
        case Unclear(found=found):
            actions = ["look"] if found is None else ["look", "anyway"]
        case Duplicate():
            actions = ["another"]
        case _:
            actions = []
    return [_button(job.language, action, job.id) for action in actions]


def _via(job: Job) -> str:
    """Return who went on from an earlier answer, and how."""
    key = f"via.{job.trigger.partition(':')[0]}"
    return say(job.language, key, who=f"<@{job.user}>") if has(key) else ""


def _answer_lines(job: Job, step: Step, outcome: Outcome) -> list[str]:
    language = job.language
    reference = say(language, "answer.reference", reference=job.id)
    match outcome:
        case Created():
            return [say(language, "answer.created"), *_facts(language, step)]
        case Duplicate():
            return [_duplicate_text(language, step)]
        case Unclear(reason, found):
            heading, explanation = say(language, "unknown.heading"), say(language, f"unknown.explanation.{reason}")
            remedy = [
                _looked_up(language, found),
                _next(language, say(language, "unknown.next", name=as_typed(step.name))),
            ]
        case Rejected():
            heading = say(language, "answer.not_created", title=_title(language, outcome))
            explanation = _rejected(language, outcome, "explanation")
            words = [say(language, "answer.code", code=outcome.code), quote(outcome.message)]
            remedy = [_next(language, _rejected(language, outcome, "next")), *words]
        case NotSent(reason=reason):
            heading = say(language, "answer.not_created", title=_title(language, outcome))
            explanation = say(language, f"not_sent.explanation.{reason}")
            remedy = [_next(language, say(language, f"not_sent.next{'_settings' * (reason in SETTINGS_FAULTS)}"))]
        case NoParent(reason, candidates):
            heading = say(language, "answer.not_created", title=_title(language, outcome))
            explanation = say(language, f"no_parent.{reason}.explanation", parent=_parent(step))
            remedy = [*_listed(language, candidates), _next(language, say(language, f"no_parent.{reason}.next"))]
        case Skipped():
            return [say(language, "answer.skipped"), *_facts(language, step)]
    return [heading, explanation, *_facts(language, step), *remedy, reference]


def _title(language: str, outcome: Outcome) -> str:
    """Return in a few words why nothing was made."""
    match outcome:
        case Rejected():
            return _rejected(language, outcome, "title")
        case NotSent():
            return say(language, "not_sent.title")
        case NoParent(reason=reason):
            return say(language, f"no_parent.{reason}.title")
        case _:
            return ""


def _rejected(language: str, outcome: Rejected, part: str) -> str:
    key = f"rejected.{outcome.code}.{part}"
    return say(language, key if has(key) else f"rejected.other.{part}")


def _next(language: str, remedy: str) -> str:
    return say(language, "answer.next", next=remedy)


def _listed(language: str, candidates: Iterable[tuple[str, str]]) -> list[str]:
    return [say(language, "no_parent.candidate", path=as_typed(path), id=f"`{escape(i)}`") for path, i in candidates]


def _looked_up(language: str, found: tuple[str, ...] | None) -> str:
    if found is None:
        return say(language, "unknown.not_looked_up")
    if not found:
        return say(language, "unknown.found_none")
    return say(language, "unknown.found", ids=", ".join(f"`{escape(identifier)}`" for identifier in found))


def _duplicate_text(language: str, step: Step) -> str:
    """Return why a group is not made again: who asked for it, when, and what became of it."""
    if not isinstance(step.outcome, Duplicate):
        return ""
    found = step.outcome
    minutes = max(1, round(found.age / 60))
    who, group_id = f"<@{found.user}>", f"`{escape(found.group_id)}`"
    key = found.state if found.state in ("created", "unknown") else "under_way"
    why = say(language, f"duplicate.{key}", who=who, minutes=minutes, id=group_id)
    return "\n".join([say(language, "duplicate.heading"), why, *_facts(language, step)])


def _facts(language: str, step: Step) -> list[str]:
    """Return name, id where there is one, and parent, a line each."""
    lines = [say(language, "answer.name", name=as_typed(step.name))]
    if isinstance(step.outcome, Created):
        lines.append(say(language, "answer.id", id=f"`{escape(step.outcome.group.id)}`"))
    return [
        *lines,
        say(language, "answer.parent", parent=_parent(step)) if step.parent else say(language, "answer.main"),
    ]


def _parent(step: Step) -> str:
    """Show a parent as it was given, and its id where that is known."""
    match step.parent:
        case ParentId(id=identifier):
            return f"`{identifier}`"
        case ParentName(name=name):
            return f"{as_typed(name)} (`{escape(step.under)}`)" if step.under else as_typed(name)
        case None:
            return ""

"""What the bot says about a job: outcomes become sentences, and what people wrote is shown as it is. Pure.

The sentences are in texts/, in a table for each state of an outcome; `phrase` finds them. No function here knows a
single outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.model.job import Job, Step
from bot.model.names import ParentId, ParentName, UsageError
from bot.model.outcome import Denied, Outcome
from bot.slack.texts import has, say, say_plain

MAX_QUOTE = 500
"""Longest quotation, in characters: escaped, it must still fit into a section."""


def escape(text: str) -> str:
    """Escape what people or the API wrote, so that Slack shows it and acts on none of it.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(user: str) -> str:
    """Name a person by their Slack user id; Slack shows their name."""
    return f"<@{escape(user)}>"


def as_typed(text: str) -> str:
    """Show a name exactly: as code, in which Slack formats nothing, or in quotes where it holds a backtick."""
    return f"“{escape(text)}”" if "`" in text else f"`{escape(text)}`"


def code(text: str) -> str:
    """Show an id as code, so that it is easy to copy; "" stays empty."""
    return f"`{escape(text)}`" if text else ""


def quote(text: str) -> str:
    """Show the provider's words as a quotation, each line marked; cut where they are too long for a message."""
    return "\n".join(f"> {escape(line)}" for line in cut(text, MAX_QUOTE).splitlines() if line.strip())


def cut(text: str, most: int) -> str:
    """Cut a text to a number of characters; an ellipsis then ends it."""
    return text if len(text) <= most else text[: most - 1] + "…"


def mistake(language: str, error: UsageError, plain: bool = False) -> str:
    """Return the sentence for a usage error, with its line number if the text has several lines.

    `plain` is for an error at a field of the form, where Slack formats nothing.
    """
    tell, show = (say_plain, str) if plain else (say, as_typed)
    values = {name: show(cut(value, 300)) for name, value in error.values.items()}
    sentence = tell(language, f"usage.{error.key}", **values)
    return sentence if error.line is None else say(language, "usage.line", line=error.line, mistake=sentence)


def phrase(language: str, outcome: Outcome, part: str, **values: object) -> str:
    """Return what the texts say about an outcome in one `part` of a message, "" where they say nothing.

    The parts are title, root, heading, explanation, finding, next, quoted, line (of a tree), below (a tree), history
    and audit. Each comes from the first table that has it: those that the outcome names, its state's, and `outcome`.
    """
    for table in (*outcome.words, outcome.state, "outcome"):
        if has(f"{table}.{part}"):
            return say(language, f"{table}.{part}", **values)
    return ""


def describe(language: str, step: Step, part: str, **values: object) -> str:
    """Return the phrase about a step's outcome, with the step's facts in its places; "" while there is no outcome."""
    outcome = step.outcome
    if not outcome:
        return ""
    facts = {
        "name": as_typed(step.name),
        "parent": parent(step),
        "id": code(outcome.group_id),
        "title": phrase(language, outcome, "title"),
        **{name: _SHOWN[name](value) for name, value in vars(outcome).items() if name in _SHOWN},
    }
    return phrase(language, outcome, part, **{**facts, **values})


_SHOWN: dict[str, Callable[[Any], str]] = {
    "code": str,
    "user": mention,
    "age": lambda seconds: str(max(1, round(seconds / 60))),
    "path": as_typed,
    "found": lambda ids: ", ".join(map(code, ids or ())),
}
"""How the fields of outcomes are shown, by name."""


def root(job: Job) -> str:
    """Return the root of a job with one step: who asked for what and, once it is settled, what came of it."""
    step, language = job.steps[0], job.language
    what = as_typed(step.name)
    if step.parent:
        what = say(language, "root.under", name=what, parent=parent(step))
    asked = say(language, "root.asked", who=mention(job.asker), what=what)
    return describe(language, step, "root", asked=asked) or asked


def answer(language: str, job: Job, step: Step) -> str:
    """Return the final answer about one settled step of a job."""
    outcome = step.outcome
    if not outcome:
        raise ValueError(f"job {job.id} is not settled")
    remedy = describe(language, step, "next")
    lines = [
        describe(language, step, "heading"),
        describe(language, step, "explanation"),
        *facts(language, step),
        describe(language, step, "finding"),
        *(say(language, "no_parent.candidate", path=as_typed(path), id=code(i)) for path, i in outcome.choices),
        say(language, "answer.next", next=remedy) if remedy else "",
        describe(language, step, "quoted"),
        quote(outcome.quoted),
        say(language, "answer.reference", reference=job.id) if outcome.traceable else "",
    ]
    return "\n".join(line for line in lines if line)


def denied(language: str, reason: str) -> str:
    """Return why somebody may not use the command, and who can help."""
    outcome = Denied(reason)
    remedy = say(language, "answer.next", next=phrase(language, outcome, "next"))
    return "\n".join([phrase(language, outcome, "heading"), phrase(language, outcome, "explanation"), remedy])


def audit(language: str, job: Job) -> str:
    """Return the lines for the audit channel: what was created, or that somebody was refused; "" for neither."""
    lines = [describe(language, step, "audit", who=mention(job.user), job=job.id) for step in job.steps]
    return "\n".join(dict.fromkeys(line for line in lines if line))


def tally(language: str, key: str, job: Job, created: int | None = None, **values: object) -> str:
    """Return the sentence `key` about how many groups of a tree exist, counted in this job if `created` is None."""
    made, there = job.created if created is None else created, job.existing
    return say(language, f"{key}_there" if there else key, made=made, there=there, count=len(job.steps), **values)


def via(job: Job) -> str:
    """Return who went on from an earlier answer, and how; "" for a job that somebody typed."""
    return say(job.language, f"via.{job.followup}", who=mention(job.user)) if job.followup else ""


def facts(language: str, step: Step) -> list[str]:
    """Return name, id if there is one, and parent, a line each."""
    lines = [say(language, "answer.name", name=as_typed(step.name))]
    if step.outcome and step.outcome.group_id:
        lines.append(say(language, "answer.id", id=code(step.outcome.group_id)))
    return [*lines, say(language, "answer.parent" if step.parent else "answer.main", parent=parent(step))]


def parent(step: Step) -> str:
    """Show a parent as it was given, and its id where that is known."""
    match step.parent:
        case ParentId(id=identifier):
            return f"`{identifier}`"
        case ParentName(name=name):
            return f"{as_typed(name)} (`{escape(step.parent_id)}`)" if step.parent_id else as_typed(name)
        case None:
            return ""

"""What answers look like: jobs and outcomes become Slack text. Pure; the sentences are those of texts/."""

from __future__ import annotations

from bot.command import Parent, ParentId, ParentName, UsageError
from bot.iletimerkezi import NotSent, Rejected
from bot.jobs import Created, Duplicate, Job, Step, Unclear
from bot.texts import has, say

SETTINGS_FAULTS = ("tls", "proxy", "address")
"""Reasons for NotSent that trying again does not cure."""

MAX_QUOTE = 1000
"""Longest quotation, in characters."""


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
    text = text if len(text) <= MAX_QUOTE else text[:MAX_QUOTE] + "…"
    return "\n".join(f"> {escape(line)}" for line in text.splitlines() if line.strip())


def help_text(language: str) -> str:
    """Return the usage of the command."""
    return say(language, "help.text")


def usage_text(language: str, error: UsageError) -> str:
    """Return what is wrong with a command, its offending part shown, and an example of a right one."""
    values = {name: as_typed(value) for name, value in error.values.items()}
    return f"{say(language, f'usage.{error.key}', **values)}\n{say(language, 'usage.nothing_done')}"


def failure_text(language: str, reference: str) -> str:
    """Return the apology for a fault of the bot before anything was accepted."""
    return say(language, "failure.internal", reference=reference)


def root_text(job: Job) -> str:
    """Return the root message: who asked for what and, once it is settled, what came of it."""
    step = job.steps[0]
    what = as_typed(step.name)
    if step.parent:
        what = say(job.language, "root.under", name=what, parent=_parent(step.parent))
    asked = say(job.language, "root.asked", who=f"<@{job.user}>", what=what)
    match step.outcome:
        case None:
            return asked
        case Created(group):
            return say(job.language, "root.created", asked=asked, id=escape(group.id))
        case Rejected():
            return say(job.language, "root.rejected", asked=asked, title=_rejected(job.language, step.outcome, "title"))
        case NotSent():
            return say(job.language, "root.not_sent", asked=asked, title=say(job.language, "not_sent.title"))
        case Unclear():
            return say(job.language, "root.unknown", asked=asked)
        case Duplicate():
            return say(job.language, "root.duplicate", asked=asked)


def answer_text(job: Job) -> str:
    """Return the final answer of a settled job."""
    step, language = job.steps[0], job.language
    match step.outcome:
        case Created():
            lines = [say(language, "answer.created"), *_facts(language, step)]
        case Rejected() as rejected:
            lines = [
                say(language, "rejected.heading", title=_rejected(language, rejected, "title")),
                _rejected(language, rejected, "explanation"),
                *_facts(language, step),
                say(language, "answer.next", next=_rejected(language, rejected, "next")),
                say(language, "answer.code", code=rejected.code),
                quote(rejected.message),
                say(language, "answer.reference", reference=job.id),
            ]
        case NotSent(reason=reason):
            remedy = "not_sent.next_settings" if reason in SETTINGS_FAULTS else "not_sent.next"
            lines = [
                say(language, "not_sent.heading", title=say(language, "not_sent.title")),
                say(language, f"not_sent.explanation.{reason}"),
                *_facts(language, step),
                say(language, "answer.next", next=say(language, remedy)),
                say(language, "answer.reference", reference=job.id),
            ]
        case Unclear(reason, found):
            lines = [
                say(language, "unknown.heading"),
                say(language, f"unknown.explanation.{reason}"),
                *_facts(language, step),
                _looked_up(language, found),
                say(language, "answer.next", next=say(language, "unknown.next", name=as_typed(step.name))),
                say(language, "answer.reference", reference=job.id),
            ]
        case Duplicate() as duplicate:
            lines = [duplicate_text(language, step, duplicate)]
        case None:
            raise ValueError(f"job {job.id} is not settled")
    return "\n".join(line for line in lines if line)


def private_text(job: Job) -> str:
    """Return the final answer for where the bot may not post, with the remedy."""
    return f"{answer_text(job)}\n\n{say(job.language, 'answer.private')}"


def duplicate_text(language: str, step: Step, duplicate: Duplicate) -> str:
    """Return why a group is not made again: who asked for it, when, and what became of it."""
    minutes = max(1, round(duplicate.age / 60))
    who, group_id = f"<@{duplicate.user}>", f"`{escape(duplicate.group_id)}`"
    key = duplicate.state if duplicate.state in ("created", "unknown") else "under_way"
    lines = [
        say(language, "duplicate.heading"),
        say(language, f"duplicate.{key}", who=who, minutes=minutes, id=group_id),
        *_facts(language, step),
    ]
    return "\n".join(lines)


def busy_text(language: str) -> str:
    """Return that too much is under way to accept another command."""
    return say(language, "failure.busy")


def journal_failure_text(language: str) -> str:
    """Return that the command could not be written down."""
    return say(language, "failure.journal")


def _looked_up(language: str, found: tuple[str, ...] | None) -> str:
    if found is None:
        return say(language, "unknown.not_looked_up")
    if not found:
        return say(language, "unknown.found_none")
    return say(language, "unknown.found", ids=", ".join(f"`{escape(identifier)}`" for identifier in found))


def _facts(language: str, step: Step) -> list[str]:
    """Return name, id where there is one, and parent, a line each."""
    lines = [say(language, "answer.name", name=as_typed(step.name))]
    if isinstance(step.outcome, Created):
        lines.append(say(language, "answer.id", id=f"`{escape(step.outcome.group.id)}`"))
    if step.parent:
        return [*lines, say(language, "answer.parent", parent=_parent(step.parent))]
    return [*lines, say(language, "answer.main")]


def _rejected(language: str, outcome: Rejected, part: str) -> str:
    key = f"rejected.{outcome.code}.{part}"
    return say(language, key if has(key) else f"rejected.other.{part}")


def _parent(parent: Parent) -> str:
    match parent:
        case ParentId(id=identifier):
            return f"`{identifier}`"
        case ParentName(name=name):
            return as_typed(name)
        case None:
            return ""

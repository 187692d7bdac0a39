"""What a job's messages say: outcomes become sentences, and what people wrote is shown harmlessly. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from bot.iletimerkezi.client import NotSent, Rejected
from bot.model.job import Created, Denied, Duplicate, Job, NoParent, Outcome, Skipped, Step, Unclear
from bot.model.names import ParentId, ParentName, UsageError
from bot.slack.texts import has, say, say_plain

SETTINGS_FAULTS = ("tls", "proxy", "address")
"""Reasons for NotSent that trying again does not cure."""

MAX_QUOTE = 500
"""Longest quotation, in characters: escaped, it must still fit into a section."""


def escape(text: str) -> str:
    """Escape what people or the API wrote, so that Slack shows it and acts on none of it.

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(user: str) -> str:
    """Name a person by the id that Slack gave; it shows their name."""
    return f"<@{escape(user)}>"


def as_typed(text: str) -> str:
    """Show a name exactly: as code, in which Slack formats nothing, or in quotes where it holds a backtick."""
    return f"“{escape(text)}”" if "`" in text else f"`{escape(text)}`"


def quote(text: str) -> str:
    """Show foreign words as a quotation, each line marked; cut where they are longer than a message bears."""
    return "\n".join(f"> {escape(line)}" for line in cut(text, MAX_QUOTE).splitlines() if line.strip())


def cut(text: str, most: int) -> str:
    """Cut a text to a number of characters, the last of which then says so."""
    return text if len(text) <= most else text[: most - 1] + "…"


def mistake(language: str, error: UsageError, plain: bool = False) -> str:
    """Return the sentence for a usage error, with its line where there are several.

    `plain` is for an error at a field of the form, which Slack shows as it stands.
    """
    tell, show = (say_plain, str) if plain else (say, as_typed)
    values = {name: show(cut(value, 300)) for name, value in error.values.items()}
    sentence = tell(language, f"usage.{error.key}", **values)
    return sentence if error.line is None else say(language, "usage.line", line=error.line, mistake=sentence)


def root(job: Job) -> str:
    """Return the root of a job with one step: who asked for what and, once it is settled, what came of it."""
    step, language = job.steps[0], job.language
    what = as_typed(step.name)
    if step.parent:
        what = say(language, "root.under", name=what, parent=parent(step))
    asked = say(language, "root.asked", who=mention(job.asker), what=what)
    if not step.outcome:
        return asked
    group_id = escape(step.outcome.group.id) if isinstance(step.outcome, Created) else ""
    return say(language, f"root.{step.state}", asked=asked, id=group_id, title=title(language, step.outcome))


def answer(job: Job) -> str:
    """Return the final answer of a settled job with one step."""
    step, language = job.steps[0], job.language
    match step.outcome:
        case Created():
            lines = [say(language, "answer.created"), *facts(language, step)]
        case Duplicate():
            lines = [duplicate(language, step)]
        case Denied(reason):
            lines = [denied(language, reason), *facts(language, step)]
        case Skipped() | None:
            lines = [say(language, "answer.skipped"), *facts(language, step)]
        case outcome:
            lines = [
                _heading(language, outcome),
                _explanation(language, step),
                *facts(language, step),
                *_findings(language, outcome),
                say(language, "answer.next", next=remedy(language, step)),
                *_quoted(language, outcome),
                say(language, "answer.reference", reference=job.id),
            ]
    return "\n".join(line for line in lines if line)


def denied(language: str, reason: str) -> str:
    """Return why somebody may not use the command, and whom to ask."""
    return "\n".join(say(language, key) for key in ("denied.heading", f"denied.{reason}", "denied.next"))


def audit(language: str, job: Job) -> str:
    """Return the audit channel's lines: what was created, or that somebody was refused; "" where there is neither."""
    who = mention(job.user)
    lines = [
        say(language, "audit.created", who=who, name=as_typed(step.name), id=_code(step.outcome.group.id), job=job.id)
        for step in job.steps
        if isinstance(step.outcome, Created)
    ]
    reasons = {step.outcome.reason for step in job.steps if isinstance(step.outcome, Denied)}
    lines += [say(language, "audit.denied", who=who, reason=reason, job=job.id) for reason in reasons]
    return "\n".join(lines)


def via(job: Job) -> str:
    """Return who went on from an earlier answer, and how; "" for a job that somebody typed."""
    key = f"via.{job.trigger.partition(':')[0]}"
    return say(job.language, key, who=mention(job.user)) if has(key) else ""


def title(language: str, outcome: Outcome | None) -> str:
    """Return in a few words why nothing was made; "" where that is no question."""
    match outcome:
        case Rejected():
            return _rejected(language, outcome, "title")
        case NotSent():
            return say(language, "not_sent.title")
        case NoParent(reason=reason):
            return say(language, f"no_parent.{reason}.title")
        case _:
            return ""


def remedy(language: str, step: Step) -> str:
    """Return what to do next about a group that was not made; "" where nothing is to be done."""
    match step.outcome:
        case Rejected() as outcome:
            return _rejected(language, outcome, "next")
        case NotSent(reason=reason):
            return say(language, "not_sent.next_settings" if reason in SETTINGS_FAULTS else "not_sent.next")
        case NoParent(reason=reason):
            return say(language, f"no_parent.{reason}.next")
        case Unclear():
            return say(language, "unknown.next", name=as_typed(step.name))
        case _:
            return ""


def duplicate(language: str, step: Step) -> str:
    """Return why a group is not made again: who asked for it, when, and what became of it."""
    if not isinstance(step.outcome, Duplicate):
        return ""
    found = step.outcome
    who, group_id = mention(found.user), f"`{escape(found.group_id)}`"
    key = found.state if found.state in ("created", "unknown") else "under_way"
    why = say(language, f"duplicate.{key}", who=who, minutes=max(1, round(found.age / 60)), id=group_id)
    return "\n".join([say(language, "duplicate.heading"), why, *facts(language, step)])


def facts(language: str, step: Step) -> list[str]:
    """Return name, id where there is one, and parent, a line each."""
    lines = [say(language, "answer.name", name=as_typed(step.name))]
    if isinstance(step.outcome, Created):
        lines.append(say(language, "answer.id", id=f"`{escape(step.outcome.group.id)}`"))
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


def _heading(language: str, outcome: Outcome) -> str:
    if isinstance(outcome, Unclear):
        return say(language, "unknown.heading")
    return say(language, "answer.not_created", title=title(language, outcome))


def _explanation(language: str, step: Step) -> str:
    match step.outcome:
        case Rejected() as outcome:
            return _rejected(language, outcome, "explanation")
        case NotSent(reason=reason):
            return say(language, f"not_sent.explanation.{reason}")
        case NoParent(reason=reason):
            return say(language, f"no_parent.{reason}.explanation", parent=parent(step))
        case Unclear(reason=reason):
            return say(language, f"unknown.explanation.{reason}")
        case _:
            return ""


def _findings(language: str, outcome: Outcome) -> Iterable[str]:
    """Return what was found when it was looked up."""
    match outcome:
        case NoParent(candidates=candidates):
            return [say(language, "no_parent.candidate", path=as_typed(path), id=_code(i)) for path, i in candidates]
        case Unclear(found=None):
            return [say(language, "unknown.not_looked_up")]
        case Unclear(found=()):
            return [say(language, "unknown.found_none")]
        case Unclear(found=found):
            return [say(language, "unknown.found", ids=", ".join(map(_code, found or ())))]
        case _:
            return []


def _quoted(language: str, outcome: Outcome) -> list[str]:
    if not isinstance(outcome, Rejected):
        return []
    return [say(language, "answer.code", code=outcome.code), quote(outcome.message)]


def _rejected(language: str, outcome: Rejected, part: str) -> str:
    key = f"rejected.{outcome.code}.{part}"
    return say(language, key if has(key) else f"rejected.other.{part}")


def _code(text: str) -> str:
    return f"`{escape(text)}`"

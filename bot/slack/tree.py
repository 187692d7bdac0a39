"""What the messages of a job with several steps say: how far it is, and the whole tree with each id or reason. Pure."""

from __future__ import annotations

from bot.iletimerkezi.client import Rejected
from bot.model.job import Created, Duplicate, Job, Step, Unclear, rest
from bot.slack.texts import say
from bot.slack.wording import MAX_QUOTE, as_typed, cut, escape, mention, parent, quote, remedy, title

MAX_TEXT = 3000
"""Longest text of one message, in characters: that of one section."""

_NAMED = 3  # groups that the root names


def root(job: Job, made: int | None = None) -> str:
    """Return the root: who asked for what, and how much of it is made, by this job if `made` is not given."""
    language = job.language
    first = [step for step in job.steps if step.above is None]
    names = ", ".join(as_typed(cut(step.name, 80)) for step in first[:_NAMED])
    if len(first) > _NAMED:
        names = say(language, "tree.more", names=names, count=len(first) - _NAMED)
    asked = say(language, "tree.asked", who=mention(job.asker), count=len(job.steps), names=names)
    key = "tree.done" if job.settled else "tree.progress"
    return say(language, key, asked=asked, made=_made(job) if made is None else made, count=len(job.steps))


def answer(job: Job) -> list[str]:
    """Return the final answer of a settled job: the tree, then what to do about what is missing; in few texts."""
    language = job.language
    heading = say(language, "tree.heading", made=_made(job), count=len(job.steps))
    drawn = [f"{_branch(job, step)}{as_typed(step.name)} — {_result(language, step)}" for step in job.steps]
    reference = [] if job.state == "created" else [say(language, "answer.reference", reference=job.id)]
    some = [say(language, "tree.rest")] if _made(job) and rest(job, "again") else []  # the remedies say: send it again
    return texts([heading, *drawn, *_reasons(job), *some, *reference])


def _made(job: Job) -> int:
    return sum(isinstance(step.outcome, Created) for step in job.steps)


def _branch(job: Job, step: Step) -> str:
    """Draw the lines that lead to a step; a screen reader skips them, the order tells the same."""
    depth, above = 0, step.above
    while above is not None:
        depth, above = depth + 1, job.steps[above].above
    return "• " if depth == 0 else "\u2003" * depth + "└ "


def _result(language: str, step: Step) -> str:
    place = f" {say(language, 'tree.under', parent=parent(step))}" if step.parent else ""
    match step.outcome:
        case Created(group):
            return say(language, "tree.id", id=f"`{escape(group.id)}`") + place
        case Unclear(found=found) if found:
            return say(language, "tree.found", ids=", ".join(f"`{escape(i)}`" for i in found)) + place
        case Unclear():
            return say(language, "tree.unknown") + place
        case Duplicate(group_id=identifier) if identifier:
            return say(language, "tree.duplicate", id=f"`{escape(identifier)}`") + place
        case Duplicate():
            return say(language, "tree.duplicate_under_way") + place
        case None:
            return say(language, "tree.later")
        case outcome if reason := title(language, outcome):
            return say(language, "tree.not_created", title=reason) + place
        case _:
            return say(language, "tree.skipped")


def _reasons(job: Job) -> list[str]:
    """Return each kind of failure once, with what to do about it."""
    language = job.language
    lines: dict[str, None] = {}
    for step in job.steps:
        if isinstance(step.outcome, Unclear):
            lines[say(language, "tree.unknown_next")] = None
        elif reason := title(language, step.outcome):
            lines[say(language, "tree.why", title=reason, next=remedy(language, step))] = None
        if isinstance(step.outcome, Rejected):
            said = quote(cut(step.outcome.message, MAX_QUOTE // 4))
            lines[f"{say(language, 'answer.code', code=step.outcome.code)}\n{said}".strip()] = None
    return list(lines)


def texts(lines: list[str]) -> list[str]:
    """Put lines together into as few texts as bear them; no line is longer than a text."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= MAX_TEXT:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return texts

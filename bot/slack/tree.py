"""What the bot says about a job with several steps: how far it is, and every group with its id or reason. Pure."""

from __future__ import annotations

from bot.model.followup import FollowUp
from bot.model.job import Job, Step
from bot.model.next_job import missing
from bot.slack.texts import say
from bot.slack.wording import MAX_QUOTE, as_typed, cut, describe, mention, parent, quote, tally

MAX_TEXT = 3000
"""Longest text of one message, in characters: that of one section."""

_NAMED = 3  # groups that the root names


def root(job: Job, created: int | None = None) -> str:
    """Return the root: who asked for what, and how many groups exist, counted in this job if `created` is None."""
    language = job.language
    first = [step for step in job.steps if step.above is None]
    names = ", ".join(as_typed(cut(step.name, 80)) for step in first[:_NAMED])
    if len(first) > _NAMED:
        names = say(language, "tree.more", names=names, count=len(first) - _NAMED)
    asked = say(language, "tree.asked", who=mention(job.asker), count=len(job.steps), names=names)
    if job.settled:
        return tally(language, "tree.done", job, created, asked=asked)
    made = sum(bool(step.outcome and step.outcome.group_id) for step in job.steps)
    return say(language, "tree.progress", asked=asked, made=made if created is None else created, count=len(job.steps))


def answer(job: Job) -> list[str]:
    """Return the final answer to a settled job: the tree, then what to do about what is missing; in few texts."""
    language = job.language
    heading = tally(language, "tree.heading", job)
    drawn = [f"{_branch(job, step)}{as_typed(step.name)} — {_result(language, step)}" for step in job.steps]
    traceable = any(step.outcome.traceable for step in job.steps if step.outcome)
    reference = [say(language, "answer.reference", reference=job.id)] if traceable else []
    rest = [say(language, "tree.rest")] if job.created and missing(job, FollowUp.AGAIN) else []
    return texts([heading, *drawn, *_reasons(job), *rest, *reference])


def _branch(job: Job, step: Step) -> str:
    """Draw the lines that lead to a step. A screen reader skips them; the order tells the same."""
    depth, above = 0, step.above
    while above is not None:
        depth, above = depth + 1, job.steps[above].above
    return "• " if depth == 0 else "\u2003" * depth + "└ "


def _result(language: str, step: Step) -> str:
    if not step.outcome:
        return say(language, "tree.later")
    place = f" {say(language, 'tree.under', parent=parent(step))}" if step.parent else ""
    return describe(language, step, "line") + place


def _reasons(job: Job) -> list[str]:
    """Return each kind of failure once, with what to do about it."""
    language = job.language
    lines: dict[str, None] = {}
    for step in job.steps:
        if below := describe(language, step, "below", next=describe(language, step, "next")):
            lines[below] = None
        if step.outcome and step.outcome.quoted:
            said = quote(cut(step.outcome.quoted, MAX_QUOTE // 4))
            lines[f"{describe(language, step, 'quoted')}\n{said}".strip()] = None
    return list(lines)


def texts(lines: list[str]) -> list[str]:
    """Join lines into as few texts as possible; no line is longer than a text."""
    joined: list[str] = []
    for line in lines:
        if joined and len(joined[-1]) + 1 + len(line) <= MAX_TEXT:
            joined[-1] += f"\n{line}"
        else:
            joined.append(line)
    return joined

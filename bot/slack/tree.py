"""What the bot says about a job with several steps: how far it is, and every group with its id or reason. Pure."""

from __future__ import annotations

from bot.model.followup import FollowUp
from bot.model.job import Count, Job, Step
from bot.model.next_job import missing, offers
from bot.slack.blocks import Line
from bot.slack.mrkdwn import as_typed, cut, mention
from bot.slack.texts import Language, say
from bot.slack.wording import choices, describe, parent, place, quoted, tally

_NAMED = 3  # groups that the root names
_MOST_OF_NAME = 80  # characters of a name where another line shows it whole
_SHORT = 300  # characters of a quotation, of which a tree may have several


def root(job: Job, count: Count | None = None) -> str:
    """Return the root: who asked for what, and how many groups exist, counted in this job if `count` is None."""
    language = job.language
    first = [step for step in job.steps if step.above is None]
    names = ", ".join(as_typed(cut(step.name, _MOST_OF_NAME)) for step in first[:_NAMED])
    if len(first) > _NAMED:
        names = say(language, "tree.more", names=names, count=len(first) - _NAMED)
    asked = say(language, "tree.asked", who=mention(job.asker), count=len(job.steps), names=names)
    if job.settled:
        return tally(language, "tree.done", job, count, asked=asked)
    made = sum(bool(step.outcome and step.outcome.group_id) for step in job.steps)
    return say(language, "tree.progress", asked=asked, made=count.created if count else made, count=len(job.steps))


def answer(language: Language, job: Job) -> list[Line]:
    """Return the lines of the final answer to a settled job: the tree, then what to do about what is missing."""
    heading = f"*{tally(language, 'tree.heading', job)}*"
    traceable = any(step.outcome.traceable for step in job.steps if step.outcome)
    reference = [say(language, "answer.reference", reference=job.id)] if traceable else []
    below = [*_reasons(language, job), *_rest(language, job), *reference]
    return [Line(heading), *(_group(language, job, step) for step in job.steps), *map(Line, below)]


def _group(language: Language, job: Job, step: Step) -> Line:
    """Return a group's line. Its text names the group above, because a screen reader does not tell its depth."""
    depth, above = 0, step.above
    while above is not None:
        depth, above = depth + 1, job.steps[above].above
    over = parent(step) if step.above is None else as_typed(cut(job.steps[step.above].name, _MOST_OF_NAME))
    result = describe(language, step, "line", above=_why(language, job, step)) or say(language, "tree.later")
    return Line(
        f"• {place(language, step, over)} — {result}",
        item=f"{place(language, step, '' if depth else over)} — {result}",
        name=step.name,
        depth=depth,
    )


def _why(language: Language, job: Job, step: Step) -> str:
    """Return what the outcome of the group above a step says about the groups under it."""
    if step.above is None:
        return ""
    above = job.steps[step.above]
    return describe(language, above, "above", above=_why(language, job, above))


def _reasons(language: Language, job: Job) -> list[str]:
    """Return what to do about each kind of failure, and the provider's own words, each once."""
    own = [describe(language, step, "below") for step in job.steps]
    advice = {
        describe(language, step, "title"): describe(language, step, "next")
        for step, below in zip(job.steps, own, strict=True)
        if step.outcome and not step.outcome.group_id and not below
    }
    told = [(title, todo) for title, todo in advice.items() if todo]
    one = [say(language, "answer.next", next=todo) for _, todo in told]
    each = [say(language, "tree.why", title=title, next=todo) for title, todo in told]
    near = [line for step in job.steps for line in choices(language, step)]
    words = [line for step in job.steps for line in quoted(language, step, most=_SHORT)]
    return [line for line in dict.fromkeys([*own, *(one if len(told) == 1 else each), *near, *words]) if line]


def _rest(language: Language, job: Job) -> list[str]:
    """Return how to get the groups that are missing, where a button or another command can create them."""
    if FollowUp.AGAIN in offers(job):
        return [say(language, "tree.rest")]
    return [say(language, "tree.change")] if missing(job, FollowUp.AGAIN) else []

"""What the bot says about a job with several steps: how far it is, and every group with its id or reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from bot.model.followup import FollowUp
from bot.model.job import Count, Job, Step
from bot.model.next_job import missing, offers
from bot.model.outcome import Skipped
from bot.slack.blocks import Line
from bot.slack.mrkdwn import as_typed, cut, mention
from bot.slack.texts import Language, say
from bot.slack.wording import MOST_OF_NAME, choices, describe, parent, place, quoted, tally

_NAMED = 3  # groups that the root names
_MOST_SKIPPED = 10  # groups that were skipped for one above them and have a line each
_SHORT = 300  # characters of a quotation, of which a tree may have several


def root(job: Job, count: Count | None = None) -> str:
    """Return the root: who asked for what, and how many groups exist, counted in this job if `count` is None."""
    language, asked = job.language, asked_for(job)
    if job.settled:
        return tally(language, "tree.done", job, count, asked=asked)
    if not job.thread:  # nobody has written down where it stands: what it says must stay true
        return asked
    made, _, existing = count or job.count
    return say(language, "tree.progress", asked=asked, made=made + existing, count=len(job.steps))


def asked_for(job: Job) -> str:
    """Return who asked for which groups."""
    language = job.language
    first = [step for step in job.steps if step.above is None]
    names = ", ".join(as_typed(cut(step.name, MOST_OF_NAME)) for step in first[:_NAMED])
    if len(first) > _NAMED:
        names = say(language, "tree.more", names=names, count=len(first) - _NAMED)
    return say(language, "tree.asked", who=mention(job.asker), count=len(job.steps), names=names)


def answer(language: Language, job: Job) -> list[Line]:
    """Return the lines of the final answer to a settled job: the tree, then what to do about what is missing."""
    heading = f"*{tally(language, 'tree.heading', job)}*"
    traceable = any(step.outcome.traceable for step in job.steps if step.outcome)
    reference = [say(language, "answer.reference", reference=job.id)] if traceable else []
    below = [*_reasons(language, job), *_rest(language, job), *reference]
    return [Line(heading), *_groups(language, job), *map(Line, below)]


def _groups(language: Language, job: Job) -> Iterator[Line]:
    """Yield a line for each group; many that were skipped for one group above them share a line."""
    for over, steps in groupby(job.steps, lambda step: _missing_above(job, step)):
        run = list(steps)
        if over and len(run) > _MOST_SKIPPED:
            name, above = cut(over.name, MOST_OF_NAME), _why(language, job, run[0])
            told = say(language, "skipped.many", count=len(run), name=as_typed(name), above=above)
            yield Line(f"• {told}", item=told, name=name, depth=_depth(job, run[0]))
        else:
            yield from (_group(language, job, step) for step in run)


def _missing_above(job: Job, step: Step) -> Step | None:
    """Return the group for which a step was skipped, None if it was not."""
    above = step
    while isinstance(above.outcome, Skipped) and above.above is not None:
        above = job.steps[above.above]
    return None if above is step else above


def _depth(job: Job, step: Step) -> int:
    return 0 if step.above is None else 1 + _depth(job, job.steps[step.above])


def _group(language: Language, job: Job, step: Step) -> Line:
    """Return a group's line. Its text names the group above, because a screen reader does not tell its depth."""
    depth = _depth(job, step)
    over = parent(step) if step.above is None else as_typed(cut(job.steps[step.above].name, MOST_OF_NAME))
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

"""From an answered job to the next one: which buttons its answer has, and the job that each button starts."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from bot.model.job import Job, Step
from bot.model.names import ParentId, ParentName, fold
from bot.model.outcome import AS_SENT, SENDING, Created, Exists, FollowUp, NoParent, Outcome, Unknown

_INSTEAD = (
    {FollowUp.AGAIN, FollowUp.UNDER, FollowUp.EDIT},
    {FollowUp.CONFIRM, FollowUp.LOOK, FollowUp.ANYWAY},
    {FollowUp.ANOTHER},
)
"""Buttons for the same groups: once one is used, the others are of no use, for the next answer has its own."""

_TRIGGERS = {FollowUp.CONFIRM: "unknown", FollowUp.ANYWAY: "unknown", FollowUp.UNDER: "edit"}
"""What buttons share of which only one works under an answer: each settles or creates the same."""

_SENT_LIKE = {FollowUp.UNDER: FollowUp.AGAIN, FollowUp.LOOK: FollowUp.ANYWAY, FollowUp.CONFIRM: FollowUp.ANYWAY}
"""Buttons whose jobs have steps that another button sends."""


Count = tuple[int, int, int]
"""How many of the groups that were asked for the bot created, of how many that is unclear, how many were there."""


def offers(job: Job, used: Collection[FollowUp] = ()) -> list[FollowUp]:
    """Return the buttons under the answer to a settled job that are left after some were `used`."""
    outcomes = [step.outcome for step in job.steps if step.outcome]
    offered = [way for outcome in outcomes for way in outcome.told.offers]
    if len(job.steps) > 1:
        needless = {FollowUp.SUBGROUP, FollowUp.ANOTHER, FollowUp.AGAIN if choices(job) else FollowUp.UNDER}
        offered = [way for way in FollowUp if way in offered and way not in needless and not job.denied]
    gone = {way for together in _INSTEAD for way in together if together.intersection(used)}
    return [way for way in offered if way not in gone]


def choices(job: Job) -> tuple[tuple[str, str], ...]:
    """Return the groups that the answer offers as the parent: where all steps without one mean the same."""
    found = {step.outcome.told.choices for step in job.steps if isinstance(step.outcome, NoParent)}
    return found.pop() if len(found) == 1 else ()


def acted_on(job: Job, followup: FollowUp) -> list[str]:
    """Return the names of the groups that a button under the answer to a settled job is about."""
    if followup is FollowUp.AGAIN:
        return [step.name for step in missing(job, followup).values()]
    return [step.name for step in job.steps if step.outcome and followup in step.outcome.told.offers]


def next_job(old: Job, followup: FollowUp, user: str, language: str, parent: str = "") -> Job:
    """Return the job that a button under the answer to `old` starts when `user` presses it. It may have no steps.

    `parent` is the id of the group that UNDER takes as the parent of what has no clear one.
    """
    trigger = f"{_TRIGGERS.get(followup, followup)}:{old.id}"  # unique: a button works once
    steps = list(missing(old, followup, parent).values())
    job = Job(user, old.channel, trigger, old.typed, steps, language=language, channel_kind=old.channel_kind)
    return follow(old, followup, job)


def follow(old: Job, followup: FollowUp, job: Job) -> Job:
    """Let `job` go on from the answer to `old`: in its thread, for the person who asked first."""
    job = replace(job, followup=followup, follows=old.id)
    return replace(job, thread=old.thread, reply_to=old.reply_to, asker=old.asker, origin=old.origin)


def missing(job: Job, followup: FollowUp, parent: str = "") -> dict[int, Step]:
    """Return new steps for those of a settled job that a button sends, by the old position, under the groups there.

    ANYWAY sends the steps with an unknown outcome and what hangs under them, AGAIN and UNDER the others that are
    missing, so that no two buttons send the same step. A step of which there is another group is left alone by AGAIN,
    and sent by ANOTHER. LOOK and CONFIRM have those with an unknown outcome as they stood before it was looked up; for
    CONFIRM, one for which one group was found is to be settled as created, and what hangs under them is to be sent.
    """
    way = _SENT_LIKE.get(followup, followup)
    there: dict[int, str] = {}  # the ids of the groups that exist
    button: dict[int, FollowUp] = {}  # that sends a step
    new: dict[int, Step] = {}
    for step in job.steps:
        if not (outcome := step.outcome):
            continue
        own = outcome.sent_by or FollowUp.AGAIN
        button[step.position] = own if step.above is None or step.above in there else button[step.above]
        if outcome.group_id and (outcome.sent_by is None or way is not FollowUp.ANOTHER):
            there[step.position] = outcome.group_id
            continue
        unknown = isinstance(outcome, Unknown)
        if way not in (FollowUp.ANOTHER, button[step.position]) or (followup is FollowUp.LOOK and not unknown):
            continue
        sent = Step(len(new), step.name, step.parent, None, step.parent_id)
        if step.above in new:
            sent.parent, sent.parent_id, sent.above = None, None, new[step.above].position
        elif step.above is not None:
            sent.parent, sent.parent_id = ParentName(job.steps[step.above].name), there.get(step.above)
        elif parent and isinstance(outcome, NoParent):
            sent.parent, sent.parent_id = ParentId(parent), parent
        if isinstance(outcome, Unknown) and followup in AS_SENT:
            sent.stage, sent.reason, sent.look_from = SENDING, outcome.reason, 0.0
            if followup is FollowUp.CONFIRM and outcome.found and len(outcome.found) == 1:
                sent.confirmed_id = outcome.found[0]
        new[step.position] = sent
    return new


def with_findings(job: Job, look: Job) -> Job:
    """Return `job` with its unknown outcomes as the look-up job `look` found them."""
    found = iter(look.steps)
    steps = [
        replace(step, outcome=next(found, step).outcome) if isinstance(step.outcome, Unknown) else step
        for step in job.steps
    ]
    return replace(job, steps=steps)


# What became of the groups of a chain: a job and all that went on from its answer, oldest first.


def left_unclear(earlier: Iterable[Job], name: str, parent_id: str) -> Unknown | None:
    """Return the outcome of a group that jobs `earlier` in the same chain asked for, if it is unclear.

    A line that was edited into another is not among them. What was sent once more on purpose has its newest outcome.
    """
    last = _last(earlier, name, parent_id)
    return last if isinstance(last, Unknown) else None


def base_of(job: Job, chain: Iterable[Job]) -> Job:
    """Return the job that says what is wanted: the first of its chain, or the last in which somebody edited that."""
    jobs = {each.id: each for each in chain}
    while job.followup not in (None, FollowUp.EDIT) and job.follows in jobs:
        job = jobs[job.follows]
    return job


def counted(base: Job, chain: Sequence[Job] = ()) -> Count:
    """Return what became of the groups of a job, through all the jobs of its chain."""
    ids: dict[int, str] = {}
    kinds: Counter[type[Outcome]] = Counter()
    for step in base.steps:
        parent_id = ids.get(step.above, "?") if step.above is not None else step.parent_id or ""
        made = isinstance(step.outcome, Created)
        if last := (None if made else _last(chain, step.name, parent_id)) or step.outcome:
            ids[step.position] = last.group_id or "?"
            kinds[Exists if last.group_id and not isinstance(last, Created) else type(last)] += 1
    return kinds[Created], kinds[Unknown], kinds[Exists]


def _last(chain: Iterable[Job], name: str, parent_id: str) -> Outcome | None:
    """Return the newest outcome of a group; that it was created outlives that it was there afterwards."""
    found: Outcome | None = None
    for step in (step for job in chain for step in job.steps if step.parent_id == parent_id):
        if step.outcome and step.outcome.conclusive and fold(step.name) == fold(name):
            found = found if isinstance(found, Created) and isinstance(step.outcome, Exists) else step.outcome
    return found

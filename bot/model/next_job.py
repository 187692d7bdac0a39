"""From an answered job to the next one: which buttons its answer has, and the job that each button starts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from bot.model.job import Count, Job, Step
from bot.model.names import Parent, ParentId, ParentName, fold
from bot.model.outcome import SENDING, Created, Exists, FollowUp, NoParent, NotSent, Outcome, Rejected, Unknown

_INSTEAD = (
    {FollowUp.AGAIN, FollowUp.UNDER, FollowUp.EDIT},
    {FollowUp.CONFIRM, FollowUp.LOOK, FollowUp.ANYWAY},
    {FollowUp.ANOTHER},
)
"""Buttons for the same groups: once one is used, the others are of no use, for the next answer has its own."""

_TRIGGERS = {FollowUp.CONFIRM: "unknown", FollowUp.ANYWAY: "unknown", FollowUp.UNDER: "edit"}
"""What buttons share of which only one works under an answer: each settles or creates the same."""

_TOLD = (Created, Exists, Rejected, NotSent, Unknown)
"""Outcomes that say what became of a group; the others say why nobody tried."""


def offers(job: Job) -> list[FollowUp]:
    """Return the buttons under the answer to a settled job."""
    if len(job.steps) == 1 and job.steps[0].outcome:
        return list(job.steps[0].outcome.offers)
    if job.denied:
        return []
    offered = {way for step in job.steps if step.outcome for way in step.outcome.offers}
    offered -= {FollowUp.SUBGROUP, FollowUp.ANOTHER, FollowUp.AGAIN if choices(job) else FollowUp.UNDER}
    return [way for way in FollowUp if way in offered]


def choices(job: Job) -> tuple[tuple[str, str], ...]:
    """Return the groups that the answer offers as the parent: where all steps without one mean the same."""
    found = {step.outcome.choices for step in job.steps if isinstance(step.outcome, NoParent)}
    return found.pop() if len(found) == 1 else ()


def still_offered(job: Job, used: Collection[FollowUp]) -> list[FollowUp]:
    """Return the buttons that are left under the answer to a settled job after some were `used`."""
    gone = {way for together in _INSTEAD for way in together if together.intersection(used)}
    return [way for way in offers(job) if way not in gone]


def acted_on(job: Job, followup: FollowUp) -> list[str]:
    """Return the names of the groups that a button under the answer to a settled job is about."""
    if followup in (FollowUp.AGAIN, FollowUp.ANOTHER, FollowUp.UNDER):
        return [step.name for step in missing(job, followup)]
    return [step.name for step in job.steps if step.outcome and followup in step.outcome.offers]


def next_job(old: Job, followup: FollowUp, user: str, language: str, response_url: str) -> Job:
    """Return the job that a button under the answer to `old` starts when `user` presses it. It may have no steps."""
    job = Job(
        user=user,
        channel=old.channel,
        channel_kind=old.channel_kind,
        trigger=f"{_TRIGGERS.get(followup, followup)}:{old.id}",  # unique: a button works once
        typed=old.typed,
        steps=_STEPS[followup](old),
        response_url=response_url,
        language=language,
    )
    return follow(old, followup, job)


def follow(old: Job, followup: FollowUp, job: Job) -> Job:
    """Let `job` go on from the answer to `old`: in its thread, for the person who asked first."""
    job = replace(job, followup=followup, follows=old.id)
    return replace(job, thread=old.thread, reply_to=old.reply_to, asker=old.asker, origin=old.origin)


def missing(job: Job, followup: FollowUp) -> list[Step]:
    """Return new steps for those of a settled job that a button sends, under the groups that exist.

    ANYWAY sends the steps with an unknown outcome and what hangs under them, AGAIN and UNDER the others that are
    missing, so that no two buttons send the same step. A step of which there is another group is left alone by AGAIN,
    and sent by ANOTHER.
    """
    return [new for _, new in _missing(job, followup)]


def under(job: Job, parent: str) -> Job:
    """Return a settled job with the group of the id `parent` as the parent of what has no clear one, for UNDER."""
    steps = [
        replace(step, parent=ParentId(parent), parent_id=parent) if isinstance(step.outcome, NoParent) else step
        for step in job.steps
    ]
    return replace(job, steps=steps)


def to_look_up(job: Job) -> list[Step]:
    """Return new steps for those with an unknown outcome, as they stood before it was looked up."""
    unknown = [(step, step.outcome) for step in job.steps if isinstance(step.outcome, Unknown)]
    return [
        Step(place, step.name, _parent(job, step), None, step.parent_id, SENDING, outcome.reason, look_from=0.0)
        for place, (step, outcome) in enumerate(unknown)
    ]


def confirmed(job: Job) -> list[Step]:
    """Return new steps for those with an unknown outcome, as they stood before, and for what hangs under them.

    A step for which one group was found is to be settled as created, with that id; any other is looked up once more.
    """
    pairs = _missing(job, FollowUp.ANYWAY)
    for old, new in pairs:
        if isinstance(old.outcome, Unknown):
            new.stage, new.reason, new.look_from = SENDING, old.outcome.reason, 0.0
            found = old.outcome.found or ()
            new.confirmed_id = found[0] if len(found) == 1 else ""
    return [new for _, new in pairs]


def kept(earlier: Iterable[Job], name: str, parent_id: str) -> Unknown | None:
    """Return the outcome of a group that jobs `earlier` in the same chain (oldest first) asked for, if it is unclear.

    A line that was edited into another is not among them. What was sent once more on purpose has its newest outcome.
    """
    last = _last(earlier, fold(name), parent_id)
    return last if isinstance(last, Unknown) else None


def base_of(job: Job, chain: Iterable[Job]) -> Job:
    """Return the job that says what is wanted: the first of its chain, or the last in which somebody edited that."""
    jobs = {each.id: each for each in chain}
    while job.followup not in (None, FollowUp.EDIT) and job.follows in jobs:
        job = jobs[job.follows]
    return job


def counted(base: Job, chain: Sequence[Job]) -> Count:
    """Return what became of the groups of a job, through all the jobs of its chain (oldest first)."""
    ids: dict[int, str] = {}
    kinds: Counter[type[Outcome]] = Counter()
    for step in base.steps:
        parent_id = ids.get(step.above, "?") if step.above is not None else step.parent_id or ""
        last = step.outcome
        if not isinstance(last, Created):
            last = _last(chain, fold(step.name), parent_id) or last
        if last:
            ids[step.position] = last.group_id or "?"
            kinds[Created if isinstance(last, Created) else Exists if last.group_id else type(last)] += 1
    return Count(kinds[Created], kinds[Unknown], kinds[Exists])


def _last(chain: Iterable[Job], folded: str, parent_id: str) -> Outcome | None:
    """Return the newest outcome of a group; that it was created outlives that it was there afterwards."""
    found: Outcome | None = None
    for step in (step for job in chain for step in job.steps if step.parent_id == parent_id):
        if isinstance(step.outcome, _TOLD) and fold(step.name) == folded:
            found = found if isinstance(found, Created) and isinstance(step.outcome, Exists) else step.outcome
    return found


def with_findings(job: Job, look: Job) -> Job:
    """Return `job` with its unknown outcomes as the look-up job `look` found them."""
    found = iter(look.steps)
    steps = [
        replace(step, outcome=next(found, step).outcome) if isinstance(step.outcome, Unknown) else step
        for step in job.steps
    ]
    return replace(job, steps=steps)


_STEPS: dict[FollowUp, Callable[[Job], list[Step]]] = {
    FollowUp.AGAIN: lambda job: missing(job, FollowUp.AGAIN),
    FollowUp.UNDER: lambda job: missing(job, FollowUp.UNDER),
    FollowUp.ANYWAY: lambda job: missing(job, FollowUp.ANYWAY),
    FollowUp.ANOTHER: lambda job: missing(job, FollowUp.ANOTHER),
    FollowUp.LOOK: to_look_up,
    FollowUp.CONFIRM: confirmed,
}


def _missing(job: Job, followup: FollowUp) -> list[tuple[Step, Step]]:
    """Return the steps that a button sends, each with its new step."""
    followup = FollowUp.AGAIN if followup is FollowUp.UNDER else followup
    there: dict[int, str] = {}
    button: dict[int, FollowUp] = {}  # that sends the step
    for step in job.steps:
        if not step.outcome:
            continue
        button[step.position] = step.outcome.sent_by or FollowUp.AGAIN
        if step.above is not None and step.above not in there:
            button[step.position] = button[step.above]
        if step.outcome.group_id and (step.outcome.sent_by is None or followup is not FollowUp.ANOTHER):
            there[step.position] = step.outcome.group_id
    absent = [step for step in job.steps if step.position not in there]
    wanted = [step for step in absent if followup in (FollowUp.ANOTHER, button[step.position])]
    places = {step.position: place for place, step in enumerate(wanted)}
    return [
        (
            step,
            Step(
                position=places[step.position],
                name=step.name,
                parent=None if step.above in places else _parent(job, step),
                above=places.get(step.above) if step.above is not None else None,
                parent_id=step.parent_id if step.above is None else there.get(step.above),
            ),
        )
        for step in wanted
    ]


def _parent(job: Job, step: Step) -> Parent:
    """Return the parent of a step for another job: the group that this one created goes by its name."""
    return step.parent if step.above is None else ParentName(job.steps[step.above].name)

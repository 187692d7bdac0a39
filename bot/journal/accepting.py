"""Accepting a job: what is written down for it, and who else has just asked for the same group."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Double, and_, bindparam, case, func, insert, or_, select, tuple_

from bot.journal import rows
from bot.journal.tables import jobs, now, steps
from bot.model.job import PUBLIC, Job, Step
from bot.model.outcome import FORCED, SENDING, WAITING, Created, Duplicate, Skipped, Unknown

RECENT = 600.0
"""How long the journal's own record of a group counts when the same group is asked for again, in seconds."""

MOST_OPEN = 1000
"""How many jobs may be open before no more are accepted."""

MOST_OPEN_EACH = 200
"""How many of these one person may have."""

# Each statement that every job needs is built once, for building one costs more than running it.

_KNOWN = select(jobs.c.id, jobs.c.user).where(
    or_(jobs.c.trigger == bindparam("trigger"), jobs.c.id == bindparam("this"))
)
"""A job with this trigger or id."""

OPEN = select(
    func.count(),
    func.count().filter(jobs.c.user == bindparam("user")),
    func.coalesce(now() - func.min(jobs.c.accepted_at), 0.0),
).where(jobs.c.closed_at.is_(None), jobs.c.answered_at.is_(None))
"""How many jobs are open, how many of them are one person's, and how old the oldest is, in seconds."""

may_read = or_(jobs.c.channel_kind == PUBLIC, jobs.c.user == bindparam("reader"), jobs.c.asker == bindparam("reader"))
"""Whether the `reader` may see a job: it is of a public channel, or their own."""

settled_at = func.coalesce(steps.c.settled_at, jobs.c.accepted_at)

_TWINS = (
    select(steps.c.name_key, steps.c.parent_key, jobs.c.user, steps.c.state, steps.c.group_id, now() - settled_at)
    .add_columns(*(case((may_read, column), else_="") for column in (jobs.c.root_channel, jobs.c.root_ts)))
    .join(jobs, jobs.c.id == steps.c.job)
    .where(tuple_(steps.c.name_key, steps.c.parent_key).in_(bindparam("keys", expanding=True)))
    .where(or_(steps.c.job != bindparam("this"), steps.c.position != bindparam("position")))
    .where(
        steps.c.state.in_(bindparam("states", expanding=True)),
        or_(
            and_(steps.c.state.in_((WAITING, SENDING)), jobs.c.closed_at.is_(None)),
            and_(steps.c.state == Created.state, steps.c.group_id.not_in(bindparam("gone", expanding=True))),
            and_(steps.c.state == Unknown.state, steps.c.settled_at > now() - RECENT),
        ),
    )
    .order_by(settled_at)
)
"""Steps for the same groups in certain `states`: under way, created at any time and not `gone`, or ended unclear in the
last RECENT seconds; the latest comes last. Where their roots are is for those who may see them."""

_NEW_JOB = insert(jobs).values(accepted_at=now(), due_at=0.0)  # `due_at` is for version 0.2.0, which reads it
_NEW_STEPS = insert(steps).values(settled_at=now() - bindparam("settled_ago", type_=Double))


@dataclass(frozen=True)
class Accepted:
    """The job is in the journal: since now, or not `fresh`, since the same trigger came before from `user`."""

    fresh: bool = True
    user: str = ""


@dataclass(frozen=True)
class Busy:
    """Too many jobs are open; nothing was written. `own` is how many the person has, 0 when it is everybody's fault."""

    own: int = 0


def accept(connection: Connection, job: Job, process: str) -> tuple[Accepted | Busy, Job]:
    """Write a job down, held by `process`; return the answer, and the job as it was written."""
    if known := connection.execute(_KNOWN, {"trigger": job.trigger, "this": job.id}).first():
        return Accepted(False, known.user), job
    count, own, _ = connection.execute(OPEN, {"user": job.user}).one()
    if count >= MOST_OPEN or own >= MOST_OPEN_EACH:
        return Busy(own if count < MOST_OPEN else 0), job
    job = _refused(connection, job)
    connection.execute(_NEW_JOB, rows.of_job(job, process))
    connection.execute(_NEW_STEPS, [rows.of_step(job, step) for step in job.steps])
    return Accepted(), job


# The duplicate guard.


def twins(
    connection: Connection, job: Job, some: list[Step], states: tuple[str, ...], gone: Collection[str] = ()
) -> dict[rows.Key, Duplicate]:
    """Find steps of other jobs for the same groups as `some` of a job, in one of the `states`, by their keys.

    `gone` are the ids of groups that were deleted since. Where others stand is told as the job's person may see it.
    """
    if not some:
        return {}
    same = {
        "keys": [rows.key(job, step) for step in some],
        "states": states,
        "this": job.id,
        "position": some[0].position,
        "reader": job.user,
        "gone": tuple(gone),
    }
    return {
        (name, parent): Duplicate(user, max(0.0, float(age)), state, group or "", channel or "", ts or "")
        for name, parent, user, state, group, age, channel, ts in connection.execute(_TWINS, same)
    }


def _refused(connection: Connection, job: Job) -> Job:
    """Return a new job, as settled if it must wait for another one.

    A group that another job has created is no reason to refuse: the answer to this job tells its id. Of a tree, one
    step with an unknown outcome is none either: the others can be created.
    """
    # What hangs under a new group cannot be under way in another job.
    some = [step for step in job.steps if step.state == WAITING and step.above is None and job.followup not in FORCED]
    found = twins(connection, job, some, (WAITING, SENDING, *([] if len(job.steps) > 1 else [Unknown.state])))
    for step in some:
        if twin := found.get(rows.key(job, step)):
            settled = [replace(each, outcome=twin if each is step else Skipped()) for each in job.steps]
            return replace(job, steps=settled)
    return job

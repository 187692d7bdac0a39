"""What the journal asks of its database: each statement is built once, for building one costs more than running it.

Their parameters are `this` (a job's id), `me` (the process's id), and what else the bindparams name; a column that is
given beside them is set to what is given.
"""

from __future__ import annotations

from sqlalchemy import (
    BindParameter,
    Double,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from bot.journal.database import jobs, languages, metadata, now, processes, steps
from bot.model.outcome import SENDING, WAITING, Created, Unknown


def _seconds(name: str) -> BindParameter[float]:
    return bindparam(name, type_=Double)


def _among(name: str) -> BindParameter[object]:
    return bindparam(name, expanding=True)


_this = jobs.c.id == bindparam("this")
_is_open = and_(jobs.c.closed_at.is_(None), jobs.c.answered_at.is_(None))

PING = select(1)
_versions = metadata.tables["schema_version"]
TRY_TO_WRITE = update(_versions).values(version=_versions.c.version)
"""Change nothing, and write it: what a full disk refuses."""

# Accepting.

KNOWN = select(jobs.c.id, jobs.c.trigger, jobs.c.user).where(
    or_(jobs.c.trigger.in_(_among("triggers")), jobs.c.id.in_(_among("ids")))
)
"""The jobs with these triggers or ids."""

OPEN = select(jobs.c.user, func.count().label("jobs")).where(_is_open).group_by(jobs.c.user)
"""How many jobs are open, by person."""

BACKLOG = select(func.count(), func.coalesce(now() - func.min(jobs.c.accepted_at), 0.0)).where(_is_open)

_settled_at = func.coalesce(steps.c.settled_at, jobs.c.accepted_at)
TWINS = (
    select(steps.c.name_key, steps.c.parent_key, jobs.c.user, steps.c.state, steps.c.group_id, now() - _settled_at)
    .join(jobs, jobs.c.id == steps.c.job)
    .where(tuple_(steps.c.name_key, steps.c.parent_key).in_(_among("keys")))
    .where(or_(steps.c.job != bindparam("this"), steps.c.position != bindparam("position")))
    .where(
        or_(
            and_(steps.c.state.in_(_among("unsettled")), jobs.c.closed_at.is_(None)),
            and_(steps.c.state == Created.state, steps.c.group_id.not_in(_among("gone"))),
            and_(steps.c.state == Unknown.state, steps.c.settled_at > now() - _seconds("recent")),
        )
    )
    .order_by(_settled_at)
)
"""Steps for the same groups that are under way, were created at any time and are not `gone`, or ended unclear in the
last `recent` seconds; the latest comes last."""

NEW_JOBS = insert(jobs).values(
    accepted_at=now(),
    due_at=0.0,  # at once, also when the clock is set back meanwhile
    answered_at=now() - _seconds("answered_ago"),
    closed_at=now() - _seconds("closed_ago"),
)
NEW_STEPS = insert(steps).values(sent_at=now() - _seconds("sent_ago"), settled_at=now() - _seconds("settled_ago"))

# Reading.

JOBS = select(jobs, (now() - jobs.c.accepted_at).label("age")).where(jobs.c.id.in_(_among("ids")))
STEPS = (
    select(steps, (now() - steps.c.sent_at).label("sent_ago"))
    .where(steps.c.job.in_(_among("ids")))
    .order_by(steps.c.job, steps.c.position)
)
UNKNOWN = (
    select(jobs.c.id, jobs.c.origin)
    .where(jobs.c.id.in_(select(steps.c.job).where(steps.c.state == literal_column(f"'{Unknown.state}'"))))
    .order_by(jobs.c.accepted_at.desc())
    .limit(bindparam("most"))
)
"""The last jobs with a step whose outcome is unknown."""

_took_effect = jobs.c.trigger.endswith(jobs.c.follows)  # refusing or denying a job changes its trigger
GONE_ON = select(jobs.c.id, jobs.c.followup, jobs.c.follows).where(
    jobs.c.origin.in_(_among("origins")),
    _took_effect,
)
"""The jobs of these origins that went on from an answer by a button, and were neither refused nor denied."""

WENT_ON = select(jobs.c.id, jobs.c.followup).where(
    jobs.c.origin == bindparam("origin"), jobs.c.follows == bindparam("this"), _took_effect
)
"""The same, of the answer to one job."""

RECENT = select(jobs.c.id).order_by(jobs.c.accepted_at.desc()).limit(bindparam("most"))
_created = select(steps).join(jobs, jobs.c.id == steps.c.job).where(steps.c.state == Created.state)
CREATED_AS = (
    _created.with_only_columns(steps.c.group_id, jobs.c.user, _settled_at, now() - _settled_at)
    .where(steps.c.name_key == bindparam("name"), steps.c.parent_key == bindparam("parent"))
    .order_by(_settled_at.desc())
)
CHAIN = select(jobs.c.id).where(jobs.c.origin == bindparam("origin")).order_by(jobs.c.accepted_at)
CREATED_HERE = _created.with_only_columns(steps.c.group_id).where(steps.c.group_id.in_(_among("groups")))
RECENTLY_CREATED = _created.with_only_columns(steps.c.group_id, steps.c.name, steps.c.parent_id).where(
    jobs.c.accepted_at > now() - _seconds("recent"), steps.c.settled_at > now() - _seconds("settled")
)
"""The groups created in the last `settled` seconds by jobs of the last `recent` seconds."""

# Carrying.

_living = select(processes.c.id).where(processes.c.id == jobs.c.process)
_is_free = or_(
    jobs.c.process.is_(None),
    and_(jobs.c.process == bindparam("me"), jobs.c.id.not_in(_among("carrying"))),
    and_(jobs.c.process != bindparam("me"), ~_living.exists()),
)
_is_due = or_(jobs.c.due_at <= now(), jobs.c.due_at > now() + _seconds("furthest"), jobs.c.id.in_(_among("ready")))
_nobody_holds = and_(jobs.c.closed_at.is_(None), _is_free, _is_due, jobs.c.id.not_in(_among("without")))
_order = (jobs.c.answered_at.is_not(None), jobs.c.accepted_at)
_by_person = (
    select(jobs.c.id, func.row_number().over(partition_by=jobs.c.user, order_by=_order).label("place"))
    .where(_nobody_holds)
    .subquery()
)
_first_ones = select(_by_person.c.id).where(_by_person.c.place <= bindparam("most"))
CANDIDATES = select(jobs.c.id, jobs.c.user).where(jobs.c.id.in_(_first_ones)).order_by(*_order)
"""The first jobs of each person, up to `most`, that are due and that nobody holds: no process, none that lives, or `me`
without `carrying` them. Those without an answer come before those of which something else is left."""

LOCK_FREE = select(jobs.c.id).where(jobs.c.id.in_(_among("ids")), _is_free).with_for_update(skip_locked=True)
"""Those of these jobs that nobody holds still, now held against other processes until the transaction ends."""

TAKE = update(jobs).where(jobs.c.id.in_(_among("ids"))).values(process=bindparam("me"))

_held = and_(_this, jobs.c.process == bindparam("me"))
HOLD = select(jobs.c.id).where(_held).with_for_update()
"""A job, if this process has it still, now held against other processes until the transaction ends."""

CHANGE = update(jobs).where(_held)
"""Change a job, if this process has it still."""

POSTPONE = CHANGE.values(process=None, due_at=now() + _seconds("seconds"))
ANSWERED = CHANGE.values(answered_at=now(), response_url=None)
FINISHED = CHANGE.values(closed_at=now(), process=None, root_final=1)

CHANGE_STEP = update(steps).where(steps.c.job == bindparam("this"), steps.c.position == bindparam("place"))
SEND = CHANGE_STEP.where(steps.c.state == WAITING).values(state=SENDING, sent_at=now())
SETTLE = CHANGE_STEP.values(settled_at=now())

# Languages.

LANGUAGE = select(languages.c.language).where(languages.c.user == bindparam("this"))
FORGET_LANGUAGE = delete(languages).where(languages.c.user == bindparam("this"))
CHOOSE_LANGUAGE = insert(languages)

# The process.

RENEW = update(processes).where(processes.c.id == bindparam("me")).values(lease_until=now() + _seconds("lease"))
ENTER = insert(processes).values(lease_until=now() + _seconds("lease"))
LEAVE = delete(processes).where(processes.c.id.in_(_among("processes")))
LEASES = select(
    processes.c.id, processes.c.machine, processes.c.lease_until, (processes.c.lease_until < now()).label("lapsed")
).where(processes.c.id != bindparam("me"))
FORGET_URLS = (
    update(jobs)
    .where(jobs.c.response_url.is_not(None), jobs.c.closed_at.is_(None))
    .where(jobs.c.accepted_at < now() - _seconds("old"))
    .values(response_url=None)
)
"""Remove response_urls that are too old to be of use."""

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
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from bot.journal.tables import jobs, languages, metadata, now, processes, steps
from bot.model.job import PUBLIC
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

KNOWN = select(jobs.c.id, jobs.c.user).where(or_(jobs.c.trigger == bindparam("trigger"), _this))
"""A job with this trigger or id."""

OPEN = select(func.count(), func.count().filter(jobs.c.user == bindparam("user"))).where(_is_open)
"""How many jobs are open, and how many of them are one person's."""

BACKLOG = select(func.count(), func.coalesce(now() - func.min(jobs.c.accepted_at), 0.0)).where(_is_open)

_may_read = or_(jobs.c.channel_kind == PUBLIC, jobs.c.user == bindparam("reader"), jobs.c.asker == bindparam("reader"))
_settled_at = func.coalesce(steps.c.settled_at, jobs.c.accepted_at)
TWINS = (
    select(steps.c.name_key, steps.c.parent_key, jobs.c.user, steps.c.state, steps.c.group_id, now() - _settled_at)
    .add_columns(*(case((_may_read, column), else_="") for column in (jobs.c.root_channel, jobs.c.root_ts)))
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
last `recent` seconds; the latest comes last. Where their roots are is for those who may see them."""

NEW_JOBS = insert(jobs).values(
    accepted_at=now(),
    due_at=0.0,  # version 0.2.0 reads it; when a job is due is known in memory alone
)
NEW_STEPS = insert(steps).values(sent_at=now() - _seconds("sent_ago"), settled_at=now() - _seconds("settled_ago"))

# Reading.

_ages = (now() - jobs.c.accepted_at).label("age"), (now() - jobs.c.answered_at).label("answered_ago")
JOBS = select(jobs, *_ages).where(jobs.c.id.in_(_among("ids")))
STEPS = select(steps).where(steps.c.job.in_(_among("ids"))).order_by(steps.c.job, steps.c.position)
UNKNOWN = (
    select(jobs.c.id, jobs.c.origin)
    .where(_may_read)
    .where(jobs.c.id.in_(select(steps.c.job).where(steps.c.state == literal_column(f"'{Unknown.state}'"))))
    .order_by(jobs.c.accepted_at.desc())
    .limit(bindparam("most"))
)
"""The last jobs with a step whose outcome is unknown, of those that the `reader` may see."""

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

RECENT = select(jobs.c.id).where(_may_read).order_by(jobs.c.accepted_at.desc()).limit(bindparam("most"))
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

# Carrying. Every change names its holder: what changes no row was taken over.

_held = and_(_this, jobs.c.process == bindparam("me"), jobs.c.closed_at.is_(None))
HOLD = select(jobs.c.id).where(_held)
"""A job, if this process has it still."""
LOCK = HOLD.with_for_update()
"""The same, held against other processes until the transaction ends."""

CHANGE = update(jobs).where(_held)
"""Change a job, if this process has it still."""

ANSWERED = CHANGE.values(answered_at=now(), response_url=None)
CLOSED = CHANGE.values(closed_at=now(), process=None, root_final=1)

CHANGE_STEP = update(steps).where(steps.c.job == bindparam("this"), steps.c.position == bindparam("place"))
SEND = CHANGE_STEP.where(steps.c.state == WAITING).values(state=SENDING, sent_at=now())
SETTLE = CHANGE_STEP.values(settled_at=now())
CORRECT = SETTLE.where(steps.c.state.in_((SENDING, Unknown.state)))
"""Settle a step that was sent, whatever was told of it meanwhile."""
REOPEN = (
    update(jobs)
    .where(_this)
    .values(
        process=bindparam("me"),
        closed_at=None,
        root_final=0,
        answered_at=case((jobs.c.answer_ts.is_(None), None), else_=jobs.c.answered_at),
    )
)
"""Take a job back, from any process, to tell what became of it after all: an answer that cannot be edited once more."""

# Languages.

LANGUAGE = select(languages.c.language).where(languages.c.user == bindparam("this"))
FORGET_LANGUAGE = delete(languages).where(languages.c.user == bindparam("this"))
CHOOSE_LANGUAGE = insert(languages)

# The processes.

SHOW_LIFE = update(processes).where(processes.c.id == bindparam("me")).values(lease_until=now() + _seconds("lease"))
ENTER = insert(processes).values(lease_until=now() + _seconds("lease"))
LIVES = select(processes.c.id, processes.c.machine, processes.c.lease_until)
BURY = delete(processes).where(processes.c.id == bindparam("process"), processes.c.lease_until == _seconds("seen"))
"""Remove a process that shows no life, unless it has shown some since it was looked at."""
LEAVE = delete(processes).where(processes.c.id == bindparam("me"))

_unfinished = jobs.c.closed_at.is_(None)
_nobody = or_(jobs.c.process.is_(None), jobs.c.process.not_in(select(processes.c.id)))
ORPHANS = (
    select(jobs.c.id)
    .where(_unfinished, _nobody, jobs.c.id.not_in(_among("unreadable")))
    .order_by(jobs.c.answered_at.is_not(None), jobs.c.accepted_at)
    .with_for_update(skip_locked=True)
)
"""The jobs that no process holds, now held against others until the transaction ends."""
TAKE_OVER = update(jobs).where(jobs.c.id.in_(_among("ids"))).values(process=bindparam("me"))
LET_GO = update(jobs).where(_unfinished, jobs.c.process == bindparam("me")).values(process=None)
MINE = select(jobs.c.id).where(_unfinished, jobs.c.process == bindparam("me"), jobs.c.id.in_(_among("ids")))
"""Those of these jobs that this process holds."""

FORGET_URLS = (
    update(jobs)
    .where(jobs.c.response_url.is_not(None), jobs.c.closed_at.is_(None))
    .where(jobs.c.accepted_at < now() - _seconds("old"))
    .values(response_url=None)
)
"""Remove response_urls that are too old to be of use."""
_answered = func.coalesce(jobs.c.answered_at, now())
SET_ASIDE = update(jobs).where(_this).values(answered_at=_answered, closed_at=now(), process=None)
WHO_ASKED = select(jobs.c.user, jobs.c.channel, jobs.c.language, jobs.c.response_url, jobs.c.answered_at).where(_this)

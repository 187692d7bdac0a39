"""What was accepted, sent, settled and answered: on disk before anybody is told of it.

Every change is one transaction. Whoever carries a job holds it, and a change to a job that another process has taken
over meanwhile raises LostLease and changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from bot import database, liveness
from bot.command import Parent, ParentId, ParentName, fold
from bot.database import jobs, now, processes, steps
from bot.iletimerkezi import Group, NotSent, Rejected
from bot.jobs import (
    SENDING,
    WAITING,
    Created,
    Denied,
    Duplicate,
    Job,
    NoParent,
    Outcome,
    Skipped,
    Step,
    Thread,
    Unclear,
)

LEASE = 30.0
"""How long a process holds its jobs without renewing its lease, in seconds."""

MOST_OPEN = 1000
"""How many jobs may be open before no more are accepted."""

RECENT = 600.0
"""How long a created group keeps another of the same name from being made unawares, in seconds."""

RESPONSE_URL_LIVES = 1800.0
"""How long Slack honours a response_url, in seconds. Source: https://docs.slack.dev/interactivity/handling-user-interaction"""


class JournalError(Exception):
    """The database could not be read or written; its message holds no secret."""


class LostLease(Exception):
    """Another process has taken the job over: leave it alone."""


@dataclass(frozen=True)
class Accepted:
    """The job is in the journal: since now, or not `fresh`, since the same trigger came before from `user`."""

    fresh: bool = True
    user: str = ""


@dataclass(frozen=True)
class Busy:
    """Too many jobs are open; nothing was written."""


class Journal:
    """The journal in the database at `url`, as seen by one process. Safe to use from many threads."""

    def __init__(self, url: str) -> None:
        self._engine = database.connect(url)
        # SQLite lets one writer in; those that race for its lock sleep and starve, those that queue here do not.
        self._turns = _Turns(1 if self._engine.dialect.name == "sqlite" else database.WRITERS)
        self.process = uuid.uuid4().hex
        self._sign_of_life = liveness.show(self.process)

    def open(self) -> None:
        """Make or update the tables. Raises JournalError."""
        with _translated(), self._turns.take():
            database.migrate(self._engine)

    def close(self) -> None:
        """Close the connections; to others this process is dead from now on."""
        self._engine.dispose()
        if self._sign_of_life:
            self._sign_of_life.close()

    def ping(self) -> None:
        """Raise JournalError when the database does not answer."""
        with self._reading() as connection:
            connection.execute(select(1))

    # Accepting.

    def accept(self, job: Job) -> Accepted | Duplicate | Busy:
        """Write a job and its steps down.

        When somebody has just asked for the same group, it is written as settled and answered, and the Duplicate is
        returned, for the caller to tell. When too many are open, nothing is written.
        """
        with self._writing(database.PATIENCE) as connection:
            database.lock(connection)
            if first := connection.scalar(select(jobs.c.user).where(jobs.c.trigger == job.trigger)):
                return Accepted(False, first)
            open_jobs = select(jobs.c.id).where(jobs.c.closed_at.is_(None), jobs.c.answered_at.is_(None))
            if len(connection.scalars(open_jobs.limit(MOST_OPEN)).all()) >= MOST_OPEN:
                return Busy()
            for step in () if job.forced else _to_send(job):
                if twin := _twin(connection, job, step, (WAITING, SENDING)):
                    for other in job.steps:
                        other.outcome = twin if other is step else Skipped()
                    _insert(connection, job, closed=True)
                    return twin
            _insert(connection, job)
            return Accepted()

    def find(self, job: str) -> Job | None:
        """Return the job with this id, or None."""
        with self._reading() as connection:
            return next(iter(_load(connection, [job])), None)

    def made_from(self, origin: str) -> int:
        """Return how many groups were made by a job and those that went on from its answer."""
        made = select(func.count()).select_from(steps).join(jobs, jobs.c.id == steps.c.job)
        with self._reading() as connection:
            return int(connection.scalar(made.where(jobs.c.origin == origin, steps.c.state == "created")) or 0)

    def recent(self, most: int) -> list[Job]:
        """Return the last jobs, newest first."""
        with self._reading() as connection:
            ids = connection.scalars(select(jobs.c.id).order_by(jobs.c.accepted_at.desc()).limit(most)).all()
            return sorted(_load(connection, ids), key=lambda job: job.accepted_at, reverse=True)

    def withdraw(self, job: Job) -> None:
        """Take a job back whose acceptance failed in a way that leaves open whether it was written."""
        with self._writing() as connection:
            connection.execute(delete(jobs).where(jobs.c.id == job.id, jobs.c.process.is_(None)))

    # Carrying.

    def claim(self, most: int, carrying: Collection[str] = ()) -> list[Job]:
        """Take up to `most` jobs that are due and that no living process holds, oldest first.

        `carrying` are the ids that this process is at; any other job in its name was dropped by a fault, and is free.
        """
        with self._writing() as connection:
            held = select(processes.c.id).where(processes.c.id == jobs.c.process, processes.c.lease_until > now())
            free = or_(
                jobs.c.process.is_(None),
                and_(jobs.c.process == self.process, jobs.c.id.not_in(tuple(carrying))),
                and_(jobs.c.process != self.process, ~held.exists()),
            )
            due = (
                select(jobs.c.id)
                .where(jobs.c.closed_at.is_(None), jobs.c.due_at <= now(), free)
                .order_by(jobs.c.due_at)
                .limit(most)
                .with_for_update(skip_locked=True)
            )
            ids = connection.scalars(due).all()
            if not ids:
                return []
            connection.execute(update(jobs).where(jobs.c.id.in_(ids)).values(process=self.process))
            return _load(connection, ids)

    def postpone(self, job: Job, seconds: float) -> None:
        """Let go of a job, not to be carried before `seconds` from now; `attempts` is written with it."""
        with self._changing(job) as connection:
            self._change(connection, job, process=None, due_at=now() + seconds, attempts=job.attempts)

    def spoken(self, job: Job, language: str) -> None:
        """Write the language down in which the job is answered."""
        with self._changing(job) as connection:
            self._change(connection, job, language=language)
        job.language = language

    def opened(self, job: Job, thread: Thread, final: bool) -> None:
        """Write down where the root message is, and whether it shows the result."""
        with self._changing(job) as connection:
            self._change(connection, job, root_channel=thread.channel, root_ts=thread.ts, root_final=int(final))
        job.thread, job.root_final = thread, final

    def sending(self, job: Job, step: Step) -> bool:
        """Write down that a step's request is about to leave; False, and its outcome is set, when it must not.

        It must not when another job has meanwhile sent or made the same group.
        """
        with self._changing(job) as connection:
            database.lock(connection)
            if twin := None if job.forced else _twin(connection, job, step, (SENDING,)):
                step.outcome = twin
                self._settle(connection, job, step)
                return False
            written = connection.execute(
                update(steps)
                .where(*_this(job, step), steps.c.state == WAITING)
                .values(state=SENDING, sent_at=now(), parent=step.under)
            )
            if written.rowcount != 1:
                raise LostLease
        step.unsettled = SENDING
        return True

    def unclear(self, job: Job, step: Step) -> None:
        """Write down why a request that left has no clear answer (`step.reason`); its outcome is looked up next."""
        with self._changing(job) as connection:
            connection.execute(update(steps).where(*_this(job, step)).values(detail=step.reason))

    def settle(self, job: Job, step: Step) -> None:
        """Write a step's outcome down."""
        with self._changing(job) as connection:
            self._settle(connection, job, step)

    def deny(self, job: Job, reason: str) -> None:
        """Settle every step as refused to the person; the button that they pressed is left for others."""
        with self._changing(job) as connection:
            if not job.typed_now:
                self._change(connection, job, trigger=f"denied:{job.id}")
            for step in job.steps:
                step.outcome = Denied(reason)
                self._settle(connection, job, step)

    def answered(self, job: Job) -> None:
        """Write down that the final answer was given: the job is no longer open."""
        with self._changing(job) as connection:
            self._change(connection, job, answered_at=now(), response_url=None)
        job.answered = True

    def finished(self, job: Job) -> None:
        """Write down that nothing is left to do."""
        with self._changing(job) as connection:
            self._change(connection, job, closed_at=now(), process=None, root_final=1)

    def made(self, ids: Collection[str]) -> set[str]:
        """Return those of the group ids that are known to have been made by the bot."""
        with self._reading() as connection:
            return set(connection.scalars(select(steps.c.group_id).where(steps.c.group_id.in_(tuple(ids)))).all())

    # The process.

    def renew(self) -> None:
        """Hold this process's jobs for another LEASE seconds, and drop what is of no use any more."""
        with self._writing() as connection:
            values = {"machine": liveness.machine(), "lease_until": now() + LEASE}
            renewed = connection.execute(update(processes).where(processes.c.id == self.process).values(values))
            if renewed.rowcount == 0:
                connection.execute(insert(processes).values(id=self.process, **values))
            connection.execute(delete(processes).where(processes.c.lease_until < now()))
            connection.execute(
                update(jobs)
                .where(jobs.c.response_url.is_not(None), jobs.c.closed_at.is_(None))
                .where(jobs.c.accepted_at < now() - RESPONSE_URL_LIVES)
                .values(response_url=None)
            )

    def bury(self) -> None:
        """End the leases of processes of this machine that are dead, so that their jobs need not wait for it."""
        with self._writing() as connection:
            here = select(processes.c.id).where(processes.c.machine == liveness.machine())
            dead = [process for process in connection.scalars(here) if not liveness.alive(process)]
            connection.execute(delete(processes).where(processes.c.id.in_(dead)))

    def leave(self) -> None:
        """Let go of everything this process holds, for the next one to take at once."""
        with self._writing() as connection:
            connection.execute(delete(processes).where(processes.c.id == self.process))

    # Transactions.

    @contextlib.contextmanager
    def _writing(self, patience: float | None = None) -> Iterator[Connection]:
        with _translated(), self._turns.take(patience), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _changing(self, job: Job) -> Iterator[Connection]:
        """Begin a change of a job that this process holds. Raises LostLease when it does not."""
        with self._writing() as connection:
            holder = select(jobs.c.process).where(jobs.c.id == job.id).with_for_update()
            if connection.scalar(holder) != self.process:
                raise LostLease
            yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), self._engine.connect().execution_options(reading=True) as connection:
            yield connection

    def _change(self, connection: Connection, job: Job, **values: Any) -> None:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(**values))

    def _settle(self, connection: Connection, job: Job, step: Step) -> None:
        values = _columns(step.outcome)
        connection.execute(update(steps).where(*_this(job, step)).values(state=step.state, settled_at=now(), **values))


class _Turns:
    """Lets `most` writers in at once: those with little patience, which are acknowledgements, before all others."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._urgent = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def take(self, patience: float | None = None) -> Iterator[None]:
        """Wait for a turn, for at most `patience` seconds. Raises JournalError."""
        urgent = patience is not None
        with self._changed:
            self._urgent += urgent
            mine = self._changed.wait_for(lambda: self._free and (urgent or not self._urgent), patience)
            self._urgent -= urgent
            if not mine:
                self._changed.notify_all()
                raise JournalError("other writers did not finish in time")
            self._free -= 1
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise JournalError(f"{type(error).__name__}: {getattr(error, 'orig', None) or 'no answer'}") from error


def _this(job: Job, step: Step) -> tuple[Any, Any]:
    return steps.c.job == job.id, steps.c.position == step.position


def _to_send(job: Job) -> list[Step]:
    return [step for step in job.steps if step.unsettled == WAITING]


def _parent_key(job: Job, step: Step) -> str:
    """Return the parent's id, or while it is not known, what tells it from every other."""
    if step.under is not None:
        return step.under
    if isinstance(step.parent, ParentName):
        return f"name:{fold(step.parent.name)}"
    return f"step:{job.id}:{step.above}"


def _storable(text: str) -> str:
    """Return a text without what databases refuse: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _insert(connection: Connection, job: Job, closed: bool = False) -> None:
    trigger = f"refused:{job.id}" if closed and not job.typed_now else job.trigger  # the button is left for others
    connection.execute(
        insert(jobs).values(
            id=job.id,
            trigger=trigger,
            user=job.user,
            asker=job.asker,
            origin=job.origin,
            forced=int(job.forced),
            channel=job.channel,
            typed=_storable(job.typed),
            language=job.language,
            response_url=None if closed else job.response_url,
            root_channel=job.thread.channel if job.thread else None,
            root_ts=job.thread.ts if job.thread else None,
            accepted_at=now(),
            due_at=now(),
            answered_at=now() if closed else None,
            closed_at=now() if closed else None,
        )
    )
    rows = [
        {
            "job": job.id,
            "position": step.position,
            "name": step.name,
            "name_key": fold(step.name),
            "parent": _parent_key(job, step),
            "parent_name": step.parent.name if isinstance(step.parent, ParentName) else None,
            "above": step.above,
            "state": step.state,
            "sent_at": now() - step.sent_ago if step.state == SENDING else None,
            "settled_at": now() if closed else None,
            **({"detail": step.reason or None} if step.outcome is None else {"detail": None, **_columns(step.outcome)}),
        }
        for step in job.steps
    ]
    connection.execute(insert(steps).values(rows))


def _twin(connection: Connection, job: Job, step: Step, unsettled: tuple[str, ...]) -> Duplicate | None:
    """Find another step for the same group that is under way in one of the states, or was made just now."""
    settled_at = func.coalesce(steps.c.settled_at, jobs.c.accepted_at)
    found = connection.execute(
        select(jobs.c.user, steps.c.state, steps.c.group_id, now() - settled_at)
        .join(jobs, jobs.c.id == steps.c.job)
        .where(steps.c.name_key == fold(step.name), steps.c.parent == _parent_key(job, step))
        .where(or_(steps.c.job != job.id, steps.c.position != step.position))
        .where(
            or_(
                and_(steps.c.state.in_(unsettled), jobs.c.closed_at.is_(None)),
                and_(steps.c.state.in_(("created", "unknown")), steps.c.settled_at > now() - RECENT),
            )
        )
        .order_by(settled_at.desc())
        .limit(1)
    ).first()
    return None if found is None else Duplicate(found[0], float(found[3]), found[1], found[2] or "")


def _columns(outcome: Outcome | None) -> dict[str, Any]:
    """Return the facts of an outcome as columns."""
    match outcome:
        case Created(group):
            return {"group_id": group.id}
        case Rejected(code=code, message=message):
            return {"code": code, "detail": _storable(message)}
        case NotSent(reason=reason):
            return {"detail": reason}
        case Unclear(reason, found):
            return {"detail": reason, "found": None if found is None else json.dumps(found)}
        case Duplicate() | NoParent() | Denied():
            return {"detail": json.dumps(vars(outcome))}
        case Skipped():
            return {"detail": None}
        case None:
            raise ValueError("a step without an outcome is not settled")


def outcome_of(row: Row[Any]) -> Outcome | None:
    """Return the outcome that _columns took apart."""
    match row.state:
        case "created":
            return Created(Group(row.group_id, row.name, row.parent))
        case "rejected":
            return Rejected(row.code, row.detail or "")
        case "not_sent" if row.detail.startswith("{"):
            more = json.loads(row.detail)
            return NoParent(more["reason"], tuple((path, identifier) for path, identifier in more["candidates"]))
        case "not_sent":
            return NotSent(row.detail)
        case "unknown":
            return Unclear(row.detail, None if row.found is None else tuple(json.loads(row.found)))
        case "skipped" if row.detail is None:
            return Skipped()
        case "skipped":
            more = json.loads(row.detail)
            return Denied(**more) if "reason" in more else Duplicate(**more)
        case _:
            return None


def _parent(row: Row[Any]) -> Parent:
    """Return a step's parent as it was given."""
    if row.parent_name is not None:
        return ParentName(row.parent_name)
    return ParentId(row.parent) if row.parent and row.above is None else None


def _load(connection: Connection, ids: Collection[str]) -> list[Job]:
    """Return jobs with their steps, in the order in which they are due."""
    found = {
        row.id: Job(
            user=row.user,
            channel=row.channel,
            trigger=row.trigger,
            typed=row.typed,
            steps=[],
            response_url=row.response_url or "",
            language=row.language,
            id=row.id,
            asker=row.asker,
            origin=row.origin,
            forced=bool(row.forced),
            thread=Thread(row.root_channel, row.root_ts) if row.root_ts else None,
            root_final=bool(row.root_final),
            accepted_at=row.accepted_at,
            answered=row.answered_at is not None,
            attempts=row.attempts,
        )
        for row in connection.execute(select(jobs).where(jobs.c.id.in_(ids)).order_by(jobs.c.due_at))
    }
    of_jobs = select(steps, (now() - steps.c.sent_at).label("sent_ago")).where(steps.c.job.in_(ids))
    for row in connection.execute(of_jobs.order_by(steps.c.job, steps.c.position)):
        found[row.job].steps.append(
            Step(
                position=row.position,
                name=row.name,
                parent=_parent(row),
                above=row.above,
                under=None if ":" in row.parent else row.parent,
                unsettled=row.state,
                reason=row.detail or "" if row.state == SENDING else "",
                sent_ago=row.sent_ago or 0.0,
                outcome=outcome_of(row),
            )
        )
    return list(found.values())

"""What was accepted, sent, settled and answered: on disk before anybody is told of it.

Every change is one transaction. Whoever carries a job holds it, and a change to a job that another process has taken
over meanwhile raises LostLease and changes nothing.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.exc import SQLAlchemyError

from bot.journal import connections, database, duplicates, lease, queries, rows
from bot.journal.group_commit import GroupCommit
from bot.metrics import metrics
from bot.model.group import Group
from bot.model.job import Job, Step, Thread
from bot.model.outcome import SENDING, WAITING, Denied, Duplicate, Unknown

LEASE = 30.0
"""How long a process holds its jobs without renewing its lease, in seconds."""

MOST_OPEN = 1000
"""How many jobs may be open before no more are accepted."""

_AT_ONCE = 32  # jobs in one transaction

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
class Backlog:
    """How many jobs are not answered yet, and for how long the oldest of them has been waiting, in seconds."""

    open_jobs: int
    oldest: float


@dataclass(frozen=True)
class Busy:
    """Too many jobs are open; nothing was written."""


_Change = tuple[Job, Callable[[Connection], object]]


class Journal:
    """The journal in the database at `url`, as seen by one process. Safe to use from many threads."""

    def __init__(self, url: str, ring: Callable[[], None] = lambda: None) -> None:
        """Keep the journal at `url`, and `ring` whenever a job was accepted."""
        self._ring = ring
        self._engine = connections.connect(url)
        self._accepting = GroupCommit(self._accept, _AT_ONCE, JournalError)
        self._changing: GroupCommit[_Change, Any] = GroupCommit(self._change_some, _AT_ONCE, JournalError)
        self.process = uuid.uuid4().hex
        self._sign_of_life = lease.show(self.process)

    def open(self) -> None:
        """Make or update the tables. Raises JournalError."""
        with _translated():
            database.migrate(self._engine)

    def close(self) -> None:
        """Close the connections; to others this process is dead from now on."""
        connections.dispose(self._engine)
        if self._sign_of_life:
            self._sign_of_life.close()

    def ping(self) -> None:
        """Raise JournalError when the database does not answer."""
        with self._reading() as connection:
            connection.execute(queries.PING)

    def backlog(self) -> Backlog:
        """Return what is not answered yet, by whatever process."""
        with self._reading() as connection:
            return Backlog(*connection.execute(queries.BACKLOG).one())

    # Accepting.

    def accept(self, job: Job) -> Accepted | Duplicate | Busy:
        """Write a job and its steps down.

        When somebody has just asked for the same group, it is written as settled and answered, and the Duplicate is
        returned, for the caller to tell. When too many are open, nothing is written.
        """
        accepted = self._accepting.do(job, connections.PATIENCE)
        if accepted == Accepted(fresh=True):
            self._ring()
        return accepted

    def _accept(self, batch: list[Job]) -> list[Accepted | Duplicate | Busy]:
        """Accept jobs in one transaction, each as if those before it were written already."""
        answers: list[Accepted | Duplicate | Busy] = []
        accepted: list[Job] = []
        refused: list[Job] = []
        with self._writing(urgent=True) as connection:
            database.lock(connection)
            triggers = {"triggers": [job.trigger for job in batch]}
            known = {row.trigger: row.user for row in connection.execute(queries.KNOWN, triggers)}
            room = MOST_OPEN - (connection.scalar(queries.OPEN, {"most": MOST_OPEN}) or 0)
            guarded = [rows.key(job, step) for job in batch for step in duplicates.of(job)]
            twins = duplicates.twins(connection, guarded, (WAITING, SENDING))
            for job in batch:
                if job.trigger in known:
                    answers.append(Accepted(False, known[job.trigger]))
                elif len(accepted) >= room:
                    answers.append(Busy())
                elif twin := duplicates.refused(job, twins):
                    refused.append(job)
                    answers.append(twin)
                    if not job.followup:  # others may still press a button
                        known[job.trigger] = job.user
                else:
                    accepted.append(job)
                    answers.append(Accepted())
                    known[job.trigger] = job.user
                    twins.update((rows.key(job, s), Duplicate(job.user, 0.0, s.state, "")) for s in job.steps)
            _insert(connection, accepted, refused)
        for step in (step for job in [*accepted, *refused] for step in job.steps):
            if step.outcome and step.state != Unknown.state:  # one that stays unknown was counted before
                metrics.settled(step.state)
        return answers

    def find(self, job: str) -> Job | None:
        """Return the job with this id, or None."""
        with self._reading() as connection:
            return next(iter(_load(connection, [job])), None)

    def count_created(self, origin: str) -> int:
        """Return how many groups were made by a job and those that went on from its answer."""
        with self._reading() as connection:
            return int(connection.scalar(queries.COUNT_CREATED, {"origin": origin}) or 0)

    def recent(self, most: int) -> list[Job]:
        """Return the last jobs, newest first."""
        with self._reading() as connection:
            ids = connection.scalars(queries.RECENT, {"most": most}).all()
            return sorted(_load(connection, ids), key=lambda job: job.accepted_at, reverse=True)

    def recently_created(self) -> list[Group]:
        """Return the groups that were made just now, by whatever process."""
        with self._reading() as connection:
            return [Group(*row) for row in connection.execute(queries.RECENTLY_CREATED, {"recent": duplicates.RECENT})]

    def withdraw(self, job: Job) -> None:
        """Take a job back whose acceptance failed in a way that leaves open whether it was written."""
        with self._writing() as connection:
            connection.execute(queries.WITHDRAW, {"this": job.id})

    # Carrying.

    def claim(self, most: int, carrying: Collection[str] = ()) -> list[Job]:
        """Take up to `most` jobs that are due and that no living process holds, oldest first.

        `carrying` are the ids that this process is at; any other job in its name was dropped by a fault, and is free.
        """
        with self._writing() as connection:
            free = {"me": self.process, "carrying": tuple(carrying), "most": most}
            ids = connection.scalars(queries.DUE, free).all()
            if not ids:
                return []
            connection.execute(queries.TAKE, {"me": self.process, "ids": ids})
            return _load(connection, ids)

    def release(self, job: Job, seconds: float) -> None:
        """Let go of a job, not to be carried before `seconds` from now; `attempts` is written with it."""
        self._change(job, queries.POSTPONE, seconds=seconds, attempts=job.attempts)

    def set_language(self, job: Job, language: str) -> None:
        """Write the language down in which the job is answered."""
        self._change(job, queries.CHANGE, language=language)
        job.language = language

    def set_root(self, job: Job, thread: Thread, final: bool) -> None:
        """Write down where the root message is, and whether it shows the result."""
        where = {"root_channel": thread.channel, "root_ts": thread.ts}
        self._change(job, queries.CHANGE, **where, root_final=int(final))
        job.thread, job.root_final = thread, final

    def mark_sending(self, job: Job, step: Step) -> bool:
        """Write down that a step's request is about to leave; False, and its outcome is set, when it must not.

        It must not when another job has meanwhile sent or made the same group.
        """

        def send(connection: Connection) -> None:
            database.lock(connection)
            key = rows.key(job, step)
            twins = {} if job.forced else duplicates.twins(connection, [key], (SENDING,), job.id, step.position)
            if twin := twins.get(key):
                step.outcome = duplicates.instead(twin)
                _settle(connection, job, step)
            else:
                parent = {"parent_id": step.parent_id, "parent_key": step.parent_id}
                if connection.execute(queries.SEND, {**_this(job, step), **parent}).rowcount != 1:
                    raise LostLease

        self._changed(job, send)
        if step.outcome:
            metrics.settled(step.state)
            return False
        step.stage = SENDING
        return True

    def mark_unanswered(self, job: Job, step: Step) -> None:
        """Write down why a request that left has no clear answer (`step.reason`); its outcome is looked up next."""
        self._change(job, queries.CHANGE_STEP, place=step.position, reason=step.reason)

    def settle(self, job: Job, step: Step) -> None:
        """Write a step's outcome down."""
        self._changed(job, lambda connection: _settle(connection, job, step))
        metrics.settled(step.state)

    def deny(self, job: Job, reason: str) -> None:
        """Settle every step as refused to the person; the button that they pressed is left for others."""
        refused = [step for step in job.steps if not step.outcome]

        def refuse(connection: Connection) -> None:
            if job.followup:
                connection.execute(queries.CHANGE, {"this": job.id, "trigger": f"denied:{job.id}"})
            for step in refused:
                step.outcome = Denied(reason)
                _settle(connection, job, step)

        self._changed(job, refuse)
        for step in refused:
            metrics.settled(step.state)

    def mark_answered(self, job: Job) -> None:
        """Write down that the final answer was given: the job is no longer open."""
        self._change(job, queries.ANSWERED)
        job.answered = True

    def mark_closed(self, job: Job) -> None:
        """Write down that nothing is left to do."""
        self._change(job, queries.FINISHED)

    def created_here(self, ids: Collection[str]) -> set[str]:
        """Return those of the group ids that are known to have been made by the bot."""
        with self._reading() as connection:
            return set(connection.scalars(queries.CREATED_HERE, {"groups": tuple(ids)}).all())

    # The process.

    def heartbeat(self) -> None:
        """Hold this process's jobs for another LEASE seconds, and drop what is of no use any more."""
        with self._writing() as connection:
            mine = {"me": self.process, "lease": LEASE}
            if connection.execute(queries.RENEW, mine).rowcount == 0:
                connection.execute(queries.ENTER, {"id": self.process, "machine": lease.machine(), **mine})
            connection.execute(queries.LAPSED)
            connection.execute(queries.FORGET_URLS, {"old": RESPONSE_URL_LIVES})

    def drop_dead_processes(self) -> None:
        """End the leases of processes of this machine that are dead, so that their jobs need not wait for it."""
        with self._writing() as connection:
            here = connection.scalars(queries.NEIGHBOURS, {"machine": lease.machine()})
            dead = [process for process in here if not lease.alive(process)]
            if dead:
                connection.execute(queries.LEAVE, {"processes": dead})

    def deregister(self) -> None:
        """Let go of everything this process holds, for the next one to take at once."""
        with self._writing() as connection:
            connection.execute(queries.LEAVE, {"processes": [self.process]})

    # Transactions.

    def _change(self, job: Job, statement: Executable, **values: Any) -> None:
        """Change a job that this process holds. Raises LostLease when it does not."""
        self._changed(job, lambda connection: connection.execute(statement, {"this": job.id, **values}))

    def _changed(self, job: Job, change: Callable[[Connection], object]) -> None:
        """Make a change of more than one statement; it may raise LostLease before it has changed anything."""
        if lost := self._changing.do((job, change)):
            raise lost

    def _change_some(self, changes: list[_Change]) -> list[LostLease | None]:
        """Change jobs in one transaction, and return of which this process has lost the lease."""
        with self._writing() as connection:
            these = {"ids": [job.id for job, _ in changes], "me": self.process}
            held = set(connection.scalars(queries.HELD, these))
            lost: list[LostLease | None] = []
            for job, change in changes:
                try:
                    if job.id not in held:
                        raise LostLease
                    change(connection)
                    lost.append(None)
                except LostLease as error:
                    lost.append(error)
            return lost

    @contextlib.contextmanager
    def _writing(self, urgent: bool = False) -> Iterator[Connection]:
        """Begin to write; an `urgent` transaction goes before others, and gives up sooner."""
        with _translated(), self._engine.connect() as connection:
            connection.execution_options(urgent=urgent)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        with _translated(), connections.reading(self._engine) as connection:
            yield connection


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        metrics.journal_failed()
        raise JournalError(f"{type(error).__name__}: {getattr(error, 'orig', None) or 'no answer'}") from error


def _insert(connection: Connection, accepted: list[Job], refused: list[Job]) -> None:
    closed = [(job, False) for job in accepted] + [(job, True) for job in refused]
    if closed:
        connection.execute(queries.NEW_JOBS, [rows.of_job(*each) for each in closed])
        connection.execute(queries.NEW_STEPS, [row for job, _ in closed for row in rows.of_steps(job)])


def _this(job: Job, step: Step) -> dict[str, Any]:
    return {"this": job.id, "place": step.position}


def _settle(connection: Connection, job: Job, step: Step) -> None:
    if not step.outcome:
        raise ValueError("a step without an outcome is not settled")
    connection.execute(queries.SETTLE, {**_this(job, step), **rows.of_outcome(step.outcome)})


def _load(connection: Connection, ids: Collection[str]) -> list[Job]:
    """Return jobs with their steps, in the order in which they are due."""
    which = {"ids": tuple(ids)}
    return rows.jobs_of(connection.execute(queries.JOBS, which), connection.execute(queries.STEPS, which))

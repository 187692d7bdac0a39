"""What was accepted, sent, settled and answered: on disk before anybody is told of it.

Every change is one transaction. The process that carries a job holds it: a change to a job that another process has
taken over raises TakenOver and writes nothing.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Executable, and_, bindparam, case, delete, func, insert, or_, select, update

from bot.journal import accepting, rows
from bot.journal.accepting import Accepted, Busy, accept
from bot.journal.errors import JournalError, TakenOver, Unsure
from bot.journal.life import LEASE, SERVE, SURE, Watch, boottime
from bot.journal.reading import JOBS, Reader
from bot.journal.tables import jobs, languages, now, processes, steps
from bot.journal.writer import Change, R, Writer
from bot.log import event
from bot.metrics import metrics
from bot.model.job import Job, Step, Thread
from bot.model.outcome import SENDING, WAITING, Created, Denied, Duplicate, Exists, Outcome, Unknown

PATIENCE = 2.5
"""How long an acknowledgement waits for the journal, in seconds. Slack waits 3."""

LEAST_PATIENCE = 0.1
"""The same behind others after a write that failed: a thread that waits keeps others from being answered."""

RESPONSE_URL_LIVES = 1800.0
"""How long Slack honours a response_url, in seconds. Source: https://docs.slack.dev/interactivity/handling-user-interaction"""

_unfinished = jobs.c.closed_at.is_(None)
_held = and_(jobs.c.id == bindparam("this"), jobs.c.process == bindparam("me"), _unfinished)
_HOLD = select(jobs.c.id).where(_held)
_CHANGE = update(jobs).where(_held).values(process=bindparam("me"))
"""Change a job, if this process has it still: what changes no row was taken over. Columns are given as parameters."""
_ANSWERED = _CHANGE.values(answered_at=now(), response_url=None)
_CLOSED = update(jobs).where(_held).values(closed_at=now(), process=None, root_final=1)

_CHANGE_STEP = update(steps).where(steps.c.job == bindparam("this"), steps.c.position == bindparam("place"))
_SEND = _CHANGE_STEP.where(steps.c.state == WAITING).values(state=SENDING, sent_at=now())
_SETTLE = _CHANGE_STEP.values(settled_at=func.coalesce(steps.c.settled_at, now()))  # by a look it gets no younger
_CORRECT = _SETTLE.where(steps.c.state.in_((SENDING, Unknown.state)))
"""Settle a step that was sent, whatever was told of it meanwhile."""
_editable = case((jobs.c.answer_ts.is_(None), None), else_=jobs.c.answered_at)
_REOPEN = update(jobs).where(jobs.c.id == bindparam("this"))
_REOPEN = _REOPEN.values(process=bindparam("me"), closed_at=None, root_final=0, answered_at=_editable)
"""Take a job back, from any process, to tell what became of it after all: an answer that cannot be edited once more."""

_SHOW_LIFE = update(processes).where(processes.c.id == bindparam("me")).values(lease_until=now() + LEASE)
_ENTER = insert(processes).values(lease_until=now() + LEASE, machine=SERVE)
_MY_LIFE = "SELECT lease_until FROM processes WHERE id = ?"
_ADOPT = (
    update(jobs)
    .where(_unfinished, or_(jobs.c.process.is_(None), jobs.c.process.not_in(select(processes.c.id))))
    .values(process=bindparam("me"))
    .returning(jobs.c.id)
)
"""Take over the jobs that no process holds."""
_MINE = select(jobs.c.id).where(_unfinished, jobs.c.process == bindparam("me"))
_UNANSWERED_FIRST = jobs.c.answered_at.is_not(None), jobs.c.accepted_at
_FORGET_URLS = (
    update(jobs)
    .where(jobs.c.response_url.is_not(None), _unfinished, jobs.c.accepted_at < now() - RESPONSE_URL_LIVES)
    .values(response_url=None)
)


class Journal(Reader):
    """The journal in the database at `url`, as seen by one process. Safe to use from many threads.

    Every method may raise JournalError. `accepted` is called with each job that was written down, from a thread of the
    journal's own, as soon as it is; it must not wait for anything.
    """

    def __init__(self, url: str, accepted: Callable[[Job], None] = lambda _job: None) -> None:
        super().__init__(url)
        self.process = uuid.uuid4().hex
        self._accepted = accepted
        self._writer = Writer(self._database)
        self._watch = Watch()
        self._shown: object = None  # the last sign of life
        self._sure_until = 0.0  # by `boottime`: until then nobody can have taken over what this process holds
        self._strays: set[str] = set()  # jobs that this process held at the last look, without carrying them

    def open(self) -> None:
        """Make or update the tables. Raises WrongJournal for a journal that this version, or this user, cannot use."""
        self._database.open()

    def close(self) -> None:
        """Write what waits, and close the connections."""
        self._writer.close()
        super().close()

    def ping(self) -> None:
        """Raise JournalError when the database does not answer, or refused the last write."""
        self._rows(select(1))
        if self._database.failing:
            raise JournalError("the last write failed")

    # Accepting.

    def accept(self, job: Job) -> Accepted | Busy:
        """Write a job and its steps down, held by this process; it may be called again for the same job or trigger.

        A job for a group that somebody has just asked for is written down as settled: as their duplicate. When too
        many are open, nothing is written. Raises JournalError when nothing was written, also when that was not begun
        within PATIENCE, and Unsure when nobody knows.
        """
        if not job.steps:
            raise ValueError("a job has at least one step")
        patience = LEAST_PATIENCE if self._database.failing and self._writer.busy else PATIENCE
        future = self._writer.submit(lambda connection: accept(connection, job, self.process))
        future.add_done_callback(self._hand_over)
        try:
            return future.result(patience)[0]
        except NotInTime:
            if future.cancel():
                raise JournalError("the database is too slow") from None
            raise Unsure("the database has not finished in time") from None

    def _hand_over(self, done: Future[tuple[Accepted | Busy, Job]]) -> None:
        """Pass a job on that was written down, also when nobody waits for the answer any more."""
        if done.cancelled() or done.exception():
            return  # where that is Unsure, `keep` finds out
        answer, job = done.result()
        if answer == Accepted():
            _count(step for step in job.steps if step.state != Unknown.state)  # that one was counted before
            self._accepted(job)

    # Holding.

    def keep(self, known: Collection[str] = ()) -> list[Job]:
        """Show that this process lives, and return the jobs that are to be carried from now on.

        To be called every life.EVERY seconds with the ids of the jobs that it carries. To be carried is what no living
        process held; and what this process holds and did not know at two looks, as after `correct`, or a commit that
        was Unsure. A job that cannot be read has no steps: its person is to be told. After a failure all others have
        the time of a take-over again, since nobody could show life.
        """
        began, me = boottime(), {"me": self.process}
        if self.sure:
            self._database.look(_MY_LIFE, self.process, self._shown)
        try:
            with self._database.writing() as connection:
                if not connection.execute(_SHOW_LIFE, me).rowcount:
                    connection.execute(_ENTER, {"id": self.process})
                lives = connection.execute(select(processes)).all()
                for row in self._watch.silent([row for row in lives if row.id != self.process]):
                    unchanged = processes.c.lease_until == row.lease_until
                    if connection.execute(delete(processes).where(processes.c.id == row.id, unchanged)).rowcount:
                        event("take_over", process=row.id)
                adopted = set(connection.scalars(_ADOPT, me))
                mine = set(connection.scalars(_MINE, me)) - set(known)
                connection.execute(_FORGET_URLS)
        except JournalError:
            self._watch.forget()
            raise
        self._sure_until = began + SURE
        self._shown = next(row.lease_until for row in lives if row.id == self.process)
        wanted, self._strays = adopted | (mine & self._strays), mine
        if adopted:
            event("adopted", jobs=len(adopted))
        return self._jobs(JOBS.where(jobs.c.id.in_(wanted)).order_by(*_UNANSWERED_FIRST), whole=False) if wanted else []

    def let_go(self) -> None:
        """Let go of everything this process holds, for another one to take at once."""
        self._sure_until = 0.0
        with self._database.writing() as connection:
            connection.execute(delete(processes).where(processes.c.id == self.process))

    @property
    def sure(self) -> bool:
        """Whether nobody can have taken over what this process holds: it has shown its life just now."""
        return boottime() < self._sure_until

    def holds(self, job: Job) -> bool:
        """Ask the database whether this process still holds a job."""
        return bool(self._rows(_HOLD, this=job.id, me=self.process))

    # Carrying: each of these raises TakenOver when another process has the job.

    def set_language(self, job: Job, language: str) -> None:
        """Write the language down in which the job is answered."""
        self._change(job, language=language)
        job.language = language

    def set_root(self, job: Job, thread: Thread, final: bool) -> None:
        """Write down where the root message is, and whether it shows the result."""
        self._change(job, root_channel=thread.channel, root_ts=thread.ts, root_final=int(final))
        job.thread, job.root_final = thread, final

    def count_fault(self, job: Job) -> None:
        """Write down that carrying a job raised an unexpected error."""
        job.faults += 1
        self._change(job, faults=job.faults)

    def mark_sending(self, job: Job, step: Step, gone: Collection[str] = ()) -> bool:
        """Write down that a step's request is about to leave; False, and its outcome is set, when it must not.

        It must not when another job has meanwhile sent or made the same group. `gone` are the ids of groups that the
        bot made and that were deleted since.
        """

        def send(connection: Connection) -> Duplicate | Exists | None:
            self._hold(connection, job)
            twins = {} if job.forced else accepting.twins(connection, job, [step], (SENDING,), gone)
            if twin := twins.get(rows.key(job, step)):
                outcome = accepting.instead(twin)
                connection.execute(_SETTLE, {**_this(job, step), **rows.of_outcome(outcome)})
                return outcome
            parent = {"parent_id": step.parent_id, "parent_key": step.parent_id}
            if connection.execute(_SEND, {**_this(job, step), **parent}).rowcount != 1:
                raise TakenOver
            return None

        step.outcome = self._write(send)
        if step.outcome:
            _count([step])
            return False
        step.stage = SENDING
        return True

    def settle(self, job: Job, *some: Step) -> None:
        """Write down what became of steps: their outcomes, or the `reason` why one that left has no answer."""
        self._settle(job, some)
        _count(some)

    def deny(self, job: Job, reason: str) -> None:
        """Settle every step as refused to the person; the button that they pressed is left for others."""
        denied = [replace(step, outcome=Denied(reason)) for step in job.steps]
        self._settle(job, denied, **({"trigger": f"denied:{job.id}"} if job.followup else {}))
        job.steps[:] = denied
        _count(denied)

    def look_again(self, job: Job, looks: Mapping[int, Outcome], *, news: bool) -> None:
        """Write down what looking again found, by position. With `news`, the job is open until that is answered."""
        some = [replace(job.steps[position], outcome=outcome) for position, outcome in looks.items()]
        self._settle(job, some, **({"answered_at": None, "root_final": 0} if news else {}))
        for position, outcome in looks.items():
            job.steps[position].outcome = outcome
        if news:
            job.answered_at, job.root_final = None, False

    def correct(self, job: Job, step: Step) -> bool:
        """Write down that a group was created, after another process took the job over and settled it as unknown.

        A fact beats a doubt: this process then holds the job again, and `keep` returns it soon, for its answer to be
        corrected. Returns whether there was anything to correct.
        """
        if not isinstance(step.outcome, Created):
            return False
        created = {**_this(job, step), **rows.of_outcome(step.outcome)}

        def correct(connection: Connection) -> bool:
            if not connection.execute(_CORRECT, created).rowcount:
                return False
            return bool(connection.execute(_REOPEN, {"this": job.id, "me": self.process}).rowcount)

        return self._write(correct)

    def mark_answered(self, job: Job) -> None:
        """Write down that the final answer was given, and where its buttons are: the job is no longer open."""
        self._change(job, _ANSWERED, answer_ts=job.answer_ts or None)
        job.answered_at = time.monotonic()

    def mark_closed(self, job: Job) -> None:
        """Write down that nothing is left to do."""
        self._change(job, _CLOSED)

    def choose_language(self, user: str, language: str) -> None:
        """Write a person's choice of language down; "" takes it back."""

        def choose(connection: Connection) -> None:
            connection.execute(delete(languages).where(languages.c.user == user))
            if language:
                connection.execute(insert(languages).values(user=user, language=language))

        self._write(choose)

    def _write(self, change: Change[R]) -> R:
        return self._writer.submit(change).result()

    def _settle(self, job: Job, some: Iterable[Step], **columns: Any) -> None:
        def settle(connection: Connection) -> None:
            self._hold(connection, job, **columns)
            for step in some:
                if step.outcome:
                    connection.execute(_SETTLE, {**_this(job, step), **rows.of_outcome(step.outcome)})
                else:
                    connection.execute(_CHANGE_STEP, {**_this(job, step), "reason": step.reason})

        self._write(settle)

    def _change(self, job: Job, statement: Executable = _CHANGE, **columns: Any) -> None:
        self._write(lambda connection: self._hold(connection, job, statement, **columns))

    def _hold(self, connection: Connection, job: Job, statement: Executable = _CHANGE, /, **columns: Any) -> None:
        """Change a job that this process holds, which it then does until the transaction ends; else TakenOver."""
        if connection.execute(statement, {"this": job.id, "me": self.process, **columns}).rowcount != 1:
            raise TakenOver


def _this(job: Job, step: Step) -> dict[str, Any]:
    return {"this": job.id, "place": step.position}


def _count(some: Iterable[Step]) -> None:
    """Count the outcomes of steps that were just settled."""
    for step in some:
        if step.outcome:
            metrics.settled(step.state)

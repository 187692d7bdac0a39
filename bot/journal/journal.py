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
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Executable

from bot.journal import accepting, queries, rows
from bot.journal.accepting import Accepted, Busy, accept
from bot.journal.errors import JournalError, TakenOver, Unsure
from bot.journal.life import LEASE, SERVE, SURE, Watch, boottime
from bot.journal.reading import Reader
from bot.journal.writer import Change, R, Writer
from bot.log import event
from bot.metrics import metrics
from bot.model.job import Job, Step, Thread
from bot.model.outcome import SENDING, Created, Denied, Duplicate, Exists, Outcome, Unknown

PATIENCE = 2.5
"""How long an acknowledgement waits for the journal, in seconds. Slack waits 3."""

LEAST_PATIENCE = 0.1
"""The same where nothing was written for so long already: a thread that waits keeps others from being answered."""

RESPONSE_URL_LIVES = 1800.0
"""How long Slack honours a response_url, in seconds. Source: https://docs.slack.dev/interactivity/handling-user-interaction"""

AT_ONCE = 100
"""How many jobs are read in one go."""

_MY_LIFE = "SELECT lease_until FROM processes WHERE id = ?"


@dataclass(frozen=True)
class Damaged:
    """A job whose row no longer holds text: who asked for it where, as far as that can be read."""

    job: str
    user: str
    channel: str
    language: str
    response_url: str


class Journal(Reader):
    """The journal in the database at `url`, as seen by one process. Safe to use from many threads.

    Every method may raise JournalError. `accepted` is called with each job that was written down, from a thread of the
    journal's own, as soon as it is; it must not wait for anything.
    """

    def __init__(self, url: str, accepted: Callable[[Job], None] = lambda _job: None) -> None:
        self.process = uuid.uuid4().hex
        self._accepted = accepted
        super().__init__(url)
        self._writer = Writer(self._database)
        self._watch = Watch()
        self._shown: object = None  # the last sign of life
        self._sure_until = 0.0  # by `boottime`: until then nobody can have taken over what this process holds
        self._regained: set[str] = set()  # jobs that may be this process's without its carrying them

    def open(self) -> None:
        """Make or update the tables, and see that they can be written. Raises WrongJournal for another version's."""
        self._database.open()
        with self._database.writing() as connection:
            connection.execute(queries.TRY_TO_WRITE)

    def close(self) -> None:
        """Write what waits, and close the connections."""
        self._writer.close()
        super().close()

    def ping(self) -> None:
        """Raise JournalError when the database does not answer, or refuses to write since a write failed."""
        with self._reading() as connection:
            connection.execute(queries.PING)
        if self._database.failing:
            with self._database.writing() as connection:
                connection.execute(queries.TRY_TO_WRITE)

    # Accepting.

    def accept(self, job: Job) -> Accepted | Busy:
        """Write a job and its steps down, held by this process; it may be called again for the same job or trigger.

        A job for a group that somebody has just asked for is written down as settled: as their duplicate. When too
        many are open, nothing is written. Raises JournalError when nothing was written, also when that was not begun
        within PATIENCE, and Unsure when nobody knows.
        """
        if not job.steps:
            raise ValueError("a job has at least one step")
        future = self._writer.submit(lambda connection: accept(connection, job, self.process))
        future.add_done_callback(lambda done: self._hand_over(job.id, done))
        try:
            return future.result(max(LEAST_PATIENCE, PATIENCE - self._writer.busy_for))[0]
        except NotInTime:
            if future.cancel():
                raise JournalError("the database is too slow") from None
            raise Unsure("the database has not finished in time") from None

    def _hand_over(self, identifier: str, future: Future[tuple[Accepted | Busy, Job]]) -> None:
        """Pass a job on that was written down, also when nobody waits for the answer any more."""
        if future.cancelled():
            return
        if error := future.exception():
            if isinstance(error, Unsure):
                self._regained.add(identifier)
            return
        answer, job = future.result()
        if answer == Accepted():
            _count(step for step in job.steps if step.state != Unknown.state)  # that one was counted before
            self._accepted(job)

    # Holding.

    def keep(self, known: Collection[str] = ()) -> list[Job]:
        """Show that this process lives, and return the jobs that are its own from now on.

        To be called every life.EVERY seconds with the ids of the jobs that it carries. It takes over what no living
        process holds. After a failure all others have the time of a take-over again, since nobody could show life.
        """
        began = boottime()
        try:
            return self._keep(began, known)
        except JournalError:
            self._watch.forget()
            raise

    def _keep(self, began: float, known: Collection[str]) -> list[Job]:
        me = {"me": self.process}
        if self._database.file and self.sure:
            self._database.file.look(_MY_LIFE, (self.process,), self._shown)
        with self._database.writing() as connection:
            if not connection.execute(queries.SHOW_LIFE, {**me, "lease": LEASE}).rowcount:
                connection.execute(queries.ENTER, {"id": self.process, "machine": SERVE, "lease": LEASE})
            lives = connection.execute(queries.LIVES).all()
            for process, seen in self._watch.silent([row for row in lives if row.id != self.process]):
                if connection.execute(queries.BURY, {"process": process, "seen": seen}).rowcount:
                    event("take_over", process=process)
            adopted = connection.scalars(queries.ORPHANS, {"unreadable": tuple(self._unreadable)}).all()
            regained = {job for job in tuple(self._regained) if job not in known}
            ids = [*adopted, *connection.scalars(queries.MINE, {**me, "ids": tuple(regained)})]
            if adopted:
                connection.execute(queries.TAKE_OVER, {**me, "ids": adopted})
            connection.execute(queries.FORGET_URLS, {"old": RESPONSE_URL_LIVES})
        self._sure_until = began + SURE
        self._shown = next(row.lease_until for row in lives if row.id == self.process)
        self._regained = (self._regained - regained) | set(ids)  # until they are read: the database may go away now
        if adopted:
            event("adopted", jobs=len(adopted))
        jobs: list[Job] = []
        for start in range(0, len(ids), AT_ONCE):
            jobs += self._load(ids[start : start + AT_ONCE])
        self._regained -= set(ids)
        return jobs

    def let_go(self) -> None:
        """Let go of everything this process holds, for another one to take at once."""
        self._sure_until = 0.0
        with self._database.writing() as connection:
            connection.execute(queries.LET_GO, {"me": self.process})
            connection.execute(queries.LEAVE, {"me": self.process})

    @property
    def sure(self) -> bool:
        """Whether nobody can have taken over what this process holds: it has shown its life just now."""
        return boottime() < self._sure_until

    def holds(self, job: Job) -> bool:
        """Ask the database whether this process still holds a job."""
        with self._reading() as connection:
            return connection.scalar(queries.HOLD, self._mine(job)) is not None

    def damaged(self) -> list[Damaged]:
        """Set the damaged jobs aside that were found since the last call, and return who has to be told."""
        found: list[Damaged] = []
        for job in [job for job, damaged in self._unreadable.items() if damaged]:
            with self._database.writing() as connection:
                row = connection.execute(queries.WHO_ASKED, {"this": job}).first()
                connection.execute(queries.SET_ASIDE, {"this": job})
            self._unreadable[job] = False
            if row and row.answered_at is None:
                who = (rows.readable(value) for value in (row.user, row.channel, row.language, row.response_url))
                found.append(Damaged(job, *who))
        return found

    # Carrying: each of these raises TakenOver when another process has the job.

    def set_language(self, job: Job, language: str) -> None:
        """Write the language down in which the job is answered."""
        self._change(job, queries.CHANGE, language=language)
        job.language = language

    def set_root(self, job: Job, thread: Thread, final: bool) -> None:
        """Write down where the root message is, and whether it shows the result."""
        where = {"root_channel": thread.channel, "root_ts": thread.ts}
        self._change(job, queries.CHANGE, **where, root_final=int(final))
        job.thread, job.root_final = thread, final

    def count_fault(self, job: Job) -> None:
        """Write down that carrying a job raised an unexpected error."""
        job.faults += 1
        self._change(job, queries.CHANGE, faults=job.faults)

    def mark_sending(self, job: Job, step: Step, gone: Collection[str] = ()) -> bool:
        """Write down that a step's request is about to leave; False, and its outcome is set, when it must not.

        It must not when another job has meanwhile sent or made the same group. `gone` are the ids of groups that the
        bot made and that were deleted since.
        """

        def send(connection: Connection) -> Duplicate | Exists | None:
            twins = {} if job.forced else accepting.twins(connection, job, [step], (SENDING,), gone)
            if twin := twins.get(rows.key(job, step)):
                outcome = accepting.instead(twin)
                _settle(connection, job, step, outcome)
                return outcome
            parent = {"parent_id": step.parent_id, "parent_key": step.parent_id}
            if connection.execute(queries.SEND, {**_this(job, step), **parent}).rowcount != 1:
                raise TakenOver
            return None

        step.outcome = self._change_steps(job, send)
        if step.outcome:
            _count([step])
            return False
        step.stage = SENDING
        return True

    def mark_unanswered(self, job: Job, step: Step) -> None:
        """Write down why a request that left has no clear answer (`step.reason`); its outcome is looked up next."""
        values = {**_this(job, step), "reason": step.reason}
        self._change_steps(job, lambda connection: connection.execute(queries.CHANGE_STEP, values))

    def settle(self, job: Job, step: Step) -> None:
        """Write a step's outcome down."""
        if not step.outcome:
            raise ValueError("a step without an outcome is not settled")
        self.settle_all(job, {step.position: step.outcome})

    def settle_all(self, job: Job, outcomes: Mapping[int, Outcome], *, free_button: bool = False) -> None:
        """Settle steps by their positions, in one go. With `free_button`, others may press the button of this job."""

        def settle(connection: Connection) -> None:
            if free_button and job.followup:
                connection.execute(queries.CHANGE, {**self._mine(job), "trigger": f"denied:{job.id}"})
            for position, outcome in outcomes.items():
                _settle(connection, job, job.steps[position], outcome)

        self._change_steps(job, settle)
        for position, outcome in outcomes.items():
            job.steps[position].outcome = outcome
        _count(job.steps[position] for position in outcomes)

    def look_again(self, job: Job, looks: Mapping[int, Outcome], *, news: bool) -> None:
        """Write down what looking again found, by position. With `news`, the job is open until that is answered."""

        def write(connection: Connection) -> None:
            if news:
                connection.execute(queries.CHANGE, {**self._mine(job), "answered_at": None, "root_final": 0})
            for position, outcome in looks.items():  # `settled_at` stays: the request is no younger for it
                values = {**_this(job, job.steps[position]), **rows.of_outcome(outcome)}
                connection.execute(queries.CHANGE_STEP, values)

        self._change_steps(job, write)
        for position, outcome in looks.items():
            job.steps[position].outcome = outcome
        if news:
            job.answered_at, job.root_final = None, False

    def deny(self, job: Job, reason: str) -> None:
        """Settle every step as refused to the person; the button that they pressed is left for others."""
        self.settle_all(job, {step.position: Denied(reason) for step in job.steps}, free_button=True)

    def correct(self, job: Job, step: Step) -> bool:
        """Write down that a group was created, after another process took the job over and settled it as unknown.

        A fact beats a doubt: this process then holds the job again, and the next `keep` returns it, for its answer to
        be corrected. Returns whether there was anything to correct.
        """
        created = rows.of_outcome(step.outcome) if isinstance(step.outcome, Created) else {}

        def correct(connection: Connection) -> bool:
            if not created or not connection.execute(queries.CORRECT, {**_this(job, step), **created}).rowcount:
                return False
            return bool(connection.execute(queries.REOPEN, self._mine(job)).rowcount)

        corrected = self._write(correct)
        if corrected:
            self._regained.add(job.id)
        return corrected

    def mark_answered(self, job: Job) -> None:
        """Write down that the final answer was given, and where its buttons are: the job is no longer open."""
        self._change(job, queries.ANSWERED, answer_ts=job.answer_ts or None)
        job.answered_at = time.monotonic()

    def mark_closed(self, job: Job) -> None:
        """Write down that nothing is left to do."""
        self._change(job, queries.CLOSED)

    # Languages.

    def choose_language(self, user: str, language: str) -> None:
        """Write a person's choice of language down; "" takes it back."""

        def choose(connection: Connection) -> None:
            connection.execute(queries.FORGET_LANGUAGE, {"this": user})
            if language:
                connection.execute(queries.CHOOSE_LANGUAGE, {"user": user, "language": language})

        self._write(choose)

    # How.

    def _write(self, change: Change[R]) -> R:
        return self._writer.submit(change).result()

    def _change(self, job: Job, statement: Executable, **values: Any) -> None:
        """Change a job by a CHANGE, if this process holds it."""

        def change(connection: Connection) -> None:
            if connection.execute(statement, {**self._mine(job), **values}).rowcount != 1:
                raise TakenOver

        self._write(change)

    def _change_steps(self, job: Job, change: Change[R]) -> R:
        """Change the steps of a job that this process holds, and return the result."""

        def change_if_held(connection: Connection) -> R:
            if connection.scalar(queries.LOCK, self._mine(job)) is None:
                raise TakenOver
            return change(connection)

        return self._write(change_if_held)

    def _mine(self, job: Job) -> dict[str, Any]:
        return {"this": job.id, "me": self.process}


def _this(job: Job, step: Step) -> dict[str, Any]:
    return {"this": job.id, "place": step.position}


def _settle(connection: Connection, job: Job, step: Step, outcome: Outcome) -> None:
    connection.execute(queries.SETTLE, {**_this(job, step), **rows.of_outcome(outcome)})


def _count(steps: Iterable[Step]) -> None:
    """Count the outcomes of steps that were just settled."""
    for step in steps:
        if step.outcome:
            metrics.settled(step.state)

"""What was accepted, sent, settled and answered: on disk before anybody is told of it.

Every change is one transaction. The process that carries a job holds it, and a change to a job that another process
has taken over meanwhile raises LostLease and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Connection

from bot.journal import accepting, connections, database, duplicates, queries, rows
from bot.journal.accepting import Accepted, Answer, Busy, Refused
from bot.journal.claiming import Wanted, claim
from bot.journal.errors import BadValue, JournalError, Unsure
from bot.journal.group_commit import GroupCommit, TookTooLong
from bot.journal.holder import AT_ONCE, Holder, LostLease
from bot.journal.member import LEASE
from bot.metrics import metrics
from bot.model.job import Job, Step, Thread
from bot.model.outcome import SENDING, Denied, Duplicate, Exists, Outcome, Unknown

__all__ = ["LEASE", "Accepted", "Busy", "Journal", "LostLease"]

GRACE = 1.3
"""How long an acknowledgement waits for a transaction that has begun, beyond PATIENCE, in seconds. Slack waits 3."""


class Journal(Holder):
    """The journal in the database at `url`, as seen by one process. Safe to use from many threads."""

    def __init__(self, url: str, ring: Callable[[], None] = lambda: None) -> None:
        """Keep the journal at `url`, and `ring` whenever a job was accepted."""
        super().__init__(url)
        self._ring = ring
        self._accepting = GroupCommit(self._accept, AT_ONCE, JournalError, BadValue)

    def open(self) -> None:
        """Make or update the tables. Raises JournalError."""
        self._transactions.migrate()

    @property
    def failing(self) -> bool:
        """Whether the database takes no more: the last write failed, not long ago."""
        return self._transactions.failing

    def ping(self) -> None:
        """Raise JournalError when the database does not answer, or refuses to write since a write failed."""
        with self._reading() as connection:
            connection.execute(queries.PING)
        if self.failing:
            with self._writing(urgent=True) as connection:
                connection.execute(queries.TRY_TO_WRITE)

    # Accepting.

    def accept(self, job: Job) -> Accepted | Duplicate | Busy:
        """Write a job and its steps down.

        When somebody has just asked for the same group, it is written as settled and answered, its steps are settled,
        and the Duplicate is returned, for the caller to tell. When too many are open, nothing is written.

        Raises JournalError when nothing was written, and Unsure when that is not known: then it may be tried again.
        """
        if not job.steps:
            raise ValueError("a job has at least one step")
        try:
            answer = self._accepting.do(job, connections.PATIENCE, GRACE)
        except TookTooLong as error:
            raise (Unsure if error.begun else JournalError)(str(error)) from error
        if isinstance(answer, Refused):
            job.steps = answer.job.steps
            _count(job.steps)
            return cast(Duplicate, duplicates.of_refused(job))
        if answer == Accepted(fresh=True):
            _count(step for step in job.steps if step.state != Unknown.state)  # that one was counted before
            self._ring()
        return answer

    def _accept(self, batch: list[Job]) -> list[Answer]:
        with self._writing(urgent=True) as connection:
            database.lock(connection)
            return accepting.accept(connection, batch, self._loader)

    # Carrying.

    def claim(
        self,
        most: int,
        carrying: Collection[Job] = (),
        *,
        ready: Collection[str] = (),
        without: Collection[str] = (),
        keep_some: bool = False,
    ) -> list[Job]:
        """Take up to `most` jobs that are due and that no living process holds, oldest first, fairly by person.

        `carrying` are the jobs that this process is at; any other job in its name was dropped by a fault, and is free.
        `ready` are ids of jobs that are due whatever their time says, `without` of jobs that are not to be claimed yet.
        With `keep_some`, no person gets more jobs than they leave for others. A job that cannot be read is left alone.
        """
        wanted = Wanted(self.process, most, carrying, ready, without, keep_some)
        with self._writing() as connection:
            return claim(connection, wanted, self._loader)

    def release(self, job: Job, seconds: float) -> None:
        """Let go of a job, not to be carried before `seconds` from now; `attempts` and `faults` are written with it."""
        self._change(job, queries.POSTPONE, seconds=seconds, attempts=job.attempts, faults=job.faults)

    def set_language(self, job: Job, language: str) -> None:
        """Write the language down in which the job is answered."""
        self._change(job, queries.CHANGE, language=language)
        job.language = language

    def set_root(self, job: Job, thread: Thread, final: bool) -> None:
        """Write down where the root message is, and whether it shows the result."""
        where = {"root_channel": thread.channel, "root_ts": thread.ts}
        self._change(job, queries.CHANGE, **where, root_final=int(final))
        job.thread, job.root_final = thread, final

    def mark_sending(self, job: Job, step: Step, gone: Collection[str] = ()) -> bool:
        """Write down that a step's request is about to leave; False, and its outcome is set, when it must not.

        It must not when another job has meanwhile sent or made the same group. `gone` are the ids of groups that the
        bot made and that were deleted since.
        """

        def send(connection: Connection) -> Duplicate | Exists | None:
            database.lock(connection)
            key = rows.key(job, step)
            twins = {} if job.forced else duplicates.twins(connection, [key], (SENDING,), (job.id, step.position), gone)
            if twin := twins.get(key):
                outcome = duplicates.instead(twin)
                _settle(connection, job, step, outcome)
                return outcome
            parent = {"parent_id": step.parent_id, "parent_key": step.parent_id}
            if connection.execute(queries.SEND, {**_this(job, step), **parent}).rowcount != 1:
                raise LostLease
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
        if not (outcome := step.outcome):
            raise ValueError("a step without an outcome is not settled")
        self._change_steps(job, lambda connection: _settle(connection, job, step, outcome))
        _count([step])

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

    def deny(self, job: Job, reason: str) -> None:
        """Settle every step as refused to the person; the button that they pressed is left for others."""
        self.settle_all(job, {step.position: Denied(reason) for step in job.steps}, free_button=True)

    def mark_answered(self, job: Job) -> None:
        """Write down that the final answer was given, and where its buttons are: the job is no longer open."""
        self._change(job, queries.ANSWERED, answer_ts=job.answer_ts or None)
        job.answered = True

    def mark_closed(self, job: Job) -> None:
        """Write down that nothing is left to do."""
        self._change(job, queries.FINISHED)

    # Languages.

    def choose_language(self, user: str, language: str) -> None:
        """Write a person's choice of language down; "" takes it back."""
        with self._writing() as connection:
            database.lock(connection)
            connection.execute(queries.FORGET_LANGUAGE, {"this": user})
            if language:
                connection.execute(queries.CHOOSE_LANGUAGE, {"user": user, "language": language})


def _this(job: Job, step: Step) -> dict[str, Any]:
    return {"this": job.id, "place": step.position}


def _settle(connection: Connection, job: Job, step: Step, outcome: Outcome) -> None:
    connection.execute(queries.SETTLE, {**_this(job, step), **rows.of_outcome(outcome)})


def _count(steps: Iterable[Step]) -> None:
    """Count the outcomes of steps that were just settled."""
    for step in steps:
        if step.outcome:
            metrics.settled(step.state)

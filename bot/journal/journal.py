"""What was accepted, sent, settled and answered: on disk before anybody is told of it.

A change to a job that another process has taken over raises TakenOver and writes nothing. One thread makes the changes
for all: what waits is done in one transaction, in the order in which it came.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, bindparam, case, delete, func, insert, update

from bot.journal import BadValue, JournalError, TakenOver, Unsure, accepting, rows
from bot.journal.accepting import Accepted, Busy, accept
from bot.journal.holding import SILENT, Holder, held
from bot.journal.tables import jobs, languages, now, steps
from bot.metrics import GROUPS
from bot.model.job import Job, Step, Thread
from bot.model.outcome import FORCED, SENDING, WAITING, Created, Denied, Duplicate, Exists, Outcome, Unknown

PATIENCE = 2.5
"""How long an acknowledgement waits for the journal, in seconds. Slack waits 3."""

GIVEN_WAY = 0.5
"""How long jobs wait at most for commands that are being accepted, in seconds."""

AT_ONCE = 32
"""How many changes are made in one transaction at most."""

_SENT = (SENDING, Created.state, Unknown.state)

_CHANGE = update(jobs).where(held).values(process=bindparam("me"))
"""Change a job, if this process has it still: what changes no row was taken over. Columns are given as parameters."""
_ANSWERED = _CHANGE.values(answered_at=now(), response_url=None)
_CLOSED = update(jobs).where(held).values(closed_at=now(), process=None, root_final=1)

_CHANGE_STEP = update(steps).where(steps.c.job == bindparam("this"), steps.c.position == bindparam("place"))
_SEND = _CHANGE_STEP.where(steps.c.state == WAITING).values(state=SENDING, sent_at=now())
_SETTLE = _CHANGE_STEP.values(settled_at=func.coalesce(steps.c.settled_at, now()))  # by a look it gets no younger
_DOUBT = _SETTLE.where(steps.c.state != Created.state)  # which replaces no fact
_CORRECT = _SETTLE.where(steps.c.state.in_((SENDING, Unknown.state)))
"""Settle a step that was sent, whatever was told of it meanwhile."""
_editable = case((jobs.c.answer_ts.is_(None), None), else_=jobs.c.answered_at)
_REOPEN = update(jobs).where(jobs.c.id == bindparam("this"))
_REOPEN = _REOPEN.values(process=bindparam("me"), closed_at=None, root_final=0, answered_at=_editable)
"""Take a job back, from any process, to tell what became of it after all: an answer that cannot be edited once more."""

R = TypeVar("R")
Change = Callable[[Connection], R]
"""Makes a change, perhaps more than once; it may raise TakenOver before it changes anything."""

_Waiting = tuple[Change[Any], Future[Any]]


class Journal(Holder):
    """The journal in the database at `url`, as seen by one process. Safe to use from many threads.

    Every method may raise JournalError. `accepted` is called with each job that was written down, from a thread of the
    journal's own, as soon as it is; it must not wait for anything.
    """

    def __init__(self, url: str, accepted: Callable[[Job], None] = lambda _job: None) -> None:
        super().__init__(url)
        self._accepted = accepted
        self._accepting = 0  # how many callers of `accept` wait
        self._all_accepted = threading.Condition()
        self._waiting: deque[_Waiting] = deque()
        self._wake: queue.SimpleQueue[bool] = queue.SimpleQueue()  # True for each change, False at the end
        self._writer = threading.Thread(target=self._write_all, name="writer", daemon=True)
        self._writer.start()

    def open(self) -> None:
        """Make or update the tables. Raises WrongJournal for a journal that this version, or this user, cannot use."""
        self._database.open()

    def close(self) -> None:
        """Write what waits, and nothing that comes later; close the connections."""
        self._wake.put(False)
        self._writer.join()
        super().close()

    def works(self) -> bool:
        """Tell, without asking the database, whether it took the last write, and a sign of life lately."""
        return not self._database.failing and time.monotonic() - self._shown_at < SILENT

    # Accepting.

    def accept(self, job: Job) -> Accepted | Busy:
        """Write a job and its steps down, held by this process; it may be called again for the same job or trigger.

        A job for a group that somebody has just asked for is written down as settled: as their duplicate. When too
        many are open, nothing is written. Raises JournalError when nothing was written, also when that was not begun
        within PATIENCE, and Unsure when nobody knows.
        """
        if not job.steps:
            raise ValueError("a job has at least one step")
        future = self._submit(lambda connection: accept(connection, job, self.process))
        future.add_done_callback(self._hand_over)
        with self._all_accepted:
            self._accepting += 1
        try:
            return future.result(PATIENCE)[0]
        except TimeoutError:
            if future.cancel():
                raise JournalError("the database is too slow") from None
            raise Unsure("the database has not finished in time") from None
        finally:
            with self._all_accepted:
                self._accepting -= 1
                self._all_accepted.notify_all()

    def give_way(self) -> None:
        """Wait until nobody waits for `accept`, for GIVEN_WAY seconds at most: acknowledgements go before answers."""
        with self._all_accepted:
            self._all_accepted.wait_for(lambda: not self._accepting, GIVEN_WAY)

    def _hand_over(self, done: Future[tuple[Accepted | Busy, Job]]) -> None:
        """Pass a job on that was written down, also when nobody waits for the answer any more."""
        if done.cancelled() or done.exception():
            return  # where that is Unsure, `keep` finds out
        answer, job = done.result()
        if answer == Accepted():
            _count(step for step in job.steps if step.state != Unknown.state)  # that one was counted before
            self._accepted(job)

    # Carrying: each of these raises TakenOver when another process has the job.

    def set_language(self, job: Job, language: str) -> None:
        """Write the language down in which the job is answered."""
        self._change(job, language=language)
        job.language = language

    def set_root(self, job: Job, thread: Thread, final: bool) -> None:
        """Write down where the root message is, and whether it shows the result; if that fails, `job` has it."""
        job.thread, job.root_final = thread, final
        self._change(job, **rows.of_root(job))

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
            twins = {} if job.followup in FORCED else accepting.twins(connection, job, [step], _SENT, gone)
            if twin := twins.get(rows.key(job, step)):
                made = Exists(twin.id, user=twin.user, at=time.time() - twin.age)
                outcome = made if twin.step_state == Created.state else twin
                connection.execute(_SETTLE, _this(job, step, **rows.of_outcome(outcome)))
                return outcome
            parent = {"parent_id": step.parent_id, "parent_key": step.parent_id}
            if connection.execute(_SEND, _this(job, step, **parent)).rowcount != 1:
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

        def correct(connection: Connection) -> bool:
            created = isinstance(step.outcome, Created) and _this(job, step, **rows.of_outcome(step.outcome))
            if not created or not connection.execute(_CORRECT, created).rowcount:
                return False
            return bool(connection.execute(_REOPEN, {"this": job.id, "me": self.process}).rowcount)

        return self._write(correct)

    def mark_answered(self, job: Job) -> None:
        """Write down that the final answer was given, and where it and the root are: the job is no longer open."""
        self._change(job, _ANSWERED, answer_ts=job.answer_ts or None, **rows.of_root(job))
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

    def _settle(self, job: Job, some: Iterable[Step], **columns: Any) -> None:
        def settle(connection: Connection) -> None:
            self._hold(connection, job, **columns)
            for step in some:
                if step.outcome:
                    statement = _DOUBT if isinstance(step.outcome, Unknown) else _SETTLE
                    if connection.execute(statement, _this(job, step, **rows.of_outcome(step.outcome))).rowcount != 1:
                        raise TakenOver
                else:
                    connection.execute(_CHANGE_STEP, _this(job, step, reason=step.reason))

        self._write(settle)

    def _change(self, job: Job, statement: Executable = _CHANGE, **columns: Any) -> None:
        self._write(lambda connection: self._hold(connection, job, statement, **columns))

    def _hold(self, connection: Connection, job: Job, statement: Executable = _CHANGE, /, **columns: Any) -> None:
        """Change a job that this process holds, which it then does until the transaction ends; else TakenOver."""
        if connection.execute(statement, {"this": job.id, "me": self.process, **columns}).rowcount != 1:
            raise TakenOver

    # Writing.

    def _write(self, change: Change[R]) -> R:
        return self._submit(change).result()

    def _submit(self, change: Change[R]) -> Future[R]:
        """Queue a change. The future can be cancelled until it is this change's turn to be written.

        It gets the change's result, TakenOver, or the JournalError of its transaction. After BadValue each change of
        the transaction is tried alone, so that only that one fails which caused it.
        """
        if not self._writer.is_alive():
            raise JournalError("it was closed")
        future: Future[R] = Future()
        self._waiting.append((change, future))
        self._wake.put(True)
        return future

    def _write_all(self) -> None:
        while self._wake.get():
            if some := [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]:
                self._write_together(some)

    def _write_together(self, some: list[_Waiting]) -> None:
        try:
            with self._database.writing() as connection:
                some = [one for one in some if _begun(one[1])]
                results: list[Any] = [_made(change, connection) for change, _ in some]
        except JournalError as error:
            if isinstance(error, BadValue) and len(some) > 1:
                for one in some:
                    self._write_together([one])
                return
            some = [one for one in some if _begun(one[1])]
            results = [error] * len(some)
        for (_, future), result in zip(some, results, strict=True):
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def _begun(future: Future[Any]) -> bool:
    """Let a future not be cancelled any more; False when it was."""
    return future.running() or (not future.cancelled() and future.set_running_or_notify_cancel())


def _made(change: Change[R], connection: Connection) -> R | TakenOver:
    try:
        return change(connection)
    except TakenOver as error:
        return error


def _this(job: Job, step: Step, **columns: Any) -> dict[str, Any]:
    return {"this": job.id, "place": step.position, **columns}


def _count(some: Iterable[Step]) -> None:
    """Count the outcomes of steps that were just settled."""
    for step in some:
        if step.outcome:
            GROUPS.labels(step.state).inc()

"""Settles the steps of a job: finds the parent, sends the one request, or looks up what became of it.

What may have reached the server is never sent again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from bot.iletimerkezi import client as api
from bot.iletimerkezi.groups import Groups, Listed
from bot.journal.errors import JournalError, TakenOver
from bot.journal.journal import Journal
from bot.journal.reading import Made
from bot.log import event
from bot.model.job import Job, Step, TryLater
from bot.model.names import Group, ParentName
from bot.model.next_job import kept
from bot.model.outcome import AS_SENT, MOST_LOOKS, WAITING, Created, Exists, NotSent, Rejected, Skipped, Unknown
from bot.worker.fair_limit import FairLimit

LOOK_UP_AFTER = 3.0
"""How long after a request left its lost answer is looked up, in seconds: it may still be on its way."""

LIST_LAG = 5.0
"""How much younger than a group a list must be to tell that it was deleted, in seconds."""

PROGRESS = 1.0
"""How often it is told how far a tree of groups is, in seconds."""


@dataclass(frozen=True)
class _Work:
    """A job that is being settled since a time of the monotonic clock, and what came before it in its chain."""

    job: Job
    began: float
    earlier: list[Job]


class GroupCreator:
    """Makes the groups, with at most `calls` requests to the group API at once, until `stopping` is set.

    A call may take `timeout` seconds.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        journal: Journal,
        client: api.Client,
        groups: Groups,
        calls: int,
        timeout: float,
        stopping: threading.Event,
    ) -> None:
        self._journal = journal
        self._client = client
        self._groups = groups
        self._timeout = timeout
        self._calls = FairLimit(calls)
        self._threads = 2 * calls  # for all trees together; more than calls, because a step also waits for the journal
        self._trees: set[str] = set()  # jobs of several steps that are being settled
        self._stopping = stopping

    def settle(self, job: Job, progress: Callable[[], None]) -> float:
        """Settle every step: each as soon as the one above it is, siblings side by side; tell of `progress` meanwhile.

        Returns 0.0, or in how many seconds the steps that are left can go on. Raises TryLater, JournalError or
        TakenOver when some are not settled for another reason; the others are.
        """
        earlier = self._journal.chain(job.origin) if job.follows and _waits(job) else []
        work = _Work(job, time.monotonic(), [each for each in earlier if each.id != job.id])
        if len(job.steps) == 1:
            return self._settle(work, job.steps[0])
        self._trees.add(job.id)
        try:
            return self._settle_tree(work, progress)
        finally:
            self._trees.discard(job.id)

    def prepare(self, job: Job) -> None:
        """Begin to read the list of groups, where the job will ask for it; never waits."""
        if _waits(job):
            self._groups.prefetch()

    def _settle_tree(self, work: _Work, progress: Callable[[], None]) -> float:
        """Settle a job of several steps, with its share of the threads that all such jobs have together."""
        job = work.job
        waits: list[float] = []
        errors: list[BaseException] = []
        shown = time.monotonic()
        begun: set[int] = set()
        running: set[Future[float]] = set()
        with ThreadPoolExecutor(min(self._threads, len(job.steps)), thread_name_prefix="step") as pool:
            while True:
                for step in job.steps:
                    if errors or len(running) >= max(2, self._threads // len(self._trees)):
                        break
                    if step.position not in begun and not step.outcome and _above_settled(job, step):
                        begun.add(step.position)
                        running.add(pool.submit(self._settle, work, step))
                if not running:
                    break
                done, running = wait(running, return_when=FIRST_COMPLETED)
                errors += [error for each in done if (error := each.exception())]
                waits += [each.result() for each in done if not each.exception()]
                if time.monotonic() - shown >= PROGRESS and not job.settled:
                    progress()
                    shown = time.monotonic()
        if errors:
            raise errors[0]
        return max(waits, default=0.0)

    def _settle(self, work: _Work, step: Step) -> float:
        """Settle one step; return 0.0, or in how many seconds its lost answer can be looked up."""
        job = work.job
        if not step.outcome and step.parent_id is None:
            self._place(job, step)
        if step.outcome:
            return 0.0
        unchecked, gone = False, set[str]()
        if step.state == WAITING and not job.forced:
            unchecked, gone = self._look_for_existing(work, step)
        if step.state == WAITING:
            with self._calls.take(job.user, job.id):
                if self._stopping.is_set():
                    raise TryLater("stopping", 0.0)
                if self._journal.mark_sending(job, step, gone):
                    self._send(job, step, unchecked)
        if not step.outcome and step.confirmed_id:
            step.outcome = Created(step.confirmed_id)
            self._journal.settle(job, step)
        return 0.0 if step.outcome else self._look_up(job, step)

    def _look_for_existing(self, work: _Work, step: Step) -> tuple[bool, set[str]]:
        """Settle a step whose group is there already, or of which an earlier job of the chain left that unclear.

        Of any other, return whether nobody could see if it is there, and the ids of such groups that were deleted.
        """
        job, parent_id = work.job, step.parent_id or ""
        if step.above is not None and isinstance(job.steps[step.above].outcome, Created):
            return False, set()  # a new group has no subgroups
        step.outcome = kept(work.earlier, step.name, parent_id)
        if step.outcome:
            self._journal.settle(job, step)
            return False, set()
        listed = self._groups.listed()
        made = self._journal.created_as(step.name, parent_id)
        found = listed.index.placed(step.name, parent_id) if listed else None
        if listed and not found and any(each.age > LIST_LAG for each in made):
            listed = self._groups.listed(since=work.began)  # for only one that is newer than the group tells
            found = listed.index.placed(step.name, parent_id) if listed else None
        gone = {each.id for each in made if listed and _deleted(listed, each, step.name, work.began)}
        there = next((each for each in made if each.id not in gone), None)
        if listed and found:
            step.outcome = Exists(found[0], listed.index.path(found[0]))
        elif there and listed and listed.index.holds(there.id, step.name):
            step.outcome = Exists(there.id, listed.index.path(there.id))
        elif there:
            step.outcome = Exists(there.id, user=there.user, at=there.at)
        if step.outcome:
            self._journal.settle(job, step)
            event("exists", job=job.id, step=step.position)
        return found is None and not self._groups.closed, gone

    def _place(self, job: Job, step: Step) -> None:
        """Find the id of the parent, or settle the step as one that cannot be made."""
        if isinstance(step.parent, ParentName):
            with self._calls.take(job.user, job.id):
                found = self._groups.named(step.parent.name)
            if isinstance(found, Group):
                step.parent_id = found.id
                return
            step.outcome = found
        elif step.above is not None:
            above = job.steps[step.above].outcome
            if above and above.group_id:
                step.parent_id = above.group_id
                return
            step.outcome = Skipped()
        self._journal.settle(job, step)

    def _send(self, job: Job, step: Step, unchecked: bool) -> None:
        """Send the one request of a step, and write down what came of it."""
        started, reason = time.monotonic(), ""
        try:
            group = self._client.add_group(step.name, step.parent_id or "", lambda: self._may_send(job))
            step.outcome = Created(group.id, unchecked, group.name if group.name != step.name else "")
        except api.Rejected as error:
            step.outcome, reason = Rejected(error.code, error.message), str(error.code)
        except api.NotSent as error:
            step.outcome, reason = NotSent(error.reason), error.reason
        except api.Unknown as error:
            step.reason = reason = error.reason
        step.look_from = started + LOOK_UP_AFTER
        outcome, seconds = step.state if step.outcome else "unknown", time.monotonic() - started
        event("sent", job=job.id, step=step.position, outcome=outcome, reason=reason or None, seconds=seconds)
        try:
            self._insist(lambda: self._journal.settle(job, step))
        except TakenOver:
            if self._journal.correct(job, step):
                event("corrected", job=job.id, step=step.position)
            raise

    def _may_send(self, job: Job) -> bool:
        """Ask once more, before the first byte leaves, whether this process still has the job.

        Where the journal does not answer, it has it for as long as its last sign of life keeps others from it.
        """
        try:
            return self._journal.holds(job)
        except JournalError:
            return self._journal.sure

    def _look_up(self, job: Job, step: Step) -> float:
        """Find out what became of a request without an answer, and settle the step as unknown with what was found.

        Returns 0.0, or in how many seconds that can be done: a request that another process sent may still be on its
        way for as long as a call takes, from when this one took the job over.
        """
        now = time.monotonic()
        if step.look_from is None:
            step.look_from = now + LOOK_UP_AFTER + (0.0 if step.reason else self._timeout)
        if step.look_from > now:
            return step.look_from - now
        pressed = job.followup in AS_SENT  # who looked once can look again
        step.outcome = self.look(job, step, step.reason or "crashed", MOST_LOOKS if pressed else 0)
        self._journal.settle(job, step)
        return 0.0

    def look(self, job: Job, step: Step, reason: str, looks: int) -> Unknown:
        """Return what the account's list shows of a request that has no clear answer for this `reason`."""
        with self._calls.take(job.user, job.id):
            found = self._groups.find(step.name, step.parent_id or "")
        if found:
            made = self._journal.created_here(found)
            found = tuple(identifier for identifier in found if identifier not in made)
        event("looked_up", job=job.id, step=step.position, found="?" if found is None else len(found))
        return Unknown(reason, found, not self._groups.closed, looks)

    def _insist(self, write: Callable[[], None]) -> None:
        """Write what must not be lost, for as long as a database may be away; then the look-up has to find it."""
        for seconds in (0.1, 0.3, 1, 3, 10, 10):
            try:
                write()
                return
            except JournalError as error:
                event("not_written", level=logging.ERROR, reason=str(error))
                self._stopping.wait(seconds)
        write()


def _above_settled(job: Job, step: Step) -> bool:
    return step.above is None or job.steps[step.above].outcome is not None


def _waits(job: Job) -> bool:
    """Tell whether a job has steps that are not to be sent before a look whether they exist."""
    return not job.forced and any(step.state == WAITING for step in job.steps)


def _deleted(listed: Listed, made: Made, name: str, began: float) -> bool:
    """Tell whether a group that the bot made is not there any more.

    A list says so that was asked for since the job `began`, and not only by the database's clock, which may be set.
    """
    asked_ago = time.monotonic() - listed.asked_at
    return listed.asked_at > began and made.age > asked_ago + LIST_LAG and not listed.index.holds(made.id, name)

"""Settles the steps of a job: finds the parent, sends the one request, or looks up what became of it.

What may have reached the server is never sent again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from bot.iletimerkezi import client as api
from bot.iletimerkezi.groups import Groups
from bot.journal.errors import JournalError
from bot.journal.journal import Journal
from bot.log import event
from bot.model.group import Group
from bot.model.job import Job, Step, TryLater
from bot.model.names import ParentName
from bot.model.outcome import WAITING, Created, Exists, NotSent, Rejected, Skipped, Unknown
from bot.worker.fair_limit import FairLimit

LOOK_UP_AFTER = 3.0
"""How long after a request left its lost answer is looked up, in seconds: it may still be on its way."""

EXISTING_WITHIN = 1.0
"""How long a step waits for the list of groups, in seconds, before it is sent without a look whether it exists."""

PROGRESS = 1.0
"""How often it is told how far a tree of groups is, in seconds."""


class GroupCreator:
    """Makes the groups, with at most `calls` requests to the group API at once, until `stopping` is set."""

    def __init__(
        self, journal: Journal, client: api.Client, groups: Groups, calls: int, stopping: threading.Event
    ) -> None:
        self._journal = journal
        self._client = client
        self._groups = groups
        self._calls = FairLimit(calls)
        self._threads = 2 * calls  # more than calls, because a step also waits for the journal and the list of groups
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="step")
        self._trees: set[str] = set()  # jobs of several steps that are being settled
        self._stopping = stopping

    def settle(self, job: Job, progress: Callable[[], None]) -> None:
        """Settle every step: each as soon as the one above it is, siblings side by side; tell of `progress` meanwhile.

        Raises TryLater, JournalError or LostLease when some are not settled; the others are.
        """
        if len(job.steps) == 1:
            self._settle(job, job.steps[0])
            return
        self._trees.add(job.id)
        try:
            self._settle_tree(job, progress)
        finally:
            self._trees.discard(job.id)

    def _settle_tree(self, job: Job, progress: Callable[[], None]) -> None:
        """Settle a job of several steps, with its share of the threads that all such jobs have together."""
        later: list[TryLater] = []
        errors: list[BaseException] = []
        shown = time.monotonic()
        begun: set[int] = set()
        running: set[Future[None]] = set()
        while True:
            for step in job.steps:
                if len(running) >= max(1, self._threads // len(self._trees)) or errors:
                    break
                if step.position not in begun and not step.outcome and _above_settled(job, step):
                    begun.add(step.position)
                    running.add(self._pool.submit(self._settle, job, step))
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for error in (each.exception() for each in done):
                if isinstance(error, TryLater):
                    later.append(error)
                elif error:
                    errors.append(error)
            if time.monotonic() - shown >= PROGRESS and not job.settled:
                progress()
                shown = time.monotonic()
        if errors:
            raise errors[0]
        if later:
            raise min(later, key=lambda error: error.seconds or 0.0)

    def _settle(self, job: Job, step: Step) -> None:
        if not step.outcome and step.parent_id is None:
            self._place(job, step)
        if step.outcome:
            return
        if step.state == WAITING and not job.forced:
            self._look_for_existing(job, step)
        if step.state == WAITING:
            with self._calls.take(job.user, job.id):
                if self._stopping.is_set():
                    raise TryLater("stopping", 0.0)
                if self._journal.mark_sending(job, step):
                    self._send(job, step)
        if not step.outcome and step.confirmed_id:
            step.outcome = Created(step.confirmed_id)
            self._journal.settle(job, step)
        if not step.outcome:
            self._look_up(job, step)

    def _look_for_existing(self, job: Job, step: Step) -> None:
        """Settle a step whose group the account has already, as far as the list of groups tells in time."""
        if step.above is not None and isinstance(job.steps[step.above].outcome, Created):
            return  # a new group has no subgroups
        found = self._groups.existing(step.name, step.parent_id or "", EXISTING_WITHIN)
        if found:
            step.outcome = Exists(found[0], self._groups.path(found[0]))
            self._journal.settle(job, step)
            event("exists", job=job.id, step=step.position)

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

    def _send(self, job: Job, step: Step) -> None:
        """Send the one request of a step, and write down what came of it."""
        started, reason = time.monotonic(), ""
        try:
            step.outcome = Created(self._client.add_group(step.name, step.parent_id or "").id)
        except api.Rejected as error:
            step.outcome, reason = Rejected(error.code, error.message), str(error.code)
        except api.NotSent as error:
            step.outcome, reason = NotSent(error.reason), error.reason
        except api.Unknown as error:
            step.reason = reason = error.reason
        step.sent_ago = time.monotonic() - started
        outcome = step.state if step.outcome else "unknown"
        event("sent", job=job.id, step=step.position, outcome=outcome, reason=reason or None, seconds=step.sent_ago)
        if step.outcome:
            self._insist(lambda: self._journal.settle(job, step))
        else:
            self._insist(lambda: self._journal.mark_unanswered(job, step))

    def _look_up(self, job: Job, step: Step) -> None:
        """Find out what became of a request without an answer, and settle the step as unknown with what was found."""
        if step.sent_ago < LOOK_UP_AFTER:
            raise TryLater("look_up", LOOK_UP_AFTER - step.sent_ago)
        with self._calls.take(job.user, job.id):
            found = self._groups.find(step.name, step.parent_id or "")
        if found:
            made = self._journal.created_here(found)
            found = tuple(identifier for identifier in found if identifier not in made)
        step.outcome = Unknown(step.reason or "crashed", found)
        self._journal.settle(job, step)
        event("looked_up", job=job.id, step=step.position, found="?" if found is None else len(found))

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

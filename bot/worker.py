"""Carries jobs from accepted to answered, outside the acknowledgement; takes up those that a dead process left.

Carrying is one walk, the same for a fresh job and for one found after a crash: it looks at where each step stands and
goes on from there. What may have reached the server is never sent again.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from bot.bell import Bell
from bot.command import ParentName
from bot.groups import Groups
from bot.iletimerkezi import Client, Group, NotSent, Rejected, Unknown
from bot.jobs import WAITING, Created, Job, Skipped, Step, Unclear
from bot.journal import LEASE, Journal, JournalError, LostLease
from bot.logs import event
from bot.slack.access import Access
from bot.slack.calls import SlackRefused, TryLater
from bot.slack.conversation import Conversation
from bot.slack.people import People
from bot.turns import Turns

POLL = 1.0
"""How often the journal is asked for jobs that another process left or that have become due, in seconds."""

LOOK_UP_AFTER = 3.0
"""How long after a request left its lost answer is looked up, in seconds: it may still be on its way."""

PROGRESS = 1.0
"""How often the root shows how far a tree of groups is, in seconds."""

ATTEMPTS_TO_LOOK = 3
"""How often Slack is asked who somebody is, before not knowing it is a refusal."""

LONGEST_WAIT = 30.0
"""How long a job that failed for a passing reason waits at most before it is tried again, in seconds."""


class Worker:
    """Carries the journal's jobs, with at most `calls` requests to the group API at once."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts that a walk needs
        self,
        journal: Journal,
        api: Client,
        groups: Groups,
        conversation: Conversation,
        people: People,
        access: Access,
        bell: Bell,
        calls: int,
    ) -> None:
        self._journal = journal
        self._api = api
        self._groups = groups
        self._conversation = conversation
        self._people = people
        self._access = access
        self._bell = bell
        self._most_calls = calls
        self._calls = Turns(calls)
        self._carriers = 2 * calls  # more than calls, so that jobs that wait for Slack do not keep the API idle
        self._claimed: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self._carrying: set[str] = set()
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._keepers: list[threading.Thread] = []  # those that use the journal beside the carriers
        self._lease_until = 0.0

    def start(self) -> None:
        """Register this process, and begin to carry. Raises JournalError."""
        self._journal.bury()
        self._journal.renew()
        self._lease_until = time.monotonic() + LEASE
        for target in (self._hold, self._dispatch, *[self._carry_on] * self._carriers):
            thread = threading.Thread(target=target, name=f"worker-{target.__name__}", daemon=True)
            thread.start()
            if target != self._carry_on:
                self._keepers.append(thread)

    def stop(self, seconds: float) -> None:
        """Begin nothing more, let what is under way finish, and leave the rest to the next process."""
        self._stopping.set()
        self._bell.ring()
        for thread in self._keepers:
            thread.join(POLL)
        with self._changed:
            finished = self._changed.wait_for(lambda: not self._carrying, seconds)
        try:
            self._journal.leave()
        except JournalError as error:
            event("lease_not_ended", level=logging.WARNING, reason=str(error))
        if not finished:
            event("left_unfinished", level=logging.WARNING, jobs=len(self._carrying))

    # The threads.

    def _hold(self) -> None:
        """Renew the lease as long as this process lives."""
        while not self._stopping.wait(LEASE / 6):
            try:
                self._journal.renew()
                self._journal.bury()
                self._lease_until = time.monotonic() + LEASE
            except JournalError as error:
                event("lease_not_renewed", level=logging.ERROR, reason=str(error))

    def _dispatch(self) -> None:
        """Claim as many jobs as there are free carriers."""
        while not self._stopping.is_set():
            self._bell.beat(min(self._lease_until, time.monotonic() + 10 * POLL))
            claimed: list[Job] = []
            with self._changed:
                carrying = frozenset(self._carrying)
            try:
                if len(carrying) < self._carriers:
                    claimed = self._journal.claim(self._carriers - len(carrying), carrying)
            except JournalError as error:
                event("jobs_not_claimed", level=logging.ERROR, reason=str(error))
            for job in claimed:
                with self._changed:
                    self._carrying.add(job.id)
                self._claimed.put(job)
            self._bell.wait(POLL)

    def _carry_on(self) -> None:
        while True:
            job = self._claimed.get()
            self._carry(job)
            with self._changed:
                self._carrying.discard(job.id)
                self._changed.notify_all()
            self._bell.ring()

    # The walk.

    def _carry(self, job: Job) -> None:
        """Carry one job as far as it goes now. The boundary at which a fault becomes a log line and another attempt."""
        try:
            self._walk(job)
        except LostLease:
            event("lease_lost", level=logging.WARNING, job=job.id)
        except TryLater as later:
            self._postpone(job, later.why, later.seconds)
        except JournalError as error:
            event("journal_failed", level=logging.ERROR, job=job.id, reason=str(error))
            self._postpone(job, "journal", None)
        except Exception as error:  # noqa: BLE001  # the process's edge: nothing may end a carrier in silence
            event("job_failed", level=logging.ERROR, job=job.id, trace=error)
            self._postpone(job, type(error).__name__, None)

    def _postpone(self, job: Job, why: str, seconds: float | None) -> None:
        if seconds is None:
            seconds, job.attempts = min(2.0 ** min(job.attempts, 10), LONGEST_WAIT), job.attempts + 1
        event("postponed", job=job.id, why=why, seconds=seconds)
        try:
            self._journal.postpone(job, seconds)
        except (JournalError, LostLease) as error:
            event("not_postponed", level=logging.ERROR, job=job.id, reason=str(error))

    def _walk(self, job: Job) -> None:
        if not job.language:
            self._journal.spoken(job, self._people.language(job.user))
        if not job.begun and (reason := self._refusal(job)):
            self._journal.deny(job, reason)
            event("denied", job=job.id, user=job.user, channel=job.channel, reason=reason)
        if not job.thread and not job.settled:
            self._try_root(job)
        self._settle_all(job)
        if not job.answered:
            self._answer(job)
            self._journal.answered(job)
        if job.thread and not job.root_final and not job.denied:
            self._finish_root(job)
        self._audit(job)
        self._journal.finished(job)
        event("done", job=job.id)

    def _refusal(self, job: Job) -> str:
        """Return why the person may not have this done, "" if they may; Slack gets some chances to say who they are."""
        if job.attempts < ATTEMPTS_TO_LOOK:
            return self._access.look(job.user, job.channel)
        return self._access.refusal(job.user, job.channel)

    def _audit(self, job: Job) -> None:
        try:
            self._conversation.audit(job)
        except SlackRefused as error:
            event("not_audited", level=logging.ERROR, job=job.id, error=error.error)

    def _try_root(self, job: Job) -> None:
        """Post the root if Slack lets it through; the group does not wait for it."""
        try:
            self._journal.opened(job, self._conversation.post_root(job), final=False)
        except SlackRefused as error:
            event("root_refused", level=logging.WARNING, job=job.id, error=error.error)
        except TryLater as later:
            event("root_delayed", level=logging.WARNING, job=job.id, error=later.why)

    def _settle_all(self, job: Job) -> None:
        """Settle every step: each as soon as the one above it is, siblings side by side."""
        if len(job.steps) == 1:
            self._settle(job, job.steps[0])
            return
        later: list[TryLater] = []
        shown = time.monotonic()
        with ThreadPoolExecutor(self._most_calls, thread_name_prefix=f"tree-{job.id}") as pool:
            begun: set[int] = set()
            running: dict[Future[None], Step] = {}
            while True:
                for step in job.steps:
                    if step.position not in begun and not step.outcome and self._above_settled(job, step):
                        begun.add(step.position)
                        running[pool.submit(self._settle, job, step)] = step
                if not running:
                    break
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[done]
                    try:
                        done.result()
                    except TryLater as error:
                        later.append(error)
                if time.monotonic() - shown >= PROGRESS and not job.settled:
                    self._show_progress(job)
                    shown = time.monotonic()
        if later:
            raise min(later, key=lambda error: error.seconds or 0.0)

    @staticmethod
    def _above_settled(job: Job, step: Step) -> bool:
        return step.above is None or job.steps[step.above].outcome is not None

    def _show_progress(self, job: Job) -> None:
        with contextlib.suppress(SlackRefused, TryLater):
            self._edit_root(job)

    def _settle(self, job: Job, step: Step) -> None:
        if not step.outcome and step.under is None:
            self._place(job, step)
        if step.outcome:
            return
        if step.state == WAITING:
            with self._calls.take(job.id):
                if self._stopping.is_set():
                    raise TryLater("stopping", 0.0)
                if self._journal.sending(job, step):
                    self._send(job, step)
        if not step.outcome:
            self._look_up(job, step)

    def _place(self, job: Job, step: Step) -> None:
        """Find the id of the parent, or settle the step as one that cannot be made."""
        if isinstance(step.parent, ParentName):
            with self._calls.take(job.id):
                found = self._groups.named(step.parent.name)
            if isinstance(found, Group):
                step.under = found.id
                return
            step.outcome = found
        elif step.above is not None:
            above = job.steps[step.above].outcome
            if isinstance(above, Created):
                step.under = above.group.id
                return
            step.outcome = Skipped()
        self._journal.settle(job, step)

    def _send(self, job: Job, step: Step) -> None:
        """Send the one request of a step, and write down what came of it."""
        started = time.monotonic()
        try:
            step.outcome = Created(self._api.add_group(step.name, step.under or ""))
        except (Rejected, NotSent) as error:
            step.outcome = error
        except Unknown as error:
            step.reason = error.reason
        step.sent_ago = time.monotonic() - started
        if step.outcome:
            self._insist(lambda: self._journal.settle(job, step))
        else:
            self._insist(lambda: self._journal.unclear(job, step))
        outcome, reason = step.state if step.outcome else "unclear", step.reason or None
        event("sent", job=job.id, step=step.position, outcome=outcome, reason=reason, seconds=step.sent_ago)

    def _look_up(self, job: Job, step: Step) -> None:
        """Find out what became of a request without an answer, and settle the step as unclear with what was found."""
        if step.sent_ago < LOOK_UP_AFTER:
            raise TryLater("look_up", LOOK_UP_AFTER - step.sent_ago)
        with self._calls.take(job.id):
            found = self._groups.find(step.name, step.under or "")
        if found:
            made = self._journal.made(found)
            found = tuple(identifier for identifier in found if identifier not in made)
        step.outcome = Unclear(step.reason or "crashed", found)
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

    def _answer(self, job: Job) -> None:
        if job.denied:
            self._answer_privately(job)
            return
        try:
            if not job.thread:
                self._journal.opened(job, self._conversation.post_root(job), final=True)
            if job.thread:
                self._conversation.post_answer(job, job.thread)
        except SlackRefused as error:
            event("answer_refused", level=logging.WARNING, job=job.id, error=error.error)
            self._answer_privately(job)

    def _answer_privately(self, job: Job) -> None:
        try:
            self._conversation.answer_privately(job)
        except SlackRefused as error:
            event("answer_undeliverable", level=logging.ERROR, job=job.id, error=error.error)

    def _finish_root(self, job: Job) -> None:
        try:
            self._edit_root(job)
        except SlackRefused as error:
            event("root_not_edited", level=logging.WARNING, job=job.id, error=error.error)

    def _edit_root(self, job: Job) -> None:
        """Let the root show what is made of what was asked for at first; of a single group, what was tried last."""
        first = None if job.origin == job.id else self._journal.find(job.origin)
        if job.thread and first and len(first.steps) > 1:
            self._conversation.edit_root(first, job.thread, self._journal.made_from(first.id))
        elif job.thread:
            self._conversation.edit_root(job, job.thread)

"""The threads that carry jobs: hold the lease, take what is due, and try again later what could not be finished."""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable

from bot.journal.errors import BadValue, JournalError
from bot.journal.journal import LEASE, Journal, LostLease
from bot.journal.wakeup import Wakeup
from bot.log import event
from bot.model.job import Job, TryLater
from bot.worker.put_off import PutOff
from bot.worker.run_job import JobRunner

POLL = 1.0
"""How often the journal is asked for jobs that another process left or that have become due, in seconds."""

LONGEST_WAIT = 30.0
"""How long a job that failed for a passing reason waits at most before it is tried again, in seconds."""

NOT_RELEASED = 5.0
"""How long a job waits at least when the journal does not take that it waits, as on a full disk, in seconds."""

REPEATED = 60.0
"""How often the same failure is logged at most, in seconds."""


def end_process() -> None:
    """Stop this process as a signal would: what started it starts another."""
    os.kill(os.getpid(), signal.SIGTERM)


class Pool:
    """Carries the journal's jobs, as many as there are `threads` at once, until `stopping` is set.

    When one of its threads dies of a fault, the process ends: without that thread it would carry nothing.
    """

    def __init__(
        self, journal: Journal, wakeup: Wakeup, runner: JobRunner, threads: int, stopping: threading.Event
    ) -> None:
        self._journal = journal
        self._wakeup = wakeup
        self._runner = runner
        self._threads = threads
        self._stopping = stopping
        self._put_off = PutOff()
        self._claimed: queue.SimpleQueue[Job | None] = queue.SimpleQueue()  # None: there is nothing more
        self._carrying: dict[str, Job] = {}
        self._more = True  # a job may have been left for when a thread is free
        self._changed = threading.Condition()
        self._keepers: list[threading.Thread] = []  # those that use the journal beside those that run jobs
        self._lease_until = 0.0

    def start(self) -> None:
        """Register this process, and begin to carry. Raises JournalError."""
        self._journal.drop_dead_processes()
        self._journal.heartbeat()
        self._lease_until = time.monotonic() + LEASE
        for target in (self._hold, self._dispatch, *[self._run_jobs] * self._threads):
            name = f"worker-{target.__name__}"
            thread = threading.Thread(target=self._until_end, args=(target,), name=name, daemon=True)
            thread.start()
            if target != self._run_jobs:
                self._keepers.append(thread)

    def stop(self, seconds: float) -> None:
        """Begin nothing more, let what is under way finish, and leave the rest to the next process."""
        until = time.monotonic() + seconds
        self._stopping.set()
        self._wakeup.ring()
        for thread in self._keepers:
            thread.join(POLL)
        for _ in range(self._threads):
            self._claimed.put(None)
        with self._changed:
            finished = self._changed.wait_for(lambda: not self._carrying, max(0.0, until - time.monotonic()))
        try:
            self._journal.deregister()
        except JournalError as error:
            event("lease_not_ended", level=logging.WARNING, reason=str(error))
        if not finished:
            event("left_unfinished", level=logging.WARNING, jobs=len(self._carrying))

    # The threads.

    def _until_end(self, target: Callable[[], None]) -> None:
        """Run a thread to its end; end the process when that is a fault."""
        try:
            target()
        finally:
            if error := sys.exception():
                event("thread_died", level=logging.ERROR, thread=target.__name__, trace=error)
                end_process()
                raise SystemExit  # it has been logged

    def _hold(self) -> None:
        """Renew the lease as long as this process lives."""
        while not self._stopping.wait(LEASE / 6):
            try:
                self._journal.heartbeat()
                self._journal.drop_dead_processes()
                self._lease_until = time.monotonic() + LEASE
            except JournalError as error:
                event("lease_not_renewed", level=logging.ERROR, every=REPEATED, reason=str(error))

    def _dispatch(self) -> None:
        """Claim as many jobs as there are free threads."""
        while not self._stopping.is_set():
            if time.monotonic() < self._lease_until and not self._journal.failing:
                self._wakeup.beat()
            for job in self._claim():
                with self._changed:
                    self._carrying[job.id] = job
                self._claimed.put(job)
            self._wakeup.wait(POLL)

    def _claim(self) -> list[Job]:
        with self._changed:
            carrying = list(self._carrying.values())
            self._more = True
        free = self._threads - len(carrying)
        if not free:
            return []
        due, held = self._put_off.due(), self._put_off.held()
        try:
            claimed = self._journal.claim(free, carrying, ready=due, without=held, keep_some=True)
        except JournalError as error:
            event("jobs_not_claimed", level=logging.ERROR, every=REPEATED, reason=str(error))
            return []
        self._put_off.forget(job.id for job in claimed)
        # With `keep_some`, nobody's job is left while more than half of the threads are free.
        self._more = len(carrying) + len(claimed) >= self._threads // 2
        return claimed

    def _run_jobs(self) -> None:
        while job := self._claimed.get():
            self._carry(job)
            with self._changed:
                if self._carrying.get(job.id) is job:  # and was not lost and claimed again meanwhile
                    del self._carrying[job.id]
                self._changed.notify_all()
            if self._more:
                self._wakeup.ring()

    def _carry(self, job: Job) -> None:
        """Carry one job as far as it goes now. The boundary at which a fault becomes a log line and another attempt."""
        try:
            self._runner.run(job)
        except LostLease:
            event("lease_lost", level=logging.WARNING, job=job.id)
        except TryLater as later:
            self._postpone(job, later.why, later.seconds)
        except BadValue as error:
            self._fault(job, error)
        except JournalError as error:
            event("journal_failed", level=logging.ERROR, every=REPEATED, job=job.id, reason=str(error))
            self._postpone(job, "journal", None)
        except Exception as error:  # noqa: BLE001  # the process's edge: nothing may end a thread in silence
            self._fault(job, error)

    def _fault(self, job: Job, error: Exception) -> None:
        """Log a fault, and try again: `run` ends a job that has had too many."""
        job.faults += 1
        event("job_failed", level=logging.ERROR, job=job.id, faults=job.faults, trace=error)
        self._postpone(job, type(error).__name__, _pause(job.faults))

    def _postpone(self, job: Job, why: str, seconds: float | None) -> None:
        if seconds is None:
            seconds, job.attempts = _pause(job.attempts), job.attempts + 1
        released = False
        try:
            self._journal.release(job, seconds)
            released = True
            event("postponed", job=job.id, why=why, seconds=seconds)
        except LostLease:
            event("lease_lost", level=logging.WARNING, job=job.id)
            return
        except JournalError as error:
            seconds = max(seconds, NOT_RELEASED)
            event("not_postponed", level=logging.ERROR, every=REPEATED, job=job.id, reason=str(error))
        self._put_off.add(job.id, seconds, released=released)


def _pause(attempts: int) -> float:
    """Return how long to wait before the next attempt, in seconds."""
    return min(2.0 ** min(attempts, 10), LONGEST_WAIT)

"""The threads that carry jobs: those that this process accepted, and those that a dead one left."""

import contextlib
import logging
import threading
import time

from bot.iletimerkezi.client import Client
from bot.iletimerkezi.groups import Groups
from bot.journal import BadValue, JournalError, TakenOver
from bot.journal.holding import EVERY
from bot.journal.journal import Journal
from bot.log import REPEATED, event
from bot.model.job import Job, TryLater
from bot.settings import Settings
from bot.slack.delivery import Delivery
from bot.slack.people import People
from bot.worker.create_groups import GroupCreator
from bot.worker.run_job import JobRunner
from bot.worker.schedule import Schedule

LONGEST_WAIT = 30.0
"""How long a job that failed for a passing reason waits at most before it is tried again, in seconds."""

STANDSTILL = 15.0
"""How long the worker may take for one look after its jobs before it counts as dead, in seconds."""


class Worker:
    """Carries jobs from `start` to `stop`, when it sets `stopping`."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts that it brings together
        self, settings: Settings, journal: Journal, client: Client, groups: Groups, people: People, delivery: Delivery
    ) -> None:
        self._journal = journal
        self.stopping = threading.Event()
        self._stopped = threading.Event()  # from then on nothing is carried
        self._threads = 2 * settings.api_calls  # so that jobs that wait for Slack do not keep the API idle
        self._schedule = Schedule(self._threads)
        self._creator = GroupCreator(settings, journal, client, groups, self.stopping)
        self._runner = JobRunner(journal, self._creator, delivery, people)
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self._turned_at = float("-inf")

    def start(self) -> None:
        """Show that this process lives, and begin to carry. Raises JournalError."""
        self._take_over()
        self._keeper.start()
        for number in range(self._threads):
            threading.Thread(target=self._run_jobs, name=f"worker-{number}", daemon=True).start()

    def alive(self) -> bool:
        """Tell whether it turns: it looked after its jobs just now."""
        return time.monotonic() - self._turned_at < STANDSTILL

    def busy(self) -> bool:
        """Tell whether it carries a job, or has one that waits unanswered."""
        return self._schedule.busy()

    def carry(self, job: Job) -> None:
        """Carry a job that this process holds; never waits."""
        self._schedule.put(job)

    def stop(self, seconds: float) -> None:
        """Begin nothing more, let what is under way finish within `seconds`, and leave the rest to other processes."""
        self.stopping.set()
        if left := self._schedule.close(seconds):
            event("left_unfinished", level=logging.WARNING, jobs=left)
        self._stopped.set()
        if self._keeper.ident:
            self._keeper.join(EVERY)
        try:
            self._journal.let_go()
        except JournalError as error:
            event("not_let_go", level=logging.WARNING, reason=str(error))
        self._creator.close()

    # The threads.

    def _keep(self) -> None:
        """Show that this process lives, and take over what dead ones left."""
        while not self._stopped.wait(EVERY):
            try:
                self._take_over()
            except JournalError as error:
                event("life_not_shown", level=logging.ERROR, every=REPEATED, reason=str(error))

    def _take_over(self) -> None:
        self._turned_at = time.monotonic()
        for job in self._journal.keep(self._schedule.ids(), adopt=not self.stopping.is_set()):
            self._schedule.put(job)

    def _run_jobs(self) -> None:
        while job := self._schedule.take():
            self._journal.give_way()
            self._schedule.done(job, self._carry(job))

    def _carry(self, job: Job, lost: bool = False) -> float | None:
        """Carry one job as far as it goes now; return in how many seconds to go on, None when it is done.

        One that is `lost` to another process is left to that one, once the journal has what this one alone knows of it.
        The boundary at which a fault becomes a log line and another attempt.
        """
        try:
            if lost or not self._journal.holds(job):
                self._runner.correct(job)
                event("taken_over", level=logging.WARNING, job=job.id)
                return None
            wait = self._runner.run(job)
            return None if wait is None else _postponed(job, "look_up", wait)
        except TakenOver:
            return self._carry(job, lost=True)
        except TryLater as later:
            return _postponed(job, later.why, later.seconds)
        except Exception as error:  # noqa: BLE001  # the process's edge: nothing may end a thread in silence
            if isinstance(error, JournalError) and not isinstance(error, BadValue):
                event("journal_failed", level=logging.ERROR, every=REPEATED, job=job.id, reason=str(error))
                return _postponed(job, "journal")
            with contextlib.suppress(JournalError, TakenOver):
                self._journal.count_fault(job)  # `run` ends a job that has had too many
            event("job_failed", level=logging.ERROR, job=job.id, faults=job.faults, trace=error)
            return _postponed(job, type(error).__name__)


def _postponed(job: Job, why: str, seconds: float | None = None) -> float:
    """Return how long to wait before the next attempt, in seconds: longer each time where nobody said."""
    if seconds is None:
        seconds, job.attempts = min(2.0 ** min(job.attempts, 10), LONGEST_WAIT), job.attempts + 1
    event("postponed", job=job.id, why=why, seconds=seconds)
    return seconds

"""Settles the steps of a job: finds the parent, sends the one request, or looks up what became of it.

What may have reached the server is never sent again.
"""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from threading import Event

from bot.iletimerkezi import answers as api
from bot.iletimerkezi.client import Client
from bot.iletimerkezi.groups import Groups
from bot.journal import JournalError
from bot.journal.journal import Journal
from bot.log import event
from bot.model.job import Job, Step, TryLater
from bot.model.names import ParentName
from bot.model.next_job import left_unclear
from bot.model.outcome import AS_SENT, FORCED, MOST_LOOKS, Created, Exists, NotSent, Outcome, Rejected, Skipped, Unknown
from bot.settings import Settings

LOOK_UP_AFTER = 3.0
"""How long after a request left its lost answer is looked up, in seconds: it may still be on its way."""

LIST_LAG = 5.0
"""How much younger than a group a list must be to tell that it was deleted, in seconds."""

PROGRESS = 1.0
"""How often it is shown how far a job is, in seconds."""


class GroupCreator:
    """Makes the groups until `stopping` is set.

    There is a thread for each call that may be made at once; the jobs that are being settled share them.
    """

    def __init__(self, settings: Settings, journal: Journal, client: Client, groups: Groups, stopping: Event) -> None:
        self._journal = journal
        self._client = client
        self._groups = groups
        self._settings = settings
        self._pool = ThreadPoolExecutor(settings.api_calls, thread_name_prefix="step")
        self._jobs: set[str] = set()  # that are being settled
        self._stopping = stopping

    def prefetch(self) -> None:
        """Begin to load the list of groups, for steps that will soon be settled; never waits."""
        self._groups.prefetch()

    def settle(self, job: Job, show: Callable[[], None]) -> float:
        """Settle every step, each as soon as the one above it is, siblings side by side; `show` how far that is.

        Returns 0.0, or in how many seconds the steps that are left can go on. Raises TryLater, JournalError or
        TakenOver when some are not settled for another reason, and what `show` raises; none is being settled then.
        """
        left = [step for step in job.steps if not step.outcome]
        chain = self._journal.chain(job.origin) if left and job.follows else []
        earlier = [each for each in chain if each.id != job.id]
        waits = [0.0]
        running: set[Future[float]] = set()
        shown = time.monotonic() if job.thread else float("-inf")
        self._jobs.add(job.id)
        try:
            while True:
                free = max(1, self._settings.api_calls // len(self._jobs)) - len(running)
                ready = [step for step in left if step.above is None or job.steps[step.above].outcome]
                for step in ready[: max(0, free)]:
                    left.remove(step)
                    running.add(self._pool.submit(self._settle, job, step, earlier))
                if not running:
                    return max(waits)
                if time.monotonic() - shown >= PROGRESS:
                    show()
                    shown = time.monotonic()
                done, running = wait(running, return_when=FIRST_COMPLETED)
                waits += [each.result() for each in done]
        finally:
            wait(running)
            self._jobs.discard(job.id)

    def look_again(self, job: Job) -> dict[int, Unknown]:
        """Look for what is neither confirmed nor found; return what is known of it now, by position."""
        looks = {
            at: self._pool.submit(self._look, job, job.steps[at], before.reason, before.looks + 1)
            for at, before in job.looked_for.items()
        }
        return {at: look.result() for at, look in looks.items()}

    def close(self) -> None:
        """Begin nothing more, and wait for nothing."""
        self._pool.shutdown(wait=False)

    def _settle(self, job: Job, step: Step, earlier: list[Job]) -> float:
        """Settle one step; return 0.0, or in how many seconds its lost answer can be looked up."""
        if step.waits and not step.result:
            self._make(job, step, earlier)
        if step.confirmed_id:
            step.result = Created(step.confirmed_id)
        if not (step.result or step.outcome):
            if wait := _until_look_up(step, self._settings.api_timeout):
                return wait
            looks = MOST_LOOKS if job.followup in AS_SENT else 0  # who looked themselves can do so again
            step.result = self._look(job, step, step.reason or "crashed", looks)
        if step.result and not step.outcome:
            self._journal.settle(job, replace(step, outcome=step.result))
            step.outcome = step.result
        return 0.0

    def _make(self, job: Job, step: Step, earlier: list[Job]) -> None:
        """Send a step, or find out why not."""
        unchecked, gone = False, set[str]()
        if step.parent_id is None:
            step.result = self._place(job, step)
        if not step.result and job.followup not in FORCED:
            step.result, unchecked, gone = self._existing(job, step, earlier)
        if step.result:
            return
        if self._stopping.is_set():
            raise TryLater("stopping", 0.0)
        if self._journal.mark_sending(job, step, gone):
            self._send(job, step, unchecked)

    def _place(self, job: Job, step: Step) -> Outcome | None:
        """Find the id of the parent, or return how a step ends that has none."""
        if isinstance(step.parent, ParentName):
            found = self._groups.named(step.parent.name)
            if isinstance(found, Outcome):
                return found
            step.parent_id = found.id
        elif step.above is not None and (above := job.steps[step.above].outcome):
            step.parent_id = above.group_id or None
        return Skipped() if step.parent_id is None else None

    def _existing(self, job: Job, step: Step, earlier: list[Job]) -> tuple[Outcome | None, bool, set[str]]:
        """Return how a step ends whose group is there, or of which an earlier job of the chain left that unclear.

        Of any other, return None, whether nobody could see if it is there, and the ids of such groups that were
        deleted: which only a list tells that was asked for since.
        """
        name, parent_id = step.name, step.parent_id or ""
        if step.above is not None and isinstance(job.steps[step.above].outcome, Created):
            return None, False, set()  # a new group has no subgroups
        if unclear := left_unclear(earlier, name, parent_id):
            return unclear, False, set()
        made = self._journal.created_as(name, parent_id)
        listed = self._groups.listed(since=job.read_at if made else float("-inf"))
        found = listed.index.placed(name, parent_id) if listed else None
        newer = listed if listed and listed.asked_at > job.read_at else None  # the database's clock may be set
        old = LIST_LAG + time.monotonic() - (newer.asked_at if newer else 0.0)
        gone = {each.id for each in made if newer and each.age > old and not newer.index.holds(each.id, name)}
        there = next((each for each in made if each.id not in gone), None)
        known = found[0] if found else there.id if there else ""
        if listed and listed.index.holds(known, name):
            return Exists(known, listed.index.path(known)), False, gone
        if there:
            return Exists(there.id, user=there.user, at=there.at), False, gone
        return None, found is None and not self._groups.closed, gone

    def _send(self, job: Job, step: Step, unchecked: bool) -> None:
        """Send the one request of a step. Its `result` is what came of it; None, with a `reason`, when nobody knows."""
        started, reason = time.monotonic(), ""
        try:
            group = self._client.add_group(step.name, step.parent_id or "", lambda: self._may_send(job))
            step.result = Created(group.id, unchecked, group.name if group.name != step.name else "")
        except api.Rejected as error:
            step.result, reason = Rejected(error.code, error.message), str(error.code)
        except api.NotSent as error:
            step.result, reason = NotSent(error.reason), error.reason
        except api.Unknown as error:
            step.reason = reason = error.reason
        step.look_from = started + LOOK_UP_AFTER
        outcome, seconds = step.result.state if step.result else "unknown", time.monotonic() - started
        event("sent", job=job.id, step=step.position, outcome=outcome, reason=reason or None, seconds=seconds)
        if not step.result:
            self._journal.settle(job, step)

    def _may_send(self, job: Job) -> bool:
        """Ask once more, before the first byte leaves, whether this process still has the job; no answer is a no."""
        try:
            return self._journal.holds(job)
        except JournalError:
            return False

    def _look(self, job: Job, step: Step, reason: str, looks: int) -> Unknown:
        """Return what the account's list shows of a request that has no clear answer for this `reason`."""
        found = self._groups.find(step.name, step.parent_id or "")
        if found:
            made = self._journal.created_here(found)
            found = tuple(identifier for identifier in found if identifier not in made)
        event("looked_up", job=job.id, step=step.position, found="?" if found is None else len(found))
        return Unknown(reason, found, not self._groups.closed, looks)


def _until_look_up(step: Step, timeout: float) -> float:
    """Return in how many seconds a request without an answer can be looked up, 0.0 for now.

    One that another process sent may still be on its way for as long as a call takes, from when this one took the job
    over.
    """
    now = time.monotonic()
    if step.look_from is None:
        step.look_from = now + LOOK_UP_AFTER + (0.0 if step.reason else timeout)
    return max(0.0, step.look_from - now)

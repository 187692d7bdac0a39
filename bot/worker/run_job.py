"""The walk of a job from accepted to answered: one, the same for a fresh job and for one found after a crash.

It looks at where the job and each of its steps stand, and goes on from there.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from bot.journal.journal import Journal
from bot.logs import event
from bot.model.job import Job, TryLater
from bot.slack.access import Access
from bot.slack.client import SlackRefused
from bot.slack.delivery import Delivery
from bot.slack.users import Users
from bot.worker.create_groups import GroupCreator

ATTEMPTS_TO_LOOK = 3
"""How often Slack is asked who somebody is, before not knowing it is a refusal."""


class JobRunner:
    """Carries jobs that this process holds in the journal."""

    def __init__(self, journal: Journal, steps: GroupCreator, delivery: Delivery, users: Users, access: Access) -> None:
        self._journal = journal
        self._steps = steps
        self._delivery = delivery
        self._users = users
        self._access = access

    def run(self, job: Job) -> None:
        """Carry a job as far as it goes now.

        Raises TryLater when something stands in the way, LostLease when another process has it, JournalError.
        """
        if not job.language:
            self._journal.set_language(job, self._users.language(job.user))
        if not job.begun and (reason := self._refusal(job)):
            self._journal.deny(job, reason)
            event("denied", job=job.id, user=job.user, channel=job.channel, reason=reason)
        if not job.thread and not job.settled:
            self._try_root(job)
        self._steps.settle(job, lambda: self._show_progress(job))
        if not job.answered:
            self._answer(job)
            self._journal.mark_answered(job)
        if job.thread and not job.root_final and not job.denied:
            with _at_best(job, "root_not_edited"):
                self._edit_root(job)
        with _at_best(job, "not_audited", logging.ERROR):
            self._delivery.audit(job)
        self._journal.mark_closed(job)
        event("done", job=job.id)

    def _refusal(self, job: Job) -> str:
        """Return why the person may not have this done, "" if they may; Slack gets some chances to say who they are."""
        if job.attempts < ATTEMPTS_TO_LOOK:
            return self._access.look(job.user, job.channel)
        return self._access.refusal(job.user, job.channel)

    def _try_root(self, job: Job) -> None:
        """Post the root if Slack lets it through; the group does not wait for it."""
        try:
            with _at_best(job, "root_refused"):
                self._journal.set_root(job, self._delivery.post_root(job), final=False)
        except TryLater as later:
            event("root_delayed", level=logging.WARNING, job=job.id, error=later.why)

    def _show_progress(self, job: Job) -> None:
        with contextlib.suppress(SlackRefused, TryLater):
            self._edit_root(job)

    def _answer(self, job: Job) -> None:
        if job.denied:
            self._answer_privately(job)
            return
        try:
            if not job.thread:
                self._journal.set_root(job, self._delivery.post_root(job), final=True)
            if job.thread:
                self._delivery.post_answer(job, job.thread)
        except SlackRefused as error:
            event("answer_refused", level=logging.WARNING, job=job.id, error=error.error)
            self._answer_privately(job)

    def _answer_privately(self, job: Job) -> None:
        with _at_best(job, "answer_undeliverable", logging.ERROR):
            self._delivery.answer_privately(job)

    def _edit_root(self, job: Job) -> None:
        """Let the root show what is made of what was asked for at first; of a single group, what was tried last."""
        first = None if job.origin == job.id else self._journal.find(job.origin)
        if job.thread and first and len(first.steps) > 1:
            self._delivery.edit_root(first, job.thread, self._journal.count_created(first.id))
        elif job.thread:
            self._delivery.edit_root(job, job.thread)


@contextlib.contextmanager
def _at_best(job: Job, name: str, level: int = logging.WARNING) -> Iterator[None]:
    """Go on without what Slack refuses, and log it as the event of this name."""
    try:
        yield
    except SlackRefused as error:
        event(name, level=level, job=job.id, error=error.error)

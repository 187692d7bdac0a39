"""Carries jobs from accepted to answered, outside the acknowledgement."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor

from bot.command import ParentId
from bot.iletimerkezi import Client, NotSent, Rejected, Unknown
from bot.jobs import Created, Job, Step
from bot.logs import event
from bot.slack.conversation import Conversation, MayNotPost, Thread
from bot.slack.people import People


class Worker:
    """Carries jobs, `threads` of them at once; more wait in their order."""

    def __init__(self, api: Client, conversation: Conversation, people: People, threads: int) -> None:
        self._api = api
        self._conversation = conversation
        self._people = people
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="worker")

    def accept(self, job: Job) -> None:
        """Take a job over; returns at once."""
        self._pool.submit(self._carry, job)

    def stop(self) -> None:
        """Carry what was accepted to its end."""
        self._pool.shutdown(wait=True)

    def _carry(self, job: Job) -> None:
        """Carry one job. The boundary at which an unexpected fault becomes a log line and an honest answer."""
        try:
            job.language = job.language or self._people.language(job.user)
            thread = self._open(job)
            for step in job.steps:
                self._settle(job, step)
            self._answer(job, thread)
        except Exception as error:  # noqa: BLE001  # the process's edge: nothing may end a worker in silence
            event("job_failed", level=logging.ERROR, job=job.id, trace=error)

    def _open(self, job: Job) -> Thread | None:
        try:
            return self._conversation.open(job)
        except MayNotPost as error:
            event("root_not_posted", level=logging.WARNING, job=job.id, error=error.error)
            return None

    def _settle(self, job: Job, step: Step) -> None:
        started = time.monotonic()
        parent = step.parent.id if isinstance(step.parent, ParentId) else ""
        try:
            step.outcome = Created(self._api.add_group(step.name, parent))
        except (Rejected, NotSent, Unknown) as error:
            step.outcome = error
        except Exception as error:  # noqa: BLE001  # whatever it was, the request may have left
            event("step_failed", level=logging.ERROR, job=job.id, trace=error)
            step.outcome = Unknown("internal")
        event("settled", job=job.id, outcome=type(step.outcome).__name__.lower(), seconds=time.monotonic() - started)

    def _answer(self, job: Job, thread: Thread | None) -> None:
        try:
            if thread:
                self._conversation.answer(job, thread)
                return
        except MayNotPost as error:
            event("answer_not_posted", level=logging.WARNING, job=job.id, error=error.error)
        self._conversation.answer_privately(job)

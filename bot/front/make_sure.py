"""Accepts jobs once more where the database went away at the commit, so that nobody knows whether it has them."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from bot.journal.errors import JournalError
from bot.journal.journal import Accepted, Busy, Journal
from bot.log import event
from bot.model.job import Job
from bot.model.outcome import Duplicate

Answer = Accepted | Duplicate | Busy
T = TypeVar("T")

FOR = 3600.0
"""For how long a job is tried, in seconds."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""How long to wait between two attempts, in seconds."""


class MakeSure(Generic[T]):
    """Accepts jobs again, which writes none twice, until the journal gives the answer; `conclude` gets it then."""

    def __init__(self, journal: Journal, conclude: Callable[[Job, Answer, T], None]) -> None:
        self._journal = journal
        self._conclude = conclude
        self._jobs: queue.SimpleQueue[tuple[Job, T, float]] = queue.SimpleQueue()
        self._started = False
        self._starting = threading.Lock()

    def add(self, job: Job, context: T) -> None:
        """Take a job on; `context` is given to `conclude` with it."""
        self._jobs.put((job, context, time.monotonic() + FOR))
        with self._starting:
            if not self._started:
                threading.Thread(target=self._run, name="make-sure", daemon=True).start()
                self._started = True

    def _run(self) -> None:
        while True:
            job, context, until = self._jobs.get()
            pause = SHORTEST_PAUSE
            while not self._concluded(job, context):
                if time.monotonic() > until:
                    event("unsure_given_up", level=logging.ERROR, job=job.id, user=job.user, channel=job.channel)
                    break
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _concluded(self, job: Job, context: T) -> bool:
        try:
            answer = self._journal.accept(job)
        except JournalError as error:
            event("still_unsure", level=logging.WARNING, job=job.id, reason=str(error))
            return False
        self._conclude(job, answer, context)
        return True

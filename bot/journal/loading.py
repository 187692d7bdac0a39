"""Reading jobs back. One that cannot be read is left out and logged, so that it stops no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection

from sqlalchemy import Connection

from bot.journal import queries, rows
from bot.log import event
from bot.model.job import Job


class Loader:
    """Reads jobs for one process, and remembers which of them it could not read.

    Such a row is damaged, or a newer version of the bot wrote it: that version's own process can carry it.
    """

    def __init__(self) -> None:
        self._unreadable: set[str] = set()
        self._lock = threading.Lock()

    @property
    def unreadable(self) -> list[str]:
        """The ids of the jobs that could not be read."""
        with self._lock:
            return list(self._unreadable)

    def load(self, connection: Connection, ids: Collection[str]) -> list[Job]:
        """Return jobs with their steps, in the order of their ids."""
        which = {"ids": tuple(ids)}
        # Steps first: a job that is removed in between is then not there, instead of there without steps.
        its_steps = connection.execute(queries.STEPS, which).all()
        found: dict[str, Job] = {}
        for row in connection.execute(queries.JOBS, which):
            try:
                found[row.id] = rows.job_of(row, [step for step in its_steps if step.job == row.id])
            except (KeyError, TypeError, ValueError) as error:
                self._set_aside(row.id, f"{type(error).__name__}: {error}")
        return [found[job] for job in ids if job in found]

    def _set_aside(self, job: str, why: str) -> None:
        with self._lock:
            new = job not in self._unreadable
            self._unreadable.add(job)
        if new:
            event("job_unreadable", level=logging.ERROR, job=job, reason=why)

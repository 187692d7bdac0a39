"""Accepting jobs: many in one transaction, each as if those before it were written already."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.journal import duplicates, queries, rows
from bot.journal.loading import Loader
from bot.model.job import Job
from bot.model.outcome import SENDING, WAITING, Duplicate

MOST_OPEN = 1000
"""How many jobs may be open before no more are accepted."""

MOST_OPEN_EACH = 200
"""How many of these one person may have."""


@dataclass(frozen=True)
class Accepted:
    """The job is in the journal: since now, or not `fresh`, since the same trigger came before from `user`."""

    fresh: bool = True
    user: str = ""


@dataclass(frozen=True)
class Busy:
    """Too many jobs are open; nothing was written. `own` is how many the person has, 0 when it is everybody's fault."""

    own: int = 0


@dataclass(frozen=True)
class Refused:
    """Somebody has just asked for one of the groups; `job` is the job as it was written: settled."""

    job: Job


Answer = Accepted | Refused | Busy


def accept(connection: Connection, batch: list[Job], loader: Loader) -> list[Answer]:
    """Accept jobs, and return the answer to each.

    A job that is in the journal already is not written again, so anyone who does not know whether it is may try again.
    """
    answers: list[Answer] = []
    accepted: list[Job] = []
    refused: list[Job] = []
    known: dict[str, Answer] = {}
    these = {"triggers": [job.trigger for job in batch], "ids": [job.id for job in batch]}
    for row in connection.execute(queries.KNOWN, these).all():
        known[row.trigger] = Accepted(False, row.user)
        known[row.id] = _earlier_answer(loader.load(connection, [row.id]))
    open_jobs: Counter[str] = Counter({row[0]: row[1] for row in connection.execute(queries.OPEN)})
    guarded = [rows.key(job, step) for job in batch for step in duplicates.of(job)]
    twins = duplicates.twins(connection, guarded, (WAITING, SENDING))
    for job in batch:
        if answer := known.get(job.id) or known.get(job.trigger):
            answers.append(answer)
        elif busy := _busy(open_jobs, job.user):
            answers.append(busy)
        elif settled := duplicates.refused(job, twins):
            refused.append(settled)
            answers.append(Refused(settled))
            if not job.followup:  # others may still press a button
                known[job.trigger] = Accepted(False, job.user)
        else:
            accepted.append(job)
            answers.append(Accepted())
            known[job.trigger] = Accepted(False, job.user)
            open_jobs[job.user] += 1
            twins.update((rows.key(job, s), Duplicate(job.user, 0.0, s.state, "")) for s in job.steps)
    _insert(connection, accepted, refused)
    return answers


def _busy(open_jobs: Counter[str], user: str) -> Busy | None:
    if open_jobs.total() >= MOST_OPEN:
        return Busy()
    return Busy(own=open_jobs[user]) if open_jobs[user] >= MOST_OPEN_EACH else None


def _earlier_answer(written: list[Job]) -> Answer:
    """Return the answer to a job that an earlier attempt has written, although nobody heard of it."""
    return next((Refused(job) for job in written if duplicates.of_refused(job)), Accepted())


def _insert(connection: Connection, accepted: list[Job], refused: list[Job]) -> None:
    closed = [(job, False) for job in accepted] + [(job, True) for job in refused]
    if closed:
        connection.execute(queries.NEW_JOBS, [rows.of_job(*each) for each in closed])
        connection.execute(queries.NEW_STEPS, [row for job, _ in closed for row in rows.of_steps(job)])

"""A journal with jobs in it, for the tests of the command `history`."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, insert, select, update

from bot.journal.accepting import Accepted
from bot.journal.journal import Journal
from bot.journal.tables import jobs, steps
from bot.model.job import Job, Step
from bot.model.names import ParentId
from bot.model.outcome import Created, FollowUp, Outcome, Rejected, Unknown

RESPONSE_URL = "https://hooks.slack.test/of-one-person"

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

Print = Callable[..., tuple[int, str, str]]


def asked(book: Journal, *some: Step, user: str = "U1", typed: str = "VIP", **more: Any) -> Job:
    """Let somebody ask for groups."""
    job = Job(user, "C1", f"trigger-{time.time_ns()}", typed, list(some), RESPONSE_URL, **more)
    assert isinstance(book.accept(job), Accepted)
    return job


def done(book: Journal, *outcomes: Outcome, **more: Any) -> Job:
    """Let somebody ask for groups, and bring the job to its end."""
    some = [Step(place, f"Group {place}", ParentId("5")) for place, _ in enumerate(outcomes)]
    job = asked(book, *some, followup=FollowUp.ANOTHER, **more)
    for step, outcome in zip(job.steps, outcomes, strict=True):
        if isinstance(outcome, Created | Rejected | Unknown):
            assert book.mark_sending(job, step)
        step.outcome = outcome
        book.settle(job, step)
    book.mark_answered(job)
    book.mark_closed(job)
    return job


def dated(engine: Engine, job: Job, when: datetime) -> None:
    """Let a job have been accepted at another time."""
    with engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(accepted_at=when.timestamp()))


def left(engine: Engine) -> set[str]:
    """Return the ids of the jobs that are in the journal."""
    with engine.connect() as connection:
        return set(connection.scalars(select(jobs.c.id)))


def fill(engine: Engine, count: int) -> None:
    """Put many closed jobs of one step into the journal, three of each moment."""
    who = {"user": "U1", "asker": "U1", "channel": "C1", "typed": "VIP", "language": "en"}
    when = {"due_at": 0.0, "answered_at": 1.0, "closed_at": 1.0}
    step = {"position": 0, "name": "VIP", "name_key": "vip", "parent_key": "", "state": "created"}
    ids = [f"{number:016}" for number in range(count)]
    with engine.begin() as connection:
        asked_for = [{"id": job, "trigger": job, "origin": job, "accepted_at": float(int(job) // 3)} for job in ids]
        connection.execute(insert(jobs), [{**who, **when, **each} for each in asked_for])
        connection.execute(insert(steps), [{**step, "job": job, "group_id": job} for job in ids])

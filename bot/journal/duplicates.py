"""The duplicate guard: finds who else has just asked for the same group."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.journal import queries, rows
from bot.model.job import Job, Step
from bot.model.outcome import WAITING, Duplicate, Skipped

RECENT = 600.0
"""How long a created group keeps another of the same name from being made unawares, in seconds."""


def of(job: Job) -> list[Step]:
    """Return the steps that must not be made when somebody else is at them; what hangs under a new group is its own."""
    return [] if job.forced else [step for step in job.steps if step.stage == WAITING and step.above is None]


def twins(
    connection: Connection, keys: list[rows.Key], unsettled: tuple[str, ...], job: str = "", position: int = -1
) -> dict[rows.Key, Duplicate]:
    """Find other steps than this one, for the same groups, that are under way in a state, or were made just now."""
    if not keys:
        return {}
    same = {"keys": keys, "unsettled": unsettled, "this": job, "position": position, "recent": RECENT}
    return {
        (name, parent): Duplicate(user, float(age), state, group or "")
        for name, parent, user, state, group, age in connection.execute(queries.TWINS, same)
    }


def refused(job: Job, found: dict[rows.Key, Duplicate]) -> Duplicate | None:
    """Settle a new job for whose group somebody has just asked, as found by `twins`; None when nobody has."""
    for step in of(job):
        if twin := found.get(rows.key(job, step)):
            for other in job.steps:
                other.outcome = twin if other is step else Skipped()
            return twin
    return None

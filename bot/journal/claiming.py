"""Claiming jobs: which of those that are due a process takes, shared among the people who asked."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from bot.journal import queries
from bot.journal.loading import Loader
from bot.model.job import Job

FURTHEST = 600.0
"""How far in the future a job can be due at most, in seconds. Beyond it the clock was set back, and the job is due."""


@dataclass(frozen=True)
class Wanted:
    """What a process wants to claim: up to `most` jobs, not those that it is `carrying` nor those `without` (ids).

    Jobs that are `ready` are due whatever their time says. With `keep_some`, a person gets no job while they have as
    many as are left for everybody, so that somebody else's next one finds a place.
    """

    process: str
    most: int
    carrying: Collection[Job] = ()
    ready: Collection[str] = ()
    without: Collection[str] = ()
    keep_some: bool = False


def claim(connection: Connection, wanted: Wanted, loader: Loader) -> list[Job]:
    """Take jobs that are due and that no living process holds, and return them; those that cannot be read stay."""
    who = {"me": wanted.process, "carrying": [job.id for job in wanted.carrying]}
    which = {"ready": tuple(wanted.ready), "without": (*wanted.without, *loader.unreadable)}
    bounds = {"furthest": FURTHEST, "most": wanted.most}
    free = [(row.id, row.user) for row in connection.execute(queries.CANDIDATES, {**who, **which, **bounds})]
    if not free:
        return []
    held = Counter(job.user for job in wanted.carrying)
    chosen = shared(free, held, wanted.most, wanted.keep_some)
    if not chosen:
        return []
    locked = set(connection.scalars(queries.LOCK_FREE, {**who, "ids": chosen}))
    jobs = loader.load(connection, [job for job in chosen if job in locked])
    if jobs:
        connection.execute(queries.TAKE, {"me": wanted.process, "ids": [job.id for job in jobs]})
    return jobs


def shared(free: Iterable[tuple[str, str]], held: Mapping[str, int], most: int, keep_some: bool = False) -> list[str]:
    """Choose up to `most` of the `free` jobs (id and person, in their order): next is who has the fewest."""
    has = Counter(held)
    queues: defaultdict[str, deque[str]] = defaultdict(deque)
    for job, user in free:
        queues[user].append(job)
    chosen: list[str] = []
    while queues and len(chosen) < most:
        user = min(queues, key=lambda each: has[each])
        if keep_some and has[user] >= most - len(chosen):
            break
        chosen.append(queues[user].popleft())
        has[user] += 1
        if not queues[user]:
            del queues[user]
    return chosen

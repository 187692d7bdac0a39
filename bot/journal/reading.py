"""Reading the journal: jobs, groups that the bot created, and the languages that people chose."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from bot.journal import queries, rows, unsettled
from bot.journal.accepting import RECENT
from bot.journal.database import Database
from bot.journal.errors import JournalError
from bot.log import event
from bot.model.job import Job
from bot.model.names import Group, fold
from bot.model.outcome import FollowUp

P = ParamSpec("P")
R = TypeVar("R")

IN_TIME = 2.0
"""How long a look into the journal may take while Slack waits, in seconds."""


@dataclass(frozen=True)
class Backlog:
    """How many jobs are not answered yet, and for how long the oldest of them has been waiting, in seconds."""

    open_jobs: int
    oldest: float


@dataclass(frozen=True)
class Made:
    """A group that the bot created: its id, who asked for it, when (seconds since 1970), and how many seconds ago."""

    id: str
    user: str
    at: float
    age: float


class Reader:
    """Reads the journal in the database at `url`. Safe to use from many threads; each method may raise JournalError."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._reading = self._database.reading
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="journal")
        self._unreadable: dict[str, bool] = {}  # jobs by id, and whether they are damaged and nobody was told

    def close(self) -> None:
        """Close the connections."""
        self._readers.shutdown(wait=False)
        self._database.close()

    def find(self, job: str) -> Job | None:
        """Return the job with this id, or None."""
        return next(iter(self._load([job])), None)

    def in_time(self, read: Callable[P, R], *args: P.args, **options: P.kwargs) -> R:
        """Return what one of these methods returns, while Slack waits. Raises JournalError when it takes too long."""
        try:
            return self._readers.submit(read, *args, **options).result(IN_TIME)
        except NotInTime:
            raise JournalError("the database is too slow") from None

    def recent(self, most: int, reader: str = "") -> list[Job]:
        """Return the last jobs, newest first: those of public channels, and the `reader`'s own of any other."""
        with self._reading() as connection:
            ids = connection.scalars(queries.RECENT, {"most": most, "reader": reader}).all()
        return self._load(ids)

    def unsettled(self, most: int, reader: str = "") -> list[Job]:
        """Return, of the same, those that have a step with an unknown outcome which no later job settled."""
        with self._reading() as connection:
            ids = unsettled.ids(connection, most, reader)
        return self._load(ids)

    def went_on(self, job: Job) -> list[tuple[str, FollowUp]]:
        """Return the ids of the jobs that buttons under the answer to a job started, each with its button."""
        with self._reading() as connection:
            found = connection.execute(queries.WENT_ON, {"this": job.id, "origin": job.origin}).all()
        return [(row.id, FollowUp(row.followup)) for row in found]

    def chain(self, origin: str) -> list[Job]:
        """Return the first job and all that went on from its answer, or from one of theirs, oldest first."""
        with self._reading() as connection:
            ids = connection.scalars(queries.CHAIN, {"origin": origin}).all()
        return self._load(ids)

    def created_as(self, name: str, parent_id: str) -> list[Made]:
        """Return what the bot created under this name as names are compared and this parent's id, at any age.

        The newest comes first. `parent_id` is "" for main groups.
        """
        with self._reading() as connection:
            made = connection.execute(queries.CREATED_AS, {"name": fold(name), "parent": parent_id})
            return [Made(*row) for row in made]

    def recently_created(self, seconds: float = RECENT) -> list[Group]:
        """Return the groups that any process made in the last `seconds`, for jobs of the last RECENT."""
        with self._reading() as connection:
            since = {"recent": RECENT, "settled": seconds}
            return [Group(*row) for row in connection.execute(queries.RECENTLY_CREATED, since)]

    def created_here(self, ids: Collection[str]) -> set[str]:
        """Return those of the group ids that are known to have been made by the bot."""
        with self._reading() as connection:
            return set(connection.scalars(queries.CREATED_HERE, {"groups": tuple(ids)}).all())

    def backlog(self) -> Backlog:
        """Return what is not answered yet, by whatever process."""
        with self._reading() as connection:
            return Backlog(*connection.execute(queries.BACKLOG).one())

    def known_language(self, user: str) -> str:
        """Return the language that a person chose; "" also where that cannot be read: nobody is left waiting for it."""
        try:
            with self._reading() as connection:
                return connection.scalar(queries.LANGUAGE, {"this": user}) or ""
        except JournalError as error:
            event("language_not_read", level=logging.WARNING, user=user, reason=str(error))
            return ""

    def _load(self, ids: Collection[str]) -> list[Job]:
        """Return jobs with their steps, in the order of their ids. One that cannot be read stops no other.

        It is damaged, or a newer version of the bot wrote it: that version's own process can carry it.
        """
        if not ids:
            return []
        which = {"ids": tuple(ids)}
        with self._reading() as connection:
            # Steps first: a job that is removed in between is then not there, instead of there without steps.
            its_steps = connection.execute(queries.STEPS, which).all()
            its_rows = connection.execute(queries.JOBS, which).all()
        found: dict[str, Job] = {}
        for row in its_rows:
            try:
                found[row.id] = rows.job_of(row, [step for step in its_steps if step.job == row.id])
            except (KeyError, TypeError, ValueError) as error:
                if row.id not in self._unreadable:
                    event("job_unreadable", level=logging.ERROR, job=row.id, reason=f"{type(error).__name__}: {error}")
                    self._unreadable[row.id] = isinstance(error, UnicodeError) and row.closed_at is None
        return [found[job] for job in ids if job in found]

"""Reading the journal: jobs, groups that the bot created, and the languages that people chose."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from bot.journal import duplicates, queries, unsettled
from bot.journal.errors import JournalError
from bot.journal.loading import Loader
from bot.journal.transactions import Transactions
from bot.log import event
from bot.model.followup import FollowUp
from bot.model.group import Group
from bot.model.job import Job
from bot.model.names import fold


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
        self._transactions = Transactions(url)
        self._reading = self._transactions.reading
        self._loader = Loader()

    def find(self, job: str) -> Job | None:
        """Return the job with this id, or None."""
        return next(iter(self._load([job])), None)

    def recent(self, most: int) -> list[Job]:
        """Return the last jobs, newest first."""
        with self._reading() as connection:
            return self._loader.load(connection, connection.scalars(queries.RECENT, {"most": most}).all())

    def unsettled(self, most: int) -> list[Job]:
        """Return the last jobs that have a step with an unknown outcome which no later job settled, newest first."""
        with self._reading() as connection:
            return self._loader.load(connection, unsettled.ids(connection, most))

    def went_on(self, job: Job) -> list[tuple[str, FollowUp]]:
        """Return the ids of the jobs that buttons under the answer to a job started, each with its button."""
        with self._reading() as connection:
            rows = connection.execute(queries.WENT_ON, {"this": job.id, "origin": job.origin}).all()
            return [(row.id, FollowUp(row.followup)) for row in rows]

    def chain(self, origin: str) -> list[Job]:
        """Return the first job and all that went on from its answer, or from one of theirs, oldest first."""
        with self._reading() as connection:
            return self._loader.load(connection, connection.scalars(queries.CHAIN, {"origin": origin}).all())

    def created_as(self, name: str, parent_id: str) -> list[Made]:
        """Return what the bot created under this name as names are compared and this parent's id, at any age.

        The newest comes first. `parent_id` is "" for main groups.
        """
        with self._reading() as connection:
            made = connection.execute(queries.CREATED_AS, {"name": fold(name), "parent": parent_id})
            return [Made(*row) for row in made]

    def recently_created(self, seconds: float = duplicates.RECENT) -> list[Group]:
        """Return the groups that any process made in the last `seconds`, for jobs of the last RECENT."""
        with self._reading() as connection:
            since = {"recent": duplicates.RECENT, "settled": seconds}
            return [Group(*row) for row in connection.execute(queries.RECENTLY_CREATED, since)]

    def created_here(self, ids: Collection[str]) -> set[str]:
        """Return those of the group ids that are known to have been made by the bot."""
        with self._reading() as connection:
            return set(connection.scalars(queries.CREATED_HERE, {"groups": tuple(ids)}).all())

    def backlog(self) -> Backlog:
        """Return what is not answered yet, by whatever process."""
        with self._reading() as connection:
            return Backlog(*connection.execute(queries.BACKLOG).one())

    def chosen_language(self, user: str) -> str:
        """Return the language that a person chose, "" if none."""
        with self._reading() as connection:
            return connection.scalar(queries.LANGUAGE, {"this": user}) or ""

    def known_language(self, user: str) -> str:
        """Return the same, but "" where it cannot be read: nobody has to go without an answer for that."""
        try:
            return self.chosen_language(user)
        except JournalError as error:
            event("language_not_read", level=logging.WARNING, user=user, reason=str(error))
            return ""

    def _load(self, ids: Collection[str]) -> list[Job]:
        with self._reading() as connection:
            return self._loader.load(connection, ids)

"""Reading the journal: jobs, groups that the bot created, and the languages that people chose."""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Executable, Row, bindparam, select

from bot.journal import JournalError, rows
from bot.journal.accepting import OPEN, RECENT, may_read, settled_at
from bot.journal.database import Database
from bot.journal.tables import jobs, languages, now, steps
from bot.log import REPEATED, event
from bot.model.job import Job
from bot.model.names import Group, fold
from bot.model.outcome import Created, FollowUp

JOBS = select(jobs, (now() - jobs.c.accepted_at).label("age"), (now() - jobs.c.answered_at).label("answered_ago"))
"""Jobs, and how long ago they were accepted and answered, in seconds: what a Reader makes Jobs of."""

_created = steps.c.job == jobs.c.id, steps.c.state == Created.state
_CREATED_AS = (
    select(steps.c.group_id, jobs.c.user, settled_at, now() - settled_at)
    .where(*_created, steps.c.name_key == bindparam("name"), steps.c.parent_key == bindparam("parent"))
    .order_by(settled_at.desc())
)


def steps_by_job(connection: Connection, found: Iterable[Row[Any]]) -> dict[str, list[Row[Any]]]:
    """Return the rows of the steps of rows of jobs, in the order of their positions, by the job's id."""
    by_job: dict[str, list[Row[Any]]] = defaultdict(list)
    theirs = select(steps).where(steps.c.job.in_([row.id for row in found]))
    for step in connection.execute(theirs.order_by(steps.c.job, steps.c.position)):
        by_job[step.job].append(step)
    return by_job


class Backlog(NamedTuple):
    """How many jobs are not answered yet, and for how long the oldest of them has been waiting, in seconds."""

    open_jobs: int
    oldest: float


class Made(NamedTuple):
    """A group that the bot created: its id, who asked for it, when (seconds since 1970), and how many seconds ago."""

    id: str
    user: str
    at: float
    age: float


class Reader:
    """Reads the journal in the database at `url`. Safe to use from many threads; each method may raise JournalError."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def find(self, job: str) -> Job | None:
        """Return the job with this id, or None."""
        return next(iter(self._jobs(JOBS.where(jobs.c.id == job))), None)

    def recent(self, most: int, reader: str = "") -> list[Job]:
        """Return the last jobs, newest first: those of public channels, and the `reader`'s own of any other."""
        newest = JOBS.where(may_read).order_by(jobs.c.accepted_at.desc()).limit(most)
        return self._jobs(newest, reader=reader)

    def chain(self, origin: str) -> list[Job]:
        """Return the first job and all that went on from its answer, or from one of theirs, oldest first."""
        return self._jobs(JOBS.where(jobs.c.origin == origin).order_by(jobs.c.accepted_at))

    def went_on(self, job: Job) -> list[tuple[str, FollowUp]]:
        """Return the ids of the jobs that buttons under the answer to a job started, each with its button."""
        # Refusing or denying a job changes its trigger, which ends in the job that it follows.
        started = [each for each in self.chain(job.origin) if each.follows == job.id]
        return [(each.id, each.followup) for each in started if each.followup and each.trigger.endswith(job.id)]

    def created_as(self, name: str, parent_id: str) -> list[Made]:
        """Return what the bot created under this name as names are compared and this parent's id, at any age.

        The newest comes first. `parent_id` is "" for main groups.
        """
        return [Made(*row) for row in self._rows(_CREATED_AS, name=fold(name), parent=parent_id)]

    def created_here(self, ids: Collection[str]) -> set[str]:
        """Return those of the group ids that are known to have been made by the bot."""
        made = select(steps.c.group_id).where(steps.c.state == Created.state, steps.c.group_id.in_(ids))
        return {row.group_id for row in self._rows(made)}

    def recently_created(self, seconds: float = RECENT) -> list[Group]:
        """Return the groups that any process made in the last `seconds`, for jobs of the last RECENT."""
        lately = jobs.c.accepted_at > now() - RECENT, steps.c.settled_at > now() - seconds
        made = select(steps.c.group_id, steps.c.name, steps.c.parent_id).where(*_created, *lately)
        return [Group(*row) for row in self._rows(made)]

    def backlog(self) -> Backlog:
        """Return what is not answered yet, by whatever process."""
        ((count, _, oldest),) = self._rows(OPEN, user="")
        return Backlog(count, oldest)

    def known_language(self, user: str) -> str:
        """Return the language that a person chose; "" also where that cannot be read: nobody is left waiting for it."""
        try:
            found = self._rows(select(languages.c.language).where(languages.c.user == user))
        except JournalError as error:
            event("language_not_read", level=logging.WARNING, user=user, reason=str(error))
            return ""
        return str(found[0].language) if found else ""

    def _rows(self, wanted: Executable, **parameters: Any) -> Sequence[Any]:
        with self._database.reading() as connection:
            return connection.execute(wanted, parameters).all()

    def _jobs(self, wanted: Executable, **parameters: Any) -> list[Job]:
        """Return the jobs that a select of JOBS finds. One that cannot be read is left out, and stops no other."""
        with self._database.reading() as connection:
            found = connection.execute(wanted, parameters).all()
            its_steps = steps_by_job(connection, found)
        read = []
        for row in found:
            try:
                read += [rows.job_of(row, its_steps[row.id])] if row.id in its_steps else []  # or it was just removed
            except (KeyError, TypeError, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"
                event("job_unreadable", level=logging.ERROR, every=REPEATED, job=row.id, reason=reason)
        return read

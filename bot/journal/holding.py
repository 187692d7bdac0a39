"""Who holds the jobs, and what a process reads of them.

Each process changes its row every few seconds; one that does not loses its jobs to the others. They count their own
looks, of which each comes EVERY seconds after the one before. No clock is asked, so none can lie; and nobody counts
time in which it did not look itself.
"""

import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Executable, Row, and_, bindparam, delete, insert, or_, select, update

from bot.journal import JournalError, rows
from bot.journal.accepting import OPEN, RECENT, may_read, settled_at
from bot.journal.database import Database
from bot.journal.tables import jobs, languages, now, processes, steps
from bot.log import REPEATED, event
from bot.model.job import Job
from bot.model.names import Group, fold
from bot.model.outcome import Created, FollowUp

R = TypeVar("R")

EVERY = 2.0
"""How often a process shows that it lives, in seconds."""

TAKE_OVER = 8.0
"""After how long without a sign of life a process's jobs are taken over, in seconds."""

SILENT = 6.0
"""How long a sign of life may take, in seconds, until the journal counts as failing: less than until a take-over."""

READ = 2.5
"""How long is waited for what is read, in seconds: a server that is frozen says nothing. Slack waits 3."""

SERVE = "serve"
"""The `machine` of a process that shows its life so often; version 0.2.0 writes another word there."""

LEASE = 30.0
"""How long a process of version 0.2.0 may be silent, in seconds; it renews its lease every five."""

_unfinished = jobs.c.closed_at.is_(None)
held = and_(jobs.c.id == bindparam("this"), jobs.c.process == bindparam("me"), _unfinished)
"""Whether `this` job is not closed and the process `me` holds it."""

_SHOW_LIFE = update(processes).where(processes.c.id == bindparam("me")).values(lease_until=now() + LEASE)
_ENTER = insert(processes).values(lease_until=now() + LEASE, machine=SERVE)
_MY_LIFE = "SELECT lease_until FROM processes WHERE id = ?"
_ADOPT = (
    update(jobs)
    .where(_unfinished, or_(jobs.c.process.is_(None), jobs.c.process.not_in(select(processes.c.id))))
    .values(process=bindparam("me"))
    .returning(jobs.c.id)
)
"""Take over the jobs that no process holds."""
_MINE = select(jobs.c.id).where(_unfinished, jobs.c.process == bindparam("me"))
_UNANSWERED_FIRST = jobs.c.answered_at.is_not(None), jobs.c.accepted_at


JOBS = select(jobs, (now() - jobs.c.accepted_at).label("age"), (now() - jobs.c.answered_at).label("answered_ago"))
"""Jobs, and how long ago they were accepted and answered, in seconds: what `_jobs` makes Jobs of."""

_created = steps.c.job == jobs.c.id, steps.c.state == Created.state


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


class Holder:
    """One process, and the jobs that it holds in the journal at `url`. Safe to use from many threads."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.process = uuid.uuid4().hex
        self._seen: dict[str, tuple[float, int]] = {}  # what the row of each process showed, and for how many looks
        self._shown: object = None  # the last sign of life
        self._shown_at = time.monotonic()  # when that was
        self._readers = ThreadPoolExecutor(8, thread_name_prefix="read")
        self._strays: set[str] = set()  # jobs that this process held at the last look, without carrying them

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    # Holding.

    def keep(self, known: Collection[str] = (), adopt: bool = True) -> list[Job]:
        """Show that this process lives, and return the jobs that are to be carried from now on.

        To be called every EVERY seconds with the ids of the jobs that it carries. To be carried is what no living
        process held; and what this process holds and did not know at two looks, as after a commit that was Unsure.
        After a failure all others have the time of a take-over again, since nobody could show life. Who stops does not
        `adopt` any more.
        """
        me = {"me": self.process}
        try:
            with self._database.writing() as connection:
                if connection.execute(_SHOW_LIFE, me).rowcount:
                    self._database.look(_MY_LIFE, self.process, self._shown)
                else:
                    connection.execute(_ENTER, {"id": self.process})
                lives = {row.id: row for row in connection.execute(select(processes))}
                my_life = lives.pop(self.process)
                if silent := self._silent(lives.values()):
                    connection.execute(delete(processes).where(processes.c.id.in_(silent)))
                adopted = set(connection.scalars(_ADOPT, me)) if adopt else set()
                mine = set(connection.scalars(_MINE, me)) - set(known)
        except JournalError:
            self._seen, self._shown = {}, None
            raise
        self._shown, self._shown_at = my_life.lease_until, time.monotonic()
        wanted, self._strays = adopted | (mine & self._strays), mine
        if adopted:
            event("adopted", jobs=len(adopted))
        return self._jobs(JOBS.where(jobs.c.id.in_(wanted)).order_by(*_UNANSWERED_FIRST)) if wanted else []

    def _silent(self, others: Iterable[Row[Any]]) -> list[str]:
        """Take a look at the rows of other processes; return the ids of those that have shown nothing new for too long.

        To be called every EVERY seconds.
        """
        seen, silent = self._seen, []
        self._seen = {}
        for row in others:
            shown, looks = seen.get(row.id, (None, 0))
            looks = looks + 1 if shown == row.lease_until else 0
            self._seen[row.id] = row.lease_until, looks
            if looks * EVERY >= (TAKE_OVER if row.machine == SERVE else LEASE):
                silent.append(row.id)
                event("take_over", process=row.id)
        return silent

    def let_go(self) -> None:
        """Let go of everything this process holds, for another one to take at once."""
        with self._database.writing() as connection:
            connection.execute(delete(processes).where(processes.c.id == self.process))

    def holds(self, job: Job) -> bool:
        """Ask the database whether this process still holds a job."""
        return bool(self._rows(select(jobs.c.id).where(held), this=job.id, me=self.process))

    # Reading.

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
        made = select(steps.c.group_id, jobs.c.user, settled_at, now() - settled_at).order_by(settled_at.desc())
        same = steps.c.name_key == fold(name), steps.c.parent_key == parent_id
        return [Made(*row) for row in self._rows(made.where(*_created, *same))]

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
        return self._read(lambda connection: connection.execute(wanted, parameters).all())

    def _read(self, read: Callable[[Connection], R]) -> R:
        """Read in another thread, and leave it at the end of READ. Raises JournalError."""

        def begin() -> R:
            with self._database.reading() as connection:
                return read(connection)

        try:
            return self._readers.submit(begin).result(READ)
        except TimeoutError:
            raise JournalError("the database is too slow") from None

    def _jobs(self, wanted: Executable, **parameters: Any) -> list[Job]:
        """Return the jobs that a select of JOBS finds. One that cannot be read is left out, and stops no other."""

        def rows_of(connection: Connection) -> tuple[Sequence[Row[Any]], dict[str, list[Row[Any]]]]:
            found = connection.execute(wanted, parameters).all()
            return found, steps_by_job(connection, found)

        found, its_steps = self._read(rows_of)
        read = []
        for row in found:
            try:
                read += [rows.job_of(row, its_steps[row.id])] if row.id in its_steps else []  # or it was just removed
            except (KeyError, TypeError, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"
                event("job_unreadable", level=logging.ERROR, every=REPEATED, job=row.id, reason=reason)
        return read

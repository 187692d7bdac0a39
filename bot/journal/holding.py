"""Who holds the jobs: each process changes its row every few seconds; who does not, loses its jobs to the others.

They count their own looks, of which each comes EVERY seconds after the one before. No clock is asked, so none can lie;
and nobody counts time in which it did not look itself.
"""

import uuid
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, insert, or_, select, update

from bot.journal import JournalError
from bot.journal.reading import JOBS, Reader
from bot.journal.tables import jobs, now, processes
from bot.log import event
from bot.model.job import Job

EVERY = 2.0
"""How often a process shows that it lives, in seconds."""

TAKE_OVER = 8.0
"""After how long without a sign of life a process's jobs are taken over, in seconds."""

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


class Holder(Reader):
    """One process, and the jobs that it holds in the journal at `url`. Safe to use from many threads."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.process = uuid.uuid4().hex
        self._seen: dict[str, tuple[float, int]] = {}  # what the row of each process showed, and for how many looks
        self._shown: object = None  # the last sign of life
        self._strays: set[str] = set()  # jobs that this process held at the last look, without carrying them

    def keep(self, known: Collection[str] = (), adopt: bool = True) -> list[Job]:
        """Show that this process lives, and return the jobs that are to be carried from now on.

        To be called every EVERY seconds with the ids of the jobs that it carries. To be carried is what no living
        process held; and what this process holds and did not know at two looks, as after `correct`, or a commit that
        was Unsure. After a failure all others have the time of a take-over again, since nobody could show life. Who
        stops does not `adopt` any more.
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
            self._seen = {}
            raise
        self._shown = my_life.lease_until
        wanted, self._strays = adopted | (mine & self._strays), mine
        if adopted:
            event("adopted", jobs=len(adopted))
        return self._jobs(JOBS.where(jobs.c.id.in_(wanted)).order_by(*_UNANSWERED_FIRST)) if wanted else []

    def _silent(self, rows: Iterable[Row[Any]]) -> list[str]:
        """Take a look at the rows of other processes; return the ids of those that have shown nothing new for too long.

        To be called every EVERY seconds.
        """
        seen, silent = self._seen, []
        self._seen = {}
        for row in rows:
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

"""What an operator does with a journal: look at who asked for what and what came of it, and delete old jobs."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Row, and_, delete, inspect, select, tuple_

from bot.journal import rows
from bot.journal.database import connect, sqlite_file
from bot.journal.holding import steps_by_job
from bot.journal.tables import jobs

PAGE = 200
"""How many jobs are read, and are in memory, or are removed at once."""

PAUSE = 0.02
"""How long to wait between two removals, in seconds, so that a running bot can write in between."""

_JOB = ("accepted_at", "answered_at", "closed_at", "user", "asker", "channel", "typed", "origin", "followup", "follows")
_STEP = ("name", "parent_name", "state", "group_id", "sent_at", "settled_at")

Entry = dict[str, Any]
"""What is told of an accepted command: the `job`'s id, when, who did what and where, and its `steps`. Times are in UTC.

`answered_at` is None while it is open, `closed_at` as long as anything is left to do. `asker` and `origin` are the
person and the job that this one goes back to, else its own; `followup` is the button and `follows` the job under whose
answer it was pressed, else "".

Of each step, one group that was asked for, it is told how it ended: `state` is that of a Step, `parent` is the parent's
id, "" for a main group, None as long as it is not known; `parent_name` is how it was given, if by name. `code` is that
of a refusal, `reason` the API's message or why there is no group; `group_id` is "" where there is none. `found` are the
ids that the look-up of a lost answer found.
"""


class NoJournal(Exception):
    """There is no journal to read; the message says what is there instead."""


@contextlib.contextmanager
def opened(url: str, *, read_only: bool = True) -> Iterator[Engine]:
    """Open a journal that is there, and make none; to delete from it, not `read_only`.

    Raises NoJournal, or SQLAlchemyError.
    """
    file = sqlite_file(url)
    if file and not file.is_file():
        raise NoJournal(f"There is no journal: {file} is not there. DATABASE_URL says where it is; serve makes it.")
    engine = connect(url, read_only=read_only)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table(jobs.name):
                raise NoJournal("There is no journal in the database that DATABASE_URL names yet; serve makes it.")
        yield engine
    finally:
        engine.dispose()


def entries(engine: Engine, since: datetime | None = None, user: str | None = None) -> Iterator[Entry]:
    """Yield the jobs, newest first, with never more than PAGE in memory. Raises SQLAlchemyError.

    A page is a transaction of its own: a journal of any length neither runs into the database's time limit nor keeps
    the running bot from anything.
    """
    told = [jobs.c[name] for name in ("id", *_JOB)]  # no other column: a journal of 0.2.0 may lack it
    newest = select(*told).order_by(jobs.c.accepted_at.desc(), jobs.c.id.desc()).limit(PAGE)
    newest = newest.where(jobs.c.accepted_at >= since.timestamp()) if since else newest
    newest = newest.where(jobs.c.user == user) if user else newest
    next_page = newest
    while True:
        with engine.connect() as connection:
            page = connection.execute(next_page).all()
            of_jobs = steps_by_job(connection, page)
        yield from ({"job": row.id, **_told(row, _JOB), "steps": list(map(_step, of_jobs[row.id]))} for row in page)
        if len(page) < PAGE:
            return
        next_page = newest.where(tuple_(jobs.c.accepted_at, jobs.c.id) < (page[-1].accepted_at, page[-1].id))


def _step(row: Row[Any]) -> Entry:
    try:
        outcome, reason = rows.outcome_of(row), row.reason or ""
    except (KeyError, TypeError, ValueError):  # damaged, or of a newer version
        outcome, reason = None, "cannot be read"
    more = {"code": getattr(outcome, "code", None), "found": getattr(outcome, "found", None) or ()}
    more["reason"] = outcome.told.why if outcome else reason
    return {"step": row.position, **_told(row, _STEP), "parent": row.parent_id, **more}


def _told(row: Row[Any], names: Sequence[str]) -> Entry:
    """Return columns of a row by their names: times, and texts, "" for NULL."""
    return {name: _time(row._mapping[name]) if name.endswith("_at") else row._mapping[name] or "" for name in names}


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def forget(engine: Engine, before: datetime) -> int:
    """Remove the closed jobs accepted before that time, oldest first, and return how many. Raises SQLAlchemyError.

    A job from whose answer another went on is older than that one, so it goes first: its buttons are dead before the
    journal forgets which of them were pressed.
    """
    closed = and_(jobs.c.closed_at.is_not(None), jobs.c.accepted_at < before.timestamp())
    oldest = select(jobs.c.id).where(closed).order_by(jobs.c.accepted_at).limit(PAGE)
    removed = 0
    while True:
        with engine.begin() as connection:
            count = connection.execute(delete(jobs).where(jobs.c.id.in_(oldest))).rowcount
        if not count:
            return removed
        removed += count
        time.sleep(PAUSE)

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
"""How many jobs are read, and are in memory, at once."""

FORGOTTEN_AT_ONCE = 200
"""How many jobs are removed in one transaction."""

PAUSE = 0.02
"""How long to wait between two such transactions, in seconds, so that a running bot can write in between."""

OF_JOB: tuple[str, ...] = ("job", "accepted_at", "answered_at", "closed_at", "user", "asker", "channel", "typed")
OF_JOB += ("origin", "followup", "follows")
"""What is told of an accepted command: the job's id, when, who did what and where.

`answered_at` is None while it is open, `closed_at` as long as anything is left to do. `asker` and `origin` are the
person and the job that this one goes back to, else its own; `followup` is the button and `follows` the job under whose
answer it was pressed, else "".
"""

OF_STEP: tuple[str, ...] = ("step", "name", "parent", "parent_name", "state", "code", "reason", "group_id", "found")
OF_STEP += ("sent_at", "settled_at")
"""What is told of one group that was asked for, and how it ended; `state` is that of a Step.

`parent` is the parent's id, "" for a main group, None as long as it is not known; `parent_name` is how it was given, if
by name. `code` is that of a refusal, `reason` the API's message or why there is no group; `group_id` is "" where there
is none. `found` are the ids that the look-up of a lost answer found.
"""

Entry = dict[str, Any]
"""The facts OF_JOB by name, and under `steps` a list of those OF_STEP. Times are in UTC."""


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
    newest = select(jobs).order_by(jobs.c.accepted_at.desc(), jobs.c.id.desc()).limit(PAGE)
    newest = newest.where(jobs.c.accepted_at >= since.timestamp()) if since else newest
    newest = newest.where(jobs.c.user == user) if user else newest
    next_page = newest
    while True:
        with engine.connect() as connection:
            page = connection.execute(next_page).all()
            of_jobs = steps_by_job(connection, page)
        yield from ({**_told(OF_JOB, row, job=row.id), "steps": list(map(_step, of_jobs[row.id]))} for row in page)
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
    return _told(OF_STEP, row, step=row.position, parent=row.parent_id, **more)


def _told(names: Sequence[str], row: Row[Any], **more: Any) -> Entry:
    """Return facts by their names: `more`, or else the row's columns, which are times, and texts, "" for NULL."""
    columns = row._mapping.items()
    facts = {name: _time(value) if name.endswith("_at") else value or "" for name, value in columns} | more
    return {name: facts[name] for name in names}


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def forget(engine: Engine, before: datetime) -> int:
    """Remove the closed jobs accepted before that time, oldest first, and return how many. Raises SQLAlchemyError.

    A job from whose answer another went on is older than that one, so it goes first: its buttons are dead before the
    journal forgets which of them were pressed.
    """
    closed = and_(jobs.c.closed_at.is_not(None), jobs.c.accepted_at < before.timestamp())
    oldest = select(jobs.c.id).where(closed).order_by(jobs.c.accepted_at).limit(FORGOTTEN_AT_ONCE)
    removed = 0
    while True:
        with engine.begin() as connection:
            count = connection.execute(delete(jobs).where(jobs.c.id.in_(oldest))).rowcount
        if not count:
            return removed
        removed += count
        time.sleep(PAUSE)

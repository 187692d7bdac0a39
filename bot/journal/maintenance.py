"""What an operator does to a journal: open one that is there, and delete old jobs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine, and_, delete, inspect, select

from bot.journal import connections
from bot.journal.connections import sqlite_file
from bot.journal.database import jobs

FORGOTTEN_AT_ONCE = 200
"""How many jobs are removed in one transaction."""

PAUSE = 0.02
"""How long to wait between two such transactions, in seconds, so that a running bot can write in between."""


class NoJournal(Exception):
    """There is no journal to read; the message says what is there instead."""


@contextlib.contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Open a journal that is there, and make none. Raises NoJournal, or SQLAlchemyError."""
    file = sqlite_file(url)
    if file and not file.is_file():
        raise NoJournal(f"There is no journal: {file} is not there. DATABASE_URL says where it is; serve makes it.")
    engine = connections.connect(url)
    try:
        with connections.reading(engine) as connection:
            if not inspect(connection).has_table(jobs.name):
                raise NoJournal("There is no journal in the database that DATABASE_URL names yet; serve makes it.")
        yield engine
    finally:
        engine.dispose()


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

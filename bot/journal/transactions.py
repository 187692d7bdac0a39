"""Transactions of one process on the journal's database, and what it means when one fails."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from bot.journal import connections, database
from bot.journal.errors import BadValue, JournalError, Unsure
from bot.metrics import metrics

FAILING = 30.0
"""How long a failed write counts as a sign that the database takes no more, unless one succeeds, in seconds."""


class Transactions:
    """Reads and writes the database at `url`. Safe to use from many threads."""

    def __init__(self, url: str) -> None:
        self._engine = connections.connect(url)
        self._failed_at = float("-inf")

    @property
    def failing(self) -> bool:
        """Whether the last write failed, and not long ago."""
        return time.monotonic() - self._failed_at < FAILING

    def migrate(self) -> None:
        """Make or update the tables. Raises JournalError."""
        with _translated():
            database.migrate(self._engine)

    def close(self) -> None:
        """Close the connections."""
        connections.dispose(self._engine)

    @contextlib.contextmanager
    def writing(self, urgent: bool = False) -> Iterator[Connection]:
        """Begin to write, and commit at the end; an `urgent` transaction goes before others, and gives up sooner."""
        try:
            with _translated(), self._engine.connect() as connection:
                connection.execution_options(urgent=urgent)
                with connection.begin() as transaction:
                    yield connection
                    with _translated(Unsure):
                        transaction.commit()
        except BadValue:
            raise
        except JournalError:
            self._failed_at = time.monotonic()
            raise
        self._failed_at = float("-inf")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Begin to read."""
        with _translated(), connections.reading(self._engine) as connection:
            yield connection


@contextlib.contextmanager
def _translated(kind: type[JournalError] = JournalError) -> Iterator[None]:
    """Translate the errors of SQLAlchemy and of the drivers, which raise some of their own past it."""
    try:
        yield
    except (DataError, IntegrityError, OverflowError, ValueError) as error:
        raise BadValue(_described(error)) from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        metrics.journal_failed()
        raise kind(_described(error)) from error


def _described(error: Exception) -> str:
    orig = error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None)
    return f"{type(error).__name__}: {orig or 'no answer'}"

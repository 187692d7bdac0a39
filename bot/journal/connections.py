"""Connections to the journal's database, SQLite or PostgreSQL: how they begin, what they wait for, when they end."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

PATIENCE = 1.2
"""How long an acknowledgement waits for other writers, in seconds: here, and then in other processes as long again."""

CONNECTIONS = 5
"""How many connections one process has to PostgreSQL at most: some that write, the others for readers."""


def connect(url: str) -> Engine:
    """Return an engine for a URL of SQLite or PostgreSQL, `postgres://` included; connects at first use."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        engine = create_engine(address, hide_parameters=True)
        file = OpenFile(Path(str(address.database)).absolute())
        event.listen(engine, "do_connect", lambda *_: file.check())  # before SQLite makes a new file
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "connect", lambda *_: file.remember())
        event.listen(engine, "begin", lambda _: file.check())
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        address.set(drivername="postgresql+psycopg"),
        connect_args={**_NETWORK, **{name: address.query[name] for name in _NETWORK.keys() & address.query.keys()}},
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
    )
    event.listen(engine, "connect", _set_up_postgresql, insert=True)  # before SQLAlchemy reads anything
    event.listen(engine, "begin", _begin_postgresql)
    return engine


_NETWORK = {
    "connect_timeout": 2,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""How soon a server that is gone is noticed; DATABASE_URL may say otherwise.
Source: https://www.postgresql.org/docs/current/libpq-connect.html"""

_LIMITS = {
    "statement_timeout": 5000,
    "idle_in_transaction_session_timeout": 3000,
    "tcp_user_timeout": 5000,
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
}
"""What the server does about a process that was frozen or lost in a transaction: it ends it, and its locks with it.

Source: https://www.postgresql.org/docs/current/runtime-config-client.html and runtime-config-connection.html
"""

_BEGIN = "; ".join(["BEGIN", *(f"SET LOCAL {name} = {value}" for name, value in _LIMITS.items())])


def dispose(engine: Engine) -> None:
    """Close the engine's connections: idle ones now, those that other threads still use when they are given back."""
    event.listen(engine, "checkin", lambda _connection, record: record.close())
    engine.dispose()


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for PostgreSQL."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return None
    return Path(str(address.database)).absolute()


class OpenFile:
    """Notices when the SQLite file under the open connections was deleted or replaced: what they write is lost."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: tuple[int, int] | None = None

    def remember(self) -> None:
        """Remember which file this is, once the first connection has opened it."""
        self._first = self._first or self._now()

    def same_file(self) -> bool:
        """Return whether the file that was opened first is still the one at the path."""
        return self._first is None or self._now() == self._first

    def check(self) -> None:
        """Raise OperationalError when the file is another one."""
        if not self.same_file():
            reason = "the file was deleted or replaced while the bot ran; stop the bot, put the file back, start it"
            raise OperationalError("BEGIN", None, sqlite3.OperationalError(reason))

    def _now(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def reading(engine: Engine) -> Connection:
    """Connect in order to read, which on SQLite does not wait for those that write."""
    return engine.connect().execution_options(reading=True)


def _set_up_postgresql(connection: Any, _record: object) -> None:
    """Leave transactions to _begin_postgresql, and refuse a database that cannot hold every name.

    Statements are not prepared: PgBouncer may run the next one on another of its connections.
    Source: https://www.pgbouncer.org/features.html
    """
    import psycopg

    connection.autocommit = True
    connection.prepare_threshold = None
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in (None, "UTF8"):
        remedy = "create one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
        raise psycopg.NotSupportedError(f"the database has the encoding {encoding}, which cannot hold names; {remedy}")


def _begin_postgresql(connection: Connection) -> None:
    """Begin, and limit this transaction in the same exchange.

    In each transaction, because PgBouncer takes no start parameter `options`, and hands sessions from client to client.
    """
    connection.exec_driver_sql(_BEGIN)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, in _begin_sqlite
    # What is committed survives a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Begin as a writer at once: a reader that turns writer in the middle is refused when another was faster.

    Other processes that write are waited for here. SQLite's own waits grow, so who has waited long waits longer still.
    """
    options = connection.get_execution_options()
    driver: Any = connection.connection.driver_connection
    if options.get("reading", False):
        driver.execute(f"PRAGMA busy_timeout = {1000 * PATIENCE:.0f}")
        driver.execute("BEGIN")
        return
    driver.execute("PRAGMA busy_timeout = 0")
    pause, patience = (0.0003, PATIENCE) if options.get("urgent", False) else (0.003, 4 * PATIENCE)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            driver.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
        time.sleep(pause)
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises the error as SQLAlchemy does

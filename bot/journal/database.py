"""The journal's database, SQLite or PostgreSQL: how transactions begin, what they wait for, what a failure means."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sqlite3
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from bot.journal import tables
from bot.journal.errors import BadValue, JournalError, Unsure
from bot.metrics import metrics

PATIENCE = 2.0
"""How long a transaction waits for those of other processes, in seconds: less than Slack waits."""

CONNECTIONS = 5
"""How many connections one process has to PostgreSQL at most: one writes, one shows that it lives, others read."""

FAILING = 30.0
"""How long a failed write counts as a sign that the database takes no more, unless one succeeds, in seconds."""

_NETWORK = {
    "connect_timeout": 2,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""How soon a server that is gone is noticed; DATABASE_URL may say otherwise.
Source: https://www.postgresql.org/docs/current/libpq-connect.html"""

FREE = 1.0
"""How long a new connection waits for its first answer, in seconds: PgBouncer lets one wait for the end of another."""

_NONE_FREE = "no connection became free"
_FULL = re.compile(f"{_NONE_FREE}|too many (clients|connections)|connection slots|max_client_conn|more connections")
"""What is said where the server or PgBouncer gives no more connections."""

_DAMAGED = re.compile("SQLITE_(CORRUPT|NOTADB)")

_LIMITS = {
    "statement_timeout": 5000,
    "lock_timeout": round(1000 * PATIENCE),
    "idle_in_transaction_session_timeout": 3000,
    "synchronous_commit": "on",
    "tcp_user_timeout": 5000,
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
}
"""What a transaction asks of the server: that it ends one whose process was frozen or lost, and its locks with it; and
that what it says is committed survives a crash, whatever the server or the role was set to.

Source: https://www.postgresql.org/docs/current/runtime-config-client.html and runtime-config-wal.html
"""

_BEGIN = "; ".join(["BEGIN", *(f"SET LOCAL {name} = {value}" for name, value in _LIMITS.items())])


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for PostgreSQL."""
    address = make_url(url)
    return Path(str(address.database)).absolute() if address.get_backend_name() == "sqlite" else None


def connect(url: str, *, read_only: bool = False) -> Engine:
    """Return an engine for a URL of SQLite or PostgreSQL, `postgres://` included; connects at first use.

    A `read_only` one changes nothing, not even the file of a backup in a folder where nobody may write.
    """
    file, address = sqlite_file(url), make_url(url)
    if file:
        if read_only:
            engine = create_engine(
                "sqlite://", creator=partial(_looking, file), poolclass=NullPool, hide_parameters=True
            )
        else:
            engine = create_engine(address, hide_parameters=True)
            event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    engine = create_engine(
        address.set(drivername="postgresql+psycopg"),
        connect_args={**_NETWORK, **{name: address.query[name] for name in _NETWORK.keys() & address.query.keys()}},
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=PATIENCE,
        pool_pre_ping=True,
    )
    event.listen(engine, "connect", _set_up_postgresql, insert=True)  # before SQLAlchemy reads anything
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(_BEGIN))
    return engine


class Database:
    """Transactions of one process on the database at `url`. Safe to use from many threads."""

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        file = sqlite_file(url)
        self.file = OpenFile(file) if file else None
        self._failed_at = float("-inf")

    @property
    def failing(self) -> bool:
        """Whether the last write failed, and not long ago."""
        return time.monotonic() - self._failed_at < FAILING

    def open(self) -> None:
        """Make or update the tables, and see that they can be written. Raises JournalError."""
        with _translated():
            if self.file:
                self.file.make()
            tables.migrate(self._engine)
            if self.file:
                self.file.remember()

    def close(self) -> None:
        """Close the connections: idle ones now, those that other threads still use when they are given back."""
        event.listen(self._engine, "checkin", lambda _connection, record: record.close())
        self._engine.dispose()
        if self.file:
            self.file.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Begin to write, and commit at the end. Raises Unsure when it is the commit that fails, else JournalError."""
        try:
            self._check()
            with _translated(), self._connect() as connection, connection.begin() as transaction:
                yield connection
                self._check()
                with _translated(Unsure):
                    transaction.commit()
        except BadValue:
            raise
        except JournalError as error:
            self._failed_at = time.monotonic()
            if self.file and _DAMAGED.search(str(error)):
                self.file.fault = "the file is damaged"
            raise
        self._failed_at = float("-inf")

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Begin to read, which on SQLite does not wait for those that write."""
        self._check()
        with _translated(), self._connect().execution_options(reading=True) as connection:
            yield connection

    def _connect(self) -> Connection:
        """Connect; where the server gives no more connections, wait for one of this process's own."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self._engine.connect()
            except OperationalError as error:
                if time.monotonic() > until or not _FULL.search(str(error.orig)):
                    raise
            time.sleep(0.05)

    def _check(self) -> None:
        if self.file:
            self.file.check()


def reading(engine: Engine) -> Connection:
    """Connect in order to read."""
    return engine.connect().execution_options(reading=True)


class OpenFile:
    """The SQLite file, its log and their index: they must stay those that were opened, or what is written is lost.

    One connection stays open to the end, because SQLite removes the log with the last one.
    Source: https://www.sqlite.org/howtocorrupt.html
    """

    def __init__(self, path: Path) -> None:
        self._paths = path, Path(f"{path}-wal"), Path(f"{path}-shm")
        self._first: list[tuple[int, int] | None] = []
        self._kept: sqlite3.Connection | None = None
        self.fault = ""
        """What a look from outside found wrong, "" for nothing."""

    def make(self) -> None:
        """Make the file, or change the mode of one that is there, so that only its owner reads it. Raises OSError."""
        path = self._paths[0]
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            for each in self._paths:
                with contextlib.suppress(OSError):  # another user's: whether it can be written is seen next
                    if each.stat().st_mode & 0o077:
                        each.chmod(0o600)

    def remember(self) -> None:
        """Remember which files these are, once the tables are there."""
        self.close()
        self._kept = sqlite3.connect(self._paths[0], check_same_thread=False)
        self._kept.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self._first = self._now()

    def close(self) -> None:
        """Let go of the file."""
        if self._kept:
            self._kept.close()

    def check(self) -> None:
        """Raise JournalError when one of them is another one, or a look found a fault."""
        changed = bool(self._first) and self._now() != self._first
        fault = "the file, its -wal or -shm was deleted or replaced while the bot ran" if changed else self.fault
        if fault:
            metrics.journal_failed()
            raise JournalError(f"{fault}; stop the bot, put the file back, start it")

    def look(self, statement: str, parameters: tuple[str, ...], expected: object) -> None:
        """Read what was last written, over a connection of its own, as a new process would; else there is a fault.

        So it is seen when the file was overwritten in its place: this process would go on with what it has in memory.
        """
        try:
            with contextlib.closing(_looking(self._paths[0])) as fresh:
                found = fresh.execute(statement, parameters).fetchone()
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN):
                self.fault = f"the file cannot be read ({error.sqlite_errorname})"
            return
        if found is None or found[0] != expected:
            self.fault = "the file does not hold what was last written"

    def _now(self) -> list[tuple[int, int] | None]:
        return [_identity(path) for path in self._paths]


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def _translated(kind: type[JournalError] = JournalError) -> Iterator[None]:
    """Translate the errors of SQLAlchemy and of the drivers, which raise some of their own past it."""
    try:
        yield
    except (DataError, IntegrityError, OverflowError, ValueError) as error:
        raise BadValue(described(error)) from None
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        metrics.journal_failed()
        raise kind(described(error)) from None


def described(error: Exception) -> str:
    """Say what failed, in the database's code: a driver's own text may hold the values of a row.

    Where no connection came about there is no row, so that the driver may say why.
    """
    orig = error if isinstance(error, sqlite3.Error) else getattr(error, "orig", None) or error
    code = getattr(orig, "sqlite_errorname", None) or getattr(orig, "sqlstate", None) or ""
    if isinstance(error, OSError):
        code = error.strerror or ""
    elif not code and getattr(error, "statement", "") is None:
        code = " ".join(str(orig).split())
    return f"{type(orig).__name__}: {code or 'no answer'}"


def _set_up_postgresql(connection: Any, _record: object) -> None:
    """Leave transactions to _BEGIN, and refuse a database that cannot hold every name.

    Limits are set in each transaction, and statements are not prepared: PgBouncer takes no start parameter `options`,
    hands sessions from client to client, and may run the next statement on another of its connections.
    Source: https://www.pgbouncer.org/features.html
    """
    import psycopg

    connection.autocommit = True
    connection.prepare_threshold = None
    connection.pgconn.send_query(b"SELECT 1")
    answer = select.poll()
    answer.register(connection.fileno(), select.POLLIN)
    if not answer.poll(1000 * FREE):
        connection.close()
        raise psycopg.OperationalError(_NONE_FREE)
    while connection.pgconn.get_result():
        pass
    encoding = connection.info.parameter_status("server_encoding")
    if encoding not in (None, "UTF8"):
        remedy = "create one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0"
        raise psycopg.NotSupportedError(f"the database has the encoding {encoding}, which cannot hold names; {remedy}")


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, in _begin_sqlite
    connection.text_factory = _text
    # What is committed survives a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _looking(file: Path) -> sqlite3.Connection:
    """Open a file in order to look at it: the file of a backup, which has no log beside it, as one that never changes.

    Source: https://www.sqlite.org/uri.html
    """
    still = "" if Path(f"{file}-wal").exists() else "&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro{still}", uri=True, check_same_thread=False)
    connection.isolation_level = None
    connection.text_factory = _text
    return connection


def _text(value: bytes) -> str:
    """Decode a text; what is no UTF-8 becomes lone surrogates, so that a damaged row keeps no other from being read."""
    return value.decode("utf-8", "surrogateescape")


def _begin_sqlite(connection: Connection) -> None:
    """Begin as a writer at once: a reader that turns writer in the middle is refused when another was faster.

    Other processes that write are waited for here. SQLite's own waits grow, so who has waited long waits longer still.
    """
    driver: Any = connection.connection.driver_connection
    if connection.get_execution_options().get("reading", False):
        driver.execute(f"PRAGMA busy_timeout = {1000 * PATIENCE:.0f}")
        driver.execute("BEGIN")
        return
    driver.execute("PRAGMA busy_timeout = 0")
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            driver.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                break
        time.sleep(0.001)
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # raises the error as SQLAlchemy does

"""The journal's tables, on SQLite and PostgreSQL alike: connecting, the schema and its versions, the clock."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Double,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import FunctionElement

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("trigger", Text, nullable=False, unique=True),  # Slack's trigger_id: once per invocation
    Column("user", Text, nullable=False),
    Column("asker", Text, nullable=False),  # who is named in the root: of a button's job, who typed the first one
    Column("origin", Text, nullable=False),  # the job from whose answer this one goes on, or itself
    Column("followup", Text),  # the button that started it
    Column("follows", Text),  # the job under whose answer the button was
    Column("channel", Text, nullable=False),
    Column("typed", Text, nullable=False),
    Column("language", Text, nullable=False),  # "" while it is not known
    Column("response_url", Text),  # removed as soon as it is of no use
    Column("accepted_at", Double, nullable=False),
    Column("due_at", Double, nullable=False),  # not to be carried before
    Column("attempts", Integer, nullable=False, default=0),  # how often it was postponed
    Column("process", Text),  # who holds it
    Column("root_channel", Text),
    Column("root_ts", Text),
    Column("root_final", Integer, nullable=False, default=0),  # the root shows the result
    Column("answered_at", Double),  # open until then
    Column("closed_at", Double),  # nothing is left to do
)
Index(
    "jobs_to_carry", jobs.c.due_at, sqlite_where=jobs.c.closed_at.is_(None), postgresql_where=jobs.c.closed_at.is_(None)
)
Index("jobs_by_time", jobs.c.accepted_at)

steps = Table(
    "steps",
    metadata,
    Column("job", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),  # the name as names are compared
    Column("parent_id", Text),  # "" for a main group, NULL while it is not known
    Column("parent_name", Text),  # how the parent was given, if by name
    Column("parent_key", Text, nullable=False),  # the parent as parents are compared
    Column("above", Integer),  # the parent's position, if it is a step of this job
    Column("state", Text, nullable=False),
    Column("reason", Text),  # why a request that was sent has no clear answer
    Column("group_id", Text),
    Column("outcome", Text),  # JSON: the fields of the outcome
    Column("sent_at", Double),
    Column("settled_at", Double),
)
Index("steps_by_name", steps.c.name_key, steps.c.parent_key)
Index("steps_by_group", steps.c.group_id)

languages = Table(
    "languages",
    metadata,
    Column("user", Text, primary_key=True),
    Column("language", Text, nullable=False),  # what the person chose
)

processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("machine", Text, nullable=False),
    Column("lease_until", Double, nullable=False),
)

_versions = Table("schema_version", metadata, Column("version", Integer, primary_key=True))

MIGRATIONS: tuple[Callable[[Connection], None], ...] = ()
"""What turns version 1 into 2, 2 into 3, and so on. Old processes run beside new ones for a while: only add."""

VERSION = 1 + len(MIGRATIONS)

PATIENCE = 1.2
"""How long an acknowledgement waits for other writers, in seconds: here, and then in other processes as long again."""

CONNECTIONS = 5
"""How many connections one process has to PostgreSQL at most: some that write, the others for readers."""

_LOCK = 0x616464_67727570  # an arbitrary number, the same in every version


class now(FunctionElement[float]):  # noqa: N801  # an SQL function
    """The database's clock, in seconds since 1970: one for all processes, whatever their own clocks say."""

    type = Double()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(_element: now, _compiler: Any, **_options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgresql(_element: now, _compiler: Any, **_options: Any) -> str:
    return "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


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


def lock(connection: Connection) -> None:
    """Let no other process past this point until the transaction ends. SQLite's writers are alone as it is.

    An urgent transaction waits no longer than PATIENCE, others as long as any statement may take.
    """
    if connection.dialect.name == "postgresql":
        urgent = connection.get_execution_options().get("urgent", False)
        values = {"patience": f"{1000 * PATIENCE:.0f}" if urgent else "0", "number": _LOCK}
        wait = "SELECT set_config('lock_timeout', :patience, true), pg_advisory_xact_lock(:number)"
        connection.execute(text(wait), values)


def migrate(engine: Engine) -> None:
    """Bring the schema to VERSION, also when several processes start at once. A newer schema is left as it is."""
    with engine.begin() as connection:
        lock(connection)
        metadata.create_all(connection, tables=[_versions])
        version = connection.scalar(select(_versions.c.version))
        if version is None:
            metadata.create_all(connection)
            connection.execute(_versions.insert().values(version=VERSION))
        elif version < VERSION:
            for migration in MIGRATIONS[version - 1 :]:
                migration(connection)
            connection.execute(_versions.update().values(version=VERSION))


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

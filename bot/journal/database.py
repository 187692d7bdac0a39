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
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    network = {"connect_timeout": 2, "tcp_user_timeout": 5000, "options": "-c statement_timeout=5000"}
    return create_engine(
        address.set(drivername="postgresql+psycopg"),
        connect_args=network,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=2,
        pool_pre_ping=True,
    )


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for PostgreSQL."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite":
        return None
    return Path(str(address.database).removeprefix("file:")).absolute()


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


def dispose(engine: Engine) -> None:
    """Close the engine's connections: idle ones now, those that other threads still use when they are given back."""
    event.listen(engine, "checkin", lambda _connection, record: record.close())
    engine.dispose()


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

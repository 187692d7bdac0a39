"""The journal's database, SQLite or PostgreSQL: how transactions begin, what they wait for, what a failure means."""

import contextlib
import os
import select
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlalchemy.util.queue import Empty

from bot import log
from bot.journal import BadValue, JournalError, Unsure, WrongJournal, tables
from bot.metrics import JOURNAL_ERRORS

PATIENCE = 2.0
"""How long a transaction waits for those of other processes, in seconds: less than Slack waits."""

CONNECTIONS = 3
"""How many connections one process has to PostgreSQL at most: one writes, two read or show that it lives."""

_CONNECTION = {
    "client_encoding": "utf8",  # whatever the database holds it in
    "connect_timeout": "2",
    "tcp_user_timeout": "5000",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
}
"""What is asked of a connection: how soon a server that is gone is noticed, too. DATABASE_URL may say otherwise.
Source: https://www.postgresql.org/docs/current/libpq-connect.html"""

FREE = 1.0
"""How long a new connection waits for its first answer, in seconds: PgBouncer lets one wait for the end of another."""

_POOL: dict[str, Any] = {"pool_timeout": PATIENCE, "hide_parameters": True}

_BEGIN = (
    "BEGIN; SET LOCAL statement_timeout = 5000; SET LOCAL idle_in_transaction_session_timeout = 3000; "
    f"SET LOCAL lock_timeout = {1000 * PATIENCE:.0f}; SET LOCAL synchronous_commit = on"
)
"""What a transaction asks of PostgreSQL: that it ends one whose process was frozen or lost, and its locks with it; and
that what it says is committed survives a crash, whatever the server or the role was set to.

Source: https://www.postgresql.org/docs/current/runtime-config-client.html and runtime-config-wal.html
"""


class _Pool(QueuePool):
    """Waits for a connection that this process has where the server gives no further one, as a full PgBouncer."""

    _sqla_logger_namespace = "sqlalchemy.pool.QueuePool"  # which is quiet

    def _do_get(self) -> ConnectionPoolEntry:
        import psycopg

        try:
            return super()._do_get()
        except psycopg.OperationalError:
            if self.size() + self.overflow() > 0:  # it has one
                with contextlib.suppress(Empty):
                    return self._pool.get(timeout=PATIENCE)
            raise


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite URL; None for PostgreSQL."""
    address = make_url(url)
    return Path(str(address.database)).absolute() if address.get_backend_name() == "sqlite" else None


def connect(url: str, *, read_only: bool = False) -> Engine:
    """Return an engine for a URL of SQLite or PostgreSQL, `postgres://` included; connects at first use.

    A `read_only` one changes nothing, not even the file of a backup in a folder where nobody may write.
    """
    if file := sqlite_file(url):
        creator, reads = partial(_open_file, file, read_only=read_only), {"reading": read_only}
        engine = create_engine("sqlite://", creator=creator, poolclass=QueuePool, execution_options=reads, **_POOL)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    address = make_url(url).set(drivername="postgresql+psycopg")
    address = address.set(query={**_CONNECTION, **address.query})
    # Transactions are left to _BEGIN, and statements are not prepared: PgBouncer may run the next one on another of its
    # connections, and hands sessions from client to client. Source: https://www.pgbouncer.org/features.html
    driver = {"autocommit": True, "prepare_threshold": None}
    pool = {"poolclass": _Pool, "pool_size": CONNECTIONS, "max_overflow": 0, "pool_pre_ping": True, **_POOL}
    engine = create_engine(address, connect_args=driver, **pool)
    event.listen(engine, "connect", _refuse_silence, insert=True)  # before SQLAlchemy reads anything
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(_BEGIN))
    return engine


class Database:
    """Transactions of one process on the database at `url`. Safe to use from many threads.

    A SQLite file, its log and their index must stay those that were opened, or what is written is lost. So each
    transaction looks whether they are, and one connection stays open to the end, because SQLite removes the log with
    the last one. Source: https://www.sqlite.org/howtocorrupt.html
    """

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self.file = sqlite_file(url)
        self.failing = False
        """Whether the last write failed."""
        self._fault = ""  # what is wrong with the file, "" for nothing
        self._inodes: dict[Path, int] = {}  # of the files that were opened
        self._kept = contextlib.ExitStack()

    def open(self) -> None:
        """Make or update the tables. Raises WrongJournal for those, or a file, that cannot be used; or JournalError."""
        if self.file:
            _make(self.file)
        with _translated():
            with self._engine.begin() as connection:
                created = tables.migrate(connection) is None
            if self.file:
                self._kept.enter_context(self._engine.connect())
                self._inodes = {path: path.stat().st_ino for path in _with_companions(self.file) if path.exists()}
        if created:
            log.event("journal_created", schema=tables.VERSION)

    def close(self) -> None:
        """Close the connections: idle ones now, those that other threads still use when they are given back."""
        event.listen(self._engine, "checkin", lambda _connection, record: record.close())
        self._kept.close()
        self._engine.dispose()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """Begin to write, alone of all processes, and commit at the end.

        Raises Unsure when it is the commit that fails, else JournalError.
        """
        try:
            self._check()
            with _translated(), self._engine.connect() as connection, connection.begin() as transaction:
                tables.lock(connection)
                yield connection
                self._check()
                with _translated(Unsure):
                    transaction.commit()
        except JournalError as error:
            self.failing = not isinstance(error, BadValue)
            raise
        self.failing = False

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Begin to read, which on SQLite does not wait for those that write."""
        self._check()
        with _translated(), self._engine.connect().execution_options(reading=True) as connection:
            yield connection

    def look(self, statement: str, parameter: str, expected: object) -> None:
        """Read what was last written, over a connection of its own, as a new process would; else there is a fault.

        So it is seen when the SQLite file was overwritten in its place: this process would go on with its memory.
        """
        if not self.file or expected is None:
            return
        try:
            with contextlib.closing(_open_file(self.file, read_only=True)) as fresh:
                as_written = fresh.execute(statement, (parameter,)).fetchone() == (expected,)
        except sqlite3.Error as error:
            as_written = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN)
        if not as_written:
            self._fault = "the file does not hold what was last written"

    def _check(self) -> None:
        """Raise JournalError when the file is another one, or a fault was found."""
        changed = any(not path.exists() or path.stat().st_ino != inode for path, inode in self._inodes.items())
        fault = "the file, its -wal or -shm was deleted or replaced while the bot ran" if changed else self._fault
        if fault:
            JOURNAL_ERRORS.inc()
            raise JournalError(f"{fault}; stop the bot, put the file back, start it")


def _with_companions(file: Path) -> tuple[Path, Path, Path]:
    return file, Path(f"{file}-wal"), Path(f"{file}-shm")


def _make(file: Path) -> None:
    """Make a file that only its owner reads, or see that the one that is there can be used. Raises WrongJournal."""
    with contextlib.suppress(OSError):  # what cannot be made, or is another user's, is told below
        file.touch(0o600)
        for path in filter(Path.exists, _with_companions(file)):
            path.chmod(0o600)
    needed = {path: os.R_OK | os.W_OK for path in _with_companions(file) if os.access(path, os.F_OK)}
    needed[file.parent] = os.R_OK | os.W_OK | os.X_OK
    refused = next((path for path, rights in needed.items() if not os.access(path, rights)), None)
    if refused:
        raise WrongJournal(
            f"{refused} cannot be written. Let the bot's user own the file and its folder, on a local disk that is not "
            "read-only, or set DATABASE_URL to another file."
        )


@contextlib.contextmanager
def _translated(kind: type[JournalError] = JournalError) -> Iterator[None]:
    """Translate the errors of SQLAlchemy, and those of values that a driver refuses by itself."""
    try:
        yield
    except (DataError, IntegrityError, OverflowError, ValueError) as error:
        raise BadValue(_described(error)) from None
    except SQLAlchemyError as error:
        JOURNAL_ERRORS.inc()
        raise kind(_described(error)) from None


def _described(error: Exception) -> str:
    """Say what failed, in the database's code: a driver's own text may hold the values of a row.

    Where no connection came about there is no row, so that the driver may say why.
    """
    orig = getattr(error, "orig", None) or error
    code = getattr(orig, "sqlite_errorname", None) or getattr(orig, "sqlstate", None)
    if not code and getattr(error, "statement", "") is None:
        code = " ".join(str(orig).split())
    return f"{type(orig).__name__}: {code or 'no answer'}"


def _refuse_silence(connection: Any, _record: object) -> None:
    """Close a new connection that does not answer within FREE. Raises OperationalError."""
    import psycopg

    connection.pgconn.send_query(b"SELECT 1")
    answer = select.poll()
    answer.register(connection.fileno(), select.POLLIN)
    if not answer.poll(1000 * FREE):
        connection.close()
        raise psycopg.OperationalError("no connection became free")
    while connection.pgconn.get_result():
        pass


def _open_file(file: Path, *, read_only: bool) -> sqlite3.Connection:
    """Connect to a SQLite file; with `read_only`, to a backup's, which has no log, as one that never changes.

    What is no UTF-8 becomes lone surrogates, so that a damaged row keeps no other from being read.
    Source: https://www.sqlite.org/uri.html
    """
    still = "" if Path(f"{file}-wal").exists() else "&immutable=1"
    address = f"file:{quote(str(file))}?mode={f'ro{still}' if read_only else 'rwc'}"
    # Transactions begin where SQLAlchemy says.
    connection = sqlite3.connect(address, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    if not read_only:
        try:  # what is committed survives a power cut
            connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


def _begin_sqlite(connection: Connection) -> None:
    """Begin as a writer at once: a reader that turns writer in the middle is refused when another was faster."""
    reads = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

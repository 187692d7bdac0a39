"""The self-check of the journal's database: whether it is there, can be written, and has the schema."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from bot.admin.finding import OK, WARNING, WRONG, Finding, chosen_from, shown, skipped
from bot.journal import connections, database
from bot.journal.connections import sqlite_file
from bot.settings.database_url import passwords


def check(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Try the journal without leaving a trace.

    Only `serve` makes tables: a file that the check made would belong to the user who ran the check, and a newer
    version's check would change tables under an older version that is still running.
    """
    chosen = chosen_from(environ, ("DATABASE_URL",))
    if chosen is None:
        yield from skipped("its settings are wrong", "database")
        return
    file = sqlite_file(chosen.database_url)
    if file and environ.get("DYNO"):
        remedy = "Set DATABASE_URL to a PostgreSQL, as Heroku's add-on does by itself."
        yield Finding(WARNING, "disk", "this is a Heroku dyno: its disk, and the SQLite file, is lost daily", remedy)
    try:
        yield _journal(chosen.database_url) if not file or file.exists() else _new_file(file)
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = shown(str(getattr(error, "orig", None) or error), *passwords(chosen.database_url))
        yield Finding(WRONG, "database", f"{_place(chosen.database_url)}: {reason}", _database_remedy(error, file))


def _database_remedy(error: Exception, file: Path | None) -> str:
    if isinstance(error, ImportError):
        return "Install the driver: pip install --require-hashes -r requirements.txt"
    if file:
        return f"Let the bot's user write in {file.parent}, on a local disk, or set DATABASE_URL to another file."
    if "unsupported startup parameter" in str(error):
        return "PgBouncer takes no options: remove them from DATABASE_URL, and set them by ALTER ROLE … SET instead."
    if "which cannot hold names" in str(error):
        return "Make a database in UTF-8, and set DATABASE_URL to it."
    return (
        "Check the host, database, user and password in DATABASE_URL, and that this user may write there. "
        "Special characters in the password are written as percent codes (@ as %40)."
    )


def _new_file(file: Path) -> Finding:
    """Try a journal in a folder of its own beside where the file will be."""
    with tempfile.TemporaryDirectory(prefix=".addgroup-check-", dir=file.parent) as directory:
        _journal(f"sqlite:///{directory}/journal.db")
    return Finding(OK, "database", f"{file} is not there yet; serve makes it, and can")


def _journal(url: str) -> Finding:
    """Read the schema's version, write, and take back what was written. Raises SQLAlchemyError."""
    engine = connections.connect(url)
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            database.lock(connection)
            version = _version(connection)
            if version is None:
                database.metadata.create_all(connection)
            for table in database.metadata.sorted_tables if version in (None, database.VERSION) else ():
                connection.execute(select(table).limit(0))
            connection.execute(insert(database.processes).values(id="check", machine="check", lease_until=0.0))
            transaction.rollback()
    finally:
        engine.dispose()
    return _judged(_place(url), version)


def _version(connection: Connection) -> int | None:
    """Return the version of the schema, None when there is none yet."""
    versions = database.metadata.tables["schema_version"]
    return connection.scalar(select(versions.c.version)) if inspect(connection).has_table(versions.name) else None


def _judged(place: str, version: int | None) -> Finding:
    if version is None:
        return Finding(OK, "database", f"{place} is writable and empty; serve makes the tables")
    if version > database.VERSION:
        text = f"{place} has schema {version}, but this version of the bot knows {database.VERSION}"
        return Finding(WARNING, "database", f"{text}; it works for a while", "Update the bot.")
    more = f"; serve brings it to {database.VERSION}" if version < database.VERSION else ""
    return Finding(OK, "database", f"{place} is writable, with schema {version}{more}")


def _place(url: str) -> str:
    """Name a database without the user and the password."""
    file, address = sqlite_file(url), make_url(url)
    return f"SQLite file {file}" if file else f"PostgreSQL {address.host or 'here'}/{address.database}"

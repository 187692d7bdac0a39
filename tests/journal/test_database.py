"""Connecting to the journal: what DATABASE_URL may say, databases that do not fit, and processes that freeze."""

from __future__ import annotations

import re
import shutil
import signal
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, make_url, text

from bot.journal import tables
from bot.journal.accepting import Accepted
from bot.journal.database import Database, connect
from bot.journal.errors import JournalError
from bot.journal.journal import Journal
from bot.model.job import Job, Step
from bot.model.names import ParentId
from tests.support.program import Piped
from tests.support.served import inherited

ROOT = Path(__file__).parents[2]


@pytest.fixture
def new_database(postgres: Any) -> Callable[..., str]:
    """Return a function that makes a database on PostgreSQL, with options in SQL, and returns its address."""

    def _make(options: str = "") -> str:
        name = f"test_{uuid.uuid4().hex}"
        postgres.psql(f"CREATE DATABASE {name} {options};")
        return str(postgres.get_uri(name))

    return _make


@pytest.fixture
def connected() -> Iterator[Callable[[str], Engine]]:
    """Return a function that makes an engine, which is disposed of afterwards."""
    engines: list[Engine] = []

    def _connect(url: str) -> Engine:
        engines.append(connect(url))
        return engines[-1]

    yield _connect
    for engine in engines:
        engine.dispose()


def job(name: str) -> Job:
    """Return a new job of one group."""
    return Job("U1", "C1", uuid.uuid4().hex, name, [Step(0, name, ParentId("5"))], "https://hooks.slack.test/1")


def test_options_in_the_address(new_database: Callable[..., str], connected: Callable[[str], Engine]) -> None:
    """`options` in DATABASE_URL are honoured: the tables land in the schema that they name."""
    url = new_database()
    with connected(url).begin() as connection:
        connection.execute(text("CREATE SCHEMA bot"))
    engine = connected(f"{url}&options=-csearch_path%3Dbot")
    tables.migrate(engine)
    with engine.begin() as connection:
        found = connection.scalars(text("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'jobs'")).all()
    assert found == ["bot"]


def test_the_limits_hold_in_each_transaction(
    new_database: Callable[..., str], connected: Callable[[str], Engine]
) -> None:
    """Also in the second one on a connection, and none stays behind for another client of the same session."""
    url = new_database()
    with connected(url).begin() as connection:
        connection.execute(text(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off"))
    engine = connected(url)
    for _ in range(2):
        with engine.begin() as connection:
            assert connection.scalar(text("SHOW statement_timeout")) == "5s"
            assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "3s"
            assert connection.scalar(text("SHOW synchronous_commit")) == "on"
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        assert driver.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert driver.execute("SHOW synchronous_commit").fetchone() == ("off",)


def test_no_text_of_the_driver_is_told(new_database: Callable[..., str], connected: Callable[[str], Engine]) -> None:
    """PostgreSQL writes the whole row into the text of some errors, with its response_url."""
    url = new_database()
    journal = Journal(url)
    journal.open()
    with connected(url).begin() as connection:
        connection.execute(text("ALTER TABLE jobs ADD CHECK (typed <> 'bad')"))
    with pytest.raises(JournalError) as raised:
        journal.accept(job("bad"))
    told = "".join(traceback.format_exception(raised.value))
    assert "CheckViolation: 23514" in told
    assert "hooks.slack.test" not in told
    journal.close()


@pytest.mark.parametrize("encoding", ["LATIN5", "SQL_ASCII", "LATIN1"])
def test_an_encoding_that_cannot_hold_every_name(new_database: Callable[..., str], encoding: str) -> None:
    """Such a database is refused at the start, with the way to make another."""
    url = new_database(f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    journal = Journal(url)
    with pytest.raises(JournalError, match=f"encoding {encoding}.*CREATE DATABASE name ENCODING 'UTF8'"):
        journal.open()
    journal.close()


@pytest.mark.parametrize("damage", ["delete", "replace"])
def test_a_sqlite_file_that_is_not_the_same_any_more(tmp_path: Path, damage: str) -> None:
    """A journal whose file was deleted or replaced accepts nothing, says so, and makes no new file in its place."""
    file = tmp_path / "journal.db"
    journal = Journal(f"sqlite:///{file}")
    journal.open()
    assert isinstance(journal.accept(job("A")), Accepted)
    kept = tmp_path / "kept.db"
    if damage == "replace":
        shutil.copy(file, kept)
        kept.replace(file)
    else:
        file.rename(kept)
    for attempt in (journal.ping, lambda: journal.accept(job("B"))):
        with pytest.raises(JournalError, match="deleted or replaced"):
            attempt()
    assert file.exists() == (damage == "replace")
    if damage == "delete":
        kept.rename(file)
        assert isinstance(journal.accept(job("C")), Accepted)
    journal.close()


def test_no_new_connection_makes_a_new_file(tmp_path: Path) -> None:
    """A connection that is opened after the file was deleted is refused too."""
    file = tmp_path / "journal.db"
    database = Database(f"sqlite:///{file}")
    database.open()
    event.listen(database._engine, "checkin", lambda _connection, record: record.invalidate())
    file.unlink()
    for begin in (database.writing, database.reading) * 2:
        with pytest.raises(JournalError, match="deleted or replaced"), begin():
            pytest.fail("began")
    assert not file.exists()
    database.close()


FREEZE = """
import signal, sys
from bot.journal import tables
from bot.journal.database import connect
engine = connect(sys.argv[1])
with engine.begin() as connection:
    tables.lock(connection)
    print("locked", flush=True)
    signal.pause()
"""


def test_a_frozen_process_does_not_stop_the_others(new_database: Callable[..., str]) -> None:
    """One that was stopped while it held the lock of all loses it; the others accept again within seconds."""
    url = new_database()
    journal = Journal(url)
    journal.open()
    with Piped(FREEZE, url, env=inherited()) as frozen:
        assert frozen.stdout.readline() == "locked\n"
        frozen.send_signal(signal.SIGSTOP)
        with pytest.raises(JournalError):
            journal.accept(job("A"))
        assert accepted_within(journal, 5)
    journal.close()


def accepted_within(journal: Journal, seconds: float) -> bool:
    """Try to accept commands until one is accepted, or the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            return isinstance(journal.accept(job("B")), Accepted)
        except JournalError:
            continue
    return False


def test_the_name_of_a_driver_is_not_needed(
    new_database: Callable[..., str], connected: Callable[[str], Engine]
) -> None:
    """`postgres://`, as Heroku writes it, `postgresql://` and the driver's own name are one."""
    url = new_database()
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        with connected(re.sub("^postgresql", scheme, url)).begin() as connection:
            assert connection.scalar(text("SELECT 1")) == 1

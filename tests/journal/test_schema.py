"""Opening a journal: its tables, made once, and the versions of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, text

from bot.journal import tables
from tests.support.journal import (
    CREATED,
    Open,
    accepted,
    at_once,
    process,
    reread,
    run_together,
    sent,
    typed,
)


def test_many_open_an_empty_database_at_once(database_url: str, engine: Engine) -> None:
    """Real processes make the tables together, and each can write."""
    script = "journal.open(); journal.keep(); print('ready')"
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: process(database_url, script), range(4)))
    assert run_together(started) == ["ready\n"] * 4
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM schema_version")) == 1


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the code be a version further, by a migration that adds a column; returns one entry each time it runs."""
    ran: list[str] = []

    def _add(connection: Connection) -> None:
        ran.append("added")
        connection.execute(text("ALTER TABLE jobs ADD COLUMN note TEXT"))

    monkeypatch.setattr(tables, "MIGRATIONS", (*tables.MIGRATIONS, _add))
    monkeypatch.setattr(tables, "VERSION", tables.VERSION + 1)
    return ran


def test_a_migration_runs_once_and_keeps_what_is_there(
    database_url: str, engine: Engine, request: pytest.FixtureRequest, open_journal: Open
) -> None:
    """Several processes of the next version open an old database at once; a process of the old one goes on beside."""
    old = open_journal()
    job = typed()
    accepted(old, job)
    ran = request.getfixturevalue("next_version")
    at_once(*[open_journal] * 4)
    assert ran == ["added"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, note FROM jobs")).all() == [(job.id, None)]
    assert reread(old, job).id == job.id


def test_a_new_database_needs_no_migration(open_journal: Open, next_version: list[str]) -> None:
    """It has the last version's tables from the start."""
    accepted(open_journal(), typed())
    assert not next_version


def test_a_newer_schema_is_left_alone(open_journal: Open, engine: Engine) -> None:
    """An old process that starts beside new ones changes nothing, and works."""
    open_journal()
    with engine.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version = 99"))
    sent(open_journal(), typed(), CREATED)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version FROM schema_version")) == 99

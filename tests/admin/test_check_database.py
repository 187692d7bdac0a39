"""The self-check of the database: broken for real, and what it says then."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select

from bot.journal import connections, database
from tests.support.check import Checked


def journal(url: str) -> None:
    """Make a journal with its tables."""
    engine = connections.connect(url)
    database.migrate(engine)
    engine.dispose()


@contextlib.contextmanager
def changed(url: str) -> Iterator[Callable[[str], object]]:
    """Change a database in SQL."""
    engine = connections.connect(url)
    with engine.begin() as connection:
        yield connection.exec_driver_sql
    engine.dispose()


def test_no_tables_are_made(environ: dict[str, str], database_url: str) -> None:
    """An empty database is ok, and empty afterwards; one with tables is ok, and has no more rows afterwards."""
    if database_url.startswith("sqlite"):
        Path(database_url.removeprefix("sqlite:///")).touch()
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert "serve makes the tables" in checked.lines["database"].text
    engine = connections.connect(database_url)
    assert inspect(engine).get_table_names() == []
    journal(database_url)
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert f"with schema {database.VERSION}" in checked.lines["database"].text
    with engine.connect() as connection:
        assert connection.execute(select(database.processes)).all() == []
    engine.dispose()


def test_a_newer_schema(environ: dict[str, str], database_url: str) -> None:
    """A warning: the journal only ever grows, so an older bot works with it for a while."""
    journal(database_url)
    with changed(database_url) as sql:
        sql("UPDATE schema_version SET version = 99")
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert (checked.status, checked.states("database")) == (0, ["warning"])
    assert "99" in checked.lines["database"].text
    assert "Update" in checked.lines["database"].remedy


def test_an_older_schema(environ: dict[str, str], database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ok, and said that serve will bring it up to date."""
    journal(database_url)
    monkeypatch.setattr(database, "VERSION", 7)
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert checked.states("database") == ["ok"]
    assert "serve brings it to 7" in checked.lines["database"].text


def test_tables_of_somebody_else(environ: dict[str, str], database_url: str) -> None:
    """A table of the same name that another program made does not pass for the journal's."""
    with changed(database_url) as sql:
        sql("CREATE TABLE jobs (id TEXT PRIMARY KEY)")
    assert Checked({**environ, "DATABASE_URL": database_url}).wrong == ["database"]


def test_a_database_that_cannot_be_reached(environ: dict[str, str], refusing: str) -> None:
    """The reason, the host and the database, but neither user nor password."""
    address = refusing.removeprefix("http://")
    checked = Checked({**environ, "DATABASE_URL": f"postgres://somebody:hidden@{address}/journal"})
    assert (checked.status, checked.wrong) == (1, ["database"])
    line = checked.lines["database"]
    assert line.text.startswith("PostgreSQL 127.0.0.1/journal: ")
    assert "refused" in line.text
    assert "DATABASE_URL" in line.remedy
    assert "hidden" not in checked.printed


def test_a_postgresql_that_may_only_be_read(environ: dict[str, str], postgres: Any) -> None:
    """A standby, or a user without rights, is found by writing."""
    postgres.psql("CREATE DATABASE standby;")
    url = str(postgres.get_uri("standby"))
    journal(url)
    postgres.psql("ALTER DATABASE standby SET default_transaction_read_only = on;")
    checked = Checked({**environ, "DATABASE_URL": url})
    assert checked.wrong == ["database"]
    assert "read-only" in checked.lines["database"].text


def test_a_sqlite_file_where_none_can_be(environ: dict[str, str], tmp_path: Path) -> None:
    """A folder that is missing, one in which nothing can be written, and a file that is no database."""
    (tmp_path / "text.db").write_text("Dear diary, this is not a database. " * 100)
    places = {f"{tmp_path}/none/x.db": "No such file", "/proc/x.db": "/proc", f"{tmp_path}/text.db": "not a database"}
    for path, told in places.items():
        checked = Checked({**environ, "DATABASE_URL": f"sqlite:///{path}"})
        assert checked.wrong == ["database"]
        assert told in checked.lines["database"].text
        assert "Let the bot's user write in" in checked.lines["database"].remedy


def test_a_driver_that_is_not_installed(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg, PostgreSQL is out of reach, and the remedy is to install it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    checked = Checked({**environ, "DATABASE_URL": "postgres://bot@127.0.0.1/journal"})
    assert checked.wrong == ["database"]
    assert "pip install" in checked.lines["database"].remedy


def test_sqlite_on_a_disk_that_does_not_last(environ: dict[str, str]) -> None:
    """On a Heroku dyno a file is lost every day: a warning."""
    checked = Checked({**environ, "DYNO": "web.1"})
    assert (checked.status, checked.states("disk", "database")) == (0, ["warning", "ok"])


def test_a_database_of_another_encoding(environ: dict[str, str], postgres: Any) -> None:
    """One that cannot hold every name is wrong, and the remedy is another one."""
    postgres.psql("CREATE DATABASE latin5 ENCODING 'LATIN5' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0;")
    checked = Checked({**environ, "DATABASE_URL": str(postgres.get_uri("latin5"))})
    assert checked.wrong == ["database"]
    assert "encoding LATIN5" in checked.lines["database"].text
    assert "UTF-8" in checked.lines["database"].remedy


@pytest.mark.parametrize("password", ["qzx@wvj", "5432/qzx@wvj"])
def test_a_password_that_is_not_encoded(environ: dict[str, str], refusing: str, password: str) -> None:
    """No part of it is shown, and the remedy says how to write it."""
    address = refusing.removeprefix("http://")
    checked = Checked({**environ, "DATABASE_URL": f"postgres://bot:{password}@{address}/journal"})
    assert checked.wrong == ["settings"]
    assert checked.states("database") == ["skipped"]
    assert "@ as %40" in checked.lines["settings"].remedy
    assert not re.search("qzx|wvj", checked.printed)

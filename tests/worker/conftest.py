"""A worker that takes up what a dead process left, on a database that may go away."""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bot.log import logger
from bot.sandbox.bot import Bot
from bot.worker import create_groups, worker
from tests.support.tree import Watched
from tests.support.worker import CALL, Logged, Outage, Past, Start, locked
from tests.support.workspace import Workspace


@pytest.fixture
def api() -> Iterator[Watched]:
    with Watched() as stand_in:
        stand_in.add("Customers", identifier="5")
        yield stand_in
        stand_in.let_all()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait long before it is tried again."""
    monkeypatch.setattr(worker, "LONGEST_WAIT", 0.05)


@pytest.fixture
def outage(database_url: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Outage:
    """Let the database be away for the length of a `with`: the file is locked, or the server lets nobody in."""
    monkeypatch.setattr("bot.journal.database.PATIENCE", 0.2)
    address = make_url(database_url)
    if address.get_backend_name() == "sqlite":
        return lambda: locked(Path(address.database or ""))
    name, psql = address.database, request.getfixturevalue("postgres").psql

    @contextlib.contextmanager
    def _outage() -> Iterator[None]:
        psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false;")
        psql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}';")  # noqa: S608  # our own
        try:
            yield
        finally:
            psql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true;")

    return _outage


@pytest.fixture
def past(database_url: str, workspace: Workspace) -> Iterator[Past]:
    past = Past(database_url, workspace)
    yield past
    past.die()


@pytest.fixture
def go_on(past: Past, start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Let the process of the past die, and start a bot in its place: later than any call that it had begun ends."""
    monkeypatch.setattr(create_groups, "LOOK_UP_AFTER", 0.05 - CALL)

    def _go_on(**environ: str) -> Bot:
        past.die()
        return start(DATABASE_URL=database_url, **environ)

    return _go_on


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Logged:
    caplog.set_level(logging.INFO, logger.name)
    return Logged(caplog)

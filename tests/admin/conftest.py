"""What the tests of the self-check and of the history share."""

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.admin.history import run
from bot.journal.journal import Journal
from bot.sandbox.bot import variables
from bot.sandbox.workspace import Workspace
from tests.support.history import Print
from tests.support.provider import Api
from tests.support.served import free_port


@pytest.fixture
def environ(workspace: Workspace, api: Api, tmp_path: Path) -> dict[str, str]:
    """Return variables with which all is well, in HTTP mode."""
    database_url = f"sqlite:///{tmp_path}/journal.db"
    more = {"ILETIMERKEZI_TIMEOUT": "1", "DATABASE_URL": database_url, "PORT": str(free_port())}
    return {**variables(workspace, api), **more}


@pytest.fixture
def book(database_url: str) -> Iterator[Journal]:
    """Return an open journal."""
    opened = Journal(database_url)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def printed(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Print:
    """Return a function that runs `history` with some options: exit status, what it printed, what it complained of."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    capsys.readouterr()

    def _printed(**options: Any) -> tuple[int, str, str]:
        none = {"since": None, "user": None, "json": False, "forget_before": None, "limit": 50}
        status = run(Namespace(**{**none, **options}))
        return status, *capsys.readouterr()

    return _printed

"""Journals that are not this version's, and copies that are only looked at, from outside."""

import contextlib
import hashlib
import os
import sqlite3
from pathlib import Path

from bot.sandbox.api import Api
from bot.sandbox.bot import variables
from tests.support.check import Checked
from tests.support.program import run_to_end
from tests.support.served import Served, free_port, inherited
from tests.support.workspace import Workspace

ROOT = Path(__file__).parents[2]


def test_a_journal_of_another_version(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """A table lacks a column or is none: the start ends with 2 and a sentence, `check` says WRONG, nothing changes."""
    for change in ("ALTER TABLE jobs DROP COLUMN follows", "DROP TABLE languages"):
        file = tmp_path / f"{len(change)}.db"
        environ = {**variables(workspace, api), "DATABASE_URL": f"sqlite:///{file}", "PORT": str(free_port())}
        Served(workspace, api, tmp_path, **environ).stop()
        assert file.stat().st_mode & 0o777 == 0o600, "for its owner alone"
        with contextlib.closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(change)
        connection.close()
        before = hashlib.sha256(file.read_bytes()).digest()
        start = run_to_end("serve", env={**inherited(), **environ})
        assert start.returncode == 2, start.stderr
        assert "another version" in start.stderr
        assert "docs/upgrade.md" in start.stderr
        checked = Checked(environ)
        assert checked.wrong == ["database"]
        assert "another version" in checked.lines["database"].text
        assert hashlib.sha256(file.read_bytes()).digest() == before


def test_a_backup_is_only_looked_at(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """In a folder where nobody may write, `history` reads it, and leaves it and the folder as they were."""
    served = Served(workspace, api, tmp_path)
    workspace.command(served.url, "VIP")
    assert workspace.finished()
    folder = tmp_path / "backups"
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(tmp_path / "addgroup.db")) as connection, connection:
        connection.execute("VACUUM INTO ?", [str(folder / "backup.db")])
    connection.close()
    served.stop()
    before = (folder / "backup.db").read_bytes()
    folder.chmod(0o500)
    environ = {**inherited(), "DATABASE_URL": f"sqlite:///{folder}/backup.db"}
    looked = run_to_end("history", "--limit", "1", env=environ)
    folder.chmod(0o700)
    assert (looked.returncode, looked.stderr) == (0, "")
    assert "VIP" in looked.stdout
    assert os.listdir(folder) == ["backup.db"]  # noqa: PTH208  # only their names
    assert (folder / "backup.db").read_bytes() == before

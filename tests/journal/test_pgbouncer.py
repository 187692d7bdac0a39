"""The journal behind a real PgBouncer, in both of its usual modes, with its default settings otherwise."""

import getpass
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.journal import JournalError
from bot.journal.database import CONNECTIONS, Database
from tests.support.provider import Api
from tests.support.served import Served, free_port, listens
from tests.support.until import until
from tests.support.workspace import Workspace, is_answer

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = pytest.mark.skipif(not PGBOUNCER, reason="needs pgbouncer (a package of Debian)")

CONFIGURATION = """\
[databases]
* = host={socket} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = {clients}
"""


@contextmanager
def pgbouncer(postgres: Any, tmp_path: Path, mode: str, size: int, clients: int = 100) -> Iterator[str]:
    """Run PgBouncer before an empty database, and yield its address."""
    name = f"test_{uuid.uuid4().hex}"
    postgres.psql(f"CREATE DATABASE {name};")
    socket_folder = postgres.get_uri().rpartition("host=")[2]
    port = free_port()
    file = tmp_path / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(socket=socket_folder, port=port, mode=mode, size=size, clients=clients))
    owner = Path(socket_folder).owner()
    as_user = ["-u", owner if owner != "root" else "nobody"] if getpass.getuser() == "root" else []
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if as_user and folder.owner() == "root" and folder.stat().st_mode & 0o077 == 0:
            folder.chmod(0o711)
    file.chmod(0o644)
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([str(PGBOUNCER), *as_user, str(file)], stdout=log, stderr=log)  # noqa: S603
    try:
        until(lambda: listens(port) or process.poll() is not None)
        assert process.poll() is None, (tmp_path / "log").read_text()
        yield f"postgres://bot@127.0.0.1:{port}/{name}"
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.parametrize(("mode", "size", "clients"), [("transaction", 1, 5), ("session", 3, 20)])
def test_two_bots_with_too_few_connections(  # the stand-ins, and a row of the table
    postgres: Any, tmp_path: Path, workspace: Workspace, api: Api, mode: str, size: int, clients: int
) -> None:
    """They wait for each other, and for their own connections: every acknowledged command is answered."""

    def send(number: int) -> bool:
        reply = workspace.command(bots[number % 2].url, f"Group {number}", user=f"U{number}", channel=f"C{number}")
        return not reply.text

    with pgbouncer(postgres, tmp_path, mode, size, clients) as url:
        bots = [Served(workspace, api, tmp_path, DATABASE_URL=url, ADDGROUP_LANGUAGE="en") for _ in range(2)]
        with ThreadPoolExecutor(20) as threads:
            acknowledged = sum(threads.map(send, range(40)))
        assert acknowledged
        assert workspace.wait_for(lambda: sum(is_answer(m) for m in workspace.messages) >= acknowledged, 120)
        assert [bot.stop() for bot in bots] == [0, 0]


def test_one_connection_does_for_two(postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the server gives no second one, the second waits for the first to be given back; for so long only."""
    with pgbouncer(postgres, tmp_path, "session", 1) as url, ThreadPoolExecutor() as threads:
        database = Database(url)
        pool: Any = database._engine.pool

        def read() -> bool:
            with database.reading():
                return True

        with database.reading():
            waiting = threads.submit(read)
            until(lambda: pool.overflow() == 2 - CONNECTIONS)  # it asks for a second one
            until(lambda: pool.overflow() == 1 - CONNECTIONS)  # and gets none
        assert waiting.result(20)
        monkeypatch.setattr("bot.journal.database.PATIENCE", 0.0)
        with database.reading(), pytest.raises(JournalError, match="no connection became free"):
            threads.submit(read).result(20)
        database.close()

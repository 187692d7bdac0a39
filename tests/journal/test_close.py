"""What becomes of the database's connections when the journal is closed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.journal import connections


def test_a_connection_that_is_in_use_at_the_close_is_closed_when_it_is_given_back(tmp_path: Path) -> None:
    """Another thread may be at work at that moment; so may one that begins after it."""
    engine = connections.connect(f"sqlite:///{tmp_path}/journal.db")
    with engine.connect() as used:
        driver = used.connection.driver_connection
        connections.dispose(engine)
        used.execute(text("SELECT 1"))
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        driver.execute("SELECT 1")  # type: ignore[union-attr]  # the driver's own connection
    with engine.connect() as late:
        driver = late.connection.driver_connection
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        driver.execute("SELECT 1")  # type: ignore[union-attr]

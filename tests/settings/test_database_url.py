"""DATABASE_URL: what is refused, in a sentence that shows nothing of the password."""

from __future__ import annotations

import pytest

from bot.settings.database_url import fault, passwords


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///addgroup.db",
        "sqlite:////var/lib/a@b@c/addgroup.db",
        "sqlite+pysqlite:///addgroup.db",
        "postgres://u:p@h:5432/d",
        "postgresql+psycopg://u:p%40ss@h/d",
        "postgresql://u:p/a?s#s:w@h/d?sslmode=require&options=-csearch_path%3Dbot",
        "postgresql:///d?host=/var/run/postgresql",
        "postgresql://u:p@/d?host=a:1&host=b:2&target_session_attrs=read-write",
        "postgres://u:p@[::1]/d?connect_timeout=5&application_name=bot",
    ],
)
def test_addresses(url: str) -> None:
    """SQLite files and PostgreSQL, with what its own library understands."""
    assert fault(url) == ""


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file::memory:?uri=true"])
def test_journal_in_memory(url: str) -> None:
    """A journal that would be gone after a restart is refused."""
    assert fault(url).startswith("DATABASE_URL must name a file")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("addgroup.db", "must be an address such as sqlite:///addgroup.db or postgres://"),
        ("mysql://u:hidden@h/d", "The bot keeps its journal in no other database."),
        ("http://u:hidden@h/d", "The bot keeps its journal in no other database."),
        ("://u:hidden@h", "must be an address such as"),
        ("postgres://u:p@h:port/d", "must be an address such as"),
        ("postgres://[::1/d", "must be an address such as"),
        ("postgresql+asyncpg://u:hidden@h/d", "Begin the address with postgresql:// alone."),
        ("postgresql+psycopg2://u:hidden@h/d", "Begin the address with postgresql:// alone."),
        ("sqlite+aiosqlite:///x.db", "Begin the address with sqlite:// alone."),
        ("sqlite://addgroup.db", "three slashes"),
        ("sqlite:///x.db?mode=ro", "takes no parameters"),
        ("postgres://u:p@hid:den@h/d", "@ as %40"),
        ("postgres://u:p@hidden@h/d", "@ as %40"),
        ("postgres://u:p@5432/hidden@h/d", "@ as %40"),
        ("postgres://us/er:hidden@h/d", "@ as %40"),
        ("postgres://u:p@h/d?pgbouncer=true", "does not know: 'pgbouncer'"),
        ("postgres://u:p@h/d?prepare_threshold=0&sslmod=require", "does not know: 'prepare_threshold', 'sslmod'"),
        ("postgres://u:p@h/d?sslmode=yes", "wrong value for: sslmode"),
        ("postgres://u:p@h/d?connect_timeout=2s", "wrong value for: connect_timeout"),
        ("postgres://u:p@h/d?sslmode=require&sslmode=disable", "wrong value for: sslmode"),
    ],
)
def test_what_is_refused(url: str, told: str) -> None:
    """The sentence says what is wrong and how to write it; neither the address nor a part of it is shown."""
    sentence = fault(url)
    assert sentence.startswith("DATABASE_URL ")
    assert told in sentence
    assert sentence.endswith(".")
    assert "hid" not in sentence
    assert "den" not in sentence


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///addgroup.db", set()),
        ("postgres://u@h/d", set()),
        ("postgres://u:p%40ss@h/d", {"p%40ss", "p@ss"}),
        ("postgres://h/d?user=u&password=p%40ss", {"p%40ss", "p@ss"}),
        ("postgres://u:p@5432/ss@h/d", {"p@5432/ss", "p"}),
    ],
)
def test_passwords(url: str, expected: set[str]) -> None:
    """The passwords of an address, as written and as meant, also of one that is wrong."""
    assert set(passwords(url)) == expected

"""What is wrong with an address of a database, in words that show nothing of its password.

SQLAlchemy is imported where an address is read: that takes longer than all else that `--help` or the console need.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL

EXAMPLES = "sqlite:///addgroup.db or postgres://user:password@host/name"

_DRIVERS = {"sqlite": ("", "pysqlite"), "postgres": ("", "psycopg"), "postgresql": ("", "psycopg")}
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_WHOLE = re.compile("port|connect_timeout|tcp_user_timeout|keepalives.*")

_ENCODE = (
    "In the user and the password, write what is neither a letter nor a digit as its percent code: "
    "@ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25."
)


def fault(url: str) -> str:
    """Return what is wrong with DATABASE_URL as one or two sentences, "" when nothing is."""
    address = _parsed(url)
    if address is None:
        return f"DATABASE_URL must be an address such as {EXAMPLES}. {_ENCODE}"
    kind, _, driver = address.drivername.partition("+")
    if kind not in _DRIVERS:
        return f"DATABASE_URL must be an address such as {EXAMPLES}. The bot keeps its journal in no other database."
    if driver not in _DRIVERS[kind]:
        return f"DATABASE_URL asks for a driver that the bot does not use. Begin the address with {kind}:// alone."
    return _of_sqlite(address) if kind == "sqlite" else _of_postgresql(url, address)


def _of_sqlite(address: URL) -> str:
    if address.query and ":memory:" not in (address.database or ""):
        return "DATABASE_URL of a SQLite file takes no parameters. Remove what follows the question mark."
    if address.host or address.username:
        return "DATABASE_URL needs three slashes before a SQLite file here (sqlite:///addgroup.db), four before a path."
    if not address.database or ":memory:" in address.database:
        return "DATABASE_URL must name a file: a journal in memory would be lost, and commands with it."
    return ""


def _of_postgresql(url: str, address: URL) -> str:
    if url.count("@") > 1 or "@" in f"{address.host}{address.database}":
        return f"DATABASE_URL has an @ too many. {_ENCODE}"
    unknown = sorted(address.query.keys() - _parameters()) if _parameters() else []
    if unknown:
        return (
            f"DATABASE_URL has parameters that PostgreSQL's library does not know: {', '.join(map(ascii, unknown))}. "
            "Remove them, or correct their names."
        )
    wrong = [name for name, value in address.query.items() if not _valid(name, value)]
    if wrong:
        return (
            f"DATABASE_URL has a wrong value for: {', '.join(wrong)}. "
            f"sslmode is one of {', '.join(_SSL_MODES)}; times and ports are whole numbers."
        )
    return ""


def _valid(name: str, value: str | tuple[str, ...]) -> bool:
    if isinstance(value, tuple):  # the same name more than once: several servers
        return name in ("host", "port")
    if name == "sslmode":
        return value in _SSL_MODES
    return not _WHOLE.fullmatch(name) or all(part.isdecimal() for part in value.split(","))


@cache
def _parameters() -> frozenset[str]:
    """Return the parameters that libpq knows; none without psycopg, whose absence is told when it connects."""
    try:
        from psycopg.pq import Conninfo
    except ImportError:
        return frozenset()
    return frozenset(option.keyword.decode() for option in Conninfo.get_defaults())


def passwords(url: str) -> tuple[str, ...]:
    """Return the passwords in an address, as they are written there and as they are meant; none may be shown."""
    written = re.findall(r"(?s)://[^/]*?:(.*)@", url) + re.findall(r"[?&]password=([^&]*)", url)
    return tuple({*written, *_meant(url)} - {""})


def _meant(url: str) -> set[str]:
    address = _parsed(url)
    return {str(secret) for secret in (address.password, address.query.get("password")) if secret} if address else set()


def _parsed(url: str) -> URL | None:
    """Return an address in its parts, None for what is none."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        return None

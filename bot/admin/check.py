"""The self-check: looks at every part, prints each finding as soon as it is known, and says how to fix it.

What is here is on this machine: the settings, the database and the ports. Slack and the provider are in
`check_services`.
"""

from __future__ import annotations

import http.client
import re
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TextIO

from sqlalchemy import insert, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from bot import network, settings
from bot.admin import check_services as services
from bot.admin.check_services import OK, SKIPPED, WARNING, WRONG, Finding, hidden, shown
from bot.front.http import HEALTH, METRICS
from bot.journal import tables
from bot.journal.database import CONNECTIONS, connect, sqlite_file
from bot.journal.errors import WrongJournal
from bot.settings import Settings, SettingsError, passwords

PATIENCE = 8.0
"""How long the database may take to answer, in seconds: one whose connections are all in use says nothing at all."""

_ADDRESSES = ("SLACK_API_URL", "ILETIMERKEZI_API_URL")
_DATABASE = ("DATABASE_URL",)
_PORTS = ("HOST", "PORT", "METRICS_PORT")


def run(environ: Mapping[str, str], out: TextIO) -> int:
    """Check every part, write a line on each to `out` as soon as it is known, and on the next line how to fix it.

    `environ` are the variables to check. Nothing is created or changed anywhere, and nothing secret is written.
    Returns 0 when nothing is WRONG, else 1.
    """
    wrong = 0
    secrets = settings.secrets_in(environ)
    for finding in _findings(environ):
        wrong += finding.state == WRONG
        out.write(f"{finding.state:8} {finding.part}: {hidden(finding.text, secrets)}\n")
        if finding.remedy:
            out.write(f"{'':8} -> {hidden(finding.remedy, secrets)}\n")
        out.flush()
    out.write(f"\n{wrong} WRONG: the bot will not work as it should.\n" if wrong else "\nNothing is wrong.\n")
    return int(wrong > 0)


def _findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    yield from _settings(environ)
    for look, names, part in (*services.PARTS, (_database, _DATABASE, "database"), (_ports, _PORTS, "ports")):
        chosen = _chosen_from(environ, names)
        yield from (
            look(chosen)
            if chosen and not _way_problems(chosen, names)
            else [Finding(SKIPPED, part, "its settings are missing or wrong")]
        )


def _settings(environ: Mapping[str, str]) -> Iterator[Finding]:
    chosen, problems = None, []
    try:
        chosen = settings.read(environ)
    except SettingsError as error:
        problems = error.problems
    if called := chosen or _chosen_from(environ, _ADDRESSES):
        problems += _way_problems(called, _ADDRESSES)
    for problem in problems:
        text, _, remedy = problem.partition(". ")
        yield Finding(WRONG, "settings", text, remedy or "Correct it in the environment or in the file .env here.")
    if chosen and not problems:
        yield Finding(OK, "settings", "all that serve needs is set")
    if chosen and sqlite_file(chosen.database_url) and environ.get("DYNO"):
        remedy = "Set DATABASE_URL to a PostgreSQL, as Heroku's add-on does by itself."
        yield Finding(WARNING, "disk", "this is a Heroku dyno: its disk, and the SQLite file, is lost daily", remedy)
    for name, nearest in settings.unknown(environ).items():
        if not nearest.startswith(settings.RESTRICTIONS):  # those are problems already
            remedy = f"Do you mean {nearest}? Correct the name." if nearest else "The bot does not read it: remove it."
            yield Finding(WARNING, "settings", f"{name} is not a variable of this bot", remedy)


def _chosen_from(environ: Mapping[str, str], names: tuple[str, ...]) -> Settings | None:
    """Return settings from these variables alone, whatever is wrong with others; None when one of these is wrong.

    A secret may come from a file.
    """
    wanted = {*names, *(f"{name}_FILE" for name in names)}
    api = "ILETIMERKEZI_API_KEY" in names
    try:
        return settings.read({name: environ[name] for name in wanted & environ.keys()}, slack=False, api=api)
    except SettingsError:
        return None


def _way_problems(chosen: Settings, names: tuple[str, ...]) -> list[str]:
    """Return what is wrong with the proxies and authorities for those of the addresses that are among the names."""
    urls = {"SLACK_API_URL": chosen.slack_api_url, "ILETIMERKEZI_API_URL": chosen.api_url}
    called = [url for name, url in urls.items() if name in names]
    return network.problems(*called) if called else []


def _database(chosen: Settings) -> Iterator[Finding]:
    """Try the journal without leaving a trace, within PATIENCE.

    Only `serve` makes tables: a file that the check made would belong to the user who ran the check, and a newer
    version's check would change tables under an older version that is still running.
    """
    place, found = _place(chosen.database_url), list[Finding]()
    look = threading.Thread(target=lambda: found.append(_journal(chosen.database_url, place)), daemon=True)
    look.start()
    look.join(PATIENCE)
    yield found[0] if found else _unusable(place, f"no connection became free within {PATIENCE:.0f} seconds")


def _unusable(place: str, reason: str) -> Finding:
    remedy = next(remedy for said, remedy in services.remedies("database").items() if re.search(said, reason))
    return Finding(WRONG, "database", f"{place}: {reason}", remedy.format(connections=CONNECTIONS))


def _journal(url: str, place: str) -> Finding:
    """Try a journal; one in a SQLite file that is not there yet, in a folder of its own beside it."""
    file = sqlite_file(url)
    try:
        if not file or file.exists():
            return _judged(place, _tried(url))
        with tempfile.TemporaryDirectory(prefix=".addgroup-check-", dir=file.parent) as folder:
            _tried(f"sqlite:///{folder}/journal.db")
        return Finding(OK, "database", f"{file} is not there yet; serve makes it, and can")
    except WrongJournal as error:
        return Finding(WRONG, "database", f"{place}: the journal is of another version", f"{error}")
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = shown(str(getattr(error, "orig", None) or error), *passwords(url))
    if file:
        remedy = f"Let the bot's user write in {file.parent}, on a local disk, or set DATABASE_URL to another file."
        return Finding(WRONG, "database", f"{place}: {reason}", remedy)
    return _unusable(place, reason)


def _tried(url: str) -> int | None:
    """Return the version of the schema, None when there is none yet, after writing nothing. Raises SQLAlchemyError."""
    engine = connect(url)
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            version = tables.version_of(connection)
            tables.migrate(connection)
            for table in tables.metadata.sorted_tables:
                nothing = select(table).limit(0)  # but the right to write it, and the names of its columns
                connection.execute(insert(table).from_select(table.columns.keys(), nothing))
            transaction.rollback()
    finally:
        engine.dispose()
    return version


def _judged(place: str, version: int | None) -> Finding:
    if version is None:
        return Finding(OK, "database", f"{place} is writable and empty; serve makes the tables")
    if version > tables.VERSION:
        text = f"{place} has schema {version}, but this version of the bot knows {tables.VERSION}"
        return Finding(WARNING, "database", f"{text}; it works for a while", "Update the bot.")
    more = f"; serve brings it to {tables.VERSION}" if version < tables.VERSION else ""
    return Finding(OK, "database", f"{place} is writable, with schema {version}{more}")


def _place(url: str) -> str:
    """Name a database without the user and the password."""
    file, address = sqlite_file(url), make_url(url)
    return f"SQLite file {file}" if file else f"PostgreSQL {address.host or 'here'}/{address.database}"


def _ports(chosen: Settings) -> Iterator[Finding]:
    """Try to take each port, without listening there."""
    yield _port("PORT", chosen.host, chosen.port, HEALTH, "ok")
    if chosen.metrics_port:
        yield _port("METRICS_PORT", chosen.host, chosen.metrics_port, METRICS, "addgroup_")
    else:
        yield Finding(SKIPPED, "METRICS_PORT", "is not set, so there are no metrics")


def _port(name: str, host: str, port: int, page: str, sign: str) -> Finding:
    """Try a port; `sign` is what the `page` of a bot that runs well holds."""
    try:
        found, *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, _, _, address = found
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        said = _said(host, port, page)
        if said.startswith("failing: "):
            remedy = "docs/night.md says what to do about each part."
            return Finding(WRONG, name, f"the bot that runs there says: {said}", remedy)
        if sign in said:
            return Finding(OK, name, f"{port} is in use by a bot that runs; a second one needs another")
        remedy = f"Set {name} to another port, or HOST to an address of this machine, or stop what is using the port."
        return Finding(WRONG, name, f"cannot listen at {host}:{port}: {error.strerror}", remedy)
    return Finding(OK, name, f"{port} is free")


def _said(host: str, port: int, page: str) -> str:
    """Return how what listens at the port answers, "" if it does not."""
    at = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # to call it, not to listen there
    try:
        with closing(http.client.HTTPConnection(at, port, timeout=3)) as connection:
            connection.request("GET", page)
            return connection.getresponse().read(64 * 1024).decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""

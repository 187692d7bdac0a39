"""The self-check: takes each part that the bot rests on in turn, and says what is wrong and what mends it."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TextIO

from slack_sdk.web import SlackResponse
from sqlalchemy import Connection, insert, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from bot import database, settings
from bot.app import web_client
from bot.history import sqlite_file
from bot.iletimerkezi import ApiError, Client, NotSent, Rejected
from bot.settings import Settings, SettingsError
from bot.slack.calls import SlackRefused, TryLater, called

OK, WRONG, WARNING, SKIPPED = "ok", "WRONG", "warning", "skipped"

SCOPES = {
    "commands": "offering /addgroup",
    "chat:write": "posting who asked for what, and the answer",
    "chat:write.public": "posting in public channels to which nobody invited the bot",
    "users:read": "knowing who somebody is and which language they read",
    "usergroups:read": "knowing who is in the user groups of ADDGROUP_MEMBERS",
}
"""What each of the manifest's scopes is needed for."""

SKEW = 300.0
"""How far apart Slack's clock and the machine's may be, in seconds: an older request counts as replayed.
Source: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

NO_PARENT = "-1"
"""The id of no group, so that a group asked for under it cannot be made."""

_SLACK = ("SLACK_BOT_TOKEN", "SLACK_API_URL")
_SOCKET = ("SLACK_APP_TOKEN", "SLACK_API_URL")
_API = tuple(f"ILETIMERKEZI_{name}" for name in ("API_KEY", "API_HASH", "API_SECRET", "API_URL", "TIMEOUT"))

_IN_SLACK = "At https://api.slack.com/apps, in the settings of your app, "
_BAD_TOKEN = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"}
_BAD_TOKEN |= {"not_allowed_token_type", "no_permission", "access_denied", "forbidden_team"}
_NO_SLACK = "Let this machine call SLACK_API_URL over HTTPS (firewall, HTTPS_PROXY), or see https://slack-status.com."

_REPRESENTATIVE = "Ask your iletiMerkezi customer representative to switch {} on for the account."
_API_REMEDIES: dict[int | str, str] = {
    401: "(1) In the panel, Settings > Security > Access Permissions, switch 'Allow API access' on: the commonest "
    "cause. (2) Copy the API key and the hash anew from Settings > Security > API Access, both from there. "
    "(3) If the account has a fixed IP address, call from it.",
    402: "Top up the account's balance.",
    404: "Set ILETIMERKEZI_API_URL to the API's address, or remove it to use the default.",
    503: "The provider is out of service for the moment: try again later.",
    "tls": "Mend the certificate at ILETIMERKEZI_API_URL, or this machine's own certificates and clock.",
    "proxy": "Mend the proxy that HTTPS_PROXY names, or remove it.",
    "timeout": "Try again later, or raise ILETIMERKEZI_TIMEOUT.",
    "server_error": "The provider fails itself: try again later, and if it stays so, ask its support.",
    "not sent": "Set ILETIMERKEZI_API_URL right, and let this machine call it over HTTPS (firewall, HTTPS_PROXY).",
    "other": "See that ILETIMERKEZI_API_URL is the API's address and nothing else answers there; "
    "then ask the provider's support, with the code.",
}


@dataclass(frozen=True)
class Finding:
    """What was found of one part: its state (ok, WRONG, warning or skipped), in words, and what mends it."""

    state: str
    part: str
    text: str
    remedy: str = ""


def run(environ: Mapping[str, str], out: TextIO) -> int:
    """Check every part, write a line on each to `out` as soon as it is known, and what mends it on the next line.

    `environ` are the variables to check. Nothing is created or changed anywhere, and nothing secret is written.
    Returns 0 when nothing is WRONG, else 1.
    """
    wrong = 0
    for finding in _findings(environ):
        wrong += finding.state == WRONG
        out.write(f"{finding.state:8} {finding.part}: {finding.text}\n")
        if finding.remedy:
            out.write(f"{'':8} -> {finding.remedy}\n")
        out.flush()
    out.write(f"\n{wrong} WRONG: the bot will not work as it should.\n" if wrong else "\nNothing is wrong.\n")
    return int(wrong > 0)


def _findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    for part in (_settings, _slack, _socket_mode, _signing_secret, _api, _database):
        yield from part(environ)


def _settings(environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        settings.read(environ)
    except SettingsError as error:
        for problem in error.problems:
            text, _, remedy = problem.partition(". ")
            yield Finding(WRONG, "settings", text, remedy or "Mend it in the environment or in the file .env here.")
    else:
        yield Finding(OK, "settings", "all that serve needs is set")


def _chosen(environ: Mapping[str, str], names: tuple[str, ...], *, api: bool = False) -> Settings | None:
    """Return settings from these variables alone, whatever is wrong with others; None when one of these is wrong."""
    try:
        return settings.read({name: environ[name] for name in names if name in environ}, slack=False, api=api)
    except SettingsError:
        return None


def _skipped(why: str, *parts: str) -> Iterator[Finding]:
    return (Finding(SKIPPED, part, why) for part in parts)


# Slack.


def _slack(environ: Mapping[str, str]) -> Iterator[Finding]:
    chosen = _chosen(environ, _SLACK)
    if chosen is None or not chosen.slack_bot_token:
        yield from _skipped("its settings are missing or wrong", "Slack token", "scopes", "clock")
        return
    answer, fault = _asked(web_client(chosen).auth_test)
    if answer is None:
        remedy = "copy OAuth & Permissions > Bot User OAuth Token anew; if there is none, install the app."
        yield _refused("Slack token", fault, remedy)
        yield from _skipped("Slack did not let the bot in", "scopes", "clock")
        return
    who = _shown(f"workspace {answer.get('team')}, bot {answer.get('user')}", chosen.slack_bot_token)
    yield Finding(OK, "Slack token", who)
    members = _chosen(environ, (*_SLACK, "ADDGROUP_MEMBERS"))
    usergroups = [member for member in members.members if member.startswith("S")] if members else []
    yield from _scopes(_header(answer, "x-oauth-scopes"), usergroups)
    yield from (_usergroup(chosen, usergroup) for usergroup in usergroups)
    yield _clock(_header(answer, "date"))


def _scopes(header: str, usergroups: list[str]) -> Iterator[Finding]:
    """Compare what was granted with SCOPES; what the settings make no use of may be missing."""
    granted = {scope.strip() for scope in header.split(",")}
    if not header:
        yield Finding(WARNING, "scopes", "Slack's answer does not name them", "Let no proxy drop X-OAuth-Scopes.")
        return
    add = "add {} under OAuth & Permissions > Scopes > Bot Token Scopes, then install the app again (Install App)."
    for scope, use in SCOPES.items():
        if scope in granted:
            yield Finding(OK, f"scope {scope}", "granted")
        else:
            state = WARNING if scope == "usergroups:read" and not usergroups else WRONG
            yield Finding(state, f"scope {scope}", f"missing; it is for {use}", _IN_SLACK + add.format(scope))


def _usergroup(chosen: Settings, usergroup: str) -> Finding:
    """Read a user group's members, as is done before somebody is let in."""
    part = f"user group {usergroup}"
    answer, fault = _asked(lambda: web_client(chosen).usergroups_users_list(usergroup=usergroup))
    if answer is None:
        remedy = "Let ADDGROUP_MEMBERS name user groups that exist; they need a paid plan of Slack and usergroups:read."
        return Finding(WRONG, part, f"cannot be read, so it lets nobody in: {fault}", remedy)
    return Finding(OK, part, f"members: {len(answer.get('users') or ())}")


def _clock(date: str) -> Finding:
    """Compare the machine's clock with the Date of an answer that has just come from Slack."""
    try:
        ahead = time.time() - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Finding(SKIPPED, "clock", "Slack did not tell the time")
    text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Slack's"
    if abs(ahead) <= SKEW:
        return Finding(OK, "clock", text)
    return Finding(
        WRONG,
        "clock",
        f"{text}; over {SKEW:.0f} s, requests are taken for replays",
        "Set it by NTP: timedatectl set-ntp true",
    )


def _socket_mode(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Ask for the address of a connection, without opening one."""
    part = "Socket Mode token"
    chosen = _chosen(environ, _SOCKET)
    if chosen is None:
        yield from _skipped("its settings are wrong", part)
    elif not chosen.socket_mode:
        yield from _skipped("SLACK_APP_TOKEN is not set, so this is HTTP mode", part)
    else:
        _, fault = _asked(lambda: web_client(chosen).apps_connections_open(app_token=chosen.slack_app_token))
        remedy = (
            "make a token under Basic Information > App-Level Tokens with the scope connections:write, set it as "
            "SLACK_APP_TOKEN, and see that Socket Mode is switched on."
        )
        yield _refused(part, fault, remedy) if fault else Finding(OK, part, "a connection may be opened")


def _signing_secret(environ: Mapping[str, str]) -> Iterator[Finding]:
    part = "signing secret"
    chosen = _chosen(environ, ("SLACK_SIGNING_SECRET",))
    if environ.get("SLACK_APP_TOKEN", "").strip():
        yield from _skipped("Socket Mode needs none", part)
    elif chosen is None or not chosen.slack_signing_secret:
        yield from _skipped("it is missing or wrong in the settings", part)
    elif re.fullmatch("[0-9a-f]{32}", chosen.slack_signing_secret):
        yield Finding(OK, part, "has the right shape; only a request from Slack can prove it")
    else:
        remedy = f"{_IN_SLACK}copy Basic Information > App Credentials > Signing Secret anew."
        yield Finding(WRONG, part, "is not 32 hexadecimal digits, as every signing secret is", remedy)


def _refused(part: str, fault: str, remedy: str) -> Finding:
    if fault in _BAD_TOKEN:
        return Finding(WRONG, part, f"Slack says {fault}", _IN_SLACK + remedy)
    return Finding(WRONG, part, f"no usable answer: {fault}", _NO_SLACK)


def _asked(call: Callable[[], SlackResponse]) -> tuple[SlackResponse | None, str]:
    """Make a call of Slack's Web API; return its answer, or None and what went wrong."""
    try:
        return called(call), ""
    except SlackRefused as error:
        fault = error.error
    except TryLater as error:
        if reason := getattr(error.__cause__, "reason", None):  # of the connection that did not come about
            return None, _shown(str(reason))
        fault = error.why
    return None, "what answers at SLACK_API_URL is not Slack" if fault == "http_200" else fault


def _header(answer: SlackResponse, name: str) -> str:
    return next((str(value) for header, value in answer.headers.items() if header.lower() == name), "")


# The group API.


def _api(environ: Mapping[str, str]) -> Iterator[Finding]:
    credentials, groups, add = "iletiMerkezi credentials", "get-groups", "add-group"
    chosen = _chosen(environ, _API, api=True)
    if chosen is None:
        yield from _skipped("its settings are missing or wrong", credentials, groups, add)
        return
    client = Client(chosen.api_url, chosen.credentials, chosen.api_timeout)
    try:
        client.get_balance()
    except ApiError as error:
        yield Finding(WRONG, credentials, _said(error, chosen), _api_remedy(error))
        yield from _skipped("the API does not let the bot in", groups, add)
        return
    yield Finding(OK, credentials, "accepted")
    yield _get_groups(client, chosen)
    yield _add_group(client, chosen)


def _get_groups(client: Client, chosen: Settings) -> Finding:
    try:
        count = len(client.get_groups())
    except ApiError as error:
        lost = "parents cannot be given by name, nor be suggested, and lost answers cannot be looked up"
        text = f"{_said(error, chosen)}; groups can be made all the same, but {lost}"
        return Finding(WARNING, "get-groups", text, _REPRESENTATIVE.format("get-groups"))
    return Finding(OK, "get-groups", f"answers; groups in the account: {count}")


def _add_group(client: Client, chosen: Settings) -> Finding:
    """Ask for a group that is refused on two documented grounds, 461 and 463, so that none can be created."""
    try:
        group = client.add_group("", NO_PARENT)
    except Rejected as error:
        if error.code in (422, 461, 463):
            return Finding(OK, "add-group", f"answers; refused a group without a name ({error.code}), as it should")
        absent = error.code in (401, 404)
        remedy = _REPRESENTATIVE.format("add-group") if absent else _api_remedy(error)
        return Finding(WRONG, "add-group", _said(error, chosen), remedy)
    except ApiError as error:
        return Finding(WRONG, "add-group", _said(error, chosen), _api_remedy(error))
    remedy = f"Remove the group {group.id} in the panel, and tell the provider."
    return Finding(WRONG, "add-group", "made a group without a name, against its documentation", remedy)


def _said(error: ApiError, chosen: Settings) -> str:
    if isinstance(error, Rejected):
        text = f"refused with code {error.code}: {error.message}"
        return _shown(text, chosen.credentials.key, chosen.credentials.hash)
    return f"{'cannot be reached' if isinstance(error, NotSent) else 'gave no usable answer'}: {error}"


def _api_remedy(error: ApiError) -> str:
    key = error.code if isinstance(error, Rejected) else str(error)
    return _API_REMEDIES.get(key) or _API_REMEDIES["not sent" if isinstance(error, NotSent) else "other"]


# The database.


def _database(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Try the journal without leaving a trace.

    Tables are left to be made by `serve`: a file that the check made would belong to whoever ran it, and tables that a
    newer version's check changed would be under an older version that is still running.
    """
    chosen = _chosen(environ, ("DATABASE_URL",))
    if chosen is None:
        yield from _skipped("its settings are wrong", "database")
        return
    file = sqlite_file(chosen.database_url)
    if file and environ.get("DYNO"):
        remedy = "Set DATABASE_URL to a PostgreSQL, as Heroku's add-on does by itself."
        yield Finding(WARNING, "disk", "this is a Heroku dyno: its disk, and the SQLite file, is lost daily", remedy)
    try:
        yield _journal(chosen.database_url) if not file or file.exists() else _new_file(file)
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = _shown(str(getattr(error, "orig", None) or error), make_url(chosen.database_url).password or "")
        yield Finding(WRONG, "database", f"{_place(chosen.database_url)}: {reason}", _database_remedy(error, file))


def _database_remedy(error: Exception, file: Path | None) -> str:
    if isinstance(error, ImportError):
        return "Install the driver: pip install --require-hashes -r requirements.txt"
    if file:
        return f"Let the bot's user write in {file.parent}, on a local disk, or set DATABASE_URL to another file."
    return "See that DATABASE_URL names the right host, database, user and password, and that they may write there."


def _new_file(file: Path) -> Finding:
    """Try a journal in a folder of its own beside where the file will be."""
    with tempfile.TemporaryDirectory(prefix=".addgroup-check-", dir=file.parent) as directory:
        _journal(f"sqlite:///{directory}/journal.db")
    return Finding(OK, "database", f"{file} is not there yet; serve makes it, and can")


def _journal(url: str) -> Finding:
    """Read the schema's version, write, and take back what was written. Raises SQLAlchemyError."""
    engine = database.connect(url)
    try:
        with engine.connect() as connection, connection.begin() as transaction:
            database.lock(connection)
            version = _version(connection)
            if version is None:
                database.metadata.create_all(connection)
            for table in database.metadata.sorted_tables if version in (None, database.VERSION) else ():
                connection.execute(select(table).limit(0))
            connection.execute(insert(database.processes).values(id="check", machine="check", lease_until=0.0))
            transaction.rollback()
    finally:
        engine.dispose()
    return _judged(_place(url), version)


def _version(connection: Connection) -> int | None:
    """Return the version of the schema, None when there is none yet."""
    versions = database.metadata.tables["schema_version"]
    return connection.scalar(select(versions.c.version)) if inspect(connection).has_table(versions.name) else None


def _judged(place: str, version: int | None) -> Finding:
    if version is None:
        return Finding(OK, "database", f"{place} is writable and empty; serve makes the tables")
    if version > database.VERSION:
        text = f"{place} has schema {version}, but this version of the bot knows {database.VERSION}"
        return Finding(WARNING, "database", f"{text}; it works for a while, as after a step back", "Update the bot.")
    more = f"; serve brings it to {database.VERSION}" if version < database.VERSION else ""
    return Finding(OK, "database", f"{place} is writable, with schema {version}{more}")


def _place(url: str) -> str:
    """Name a database without the user and the password."""
    file, address = sqlite_file(url), make_url(url)
    return f"SQLite file {file}" if file else f"PostgreSQL {address.host or 'here'}/{address.database}"


def _shown(text: str, *secrets: str) -> str:
    """Return foreign text on one line, printable, without secrets, and not too long."""
    for secret in secrets:
        text = text.replace(secret, "…") if len(secret) > 3 else text
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]

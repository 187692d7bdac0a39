"""The self-check: looks at every part, prints each finding as soon as it is known, and says how to fix it."""

import contextlib
import re
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple, TextIO

from sqlalchemy import insert, make_url, select
from sqlalchemy.exc import SQLAlchemyError

from bot import network, settings
from bot.iletimerkezi.client import ApiError, Client, NotSent, Rejected
from bot.journal import WrongJournal, tables
from bot.journal.database import CONNECTIONS, connect, sqlite_file
from bot.model.job import TryLater
from bot.settings import Settings, SettingsError
from bot.slack.client import BAD_TOKEN, Answer, SlackClient, SlackRefused, slack_client

PATIENCE = 8.0
"""How long the database may take to answer, in seconds: one whose connections are all in use says nothing at all."""

SCOPES = ("commands", "chat:write", "chat:write.public", "users:read", "usergroups:read")
"""The manifest's scopes; docs/install.md says what each is for."""

SKEW = 300.0
"""How far apart Slack's clock and the machine's may be, in seconds: an older request counts as replayed.
Source: https://docs.slack.dev/authentication/verifying-requests-from-slack"""

NO_PARENT = "-1"
"""The id of no group, so that a group asked for under it cannot be made."""

OK, WRONG, WARNING = "ok", "WRONG", "warning"


class Finding(NamedTuple):
    """What was found of one part: its state (ok, WRONG or warning), in words, and how to fix it."""

    state: str
    part: str
    text: str
    remedy: str = ""


def run(environ: Mapping[str, str], out: TextIO) -> int:
    """Check every part, write a line on each to `out` as soon as it is known, and on the next line how to fix it.

    `environ` are the variables to check. Nothing is created or changed anywhere, and nothing secret is written.
    Returns 0 when nothing is WRONG, else 1.
    """
    wrong = 0
    secrets = settings.secrets_in(environ)
    for finding in _findings(environ):
        wrong += finding.state == WRONG
        out.write(f"{finding.state:8} {finding.part}: {_shown(finding.text, *secrets)}\n")
        if finding.remedy:
            out.write(f"{'':8} -> {_shown(finding.remedy, *secrets)}\n")
        out.flush()
    out.write(f"\n{wrong} WRONG: the bot will not work as it should.\n" if wrong else "\nNothing is wrong.\n")
    return int(wrong > 0)


def _shown(text: str, *secrets: str) -> str:
    """Return foreign text on one line, printable, without secrets, and not too long."""
    for secret in secrets:
        text = text.replace(secret, "…") if len(secret) > 3 else text
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:500]


def _remedy(reason: str, *parts: str, **values: object) -> str:
    """Return how to fix what has this reason: what the first pattern that fits says, in the tables of these parts."""
    text = files(__package__).joinpath("remedies.toml").read_text(encoding="utf-8")
    tables: dict[str, dict[str, str]] = tomllib.loads(text)
    said = [said for part in parts for pattern, said in tables[part].items() if re.search(pattern, reason)]
    return said[0].format(**values)


def _findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Look at the settings, and at what they name once they are right."""
    chosen, problems = None, []
    try:
        chosen = settings.read(environ)
        problems = network.problems(chosen.slack_api_url, chosen.api_url)
    except SettingsError as error:
        problems = error.problems
    for problem in problems:
        text, _, remedy = problem.partition(". ")
        yield Finding(WRONG, "settings", text, remedy or "Correct it in the environment or in the file .env here.")
    for name, nearest in settings.unknown(environ).items():
        if not nearest.startswith(settings.RESTRICTIONS):  # those are problems already
            remedy = f"Do you mean {nearest}? Correct the name." if nearest else "The bot does not read it: remove it."
            yield Finding(WARNING, "settings", f"{name} is not a variable of this bot", remedy)
    if problems or not chosen:
        yield Finding(WARNING, "everything else", "is checked once the settings are right")
        return
    yield Finding(OK, "settings", f"all that serve needs is set, for {'Socket Mode' if chosen.socket_mode else 'HTTP'}")
    for look in (_slack, _way_in, _api, _database):
        yield from look(chosen)


def _asked(part: str, slack: SlackClient, method: str, **arguments: str) -> tuple[Answer, Finding | None]:
    """Call a method of Slack's Web API; return its answer, and a finding when there is none."""
    try:
        return slack.call(method, **arguments), None
    except (SlackRefused, TryLater) as error:
        fault = str(error)
    finally:
        slack.close()
    fault = "what answers at SLACK_API_URL is not Slack" if fault == "http_200" else fault
    refused = fault in BAD_TOKEN
    text = f"Slack says {fault}" if refused else f"no usable answer: {fault}"
    return {}, Finding(WRONG, part, text, _remedy("refused" if refused else fault, "way", part.partition(" S")[0]))


def _slack(chosen: Settings) -> Iterator[Finding]:
    """Try the bot's token; where it is good its scopes, the clock against Slack's, and the user groups."""
    slack = slack_client(chosen)
    answer, fault = _asked("Slack token", slack, "auth.test")
    if fault:
        yield fault
        return
    yield Finding(OK, "Slack token", f"workspace {answer.get('team')}, bot {answer.get('user')}")
    granted = re.split(r"[,\s]+", answer["headers"].get("X-OAuth-Scopes", ""))
    missing = [scope for scope in SCOPES if scope not in granted]
    if granted == [""]:
        yield Finding(WARNING, "scopes", "Slack's answer does not name them", "Let no proxy drop X-OAuth-Scopes.")
    elif missing:
        state = WARNING if missing == ["usergroups:read"] else WRONG  # user groups are tried themselves
        names = ", ".join(missing)
        yield Finding(state, "scopes", f"missing: {names}", _remedy("missing", "scopes", scopes=names))
    else:
        yield Finding(OK, "scopes", "all are granted")
    yield from _clock(answer["headers"].get("Date", ""))
    for usergroup in [member for member in chosen.members if member.startswith("S")]:  # as before somebody is let in
        part = f"user group {usergroup}"
        answer, fault = _asked(part, slack, "usergroups.users.list", usergroup=usergroup)
        yield fault or Finding(OK, part, f"members: {len(answer.get('users') or ())}")


def _clock(date: str) -> Iterator[Finding]:
    """Compare the machine's clock with the Date of an answer that has just come from Slack, if it has one."""
    with contextlib.suppress(ValueError):
        ahead = time.time() - parsedate_to_datetime(date).timestamp()
        text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} Slack's"
        wrong = f"{text}; over {SKEW:.0f} s, the bot takes Slack's requests for replays and answers 401"
        remedy = "Set this machine's clock by NTP: timedatectl set-ntp true"
        yield Finding(WRONG, "clock", wrong, remedy) if abs(ahead) > SKEW else Finding(OK, "clock", text)


def _way_in(chosen: Settings) -> Iterator[Finding]:
    """Ask for the address of a connection of Socket Mode, without opening one; or look at the signing secret."""
    if chosen.socket_mode:
        slack = SlackClient(chosen.slack_app_token, chosen.slack_api_url)
        _, fault = _asked("Socket Mode", slack, "apps.connections.open")
        yield fault or Finding(OK, "Socket Mode", "a connection may be opened")
    elif not re.fullmatch("[0-9a-f]{32}", chosen.slack_signing_secret):
        text = "is not 32 hexadecimal digits, as Slack's are"
        yield Finding(WARNING, "signing secret", text, _remedy("odd", "signing secret"))


def _api(chosen: Settings) -> Iterator[Finding]:
    """Try the credentials, then get-groups, and add-group in a way that makes no group.

    It is asked for a group that is refused on two documented grounds, 461 and 463, so that none can be created.
    """
    client = Client(chosen.api_url, chosen.api_key, chosen.api_hash, chosen.api_timeout)
    try:
        client.check_credentials()
        yield Finding(OK, "iletiMerkezi", "the credentials are accepted")
    except ApiError as error:
        yield _failed(WRONG, "iletiMerkezi", error)
        return
    try:
        yield Finding(OK, "get-groups", f"answers; groups in the account: {len(client.get_groups())}")
    except ApiError as error:
        more = "; groups can still be made, but parents not found by name, nor lost answers looked up"
        yield _failed(WARNING, "get-groups", error, more)
    try:
        made = client.add_group("", NO_PARENT)
        text = "made a group without a name, which its documentation excludes"
        yield Finding(WRONG, "add-group", text, f"Remove the group {made.id} in the panel, and tell the provider.")
    except ApiError as error:
        if isinstance(error, Rejected) and error.code in (422, 461, 463):
            yield Finding(OK, "add-group", f"answers; refused a group without a name ({error.code}), as it should")
        else:
            yield _failed(WRONG, "add-group", error)


def _failed(state: str, part: str, error: ApiError, more: str = "") -> Finding:
    """Return what is found where the provider refuses, or where no usable answer came."""
    if isinstance(error, Rejected):
        text, reason = f"refused with code {error.code}: {error.message}", str(error.code)
    elif isinstance(error, NotSent):
        text, reason = f"cannot be reached: {error}", f"{error}_{getattr(error.__cause__, 'proxy_status', 0)} not sent"
    else:
        text, reason = f"gave no usable answer: {error}", str(error)
    return Finding(state, part, text + more, _remedy(reason, "way", part, "iletiMerkezi", method=part))


def _database(chosen: Settings) -> Iterator[Finding]:
    """Try the journal without leaving a trace, within PATIENCE.

    Only `serve` makes tables: a file that the check made would belong to the user who ran the check, and a newer
    version's check would change tables under an older version that is still running.
    """
    url = chosen.database_url
    file, address = sqlite_file(url), make_url(url)
    place = f"SQLite file {file}" if file else f"PostgreSQL {address.host or 'here'}/{address.database or ''}"
    late = f"no connection became free within {PATIENCE:.0f} seconds"
    found: list[tuple[str, str, str | None]] = [(WRONG, late, None)]
    thread = threading.Thread(target=lambda: found.append(_journal(url, file)), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    state, text, remedy = found[-1]
    if remedy is None:
        folder = file and file.parent
        remedy = _remedy(text, "SQLite" if file else "PostgreSQL", folder=folder, connections=CONNECTIONS)
    yield Finding(state, "database", f"{place}: {_shown(text, *settings.passwords(url))}", remedy)


def _journal(url: str, file: Path | None) -> tuple[str, str, str | None]:
    """Try a journal, and write nothing into it; the remedy is None where the words say which it is."""
    try:
        if file and not file.exists():
            with tempfile.TemporaryFile(dir=file.parent):
                return OK, "is not there yet; serve makes it, and can (if it was there before, see docs/night.md)", ""
        version = _tried(url)
    except WrongJournal as error:
        text, _, remedy = str(error).partition(". ")
        return WRONG, text, remedy
    except (SQLAlchemyError, OSError, ImportError) as error:
        return WRONG, str(getattr(error, "orig", None) or error), None
    if version is None:
        return OK, "writable and empty; serve makes the tables (if it had some before, see docs/night.md)", ""
    if version > tables.VERSION:
        return WARNING, f"schema {version} is newer than this bot's ({tables.VERSION}); it works for a while", ""
    return OK, f"writable, with schema {version}", ""


def _tried(url: str) -> int | None:
    """Return the version of a journal's tables, None without any, after writing nothing."""
    engine = connect(url)
    try:
        with engine.connect() as connection:  # and at its end all is rolled back
            if connection.dialect.name == "postgresql":  # a running bot waits with what waits for its tables
                connection.exec_driver_sql("SET LOCAL lock_timeout = 500")
            version = tables.migrate(connection)
            for table in tables.metadata.sorted_tables:
                nothing = select(table).limit(0)  # but the right to write it, and the names of its columns
                connection.execute(insert(table).from_select(table.columns.keys(), nothing))
            return version
    finally:
        engine.dispose()

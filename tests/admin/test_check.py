"""The self-check: a bot that is well, each part broken for real, what is told then, and what never is."""

import re
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, select

from bot.admin import check
from bot.admin.check import NO_PARENT
from bot.journal import tables
from bot.journal.database import CONNECTIONS, connect
from bot.sandbox.loopback import Answer, Request
from bot.settings import SECRETS
from tests.support.check import Checked, Line
from tests.support.journal import on_postgresql
from tests.support.peer import CONNECT, http, over_tls, peer, says
from tests.support.program import run_to_end
from tests.support.provider import Api
from tests.support.served import inherited
from tests.support.workspace import APP_TOKEN, Workspace


def is_wrong(checked: Checked, part: str, told: str, remedy: str, state: str = "WRONG") -> None:
    """Only this part is WRONG, or has another state, and says this with this remedy."""
    line = checked.lines[part]
    assert (checked.wrong, line.state) == ([part] if state == "WRONG" else [], state), checked.printed
    assert told in line.text
    assert remedy in line.remedy


def test_a_well_bot(environ: dict[str, str], database_url: str, api: Api, workspace: Workspace, tmp_path: Path) -> None:
    """Every part is ok, on a database of either kind; no group, message, file or folder is left."""
    groups = dict(api.groups)
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert (checked.status, checked.wrong) == (0, [])
    assert list(checked.lines) == [
        *("settings", "Slack token", "scopes", "clock"),
        *("iletiMerkezi", "get-groups", "add-group", "database"),
    ]
    assert {line.state for line in checked.lines.values()} == {"ok"}
    assert checked.lines["Slack token"].text == "workspace Sandbox, bot addgroup"
    assert checked.printed.endswith("Nothing is wrong.\n")
    assert (api.groups, workspace.messages, list(tmp_path.iterdir())) == (groups, [], [])
    (body,) = [body for method, body in api.calls if method == "add-group"]
    assert body["request"]["group"] == {"name": "", "parent": NO_PARENT}, "refused on two grounds, so never made"


def test_a_well_bot_in_socket_mode(environ: dict[str, str], workspace: Workspace, tmp_path: Path) -> None:
    """The app-level token is tried, the signing secret is not asked for; secrets may come from files."""
    environ = {**environ, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": ""}
    for name in SECRETS:
        if value := environ.get(name):
            (tmp_path / name).write_text(f"{value}\n")
            environ = {**environ, name: "", f"{name}_FILE": str(tmp_path / name)}
    checked = Checked(environ)
    assert (checked.status, checked.wrong) == (0, [])
    assert checked.states("Socket Mode", "add-group", "database") == ["ok"] * 3
    assert [method for method, _ in workspace.calls] == ["auth.test", "apps.connections.open"]
    assert workspace.socket_url not in checked.printed


S1 = {"ADDGROUP_MEMBERS": "S1"}
SLACK_FAULTS: list[tuple[dict[str, str], str, str | int, str, str, str]] = [
    ({**S1, "SLACK_BOT_TOKEN": "xoxb-wrong"}, "", "", "Slack token", "invalid_auth", "Bot User OAuth Token"),
    ({}, "auth.test", 500, "Slack token", "http_500", "SLACK_API_URL"),
    ({}, "auth.test", "ratelimited:3", "Slack token", "ratelimited", "SLACK_API_URL"),
    ({"SLACK_APP_TOKEN": "xapp-other"}, "", "", "Socket Mode", "invalid_auth", "connections:write"),
    ({"SLACK_APP_TOKEN": APP_TOKEN}, "apps.connections.open", "missing_scope", "Socket Mode", "", "switched on"),
    (S1, "usergroups.users.list", "no_such_subteam", "user group S1", "", "nobody in"),
    (S1, "usergroups.users.list", "missing_scope", "user group S1", "", "usergroups:read"),
    ({"SLACK_SIGNING_SECRET": ""}, "", "", "settings", "SLACK_SIGNING_SECRET", "Signing Secret"),
]
"""Variables, a method and its fault; the part that is WRONG then, and words of what is told and of the remedy."""


def test_slack(environ: dict[str, str], workspace: Workspace) -> None:
    """What is wrong, in Slack's word, and how to fix it; nothing else is blamed."""
    for more, method, fault, part, told, remedy in SLACK_FAULTS:
        if method:
            workspace.faults[method].append(fault)
        is_wrong(Checked({**environ, **more}), part, told, remedy)


def test_missing_scopes(environ: dict[str, str], workspace: Workspace) -> None:
    """They are named, with where to add them, and that the app must be installed again."""
    granted = workspace.scopes
    for scopes in (["commands"], ["chat:write", "users:read"], ["usergroups:read"]):
        workspace.scopes = [scope for scope in granted if scope not in scopes]
        state = "warning" if scopes == ["usergroups:read"] else "WRONG"  # its user groups are tried themselves
        names = ", ".join(scopes)
        is_wrong(checked := Checked(environ), "scopes", f"missing: {names}", f"add {names} under", state)
        assert "install the app again" in checked.lines["scopes"].remedy
    workspace.scopes.clear()
    assert Checked(environ).states("scopes") == ["warning"], "not known is neither a fault nor a pass"


def test_what_is_looked_at_only_where_it_is_set(environ: dict[str, str], workspace: Workspace) -> None:
    """Each user group of ADDGROUP_MEMBERS is asked for its members; an odd signing secret is a warning."""
    workspace.usergroups["S1"] = ["U3", "U4"]
    checked = Checked({**environ, "ADDGROUP_MEMBERS": "U1,S1", "SLACK_SIGNING_SECRET": "verification-token"})
    assert (checked.status, checked.lines["user group S1"]) == (0, Line("ok", "members: 2", ""))
    assert "user group U1" not in checked.lines
    assert checked.states("signing secret") == ["warning"], "Slack nowhere promises its shape"
    assert "Signing Secret" in checked.lines["signing secret"].remedy


def test_a_clock_that_is_off(environ: dict[str, str], workspace: Workspace) -> None:
    """Over five minutes from Slack's, in either direction, each request would end in 401: it says so."""
    for ahead, told in ((400.0, "behind"), (-400.0, "ahead of")):
        workspace.ahead = ahead
        is_wrong(checked := Checked(environ), "clock", f"{told} Slack's", "NTP")
        assert "401" in checked.lines["clock"].text
        workspace.ahead = ahead * 0.7
        assert Checked(environ).states("clock") == ["ok"]


API_FAULTS: list[tuple[str, int | str, str, str]] = [
    ("get-balance", 401, "401", "Allow API access"),
    ("get-balance", 404, "404", "ILETIMERKEZI_API_URL"),
    ("get-balance", 402, "402", "balance"),
    ("get-balance", 503, "503", "later"),
    ("get-balance", 499, "499", "support"),
    ("get-balance", "html", "server_error", "later"),
    ("get-balance", "text", "unreadable", "ILETIMERKEZI_API_URL"),
    ("get-balance", "silence", "timeout", "ILETIMERKEZI_TIMEOUT"),
    ("get-groups", 404, "by name", "representative"),
    ("get-groups", "text", "looked up", "representative"),
    ("add-group", 404, "404", "representative"),
    ("add-group", 401, "401", "representative"),
    ("add-group", 402, "402", "balance"),
    ("add-group", "text", "unreadable", "answers"),
]


def test_the_api(environ: dict[str, str], api: Api) -> None:
    """Each way to fail has its own remedy; without get-groups, groups can still be made: a warning."""
    for method, fault, told, remedy in API_FAULTS:
        api.mood = lambda method=method, fault=fault: fault if api.calls[-1][0] == method else None  # type: ignore[misc]
        part = "iletiMerkezi" if method == "get-balance" else method
        is_wrong(Checked(environ), part, told, remedy, "warning" if method == "get-groups" else "WRONG")


def test_add_group_that_makes_a_group(environ: dict[str, str]) -> None:
    """Against all documentation; then the check says which group to remove."""

    class Careless(Api):
        def respond(self, request: Request, connection: socket.socket) -> Answer | None:
            if "add-group" not in request.path:
                return super().respond(request, connection)
            return Answer(200, b'{"response": {"status": {"code": 200}, "group": {"id": 97199}}}')

    with Careless() as careless:
        checked = Checked({**environ, "ILETIMERKEZI_API_URL": f"{careless.url}/v1"})
    is_wrong(checked, "add-group", "", "97199")


def test_nothing_secret_is_printed(environ: dict[str, str]) -> None:
    """Well or not: no token, key, hash, secret or password, even if a server throws them back."""

    class Echo(Api):
        def respond(self, request: Request, _connection: socket.socket) -> Answer:
            said = request.body.decode().replace('"', "'")
            body = f'{{"response": {{"status": {{"code": 499, "message": "{said}"}}}}}}'
            return Answer(499, body.encode())

    secrets = {"SLACK_BOT_TOKEN": "xoxb-wrong-1", "SLACK_APP_TOKEN": "xapp-wrong-2", "SLACK_SIGNING_SECRET": "wrong-3"}
    with Echo() as echo:
        broken = {"ILETIMERKEZI_API_URL": echo.url, "DATABASE_URL": "postgres://bot:wrong-4@127.0.0.1:1/journal"}
        printed = [Checked({**environ, **change}).printed for change in ({}, secrets | broken)]
    assert "499" in printed[1]
    for secret in ("xoxb-", "xapp-", "wrong-", environ["SLACK_SIGNING_SECRET"], "-of-tests"):
        assert all(secret not in text for text in printed)


ELSEWHERE = {"SLACK_API_URL": "https://slack.invalid/api/", "ILETIMERKEZI_API_URL": "https://api.invalid/v1"}
SERVICES = ["Slack token", "iletiMerkezi"]


def services_are_wrong(checked: Checked, told: str, remedy: str) -> None:
    assert checked.wrong == SERVICES
    assert all(told in checked.lines[part].text and remedy in checked.lines[part].remedy for part in SERVICES)


NOBODY = "http://127.0.0.1:1"
"""An address at which nobody listens."""


def test_a_proxy_refuses(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is named, not the credentials of Slack or the provider; its password is not shown."""
    ways = {b"407 Authentication Required": "user and password into HTTPS_PROXY", b"403 Forbidden": "Fix the proxy"}
    for status, remedy in ways.items():
        with peer(says(http(b"", status=status), end=CONNECT)) as proxy:
            url = proxy.url.replace("//", "//bot:hid%2Fden@")
            monkeypatch.setenv("HTTPS_PROXY", url)
            checked = Checked({**environ, **ELSEWHERE, "HTTPS_PROXY": url})
        services_are_wrong(checked, "proxy", remedy)
        assert not re.search("hid(%2F|/)den", checked.printed)


def test_nobody_can_be_reached_or_trusted(environ: dict[str, str], certificate: Path) -> None:
    """The address or the network is named, not the credentials.

    What nobody of certifi's has signed may be a company's proxy: the remedy is its authority in SSL_CERT_FILE.
    """
    with peer(over_tls(says(b""), certificate)) as server:
        signed = f"https://127.0.0.1:{server.port}"
        for url, *told in ((NOBODY, "unreachable", "firewall"), (signed, "tls", "SSL_CERT_FILE")):
            checked = Checked({**environ, "SLACK_API_URL": f"{url}/api/", "ILETIMERKEZI_API_URL": f"{url}/v1"})
            services_are_wrong(checked, *told)


WRONG_WAYS_OUT = {
    ("SSL_CERT_FILE", "/none/authorities.pem"): "/none/authorities.pem: No such file",
    ("HTTPS_PROXY", "http://bot:hid/den@proxy:8080"): "HTTPS_PROXY must be the address",
    ("all_proxy", "socks5h://bot:hidden@proxy"): "SOCKS",
}


def test_a_way_out_that_cannot_be_used(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is WRONG, and what would be reached by it is not blamed."""
    for (name, value), told in WRONG_WAYS_OUT.items():
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv(name, value)
            checked = Checked({**environ, **ELSEWHERE, name: value})
        is_wrong(checked, "settings", told, "")
        assert "den@" not in checked.printed


def test_what_is_not_slack(environ: dict[str, str], api: Api) -> None:
    """Something else that answers at the address is told as such, without its body."""
    api.mood = lambda: "text"
    checked = Checked({**environ, "SLACK_API_URL": api.url})
    assert checked.lines["Slack token"].text == "no usable answer: what answers at SLACK_API_URL is not Slack"


def test_settings(environ: dict[str, str]) -> None:
    """Each problem is a line with its remedy; nothing is called with settings that are wrong."""
    wrong = {"SLACK_BOT_TOKEN": "", "SLACK_APP_TOKEN": "xoxb-mixed-up", "PORT": "none", "ILETIMERKEZI_API_HASH": ""}
    checked = Checked({**environ, **wrong, "ADDGROUP_LANG": "tr", "ADDGROUP_MEMBER": "U1"})
    settings = [line for line in checked.printed.splitlines() if line.startswith("WRONG    settings: ")]
    assert len(settings) == 5
    assert all(any(name in line for line in settings) for name in (*wrong, "ADDGROUP_MEMBER"))
    assert "-> You find it in your Slack app's settings: OAuth & Permissions" in checked.printed
    assert "warning  settings: ADDGROUP_LANG is not a variable of this bot\n" in checked.printed
    assert "-> Do you mean ADDGROUP_LANGUAGE? Correct the name." in checked.printed
    assert (checked.status, list(checked.lines)) == (1, ["settings", "everything else"])


def test_the_command_line(environ: dict[str, str]) -> None:
    """Exit status 1 when anything is WRONG, nothing beside the check's own lines, in any terminal's letters."""
    more = {"SLACK_API_URL": NOBODY, "DATABASE_URL": "sqlite:////none/müşteri.db", "PYTHONIOENCODING": "ascii"}
    ended = run_to_end("check", env={**inherited(), **environ, **more})
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.startswith("ok       settings: ")
    assert r"m\xfc\u015fteri.db" in ended.stdout


def sql(url: str, *statements: str, journal: bool = True) -> None:
    """Make a journal with its tables, if that is wanted, and change the database."""
    engine = connect(url)
    if journal:
        with engine.begin() as connection:
            tables.migrate(connection)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_no_tables_and_no_rows_are_made(environ: dict[str, str], database_url: str) -> None:
    """An empty database is ok, and empty afterwards; so is one with tables, which has no more rows afterwards.

    A table of the same name that another program made does not pass for the journal's.
    """
    environ["DATABASE_URL"] = database_url
    sql(database_url, "CREATE TABLE jobs (id TEXT PRIMARY KEY)", journal=False)
    is_wrong(Checked(environ), "database", "another version", "")
    engine = connect(database_url)
    assert inspect(engine).get_table_names() == ["jobs"]
    sql(database_url, "DROP TABLE jobs", journal=False)
    for told in ("empty; serve makes the tables", f"with schema {tables.VERSION}"):
        line = Checked(environ).lines["database"]
        assert (line.state, told in line.text) == ("ok", True), line
        assert told.startswith("with") or inspect(engine).get_table_names() == []
        sql(database_url)
    with engine.connect() as connection:
        assert connection.execute(select(tables.processes)).all() == []
    engine.dispose()


@on_postgresql
def test_a_check_beside_a_backup(
    environ: dict[str, str], database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal of 0.2.0 that something reads for long: the check gives up before that ends, and says so."""
    monkeypatch.setattr(check, "PATIENCE", 60.0)
    sql(database_url, "ALTER TABLE jobs DROP COLUMN channel_kind", "UPDATE schema_version SET version = 1")
    with engine.begin() as backup:
        backup.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        backup.execute(select(tables.jobs.c.id))
        line = Checked({**environ, "DATABASE_URL": database_url}).lines["database"]
    assert (line.state, "lock timeout" in line.text, "backup" in line.remedy) == ("WRONG", True, True), line
    assert "with schema 1" in Checked({**environ, "DATABASE_URL": database_url}).lines["database"].text


def test_a_sqlite_file_where_none_can_be(environ: dict[str, str], tmp_path: Path) -> None:
    """A folder that is missing, one in which nothing can be written, a file that is no database, one that is held."""
    (tmp_path / "text.db").write_text("Good morning, this is not a database. " * 100)
    places = {f"{tmp_path}/none/x.db": "No such file", "/proc/x.db": "/proc", f"{tmp_path}/text.db": "not a database"}
    remedies = {"not a database": "put a backup", "is locked": "end that program"}
    with closing(sqlite3.connect(tmp_path / "held.db")) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        for path, told in {**places, f"{tmp_path}/held.db": "is locked"}.items():
            checked = Checked({**environ, "DATABASE_URL": f"sqlite:///{path}"})
            is_wrong(checked, "database", told, remedies.get(told, "own both the folder and the file"))


POSTGRESQL = [
    ("CREATE DATABASE c1; ALTER DATABASE c1 SET default_transaction_read_only = on", "c1", "read-only", "may write"),
    ("CREATE DATABASE c3; CREATE ROLE c3 LOGIN CONNECTION LIMIT 0", "c3", "for role", "CONNECTION LIMIT"),
    ("CREATE DATABASE c4; CREATE ROLE c4 LOGIN", "c4", "permission denied", "may write"),
    ("CREATE DATABASE c5 CONNECTION LIMIT 0; CREATE ROLE c5 LOGIN", "c5", "for database", "CONNECTION LIMIT"),
]
"""What is done to a server; the database, and the role if there is one of that name; what is told, and the remedy."""


def test_a_postgresql_that_does_not_let_the_bot_write(environ: dict[str, str], postgres: Any) -> None:
    """A standby, limits of a role and of a database, and missing rights: each is told for itself."""
    for statements, name, told, remedy in POSTGRESQL:
        for statement in statements.split("; "):
            postgres.psql(f"{statement};")
        url = str(postgres.get_uri(name))
        if "ROLE" in statements:
            url = url.replace("postgres:@", f"{name}:@")
        is_wrong(Checked({**environ, "DATABASE_URL": url}), "database", told, remedy)


def test_no_free_connection(environ: dict[str, str], postgres: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits for another's connection says nothing: that is told, within PATIENCE, with how many a bot needs."""
    monkeypatch.setattr(check, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as pool:
        address, port = pool.getsockname()
        url = f"postgres://bot:hidden@{address}:{port}/journal?connect_timeout=5"
        checked = Checked({**environ, "DATABASE_URL": url})
    is_wrong(checked, "database", "no connection became free", f"{CONNECTIONS} connections of each bot")


def test_a_database_that_cannot_be_reached(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason, the host and the database, but neither user nor password; without psycopg, how to install it."""
    checked = Checked({**environ, "DATABASE_URL": "postgres://somebody:hidden@127.0.0.1:1/journal"})
    is_wrong(checked, "database", "refused", "DATABASE_URL")
    assert checked.lines["database"].text.startswith("PostgreSQL 127.0.0.1/journal: ")
    assert "hidden" not in checked.printed
    for password in ("qzx@wvj", "5432/qzx@wvj"):
        checked = Checked({**environ, "DATABASE_URL": f"postgres://bot:{password}@127.0.0.1:1/journal"})
        is_wrong(checked, "settings", "", "@ as %40")
        assert not re.search("qzx|wvj", checked.printed)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    is_wrong(Checked({**environ, "DATABASE_URL": "postgres://bot@127.0.0.1/journal"}), "database", "", "pip install")

"""The self-check: every part broken for real, one at a time, and what it says then."""

from __future__ import annotations

import contextlib
import io
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import inspect, select

from bot.admin import check_slack as slack
from bot.admin.check import run
from bot.admin.check_api import NO_PARENT
from bot.admin.check_slack import SCOPES
from bot.journal import database
from bot.sandbox.api import Api
from bot.sandbox.loopback import Answer, Loopback, Request
from bot.sandbox.process import free_port, inherited, variables
from bot.sandbox.workspace import APP_TOKEN, Workspace

ROOT = Path(__file__).parents[2]
SIGNING_SECRET = "0123456789abcdef" * 2


@dataclass(frozen=True)
class Line:
    """What was printed on one part."""

    state: str
    text: str
    remedy: str


class Checked:
    """A finished check: its exit status, all that it printed, and the lines by part."""

    def __init__(self, environ: dict[str, str]) -> None:
        out = io.StringIO()
        self.status = run(environ, out)
        self.printed = out.getvalue()
        self.lines: dict[str, Line] = {}
        part = ""
        for line in self.printed.partition("\n\n")[0].splitlines():
            if line.startswith("         -> "):
                self.lines[part] = Line(self.lines[part].state, self.lines[part].text, line[12:])
            else:
                state, _, rest = line.partition(" ")
                part, _, text = rest.strip().partition(": ")
                self.lines[part] = Line(state, text, "")

    @property
    def wrong(self) -> list[str]:
        return [part for part, line in self.lines.items() if line.state == "WRONG"]

    def states(self, *parts: str) -> list[str]:
        return [self.lines[part].state for part in parts]


@pytest.fixture
def environ(workspace: Workspace, api: Api, tmp_path: Path) -> dict[str, str]:
    """Return variables with which all is well, in HTTP mode."""
    ours = {"SLACK_SIGNING_SECRET": SIGNING_SECRET, "DATABASE_URL": f"sqlite:///{tmp_path}/journal.db"}
    return {**variables(workspace, api), "ILETIMERKEZI_TIMEOUT": "1", **ours}


@pytest.fixture
def refusing() -> str:
    """Return the address of a port at which nobody listens."""
    return f"http://127.0.0.1:{free_port()}"


def test_a_well_bot(environ: dict[str, str], database_url: str) -> None:
    """Every part is ok, in HTTP mode, on a database of either kind; exit status 0."""
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert checked.status == 0
    assert checked.wrong == []
    assert list(checked.lines) == [
        "settings",
        "Slack token",
        *(f"scope {scope}" for scope in SCOPES),
        "clock",
        "Socket Mode token",
        "signing secret",
        "iletiMerkezi credentials",
        "get-groups",
        "add-group",
        "database",
    ]
    assert {part for part, line in checked.lines.items() if line.state != "ok"} == {"Socket Mode token"}
    assert checked.lines["Slack token"].text == "workspace Sandbox, bot addgroup"
    assert checked.printed.endswith("Nothing is wrong.\n")


def test_a_well_bot_in_socket_mode(environ: dict[str, str], workspace: Workspace) -> None:
    """The app-level token is tried, the signing secret is not asked for, and the connection's ticket not shown."""
    checked = Checked({**environ, "SLACK_APP_TOKEN": APP_TOKEN, "SLACK_SIGNING_SECRET": ""})
    assert checked.status == 0
    assert checked.states("Socket Mode token", "signing secret") == ["ok", "skipped"]
    assert [method for method, _ in workspace.calls] == ["auth.test", "apps.connections.open"]
    assert workspace.socket_url not in checked.printed


def test_a_well_bot_leaves_no_trace(environ: dict[str, str], api: Api, workspace: Workspace, tmp_path: Path) -> None:
    """No group is made, no message posted, and no file or folder is left."""
    groups = dict(api.groups)
    assert Checked(environ).status == 0
    assert api.groups == groups
    assert workspace.messages == []
    assert list(tmp_path.iterdir()) == []


def test_the_group_that_is_asked_for_is_refused_twice_over(environ: dict[str, str], api: Api) -> None:
    """Neither a server that lets empty names through nor one that lets unknown parents through would make it."""
    Checked(environ)
    (body,) = [body for method, body in api.calls if method == "add-group"]
    assert body["request"]["group"] == {"name": "", "parent": NO_PARENT}
    api.mood = lambda: 463 if api.calls[-1][0] == "add-group" else None
    assert Checked(environ).states("add-group") == ["ok"]


def test_nothing_secret_is_printed(environ: dict[str, str], api: Api, refusing: str) -> None:
    """Well or not: no token, key, hash, secret or password, even if a server throws them back."""

    class Echo(Api):
        def respond(self, request: Request, _connection: socket.socket) -> Answer:
            said = request.body.decode().replace('"', "'")
            body = f'{{"response": {{"status": {{"code": 499, "message": "{said}"}}}}}}'
            return Answer(499, body.encode())

    secrets = {"SLACK_BOT_TOKEN": "xoxb-wrong-1", "SLACK_APP_TOKEN": "xapp-wrong-2", "SLACK_SIGNING_SECRET": "wrong-3"}
    port = refusing.rpartition(":")[2]
    with Echo(api.key, api.hash) as echo:
        broken = {"ILETIMERKEZI_API_URL": echo.url, "DATABASE_URL": f"postgres://bot:wrong-4@127.0.0.1:{port}/journal"}
        printed = [Checked({**environ, **change}).printed for change in ({}, secrets | broken)]
    assert "499" in printed[1]
    for secret in ("xoxb-", "xapp-", "wrong-", SIGNING_SECRET, "-of-tests"):
        assert all(secret not in text for text in printed)


def test_the_command_line(environ: dict[str, str], refusing: str) -> None:
    """Exit status 1 when anything is WRONG, and nothing beside the check's own lines, not even the libraries' logs."""
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "check"],
        cwd=ROOT,
        env={**inherited(), **environ, "SLACK_API_URL": refusing},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.startswith("ok       settings: ")


# Settings.


def test_all_problems_of_the_settings_at_once_and_the_rest_still_checked(environ: dict[str, str]) -> None:
    """Each problem is a line with its remedy; parts whose own settings are right are tried all the same."""
    checked = Checked({**environ, "SLACK_BOT_TOKEN": "", "PORT": "none", "ILETIMERKEZI_API_HASH": ""})
    settings = [line for line in checked.printed.splitlines() if "settings: " in line and line.startswith("WRONG")]
    assert checked.status == 1
    assert len(settings) == 3
    assert all(any(name in line for line in settings) for name in ("SLACK_BOT_TOKEN", "PORT", "ILETIMERKEZI_API_HASH"))
    assert "-> You find it in your Slack app's settings: OAuth & Permissions" in checked.printed
    assert checked.states("Slack token", "iletiMerkezi credentials", "add-group") == ["skipped"] * 3
    assert checked.states("signing secret", "database") == ["ok", "ok"]


def test_settings_of_one_part_do_not_stop_another(environ: dict[str, str]) -> None:
    """With a bad app-level token and database address, Slack's bot token and the API are still tried."""
    checked = Checked({**environ, "SLACK_APP_TOKEN": "xoxb-mixed-up", "DATABASE_URL": "mysql://x"})
    assert checked.states("Socket Mode token", "database") == ["skipped", "skipped"]
    assert checked.states("Slack token", "add-group") == ["ok", "ok"]


# Slack.


def test_a_wrong_bot_token(environ: dict[str, str]) -> None:
    """Slack's word and where to copy the token; the scopes and the clock are left out."""
    checked = Checked({**environ, "SLACK_BOT_TOKEN": "xoxb-wrong"})
    assert (checked.status, checked.wrong) == (1, ["Slack token"])
    assert "invalid_auth" in checked.lines["Slack token"].text
    assert "Bot User OAuth Token" in checked.lines["Slack token"].remedy
    assert checked.states("scopes", "clock") == ["skipped", "skipped"]


@pytest.mark.parametrize("fault", [500, "drop", "internal_error", "ratelimited:3"])
def test_a_slack_that_fails(environ: dict[str, str], workspace: Workspace, fault: int | str) -> None:
    """It is not blamed on the token."""
    workspace.faults["auth.test"].append(fault)
    checked = Checked(environ)
    assert checked.wrong == ["Slack token"]
    assert "SLACK_API_URL" in checked.lines["Slack token"].remedy


def test_a_slack_that_cannot_be_reached(environ: dict[str, str], refusing: str) -> None:
    """The reason is told, and the clock is unknown."""
    checked = Checked({**environ, "SLACK_API_URL": refusing, "SLACK_APP_TOKEN": APP_TOKEN})
    assert checked.wrong == ["Slack token", "Socket Mode token"]
    assert "unreachable" in checked.lines["Slack token"].text
    assert checked.states("scopes", "clock") == ["skipped", "skipped"]


def test_what_is_not_slacks_json_is_not_printed(environ: dict[str, str]) -> None:
    """Something else that answers at the address is told as such, without its body."""

    class Page(Loopback):
        def respond(self, _request: Request, _connection: socket.socket) -> Answer:
            return Answer(200, b"<html>Please log in to the hotel's network</html>")

    with Page() as page:
        checked = Checked({**environ, "SLACK_API_URL": page.url})
    assert checked.lines["Slack token"].text == "no usable answer: what answers at SLACK_API_URL is not Slack"
    assert "hotel" not in checked.printed


@pytest.mark.parametrize("scope", list(SCOPES))
def test_a_missing_scope(environ: dict[str, str], workspace: Workspace, scope: str) -> None:
    """It is named, with what it is for, where to add it, and that the app must be installed again."""
    workspace.scopes.remove(scope)
    checked = Checked(environ)
    optional = scope == "usergroups:read"  # only for user groups, of which the settings name none
    assert (checked.status, checked.wrong) == ((0, []) if optional else (1, [f"scope {scope}"]))
    line = checked.lines[f"scope {scope}"]
    assert SCOPES[scope] in line.text
    assert f"add {scope} under" in line.remedy
    assert "install the app again" in line.remedy


def test_scopes_that_slack_does_not_name(environ: dict[str, str], workspace: Workspace) -> None:
    """Not knowing is a warning, neither a fault nor a pass."""
    workspace.scopes.clear()
    checked = Checked(environ)
    assert (checked.status, checked.states("scopes")) == (0, ["warning"])


def test_the_scopes_are_those_of_the_manifest(workspace: Workspace) -> None:
    """The check, the stand-in and the manifest name the same scopes."""
    manifest: Any = yaml.safe_load((ROOT / "manifest.yml").read_text())
    assert list(SCOPES) == manifest["oauth_config"]["scopes"]["bot"] == workspace.scopes


def test_user_groups_that_can_be_read(environ: dict[str, str], workspace: Workspace) -> None:
    """Each of ADDGROUP_MEMBERS is asked for its members; single people are not."""
    workspace.usergroups["S1"] = ["U3", "U4"]
    checked = Checked({**environ, "ADDGROUP_MEMBERS": "U1,S1"})
    assert (checked.status, checked.lines["user group S1"]) == (0, Line("ok", "members: 2", ""))
    assert "user group U1" not in checked.lines


@pytest.mark.parametrize("error", ["no_such_subteam", "missing_scope", "plan_upgrade_required"])
def test_a_user_group_that_cannot_be_read(environ: dict[str, str], workspace: Workspace, error: str) -> None:
    """It is named, with Slack's word for it, and that it lets nobody in."""
    workspace.faults["usergroups.users.list"].append(error)
    checked = Checked({**environ, "ADDGROUP_MEMBERS": "S1"})
    assert checked.wrong == ["user group S1"]
    line = checked.lines["user group S1"]
    assert error in line.text
    assert all(cure in line.remedy for cure in ("ADDGROUP_MEMBERS", "paid plan", "usergroups:read"))


def test_the_scope_of_user_groups_is_needed_with_them(environ: dict[str, str], workspace: Workspace) -> None:
    """Without it they let nobody in, so its absence is WRONG then."""
    workspace.usergroups["S1"] = ["U3"]
    workspace.scopes.remove("usergroups:read")
    assert Checked({**environ, "ADDGROUP_MEMBERS": "S1"}).wrong == ["scope usergroups:read"]


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope", "not_allowed_token_type"])
def test_a_wrong_socket_mode_token(environ: dict[str, str], workspace: Workspace, error: str) -> None:
    """Slack's word, the scope of the token, and the switch in the app's settings."""
    workspace.faults["apps.connections.open"].append(error)
    checked = Checked({**environ, "SLACK_APP_TOKEN": APP_TOKEN})
    assert checked.wrong == ["Socket Mode token"]
    line = checked.lines["Socket Mode token"]
    assert error in line.text
    assert "connections:write" in line.remedy
    assert "Socket Mode is switched on" in line.remedy


def test_another_app_level_token(environ: dict[str, str]) -> None:
    """A token that Slack does not know is refused by the call itself."""
    assert Checked({**environ, "SLACK_APP_TOKEN": "xapp-other"}).wrong == ["Socket Mode token"]


def test_a_signing_secret_that_is_none(environ: dict[str, str]) -> None:
    """What has another shape is named as such, and where the right one is."""
    assert Checked({**environ, "SLACK_SIGNING_SECRET": ""}).states("signing secret") == ["skipped"]
    checked = Checked({**environ, "SLACK_SIGNING_SECRET": "verification-token"})
    assert checked.wrong == ["signing secret"]
    assert "Signing Secret" in checked.lines["signing secret"].remedy


@pytest.mark.parametrize(("ahead", "told"), [(400.0, "behind"), (-400.0, "ahead of")])
def test_a_clock_that_is_off(environ: dict[str, str], workspace: Workspace, ahead: float, told: str) -> None:
    """Over five minutes from Slack's, in either direction, Slack's requests would look replayed."""
    workspace.ahead = ahead
    checked = Checked(environ)
    assert (checked.status, checked.wrong) == (1, ["clock"])
    assert f"{told} Slack's" in checked.lines["clock"].text
    assert "NTP" in checked.lines["clock"].remedy
    workspace.ahead = ahead * 0.7
    assert Checked(environ).states("clock") == ["ok"]


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_clock_with_nothing_to_compare_it_with(date: str) -> None:
    """An answer without its time is neither a fault nor a pass."""
    assert slack._clock(date).state == "skipped"


# The group API.


def test_a_wrong_hash(environ: dict[str, str]) -> None:
    """All three reasons behind a 401; what would end in the same is not tried."""
    checked = Checked({**environ, "ILETIMERKEZI_API_HASH": "wrong"})
    assert (checked.status, checked.wrong) == (1, ["iletiMerkezi credentials"])
    line = checked.lines["iletiMerkezi credentials"]
    assert "401" in line.text
    assert all(reason in line.remedy for reason in ("Allow API access", "hash", "fixed IP"))
    assert checked.states("get-groups", "add-group") == ["skipped", "skipped"]


@pytest.mark.parametrize(
    ("fault", "told", "remedy"),
    [
        (404, "404", "ILETIMERKEZI_API_URL"),
        (402, "402", "balance"),
        (503, "503", "later"),
        (499, "499", "support"),
        ("html", "server_error", "later"),
        ("text", "unreadable", "ILETIMERKEZI_API_URL"),
        ("silence", "timeout", "ILETIMERKEZI_TIMEOUT"),
    ],
)
def test_an_api_that_answers_otherwise(
    environ: dict[str, str], api: Api, fault: int | str, told: str, remedy: str
) -> None:
    """Each way to fail has its own remedy."""
    api.faults.append(fault)
    checked = Checked(environ)
    assert checked.wrong == ["iletiMerkezi credentials"]
    line = checked.lines["iletiMerkezi credentials"]
    assert told in line.text
    assert remedy in line.remedy


def test_an_api_that_cannot_be_reached(environ: dict[str, str], refusing: str) -> None:
    """It is the address or the network, not the credentials."""
    checked = Checked({**environ, "ILETIMERKEZI_API_URL": refusing})
    assert checked.wrong == ["iletiMerkezi credentials"]
    line = checked.lines["iletiMerkezi credentials"]
    assert "unreachable" in line.text
    assert "firewall" in line.remedy


@pytest.mark.parametrize("fault", [401, 404, "text"])
def test_get_groups_missing(environ: dict[str, str], api: Api, fault: int | str) -> None:
    """A warning that says what is lost: groups can still be made."""
    api.mood = lambda: fault if api.calls[-1][0] == "get-groups" else None
    checked = Checked(environ)
    assert (checked.status, checked.states("get-groups", "add-group")) == (0, ["warning", "ok"])
    line = checked.lines["get-groups"]
    assert all(lost in line.text for lost in ("by name", "suggested", "looked up"))
    assert "representative" in line.remedy


@pytest.mark.parametrize(
    ("fault", "remedy"), [(404, "representative"), (401, "representative"), (402, "balance"), ("text", "answers")]
)
def test_add_group_missing(environ: dict[str, str], api: Api, fault: int | str, remedy: str) -> None:
    """The one method that the bot is for does not answer this account."""
    api.mood = lambda: fault if api.calls[-1][0] == "add-group" else None
    checked = Checked(environ)
    assert (checked.status, checked.wrong) == (1, ["add-group"])
    assert remedy in checked.lines["add-group"].remedy


def test_add_group_that_makes_a_group_all_the_same(environ: dict[str, str], api: Api) -> None:
    """Against all documentation; then the check says which group to remove."""

    class Careless(Api):
        def respond(self, request: Request, connection: socket.socket) -> Answer | None:
            if "add-group" not in request.path:
                return super().respond(request, connection)
            return Answer(200, b'{"response": {"status": {"code": 200}, "group": {"id": 97199}}}')

    with Careless(api.key, api.hash) as careless:
        checked = Checked({**environ, "ILETIMERKEZI_API_URL": f"{careless.url}/v1"})
    assert checked.wrong == ["add-group"]
    assert "97199" in checked.lines["add-group"].remedy


# The database.


def journal(url: str) -> None:
    """Make a journal with its tables."""
    engine = database.connect(url)
    database.migrate(engine)
    engine.dispose()


@contextlib.contextmanager
def changed(url: str) -> Iterator[Callable[[str], object]]:
    """Change a database in SQL."""
    engine = database.connect(url)
    with engine.begin() as connection:
        yield connection.exec_driver_sql
    engine.dispose()


def test_no_tables_are_made(environ: dict[str, str], database_url: str) -> None:
    """An empty database is ok, and empty afterwards; one with tables is ok, and has no more rows afterwards."""
    if database_url.startswith("sqlite"):
        Path(database_url.removeprefix("sqlite:///")).touch()
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert "serve makes the tables" in checked.lines["database"].text
    engine = database.connect(database_url)
    assert inspect(engine).get_table_names() == []
    journal(database_url)
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert f"with schema {database.VERSION}" in checked.lines["database"].text
    with engine.connect() as connection:
        assert connection.execute(select(database.processes)).all() == []
    engine.dispose()


def test_a_newer_schema(environ: dict[str, str], database_url: str) -> None:
    """A warning: the journal only ever grows, so an older bot works with it for a while."""
    journal(database_url)
    with changed(database_url) as sql:
        sql("UPDATE schema_version SET version = 99")
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert (checked.status, checked.states("database")) == (0, ["warning"])
    assert "99" in checked.lines["database"].text
    assert "Update" in checked.lines["database"].remedy


def test_an_older_schema(environ: dict[str, str], database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ok, and said that serve will bring it up to date."""
    journal(database_url)
    monkeypatch.setattr(database, "VERSION", 7)
    checked = Checked({**environ, "DATABASE_URL": database_url})
    assert checked.states("database") == ["ok"]
    assert "serve brings it to 7" in checked.lines["database"].text


def test_tables_of_somebody_else(environ: dict[str, str], database_url: str) -> None:
    """A table of the same name that another program made does not pass for the journal's."""
    with changed(database_url) as sql:
        sql("CREATE TABLE jobs (id TEXT PRIMARY KEY)")
    assert Checked({**environ, "DATABASE_URL": database_url}).wrong == ["database"]


def test_a_database_that_cannot_be_reached(environ: dict[str, str], refusing: str) -> None:
    """The reason, the host and the database, but neither user nor password."""
    address = refusing.removeprefix("http://")
    checked = Checked({**environ, "DATABASE_URL": f"postgres://somebody:hidden@{address}/journal"})
    assert (checked.status, checked.wrong) == (1, ["database"])
    line = checked.lines["database"]
    assert line.text.startswith("PostgreSQL 127.0.0.1/journal: ")
    assert "refused" in line.text
    assert "DATABASE_URL" in line.remedy
    assert "hidden" not in checked.printed


def test_a_postgresql_that_may_only_be_read(environ: dict[str, str], postgres: Any) -> None:
    """A standby, or a user without rights, is found by writing."""
    postgres.psql("CREATE DATABASE standby;")
    url = str(postgres.get_uri("standby"))
    journal(url)
    postgres.psql("ALTER DATABASE standby SET default_transaction_read_only = on;")
    checked = Checked({**environ, "DATABASE_URL": url})
    assert checked.wrong == ["database"]
    assert "read-only" in checked.lines["database"].text


def test_a_sqlite_file_where_none_can_be(environ: dict[str, str], tmp_path: Path) -> None:
    """A folder that is missing, one in which nothing can be written, and a file that is no database."""
    (tmp_path / "text.db").write_text("Dear diary, this is not a database. " * 100)
    places = {f"{tmp_path}/none/x.db": "No such file", "/proc/x.db": "/proc", f"{tmp_path}/text.db": "not a database"}
    for path, told in places.items():
        checked = Checked({**environ, "DATABASE_URL": f"sqlite:///{path}"})
        assert checked.wrong == ["database"]
        assert told in checked.lines["database"].text
        assert "Let the bot's user write in" in checked.lines["database"].remedy


def test_a_driver_that_is_not_installed(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg, PostgreSQL is out of reach, and the remedy is to install it."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    checked = Checked({**environ, "DATABASE_URL": "postgres://bot@127.0.0.1/journal"})
    assert checked.wrong == ["database"]
    assert "pip install" in checked.lines["database"].remedy


def test_sqlite_on_a_disk_that_does_not_last(environ: dict[str, str]) -> None:
    """On a Heroku dyno a file is lost every day: a warning."""
    checked = Checked({**environ, "DYNO": "web.1"})
    assert (checked.status, checked.states("disk", "database")) == (0, ["warning", "ok"])

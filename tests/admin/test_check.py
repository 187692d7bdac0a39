"""The self-check as a whole: every part well, what it leaves behind, what it says of the settings."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bot.admin.check_api import NO_PARENT
from bot.admin.check_slack import SCOPES
from bot.sandbox.api import Api
from bot.sandbox.loopback import Answer, Request
from bot.sandbox.workspace import APP_TOKEN, Workspace
from bot.settings import SECRETS
from tests.support.check import Checked, Line
from tests.support.served import inherited

ROOT = Path(__file__).parents[2]


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
        "PORT",
        "METRICS_PORT",
    ]
    assert {part for part, line in checked.lines.items() if line.state != "ok"} == {"Socket Mode token", "METRICS_PORT"}
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
    for secret in ("xoxb-", "xapp-", "wrong-", environ["SLACK_SIGNING_SECRET"], "-of-tests"):
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


def test_all_problems_of_the_settings_at_once_and_the_rest_still_checked(environ: dict[str, str]) -> None:
    """Each problem is a line with its remedy; parts whose own settings are right are tried anyway."""
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


def test_secrets_from_files(environ: dict[str, str], tmp_path: Path) -> None:
    """Every part is tried with what the files hold."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    for name in SECRETS:
        if value := environ.get(name):
            (folder / name).write_text(f"{value}\n")
            environ = {**environ, name: "", f"{name}_FILE": str(folder / name)}
    checked = Checked(environ)
    assert (checked.status, checked.wrong) == (0, [])
    assert checked.states("Slack token", "signing secret", "add-group", "database") == ["ok"] * 4


def test_a_misspelt_name(environ: dict[str, str]) -> None:
    """It is pointed out with the right one; one that may be meant as a restriction is wrong, as it is for serve."""
    checked = Checked({**environ, "ADDGROUP_LANG": "tr"})
    assert checked.status == 0
    assert "warning  settings: ADDGROUP_LANG is not a variable of this bot\n" in checked.printed
    assert "-> Do you mean ADDGROUP_LANGUAGE? Correct the name." in checked.printed
    checked = Checked({**environ, "ADDGROUP_MEMBER": "U1"})
    assert (checked.status, checked.wrong) == (1, ["settings"])
    assert checked.lines["settings"] == Line(
        "WRONG", "ADDGROUP_MEMBER is not a variable of this bot", "Do you mean ADDGROUP_MEMBERS?"
    )


def test_a_proxy_that_is_not_understood(environ: dict[str, str]) -> None:
    """What would be sent through it is not tried, and its password is not shown."""
    checked = Checked({**environ, "HTTPS_PROXY": "bot:hidden-1@proxy:8080"})
    assert checked.wrong == ["settings"]
    assert checked.states("Slack token", "iletiMerkezi credentials") == ["skipped", "skipped"]
    assert "hidden" not in checked.printed


def test_the_password_of_a_proxy(environ: dict[str, str], refusing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that cannot be used is told as such, without its password."""
    proxy = refusing.replace("//", "//bot:hid%2Fden@")
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    elsewhere = {"SLACK_API_URL": "https://slack.invalid/api/", "ILETIMERKEZI_API_URL": "https://api.invalid/v1"}
    checked = Checked({**environ, **elsewhere, "HTTPS_PROXY": proxy})
    assert checked.wrong == ["Slack token", "iletiMerkezi credentials"]
    assert not re.search("hid(%2F|/)den", checked.printed)


def test_output_of_another_encoding(environ: dict[str, str]) -> None:
    """What a terminal cannot show is escaped, and is no reason for a traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "check"],
        cwd=ROOT,
        env={**inherited(), **environ, "DATABASE_URL": "sqlite:////none/müşteri.db", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    assert r"m\xfc\u015fteri.db" in ended.stdout

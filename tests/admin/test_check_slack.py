"""The self-check of Slack's side: every part broken for real, one at a time, and what it says then."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.admin.check_slack import SCOPES, clock
from bot.sandbox.loopback import Answer, Loopback, Request
from bot.sandbox.workspace import APP_TOKEN, Workspace
from tests.support.check import Checked, Line

ROOT = Path(__file__).parents[2]


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


@pytest.mark.parametrize("secret", ["", "abc"])
def test_a_signing_secret_that_is_none(environ: dict[str, str], secret: str) -> None:
    """A missing and a too short one are wrong settings, as they are for serve, with where the right one is."""
    checked = Checked({**environ, "SLACK_SIGNING_SECRET": secret})
    assert (checked.status, checked.wrong) == (1, ["settings"])
    assert "SLACK_SIGNING_SECRET" in checked.lines["settings"].text
    assert "Signing Secret" in checked.lines["settings"].remedy
    assert checked.states("signing secret") == ["skipped"]


def test_a_signing_secret_that_looks_odd(environ: dict[str, str]) -> None:
    """One of another shape is pointed out, not refused: Slack nowhere promises the shape."""
    checked = Checked({**environ, "SLACK_SIGNING_SECRET": "verification-token"})
    assert checked.wrong == []
    assert checked.states("signing secret") == ["warning"]
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
    assert clock(date).state == "skipped"

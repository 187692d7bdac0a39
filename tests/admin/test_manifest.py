"""manifest.yml against Slack's schema, and against what the bot really does."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.admin import check
from bot.model.grammar import COMMAND
from bot.slack.texts import load
from tests.support.program import run_to_end
from tests.support.served import inherited
from tests.support.worker import Start
from tests.support.workspace import Workspace

ROOT = Path(__file__).parents[2]

SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "users.info": "users:read",
    "usergroups.users.list": "usergroups:read",
}
"""The scope of each method of the Web API that the bot calls. Source: https://docs.slack.dev/reference/methods"""

NO_SCOPE = {"auth.test", "views.open", "views.publish"}


@pytest.fixture
def manifest() -> Any:
    return yaml.safe_load((ROOT / "manifest.yml").read_text())


def printed(*arguments: str) -> Any:
    """Return what `python -m bot manifest` prints, which Slack takes by its own schema."""
    schema = json.loads((ROOT / "tests/slack-manifest/manifest.schema.1.0.0.json").read_text())
    made = yaml.safe_load(run_to_end("manifest", *arguments, env=inherited()).stdout)
    jsonschema.Draft7Validator(schema).validate(made)
    return made


def test_the_file_is_the_one_for_socket_mode(manifest: Any) -> None:
    """Without an address the file is printed as it is."""
    assert printed() == manifest
    assert manifest["settings"]["socket_mode_enabled"] is True


@pytest.mark.parametrize("url", ["https://addgroup.example.com", "https://x.test:8443/"])
def test_the_one_for_http_names_the_address_everywhere(url: str) -> None:
    """Command, buttons and suggestions go to the address; the rest stays."""
    changed, address = printed("--url", url), f"{url.removesuffix('/')}/slack/events"
    assert changed["features"]["slash_commands"][0]["url"] == address
    interactivity = changed["settings"]["interactivity"]
    assert interactivity == {"is_enabled": True, "request_url": address, "message_menu_options_url": address}
    assert changed["settings"]["socket_mode_enabled"] is False
    assert changed["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened"], "request_url": address}


def test_the_apps_own_names_are_turkish_where_that_is_wanted(manifest: Any) -> None:
    """The command's description and hint, and the shortcut; nothing else differs."""
    turkish = printed("--language", "tr")
    (command,), (shortcut,) = turkish["features"]["slash_commands"], turkish["features"]["shortcuts"]
    assert shortcut["name"] == "Mesajdan grup oluştur"
    told = {"usage_hint": "ad üst=grup | liste | yardım", "description": "iletiMerkezi'nde grup oluşturur"}
    assert told.items() <= command.items()
    for app in (manifest, turkish):
        del app["display_information"]["description"], app["features"]["slash_commands"], app["features"]["shortcuts"]
    assert turkish == manifest


@pytest.mark.parametrize("url", ["http://addgroup.example.com", "addgroup.example.com", "https://x.test/slack/events"])
def test_an_address_that_slack_would_not_call_is_refused(url: str) -> None:
    """Exit status 2 and an example."""
    ended = run_to_end("manifest", "--url", url, env=inherited())
    assert (ended.returncode, ended.stdout, "https://addgroup.example.com" in ended.stderr) == (2, "", True)


def test_command_and_shortcut_are_those_that_are_listened_to(manifest: Any, start: Start, workspace: Workspace) -> None:
    """One of each; the shortcut opens the form, under a name that Slack takes and that the help has too."""
    (command,), (shortcut,) = manifest["features"]["slash_commands"], manifest["features"]["shortcuts"]
    assert (command["command"], shortcut["type"]) == (COMMAND, "message")
    for language in ("en", "tr"):
        (named,) = printed("--language", language)["features"]["shortcuts"]
        assert len(named["name"]) <= 24, "https://docs.slack.dev/interactivity/implementing-shortcuts"
        assert len(named["description"]) <= 150
        assert f"“{named['name']}”" in load(language)["help.text"]
    workspace.shortcut(start().url, workspace.say("VIP"), callback_id=shortcut["callback_id"])
    assert workspace.wait_for(lambda: bool(workspace.forms))


def test_each_scope_has_a_use_and_each_use_its_scope(manifest: Any, workspace: Workspace) -> None:
    """The scopes are those of the methods that the code calls, the command's, and posting where nobody invited it.

    The check and the stand-in name the same.
    """
    code = "".join(path.read_text() for path in (ROOT / "bot/slack").glob("*.py"))
    methods = r'"((?:auth|chat|conversations|files|reactions|team|usergroups|users|views)\.[A-Za-z.]+)"'
    called = set(re.findall(methods, code))
    used = {SCOPES[method] for method in called - NO_SCOPE} | {"commands", "chat:write.public"}
    scopes = manifest["oauth_config"]["scopes"]["bot"]
    assert set(scopes) == used
    assert scopes == list(check.SCOPES) == workspace.scopes

"""manifest.yml against Slack's schema, and against what the bot really does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.slack.listeners import COMMAND

ROOT = Path(__file__).parents[1]

SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "users.info": "users:read",
    "usergroups.users.list": "usergroups:read",
}
"""The scope of each method of the Web API that the bot calls. Source: https://docs.slack.dev/reference/methods"""

NO_SCOPE = {"views.open"}


@pytest.fixture
def manifest() -> Any:
    return yaml.safe_load((ROOT / "manifest.yml").read_text())


def test_slack_accepts_it(manifest: Any) -> None:
    """The file is valid by Slack's own schema."""
    schema = json.loads((ROOT / "tests/slack-manifest/manifest.schema.1.0.0.json").read_text())
    jsonschema.Draft7Validator(schema).validate(manifest)


def test_the_command_is_the_one_that_is_listened_to(manifest: Any) -> None:
    """One command, and it is the listener's."""
    assert [entry["command"] for entry in manifest["features"]["slash_commands"]] == [COMMAND]


def test_each_scope_has_a_use_and_each_use_its_scope(manifest: Any) -> None:
    """The scopes are those of the methods that the code calls, the command's, and posting where nobody invited it."""
    code = "".join(path.read_text() for path in (ROOT / "bot/slack").glob("*.py"))
    called = {name.replace("_", ".") for name in re.findall(r"(?:_client|_slack)\.(\w+_\w+)\(", code)}
    used = {SCOPES[method] for method in called - NO_SCOPE} | {"commands", "chat:write.public"}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == used


def test_readme_gives_each_scope_its_reason(manifest: Any) -> None:
    """Who installs the bot reads why it asks for each scope."""
    readme = (ROOT / "README.md").read_text()
    for scope in manifest["oauth_config"]["scopes"]["bot"]:
        assert f"| `{scope}` |" in readme

"""Who somebody is: through the stand-in for Slack's Web API."""

from __future__ import annotations

import pytest
from slack_sdk import WebClient

from bot.sandbox.workspace import BOT_TOKEN, Workspace
from bot.slack.users import Users


@pytest.fixture
def slack(workspace: Workspace) -> WebClient:
    return WebClient(BOT_TOKEN, base_url=f"{workspace.url}/api/", retry_handlers=[], timeout=1)


@pytest.mark.parametrize(("locale", "language"), [("tr-TR", "tr"), ("en-GB", "en"), ("de-DE", "en"), ("", "en")])
def test_the_language_is_that_of_the_persons_slack(
    workspace: Workspace, slack: WebClient, locale: str, language: str
) -> None:
    """Turkish for Turkish, English for every other; known without asking from then on."""
    workspace.locales["U1"] = locale
    people = Users(slack, "auto")
    assert people.known_language("U1") == ""
    assert people.language("U1") == language
    assert people.known_language("U1") == language


def test_a_fixed_language_asks_nobody(workspace: Workspace, slack: WebClient) -> None:
    """ADDGROUP_LANGUAGE=tr is Turkish for everybody."""
    assert Users(slack, "tr").language("U1") == Users(slack, "tr").known_language("U1") == "tr"
    assert not workspace.calls


@pytest.mark.parametrize("fault", ["user_not_found", 500, "drop", "silence"])
def test_a_language_that_slack_does_not_say_is_english_for_now(
    workspace: Workspace, slack: WebClient, fault: int | str
) -> None:
    """A fault is English, and is not remembered: the next time Slack is asked again."""
    workspace.locales["U1"] = "tr-TR"
    workspace.faults["users.info"].append(fault)
    people = Users(slack, "auto")
    assert people.language("U1") == "en"
    assert people.language("U1") == "tr"

"""Who somebody is: through the stand-in for Slack's Web API."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.client import SlackClient
from bot.slack.people import People
from tests.support.peer import AMPLE, SHORT
from tests.support.workspace import BOT_TOKEN, Workspace


@pytest.fixture
def slack(workspace: Workspace) -> SlackClient:
    return SlackClient(BOT_TOKEN, f"{workspace.url}/api/", AMPLE)


@pytest.mark.parametrize(
    ("chosen", "locale", "tz", "language"),
    [
        ("", "en-US", "Europe/Istanbul", "tr"),
        ("", "de-DE", "Turkey", "tr"),
        ("", "tr-TR", "America/New_York", "tr"),
        ("", "en-GB", "Europe/London", "en"),
        ("", "", None, "en"),
        ("", None, None, "en"),
        ("en", "tr-TR", "Europe/Istanbul", "en"),
        ("tr", "en-US", "Europe/London", "tr"),
    ],
)
def test_the_language_is_the_chosen_one_then_that_of_locale_and_time_zone(
    workspace: Workspace, slack: SlackClient, chosen: str, locale: str | None, tz: str | None, language: str
) -> None:
    """Slack itself has no Turkish, so the time zone tells; known without asking from then on."""
    workspace.people["U1"] = {"locale": locale, "tz": tz}
    users = People(slack, "auto", {"U1": chosen}.__getitem__)
    assert users.known_language("U1") == ""
    assert users.person("U1").language == language
    assert users.language("U1") == users.known_language("U1") == language


@pytest.mark.parametrize(
    ("described", "kind"),
    [
        ({"profile": None, "tz": None, "locale": None, "enterprise_user": {"teams": None}}, ""),
        ({"profile": "?", "enterprise_user": "?", "tz": 3, "locale": ["tr"], "is_restricted": None}, ""),
        ({"team_id": None, "enterprise_user": {"teams": ["T1"]}}, ""),
        ({"team_id": None, "enterprise_user": {"teams": None}}, "foreign"),
        ({"team_id": None, "enterprise_user": {"teams": [None, {"T1": 1}]}}, "foreign"),
        ({"is_restricted": True, "profile": None}, "guest"),
    ],
)
def test_fields_that_are_null_let_nobody_in_and_break_nothing(
    workspace: Workspace, slack: SlackClient, described: dict[str, Any], kind: str
) -> None:
    """Of a person whose workspace is this one, what else Slack leaves open does not matter."""
    workspace.people["U1"] = described
    assert People(slack, "auto").person("U1").kind == kind


def test_a_choice_counts_at_once(workspace: Workspace, slack: SlackClient) -> None:
    """Also in a process that did not take it; where it was taken, the person is forgotten."""
    choices = {"U1": ""}
    users = People(slack, "auto", choices.__getitem__)
    assert users.language("U1") == "en"
    choices["U1"] = "tr"
    assert users.language("U1") == "tr"
    assert users.known_language("U1") == "en"
    users.forget("U1")
    assert users.known_language("U1") == ""
    assert users.person("U1").language == "tr"


@pytest.mark.parametrize("fault", ["user_not_found", 500])
def test_a_choice_needs_no_slack(workspace: Workspace, slack: SlackClient, fault: int | str) -> None:
    """Who chose Turkish reads Turkish although Slack says nothing."""
    workspace.faults["users.info"].append(fault)
    assert People(slack, "auto", lambda _user: "tr").language("U1") == "tr"


def test_a_fixed_language_asks_nobody(workspace: Workspace, slack: SlackClient) -> None:
    """ADDGROUP_LANGUAGE=tr is Turkish for everybody."""
    assert People(slack, "tr", lambda _user: "en").language("U1") == People(slack, "tr").known_language("U1") == "tr"
    assert not workspace.calls


def test_a_person_is_asked_for_ahead(workspace: Workspace, slack: SlackClient) -> None:
    """Anyone who needs the answer later shares the call that is under way."""
    users = People(slack, "auto")
    users.prefetch("U1")
    users.prefetch("U1")
    assert users.language("U1") == "en"
    assert sorted(method for method, _ in workspace.calls) == ["auth.test", "users.info"]


@pytest.mark.parametrize("fault", ["user_not_found", 500, "drop", "silence"])
def test_a_language_that_slack_does_not_say_is_english_for_now(
    workspace: Workspace, slack: SlackClient, fault: int | str
) -> None:
    """A fault is English, and is not remembered: the next time Slack is asked again."""
    workspace.locales["U1"] = "tr-TR"
    workspace.faults["users.info"].extend([fault] * 4)  # a call over a kept connection that was closed goes out again
    users = People(slack.within(SHORT if fault == "silence" else AMPLE), "auto")
    assert users.language("U1") == "en"
    workspace.faults["users.info"].clear()
    users.slack = slack
    assert users.language("U1") == "tr"

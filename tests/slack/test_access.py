"""Who may use the command: decided by what Slack says of people, and refused where it does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.slack.texts import load
from tests.support.texts import part
from tests.support.workspace import Message, Workspace

Start = Callable[..., Bot]

NEVER: list[tuple[str, dict[str, Any]]] = [
    ("guest", {"is_restricted": True}),
    ("guest", {"is_restricted": True, "is_ultra_restricted": True}),
    ("foreign", {"team_id": "T9"}),
    ("foreign", {"is_stranger": True}),
    ("bot", {"is_bot": True}),
    ("deactivated", {"deleted": True}),
]


def refused(workspace: Workspace, reason: str, language: str = "en", user: str = "U1") -> Message:
    """Wait until somebody is refused privately for a reason, and return what they were told."""
    sentence = load(language)[f"denied.{reason}.title"]
    assert workspace.wait_for(lambda: any(sentence in m.text for m in workspace.private(user))), workspace.messages
    return next(m for m in workspace.private(user) if sentence in m.text)


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize(("reason", "person"), NEVER)
def test_only_full_members_may(
    start: Start, workspace: Workspace, api: Api, reason: str, person: dict[str, Any], language: str
) -> None:
    """Guests, people of other workspaces, bots and deactivated people never, listed or not; they read who to ask."""
    workspace.people["U1"] = {**person, "locale": f"{language}-XX"}
    workspace.command(start(ADDGROUP_MEMBERS="U1").url, "VIP")
    message = refused(workspace, reason, language)
    assert part(language, "denied.guest.next" if reason in ("guest", "foreign") else "denied.next") in message.text
    assert "`VIP`" in message.text
    assert not workspace.roots()
    assert not api.calls


def test_people_of_a_grid_organisation_are_members_where_they_are(start: Start, workspace: Workspace, api: Api) -> None:
    """In Enterprise Grid a person's team_id may be another of the organisation's workspaces."""
    workspace.people["U1"] = {"team_id": "T9", "enterprise_user": {"teams": ["T9", "T1"]}}
    workspace.command(start().url, "VIP")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))


@pytest.mark.parametrize(
    ("members", "user", "allowed"),
    [
        ("U1,U2", "U2", True),
        ("U1", "U2", False),
        ("S1", "U3", True),
        ("S1", "U1", False),
        ("U1,S1", "U3", True),
        ("S1,S9", "U3", True),
    ],
)
def test_members_are_people_and_user_groups(
    start: Start, workspace: Workspace, api: Api, members: str, user: str, allowed: bool
) -> None:
    """ADDGROUP_MEMBERS lists users and user groups; anyone in neither is refused."""
    workspace.usergroups["S1"] = ["U3"]
    workspace.command(start(ADDGROUP_MEMBERS=members).url, "VIP", user=user)
    if allowed:
        assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    else:
        refused(workspace, "not_listed", user=user)
    assert api.made() == allowed


def test_the_channels_are_those_that_are_listed(start: Start, workspace: Workspace, api: Api) -> None:
    """Elsewhere the command, the form and the suggestions are refused."""
    bot = start(ADDGROUP_CHANNELS="C1,C2", ADDGROUP_LANGUAGE="en")
    workspace.command(bot.url, "VIP", channel="C3")
    assert "<#C1>, <#C2>" in refused(workspace, "channel").text
    assert load("en")["denied.channel.title"] in workspace.command(bot.url, "", channel="C3").text
    assert not workspace.forms
    assert not api.made()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("user_not_found", "unknown_person"),
        ("users_not_found", "unknown_person"),
        ("user_not_visible", "unknown_person"),
        ("missing_scope", "no_scope"),
        ("a_word_of_tomorrow", "no_scope"),
        (500, "unknown"),
        ("drop", "unknown"),
        ("ratelimited:0", "unknown"),
    ],
)
@pytest.mark.parametrize("language", ["en", "tr"])
def test_what_cannot_be_found_out_is_a_refusal(
    start: Start,
    workspace: Workspace,
    api: Api,
    fault: int | str,
    reason: str,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An unknown person or an unreachable directory lets nobody in; only what may pass is worth another try."""
    monkeypatch.setattr("bot.worker.worker.LONGEST_WAIT", 0.05)
    workspace.faults["users.info"].extend([fault] * 30)  # a call that may go out again does
    workspace.command(start(ADDGROUP_LANGUAGE=language).url, "VIP")
    message = refused(workspace, reason, language)
    again = {"en": "in a few minutes", "tr": "birkaç dakika"}[language]
    assert (again in message.text) == (reason == "unknown")
    assert not api.calls


def test_a_first_help_is_no_fault(start: Start, workspace: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    """Whether the sender may use the command is not waited for, and that is nothing to warn of."""
    workspace.command(start().url, "help")
    assert workspace.wait_for(lambda: bool(workspace.private()))
    assert "person_not_looked_up" not in caplog.messages


def test_an_unreadable_user_group_is_a_refusal(start: Start, workspace: Workspace, api: Api) -> None:
    """A user group that is gone, or a missing scope, refuses who is not listed otherwise."""
    workspace.command(start(ADDGROUP_MEMBERS="S404").url, "VIP")
    refused(workspace, "no_scope")
    assert not api.calls


def test_a_passing_fault_costs_nobody_the_command(start: Start, workspace: Workspace, api: Api) -> None:
    """Slack fails once to say who somebody is, and the group is made anyway."""
    workspace.faults["users.info"].extend(["drop", "drop"])
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, "VIP")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    assert api.made() == 1


def test_form_buttons_suggestions_and_history_keep_the_same_rule(start: Start, workspace: Workspace, api: Api) -> None:
    """Who may not type the command may not press either, and sees neither groups nor jobs."""
    bot = start(ADDGROUP_MEMBERS="U1", ADDGROUP_LANGUAGE="en")
    api.faults.append(503)
    workspace.command(bot.url, "Secret")
    assert workspace.wait_for(lambda: any(m.thread_ts for m in workspace.messages))
    answer = next(m for m in workspace.messages if m.thread_ts)
    assert workspace.suggest(bot.url, "") != []

    assert workspace.suggest(bot.url, "", user="U2") == []
    assert workspace.suggest(bot.url, "5", user="U2") == []
    assert load("en")["denied.not_listed.title"] in workspace.command(bot.url, "", user="U2").text
    workspace.command(bot.url, "history", user="U2")
    workspace.command(bot.url, "SECRET", user="U2")
    workspace.press(bot.url, answer, "again", user="U2")
    assert workspace.wait_for(lambda: len(workspace.private("U2")) == 3)
    for message in workspace.private("U2"):
        assert load("en")["denied.not_listed.title"] in message.text
        assert "<@U1>" not in message.text
    assert 'parent="Customers"' in workspace.command(bot.url, "help", user="U1").text
    assert 'parent="Customers"' not in workspace.command(bot.url, "help", user="U2").text
    assert not workspace.forms
    assert api.made() == 1
    workspace.press(bot.url, answer, "again", user="U1")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))


def test_the_audit_channel_gets_creations_and_refusals(start: Start, workspace: Workspace, api: Api) -> None:
    """A line for each group and for each refused person, with the job's reference; nothing for a refused name."""
    bot = start(ADDGROUP_AUDIT_CHANNEL="CAUDIT", ADDGROUP_MEMBERS="U1")
    api.faults.append(461)
    workspace.command(bot.url, "Nothing")
    assert workspace.finished()
    workspace.command(bot.url, '"<!channel>"')
    workspace.command(bot.url, "VIP", user="U2")
    assert workspace.wait_for(lambda: len(workspace.roots("CAUDIT")) == 2)
    lines = sorted(m.text for m in workspace.roots("CAUDIT"))
    assert lines[0].startswith("✓ `&lt;!channel&gt;` *created* · ID `97101` · by u1 (`U1`) (reference ")
    assert lines[1].startswith("✗ u2 (`U2`) was refused: only the people on the bot's list")


def test_an_audit_channel_that_cannot_be_posted_in_holds_nothing_up(
    start: Start, workspace: Workspace, api: Api
) -> None:
    """The group is made and told; the log says that the audit channel was not."""
    workspace.closed["CAUDIT"] = "not_in_channel"
    workspace.command(start(ADDGROUP_AUDIT_CHANNEL="CAUDIT").url, "VIP")
    assert workspace.finished()
    assert api.made() == 1

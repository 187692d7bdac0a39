"""Who somebody is and whether they may: decided by what Slack says of people, and refused where it does not say."""

from typing import Any

import pytest

from bot.model.job import TryLater
from bot.slack.client import SlackClient
from bot.slack.people import People
from bot.slack.texts import Voice, load
from bot.worker import worker
from tests.support.peer import AMPLE, SHORT
from tests.support.provider import Api
from tests.support.slack import told
from tests.support.texts import part
from tests.support.worker import Start
from tests.support.workspace import BOT_TOKEN, Message, Workspace


def nobody(_user: str) -> str:
    """Tell that somebody has chosen no language."""
    return ""


# What Slack says of a person, who is listed, where, and why they may not.
RULES: list[tuple[dict[str, Any], list[str], str, str]] = [
    ({}, [], "C1", ""),
    ({}, [], "C3", "channel"),
    ({"is_restricted": True}, ["U1"], "C1", "guest"),
    ({"is_restricted": True, "is_ultra_restricted": True}, [], "C1", "guest"),
    ({"team_id": "T9"}, ["U1"], "C1", "foreign"),
    ({"is_stranger": True}, [], "C1", "foreign"),
    ({"is_bot": True}, ["U1"], "C1", "bot"),
    ({"deleted": True}, ["U1"], "C1", "deactivated"),
    ({"team_id": "T9", "enterprise_user": {"teams": ["T9", "T1"]}}, [], "C1", ""),  # of the same Enterprise Grid
    ({}, ["U9", "U1"], "C1", ""),
    ({}, ["U9"], "C1", "not_listed"),
    ({}, ["S1"], "C1", ""),
    ({}, ["S2"], "C1", "not_listed"),
    ({}, ["U9", "S1"], "C1", ""),
    ({}, ["S404"], "C1", "no_scope"),  # a user group that is gone
    ({}, ["S1", "S404"], "C1", ""),
    # What else Slack leaves open lets nobody in and breaks nothing.
    ({"profile": None, "tz": None, "locale": None, "enterprise_user": {"teams": None}}, [], "C1", ""),
    ({"team_id": None, "enterprise_user": {"teams": ["T1"]}}, [], "C1", ""),
    ({"team_id": None, "enterprise_user": {"teams": None}}, [], "C1", "foreign"),
]


def test_who_may(workspace: Workspace, slack: SlackClient) -> None:
    """Full members who are listed, themselves or in a user group, in the channels that are listed."""
    workspace.usergroups.update({"S1": ["U1"], "S2": ["U2"]})
    for described, members, channel, reason in RULES:
        workspace.people["U1"] = described
        found = People(slack, Voice("en", channels=("C1", "C2")), nobody, members).refusal("U1", channel)
        assert found == reason, (described, members)


UNCLEAR: dict[str, tuple[str | int, ...]] = {
    "unknown_person": ("user_not_found", "users_not_found", "user_not_visible"),
    "no_scope": ("missing_scope", "a_word_of_tomorrow"),
    "unknown": (500, "drop", "ratelimited:0", "invalid_auth"),
}
"""By the reason of the refusal: what Slack says instead of who somebody is."""


def test_a_doubt_is_a_refusal(workspace: Workspace, slack: SlackClient) -> None:
    """An unknown person or an unreachable directory lets nobody in; a job waits for what may pass."""
    for reason, fault in ((reason, fault) for reason, faults in UNCLEAR.items() for fault in faults):
        people, left = People(slack, "en", nobody), workspace.faults["users.info"]
        left.extend([fault] * 4)
        assert people.refusal("U1", "C1", AMPLE) == reason, fault
        if reason == "unknown":
            with pytest.raises(TryLater):
                people.refusal("U1", "C1")
        else:
            assert people.refusal("U1", "C1") == reason, fault
        left.clear()


# The language.


LANGUAGE_OF = {
    ("", "en-US", "Europe/Istanbul"): "tr",
    ("", "de-DE", "Turkey"): "tr",
    ("", "tr-TR", "America/New_York"): "tr",
    ("", "TR_tr", None): "tr",
    ("", "en-GB", "Europe/London"): "en",
    ("", "", None): "en",
    ("", None, None): "en",
    ("en", "tr-TR", "Europe/Istanbul"): "en",
    ("tr", "en-US", "Europe/London"): "tr",
}
"""By what a person chose, and the locale and the time zone that Slack tells."""


def test_the_language_is_the_chosen_one_or_slacks(workspace: Workspace, slack: SlackClient) -> None:
    """Slack itself has no Turkish, so the time zone tells; known without asking from then on."""
    for row, language in LANGUAGE_OF.items():
        workspace.people["U1"] = {"locale": row[1], "tz": row[2]}
        people = People(slack, "auto", {"U1": row[0]}.__getitem__)
        assert people.known_language("U1") == ""
        assert people.refusal("U1", "C1") == ""
        assert people.language("U1") == people.known_language("U1") == language, row


def test_a_choice_counts_at_once(workspace: Workspace, slack: SlackClient) -> None:
    """Also in a process that did not take it, and without Slack; where it was taken, the person is forgotten."""
    choices = {"U1": "", "U2": "tr"}
    people = People(slack, "auto", choices.__getitem__)
    assert people.language("U1") == "en"
    choices["U1"] = "tr"
    assert people.language("U1") == "tr"
    assert people.known_language("U1") == "en"
    people.forget("U1")
    assert people.known_language("U1") == ""
    assert (people.refusal("U1", "C1"), people.known_language("U1")) == ("", "tr")
    workspace.faults["users.info"].append(500)
    assert people.language("U2") == "tr"


def test_a_fixed_language_asks_nobody(workspace: Workspace, slack: SlackClient) -> None:
    """ADDGROUP_LANGUAGE=tr is Turkish for everybody, whatever they have chosen."""
    people = People(slack, "tr", lambda _user: "en")
    assert people.language("U1") == people.known_language("U1") == "tr"
    assert not workspace.calls


@pytest.mark.parametrize("fault", ["user_not_found", 500, "silence"])
def test_a_language_not_told_is_english_for_now(workspace: Workspace, slack: SlackClient, fault: int | str) -> None:
    """A fault is English, and is not remembered: the next time Slack is asked again."""
    workspace.locales["U1"] = "tr-TR"
    workspace.faults["users.info"].append(fault)
    client = SlackClient(BOT_TOKEN, f"{workspace.url}/api/", SHORT if fault == "silence" else AMPLE)
    people = People(client, "auto", nobody)
    assert people.language("U1") == "en"
    people.slack = slack
    assert people.language("U1") == "tr"


# Through the whole bot.


def refused(workspace: Workspace, reason: str, user: str) -> Message:
    """Wait until somebody is refused privately for a reason, and return what they were told."""
    return told(workspace, load("en")[f"denied.{reason}.title"], user)


def test_refusals_are_private(start: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is created, nobody else reads it, and they read who to ask; a passing fault costs nobody the command."""
    monkeypatch.setattr(worker, "LONGEST_WAIT", 0.05)
    bot = start(ADDGROUP_LANGUAGE="en", ADDGROUP_CHANNELS="C1,C2", ADDGROUP_MEMBERS="U1,U2,U3")
    workspace.people["U2"] = {"is_restricted": True}
    workspace.command(bot.url, "VIP", user="U2")
    assert part("en", "denied.guest.next") in refused(workspace, "guest", "U2").text
    workspace.command(bot.url, "VIP", channel="C3", user="U3")
    assert "<#C1>, <#C2>" in refused(workspace, "channel", "U3").text
    assert load("en")["denied.channel.title"] in workspace.command(bot.url, "", channel="C3", user="U3").text
    assert not workspace.forms
    assert not workspace.roots()
    assert not api.made()
    workspace.faults["users.info"].extend(["drop", "drop"])
    workspace.command(bot.url, "VIP")
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))


def test_suggestions_help_and_history_keep_the_same_rule(start: Start, workspace: Workspace) -> None:
    """Who may not type the command sees neither groups nor jobs; buttons: tests/test_who_may.py."""
    bot = start(ADDGROUP_MEMBERS="U1", ADDGROUP_LANGUAGE="en")
    assert workspace.suggest(bot.url, "") != []
    assert workspace.suggest(bot.url, "", user="U2") == workspace.suggest(bot.url, "5", user="U2") == []
    workspace.command(bot.url, "history", user="U2")
    refused(workspace, "not_listed", "U2")
    assert 'parent="Customers"' in workspace.command(bot.url, "help", user="U1").text
    assert 'parent="Customers"' not in workspace.command(bot.url, "help", user="U2").text


def test_the_audit_channel_gets_creations_and_refusals(start: Start, workspace: Workspace, api: Api) -> None:
    """A line for each group and for each refused person, with the job's reference; nothing for a refused name.

    Where it cannot be posted in, that holds nothing up.
    """
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
    workspace.closed["CAUDIT"] = "not_in_channel"
    workspace.command(bot.url, "Gold")
    assert workspace.wait_for(lambda: any("`Gold`" in m.text and m.thread_ts for m in workspace.messages))

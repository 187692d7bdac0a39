"""The journal or Slack fails: what cannot be written down is not done, and what was done is told, in some way."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.journal import JournalError
from bot.journal.journal import Journal
from bot.sandbox.loopback import Answer
from bot.slack import pace
from bot.slack.client import slack_client
from bot.slack.texts import say
from tests.support.provider import Api
from tests.support.slack import told
from tests.support.texts import part
from tests.support.until import until
from tests.support.worker import Logged, Outage, Start, answer
from tests.support.workspace import Workspace


def test_the_list_is_read_while_slack_says_who_it_is(
    start: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack answers only when the list of groups has been asked for."""
    honest, asked = workspace._users_info, list[bool]()

    def after_the_list(arguments: dict[str, Any]) -> Answer:
        asked.append(workspace.wait_for(lambda: api.made("get-groups") > 0, 30))
        return honest(arguments)

    monkeypatch.setattr(workspace, "_users_info", after_the_list)
    workspace.command(start().url, "VIP")
    assert workspace.finished()
    assert set(asked) == {True}


# The journal.


def test_what_cannot_be_written_down_is_not_done(
    start: Start, database_url: str, outage: Outage, workspace: Workspace, api: Api
) -> None:
    """The sender is told privately that nothing was created, the API is not called, and afterwards all is well."""
    url = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE="tr").url
    with outage():
        reply = workspace.command(url, "VIP")
        assert reply.status == 200
        assert reply.text.startswith(say("tr", "failure.journal"))
        until(lambda: requests.get(f"{url}/healthz", timeout=30).status_code == 503)
    until(lambda: requests.get(f"{url}/healthz", timeout=30).status_code == 200)
    workspace.command(url, "VIP")
    assert workspace.finished()
    assert len(workspace.roots()) == 1
    assert api.made() == 1


def test_a_refusal_that_was_not_written_is_written_later(
    start: Start, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal fails as a person is refused: the steps end in it as what the person was told."""
    workspace.people["U1"] = {"is_restricted": True}
    settle, failures = Journal._settle, iter([JournalError("the disk is full")])

    def failing(journal: Journal, *arguments: Any, **columns: Any) -> None:
        for failure in failures:
            raise failure
        settle(journal, *arguments, **columns)

    monkeypatch.setattr(Journal, "_settle", failing)
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, "VIP")
    assert told(workspace, say("en", "denied.guest.title"))
    book = Journal(f"sqlite:///{tmp_path}/journal.db")
    assert [step.state for job in book.recent(1, "U1") for step in job.steps] == ["denied"]
    book.close()


@pytest.mark.parametrize(("fault", "admitted"), [(500, False), ("invalid_auth", True)])
def test_a_person_of_whom_slack_does_not_tell_is_refused(
    start: Start, workspace: Workspace, api: Api, fault: int | str, admitted: bool
) -> None:
    """After a few attempts; but where it is the token that Slack refuses, the job waits for another one."""
    workspace.faults["users.info"].extend([fault] * 9)
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, "VIP")
    if admitted:
        assert workspace.finished()
    else:
        assert told(workspace, part("en", "denied.unknown.title"))
    assert api.made() == admitted
    assert len(workspace.faults["users.info"]) == (0 if admitted else 5)


@pytest.mark.parametrize("call", ["add-group", "chat.postMessage"])
def test_what_was_done_while_the_journal_is_away_is_not_forgotten(
    start: Start, database_url: str, outage: Outage, workspace: Workspace, api: Api, logged: Logged, call: str
) -> None:
    """A group that was made, and a root that was posted, are written down as soon as the database is back."""
    other: Any = api if call == "add-group" else workspace
    with contextlib.ExitStack() as stack:
        other.mood = lambda: stack.enter_context(outage()) if other.calls[-1][0] == call else None
        workspace.command(start(DATABASE_URL=database_url).url, "VIP")
        assert logged.wait_for("journal_failed")
        other.mood = lambda: None
    assert workspace.finished()
    (root,) = workspace.roots()
    assert api.made() == (part("en", "created.heading") in answer(workspace, root))  # or nothing was sent


# Slack.


@pytest.mark.parametrize("fault", ["ratelimited:0.1", "silence", "internal_error"])
def test_a_failure_of_slack_delays_the_answer(
    start: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch, fault: int | str
) -> None:
    """Neither root nor answer can be posted at first: the group is made once, and told when Slack is back."""
    monkeypatch.setattr("bot.bot.slack_client", lambda settings: slack_client(settings, 60))
    monkeypatch.setattr(pace, "INTERVAL", 0.1)
    workspace.faults["chat.postMessage"].extend([fault, fault])
    workspace.command(start().url, "VIP")
    for posts in (1, 2) if fault == "silence" else ():
        until(lambda: [method for method, _ in workspace.calls].count("chat.postMessage") >= posts)  # noqa: B023
        workspace.hang_up()
    assert workspace.wait_for(lambda: any(m.thread_ts for m in workspace.messages))
    (root,) = workspace.roots()
    assert part("en", "created.heading") in answer(workspace, root)
    assert api.made() == 1


def test_a_silenced_channel_holds_nobody_up(start: Start, workspace: Workspace, api: Api, logged: Logged) -> None:
    """More jobs than can be carried at once wait for one channel: their groups are made, and others are answered."""
    workspace.faults["chat.postMessage"].append("ratelimited:30")
    url = start(ADDGROUP_API_CALLS="1", ADDGROUP_LANGUAGE="en").url
    for name in "ABCD":
        workspace.command(url, name)
    assert logged.wait_for("postponed", 4)
    workspace.command(url, "E", channel="C2")
    assert workspace.finished()
    assert [m.channel for m in workspace.messages if m.thread_ts] == ["C2"]
    assert api.made() == len(api.groups) - 1 == 5


def test_a_channel_that_closes_meanwhile_gets_a_private_answer(start: Start, workspace: Workspace, api: Api) -> None:
    """The group that was made is told as made, to the one who asked."""
    api.mood = lambda: workspace.closed.setdefault("C1", "is_archived") and None
    workspace.command(start().url, "VIP")
    assert workspace.wait_for(lambda: bool(workspace.private()))
    (message,) = workspace.private()
    assert part("en", "created.heading") in message.text
    assert "`97101`" in message.text
    assert api.made() == 1


def test_an_answer_that_nobody_can_be_given_ends_the_job(start: Start, workspace: Workspace, logged: Logged) -> None:
    """It is in the log, and not tried for ever."""
    workspace.closed.update(C1="not_in_channel", U1="user_disabled")
    workspace.faults["response_url"].append(404)
    workspace.command(start().url, "VIP")
    assert logged.wait_for("answer_undeliverable")
    assert logged.wait_for("done")

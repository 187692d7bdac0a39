"""Where answers go, and which of Slack's answers mean later and which never."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from slack_sdk import WebClient

from bot.model.job import Job, Step, Thread, TryLater
from bot.model.outcome import Created
from bot.sandbox.workspace import BOT_TOKEN, Workspace
from bot.slack import client as calls
from bot.slack import delivery
from bot.slack.client import SlackRefused, tell
from bot.slack.delivery import Delivery

POST = "chat.postMessage"
ROOT = Thread("C1", "1.1")


@pytest.fixture
def job(workspace: Workspace) -> Job:
    """Return a settled job, asked for by U1 in C1."""
    return Job(
        user="U1",
        channel="C1",
        trigger="1.1",
        typed="VIP",
        language="en",
        response_url=f"{workspace.url}/response/U1/C1/1",
        steps=[Step(0, "VIP", outcome=Created("97101"))],
    )


@pytest.fixture
def talk(workspace: Workspace) -> Delivery:
    return Delivery(WebClient(BOT_TOKEN, base_url=f"{workspace.url}/api/", timeout=1, retry_handlers=[]))


def called(workspace: Workspace) -> list[str]:
    return [method for method, _ in workspace.calls]


METHODS: dict[str, Callable[[Delivery, Job], object]] = {
    POST: lambda talk, job: talk.post_answer(job, ROOT),
    "chat.update": lambda talk, job: talk.edit_root(job, ROOT),
}

every_method = pytest.mark.parametrize("method", METHODS)


@every_method
@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("ratelimited:7", 7.0),
        ("ratelimited:soon", None),
        ("ratelimited:0", None),
        (500, None),
        (502, None),
        (503, None),
        ("drop", None),
        ("silence", None),
        ("internal_error", None),
        ("fatal_error", None),
        ("service_unavailable", None),
        ("request_timeout", None),
        ("rate_limited", None),
        ("team_added_to_org", None),
        ("org_login_required", None),
        pytest.param(200, None, id="a page that is not Slack's"),
    ],
)
def test_what_passes_is_tried_again(
    talk: Delivery, job: Job, workspace: Workspace, method: str, fault: int | str, seconds: float | None
) -> None:
    """Too many calls, a failure of Slack's or of the way there: later, and when, if Slack says so."""
    workspace.faults[method].append(fault)
    with pytest.raises(TryLater) as raised:
        METHODS[method](talk, job)
    assert raised.value.seconds == seconds
    assert raised.value.why
    assert called(workspace) == [method], "it repeats nothing by itself"


@every_method
@pytest.mark.parametrize(
    "word",
    [
        "not_in_channel",
        "channel_not_found",
        "is_archived",
        "restricted_action",
        "message_not_found",
        "msg_too_long",
        "missing_scope",
        "invalid_auth",
        "account_inactive",
        "a_word_of_tomorrow",
    ],
)
def test_what_lasts_is_not_tried_again(talk: Delivery, job: Job, workspace: Workspace, method: str, word: str) -> None:
    """Slack's word for it comes with the error."""
    workspace.faults[method].append(word)
    with pytest.raises(SlackRefused) as raised:
        METHODS[method](talk, job)
    assert raised.value.error == word


def test_a_limit_silences_its_channel_alone(
    talk: Delivery, job: Job, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the limit ends, nothing is posted in that channel and nobody asked; elsewhere it goes on."""
    clock = [1000.0]
    monkeypatch.setattr(delivery, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    workspace.faults[POST].append("ratelimited:30")
    with pytest.raises(TryLater):
        talk.post_root(job)
    clock[0] += 20
    with pytest.raises(TryLater) as raised:
        talk.post_answer(job, ROOT)
    assert raised.value.seconds == pytest.approx(10)
    assert called(workspace) == [POST]
    talk.post_answer(job, Thread("C2", "2.2"))
    clock[0] += 11
    talk.post_answer(job, ROOT)
    assert [message.channel for message in workspace.messages] == ["C2", "C1"]


def test_root_answer_and_edit_belong_together(talk: Delivery, job: Job, workspace: Workspace) -> None:
    """The answer hangs under the root, the root can be edited, and both say in their metadata whose they are."""
    thread = talk.post_root(job)
    talk.post_answer(job, thread)
    talk.edit_root(job, thread)
    root, answer = workspace.messages
    assert (root.channel, root.ts, root.thread_ts) == (thread.channel, thread.ts, "")
    assert answer.thread_ts == thread.ts
    assert len(root.earlier) == 1
    assert [(m.job, m.outcome) for m in (root, answer)] == [(job.id, "created")] * 2


def test_a_private_answer_comes_where_the_person_typed(talk: Delivery, job: Job, workspace: Workspace) -> None:
    """Through the response_url, to the one who asked alone, with the remedy."""
    talk.answer_privately(job)
    (message,) = workspace.messages
    assert (message.private_to, message.channel) == ("U1", "C1")
    assert workspace.calls[-1][1]["response_type"] == "ephemeral"
    assert "`97101`" in message.text
    assert "/invite" in message.text


@pytest.mark.parametrize("fault", [404, 403, 410, None])
def test_without_a_response_url_it_is_a_direct_message(
    talk: Delivery, job: Job, workspace: Workspace, fault: int | None
) -> None:
    """It is refused, or was forgotten after half an hour."""
    if fault is None:
        job.response_url = ""
    else:
        workspace.faults["response_url"].append(fault)
    talk.answer_privately(job)
    (message,) = workspace.messages
    assert (message.channel, message.thread_ts, message.private_to) == ("U1", "", "")
    assert "`97101`" in message.text


@pytest.mark.parametrize(("fault", "seconds"), [("ratelimited:7", 7.0), (500, None), (503, None), ("drop", None)])
def test_a_response_url_that_fails_for_now_is_tried_again(
    talk: Delivery, job: Job, workspace: Workspace, fault: int | str, seconds: float | None
) -> None:
    """No direct message takes the place of what can still be said where the person typed."""
    workspace.faults["response_url"].append(fault)
    with pytest.raises(TryLater) as raised:
        talk.answer_privately(job)
    assert raised.value.seconds == seconds
    assert not workspace.messages


def test_a_silent_response_url_ends_in_time(job: Job, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after TIMEOUT, and its address, which is a secret, is in no error."""
    monkeypatch.setattr(calls, "TIMEOUT", 0.2)
    workspace.faults["response_url"].append("silence")
    began = time.monotonic()
    with pytest.raises(TryLater) as raised:
        tell(job.response_url, {"text": "Hello"})
    assert time.monotonic() - began < 10
    assert "response" not in f"{raised.value!r} {raised.value.why}"

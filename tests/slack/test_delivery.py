"""Where answers go: the channel, the thread, or one person alone; and in which order where Slack sets limits."""

from types import SimpleNamespace

import pytest

from bot.model.job import Job, Step, Thread, TryLater, kind_of
from bot.model.outcome import Created
from bot.slack.client import SlackClient
from bot.slack.delivery import Delivery
from tests.support.workspace import Workspace

POST = "chat.postMessage"


@pytest.fixture
def job(workspace: Workspace) -> Job:
    """Return a settled job, asked for by U1 in C1."""
    settled = [Step(0, "VIP", outcome=Created("97101"))]
    return Job("U1", "C1", "1.1", "VIP", settled, f"{workspace.url}/response/U1/C1/1", language="en")


@pytest.fixture
def talk(slack: SlackClient) -> Delivery:
    return Delivery(slack)


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


def test_otherwise_it_is_a_direct_message(talk: Delivery, job: Job, workspace: Workspace) -> None:
    """The response_url is refused, or was forgotten after half an hour."""
    workspace.faults["response_url"].extend([404, 403, 410])
    for _ in range(3):
        talk.answer_privately(job)
    job.response_url = ""
    talk.answer_privately(job)
    assert [(m.channel, m.thread_ts, m.private_to) for m in workspace.messages] == [("U1", "", "")] * 4
    assert all("`97101`" in m.text for m in workspace.messages)


def test_a_response_url_that_fails_for_now_is_tried_again(talk: Delivery, job: Job, workspace: Workspace) -> None:
    """No direct message takes the place of what can still be said where the person typed."""
    for fault in ("ratelimited:7", 500, "drop"):
        workspace.faults["response_url"].append(fault)
        with pytest.raises(TryLater):
            talk.answer_privately(job)
    assert not workspace.messages


def test_what_the_payload_says_of_its_channel() -> None:
    """Private channels and direct messages are told as such; only the name of a public one is a name."""
    names = {"ops": "public", "directmessage": "private", "mpdm-a--b--c-1": "private", "privategroup": "private"}
    assert {name: kind_of(name) for name in names} == names
    assert kind_of("") == ""


def test_edits_have_a_limit(talk: Delivery, job: Job, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages do not wait for it, nor in another channel; progress is left out while anybody has a result to show."""
    clock = [1000.0]
    monkeypatch.setattr("bot.slack.pace.time", SimpleNamespace(monotonic=lambda: clock[0]))
    thread = talk.post_root(job)
    for method, do in (("chat.update", lambda: talk.edit_root(job, thread)), (POST, lambda: talk.post_root(job))):
        workspace.faults[method].append("ratelimited:9")
        with pytest.raises(TryLater):
            do()
        with pytest.raises(TryLater, match="ratelimited"):
            do()
        talk.post_answer(job, thread if method == "chat.update" else Thread("C2", "2.2"))
    unsettled = Job("U1", "C1", "2", "A", [Step(0, "A")], language="en")
    clock[0] += 9
    with pytest.raises(TryLater):
        talk.edit_root(unsettled, thread)
    talk.edit_root(job, thread)
    assert [method for method, _ in workspace.calls] == [POST, "chat.update", POST, POST, POST, "chat.update"]

"""Faults of the bot itself, and what it does not know: told in the form that Slack shows for each kind of request."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.slack.texts import say, say_plain
from tests.support.slack import reference
from tests.support.workspace import Message, Reply, Workspace

INPUT = {"type": "input", "block_id": "group_name", "element": {"type": "plain_text_input", "action_id": "name"}}


def post(workspace: Workspace, url: str, **payload: Any) -> Reply:
    body = {"user": {"id": "U1"}, "team": {"id": "T1"}, "trigger_id": "1.2", **payload}
    return workspace.post(url, urlencode({"payload": json.dumps(body)}).encode())


def view(callback: str, blocks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    title = {"type": "plain_text", "text": "New group"}
    return {"id": "V1", "type": "modal", "callback_id": callback, "title": title, "blocks": blocks, **more}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"private_metadata": "{}", "state": {"values": {}}},
        {"private_metadata": '{"channel": "C1", "gone": 1}', "state": {"values": {}}},
        {"private_metadata": '{"channel": "C1"}', "state": {"values": {"name": ["VIP"]}}},
    ],
)
def test_a_form_that_fails_says_so_at_its_field(
    url: str, workspace: Workspace, caplog: pytest.LogCaptureFixture, more: dict[str, Any]
) -> None:
    """A state of another shape, or metadata of another version: what was typed stays in the form."""
    reply = post(workspace, url, type="view_submission", view=view("addgroup", [INPUT], **more))
    sentence = say_plain("en", "failure.internal", reference=reference(caplog))
    assert reply.status == 200
    assert reply.body == {"response_action": "errors", "errors": {"group_name": sentence}}


def test_a_menu_that_fails_offers_nothing(url: str, workspace: Workspace) -> None:
    """As that of a form without metadata."""
    payload = {"type": "block_suggestion", "action_id": "parent", "block_id": "parent", "value": "x"}
    reply = post(workspace, url, **payload, view=view("addgroup", []))
    assert (reply.status, reply.body) == (200, {"options": []})


def test_a_button_that_fails_is_told_privately(
    url: str, workspace: Workspace, caplog: pytest.LogCaptureFixture
) -> None:
    """Slack ignores a text in the answer to a button: it goes to the response_url."""
    broken = {"type": "button", "action_id": "old", "block_id": "b", "value": "{}"}
    channel = {"channel": {"id": "C1"}, "container": {"type": "message", "channel_id": "C1"}}
    response_url = f"{workspace.url}/response/U1/C1/1"
    reply = post(workspace, url, type="block_actions", user={}, actions=[broken], response_url=response_url, **channel)
    assert (reply.status, reply.text) == (200, "")
    assert workspace.wait_for(lambda: bool(workspace.private()))
    (message,) = workspace.private()
    assert isinstance(message, Message)
    assert message.text == say("en", "failure.internal", reference=reference(caplog))

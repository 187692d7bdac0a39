"""What version 0.2.0 left in Slack still works: its buttons, the texts that it gave back, and forms that are open."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from typing import Any

from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.sandbox.workspace import Message, Workspace
from bot.slack.texts import load
from tests.support.slack import answers, field, opened, told

GIVEN_BACK = "eJyLVgrzDFAoSCxKzSuxNVXSUVBSigUAPyEFmA=="  # VIP parent=5
FORM = '{"channel": "C1", "response_url": "", "job": "%s", "reply_to": "", "parent": ""}'
PRESSED = '{"v": 1, "job": "%s"}'
MORE = '{"v": 1, "text": "cust", "offset": 0}'


def left(action: str, value: str, **place: str) -> Message:
    """Return a message with a button that was posted before the upgrade."""
    button = {"type": "button", "action_id": action, "value": value, "text": {"type": "plain_text", "text": "A label"}}
    message: dict[str, Any] = {"channel": "C1", "ts": "1.1", "text": "An answer", **place}
    return Message(**message, blocks=[{"type": "actions", "elements": [button]}])


def test_a_text_that_was_given_back(start: Callable[..., Bot], workspace: Workspace) -> None:
    """Its button opens the form, filled in."""
    workspace.press(start(ADDGROUP_LANGUAGE="en").url, left("edit_text", GIVEN_BACK), "edit_text")
    form = opened(workspace)
    assert field(form, "name")["initial_value"] == "VIP"
    assert field(form, "parent")["initial_option"]["value"] == "id:5"


def test_a_form_that_was_open(start: Callable[..., Bot], workspace: Workspace, api: Api) -> None:
    """It is sent, and its answer comes where it was opened; what is not sure in it is asked about."""
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "")
    form = opened(workspace)
    form.view = {**form.view, "private_metadata": FORM % ""}
    assert workspace.submit(url, form, name="please create VIP").body["response_action"] == "update"
    form.view = {**form.view, "private_metadata": FORM % ""}
    workspace.submit(url, form, name="VIP", parent={"value": "id:5"})
    assert "*created* under `Customers` (`5`)" in answers(workspace, 1)[0].text
    assert api.made() == 1


def test_buttons_under_an_answer(start: Callable[..., Bot], workspace: Workspace, api: Api) -> None:
    """One works once; the form of *Edit and try again* goes on from the same answer."""
    url = start(ADDGROUP_LANGUAGE="en").url
    api.faults.append(503)
    workspace.command(url, "VIP")
    (refused,) = answers(workspace, 1)
    assert json.loads(refused.buttons[0]["value"]) == json.loads(PRESSED % refused.job)
    old = left("again", PRESSED % refused.job, ts=refused.ts, thread_ts=refused.thread_ts)
    workspace.press(url, copy(old), "again", user="U2")
    answers(workspace, 2)
    workspace.press(url, copy(old), "again", user="U3")
    told(workspace, "<@U2> has already pressed", "U3")
    assert len(api.groups) == 2
    workspace.command(url, "")
    form = opened(workspace)
    form.view = {**form.view, "private_metadata": FORM % refused.job}
    workspace.submit(url, form, name="Gold")
    assert "edited it" in answers(workspace, 3)[2].text


def test_buttons_under_the_help_and_the_list(start: Callable[..., Bot], workspace: Workspace) -> None:
    """They choose a language, and show a page."""
    url = start(ADDGROUP_LANGUAGE="auto").url
    workspace.press(url, left("more", MORE), "more")
    told(workspace, "Customers")
    workspace.press(url, left("language", "tr"), "language")
    told(workspace, load("tr")["language.chosen"].split(".")[0])

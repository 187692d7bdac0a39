"""What version 0.2.0 left in Slack still works: its buttons, its forms, and texts that it gave back."""

import json
from copy import deepcopy

import pytest

from tests.support.provider import Api
from tests.support.slack import answered, opened
from tests.support.worker import Start
from tests.support.workspace import Form, Message, Workspace

GIVEN_BACK = "eJyLVgrzDFAoSCxKzSuxNVXSUVBSigUAPyEFmA=="
"""The value of the button under a text that was given back: `VIP parent=5`."""

FIELDS = {
    "name": {"type": "plain_text_input", "action_id": "name", "multiline": True, "initial_value": "VIP"},
    "parent": {"type": "external_select", "action_id": "parent", "min_query_length": 0},
}
FORM = {
    "type": "modal",
    "callback_id": "addgroup",
    "private_metadata": '{"channel": "C1", "response_url": "", "job": "", "reply_to": "", "parent": ""}',
    "blocks": [{"type": "input", "block_id": name, "element": element} for name, element in FIELDS.items()],
}
"""Its form, as far as the bot reads it when it is sent."""


def pressed(workspace: Workspace, url: str, action: str, value: str) -> None:
    """Press a button that 0.2.0 posted."""
    button = {"type": "button", "action_id": action, "text": {"type": "plain_text", "text": "…"}, "value": value}
    old = Message("C1", "1.1", "of 0.2.0", blocks=[{"type": "actions", "elements": [button]}])
    workspace.press(url, old, action)


def test_a_text_that_was_given_back_opens_the_form(start: Start, workspace: Workspace, api: Api) -> None:
    """Filled in with what was typed; what is sent from it is created."""
    url = start(ADDGROUP_LANGUAGE="en").url
    pressed(workspace, url, "edit_text", GIVEN_BACK)
    form = opened(workspace)
    assert workspace.submit(url, form).body == {}
    assert answered(workspace, "VIP")
    assert [group.parent for group in api.groups.values() if group.name == "VIP"] == ["5"]


def test_a_form_that_was_open_is_taken(start: Start, workspace: Workspace, api: Api) -> None:
    """With the fields that it has; its menu still suggests."""
    url = start(ADDGROUP_LANGUAGE="en").url
    form = Form("V020", deepcopy(FORM))
    (customers,) = workspace.suggest(url, "cust")
    assert workspace.submit(url, form, parent=customers).body == {}
    assert answered(workspace, "VIP")
    assert api.made() == 1


@pytest.mark.parametrize("used", [False, True])
def test_a_button_works_once(start: Start, workspace: Workspace, api: Api, used: bool) -> None:
    """By the job that its value names: one that was used in 0.2.0 stays used."""
    api.faults.append("close")
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "VIP parent=5")
    answered(workspace, "VIP")
    job = next(message.job for message in workspace.messages if message.job)
    for _ in range(2 if used else 1):
        pressed(workspace, url, "anyway", json.dumps({"v": 1, "job": job}))
    assert workspace.wait_for(lambda: sum(bool(message.thread_ts) for message in workspace.messages) == 2)
    assert sum(method == "add-group" for method, _ in api.calls) == 2

"""The stand-in for Slack is as strict as Slack where the bot depends on it."""

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from bot.sandbox.loopback import Answer, Loopback, Request, local_request
from tests.support import limits
from tests.support.workspace import BOT_TOKEN, Message, Workspace


class Bot(Loopback):
    """Takes everything in."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Request] = []

    def respond(self, request: Request, _connection: socket.socket) -> Answer:
        self.heard.append(request)
        return Answer(200, b"")


def api(workspace: Workspace, method: str, **options: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    return local_request("POST", f"{workspace.url}/api/{method}", headers=headers, timeout=30, **options)


def test_methods_that_read_take_no_json(workspace: Workspace) -> None:
    """Slack looks for their arguments in a form."""
    assert api(workspace, "users.info", json={"user": "U1"}).json()["error"] == "user_not_found"
    assert api(workspace, "users.info", data={"user": "U1"}).json()["ok"]


def test_a_response_url_works_five_times(workspace: Workspace) -> None:
    """The sixth time, and after half an hour, it is used up."""
    url = workspace.response_url("U1", "C1")
    answers = [local_request("POST", url, json={"text": "x"}, timeout=30).status_code for _ in range(6)]
    assert answers == [200] * 5 + [404]
    late = workspace.response_url("U1", "C1")
    workspace.ahead = 31 * 60
    assert local_request("POST", late, json={"text": "x"}, timeout=30).json()["error"] == "expired_url"


def test_a_limit_is_a_channels(workspace: Workspace) -> None:
    """A burst goes through, then Slack says when to come back."""
    workspace.limit("C1", per_second=0.5, burst=2)
    answers = [api(workspace, "chat.postMessage", json={"channel": "C1", "text": "x"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert api(workspace, "chat.postMessage", json={"channel": "C2", "text": "x"}).ok
    assert workspace.refusals == {"C1": 1}


def test_a_direct_message_needs_the_messages_tab(workspace: Workspace) -> None:
    """The manifest turns it on; an app without it cannot write to a person."""
    assert api(workspace, "chat.postMessage", json={"channel": "U1", "text": "x"}).json()["ok"]
    workspace.messages_tab = False
    assert api(workspace, "chat.postMessage", json={"channel": "U1", "text": "x"}).json()["error"] == (
        "messages_tab_disabled"
    )


def test_an_answer_in_a_thread_that_is_gone_stands_in_the_channel(workspace: Workspace) -> None:
    """Slack says so only by leaving thread_ts out of what it returns."""
    root = workspace.say("hello")
    posts = [{"channel": "C1", "text": "x", "thread_ts": ts} for ts in (root.ts, "1.1")]
    told = [api(workspace, "chat.postMessage", json=post).json()["message"].get("thread_ts") for post in posts]
    assert told == [root.ts, None]
    assert [m.thread_ts for m in workspace.messages[1:]] == [root.ts, ""]


def test_a_trigger_opens_one_form_and_soon(workspace: Workspace) -> None:
    """The second time it is exchanged, after a while expired."""
    view = {
        "blocks": [],
        **{name: {"type": "plain_text", "text": "x"} for name in ("title", "submit", "close")},
    }
    with Bot() as bot:
        for _ in range(2):
            workspace.command(bot.url, "")
        triggers = [parse_qs(request.body.decode())["trigger_id"][0] for request in bot.heard]

    def opened(trigger: str) -> dict[str, Any]:
        told: dict[str, Any] = api(workspace, "views.open", json={"trigger_id": trigger, "view": view}).json()
        return told

    assert opened(triggers[0])["ok"]
    assert opened(triggers[0])["error"] == "exchanged_trigger_id"
    workspace.ahead = workspace.trigger_seconds + 1
    assert opened(triggers[1])["error"] == "expired_trigger_id"


def test_a_message_needs_its_text(workspace: Workspace) -> None:
    """Screen readers have only the text; blocks alone are refused here, though not by Slack."""
    assert api(workspace, "chat.postMessage", json={"channel": "C1", "blocks": [section()]}).json()["error"]
    assert workspace.problems == ["text of 0 characters"]
    workspace.problems.clear()


def test_a_shortcut_is_offered_on_any_message(workspace: Workspace) -> None:
    """Its payload has the message, the channel and an address for the answer."""
    message = Message("C1", "1.1", "• VIP", thread_ts="1.0", blocks=[{"type": "divider"}])
    with Bot() as bot:
        assert workspace.shortcut(bot.url, message, user="U3", callback_id="groups").status == 200
    payload = json.loads(parse_qs(bot.heard[0].body.decode())["payload"][0])
    assert (payload["type"], payload["callback_id"], payload["user"]["id"]) == ("message_action", "groups", "U3")
    shown = {"text": "• VIP", "ts": "1.1", "thread_ts": "1.0", "blocks": [{"type": "divider"}]}
    assert shown.items() <= payload["message"].items()
    assert payload["channel"]["id"] == "C1"
    assert payload["response_url"].startswith(workspace.url)
    assert payload["trigger_id"]


def rich(kind: str = "preformatted", **span: str) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": f"rich_text_{kind}", "elements": [span]}]}


def button(**more: Any) -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Again"}
    return {"type": "actions", "elements": [{"type": "button", "action_id": "again", "text": label, **more}]}


def confirm(**more: Any) -> dict[str, Any]:
    sentence = {"type": "plain_text", "text": "Sure?"}
    return {"title": sentence, "text": sentence, "confirm": sentence, "deny": sentence, **more}


def section(**more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "Hello"}, **more}


FINE: list[dict[str, Any]] = [
    rich(type="text", text="VIP"),
    section(expand=True),
    button(accessibility_label="Try Customers again", confirm=confirm(style="primary")),
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "job 1"}]},
]


@pytest.mark.parametrize("block", FINE)
def test_what_slack_takes_is_taken(block: dict[str, Any]) -> None:
    """The blocks that the bot may use."""
    assert limits.message_problems({"text": "x", "blocks": [block]}) == []


REFUSED: dict[str, dict[str, Any]] = {
    "a list": rich("list", type="text", text="VIP"),
    "a mention of everybody": rich(type="broadcast", range="channel"),
    "an empty text": rich(type="text", text=""),
    "expand": section(expand="yes"),
    "a long label for screen readers": button(accessibility_label="x" * 76),
    "an empty label for screen readers": button(accessibility_label=""),
    "a question's style": button(confirm=confirm(style="loud")),
    "a long question": button(confirm=confirm(text={"type": "plain_text", "text": "x" * 301})),
    "a button's formatted text": button(text={"type": "mrkdwn", "text": "*Again*"}),
    "an unknown block": {"type": "carousel"},
    "no type": {},
    "a long section": section(text={"type": "mrkdwn", "text": "x" * 3001}),
}


@pytest.mark.parametrize("block", REFUSED.values(), ids=REFUSED)
def test_what_slack_refuses_is_refused(block: dict[str, Any]) -> None:
    """Each for one reason."""
    assert len(limits.message_problems({"text": "x", "blocks": [block]})) == 1


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda option: option.update(value="x" * 151), "an option's value"),
        (lambda option: option["text"].update(text="x" * 76), "text of 76 characters"),
    ],
)
def test_options_have_their_limits(change: Callable[[dict[str, Any]], None], problem: str) -> None:
    """Of the text and of the value."""
    option: dict[str, Any] = {"text": {"type": "plain_text", "text": "Customers"}, "value": "5"}
    assert limits.options_problems([option]) == []
    change(option)
    assert problem in limits.options_problems([option])[0]

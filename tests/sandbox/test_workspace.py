"""The stand-in for Slack is as strict as Slack where the bot depends on it."""

import socket
from typing import Any
from urllib.parse import parse_qs

import requests

from bot.sandbox.loopback import Answer, Loopback, Request, local_request
from tests.support import limits
from tests.support.workspace import BOT_TOKEN, Workspace


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
    label = {"type": "plain_text", "text": "x"}
    view = {"blocks": [], **dict.fromkeys(("title", "submit", "close"), label)}
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


BLOCKS: list[tuple[dict[str, Any], int]] = [
    (rich(type="text", text="VIP"), 0),
    (rich("list", type="text", text="VIP"), 1),
    (rich(type="broadcast", range="channel"), 1),
    (rich(type="text", text=""), 1),
    (section(expand=True), 0),
    (section(expand="yes"), 1),
    (section(text={"type": "mrkdwn", "text": "x" * 3001}), 1),
    (button(accessibility_label="Try Customers again", confirm=confirm(style="primary")), 0),
    (button(accessibility_label="x" * 76), 1),
    (button(accessibility_label=""), 1),
    (button(confirm=confirm(style="loud")), 1),
    (button(confirm=confirm(text={"type": "plain_text", "text": "x" * 301})), 1),
    (button(text={"type": "mrkdwn", "text": "*Again*"}), 1),
    ({"type": "context", "elements": [{"type": "mrkdwn", "text": "job 1"}]}, 0),
    ({"type": "carousel"}, 1),
    ({}, 1),
]
OPTIONS = [("Customers", "5", []), ("Customers", "x" * 151, ["an option's value"]), ("x" * 76, "5", ["text of 76"])]


def test_what_slack_takes_is_taken_and_what_it_refuses_is_refused() -> None:
    """The blocks that the bot may use; each of the others, and of the options, for one reason."""
    for block, refused in BLOCKS:
        assert len(limits.message_problems({"text": "x", "blocks": [block]})) == refused, block
    for text, value, told in OPTIONS:
        found = limits.options_problems([{"text": {"type": "plain_text", "text": text}, "value": value}])
        assert [any(part in problem for part in told) for problem in found] == [True] * len(told), (text, value)

"""Slack's stand-in: the parts of the Web API that the bot uses, and the signed requests that Slack sends it."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import requests
from slack_sdk.signature import SignatureVerifier

from bot.sandbox import limits
from bot.sandbox.loopback import Answer, Loopback, Request, local_request

BOT_TOKEN = "xoxb-sandbox"  # noqa: S105  # the stand-in's own
APP_TOKEN = "xapp-sandbox"  # noqa: S105


@dataclass
class Message:
    """A message as Slack keeps it; `private_to` is set for one that only one person sees."""

    channel: str
    ts: str
    text: str
    thread_ts: str = ""
    private_to: str = ""
    outcome: str = ""
    job: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    arguments: dict[str, Any] = field(default_factory=dict)
    earlier: list[str] = field(default_factory=list)

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """The buttons under the message."""
        return [element for block in self.blocks if block["type"] == "actions" for element in block["elements"]]


@dataclass
class Form:
    """A form that the bot opened: a modal view."""

    id: str
    view: dict[str, Any]


class Workspace(Loopback):
    """A workspace with people (`locales`, by user id), channels that anybody may use, and one bot.

    `faults` maps a method of the Web API, or "response_url", to what its next calls do instead of their work: an error
    of Slack's ("not_in_channel"), an HTTP status, "ratelimited:SECONDS", "drop", "silence". "lost" does the work, and
    the connection ends before the answer.
    """

    def __init__(self, signing_secret: str) -> None:
        super().__init__()
        self.signing_secret = signing_secret
        self.scopes = ["commands", "chat:write", "chat:write.public", "users:read", "usergroups:read"]  # granted
        self.locales: dict[str, str] = {}
        self.people: dict[str, dict[str, Any]] = {}  # what differs from a full member, by user id
        self.usergroups: dict[str, list[str]] = {}
        self.messages: list[Message] = []
        self.forms: list[Form] = []
        self.problems: list[str] = []  # what Slack would have refused
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.socket_url = "ws://127.0.0.1:9"  # where Socket Mode connects; see link.py
        self.closed: dict[str, str] = {}  # channels in which the bot may not post, and Slack's word for it
        self.faults: defaultdict[str, deque[int | str]] = defaultdict(deque)
        self.mood: Callable[[], int | str | None] = lambda: None  # what happens to a call for which no fault is set
        self._changed = threading.Condition()
        self._ids = itertools.count(1)

    # What people do: Slack's requests to the bot.

    def command(self, bot: str, text: str | None, user: str = "U1", channel: str = "C1", **more: str) -> Reply:
        """Type `/addgroup TEXT`: send it to the bot at the base address `bot`, as Slack would."""
        number = next(self._ids)
        form = {
            "command": "/addgroup",
            "user_id": user,
            "user_name": user.lower(),
            "team_id": "T1",
            "team_domain": "sandbox",
            "channel_id": channel,
            "channel_name": channel.lower(),
            "api_app_id": "A1",
            "trigger_id": f"{number}.{time.time_ns()}",
            "response_url": f"{self.url}/response/{user}/{channel}/{number}",
            **({} if text is None else {"text": text}),
            **more,
        }
        return self.post(bot, urlencode(form).encode())

    def press(self, bot: str, message: Message, action: str, user: str = "U1", **more: Any) -> Reply:
        """Press a button under a message."""
        return self._interact(
            bot,
            user,
            type="block_actions",
            channel={"id": message.channel},
            container={"type": "message", "channel_id": message.channel},
            actions=[{"type": "button", **next(button for button in message.buttons if button["action_id"] == action)}],
            **more,
        )

    def suggest(self, bot: str, typed: str, user: str = "U1") -> list[dict[str, Any]]:
        """Type into a form's menu of parents, and return the options that are offered."""
        view = self.forms[-1].view if self.forms else {"private_metadata": json.dumps({"channel": "C1"})}
        menu = {"action_id": "parent", "block_id": "parent", "value": typed}
        reply = self._interact(bot, user, type="block_suggestion", view=view, **menu)
        options: list[dict[str, Any]] = reply.body.get("options", [])
        self.problems += limits.options_problems(options)
        return options

    def submit(self, bot: str, form: Form, user: str = "U1", **fields: Any) -> Reply:
        """Submit the form: `name` is text, `parent` an option; what is not given stays as the form has it."""
        values = {block: {block: {**_initial(form.view, block), **field}} for block, field in _fields(fields).items()}
        view = {**form.view, "id": form.id, "state": {"values": values}}
        return self._interact(bot, user, type="view_submission", view=view)

    def _interact(self, bot: str, user: str, **payload: Any) -> Reply:
        number = next(self._ids)
        common = {
            "user": {"id": user, "team_id": "T1"},
            "team": {"id": "T1", "domain": "sandbox"},
            "api_app_id": "A1",
            "trigger_id": f"{number}.{time.time_ns()}",
        }
        if payload["type"] == "block_actions":
            channel = payload["channel"]["id"]
            common["response_url"] = f"{self.url}/response/{user}/{channel}/{number}"
        return self.post(bot, urlencode({"payload": json.dumps({**common, **payload})}).encode())

    def post(self, bot: str, body: bytes, **headers: str) -> Reply:
        """Send a signed body to the bot."""
        timestamp = str(int(time.time()))
        signature = SignatureVerifier(self.signing_secret).generate_signature(timestamp=timestamp, body=body) or ""
        signed = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature,
        }
        answer = local_request("POST", f"{bot}/slack/events", data=body, headers={**signed, **headers}, timeout=10)
        reply = Reply(answer.status_code, _decoded(answer), answer.headers)
        self.problems += limits.answer_problems(answer.content)
        if reply.text:
            self.problems += limits.message_problems(reply.body)
        return reply

    # What the bot did, as people see it.

    def wait_for(self, condition: Callable[[], bool], seconds: float = 10) -> bool:
        """Wait until a condition on the messages holds; tell whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def roots(self, channel: str = "C1") -> list[Message]:
        return [m for m in tuple(self.messages) if m.channel == channel and not m.thread_ts and not m.private_to]

    def thread(self, root: Message) -> list[Message]:
        return [m for m in tuple(self.messages) if m.channel == root.channel and m.thread_ts == root.ts]

    def private(self, user: str = "U1") -> list[Message]:
        return [m for m in tuple(self.messages) if m.private_to == user]

    # The Web API.

    def respond(self, request: Request, connection: socket.socket) -> Answer | None:
        path = request.path.strip("/")
        method = "response_url" if path.startswith("response/") else path.removeprefix("api/")
        arguments = _arguments(request)
        with self._changed:
            self.calls.append((method, arguments))
            waiting = self.faults[method]
            fault = waiting.popleft() if waiting else self.mood()
        if fault == "lost":
            self._do(method, path, request, arguments)
            return None
        if fault is not None:
            return self._fail(fault, connection)
        return self._do(method, path, request, arguments)

    def _do(self, method: str, path: str, request: Request, arguments: dict[str, Any]) -> Answer:
        if method == "response_url":
            _, user, channel, _ = path.split("/")
            self.problems += limits.message_problems(arguments)
            blocks = arguments.get("blocks", [])
            self._keep(Message(channel, self._ts(), arguments["text"], private_to=user, blocks=blocks))
            return Answer(200, b"ok")
        token = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if request.headers.get("authorization") != f"Bearer {token}":
            return _json(ok=False, error="invalid_auth")
        handler = getattr(self, f"_{method.replace('.', '_')}", None)
        return handler(arguments) if handler else _json(ok=False, error="unknown_method")

    def _auth_test(self, _arguments: dict[str, Any]) -> Answer:
        names = {"team": "Sandbox", "team_id": "T1", "user": "addgroup", "user_id": "UBOT", "bot_id": "B1"}
        scopes = {"x-oauth-scopes": ",".join(self.scopes)} if self.scopes else {}
        return _json(200, scopes, ok=True, url="https://sandbox.slack.com/", **names)

    def _apps_connections_open(self, _arguments: dict[str, Any]) -> Answer:
        return _json(ok=True, url=f"{self.socket_url}?ticket={next(self._ids)}&app_id=A1")

    def _users_info(self, arguments: dict[str, Any]) -> Answer:
        user = arguments["user"]
        common = {"id": user, "team_id": "T1", "locale": self.locales.get(user, "en-US")}
        return _json(ok=True, user={**common, **self.people.get(user, {})})

    def _usergroups_users_list(self, arguments: dict[str, Any]) -> Answer:
        users = self.usergroups.get(arguments["usergroup"])
        return _json(ok=False, error="no_such_subteam") if users is None else _json(ok=True, users=users)

    def _chat_postMessage(self, arguments: dict[str, Any]) -> Answer:  # noqa: N802  # Slack's name
        if error := self.closed.get(arguments["channel"]):
            return _json(ok=False, error=error)
        if problems := limits.message_problems(arguments):
            self.problems += problems
            return _json(ok=False, error="invalid_blocks")
        meta = arguments.get("metadata", {}).get("event_payload", {})
        message = Message(
            arguments["channel"],
            self._ts(),
            arguments["text"],
            thread_ts=arguments.get("thread_ts", ""),
            outcome=meta.get("outcome", ""),
            job=meta.get("job", ""),
            blocks=arguments.get("blocks", []),
            arguments=arguments,
        )
        self._keep(message)
        return _json(ok=True, channel=message.channel, ts=message.ts)

    def _chat_update(self, arguments: dict[str, Any]) -> Answer:
        with self._changed:
            found = [m for m in self.messages if (m.channel, m.ts) == (arguments["channel"], arguments["ts"])]
            if not found:
                return _json(ok=False, error="message_not_found")
            found[0].earlier.append(found[0].text)
            found[0].text = arguments["text"]
            found[0].blocks = arguments.get("blocks", [])
            self._changed.notify_all()
        return _json(ok=True, channel=arguments["channel"], ts=arguments["ts"])

    def _views_open(self, arguments: dict[str, Any]) -> Answer:
        if problems := limits.view_problems(arguments["view"]):
            self.problems += problems
            return _json(ok=False, error="invalid_arguments")
        with self._changed:
            self.forms.append(Form(f"V{next(self._ids)}", arguments["view"]))
            self._changed.notify_all()
        return _json(ok=True, view={"id": self.forms[-1].id})

    def _fail(self, fault: int | str, connection: socket.socket) -> Answer | None:
        if isinstance(fault, int):
            return Answer(fault, b"upstream failure")
        if fault == "silence":
            self.silence(connection)
        if fault in ("silence", "drop"):
            return None
        error, _, seconds = fault.partition(":")
        status = 429 if error == "ratelimited" else 200
        return _json(status, {"Retry-After": seconds or "1"} if status == 429 else {}, ok=False, error=error)

    def _keep(self, message: Message) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def _ts(self) -> str:
        return f"{int(time.time())}.{next(self._ids):06d}"


@dataclass(frozen=True)
class Reply:
    """The bot's HTTP answer to Slack, its body decoded: {} for a bare acknowledgement."""

    status: int
    body: dict[str, Any]
    headers: Any

    @property
    def text(self) -> str:
        """What the sender alone sees."""
        return str(self.body.get("text", ""))


def _decoded(answer: requests.Response) -> dict[str, Any]:
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = answer.json()
        return body if isinstance(body, dict) else {}
    return {"text": answer.text} if answer.text else {}


def _fields(given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the state of the form's fields, as Slack sends it, where something was entered."""
    fields: dict[str, dict[str, Any]] = {"name": {"type": "plain_text_input"}, "parent": {"type": "external_select"}}
    if "name" in given:
        fields["name"]["value"] = given["name"]
    if "parent" in given:
        fields["parent"]["selected_option"] = given["parent"]
    return fields


def _initial(view: dict[str, Any], block: str) -> dict[str, Any]:
    """Return what a field holds when nobody has touched it."""
    element = next(b["element"] for b in view["blocks"] if b["block_id"] == block)
    if element["type"] == "external_select":
        return {"selected_option": element.get("initial_option")}
    return {"value": element.get("initial_value")}


def _arguments(request: Request) -> dict[str, Any]:
    """Decode the arguments of a Web API call, JSON or form; JSON within a form is decoded too."""
    if request.headers.get("content-type", "").startswith("application/json"):
        decoded = json.loads(request.body or b"{}")
        return decoded if isinstance(decoded, dict) else {}
    form: dict[str, Any] = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    for name in ("blocks", "metadata", "view"):
        if isinstance(form.get(name), str):
            form[name] = json.loads(form[name])
    return form


def _json(status: int = 200, headers: dict[str, str] | None = None, /, **fields: Any) -> Answer:
    content = json.dumps(fields, ensure_ascii=False).encode()
    return Answer(status, content, {"Content-Type": "application/json", **(headers or {})})

"""Slack's Web API as the bot uses it, on loopback: strict where Slack is, with faults and limits that a test sets.

The module is long because every method of the Web API that the bot calls has its stand-in here.
"""

from __future__ import annotations

import itertools
import json
import math
import socket
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from bot.sandbox import limits
from bot.sandbox.loopback import Answer, Loopback, Request
from bot.slack.pace import Bucket

BOT_TOKEN = "xoxb-sandbox"  # noqa: S105  # the stand-in's own
APP_TOKEN = "xapp-sandbox"  # noqa: S105

RESPONSES, RESPONSE_SECONDS = 5, 30 * 60
"""How often, and how long, a response_url works. Source: https://docs.slack.dev/interactivity/handling-user-interaction"""


@dataclass
class Message:
    """A message as Slack keeps it.

    `private_to` is set for one that only one person sees, `author` for one that somebody else than the bot wrote.
    """

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
    author: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether it is the bot's answer in a thread."""
        return bool(self.thread_ts) and self.settled

    @property
    def settled(self) -> bool:
        """Whether it was posted with a result: an answer, or a root that came late."""
        return self.outcome not in ("", "open")

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """The buttons under the message."""
        elements = [element for block in self.blocks if block["type"] == "actions" for element in block["elements"]]
        beside = [block["accessory"] for block in self.blocks if "accessory" in block]
        return [element for element in (*elements, *beside) if element["type"] == "button"]


@dataclass
class Form:
    """A form that the bot opened: a modal view."""

    id: str
    view: dict[str, Any]


class SlackApi(Loopback):
    """One workspace with people (`locales`, by user id), channels that anybody may use, and one bot.

    `faults` maps a method of the Web API, or "response_url", to what its next calls do instead of their work: an error
    of Slack's ("not_in_channel"), an HTTP status, "ratelimited:SECONDS", "drop", "silence". "lost" does the work, and
    the connection ends before the answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.token = BOT_TOKEN  # the one that it takes
        self.scopes = ["commands", "chat:write", "chat:write.public", "users:read", "usergroups:read"]  # granted
        self.locales: dict[str, str] = {}
        self.people: dict[str, dict[str, Any]] = {}  # what differs from a full member, by user id
        self.unknown: set[str] = set()  # people whom Slack does not describe
        self.usergroups: dict[str, list[str]] = {}
        self.messages: list[Message] = []
        self.forms: list[Form] = []
        self.problems: list[str] = []  # what Slack would have refused
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.refusals: Counter[str] = Counter()  # for its limit, by channel or method
        self.socket_url = "ws://127.0.0.1:9"  # where Socket Mode connects; see link.py
        self.closed: dict[str, str] = {}  # channels in which the bot may not post, and Slack's word for it
        self.faults: defaultdict[str, deque[int | str]] = defaultdict(deque)
        self.mood: Callable[[], int | str | None] = lambda: None  # what happens to a call for which no fault is set
        self._limits: dict[str, Bucket] = {}
        self._responses: dict[str, list[float]] = {}  # by response_url: when it was issued, and each use
        self._changed = threading.Condition()
        self._ids = itertools.count(1)

    def limit(self, name: str, per_second: float, burst: float) -> None:
        """Let through so many messages in a channel, or calls of a method such as chat.update."""
        self._limits[name] = Bucket(per_second, burst)

    def wait_for(self, condition: Callable[[], bool], seconds: float = 10) -> bool:
        """Wait until a condition on the messages holds; tell whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def response_url(self, user: str, channel: str) -> str:
        """Return an address through which the bot can answer what somebody did."""
        path = f"/response/{user}/{channel}/{next(self._ids)}"
        self._responses[path] = [self._now()]
        return self.url + path

    def respond(self, request: Request, connection: socket.socket) -> Answer | None:
        path = request.path.strip("/")
        method = "response_url" if path.startswith("response/") else path.removeprefix("api/")
        arguments = _arguments(method, request)
        with self._changed:
            self.calls.append((method, arguments))
            waiting = self.faults[method]
            fault = waiting.popleft() if waiting else self.mood()
        if fault == "lost":
            self._do(method, request, arguments)
            return None
        if fault is not None:
            return self._fail(fault, connection)
        return self._do(method, request, arguments)

    def _do(self, method: str, request: Request, arguments: dict[str, Any]) -> Answer:
        if method == "response_url":
            return self._respond_to(request.path, arguments)
        token = APP_TOKEN if method == "apps.connections.open" else self.token
        if request.headers.get("authorization") != f"Bearer {token}":
            return _json(ok=False, error="invalid_auth")
        limited = arguments.get("channel", "") if method == "chat.postMessage" else method
        if wait := self._limits[limited].take() if limited in self._limits else 0.0:
            with self._changed:
                self.refusals[limited] += 1
            return _json(429, {"Retry-After": str(math.ceil(wait))}, ok=False, error="ratelimited")
        handler = getattr(self, f"_{method.replace('.', '_')}", None)
        return handler(arguments) if handler else _json(ok=False, error="unknown_method")

    def _respond_to(self, path: str, arguments: dict[str, Any]) -> Answer:
        with self._changed:
            issued, *used = times = self._responses.setdefault(path, [self._now()])
            times.append(self._now())
        if len(used) >= RESPONSES or self._now() - issued > RESPONSE_SECONDS:
            error = "used_url" if len(used) >= RESPONSES else "expired_url"
            return _json(404, ok=False, error=error)
        if problems := limits.message_problems(arguments):
            self.problems += problems
            return Answer(400, b"invalid_blocks")
        _, user, channel, _ = path.strip("/").split("/")
        blocks = arguments.get("blocks", [])
        self._keep(Message(channel, self._ts(), arguments["text"], private_to=user, blocks=blocks))
        return Answer(200, b"ok")

    def _auth_test(self, _arguments: dict[str, Any]) -> Answer:
        names = {"team": "Sandbox", "team_id": "T1", "user": "addgroup", "user_id": "UBOT", "bot_id": "B1"}
        scopes = {"x-oauth-scopes": ",".join(self.scopes)} if self.scopes else {}
        return _json(200, scopes, ok=True, url="https://sandbox.slack.com/", **names)

    def _apps_connections_open(self, _arguments: dict[str, Any]) -> Answer:
        return _json(ok=True, url=f"{self.socket_url}?ticket={next(self._ids)}&app_id=A1")

    def _users_info(self, arguments: dict[str, Any]) -> Answer:
        user = arguments.get("user", "")
        if not user or user in self.unknown:
            return _json(ok=False, error="user_not_found")
        common = {
            "id": user,
            "team_id": "T1",
            "name": user.lower(),
            "locale": self.locales.get(user, "en-US"),
            "tz": "Europe/London",
        }
        return _json(ok=True, user={**common, **self.people.get(user, {})})

    def _usergroups_users_list(self, arguments: dict[str, Any]) -> Answer:
        users = self.usergroups.get(arguments.get("usergroup", ""))
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
        if problems := limits.message_problems(arguments):
            self.problems += problems
            return _json(ok=False, error="invalid_blocks")
        with self._changed:
            found = [m for m in self.messages if (m.channel, m.ts) == (arguments["channel"], arguments["ts"])]
            if not found:
                return _json(ok=False, error="message_not_found")
            found[0].earlier.append(found[0].text)
            found[0].text = arguments["text"]
            found[0].blocks = arguments.get("blocks", found[0].blocks)
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

    def _now(self) -> float:
        return time.time() + self.ahead

    def _ts(self) -> str:
        return f"{int(time.time())}.{next(self._ids):06d}"


def _arguments(method: str, request: Request) -> dict[str, Any]:
    """Decode the arguments of a Web API call, a form or, where Slack takes it, JSON; so is JSON within a form.

    Source: https://docs.slack.dev/apis/web-api/#post_bodies
    """
    if request.headers.get("content-type", "").startswith("application/json"):
        decoded = json.loads(request.body or b"{}")
        writes = method.startswith(("chat.", "views.", "response_url"))
        return decoded if isinstance(decoded, dict) and writes else {}
    form: dict[str, Any] = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    for name in ("blocks", "metadata", "view"):
        if isinstance(form.get(name), str):
            form[name] = json.loads(form[name])
    return form


def _json(status: int = 200, headers: dict[str, str] | None = None, /, **fields: Any) -> Answer:
    content = json.dumps(fields, ensure_ascii=False).encode()
    return Answer(status, content, {"Content-Type": "application/json", **(headers or {})})

"""Slack's Web API as the bot uses it, on loopback: strict where Slack is, with faults and limits that a test sets."""

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
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from bot.sandbox.loopback import Answer, Loopback, Request
from bot.slack.pace import Bucket

BOT_TOKEN = "xoxb-sandbox"  # noqa: S105  # the stand-in's own
APP_TOKEN = "xapp-sandbox"  # noqa: S105
MANIFEST = Path(__file__).parents[2] / "manifest.yml"

RESPONSES, RESPONSE_SECONDS = 5, 30 * 60
"""How often, and how long, a response_url works. Source: https://docs.slack.dev/interactivity/handling-user-interaction"""

Json = dict[str, Any]


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
    blocks: list[Json] = field(default_factory=list)
    arguments: Json = field(default_factory=dict)
    earlier: list[str] = field(default_factory=list)
    author: str = ""

    @property
    def is_answer(self) -> bool:
        """Whether it is the bot's answer in a thread."""
        return bool(self.thread_ts) and self.outcome not in ("", "open")

    @property
    def buttons(self) -> list[Json]:
        """The buttons under the message."""
        elements = [element for block in self.blocks if block["type"] == "actions" for element in block["elements"]]
        beside = [block["accessory"] for block in self.blocks if "accessory" in block]
        return [element for element in (*elements, *beside) if element["type"] == "button"]

    def payload(self, author: str) -> Json:
        """Return it as Slack shows it to an app."""
        optional = {"blocks": self.blocks, "thread_ts": self.thread_ts}
        shown = {name: value for name, value in optional.items() if value}
        return {"type": "message", "user": self.author or author, "ts": self.ts, "text": self.text, **shown}


@dataclass
class Form:
    """A form that the bot opened: a modal view, with what was entered so far, by the block's id."""

    id: str
    view: Json
    entered: Json = field(default_factory=dict)

    @property
    def inputs(self) -> list[Json]:
        """The blocks that take something in."""
        return [block for block in self.view["blocks"] if block["type"] == "input"]


class SlackApi(Loopback):
    """One workspace with people (`locales`, by user id), channels that anybody may use, and one bot.

    `faults` maps a method of the Web API, or "response_url", to what its next calls do instead of their work: an error
    of Slack's ("not_in_channel"), an HTTP status, "ratelimited:SECONDS", "drop", "silence". "lost" does the work, and
    the connection ends before the answer. `rules` tells what Slack would refuse in a "message", a "view", "options" or
    an "answer": it is refused here, and kept in `problems`.
    """

    def __init__(self, rules: Callable[[str, Any], list[str]] = lambda _kind, _sent: []) -> None:
        super().__init__()
        self.token = BOT_TOKEN  # the one that it takes
        self.scopes = ["commands", "chat:write", "chat:write.public", "users:read", "usergroups:read"]  # granted
        self.locales: dict[str, str] = {}
        self.people: dict[str, Json] = {}  # what differs from a full member, by user id
        self.unknown: set[str] = set()  # people whom Slack does not describe
        self.usergroups: dict[str, list[str]] = {}
        self.closed: dict[str, str] = {}  # channels in which the bot may not post, and Slack's word for it
        self.messages_tab = "messages_tab_enabled: true" in MANIFEST.read_text(encoding="utf-8")
        self.trigger_seconds = 3.0  # how long a trigger opens a form
        self.socket_url = "ws://127.0.0.1:9"  # where Socket Mode connects
        self.messages: list[Message] = []
        self.forms: list[Form] = []
        self.homes: dict[str, Json] = {}  # the Home tab that each person sees
        self.problems: list[str] = []
        self.calls: list[tuple[str, Json]] = []
        self.refusals: Counter[str] = Counter()  # for its limit, by channel or method
        self.faults: defaultdict[str, deque[int | str]] = defaultdict(deque)
        self.mood: Callable[[], int | str | None] = lambda: None  # what happens to a call for which no fault is set
        self._rules = rules
        self._limits: dict[str, Bucket] = {}
        self._responses: dict[str, list[float]] = {}  # by response_url: when it was issued, and each use
        self._triggers: dict[str, float] = {}  # those that opened nothing yet, and when they were issued
        self._threads: set[tuple[str, str]] = set()  # channel and ts of each message
        self._changed = threading.Condition()
        self._ids = itertools.count(1)

    def response_url(self, user: str, channel: str) -> str:
        """Return an address through which the bot can answer what somebody did."""
        path = f"/response/{user}/{channel}/{next(self._ids)}"
        self._responses[path] = [self._now()]
        return self.url + path

    def _trigger(self) -> str:
        trigger = f"{next(self._ids)}.{time.time_ns()}"
        self._triggers[trigger] = self._now()
        return trigger

    def wait_for(self, condition: Callable[[], bool], seconds: float = 10) -> bool:
        """Wait until a condition on the messages holds; tell whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def limit(self, name: str, per_second: float, burst: float) -> None:
        """Let through so many messages in a channel, or calls of a method such as chat.update."""
        self._limits[name] = Bucket(per_second, burst)

    def respond(self, request: Request, connection: socket.socket) -> Answer | None:
        path = request.path.strip("/")
        method = "response_url" if path.startswith("response/") else path.removeprefix("api/")
        arguments = _arguments(method, request)
        with self._changed:
            self.calls.append((method, arguments))
            waiting = self.faults[method]
            fault = waiting.popleft() if waiting else self.mood()
        if isinstance(fault, int):
            return Answer(fault, b"upstream failure")
        if fault == "silence":
            self.silence(connection)
        if fault in ("silence", "drop"):
            return None
        error, _, seconds = (fault or "").partition(":")
        if error == "ratelimited":
            return _rate_limited(seconds or "1")
        if error and error != "lost":
            return _json(ok=False, error=error)
        answer = self._do(method, request, arguments)
        return None if error == "lost" else answer

    def _do(self, method: str, request: Request, arguments: Json) -> Answer:
        if method == "response_url":
            return self._respond_to(request.path, arguments)
        token = APP_TOKEN if method == "apps.connections.open" else self.token
        if request.headers.get("authorization") != f"Bearer {token}":
            return _json(ok=False, error="invalid_auth")
        limited = arguments.get("channel", "") if method == "chat.postMessage" else method
        if wait := self._limits[limited].take() if limited in self._limits else 0.0:
            with self._changed:
                self.refusals[limited] += 1
            return _rate_limited(str(math.ceil(wait)))
        handler = getattr(self, f"_{method.replace('.', '_')}", None)
        return handler(arguments) if handler else _json(ok=False, error="unknown_method")

    def _respond_to(self, path: str, arguments: Json) -> Answer:
        with self._changed:
            issued, *used = times = self._responses.setdefault(path, [self._now()])
            times.append(self._now())
        if len(used) >= RESPONSES or self._now() - issued > RESPONSE_SECONDS:
            return _json(404, ok=False, error="used_url" if len(used) >= RESPONSES else "expired_url")
        if self._refuses("message", arguments):
            return Answer(400, b"invalid_blocks")
        _, user, channel, _ = path.strip("/").split("/")
        blocks = arguments.get("blocks", [])
        self._keep(Message(channel, self._ts(), arguments["text"], private_to=user, blocks=blocks))
        return Answer(200, b"ok")

    def _auth_test(self, _arguments: Json) -> Answer:
        names = {"team": "Sandbox", "team_id": "T1", "user": "addgroup", "user_id": "UBOT", "bot_id": "B1"}
        scopes = {"x-oauth-scopes": ",".join(self.scopes)} if self.scopes else {}
        return _json(200, scopes, ok=True, url="https://sandbox.slack.com/", **names)

    def _apps_connections_open(self, _arguments: Json) -> Answer:
        return _json(ok=True, url=f"{self.socket_url}?ticket={next(self._ids)}&app_id=A1")

    def _users_info(self, arguments: Json) -> Answer:
        user = arguments.get("user", "")
        if not user or user in self.unknown:
            return _json(ok=False, error="user_not_found")
        place = {"locale": self.locales.get(user, "en-US"), "tz": "Europe/London"}
        return _json(
            ok=True, user={"id": user, "team_id": "T1", "name": user.lower(), **place, **self.people.get(user, {})}
        )

    def _usergroups_users_list(self, arguments: Json) -> Answer:
        users = self.usergroups.get(arguments.get("usergroup", ""))
        return _json(ok=False, error="no_such_subteam") if users is None else _json(ok=True, users=users)

    def _chat_postMessage(self, arguments: Json) -> Answer:  # noqa: N802  # Slack's name
        channel, thread = arguments["channel"], arguments.get("thread_ts", "")
        if error := self.closed.get(channel):
            return _json(ok=False, error=error)
        if channel.startswith(("U", "W", "D")) and not self.messages_tab:
            return _json(ok=False, error="messages_tab_disabled")
        if self._refuses("message", arguments):
            return _json(ok=False, error="invalid_blocks")
        meta = arguments.get("metadata", {}).get("event_payload", {})
        message = self._keep(
            Message(
                channel,
                self._ts(),
                arguments["text"],
                thread_ts=thread if (channel, thread) in self._threads else "",  # an unknown one is taken as none
                outcome=meta.get("outcome", ""),
                job=meta.get("job", ""),
                blocks=arguments.get("blocks", []),
                arguments=arguments,
            )
        )
        return _json(ok=True, channel=channel, ts=message.ts, message=message.payload("UBOT"))

    def _chat_update(self, arguments: Json) -> Answer:
        if self._refuses("message", arguments):
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

    def _views_open(self, arguments: Json) -> Answer:
        trigger = arguments.get("trigger_id", "")
        if not (issued := self._triggers.pop(trigger, 0.0)):
            return _json(ok=False, error="exchanged_trigger_id")
        if self._now() - issued > self.trigger_seconds:
            return _json(ok=False, error="expired_trigger_id")
        if self._refuses("view", arguments["view"]):
            return _json(ok=False, error="invalid_arguments")
        with self._changed:
            self.forms.append(Form(f"V{next(self._ids)}", arguments["view"]))
            self._changed.notify_all()
        return _json(ok=True, view={"id": self.forms[-1].id})

    def _views_publish(self, arguments: Json) -> Answer:
        if self._refuses("home", arguments["view"]):
            return _json(ok=False, error="invalid_arguments")
        with self._changed:
            self.homes[arguments["user_id"]] = arguments["view"]
            self._changed.notify_all()
        return _json(ok=True, view={"id": f"V{next(self._ids)}"})

    def _refuses(self, kind: str, sent: Any) -> bool:
        problems = self._rules(kind, sent)
        self.problems += problems
        return bool(problems)

    def _keep(self, message: Message) -> Message:
        with self._changed:
            self._threads.add((message.channel, message.ts))
            self.messages.append(message)
            self._changed.notify_all()
        return message

    def delete(self, message: Message) -> None:
        """Delete a message, as somebody who may can do at any time; nothing can be posted under it then."""
        with self._changed:
            self._threads.discard((message.channel, message.ts))
            self.messages.remove(message)

    def _now(self) -> float:
        return time.time() + self.ahead

    def _ts(self) -> str:
        return f"{int(time.time())}.{next(self._ids):06d}"


def _arguments(method: str, request: Request) -> Json:
    """Decode the arguments of a Web API call, a form or, where Slack takes it, JSON; so is JSON within a form.

    Source: https://docs.slack.dev/apis/web-api/#post_bodies
    """
    if request.headers.get("content-type", "").startswith("application/json"):
        decoded = json.loads(request.body or b"{}")
        writes = method.startswith(("chat.", "views.", "response_url"))
        return decoded if isinstance(decoded, dict) and writes else {}
    form: Json = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    for name in ("blocks", "metadata", "view"):
        if isinstance(form.get(name), str):
            form[name] = json.loads(form[name])
    return form


def _rate_limited(seconds: str) -> Answer:
    return _json(429, {"Retry-After": seconds}, ok=False, error="ratelimited")


def _json(status: int = 200, headers: dict[str, str] | None = None, /, **fields: Any) -> Answer:
    content = json.dumps(fields, ensure_ascii=False).encode()
    return Answer(status, content, {"Content-Type": "application/json", **(headers or {})})

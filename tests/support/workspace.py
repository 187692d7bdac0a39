"""Slack's stand-in for tests: it fails when it is told to, has Slack's limits, and refuses what Slack would refuse."""

import contextlib
import json
import math
import socket
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.sandbox.loopback import Answer, Request
from bot.sandbox.workspace import BOT_TOKEN, RESPONSE_URL, Form, Json, Message, Reply, answer, arguments_of, method_of
from bot.sandbox.workspace import Workspace as Sandbox
from tests.support.bucket import Bucket

__all__ = ["APP_TOKEN", "BOT_TOKEN", "Form", "Message", "Reply", "Workspace"]

APP_TOKEN = "xapp-sandbox"  # the stand-in's own
MANIFEST = Path(__file__).parents[2] / "manifest.yml"

RESPONSES, RESPONSE_SECONDS = 5, 30 * 60
"""How often, and how long, a response_url works. Source: https://docs.slack.dev/interactivity/handling-user-interaction"""

_KINDS = {"chat.postMessage": "message", "chat.update": "message", RESPONSE_URL: "message"}
_KINDS |= {"views.open": "view", "views.publish": "home"}


class _Request(Request):
    """Tells the workspace of its connection, and the workspace's time to the other side."""

    owner: "Workspace"

    def setup(self) -> None:
        super().setup()
        self.owner.opened.append(self.connection)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.owner.ahead)


class Workspace(Sandbox):
    """The sandbox's workspace, in which more can go wrong.

    `faults` maps a method of the Web API, or "response_url", to what its next calls do instead of their work: an error
    of Slack's ("not_in_channel"), an HTTP status, "ratelimited:SECONDS", "drop", "silence". "lost" does the work, and
    the connection ends before the answer. `rules` tells what Slack would refuse in a "message", a "view", "options" or
    an "answer": it is refused here, and kept in `problems`.
    """

    handler: type[Request] = _Request

    def __init__(self, signing_secret: str, rules: Callable[[str, Any], list[str]] = lambda _kind, _sent: []) -> None:
        super().__init__(signing_secret)
        self.bot_token = BOT_TOKEN  # the one that it takes
        self.scopes = ["commands", "chat:write", "chat:write.public", "users:read", "usergroups:read"]  # granted
        self.people: dict[str, Json] = {}  # what differs from a full member, by user id
        self.unknown: set[str] = set()  # people whom Slack does not describe
        self.usergroups: dict[str, list[str]] = {}
        self.closed: dict[str, str] = {}  # channels in which the bot may not post, and Slack's word for it
        self.messages_tab = "messages_tab_enabled: true" in MANIFEST.read_text(encoding="utf-8")
        self.trigger_seconds = 3.0  # how long a trigger opens a form
        self.socket_url = "ws://127.0.0.1:9"  # where Socket Mode connects
        self.homes: dict[str, Json] = {}  # the Home tab that each person sees
        self.problems: list[str] = []
        self.calls: list[tuple[str, Json]] = []
        self.refusals: Counter[str] = Counter()  # for its limit, by channel or method
        self.faults: defaultdict[str, deque[int | str]] = defaultdict(deque)
        self.mood: Callable[[], int | str | None] = lambda: None  # what happens to a call for which no fault is set
        self._rules = rules
        self._limits: dict[str, Bucket] = {}
        self._responses: dict[str, list[float]] = {}  # by response_url: when it was issued, and each use
        self.opened: list[socket.socket] = []  # the bot's connections
        self.ahead = 0.0  # how far its clock is ahead of the machine's, in seconds

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return len(self.opened)

    def hang_up(self) -> None:
        """Close every connection, as servers do when they restart."""
        for connection in tuple(self.opened):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def limit(self, name: str, per_second: float, burst: float) -> None:
        """Let through so many messages in a channel, or calls of a method such as chat.update."""
        self._limits[name] = Bucket(per_second, burst)

    def token(self, method: str) -> str:
        return APP_TOKEN if method == "apps.connections.open" else self.bot_token

    # What people do.

    def response_url(self, user: str, channel: str) -> str:
        url = super().response_url(user, channel)
        self._responses[url.removeprefix(self.url)] = [self._now()]
        return url

    def shortcut(
        self, bot: str, message: Message, user: str = "U1", callback_id: str = "addgroup", **more: Any
    ) -> Reply:
        """Choose the app's shortcut in the menu of a message; `message` may be anybody's, `more` adds to the payload.

        Source: https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
        """
        chosen = {"type": "message_action", "callback_id": callback_id, "message_ts": message.ts}
        return self._interact(bot, user, message, "U2", **chosen, action_ts=f"{time.time():.6f}", **more)

    def say(self, text: str, user: str = "U1", channel: str = "C1", thread_ts: str = "") -> Message:
        """Write a message that is not for the bot."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return self._keep(Message(channel, self._ts(), escaped, thread_ts, author=user))

    def suggest(self, bot: str, typed: str, user: str = "U1") -> list[Json]:
        options = super().suggest(bot, typed, user)
        self._refuses("options", options)
        return options

    def post(self, bot: str, body: bytes, **headers: str) -> Reply:
        reply = super().post(bot, body, **headers)
        self._refuses("answer", reply.content)
        if reply.text:
            self._refuses("message", reply.body)
        if reply.body.get("response_action") == "update" and self._refuses("view", reply.body["view"]):
            del reply.body["response_action"]
        return reply

    def home(self, bot: str, user: str = "U1") -> Reply:
        """Open the app's Home tab."""
        event = {"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home", "event_ts": "1.1"}
        number = f"Ev{next(self._ids)}"
        payload = {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": number, "event": event}
        return self.post(bot, json.dumps(payload).encode(), **{"Content-Type": "application/json"})

    def press_home(self, bot: str, user: str = "U1") -> Reply:
        """Press the button on the Home tab."""
        button = {"type": "button", "action_id": "new", "block_id": "b", "value": "-"}
        view = {"id": "V0", "type": "home", "private_metadata": ""}
        return self._interact(bot, user, type="block_actions", view=view, container={"type": "view"}, actions=[button])

    def delete(self, message: Message) -> None:
        """Delete a message, as somebody who may can do at any time; nothing can be posted under it then."""
        with self._changed:
            self._threads.discard((message.channel, message.ts))
            self.messages.remove(message)

    def close(self, bot: str, form: Form, user: str = "U1") -> Reply | None:
        """Close the form without sending it, of which the bot is told where it asked to be."""
        if not form.view.get("notify_on_close"):
            return None
        return self._interact(bot, user, type="view_closed", view={**form.view, "id": form.id}, is_cleared=False)

    # What the bot does.

    def do(self, method: str, path: str, arguments: Json) -> Answer:
        channel = arguments.get("channel", "") if method == "chat.postMessage" else ""
        limited = channel or method
        if wait := self._limits[limited].take() if limited in self._limits else 0.0:
            with self._changed:
                self.refusals[limited] += 1
            return _rate_limited(str(math.ceil(wait)))
        direct = channel.startswith(("U", "W", "D")) and not self.messages_tab
        if error := self.closed.get(channel, "messages_tab_disabled" if direct else ""):
            return answer(ok=False, error=error)
        if method in _KINDS and self._refuses(_KINDS[method], arguments.get("view", arguments)):
            return answer(400 if method == RESPONSE_URL else 200, ok=False, error="invalid_blocks")
        return super().do(method, path, arguments)

    def respond(self, request: Request, connection: socket.socket) -> Answer | None:
        method = method_of(request)
        with self._changed:
            self.calls.append((method, arguments_of(request)))
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
            return answer(ok=False, error=error)
        done = super().respond(request, connection)
        return None if error == "lost" else done

    def _respond_to(self, path: str, arguments: Json) -> Answer:
        with self._changed:
            issued, *used = times = self._responses.setdefault(path, [self._now()])
            times.append(self._now())
        if len(used) >= RESPONSES or self._now() - issued > RESPONSE_SECONDS:
            return answer(404, ok=False, error="used_url" if len(used) >= RESPONSES else "expired_url")
        return super()._respond_to(path, arguments)

    def _auth_test(self, arguments: Json) -> Answer:
        told = super()._auth_test(arguments)
        scopes = {"x-oauth-scopes": ",".join(self.scopes)} if self.scopes else {}
        return Answer(told.status, told.body, {**told.headers, **scopes})

    def _apps_connections_open(self, _arguments: Json) -> Answer:
        return answer(ok=True, url=f"{self.socket_url}?ticket={next(self._ids)}&app_id=A1")

    def _users_info(self, arguments: Json) -> Answer:
        user = arguments.get("user", "")
        if not user or user in self.unknown:
            return answer(ok=False, error="user_not_found")
        told = json.loads(super()._users_info(arguments).body)
        return answer(ok=True, user={**told["user"], **self.people.get(user, {})})

    def _usergroups_users_list(self, arguments: Json) -> Answer:
        users = self.usergroups.get(arguments.get("usergroup", ""))
        return answer(ok=False, error="no_such_subteam") if users is None else answer(ok=True, users=users)

    def _views_open(self, arguments: Json) -> Answer:
        issued = int(arguments.get("trigger_id", "").partition(".")[2] or 0) / 1e9
        if issued and self._now() - issued > self.trigger_seconds:
            return answer(ok=False, error="expired_trigger_id")
        return super()._views_open(arguments)

    def _views_publish(self, arguments: Json) -> Answer:
        with self._changed:
            self.homes[arguments["user_id"]] = arguments["view"]
            self._changed.notify_all()
        return answer(ok=True, view={"id": f"V{next(self._ids)}"})

    def _refuses(self, kind: str, sent: Any) -> bool:
        problems = self._rules(kind, sent)
        self.problems += problems
        return bool(problems)

    def _now(self) -> float:
        return time.time() + self.ahead

    # What people see of it.

    def wait_for(self, condition: Callable[[], bool], seconds: float = 30) -> bool:
        """Wait until a condition on the messages holds; tell whether it does."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def roots(self, channel: str = "C1") -> list[Message]:
        """Return the bot's messages in a channel that stand in no thread."""
        found = [m for m in tuple(self.messages) if m.channel == channel and not m.thread_ts]
        return [m for m in found if not m.private_to and not m.author]

    def thread(self, root: Message) -> list[Message]:
        return [m for m in tuple(self.messages) if m.channel == root.channel and m.thread_ts == root.ts]

    def private(self, user: str = "U1") -> list[Message]:
        return [m for m in tuple(self.messages) if m.private_to == user]

    def finished(self, number: int = 1, seconds: float = 30) -> bool:
        """Wait until so many roots show their result and have an answer in their thread, in whichever order.

        A root in the thread of a message has its answer in that thread.
        """

        def finished() -> bool:
            said = [m for m in self.messages if is_answer(m)]
            answered = {(m.channel, m.thread_ts) for m in said} | {(m.channel, m.thread_ts, m.job) for m in said}
            roots = [m for m in self.messages if m.earlier and not is_answer(m)]
            keys = [(m.channel, m.thread_ts, m.job) if m.thread_ts else (m.channel, m.ts) for m in roots]
            return sum(key in answered for key in keys) == number

        return self.wait_for(finished, seconds)


def is_answer(message: Message) -> bool:
    """Tell whether a message is the bot's answer in a thread."""
    return bool(message.thread_ts) and message.outcome not in ("", "open")


def _rate_limited(seconds: str) -> Answer:
    return answer(429, {"Retry-After": seconds}, ok=False, error="ratelimited")

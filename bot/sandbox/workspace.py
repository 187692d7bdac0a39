"""Slack's stand-in: the Web API of a workspace, the signed requests of its people to the bot, and what they see."""

import itertools
import json
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import requests
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.loopback import Answer, Loopback, Request, local_request

BOT_TOKEN = "xoxb-sandbox"  # noqa: S105  # the stand-in's own

RESPONSE_URL = "response_url"
"""What a call of a response_url counts as, beside the methods of the Web API."""

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
    earlier: list[str] = field(default_factory=list)
    author: str = ""

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

    def held(self, block: Json) -> Any:
        """Return what a field holds, text or an option of a menu: what was entered, or what it was opened with."""
        element = block["element"]
        return self.entered.get(block["block_id"], element.get("initial_option", element.get("initial_value")))


class Reply:
    """The bot's HTTP answer to Slack, its `body` decoded: {} for a bare acknowledgement."""

    def __init__(self, answer: requests.Response) -> None:
        self.status, self.headers, self.content = answer.status_code, answer.headers, answer.content
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        self.body: Json = answer.json() if is_json else {"text": answer.text} if answer.text else {}

    @property
    def text(self) -> str:
        """What the sender alone sees."""
        return str(self.body.get("text", ""))


class Workspace(Loopback):
    """A workspace with people (`locales`, by user id), channels that anybody may use, and one bot.

    It is strict where Slack is: with tokens, triggers, threads, and what it takes as JSON. What people do is sent to
    the bot at the base address `bot`.
    """

    def __init__(self, signing_secret: str) -> None:
        super().__init__()
        self.signing_secret = signing_secret
        self.locales: dict[str, str] = {}
        self.messages: list[Message] = []
        self.forms: list[Form] = []
        self._triggers: set[str] = set()  # those that opened nothing yet
        self._threads: set[tuple[str, str]] = set()  # channel and ts of each message
        self._changed = threading.Condition()
        self._ids = itertools.count(1)

    def command(self, bot: str, text: str | None, user: str = "U1", channel: str = "C1", **more: str) -> Reply:
        """Type `/addgroup TEXT`."""
        typed = {"command": "/addgroup"} if text is None else {"command": "/addgroup", "text": text}
        app = {"team_id": "T1", "team_domain": "sandbox", "api_app_id": "A1"}
        place = {"user_id": user, "user_name": user.lower(), "channel_id": channel, "channel_name": name_of(channel)}
        once = {"trigger_id": self.trigger(), "response_url": self.response_url(user, channel)}
        return self.post(bot, urlencode({**typed, **app, **place, **once, **more}).encode())

    def press(self, bot: str, message: Message, action: str, user: str = "U1", **more: Any) -> Reply:
        """Press a button under a message."""
        button = next(button for button in message.buttons if button["action_id"] == action)
        container = {"type": "message", "channel_id": message.channel, "message_ts": message.ts}
        pressed: Json = {"type": "block_actions", "container": container, "actions": [button]}
        return self._interact(bot, user, message, "UBOT", **pressed, **more)

    def suggest(self, bot: str, typed: str, user: str = "U1") -> list[Json]:
        """Type into the menu of parents of the newest form, and return the options that are offered."""
        form = self.forms[-1] if self.forms else Form("", {"private_metadata": '{"channel": "C1"}', "blocks": []})
        fields = {block["element"]["action_id"]: block["block_id"] for block in form.inputs}
        menu: Json = {"action_id": "parent", "block_id": fields.get("parent", "parent"), "value": typed}
        reply = self._interact(bot, user, type="block_suggestion", view=form.view, **menu)
        return list(reply.body.get("options", []))

    def submit(self, bot: str, form: Form, user: str = "U1", **fields: Any) -> Reply:
        """Submit the form: `name` is text, `parent` an option; what is not given stays as the form has it.

        The form that the bot puts in its place (`response_action`) keeps what was entered in blocks of the same id.
        Source: https://docs.slack.dev/surfaces/modals#updating_response
        """
        values: Json = {}
        for block in form.inputs:
            element = block["element"]
            entered = form.entered[block["block_id"]] = fields.get(element["action_id"], form.held(block))
            value = "selected_option" if element["type"] == "external_select" else "value"
            values[block["block_id"]] = {element["action_id"]: {"type": element["type"], value: entered}}
        view = {**form.view, "id": form.id, "state": {"values": values}}
        reply = self._interact(bot, user, type="view_submission", view=view)
        if reply.body.get("response_action") == "update":
            form.view = reply.body["view"]
        return reply

    def _interact(self, bot: str, user: str, message: Message | None = None, author: str = "", **payload: Any) -> Reply:
        team = {"id": "T1", "domain": "sandbox"}
        common: Json = {"user": {"id": user, "team_id": "T1"}, "team": team, "api_app_id": "A1"}
        if message:
            self._threads |= {(message.channel, message.ts), (message.channel, message.thread_ts)}
            common["channel"] = {"id": message.channel, "name": name_of(message.channel)}
            common["message"] = message.payload(author)
        if channel := {**common, **payload}.get("channel"):
            common["response_url"] = self.response_url(user, channel["id"])
        sent = {**common, "trigger_id": self.trigger(), **payload}
        return self.post(bot, urlencode({"payload": json.dumps(sent, ensure_ascii=False)}).encode())

    def post(self, bot: str, body: bytes, **headers: str) -> Reply:
        """Send a signed body to the bot."""
        timestamp = str(int(time.time()))
        signature = SignatureVerifier(self.signing_secret).generate_signature(timestamp=timestamp, body=body) or ""
        signed = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
        headers = {"Content-Type": "application/x-www-form-urlencoded", **signed, **headers}
        return Reply(local_request("POST", f"{bot}/slack/events", data=body, headers=headers, timeout=60))

    def trigger(self) -> str:
        """Return what lets the bot open one form."""
        trigger = f"{next(self._ids)}.{time.time_ns()}"
        self._triggers.add(trigger)
        return trigger

    def response_url(self, user: str, channel: str) -> str:
        """Return an address through which the bot can answer what somebody did."""
        return f"{self.url}/response/{user}/{channel}/{next(self._ids)}"

    def respond(self, request: Request, _connection: socket.socket) -> Answer | None:
        method = method_of(request)
        if method != RESPONSE_URL and request.headers.get("authorization") != f"Bearer {self.token(method)}":
            return answer(ok=False, error="invalid_auth")
        return self.do(method, request.path, arguments_of(request))

    def do(self, method: str, path: str, arguments: Json) -> Answer:
        """Do what a method of the Web API, or RESPONSE_URL, is asked for."""
        if method == RESPONSE_URL:
            return self._respond_to(path, arguments)
        handler = getattr(self, f"_{method.replace('.', '_')}", None)
        return handler(arguments) if handler else answer(ok=False, error="unknown_method")

    def token(self, _method: str) -> str:
        """Return the token that a method takes."""
        return BOT_TOKEN

    def _respond_to(self, path: str, arguments: Json) -> Answer:
        _, user, channel, _ = path.strip("/").split("/")
        blocks = arguments.get("blocks", [])
        self._keep(Message(channel, self._ts(), arguments["text"], private_to=user, blocks=blocks))
        return Answer(200, b"ok")

    def _auth_test(self, _arguments: Json) -> Answer:
        names = {"team": "Sandbox", "team_id": "T1", "user": "addgroup", "user_id": "UBOT", "bot_id": "B1"}
        return answer(ok=True, url="https://sandbox.slack.com/", **names)

    def _users_info(self, arguments: Json) -> Answer:
        user = arguments.get("user", "")
        place = {"locale": self.locales.get(user, "en-US"), "tz": "Europe/London"}
        return answer(ok=True, user={"id": user, "team_id": "T1", "name": user.lower(), **place})

    def _chat_postMessage(self, arguments: Json) -> Answer:  # noqa: N802  # Slack's name
        channel, thread = arguments["channel"], arguments.get("thread_ts", "")
        thread = thread if (channel, thread) in self._threads else ""  # an unknown one is taken as none
        message = Message(channel, self._ts(), arguments["text"], thread, blocks=arguments.get("blocks", []))
        told = arguments.get("metadata", {}).get("event_payload", {})
        message.outcome, message.job = told.get("outcome", ""), told.get("job", "")
        self._keep(message)
        return answer(ok=True, channel=channel, ts=message.ts, message=message.payload("UBOT"))

    def _chat_update(self, arguments: Json) -> Answer:
        with self._changed:
            found = [m for m in self.messages if (m.channel, m.ts) == (arguments["channel"], arguments["ts"])]
            if not found:
                return answer(ok=False, error="message_not_found")
            found[0].earlier.append(found[0].text)
            found[0].text = arguments["text"]
            found[0].blocks = arguments.get("blocks", found[0].blocks)
            self._changed.notify_all()
        return answer(ok=True, channel=arguments["channel"], ts=arguments["ts"])

    def _views_open(self, arguments: Json) -> Answer:
        with self._changed:
            if arguments.get("trigger_id") not in self._triggers:
                return answer(ok=False, error="exchanged_trigger_id")
            self._triggers.remove(arguments["trigger_id"])
            self.forms.append(Form(f"V{next(self._ids)}", arguments["view"]))
            self._changed.notify_all()
        return answer(ok=True, view={"id": self.forms[-1].id})

    def _keep(self, message: Message) -> Message:
        with self._changed:
            self._threads.add((message.channel, message.ts))
            self.messages.append(message)
            self._changed.notify_all()
        return message

    def _ts(self) -> str:
        return f"{int(time.time())}.{next(self._ids):06d}"


def method_of(request: Request) -> str:
    """Return the method of the Web API that is called, or RESPONSE_URL."""
    path = request.path.strip("/")
    return RESPONSE_URL if path.startswith("response/") else path.removeprefix("api/")


def arguments_of(request: Request) -> Json:
    """Decode the arguments of a Web API call, a form or, where Slack takes it, JSON; so is JSON within a form.

    Source: https://docs.slack.dev/apis/web-api/#post_bodies
    """
    if request.headers.get("content-type", "").startswith("application/json"):
        decoded = json.loads(request.body or b"{}")
        writes = method_of(request).startswith(("chat.", "views.", RESPONSE_URL))
        return decoded if isinstance(decoded, dict) and writes else {}
    form: Json = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    return {name: json.loads(each) if name in ("blocks", "metadata", "view") else each for name, each in form.items()}


def answer(status: int = 200, headers: dict[str, str] | None = None, /, **fields: Any) -> Answer:
    """Return an answer in JSON, as the Web API gives it."""
    content = json.dumps(fields, ensure_ascii=False).encode()
    return Answer(status, content, {"Content-Type": "application/json", **(headers or {})})


def name_of(channel: str) -> str:
    """Return what Slack's payloads call a conversation: only a public channel by what it is called."""
    return {"D": "directmessage", "G": "privategroup"}.get(channel[:1], channel.lower())

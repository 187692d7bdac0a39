"""Slack's stand-in: a workspace whose people send the bot signed requests, and what they see of its answers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests
from slack_sdk.signature import SignatureVerifier

from bot.sandbox import limits
from bot.sandbox.loopback import local_request
from bot.sandbox.slack_api import APP_TOKEN, BOT_TOKEN, Form, Message, SlackApi

__all__ = ["APP_TOKEN", "BOT_TOKEN", "Form", "Message", "Reply", "Workspace"]


class Workspace(SlackApi):
    """What people do and see in Slack, above the Web API of the same workspace."""

    def __init__(self, signing_secret: str) -> None:
        super().__init__()
        self.signing_secret = signing_secret

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
            "response_url": self.response_url(user, channel),
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
            container={"type": "message", "channel_id": message.channel, "message_ts": message.ts},
            message=_shown(message, message.author or "UBOT"),
            actions=[{"type": "button", **next(button for button in message.buttons if button["action_id"] == action)}],
            **more,
        )

    def shortcut(
        self, bot: str, message: Message, user: str = "U1", callback_id: str = "addgroup", **more: Any
    ) -> Reply:
        """Choose the app's shortcut in the menu of a message; `message` may be anybody's, `more` adds to the payload.

        Source: https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
        """
        return self._interact(
            bot,
            user,
            type="message_action",
            callback_id=callback_id,
            message_ts=message.ts,
            action_ts=f"{time.time():.6f}",
            channel={"id": message.channel, "name": message.channel.lower()},
            message=_shown(message, message.author or "U2"),
            **more,
        )

    def say(self, text: str, user: str = "U1", channel: str = "C1", thread_ts: str = "") -> Message:
        """Write a message that is not for the bot."""
        message = Message(channel, self._ts(), escaped(text), thread_ts, author=user)
        self._keep(message)
        return message

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
        if "channel" in payload:
            common["response_url"] = self.response_url(user, payload["channel"]["id"])
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

    def finished(self, number: int = 1, seconds: float = 10) -> bool:
        """Wait until so many roots show their result and have an answer in their thread, in whichever order.

        A root in the thread of a message has its answer in that thread.
        """

        def finished() -> bool:
            said = [m for m in self.messages if m.is_answer]
            answered = {(m.channel, m.thread_ts) for m in said} | {(m.channel, m.thread_ts, m.job) for m in said}
            roots = [m for m in self.messages if m.earlier and not m.is_answer]
            keys = [(m.channel, m.thread_ts, m.job) if m.thread_ts else (m.channel, m.ts) for m in roots]
            return sum(key in answered for key in keys) == number

        return self.wait_for(finished, seconds)

    def roots(self, channel: str = "C1") -> list[Message]:
        """Return the bot's messages in a channel that stand in no thread."""
        found = [m for m in tuple(self.messages) if m.channel == channel and not m.thread_ts]
        return [m for m in found if not m.private_to and not m.author]

    def thread(self, root: Message) -> list[Message]:
        return [m for m in tuple(self.messages) if m.channel == root.channel and m.thread_ts == root.ts]

    def private(self, user: str = "U1") -> list[Message]:
        return [m for m in tuple(self.messages) if m.private_to == user]


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


def escaped(text: str) -> str:
    """Return a text as it is in the payload of what somebody wrote."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shown(message: Message, author: str) -> dict[str, Any]:
    """Return a message as it is in a payload."""
    blocks = {"blocks": message.blocks} if message.blocks else {}
    thread = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    return {"type": "message", "user": author, "ts": message.ts, "text": message.text, **blocks, **thread}


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
    element = next(b["element"] for b in view["blocks"] if b.get("block_id") == block)
    if element["type"] == "external_select":
        return {"selected_option": element.get("initial_option")}
    return {"value": element.get("initial_value")}

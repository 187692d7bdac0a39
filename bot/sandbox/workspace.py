"""Slack's stand-in: a workspace whose people send the bot signed requests, and what they see of its answers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests
from slack_sdk.signature import SignatureVerifier

from bot.sandbox.loopback import local_request
from bot.sandbox.slack_api import BOT_TOKEN, Form, Json, Message, SlackApi

__all__ = ["BOT_TOKEN", "Form", "Message", "Reply", "Workspace"]


class Workspace(SlackApi):
    """What people do and see in Slack, above the Web API of the same workspace."""

    def __init__(self, signing_secret: str) -> None:
        super().__init__()
        self.signing_secret = signing_secret

    # What people do: Slack's requests to the bot.

    def command(self, bot: str, text: str | None, user: str = "U1", channel: str = "C1", **more: str) -> Reply:
        """Type `/addgroup TEXT`: send it to the bot at the base address `bot`, as Slack would."""
        form = {
            "command": "/addgroup",
            "user_id": user,
            "user_name": user.lower(),
            "team_id": "T1",
            "team_domain": "sandbox",
            "channel_id": channel,
            "channel_name": name_of(channel),
            "api_app_id": "A1",
            "trigger_id": self.trigger(),
            "response_url": self.response_url(user, channel),
            **({} if text is None else {"text": text}),
            **more,
        }
        return self.post(bot, urlencode(form).encode())

    def press(self, bot: str, message: Message, action: str, user: str = "U1", **more: Any) -> Reply:
        """Press a button under a message."""
        button = next(button for button in message.buttons if button["action_id"] == action)
        container = {"type": "message", "channel_id": message.channel, "message_ts": message.ts}
        actions = [{"type": "button", **button}]
        return self._interact(
            bot, user, message, "UBOT", type="block_actions", container=container, actions=actions, **more
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
            message,
            "U2",
            type="message_action",
            callback_id=callback_id,
            message_ts=message.ts,
            action_ts=f"{time.time():.6f}",
            **more,
        )

    def say(self, text: str, user: str = "U1", channel: str = "C1", thread_ts: str = "") -> Message:
        """Write a message that is not for the bot."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return self._keep(Message(channel, self._ts(), escaped, thread_ts, author=user))

    def suggest(self, bot: str, typed: str, user: str = "U1") -> list[Json]:
        """Type into the menu of parents of the newest form, and return the options that are offered."""
        view: Json = self.forms[-1].view if self.forms else {"private_metadata": json.dumps({"channel": "C1"})}
        inputs = self.forms[-1].inputs if self.forms else []
        block = next((block["block_id"] for block in inputs if block["element"]["action_id"] == "parent"), "parent")
        menu: Json = {"action_id": "parent", "block_id": block, "value": typed}
        reply = self._interact(bot, user, type="block_suggestion", view=view, **menu)
        options: list[Json] = reply.body.get("options", [])
        return options

    def submit(self, bot: str, form: Form, user: str = "U1", **fields: Any) -> Reply:
        """Submit the form: `name` is text, `parent` an option; what is not given stays as the form has it.

        The form that the bot puts in its place (`response_action`) keeps what was entered in blocks of the same id.
        Source: https://docs.slack.dev/surfaces/modals#updating_response
        """
        values: Json = {}
        for block in form.inputs:
            element = block["element"]
            value = "selected_option" if element["type"] == "external_select" else "value"
            initial = element.get("initial_option" if value == "selected_option" else "initial_value")
            before = form.entered.get(block["block_id"], initial)
            form.entered[block["block_id"]] = entered = fields.get(element["action_id"], before)
            values[block["block_id"]] = {element["action_id"]: {"type": element["type"], value: entered}}
        view = {**form.view, "id": form.id, "state": {"values": values}}
        reply = self._interact(bot, user, type="view_submission", view=view)
        if reply.body.get("response_action") == "update":
            form.view = reply.body["view"]
        return reply

    def close(self, bot: str, form: Form, user: str = "U1") -> Reply | None:
        """Close the form without sending it, of which the bot is told where it asked to be."""
        if not form.view.get("notify_on_close"):
            return None
        return self._interact(bot, user, type="view_closed", view={**form.view, "id": form.id}, is_cleared=False)

    def _interact(self, bot: str, user: str, message: Message | None = None, author: str = "", **payload: Any) -> Reply:
        common: Json = {
            "user": {"id": user, "team_id": "T1"},
            "team": {"id": "T1", "domain": "sandbox"},
            "api_app_id": "A1",
            "trigger_id": self.trigger(),
        }
        if message:
            self._threads |= {(message.channel, message.ts), (message.channel, message.thread_ts)}
            common["channel"] = {"id": message.channel, "name": name_of(message.channel)}
            common["message"] = message.payload(author)
        if channel := {**common, **payload}.get("channel"):
            common["response_url"] = self.response_url(user, channel["id"])
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
        return Reply(answer.status_code, _decoded(answer), answer.headers, answer.content)

    # What the bot did, as people see it.

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
    body: Json
    headers: Any
    content: bytes

    @property
    def text(self) -> str:
        """What the sender alone sees."""
        return str(self.body.get("text", ""))


def name_of(channel: str) -> str:
    """Return what Slack's payloads call a conversation: only a public channel by what it is called."""
    return {"D": "directmessage", "G": "privategroup"}.get(channel[:1], channel.lower())


def _decoded(answer: requests.Response) -> Json:
    if answer.headers.get("content-type", "").startswith("application/json"):
        body = answer.json()
        return body if isinstance(body, dict) else {}
    return {"text": answer.text} if answer.text else {}

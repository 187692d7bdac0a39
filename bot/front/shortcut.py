"""The message shortcut: the form, filled with what a message holds, one group a line."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App

from bot.front.form import Form
from bot.front.form_view import Origin
from bot.front.intake import Intake, channel_of, kind_in
from bot.model.job import TryLater
from bot.model.message_text import lines_of
from bot.model.names import clean
from bot.slack.client import SlackRefused
from bot.slack.people import People

SHORTCUT = "addgroup"
"""The shortcut's callback_id."""

MOST_NAMES = 20
"""How many people Slack is asked for by one shortcut."""

NAMES_WITHIN = 0.5
"""How long the form waits for these names, in seconds: with what it waits for then, less than Slack's three."""

_PERSON = re.compile(r"<@([UW][A-Z0-9]+)")
_LABELLED = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]+)\|[@#]?([^<>]+)>")


class Shortcut:
    """Listens to the shortcut in the menu of every message, also in threads, where no command can be typed."""

    def __init__(self, intake: Intake, form: Form) -> None:
        self._intake = intake
        self._form = form

    def register(self, app: App) -> None:
        """Register the listener. It takes any message shortcut of the app, as the command takes any command."""
        app.message_shortcut(re.compile(""))(self.chosen)

    def chosen(self, ack: Ack, body: dict[str, Any]) -> None:
        """Open the form with the message's lines. The answer will come in the thread of the message."""
        reply = self._intake.reply(ack, body["user"]["id"], body.get("response_url", ""))
        message = body.get("message") or {}
        self._intake.people.prefetch(reply.user)
        text, whole = lines_of(message, _names(message, self._intake.people))
        thread = str(message.get("thread_ts") or message.get("ts") or body.get("message_ts") or "")
        origin = Origin(
            channel_of(body),
            reply.response_url,
            reply_to=thread,
            trigger=body["trigger_id"],
            channel_kind=kind_in(body),
        )
        remark = "form.nothing_in_message" if not clean(text) else "" if whole else "form.not_all_read"
        self._form.open_text(reply, body["trigger_id"], origin, text, remark)


def _names(message: dict[str, Any], users: People) -> Callable[[str], str]:
    """Return what names the people, channels and user groups that a message mentions, "" for those unknown so far."""
    told = dict(_LABELLED.findall(str(message.get("text") or "")))
    people = list(dict.fromkeys(_PERSON.findall(str(message.get("text") or "")) + _people(message.get("blocks"))))
    for user in people[:MOST_NAMES]:
        users.prefetch(user)
    until = time.monotonic() + NAMES_WITHIN

    def name(identifier: str) -> str:
        if identifier in told:
            return str(told[identifier]).strip()
        if identifier not in people[:MOST_NAMES]:
            return ""
        try:
            return " ".join(users.person(identifier, max(until - time.monotonic(), 0.0)).name.split())
        except (SlackRefused, TryLater):
            return ""

    return name


def _people(blocks: object) -> list[str]:
    """Return the ids of the people that blocks mention, however deep."""
    match blocks:
        case list():
            return [person for block in blocks for person in _people(block)]
        case {"type": "user", "user_id": str() as person}:
            return [person]
        case dict():
            return [person for block in blocks.values() for person in _people(block)]
        case _:
            return []

"""The message shortcut: the form, filled with what a message holds, one group a line."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App

from bot.front.form import Form
from bot.front.reply import Intake, Origin, Reply
from bot.model.job import TryLater
from bot.model.message_text import lines_of
from bot.model.names import clean
from bot.slack.blocks import Typed
from bot.slack.client import SlackRefused
from bot.slack.people import People

SHORTCUT = "addgroup"
"""The shortcut's callback_id."""

MOST_NAMES = 20
"""How many people Slack is asked for by one shortcut."""

NAMES_WITHIN = 0.5
"""How long the form waits for these names, in seconds: with what it waits for then, less than Slack's three."""

_PERSON = re.compile(r'(?:<@|"user_id": ")([UW][A-Z0-9]+)')  # in a text or in a block, however deep
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
        reply = Reply(self._intake, ack, body["user"]["id"], Origin.of(body))
        message = body.get("message") or {}
        self._intake.people.prefetch(reply.user)
        text, whole = lines_of(message, _names(message, self._intake.people))
        thread = str(message.get("thread_ts") or message.get("ts") or body.get("message_ts") or "")
        remark = "form.nothing_in_message" if not clean(text) else "" if whole else "form.not_all_read"
        self._form.open_text(reply, Typed(text, thread), remark)


def _names(message: dict[str, Any], people: People) -> Callable[[str], str]:
    """Return what names the people, channels and user groups that a message mentions, "" for those unknown so far."""
    told = dict(_LABELLED.findall(str(message.get("text") or "")))
    asked = list(dict.fromkeys(_PERSON.findall(json.dumps(message))))[:MOST_NAMES]
    for user in asked:
        people.prefetch(user)
    until = time.monotonic() + NAMES_WITHIN

    def name(identifier: str) -> str:
        try:
            seconds = max(until - time.monotonic(), 0.0)
            found = people.person(identifier, seconds).name if identifier in asked else ""
        except (SlackRefused, TryLater):
            found = ""
        return " ".join(str(told.get(identifier) or found).split())

    return name

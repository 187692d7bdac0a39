"""`/addgroup list`: the account's groups with their ids, a page at a time, to the sender alone."""

from __future__ import annotations

import json
from typing import Any

from slack_bolt import Ack, App

from bot.front import pages
from bot.front.intake import Intake, channel_of
from bot.front.reply import Reply
from bot.iletimerkezi.client import ApiError
from bot.iletimerkezi.groups import Groups
from bot.journal.errors import JournalError
from bot.slack import messages
from bot.slack.messages import Message
from bot.slack.texts import Language, say

LIST_WITHIN = 10.0
"""How long the list of groups may take, in seconds. Nothing waits for it but the person who asked."""


class Listing:
    """Shows pages of the list. Who may not use the command does not see them."""

    def __init__(self, intake: Intake, groups: Groups) -> None:
        self._intake = intake
        self._groups = groups

    def register(self, app: App) -> None:
        """Register the listener of the button that shows the next page."""
        app.action(pages.SHOW_MORE)(self.more)

    def show(self, reply: Reply, channel: str, text: str, offset: int = 0) -> None:
        """Acknowledge, and show the groups whose path has `text`, from the one at `offset` on."""
        self._groups.prefetch()
        reply.tell(
            lambda language: self._page(language, text, offset),
            unless=lambda: self._intake.access.refusal(reply.user, channel),
        )

    def more(self, ack: Ack, body: dict[str, Any]) -> None:
        """Show the next page below the last one."""
        reply = self._intake.reply(ack, body["user"]["id"], body.get("response_url", ""))
        try:
            value = json.loads(body["actions"][0]["value"])
            text, offset = str(value["text"]), int(value["offset"])
        except (KeyError, TypeError, ValueError):
            reply.too_old()
            return
        self.show(reply, channel_of(body), text, max(offset, 0))

    def _page(self, language: Language, text: str, offset: int) -> Message:
        try:
            found = self._groups.search(text, None, LIST_WITHIN)
        except (ApiError, JournalError, TimeoutError):
            return messages.plain(say(language, "list.unavailable"))
        return pages.list_page(language, found, text, offset if offset < len(found) else 0)

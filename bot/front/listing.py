"""`/addgroup list`: the account's groups with their ids, a page at a time, to the sender alone."""

from __future__ import annotations

import json
from typing import Any

from slack_bolt import Ack, App

from bot.front import pages
from bot.front.intake import Intake, channel_of, kind_in
from bot.front.reply import Reply
from bot.iletimerkezi.client import ApiError
from bot.iletimerkezi.groups import Groups
from bot.journal.errors import JournalError
from bot.model.grammar import as_text, read_form
from bot.model.job import Job, steps_of
from bot.slack import messages
from bot.slack.handing_back import Typed
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
        """Register the listeners of the buttons: for the next page, and for a group where nothing is found."""
        app.action(pages.SHOW_MORE)(self.more)
        app.action(pages.CREATE_LISTED)(self.create)

    def show(self, reply: Reply, channel: str, text: str, offset: int = 0, typed: Typed | None = None) -> None:
        """Acknowledge, and show the groups whose path has `text`, from the one at `offset` on.

        Where there is none, a button creates the group whose name is what was `typed`: List A.
        """
        self._groups.prefetch()
        reply.tell(
            lambda language: self._page(language, text, offset, typed),
            unless=lambda: self._intake.people.refusal(reply.user, channel),
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

    def create(self, ack: Ack, body: dict[str, Any]) -> None:
        """Create the group that a search for nothing was meant to be; a button does so once."""
        reply = self._intake.reply(ack, body["user"]["id"], body.get("response_url", ""))
        try:
            typed = Typed.load(body["actions"][0]["value"])
        except (KeyError, TypeError, ValueError):
            typed = Typed("")
        groups = read_form(typed.text).groups
        if not groups:
            reply.too_old()
            return
        job = Job(
            user=reply.user,
            channel=channel_of(body),
            channel_kind=kind_in(body),
            trigger=f"list:{typed.trigger}",
            typed=as_text(groups),
            steps=steps_of(groups),
            response_url=reply.response_url,
            language=reply.language,
        )
        self._intake.accept(job, reply)

    def _page(self, language: Language, text: str, offset: int, typed: Typed | None) -> Message:
        try:
            found = self._groups.search(text, None, LIST_WITHIN)
        except (ApiError, JournalError, TimeoutError):
            return messages.plain(say(language, "list.no_list" if self._groups.closed else "list.unavailable"))
        if text and typed and not found:
            return pages.nothing_found(language, text, typed.text, typed.dump())
        return pages.list_page(language, found, text, offset if offset < len(found) else 0)

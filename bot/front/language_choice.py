"""`/addgroup language`, and the button under the help: in which language somebody wants to be answered."""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import Ack, App

from bot.front import pages
from bot.front.intake import Intake
from bot.front.reply import Reply
from bot.journal.errors import JournalError
from bot.journal.journal import Journal
from bot.log import event
from bot.slack import messages
from bot.slack.texts import LANGUAGES, say


class LanguageChoice:
    """Keeps what people choose in the journal's database, where the worker finds it too."""

    def __init__(self, intake: Intake, journal: Journal) -> None:
        self._intake = intake
        self._people = intake.people
        self._journal = journal

    def register(self, app: App) -> None:
        """Register the listener of the button under the help."""
        app.action(pages.SWITCH_LANGUAGE)(self.pressed)

    def choose(self, reply: Reply, language: str) -> None:
        """Acknowledge, keep the choice ("" takes it back), and answer in the language that is used from now on."""
        reply.later(lambda: self._choose(reply, language))

    def pressed(self, ack: Ack, body: dict[str, Any]) -> None:
        """Choose the language of the button."""
        reply = self._intake.reply(ack, body["user"]["id"], body.get("response_url", ""))
        language = body["actions"][0].get("value")
        if language in LANGUAGES:
            self.choose(reply, language)
        else:
            reply.too_old()

    def _choose(self, reply: Reply, language: str) -> None:
        try:
            self._journal.choose_language(reply.user, language)
        except JournalError as error:
            event("language_not_kept", level=logging.ERROR, user=reply.user, reason=str(error))
            reply.tell(lambda voice: messages.plain(say(voice, "language.failed")))
            return
        self._people.forget(reply.user)
        self._people.prefetch(reply.user)
        used = self._people.language(reply.user)
        event("language_chosen", user=reply.user, language=language or "auto")
        key = "language.fixed" if language and language != used else f"language.{'chosen' if language else 'automatic'}"
        reply.tell(lambda voice: messages.plain(say(voice, key)))

"""Replies: what one person is told, alone, about one thing that they did in Slack, which is acknowledged once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from slack_bolt import Ack

from bot.front import form_view
from bot.front.answer_size import fits
from bot.front.handing_back import Typed, with_text
from bot.log import event
from bot.model.job import TryLater
from bot.slack import messages, wording
from bot.slack.client import SlackRefused
from bot.slack.messages import Message
from bot.slack.texts import LANGUAGES, Language, say, say_plain
from bot.slack.users import Users

Said = Callable[[Language], Message]
"""What is told, by language."""


class Reply:
    """Answers one thing that a person did in Slack, to that person alone, and acknowledges it exactly once."""

    def __init__(self, ack: Ack, users: Users, errands: Executor, user: str, response_url: str) -> None:
        self.user = user
        self.response_url = response_url
        self.language = users.known_language(user)
        self.acknowledged = False
        self._ack = ack
        self._users = users
        self._errands = errands

    def done(self, **answer: Any) -> None:
        """Acknowledge, without a word if there is no `answer`; a second time does nothing."""
        if not self.acknowledged:
            self.acknowledged = True
            self._ack(**answer)

    def later(self, work: Callable[[], None]) -> None:
        """Acknowledge, and do what may take longer."""
        self._errands.submit(work).add_done_callback(self._log_fault)
        self.done()

    def tell(self, said: Said, unless: Callable[[], str] | None = None, back: Typed | None = None) -> None:
        """Acknowledge, and say something as soon as the person's language is known.

        With `unless`, which returns why the person may not know it, that is said instead. What is given `back` was not
        accepted, and stands below.
        """
        self.later(lambda: self._say(said, unless, back))

    def tell_at_once(self, said: Said) -> None:
        """Acknowledge and say something, without asking Slack for anything where the acknowledgement can carry it."""
        self.tell(said)

    def decline(self, back: Typed | None, key: str, **values: object) -> None:
        """Acknowledge, and say by a sentence of the texts why something was not accepted."""
        self.tell(lambda language: messages.plain(say(language, key, **values)), back=back)

    def too_old(self) -> None:
        """Acknowledge, and say of a button that nobody knows any more what it belongs to."""
        self.decline(None, "button.stale")

    def _say(self, said: Said, unless: Callable[[], str] | None, back: Typed | None) -> None:
        try:
            reason, voice = unless() if unless else "", self._users.voice(self._users.language(self.user))
            denied = [messages.plain(wording.denied(voice, reason))] if reason else []
            for message in denied or _messages(voice, said(voice), back):
                self._users.slack.respond(self.response_url, message)
        except (SlackRefused, TryLater) as error:
            event("not_told", level=logging.WARNING, user=self.user, error=str(error))

    def _log_fault(self, told: Future[None]) -> None:
        if error := told.exception():
            event("not_told", level=logging.ERROR, user=self.user, trace=error)


class CommandReply(Reply):
    """The same for a slash command, whose acknowledgement can carry words where the language is known already."""

    def tell(self, said: Said, unless: Callable[[], str] | None = None, back: Typed | None = None) -> None:
        """Acknowledge with the words where nothing is to be found out before and they fit, else say them later."""
        words: list[Message] = []
        if self.language and not unless and not self.acknowledged:
            voice = self._users.voice(self.language)
            words = _messages(voice, said(voice), back)
        if len(words) == 1 and fits(words[0]):
            self.done(response_type="ephemeral", **words[0])
        else:
            super().tell(said, unless, back)

    def tell_at_once(self, said: Said) -> None:
        """Acknowledge with the words, in every language where the person's is not known."""
        languages = [self.language] if self.language else LANGUAGES
        texts = [said(self._users.voice(language))["text"] for language in languages]
        self.done(response_type="ephemeral", **messages.plain("\n".join(texts)))


class FormReply(Reply):
    """The same for a form that was submitted: it stays open with what it holds when that is not accepted."""

    def decline(self, back: Typed | None, key: str, **values: object) -> None:
        """Say why at the form's first field."""
        if self.acknowledged:
            super().decline(back, key, **values)
        else:
            self.mistake(form_view.NAME, say_plain(self.language or LANGUAGES[0], key, **values))

    def mistake(self, field: str, sentence: str) -> None:
        """Acknowledge, and show a sentence at a field."""
        self.done(response_action="errors", errors={field: sentence})
        event("form_refused", user=self.user, field=field)


def _messages(language: Language, message: Message, back: Typed | None) -> list[Message]:
    return with_text(language, message, back) if back and back.text.strip() else [message]

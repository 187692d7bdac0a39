"""Faults of the bot itself: each gets a reference, for the log and for the person, told in a way that Slack shows.

Slack ignores a text in the answer to a form or a button; it shows an error at a field, a changed form, or a message
sent through the response_url.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.response import BoltResponse

from bot.front.reply import Intake, Origin, Reply, sentence
from bot.journal.errors import JournalError
from bot.log import event
from bot.model.job import new_id
from bot.slack.texts import LANGUAGES, say, say_plain


class Faults:
    """Answers what a listener failed at or none knows; HTTP 200 throughout, or Slack would show nothing of it."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def register(self, app: App) -> None:
        """Register the listeners: to be the last, because they take what no other listener knows."""
        app.view(re.compile(""))(self.unknown_form)
        app.options(re.compile(""))(self.unknown_menu)
        app.error(self.failed)

    def unknown_form(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Answer a form that was opened before a release, by a version that had another one."""
        ack(**in_form(view, self._languages(body["user"]["id"]), "form.stale"))

    def unknown_menu(self, ack: Ack) -> None:
        """Offer nothing in a menu of such a form."""
        ack(options=[])

    def failed(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Log an unexpected fault, or that the journal could not be read, and tell it to the person."""
        reference = new_id()
        event("request_failed", level=logging.ERROR, reference=reference, trace=error)
        key = "failure.journal" if isinstance(error, JournalError) else "failure.internal"
        user = body.get("user_id") or (body.get("user") or {}).get("id")
        languages = self._languages(user if isinstance(user, str) else "")
        match body.get("type"):
            case "view_submission":
                answer = in_form(body.get("view") or {}, languages, key, reference=reference)
                return BoltResponse(status=200, body=answer)
            case "block_suggestion":
                return BoltResponse(status=200, body={"options": []})
            case None:  # a command
                voices = map(self._intake.people.voice, languages)
                told = "\n".join(say(voice, key, reference=reference) for voice in voices)
                return BoltResponse(status=200, body=told)
            case _:
                if response_url := body.get("response_url"):  # else, as from a button in a form, there is only the log
                    acknowledged = Ack()  # type: ignore[no-untyped-call]
                    reply = Reply(self._intake, acknowledged, str(user or ""), Origin("", response_url))
                    reply.tell(sentence(key, reference=reference))
                return BoltResponse(status=200)

    def _languages(self, user: str) -> tuple[str, ...]:
        """Return the person's language, or all of them: nobody is asked where something went wrong already."""
        language = self._intake.people.known_language(user)
        return (language,) if language else LANGUAGES


def in_form(view: dict[str, Any], languages: tuple[str, ...], key: str, **values: object) -> dict[str, Any]:
    """Return the answer to a form's submission that shows a sentence: at its first field, else in place of the form.

    Source: https://docs.slack.dev/surfaces/modals#displaying_errors
    """
    sentences = "\n".join(say_plain(language, key, **values) for language in languages)
    fields = [block.get("block_id") for block in view.get("blocks") or () if block.get("type") == "input"]
    if fields and fields[0]:
        return {"response_action": "errors", "errors": {fields[0]: sentences}}
    title = {"type": "plain_text", "text": say(languages[0], "form.title")}
    shown = [{"type": "section", "text": {"type": "plain_text", "text": sentences}}]
    return {"response_action": "update", "view": {"type": "modal", "title": title, "blocks": shown}}

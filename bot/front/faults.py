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

from bot.front.intake import Intake
from bot.log import event
from bot.model.job import new_id
from bot.slack import messages
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
        sentences = [say_plain(each, "form.stale") for each in self._languages(body["user"]["id"])]
        ack(**in_form(view, "\n".join(sentences)))

    def unknown_menu(self, ack: Ack) -> None:
        """Offer nothing in a menu of such a form."""
        ack(options=[])

    def failed(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Log an unexpected fault and tell it to the person."""
        reference = new_id()
        event("request_failed", level=logging.ERROR, reference=reference, trace=error)
        user = body.get("user_id") or (body.get("user") or {}).get("id")
        user = user if isinstance(user, str) else ""
        match body.get("type"):
            case "view_submission":
                sentences = [say_plain(each, "failure.internal", reference=reference) for each in self._languages(user)]
                return BoltResponse(status=200, body=in_form(body.get("view") or {}, "\n".join(sentences)))
            case "block_suggestion":
                return BoltResponse(status=200, body={"options": []})
            case None:  # a command
                voices = map(self._intake.people.voice, self._languages(user))
                told = [say(voice, "failure.internal", reference=reference) for voice in voices]
                return BoltResponse(status=200, body="\n".join(told))
            case _:
                self._tell(user, body.get("response_url") or "", reference)
                return BoltResponse(status=200)

    def _languages(self, user: str) -> tuple[str, ...]:
        """Return the person's language, or all of them: nobody is asked where something went wrong already."""
        language = self._intake.people.known_language(user)
        return (language,) if language else LANGUAGES

    def _tell(self, user: str, response_url: str, reference: str) -> None:
        """Tell it through the response_url, soon. Without one, as from a button in a form, there is only the log."""
        if response_url:
            acknowledged = Ack()  # type: ignore[no-untyped-call]
            reply = self._intake.reply(acknowledged, user, response_url)
            reply.tell(lambda language: messages.plain(say(language, "failure.internal", reference=reference)))


def in_form(view: dict[str, Any], sentence: str) -> dict[str, Any]:
    """Return the answer to a form's submission that shows a sentence: at its first field, else in place of the form.

    Source: https://docs.slack.dev/surfaces/modals#displaying_errors
    """
    fields = [block.get("block_id") for block in view.get("blocks") or () if block.get("type") == "input"]
    if fields and fields[0]:
        return {"response_action": "errors", "errors": {fields[0]: sentence}}
    text = {"type": "plain_text", "text": sentence}
    title = view.get("title") or {"type": "plain_text", "text": say(LANGUAGES[0], "form.title")}
    shown = {"type": "modal", "title": title, "blocks": [{"type": "section", "text": text}]}
    return {"response_action": "update", "view": shown}

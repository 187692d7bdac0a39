"""The command: what people type after it, and what it does."""

from __future__ import annotations

import logging
import re
from typing import Any

from slack_bolt import Ack, App

from bot.front import pages
from bot.front.form import Form
from bot.front.form_view import Origin
from bot.front.intake import Intake
from bot.front.language_choice import LanguageChoice
from bot.front.listing import Listing
from bot.front.reply import Reply
from bot.iletimerkezi.groups import Groups
from bot.journal.errors import JournalError
from bot.journal.journal import Journal
from bot.log import event
from bot.model.grammar import COMMAND, Keyword, Reading, parse
from bot.model.job import Job, kind_of, steps_of
from bot.slack import messages
from bot.slack.handing_back import Typed
from bot.slack.texts import say


class Commands:
    """Listens to the command, and to the buttons under what it shows."""

    def __init__(self, intake: Intake, groups: Groups, journal: Journal, form: Form, docs_url: str) -> None:
        self._intake = intake
        self._people = intake.people
        self._groups = groups
        self._journal = journal
        self._form = form
        self._docs_url = docs_url
        self._listing = Listing(intake, groups)
        self._languages = LanguageChoice(intake, journal)

    def register(self, app: App) -> None:
        """Register the listeners. That of the command takes any command: see `command`."""
        app.command(re.compile(""))(self.command)
        self._listing.register(app)
        self._languages.register(app)

    def command(self, ack: Ack, command: dict[str, Any]) -> None:
        """Answer `/addgroup …`: accept what is surely a group, open the form for what is not, show what is asked for.

        A command of another name is taken as this one. Slack signs only the commands of this app, which has one, and
        the person who manages the app may give it another name, such as one in their own language.
        """
        if command.get("command") != COMMAND:
            event("other_command", command=command.get("command"), taken_as=COMMAND)
        user, channel, response_url = command["user_id"], command["channel_id"], command["response_url"]
        reply = self._intake.command_reply(ack, user, response_url)
        kind, text = kind_of(command.get("channel_name", "")), unescape(command.get("text", ""))
        origin = Origin(channel, response_url, trigger=command["trigger_id"], channel_kind=kind)
        match parse(text, {COMMAND, command.get("command", COMMAND)}):
            case Keyword("help"):
                # Without waiting: who is not known to be allowed gets the help without the account's groups.
                allowed = not self._people.refusal(user, channel, 0.0)
                known = self._groups.known() if allowed else []
                reply.tell(lambda language: pages.help_page(language, known, self._docs_url))
            case Keyword("history"):
                self._history(reply, channel, command.get("team_domain", ""))
            case Keyword("list", wanted):
                typed = Typed(text, trigger=command["trigger_id"])
                self._listing.show(reply, channel, wanted, typed=typed)
            case Keyword("language", language):
                self._languages.choose(reply, language)
            case Reading(groups=(), unclear=None):
                self._form.open_form(reply, origin)
            case Reading(groups=groups, unclear=None):
                self._intake.accept(
                    Job(
                        user=user,
                        channel=channel,
                        channel_kind=kind,
                        trigger=command["trigger_id"],
                        typed=text,
                        response_url=response_url,
                        steps=steps_of(groups),
                        language=reply.language,
                    ),
                    reply,
                )
            case Reading() as reading:
                self._form.open_reading(reply, origin, reading, text)

    def _history(self, reply: Reply, channel: str, team: str) -> None:
        try:
            jobs, unsettled = (
                self._journal.in_time(self._journal.recent, 3 * pages.MOST_JOBS, reply.user),
                self._journal.in_time(self._journal.unsettled, 10, reply.user),
            )
        except JournalError as error:
            event("history_not_read", level=logging.ERROR, reason=str(error))
            reply.tell(lambda language: messages.plain(say(language, "history.failed")))
            return
        reply.tell(
            lambda language: pages.history_page(language, jobs, team, unsettled),
            unless=lambda: self._people.refusal(reply.user, channel),
        )


def unescape(text: str) -> str:
    """Undo Slack's escaping of the three characters, and of no other (`&copy;` stays as it is typed).

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

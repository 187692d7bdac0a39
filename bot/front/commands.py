"""The command: what people type after it, and what it does."""

from __future__ import annotations

import logging
import re
from typing import Any

from slack_bolt import Ack, App

from bot.front import pages
from bot.front.form import Form
from bot.front.intake import Intake, Reply
from bot.iletimerkezi.groups import Groups
from bot.journal.journal import Journal, JournalError
from bot.logs import event
from bot.model.command import Create, Help, History, ListGroups, OpenForm, SetLanguage, parse
from bot.model.job import Job, steps_of
from bot.model.names import UsageError
from bot.slack import messages
from bot.slack.texts import say

COMMAND = "/addgroup"


class Commands:
    """Registers with a Bolt app everything that Slack may send it."""

    def __init__(self, intake: Intake, groups: Groups, journal: Journal, form: Form) -> None:
        self._intake = intake
        self._users = intake.users
        self._access = intake.access
        self._groups = groups
        self._journal = journal
        self._form = form

    def register(self, app: App) -> None:
        """Register the listener. It takes any command: see `command`."""
        app.command(re.compile(""))(self.command)

    def command(self, ack: Ack, command: dict[str, Any]) -> None:
        """Answer `/addgroup …`: privately for help, history and mistakes, else accept the job.

        A command of another name is taken as this one. Slack signs only the commands of this app, which has one, and
        whoever manages the app may give it another name, such as one in their own language.
        """
        if command.get("command") != COMMAND:
            event("other_command", command=command.get("command"), taken_as=COMMAND)
        user, response_url = command["user_id"], command["response_url"]
        reply = self._intake.reply(ack, user, response_url, command=True)
        text = unescape(command.get("text", ""))
        try:
            parsed = parse(text, {COMMAND, command.get("command", COMMAND)})
        except UsageError as error:
            mistake = error
            reply.tell(lambda language: messages.usage(language, mistake))
            return
        match parsed:
            case Help() | ListGroups() | SetLanguage():
                # Without waiting: who is not known to be allowed gets the help without the account's groups.
                allowed = not self._access.refusal(user, command["channel_id"], 0.0)
                reply.tell(lambda language: pages.help_page(language, self._groups.known() if allowed else []))
            case History():
                self._history(reply, command["channel_id"], command.get("team_domain", ""))
            case OpenForm():
                self._form.open_form(reply, command["trigger_id"], command["channel_id"])
            case Create(groups):
                self._intake.accept(
                    Job(
                        user=user,
                        channel=command["channel_id"],
                        trigger=command["trigger_id"],
                        typed=text,
                        response_url=response_url,
                        steps=steps_of(groups),
                        language=reply.language,
                    ),
                    reply,
                )

    def _history(self, reply: Reply, channel: str, team: str) -> None:
        try:
            jobs = self._journal.recent(10)
        except JournalError as error:
            event("history_not_read", level=logging.ERROR, reason=str(error))
            reply.tell(lambda language: messages.plain(say(language, "history.failed")))
            return
        reply.tell(
            lambda language: pages.history_page(language, jobs, team),
            unless=lambda: self._access.refusal(reply.user, channel),
        )


def unescape(text: str) -> str:
    """Undo Slack's escaping of the three characters, and of no other (`&copy;` stays as it is typed).

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

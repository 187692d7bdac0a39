"""The app's Home tab: what the bot does, and the form, whose answer comes as a direct message."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from typing import Any

from slack_bolt import Ack, App

from bot.front import pages
from bot.front.form import Form
from bot.front.form_view import Origin
from bot.front.intake import Intake
from bot.iletimerkezi.groups import Groups
from bot.log import event
from bot.model.job import TryLater
from bot.slack.client import SlackRefused


class Home:
    """Listens to the tab being opened, and to its button. Messages to the bot are not read."""

    def __init__(self, intake: Intake, form: Form, groups: Groups, errands: Executor) -> None:
        self._intake = intake
        self._people = intake.people
        self._form = form
        self._groups = groups
        self._errands = errands

    def register(self, app: App) -> None:
        """Register the listeners."""
        app.event("app_home_opened")(self.opened)
        app.action(pages.NEW_GROUP)(self.pressed)

    def opened(self, event: dict[str, Any]) -> None:
        """Show the tab to the person, in their language; Slack waits for nothing but the acknowledgement."""
        if event.get("tab") == "home":
            self._errands.submit(self._publish, str(event["user"]))

    def pressed(self, ack: Ack, body: dict[str, Any]) -> None:
        """Open the form. Its channel is the person: what is posted there is a direct message."""
        user = str(body["user"]["id"])
        self._form.open_form(
            self._intake.reply(ack, user, ""), Origin(user, trigger=body["trigger_id"], channel_kind="dm")
        )

    def _publish(self, user: str) -> None:
        voice = self._people.voice(self._people.language(user))
        known = [] if self._intake.people.refusal(user, user, 0.0) else self._groups.known()
        try:
            self._people.slack.call("views.publish", user_id=user, view=pages.home(voice, known))
        except (SlackRefused, TryLater) as error:
            event("home_not_shown", level=logging.WARNING, user=user, error=str(error))

"""What people press: buttons, which open the form or go on from an answer, and the shortcut in a message's menu."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from slack_bolt import Ack, App

from bot.front import pages
from bot.front.commands import Commands
from bot.front.form import Form
from bot.front.reply import Intake, Origin, Reply
from bot.model.job import Job
from bot.model.message_text import lines_of
from bot.model.names import clean
from bot.model.next_job import choices, next_job, with_findings
from bot.model.outcome import OPEN_FORM, FollowUp
from bot.slack import blocks, messages
from bot.slack.blocks import Typed
from bot.slack.texts import LANGUAGES

_LABELLED = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]+)\|[@#]?([^<>]+)>")


class Buttons:
    """Listens to all buttons, wherever they are, and to the shortcut, also in threads, where no command can be typed.

    A button that this version does not know is answered with a sentence. Any message shortcut of the app is taken, as
    any command is.
    """

    def __init__(self, intake: Intake, form: Form, commands: Commands) -> None:
        self._intake = intake
        self._form = form
        self._commands = commands

    def register(self, app: App) -> None:
        """Register the listeners."""
        app.action(re.compile(""))(self.pressed)
        app.message_shortcut(re.compile(""))(self.shortcut)

    def pressed(self, ack: Ack, body: dict[str, Any]) -> None:
        """Do what a button is for."""
        reply = Reply(self._intake, ack, body["user"]["id"], Origin.of(body))
        button = body["actions"][0]
        try:
            act = self._act(reply, re.sub("_[0-9]$", "", button["action_id"]), button["value"])  # of several the same
        except (KeyError, TypeError, ValueError):  # of another version, or forged
            reply.decline("button.stale")
        else:
            act()

    def _act(self, reply: Reply, action: str, value: str) -> Callable[[], None]:
        """Return what a button does. Raises KeyError, TypeError or ValueError for one that this version cannot read."""
        match action:
            case pages.NEW_GROUP:
                return partial(self._form.open, reply)
            case pages.SWITCH_LANGUAGE if value in LANGUAGES:
                return partial(self._commands.show, reply, "language", value)
            case pages.SHOW_MORE:
                place = json.loads(value)
                return partial(self._commands.show, reply, "list", str(place["text"]), max(int(place["offset"]), 0))
            case blocks.EDIT_TEXT:
                return partial(self._form.open_text, reply, Typed.load(value))
        carried = json.loads(value)
        if carried["v"] != messages.VERSION or not isinstance(carried["job"], str):
            raise ValueError("not of this version")
        return partial(self._go_on, reply, FollowUp(action), carried)

    def shortcut(self, ack: Ack, body: dict[str, Any]) -> None:
        """Open the form with the lines of a message. The answer will come in the thread of the message.

        What it mentions is called by the name that is at hand, and left out where there is none.
        """
        reply = Reply(self._intake, ack, body["user"]["id"], Origin.of(body))
        message = body.get("message") or {}
        labels = dict(_LABELLED.findall(str(message.get("text") or "")))
        text, whole = lines_of(message, lambda each: labels.get(each) or self._intake.people.known_name(each))
        thread = str(message.get("thread_ts") or message.get("ts") or body.get("message_ts") or "")
        remark = "form.nothing_in_message" if not clean(text) else "" if whole else "form.not_all_read"
        self._form.open_text(reply, Typed(text, thread), remark=remark)

    def _go_on(self, reply: Reply, followup: FollowUp, pressed: dict[str, Any]) -> None:
        """Go on from an answer: by the form, or by a job whose trigger lets a button work once."""
        old = self._intake.find(pressed["job"])
        if not old or not old.settled:
            reply.decline("button.stale")
            return
        if followup in OPEN_FORM:
            self._form.open_from(reply, old, followup)
            return
        if followup in (FollowUp.ANYWAY, FollowUp.CONFIRM):
            old = self._looked_up(old)
        parent = next((each for _, each in choices(old) if each == pressed.get("parent")), "")
        job = next_job(old, followup, reply.user, reply.language, parent)
        job.response_url = reply.origin.response_url
        if job.steps:
            self._intake.accept(job, reply)
        else:  # forged, or pressed in a message that shows an earlier state
            reply.decline("button.nothing_left")

    def _looked_up(self, look: Job) -> Job:
        """Return the job whose unknown steps this one only looked up, with what was found; or this one."""
        job = look
        while job.followup is FollowUp.LOOK and (before := self._intake.find(job.follows)):
            job = before
        return job if job is look else with_findings(job, look)

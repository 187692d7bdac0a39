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
from bot.model.next_job import choices, next_job, under, with_findings
from bot.model.outcome import OPEN_FORM, FollowUp
from bot.slack import messages
from bot.slack.blocks import EDIT_TEXT, Typed
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
        # By action_id: how its value is read, and what is done then.
        self._known: dict[str, tuple[Callable[[str], Any], Callable[[Reply, Any], None]]] = {
            pages.NEW_GROUP: (str, lambda reply, _: form.open(reply)),
            pages.SWITCH_LANGUAGE: (_language, lambda reply, language: reply.later(commands.choose, reply, language)),
            pages.SHOW_MORE: (_place, lambda reply, place: reply.later(commands.list_groups, reply, *place)),
            EDIT_TEXT: (Typed.load, form.open_text),
            **{way: (_answered, partial(self._go_on, way)) for way in FollowUp},
        }

    def register(self, app: App) -> None:
        """Register the listeners."""
        app.action(re.compile(""))(self.pressed)
        app.message_shortcut(re.compile(""))(self.shortcut)

    def pressed(self, ack: Ack, body: dict[str, Any]) -> None:
        """Do what a button is for."""
        reply = Reply(self._intake, ack, body["user"]["id"], Origin.of(body))
        button = body["actions"][0]
        action = re.sub("_[0-9]$", "", button["action_id"])  # of several that do the same
        try:
            read, do = self._known[action]
            value = read(button["value"])
        except (KeyError, TypeError, ValueError):  # of another version, or forged
            reply.decline("button.stale")
        else:
            do(reply, value)

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

    def _go_on(self, followup: FollowUp, reply: Reply, pressed: dict[str, Any]) -> None:
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
        if followup is FollowUp.UNDER:
            old = under(old, next((each for _, each in choices(old) if each == pressed.get("parent")), ""))
        job = next_job(old, followup, reply.user, reply.language, reply.origin.response_url)
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


def _answered(value: str) -> dict[str, Any]:
    """Return the `job` under whose answer a button stands, and the `parent` that it is about, if any."""
    carried = json.loads(value)
    if carried["v"] != messages.VERSION or not isinstance(carried["job"], str):
        raise ValueError("not of this version")
    return dict(carried)


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise ValueError("not a language of the bot")
    return value


def _place(value: str) -> tuple[str, int]:
    """Return what was searched for in the list, and where the page begins."""
    carried = json.loads(value)
    return str(carried["text"]), max(int(carried["offset"]), 0)

"""Handles a button that was pressed: opens the form, or starts the job that goes on from an answer."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App

from bot.front.form import Form
from bot.front.form_view import Origin
from bot.front.intake import Intake, channel_of, kind_in
from bot.front.reply import Reply
from bot.journal.errors import JournalError
from bot.journal.journal import Journal
from bot.log import event
from bot.model.job import Job
from bot.model.next_job import choices, next_job, under, with_findings
from bot.model.outcome import OPEN_FORM, FollowUp
from bot.slack import messages
from bot.slack.handing_back import EDIT_TEXT, Typed


class Buttons:
    """Listens to the buttons: each opens the form, or starts the job that goes on from an answer."""

    def __init__(self, intake: Intake, form: Form, journal: Journal) -> None:
        self._intake = intake
        self._form = form
        self._journal = journal

    def register(self, app: App) -> None:
        """Register the listeners. The last one takes buttons that this version does not know."""
        app.action(re.compile(f"^({'|'.join(FollowUp)})(_[0-9])?$"))(self.pressed)
        app.action(EDIT_TEXT)(self.edit_text)
        app.action(re.compile(""))(self.stale)

    def pressed(self, ack: Ack, body: dict[str, Any]) -> None:
        """Go on from an answer: by the form, or by a job whose trigger lets a button work once."""
        reply = self._reply(ack, body)
        old = self._answered(reply, body)
        if not old:
            return
        pressed = body["actions"][0]
        followup = FollowUp(pressed["action_id"].partition("_")[0])
        if followup in OPEN_FORM:
            self._form.open_from(reply, body["trigger_id"], _origin(reply, body), old, followup)
            return
        if followup in (FollowUp.ANYWAY, FollowUp.CONFIRM):
            old = self._looked_up(old)
        if followup is FollowUp.UNDER:
            parent = str(json.loads(pressed["value"]).get("parent"))
            if parent not in {identifier for _, identifier in choices(old)}:
                reply.too_old()
                return
            old = under(old, parent)
        job = next_job(old, followup, reply.user, reply.language, reply.response_url)
        if job.steps:
            self._intake.accept(job, reply)
        else:  # forged, or pressed in a message that shows an earlier state
            reply.decline(None, "button.nothing_left")

    def edit_text(self, ack: Ack, body: dict[str, Any]) -> None:
        """Open the form with a text that was given back."""
        reply = self._reply(ack, body)
        try:
            typed = Typed.load(body["actions"][0]["value"])
        except (KeyError, TypeError, ValueError):
            reply.too_old()
            return
        origin = replace(_origin(reply, body), reply_to=typed.reply_to, trigger=typed.trigger)
        self._form.open_text(reply, body["trigger_id"], origin, typed.text)

    def stale(self, ack: Ack, body: dict[str, Any]) -> None:
        """Answer a button that this version does not know."""
        self._reply(ack, body).too_old()

    def _looked_up(self, look: Job) -> Job:
        """Return the job whose unknown steps this one only looked up, with what was found; or this one."""
        job = look
        while job.followup is FollowUp.LOOK and (before := self._journal.in_time(self._journal.find, job.follows)):
            job = before
        return job if job is look else with_findings(job, look)

    def _answered(self, reply: Reply, body: dict[str, Any]) -> Job | None:
        """Return the job under whose answer a button was pressed. If there is none, tell the person and return None."""
        try:
            value = json.loads(body["actions"][0]["value"])
            same = value["v"] == messages.VERSION
            old = self._journal.in_time(self._journal.find, str(value["job"])) if same else None
        except (KeyError, TypeError, ValueError):
            old = None
        except JournalError as error:
            event("job_not_read", level=logging.ERROR, reason=str(error))
            reply.decline(None, "failure.journal")
            return None
        if not old or not old.settled:
            reply.too_old()
            return None
        return old

    def _reply(self, ack: Ack, body: dict[str, Any]) -> Reply:
        return self._intake.reply(ack, body["user"]["id"], body.get("response_url", ""))


def _origin(reply: Reply, body: dict[str, Any]) -> Origin:
    return Origin(channel_of(body), reply.response_url, channel_kind=kind_in(body))

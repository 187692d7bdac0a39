"""The form: opening it, its suggestions, and what people submit."""

from __future__ import annotations

import logging
import re
import threading
import time
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App

from bot.front import form_view
from bot.front.answer_size import fitting
from bot.front.form_view import Filled, Origin
from bot.front.intake import Intake
from bot.front.prefill import prefill
from bot.front.reply import Reply
from bot.iletimerkezi.client import ApiError
from bot.iletimerkezi.groups import Groups
from bot.journal.errors import JournalError
from bot.journal.journal import Journal
from bot.log import event
from bot.model.characters import visible
from bot.model.command import NewGroup, as_outline, form_groups, form_line
from bot.model.followup import FollowUp
from bot.model.job import Job, TryLater, steps_of
from bot.model.names import ParentId, ParentName, UsageError
from bot.model.next_job import follow
from bot.model.outcome import Created
from bot.slack import messages, wording
from bot.slack.client import SlackClient, SlackRefused
from bot.slack.texts import LANGUAGES, say, say_plain

SOON = 1.0
"""How long the form waits for what Slack says of the person, and suggestions for the list of groups, in seconds."""


AT_LEAST = 0.2
"""How long the form waits for a user group's members in any case, in seconds."""

_WHY_NOT = {
    "expired_trigger_id": "expired",
    "trigger_expired": "expired",
    "exchanged_trigger_id": "opened_before",
    "trigger_exchanged": "opened_before",
}
"""What is said where Slack opens no form. Source: https://docs.slack.dev/reference/methods/views.open#errors"""

AT_ONCE = 8
"""How many threads may wait for Slack at once, so that the others are free to acknowledge commands."""


class Form:
    """Opens the form, and listens to its suggestions and its submission.

    `slack` opens forms while Slack waits, so its calls must end well within three seconds.
    """

    def __init__(self, slack: SlackClient, intake: Intake, groups: Groups, journal: Journal) -> None:
        self._slack = slack
        self._intake = intake
        self._users = intake.users
        self._access = intake.access
        self._groups = groups
        self._journal = journal
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def register(self, app: App) -> None:
        """Register the listeners."""
        app.view(form_view.FORM)(self.submitted)
        app.options(form_view.PARENT)(self.suggest)

    def open_form(self, reply: Reply, trigger_id: str, channel: str) -> None:
        """Open the empty form while the trigger is valid."""
        self._open(reply, trigger_id, Origin(channel, reply.response_url), Filled())

    def open_text(self, reply: Reply, trigger_id: str, origin: Origin, text: str, nothing: str = "") -> None:
        """Open the form filled in with a text of one group a line.

        What is wrong with the text stands above it; `nothing` is the key of what does where there is no text.
        """
        self._open(reply, trigger_id, origin, Filled(text), nothing)

    def open_from(self, reply: Reply, trigger_id: str, channel: str, old: Job, followup: FollowUp) -> None:
        """Open the form filled in from an answer: with the new group as the parent, or with what was asked for."""
        step, origin = old.steps[0], Origin(channel, reply.response_url, reply_to=old.reply_to)
        if followup is FollowUp.SUBGROUP and isinstance(step.outcome, Created):
            parent = ParentId(step.outcome.id)
            self._open(reply, trigger_id, origin, Filled("", parent, self._groups.path(parent.id) or step.name))
            return
        if len(old.steps) > 1:
            filled = Filled(as_outline(NewGroup(step.name, step.parent, step.above) for step in old.steps))
        else:
            known = ParentId(step.parent_id) if step.parent_id else None  # also where it was given by name
            named = step.parent.name if isinstance(step.parent, ParentName) else ""
            path = self._groups.path(known.id) or named if known else ""
            filled = Filled(form_line(step.name), known or step.parent, path)
        self._open(reply, trigger_id, replace(origin, job=old.id), filled)

    def submitted(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Accept what the form holds, as if it had been typed; mistakes are shown at their field."""
        origin = Origin.load(view["private_metadata"])
        reply = self._intake.form_reply(ack, body["user"]["id"], origin.response_url)
        language = reply.language or LANGUAGES[0]
        values = view["state"]["values"]
        typed = values[form_view.NAME][form_view.NAME].get("value") or ""
        picked = values[form_view.PARENT][form_view.PARENT].get("selected_option")
        try:
            parent = form_view.chosen(picked["value"], origin) if picked else None
        except ValueError:
            reply.mistake(form_view.PARENT, say_plain(language, "form.choose_parent"))
            return
        try:
            groups = form_groups(typed, parent)
        except UsageError as error:
            reply.mistake(form_view.NAME, wording.mistake(language, error, plain=True))
            return
        job = Job(
            user=reply.user,
            channel=origin.channel,
            trigger=f"edit:{origin.job}" if origin.job else f"form:{view['id']}",
            typed=as_outline(groups) if parent else typed,
            steps=steps_of(groups),
            response_url=origin.response_url,
            language=reply.language,
            reply_to=origin.reply_to,
        )
        try:
            old = self._journal.find(origin.job) if origin.job else None
        except JournalError as error:
            event("job_not_read", level=logging.ERROR, reason=str(error))
            reply.decline(None, "failure.journal")
            return
        self._intake.accept(follow(old, FollowUp.EDIT, job) if old else job, reply)

    def suggest(self, ack: Ack, body: dict[str, Any]) -> None:
        """Suggest parents for what is typed in the form; nothing while too many threads wait already."""
        if not self._free.acquire(blocking=False):
            ack(options=[])
            return
        try:
            self._suggest(ack, body)
        finally:
            self._free.release()

    def _suggest(self, ack: Ack, body: dict[str, Any]) -> None:
        """Suggest parents; an id is always possible."""
        query, user = str(body.get("value", "")), body["user"]["id"]
        channel = Origin.load(body["view"]["private_metadata"]).channel
        language = self._users.language(user, SOON)
        if self._access.refusal(user, channel, SOON):
            ack(options=[])
            return
        try:
            found = form_view.options(language, self._groups.search(query, form_view.MAX_OPTIONS, SOON))
        except (ApiError, JournalError, TimeoutError):
            found = [] if query.strip().isdecimal() else [form_view.option(language, None)]
        by_id: list[dict[str, Any]] = []
        if re.fullmatch(r"\s*[1-9][0-9]{0,19}\s*", query, re.ASCII):
            typed = form_view.option(language, ParentId(query.strip()))
            by_id = [typed] if typed["value"] not in _values(found) else []
        ack(options=fitting(found, form_view.MAX_OPTIONS, last=by_id))

    def _open(self, reply: Reply, trigger_id: str, origin: Origin, filled: Filled, nothing: str = "") -> None:
        if not self._free.acquire(blocking=False):
            event("form_not_opened", level=logging.WARNING, user=reply.user, error="too many at once")
            reply.tell_at_once(lambda language: messages.plain(say(language, "form.not_opened")))
            return
        try:
            until = time.monotonic() + SOON
            language = self._users.language(reply.user, SOON)
            left = max(until - time.monotonic(), AT_LEAST)
            if reason := self._access.refusal(reply.user, origin.channel, left):
                event("denied", user=reply.user, channel=origin.channel, reason=reason)
                reply.tell(lambda language: messages.plain(wording.denied(language, reason)))
                return
            text, notes = prefill(language, filled.name)
            if nothing and not visible(text):
                text, notes = "", [say_plain(language, nothing)]
            view = form_view.form(language, origin, replace(filled, name=text, notes=notes))
            self._open_view(reply, trigger_id, view)
        finally:
            self._free.release()

    def _open_view(self, reply: Reply, trigger_id: str, view: dict[str, Any]) -> None:
        try:
            self._slack.call("views.open", trigger_id=trigger_id, view=view)
        except (SlackRefused, TryLater) as error:
            key = f"form.{_WHY_NOT.get(str(error), 'refused' if isinstance(error, SlackRefused) else 'not_opened')}"
            event("form_not_opened", level=logging.WARNING, user=reply.user, error=str(error))
            reply.tell(lambda language: messages.plain(say(language, key)))
            return
        reply.done()


def _values(options: list[dict[str, Any]]) -> set[str]:
    return {option["value"] for option in options}

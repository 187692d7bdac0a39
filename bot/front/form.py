"""The form: opening it, its suggestions, and what people submit or close."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from slack_bolt import Ack, App

from bot.front import form_view
from bot.front.answer_size import fits, fitting
from bot.front.form_view import Filled, Origin, digest
from bot.front.intake import Intake
from bot.front.reply import FormReply, Reply
from bot.iletimerkezi.client import ApiError
from bot.iletimerkezi.groups import Groups
from bot.iletimerkezi.index import Choice
from bot.journal.errors import JournalError
from bot.journal.journal import Journal
from bot.log import event
from bot.model.grammar import NewGroup, Reading, as_text, read_form
from bot.model.job import Job, TryLater, steps_of
from bot.model.names import Parent, ParentId, ParentName
from bot.model.next_job import choices, follow
from bot.model.outcome import Created, FollowUp, NoParent
from bot.slack import messages, wording
from bot.slack.client import SlackClient, SlackRefused
from bot.slack.handing_back import Typed
from bot.slack.texts import LANGUAGES, Language, say, say_plain

SOON = 1.0
"""How long suggestions wait for what Slack says of the person, and for the list of groups, in seconds."""

LOOKED_UP = 0.8
"""How long opening the form waits for the person and, at the same time, for the list of groups, in seconds."""

OPENED = 2.3
"""How long opening the form takes at most, all in all, in seconds: less than the three that Slack waits."""

_EXPIRED = {"expired_trigger_id", "trigger_expired"}
_OPENED_BEFORE = {"exchanged_trigger_id", "trigger_exchanged"}  # the same command or button was delivered twice
"""What Slack says where it opens no form. Source: https://docs.slack.dev/reference/methods/views.open#errors"""

AT_ONCE = 8
"""How many threads may wait for Slack at once, so that the others are free to acknowledge commands."""


@dataclass(frozen=True)
class _Opening:
    """A form that is to be opened.

    `back` is given back where that fails; what is unclear in `reading`, and the sentences `remarks`, stand above it.
    """

    trigger_id: str
    origin: Origin
    filled: Filled
    back: Typed | None = None
    reading: Reading | None = None
    remarks: tuple[str, ...] = ()

    @property
    def unclear(self) -> str:
        """The key of what is unclear, "" for nothing."""
        return self.reading.unclear.key if self.reading and self.reading.unclear else ""


class Form:
    """Opens the form, and listens to its suggestions and its submission.

    `slack` opens forms while Slack waits, so its calls must end well within three seconds.
    """

    def __init__(self, slack: SlackClient, intake: Intake, groups: Groups, journal: Journal) -> None:
        self._slack = slack
        self._intake = intake
        self._people = intake.people
        self._groups = groups
        self._journal = journal
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def register(self, app: App) -> None:
        """Register the listeners."""
        app.view(form_view.FORM)(self.submitted)
        app.view_closed(form_view.FORM)(self.closed)
        app.options(form_view.PARENT)(self.suggest)

    def open_form(self, reply: Reply, origin: Origin) -> None:
        """Open the empty form while the origin's trigger is valid."""
        self._open(reply, _Opening(origin.trigger, origin, Filled()))

    def open_reading(self, reply: Reply, origin: Origin, reading: Reading, typed: str) -> None:
        """Open the form filled in with what a command was read as, and what is unclear about it above."""
        back = Typed(typed, trigger=origin.trigger)
        if max(len(typed), len(reading.text)) > form_view.MAX_FIELD:
            reply.tell(lambda language: messages.plain(self._unclear(language, reading, plain=False)), back=back)
        else:
            self._open(reply, _Opening(origin.trigger, origin, Filled(reading.text, reading.parent), back, reading))

    def open_text(self, reply: Reply, trigger_id: str, origin: Origin, text: str, remark: str = "") -> None:
        """Open the form filled in with a text of one group a line; what is unclear stands above, and a `remark`."""
        reading, back = read_form(text, filled=True), Typed(text, origin.reply_to, origin.trigger)
        remarks = (remark,) if remark else ()
        filled = Filled(reading.text, reading.parent)
        known = reading if reading.text else None
        self._open(reply, _Opening(trigger_id, origin, filled, back, known, remarks))

    def open_from(self, reply: Reply, trigger_id: str, origin: Origin, old: Job, followup: FollowUp) -> None:
        """Open the form filled in from an answer: with the new group as the parent, or with what was asked for."""
        step, origin = old.steps[0], replace(origin, reply_to=old.reply_to)
        if followup is FollowUp.SUBGROUP and isinstance(step.outcome, Created):
            parent = ParentId(step.outcome.id)
            filled = Filled("", parent, self._groups.path(parent.id) or step.name)
            self._open(reply, _Opening(trigger_id, origin, filled))
            return
        groups = [NewGroup(each.name, each.parent, each.above) for each in old.steps]
        if len(groups) > 1:
            filled = Filled(as_text(groups))
        else:
            known = ParentId(step.parent_id) if step.parent_id else None  # also where it was given by name
            named = step.parent.name if isinstance(step.parent, ParentName) else ""
            path = self._groups.path(known.id) or named if known else ""
            filled = Filled(as_text([NewGroup(step.name)], sure=False), known or step.parent, path)
        remarks: tuple[str, ...] = ()
        if len(old.steps) == 1 and isinstance(step.outcome, NoParent) and step.outcome.reason != "unavailable":
            filled, remarks = Filled(filled.name), ("form.pick_parent",)  # and not the parent that is none
        back = Typed(as_text(groups), old.reply_to)
        self._open(reply, _Opening(trigger_id, replace(origin, job=old.id), filled, back, remarks=remarks))

    def submitted(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Accept what the form holds: a field as it was opened is what was shown, one that was changed is read again.

        What cannot be a group is said at its field. What is unclear in a changed field is asked about once more.
        """
        origin = Origin.load(view["private_metadata"])
        reply = self._intake.form_reply(ack, body["user"]["id"], origin.response_url)
        reply.field = form_view.block_id(form_view.NAME, origin)
        language = reply.language or LANGUAGES[0]
        typed, value = form_view.entered(view)
        try:
            parent = form_view.chosen(value, origin)
        except ValueError:
            reply.mistake(form_view.block_id(form_view.PARENT, origin), say_plain(language, "form.choose_parent"))
            return
        reading = read_form(typed, parent)
        if not reading.groups and reading.unclear:
            reply.mistake(reply.field, wording.mistake(language, reading.unclear, plain=True))
        elif not reading.unclear or origin.asked or self._as_shown(origin, typed, value, reading):
            self._accept(reply, origin, reading, view["id"])
        else:
            self._ask(reply, origin, reading, language, view)

    def closed(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Give back what stood in a form that was closed; of one that an answer's button opened, if it was changed."""
        origin = Origin.load(view["private_metadata"])
        reply = self._intake.reply(ack, body["user"]["id"], origin.response_url)
        text, value = form_view.entered(view)
        parent: Parent = None
        with contextlib.suppress(ValueError):
            parent = form_view.chosen(value, origin)
        if not text.strip() or (origin.job and digest(text) == origin.opened.get(form_view.NAME)):
            reply.done()
            return
        groups = read_form(text, parent).groups
        back = Typed(as_text(groups) or text, origin.reply_to, origin.trigger)
        reply.tell(lambda language: messages.plain(say(language, "form.closed")), back=back)

    @staticmethod
    def _as_shown(origin: Origin, typed: str, value: str, reading: Reading) -> bool:
        """Tell whether what is unclear stands in a field that was not changed."""
        name, parent = (digest(each) == origin.opened.get(key) for key, each in _fields(typed, value).items())
        contradicts = reading.unclear is not None and reading.unclear.key == "second_parent"
        return name and (parent or not contradicts)

    def _accept(self, reply: FormReply, origin: Origin, reading: Reading, view_id: str) -> None:
        job = Job(
            user=reply.user,
            channel=origin.channel,
            channel_kind=origin.channel_kind,
            trigger=f"edit:{origin.job}" if origin.job else f"form:{origin.trigger or view_id}",
            typed=as_text(reading.groups),
            steps=steps_of(reading.groups),
            response_url=origin.response_url,
            language=reply.language,
            reply_to=origin.reply_to,
        )
        try:
            old = self._journal.in_time(self._journal.find, origin.job) if origin.job else None
        except JournalError as error:
            event("job_not_read", level=logging.ERROR, reason=str(error))
            reply.decline(None, "failure.journal")
            return
        self._intake.accept(follow(old, FollowUp.EDIT, job) if old else job, reply)

    def _ask(
        self, reply: FormReply, origin: Origin, reading: Reading, language: Language, view: dict[str, Any]
    ) -> None:
        """Show the form once more, filled with the reading, and what is unclear above."""
        path = self._groups.path(reading.parent.id) if isinstance(reading.parent, ParentId) else ""
        filled = Filled(reading.text, reading.parent, path, [self._unclear(language, reading)])
        answer = {
            "response_action": "update",
            "view": form_view.form(language, replace(origin, asked=origin.asked + 1), filled),
        }
        if fits(answer) and len(reading.text) <= form_view.MAX_FIELD:
            reply.done(**answer)
        else:  # too long to be shown filled in: what was entered stays, and is what is asked about
            self._accept(reply, origin, reading, view["id"])

    def _unclear(self, language: Language, reading: Reading, plain: bool = True) -> str:
        """Return the sentence for what is unclear; of a name that is a number, also which group has that ID."""
        if not reading.unclear:
            return ""
        sentence = wording.mistake(language, reading.unclear, plain)
        path = self._groups.path(reading.groups[0].name) if reading.unclear.key == "number" else ""
        tell = say_plain if plain else say
        return f"{sentence} {tell(language, 'usage.number_of', path=path)}" if path else sentence

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
        origin = Origin.load(body["view"]["private_metadata"])
        language = self._people.language(user, SOON)
        if self._people.refusal(user, origin.channel, SOON):
            ack(options=[])
            return
        try:
            likely = self._likely(origin) if not query.strip() else []
            if origin.parent and not query.strip():
                likely += [choice for choice in self._groups.called(origin.parent, SOON) if choice not in likely]
            searched = self._groups.search(query, form_view.MAX_OPTIONS, SOON)
            found = form_view.options(language, [*likely, *(choice for choice in searched if choice not in likely)])
        except (ApiError, JournalError, TimeoutError):
            found = [] if query.strip().isdecimal() else [form_view.option(language, None)]
        by_id: list[dict[str, Any]] = []
        if re.fullmatch(r"\s*[1-9][0-9]{0,19}\s*", query, re.ASCII):
            typed = form_view.option(language, ParentId(query.strip()))
            by_id = [typed] if typed["value"] not in _values(found) else []
        ack(options=fitting(found, form_view.MAX_OPTIONS, last=by_id))

    def _likely(self, origin: Origin) -> list[Choice]:
        """Return the groups that the answer offered as the parent from which the form was opened."""
        old = self._journal.in_time(self._journal.find, origin.job) if origin.job else None
        return [Choice(*choice) for choice in choices(old)] if old else []

    def _open(self, reply: Reply, opening: _Opening) -> None:
        if not self._free.acquire(blocking=False):
            event("form_not_opened", level=logging.WARNING, user=reply.user, error="too many at once")
            reply.tell_at_once(lambda language: messages.plain(say(language, "form.not_opened")), back=opening.back)
            return
        try:
            self._open_in_time(reply, opening)
        finally:
            self._free.release()

    def _open_in_time(self, reply: Reply, opening: _Opening) -> None:
        until, looked_up = time.monotonic() + OPENED, time.monotonic() + LOOKED_UP
        if opening.filled.parent or opening.unclear == "number":
            self._groups.prefetch()
        language = self._people.language(reply.user, LOOKED_UP)
        if reason := self._people.refusal(reply.user, opening.origin.channel, _left(looked_up)):
            event("denied", user=reply.user, channel=opening.origin.channel, reason=reason)
            back = opening.back if reason == "unknown" else None
            reply.tell_at_once(lambda language: messages.plain(wording.denied(language, reason)), back=back)
            return
        filled = self._with_group(opening, _left(looked_up))
        notes = [self._unclear(language, opening.reading)] if opening.reading and opening.unclear else []
        notes += [say_plain(language, key) for key in opening.remarks]
        view = form_view.form(language, opening.origin, replace(filled, notes=notes))
        self._open_view(reply, opening, view, _left(until))

    def _with_group(self, opening: _Opening, seconds: float) -> Filled:
        """Return what fills the form, with the one group that a parent's name or ID leads to, if the list is there."""
        filled, parent = opening.filled, opening.filled.parent
        with contextlib.suppress(ApiError, JournalError, TimeoutError):
            if isinstance(parent, ParentName):
                found = self._groups.called(parent.name, seconds)
                return replace(filled, parent=ParentId(found[0].id), path=found[0].path) if len(found) == 1 else filled
            if opening.unclear == "number" or (isinstance(parent, ParentId) and not filled.path):
                self._groups.search("", 1, seconds)
            if isinstance(parent, ParentId):
                return replace(filled, path=filled.path or self._groups.path(parent.id))
        return filled

    def _open_view(self, reply: Reply, opening: _Opening, view: dict[str, Any], seconds: float) -> None:
        try:
            self._slack.within(seconds).call("views.open", trigger_id=opening.trigger_id, view=view)
        except (SlackRefused, TryLater) as error:
            event("form_not_opened", level=logging.WARNING, user=reply.user, error=str(error))
            if str(error) in _OPENED_BEFORE:
                reply.done()
                return
            refused = "refused" if isinstance(error, SlackRefused) else "not_opened"
            key = f"form.{'expired' if str(error) in _EXPIRED else refused}"
            reply.tell_at_once(lambda language: messages.plain(say(language, key)), back=opening.back)
            return
        reply.done()


def _fields(typed: str, value: str) -> dict[str, str]:
    return {form_view.NAME: typed, form_view.PARENT: value}


def _left(until: float) -> float:
    """Return how much time is left until then, in seconds; a little in any case."""
    return max(until - time.monotonic(), 0.05)


def _values(options: list[dict[str, Any]]) -> set[str]:
    return {option["value"] for option in options}

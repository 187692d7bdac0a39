"""The form: opening it, its suggestions, and what people submit or close."""

import contextlib
import logging
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App

from bot.front import form_view
from bot.front.http import fits
from bot.front.reply import Intake, Reply, sentence
from bot.iletimerkezi.client import ApiError
from bot.iletimerkezi.groups import Groups
from bot.journal import JournalError
from bot.log import event
from bot.model.grammar import NewGroup, Reading, as_text, read_form
from bot.model.job import Job, TryLater
from bot.model.names import Parent, ParentId, ParentName, clean
from bot.model.next_job import follow
from bot.model.outcome import Created, FollowUp, NoParent
from bot.slack import wording
from bot.slack.blocks import Typed, plain
from bot.slack.client import SlackRefused
from bot.slack.texts import LANGUAGES, Language, say_plain

SOON = 1.0
"""How long suggestions wait for what Slack says of the person, and for the list of groups, in seconds."""

LOOKED_UP = 0.5
"""How long opening the form waits for what Slack says of the person, and for the list of groups, in seconds."""

OPENED = 2.3
"""How long opening the form takes at most, all in all, in seconds: less than the three that Slack waits."""

_SAID = dict.fromkeys(("expired_trigger_id", "trigger_expired"), "form.expired")
_SAID |= dict.fromkeys(("exchanged_trigger_id", "trigger_exchanged"), "")  # a command that was delivered twice
"""What people are told by what Slack says where it opens no form.

Source: https://docs.slack.dev/reference/methods/views.open#errors
"""

AT_ONCE = 8
"""How many threads may wait for Slack at once, so that the others are free to acknowledge commands."""

_EMPTY = Reading()


class Form:
    """Opens the form, and listens to its suggestions and its submission."""

    def __init__(self, intake: Intake, groups: Groups) -> None:
        self._intake = intake
        self._groups = groups
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def register(self, app: App) -> None:
        """Register the listeners."""
        app.view(form_view.FORM)(self.submitted)
        app.view_closed(form_view.FORM)(self.closed)
        app.options(form_view.PARENT)(self.suggest)

    # Opening it.

    def open(self, reply: Reply, reading: Reading = _EMPTY, remark: str = "") -> None:
        """Open the form, filled in with a reading of what was typed; or tell why not, and give that back.

        What is unclear stands above, and the sentence `remark` of the texts. A text that the field would cut stays out.
        """
        until, unclear = time.monotonic() + OPENED, reading.unclear
        reply.typed = typed = replace(reply.typed, trigger=reply.typed.trigger or reply.origin.trigger)
        origin = replace(reply.origin, reply_to=typed.reply_to, trigger=typed.trigger)
        if len(reading.text) > form_view.MAX_FIELD:
            too_long = sentence("form.too_long")
            reply.tell(lambda to: plain(wording.mistake(to, unclear)) if unclear else too_long(to), give_back=True)
            return
        people = self._intake.people
        try:
            with self._thread_to_wait():
                self._groups.prefetch()
                if reply.refused(LOOKED_UP, give_back=True):
                    return
                language = people.language(reply.user, LOOKED_UP)
                parent = self._option(language, reading.parent, LOOKED_UP)
                view = form_view.form(language, origin, reading, parent, remark)
                left = max(until - time.monotonic(), 0.05)
                people.slack.within(left).call("views.open", trigger_id=reply.origin.trigger, view=view)
        except (SlackRefused, TryLater) as error:
            event("form_not_opened", level=logging.WARNING, user=reply.user, error=str(error))
            said = "form.refused" if isinstance(error, SlackRefused) else "form.not_opened"
            if key := _SAID.get(str(error), said):
                reply.decline(key)
        reply.done()

    def open_text(self, reply: Reply, typed: Typed, reading: Reading | None = None, remark: str = "") -> None:
        """Open the form filled in with what was typed: one group a line, or as the command was read."""
        reading = reading or read_form(typed.text, filled=True)
        reply.typed = typed
        self.open(reply, reading if clean(typed.text) else replace(reading, unclear=None), remark)

    def open_from(self, reply: Reply, old: Job, followup: FollowUp) -> None:
        """Open the form filled in from an answer: with the new group as the parent, or with what was asked for."""
        step, outcome = old.steps[0], old.steps[0].outcome
        if followup is FollowUp.SUBGROUP and isinstance(outcome, Created):
            reply.typed = Typed("", old.reply_to)
            self.open(reply, Reading(parent=ParentId(outcome.id)))
            return
        reply.origin = replace(reply.origin, job=old.id)
        typed = Typed(as_text(NewGroup(each.name, each.parent, each.above) for each in old.steps), old.reply_to)
        wrong = step.parent if isinstance(outcome, NoParent) and outcome.reason != "unavailable" else None
        if isinstance(wrong, ParentName) and len(old.steps) == 1:  # its field stays empty, so that another is chosen
            reply.origin = replace(reply.origin, parent=wrong.name)
            name = read_form(as_text([NewGroup(step.name)]), filled=True)
            self.open_text(reply, typed, name, "form.pick_parent")
        else:
            self.open_text(reply, typed)

    def _option(self, language: Language, parent: Parent, seconds: float) -> dict[str, Any]:
        """Return the menu's option for a parent: the one group that it is, with its path, if the list is there."""
        path = ""
        with contextlib.suppress(ApiError, TimeoutError):
            if isinstance(parent, ParentName) and len(found := self._groups.called(parent.name, seconds)) == 1:
                parent, path = ParentId(found[0].id), found[0].path
            elif isinstance(parent, ParentId):
                self._groups.search("", 1, seconds)  # so that it is there
                path = self._groups.path(parent.id)
        return form_view.option(language, parent, path) if parent else {}

    # What people do with it.

    def submitted(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Accept what the form holds: a field as it was opened is what was shown, one that was changed is read again.

        What cannot be a group is said at its field. What is unclear in a changed field is asked about once more.
        """
        origin, typed, value, parent = form_view.entered(view)
        reply = Reply(self._intake, ack, body["user"]["id"], origin, field=form_view.block_id(form_view.NAME, origin))
        language, reading = reply.language or LANGUAGES[0], read_form(typed, parent)
        sure = not reading.unclear or origin.asked or form_view.as_shown(origin, typed, value, reading.unclear)
        if value and not parent:
            reply.mistake(say_plain(language, "form.choose_parent"), form_view.block_id(form_view.PARENT, origin))
        elif reading.groups and sure:
            self._accept(reply, reading, view["id"])
        else:
            self._ask(reply, reading, language)

    def closed(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Give back what stood in a form that was closed; of one that an answer's button opened, if it was changed."""
        origin, text, _, parent = form_view.entered(view)
        reply = Reply(self._intake, ack, body["user"]["id"], origin)
        if not text.strip() or (origin.job and form_view.digest(text) == origin.opened.get(form_view.NAME)):
            reply.done()
            return
        groups = read_form(text, parent).groups
        reply.typed = Typed(as_text(groups) or text, origin.reply_to, origin.trigger)
        reply.tell(sentence("form.closed"), give_back=True)

    def _accept(self, reply: Reply, reading: Reading, view_id: str) -> None:
        origin = reply.origin
        reply.typed = Typed(as_text(reading.groups), origin.reply_to)
        trigger = f"edit:{origin.job}" if origin.job else f"form:{origin.trigger or view_id}"
        job, old = reply.job(reading.groups, trigger), origin.job and self._intake.journal.find(origin.job)
        self._intake.accept(follow(old, FollowUp.EDIT, job) if old else job, reply)

    def _ask(self, reply: Reply, reading: Reading, language: Language) -> None:
        """Show the form once more, filled with the reading; or only what is wrong, where there is none or no room."""
        origin = replace(reply.origin, asked=reply.origin.asked + 1)
        view = form_view.form(language, origin, reading, self._option(language, reading.parent, 0.0))
        if reading.groups and len(reading.text) <= form_view.MAX_FIELD and fits(view):
            reply.done(response_action="update", view=view)
        elif reading.unclear:
            reply.mistake(wording.mistake(language, reading.unclear, plain=True))

    def suggest(self, ack: Ack, body: dict[str, Any]) -> None:
        """Suggest parents for what is typed in the form; nothing while too many threads wait already."""
        found: list[dict[str, Any]] = []
        with contextlib.suppress(TryLater), self._thread_to_wait():
            found = self._suggestions(body)
        while not fits({"options": found}):
            found.pop(-2)  # the last one may be an ID that was typed
        ack(options=found)

    def _suggestions(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Return options for parents; an ID that was typed is always possible, and the last one.

        Where nothing is typed yet, the groups come first that the name may mean which was given for the parent.
        """
        query, user = str(body.get("value", "")).strip(), body["user"]["id"]
        origin, *_ = form_view.entered(body["view"])
        language = self._intake.people.language(user, SOON)
        if self._intake.people.refusal(user, origin.channel, SOON):
            return []
        found: dict[str, str] = {}
        try:
            listed = self._groups.search(query, form_view.MAX_OPTIONS - 1, SOON)
            meant = self._groups.meant(origin.parent, SOON) if origin.parent and not query else []
            found = {each.id: each.path for each in [*meant, *listed][: form_view.MAX_OPTIONS - 1]}
        except (ApiError, JournalError, TimeoutError):
            if not query.isdecimal():
                return [form_view.option(language, None)]
        if re.fullmatch("[1-9][0-9]{0,19}", query):
            found.setdefault(query, "")
        return [form_view.option(language, ParentId(each), path) for each, path in found.items()]

    @contextlib.contextmanager
    def _thread_to_wait(self) -> Iterator[None]:
        """Let this thread wait for Slack, as one of so many. Raises TryLater where others wait already."""
        if not self._free.acquire(blocking=False):
            raise TryLater("too_many_at_once")
        try:
            yield
        finally:
            self._free.release()

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
from bot.front.form_view import Filled, block_id, digest, entered
from bot.front.http import fits
from bot.front.reply import Intake, Origin, Reply, sentence
from bot.iletimerkezi.client import ApiError
from bot.iletimerkezi.groups import Choice, Groups
from bot.journal import JournalError
from bot.log import event
from bot.model.grammar import NewGroup, Reading, Unclear, as_text, read_form
from bot.model.job import Job, TryLater
from bot.model.names import Parent, ParentId, ParentName, clean
from bot.model.next_job import choices, follow
from bot.model.outcome import Created, FollowUp, NoParent
from bot.slack import wording
from bot.slack.blocks import Typed
from bot.slack.client import SlackClient, SlackRefused
from bot.slack.texts import LANGUAGES, Language, say_plain

SOON = 1.0
"""How long suggestions wait for what Slack says of the person, and for the list of groups, in seconds."""

LOOKED_UP = 0.8
"""How long opening the form waits for the person and, at the same time, for the list of groups, in seconds."""

OPENED = 2.3
"""How long opening the form takes at most, all in all, in seconds: less than the three that Slack waits."""

_SAID = dict.fromkeys(("expired_trigger_id", "trigger_expired"), "form.expired")
_SAID |= dict.fromkeys(("exchanged_trigger_id", "trigger_exchanged"), "")  # a command that was delivered twice
"""What people are told by what Slack says where it opens no form.

Source: https://docs.slack.dev/reference/methods/views.open#errors
"""

AT_ONCE = 8
"""How many threads may wait for Slack at once, so that the others are free to acknowledge commands."""


class Form:
    """Opens the form, and listens to its suggestions and its submission.

    `slack` opens forms while Slack waits, so its calls must end well within three seconds.
    """

    def __init__(self, slack: SlackClient, intake: Intake, groups: Groups) -> None:
        self._slack = slack
        self._intake = intake
        self._groups = groups
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def register(self, app: App) -> None:
        """Register the listeners."""
        app.view(form_view.FORM)(self.submitted)
        app.view_closed(form_view.FORM)(self.closed)
        app.options(form_view.PARENT)(self.suggest)

    # Opening it.

    def open(
        self, reply: Reply, filled: Filled | None = None, origin: Origin | None = None, back: Typed | None = None
    ) -> None:
        """Open the form, empty unless it is `filled`, to go on from `origin`. If that fails, `back` is given back."""
        until, looked_up = time.monotonic() + OPENED, time.monotonic() + LOOKED_UP
        filled = filled or Filled()
        try:
            with self._thread_to_wait():
                if filled.parent:
                    self._groups.prefetch()
                language = self._intake.people.language(reply.user, LOOKED_UP)
                if reply.refused(_left(looked_up), back):
                    return
                view = form_view.form(language, origin or reply.origin, self._with_group(filled, _left(looked_up)))
                self._slack.within(_left(until)).call("views.open", trigger_id=reply.origin.trigger, view=view)
        except (SlackRefused, TryLater) as error:
            event("form_not_opened", level=logging.WARNING, user=reply.user, error=str(error))
            said = "form.refused" if isinstance(error, SlackRefused) else "form.not_opened"
            if key := _SAID.get(str(error), said):
                reply.decline(key, back)
        reply.done()

    def open_text(self, reply: Reply, typed: Typed, reading: Reading | None = None, remark: str = "") -> None:
        """Open the form filled in with what was typed: one group a line, or as the command was read.

        What is unclear about it stands above, and a `remark`. If the form does not open, the text is given back.
        """
        reading = reading or read_form(typed.text, filled=True)
        unclear = reading.unclear if clean(typed.text) else None
        typed = replace(typed, trigger=typed.trigger or reply.origin.trigger)
        origin = replace(reply.origin, reply_to=typed.reply_to, trigger=typed.trigger)
        self.open(reply, Filled(reading.text, reading.parent, unclear=unclear, remark=remark), origin, typed)

    def open_from(self, reply: Reply, old: Job, followup: FollowUp) -> None:
        """Open the form filled in from an answer: with the new group as the parent, or with what was asked for."""
        step, outcome, origin = old.steps[0], old.steps[0].outcome, replace(reply.origin, reply_to=old.reply_to)
        if followup is FollowUp.SUBGROUP and isinstance(outcome, Created):
            self.open(reply, Filled("", ParentId(outcome.id), step.name), origin)
            return
        groups = [NewGroup(each.name, each.parent, each.above) for each in old.steps]
        name = as_text([NewGroup(step.name)], sure=False)
        if len(groups) > 1:
            filled = Filled(as_text(groups))
        elif isinstance(outcome, NoParent) and outcome.reason != "unavailable":
            filled = Filled(name, remark="form.pick_parent")  # and not the parent that is none
        else:
            known = ParentId(step.parent_id) if step.parent_id else None  # also where it was given by name
            named = step.parent.name if isinstance(step.parent, ParentName) else ""
            filled = Filled(name, known or step.parent, named)
        self.open(reply, filled, replace(origin, job=old.id), Typed(as_text(groups), old.reply_to))

    def _with_group(self, filled: Filled, seconds: float) -> Filled:
        """Return what fills the form, with the path of the one group that the parent is, if the list is there."""
        with contextlib.suppress(ApiError, TimeoutError):
            if isinstance(filled.parent, ParentName):
                found = self._groups.called(filled.parent.name, seconds)
                return replace(filled, parent=ParentId(found[0].id), path=found[0].path) if len(found) == 1 else filled
            if filled.parent:
                self._groups.search("", 1, seconds)  # so that it is there
                return replace(filled, path=self._groups.path(filled.parent.id) or filled.path)
        return filled

    # What people do with it.

    def submitted(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Accept what the form holds: a field as it was opened is what was shown, one that was changed is read again.

        What cannot be a group is said at its field. What is unclear in a changed field is asked about once more.
        """
        origin = Origin.load(view["private_metadata"])
        reply = Reply(self._intake, ack, body["user"]["id"], origin, field=block_id(form_view.NAME, origin))
        language = reply.language or LANGUAGES[0]
        typed, value = entered(view)
        try:
            parent = form_view.chosen(value, origin)
        except ValueError:
            reply.mistake(say_plain(language, "form.choose_parent"), block_id(form_view.PARENT, origin))
            return
        reading = read_form(typed, parent)
        if not reading.groups and reading.unclear:
            reply.mistake(wording.mistake(language, reading.unclear, plain=True))
        elif not reading.unclear or origin.asked or _as_shown(origin, typed, value, reading):
            self._accept(reply, reading, view["id"])
        else:
            self._ask(reply, reading, reading.unclear, language)

    def closed(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Give back what stood in a form that was closed; of one that an answer's button opened, if it was changed."""
        origin = Origin.load(view["private_metadata"])
        reply = Reply(self._intake, ack, body["user"]["id"], origin)
        text, value = entered(view)
        if not text.strip() or (origin.job and digest(text) == origin.opened.get(form_view.NAME)):
            reply.done()
            return
        parent: Parent = None
        with contextlib.suppress(ValueError):
            parent = form_view.chosen(value, origin)
        groups = read_form(text, parent).groups
        reply.tell(sentence("form.closed"), Typed(as_text(groups) or text, origin.reply_to, origin.trigger))

    def _accept(self, reply: Reply, reading: Reading, view_id: str) -> None:
        origin = reply.origin
        trigger = f"edit:{origin.job}" if origin.job else f"form:{origin.trigger or view_id}"
        job = reply.job(reading.groups, as_text(reading.groups), trigger)
        old = self._intake.find(origin.job)
        self._intake.accept(follow(old, FollowUp.EDIT, job) if old else job, reply)

    def _ask(self, reply: Reply, reading: Reading, unclear: Unclear, language: Language) -> None:
        """Show the form once more, filled with the reading, and what is unclear above."""
        path = self._groups.path(reading.parent.id) if isinstance(reading.parent, ParentId) else ""
        filled = Filled(reading.text, reading.parent, path, unclear)
        origin = replace(reply.origin, asked=reply.origin.asked + 1)
        view = form_view.form(language, origin, filled)
        if fits(view) and len(reading.text) <= form_view.MAX_FIELD:
            reply.done(response_action="update", view=view)
        else:  # it would be cut: what was entered stays
            reply.mistake(wording.mistake(language, unclear, plain=True))

    def suggest(self, ack: Ack, body: dict[str, Any]) -> None:
        """Suggest parents for what is typed in the form; nothing while too many threads wait already."""
        found: list[dict[str, Any]] = []
        with contextlib.suppress(TryLater), self._thread_to_wait():
            found = self._suggestions(body)
        while not fits({"options": found}):
            found.pop(-2)  # the last one may be an ID that was typed
        ack(options=found)

    def _suggestions(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Return options for parents; an ID that was typed is always possible, and the last one."""
        query, user = str(body.get("value", "")).strip(), body["user"]["id"]
        origin = Origin.load(body["view"]["private_metadata"])
        language = self._intake.people.language(user, SOON)
        if self._intake.people.refusal(user, origin.channel, SOON):
            return []
        try:
            likely = [] if query else self._likely(origin)
            found = dict.fromkeys([*likely, *self._groups.search(query, form_view.MAX_OPTIONS, SOON)])
            options = [form_view.option(language, ParentId(each.id), each.path) for each in found]
        except (ApiError, JournalError, TimeoutError):
            options = [] if query.isdecimal() else [form_view.option(language, None)]
        options = options[: form_view.MAX_OPTIONS - 1]
        if re.fullmatch("[1-9][0-9]{0,19}", query) and f"id:{query}" not in [each["value"] for each in options]:
            options.append(form_view.option(language, ParentId(query)))
        return options

    def _likely(self, origin: Origin) -> list[Choice]:
        """Return the groups that the answer from which the form was opened offered, and those of the parent's name."""
        old = self._intake.find(origin.job)
        offered = [Choice(*choice) for choice in choices(old)] if old else []
        return offered + (self._groups.called(origin.parent, SOON) if origin.parent else [])

    @contextlib.contextmanager
    def _thread_to_wait(self) -> Iterator[None]:
        """Let this thread wait for Slack, as one of so many. Raises TryLater where others wait already."""
        if not self._free.acquire(blocking=False):
            raise TryLater("too_many_at_once")
        try:
            yield
        finally:
            self._free.release()


def _as_shown(origin: Origin, typed: str, value: str, reading: Reading) -> bool:
    """Tell whether what is unclear stands in a field that was not changed."""
    name = digest(typed) == origin.opened.get(form_view.NAME)
    parent = digest(value) == origin.opened.get(form_view.PARENT)
    return name and (parent or not (reading.unclear and reading.unclear.key == "second_parent"))


def _left(until: float) -> float:
    """Return how much time is left until then, in seconds; a little in any case."""
    return max(until - time.monotonic(), 0.05)

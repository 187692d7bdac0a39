"""What people do outside the form: they type the command, press buttons, choose the shortcut, open the Home tab."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from slack_bolt import Ack, App

from bot.front import pages
from bot.front.form import Form
from bot.front.reply import WITHIN, Intake, Origin, Reply, sentence
from bot.iletimerkezi.client import ApiError
from bot.iletimerkezi.groups import Choice, Groups
from bot.log import event
from bot.model.grammar import COMMAND, Keyword, Reading, parse
from bot.model.job import Job
from bot.model.message_text import lines_of, unescape
from bot.model.names import clean
from bot.model.next_job import choices, next_job, with_findings
from bot.model.outcome import OPEN_FORM, FollowUp
from bot.slack import blocks, messages
from bot.slack.blocks import Typed
from bot.slack.texts import LANGUAGES

_LABELLED = re.compile(r"<(?:[@#]|!subteam\^)([A-Z0-9]+)\|[@#]?([^<>]+)>")


class Commands:
    """Listens to the command, to all buttons wherever they are, to the shortcut, and to the Home tab.

    A command or a shortcut of another name is taken as this one. Slack signs only those of this app, which has one of
    each, and the person who manages the app may rename it, for example in their own language. Messages are not read.
    """

    def __init__(self, intake: Intake, groups: Groups, form: Form, docs_url: str) -> None:
        self._intake = intake
        self._groups = groups
        self._form = form
        self._docs_url = docs_url
        self._shown: dict[str, Callable[..., None]] = {"history": self._history, "list": self._list}
        self._shown |= {"language": self._choose}

    def register(self, app: App) -> None:
        """Register the listeners."""
        app.command(re.compile(""))(self.command)
        app.action(re.compile(""))(self.pressed)
        app.message_shortcut(re.compile(""))(self.shortcut)
        app.event("app_home_opened")(self.home_opened)

    # What is typed.

    def command(self, ack: Ack, command: dict[str, Any]) -> None:
        """Answer `/addgroup …`: accept what is surely a group, open the form for the rest, show what is asked for."""
        origin, text = Origin.of(command), unescape(command.get("text", ""))
        typed = Typed(text, trigger=origin.trigger)
        reply = Reply(self._intake, ack, command["user_id"], origin, in_words=True, typed=typed)
        match parse(text, {COMMAND, command.get("command", COMMAND)}):
            case Keyword("help"):
                known = self._known_groups(reply.user, origin.channel)
                reply.tell(lambda language: pages.help_page(language, known, self._docs_url))
            case Keyword(word, rest):
                self._show(reply, word, rest)
            case Reading(groups=groups, unclear=None) if groups:
                self._intake.accept(reply.job(groups, origin.trigger), reply)
            case Reading() as reading:
                self._form.open_text(reply, typed, reading)

    def _show(self, reply: Reply, word: str, *asked: Any) -> None:
        """Do what a keyword other than help asks for, after the acknowledgement, for who may use the command.

        Anybody may choose a language.
        """
        reply.later(word, partial(self._shown[word], reply, *asked), anybody=word == "language")

    def _list(self, reply: Reply, text: str, offset: int = 0) -> None:
        """Show the groups whose path has `text`, from the one at `offset` on.

        Where there is none, what was typed is given back: it may have been meant as the name of a group.
        """
        try:
            found = self._groups.search(text, None, WITHIN)
        except (ApiError, TimeoutError):
            reply.tell(sentence("list.no_list" if self._groups.closed else "list.failed"))
            return
        page = offset if offset < len(found) else 0
        reply.tell(lambda language: pages.list_page(language, found, text, page), give_back=not found)

    def _choose(self, reply: Reply, language: str) -> None:
        """Keep the person's language ("" takes it back), and answer in the one that is used from now on.

        It is kept in the journal's database, where the worker finds it too.
        """
        people = self._intake.people
        self._intake.journal.choose_language(reply.user, language)
        people.forget(reply.user)
        used = people.language(reply.user)
        event("language_chosen", user=reply.user, language=language or "auto")
        kept = "fixed" if language and language != used else "chosen" if language else "automatic"
        reply.tell(sentence(f"language.{kept}"))

    def _history(self, reply: Reply, _: str) -> None:
        jobs = self._intake.journal.recent(pages.LOOKED_AT, reply.user)
        reply.tell(lambda language: pages.history_page(language, jobs))

    def _known_groups(self, user: str, channel: str) -> list[Choice]:
        """Return the account's groups for examples, without waiting: none to who is not known to be allowed."""
        return [] if self._intake.people.refusal(user, channel, 0.0) else self._groups.known()

    # What is pressed, chosen or opened.

    def pressed(self, ack: Ack, body: dict[str, Any]) -> None:
        """Do what a button is for; one that this version cannot read is answered with a sentence."""
        reply = Reply(self._intake, ack, body["user"]["id"], Origin.of(body))
        button = body["actions"][0]
        action = re.sub("_[0-9]$", "", button["action_id"])  # of several that do the same
        try:
            act = self._act(reply, action, button["value"])
        except (KeyError, TypeError, ValueError):  # of another version, or forged
            reply.decline("button.stale")
        else:
            act()

    def _act(self, reply: Reply, action: str, value: str) -> Callable[[], None]:
        """Return what a button does. Raises KeyError, TypeError or ValueError for one that cannot be read."""
        match action:
            case pages.NEW_GROUP:
                return partial(self._form.open, reply)
            case pages.SWITCH_LANGUAGE if value in LANGUAGES:
                return partial(self._show, reply, "language", value)
            case pages.SHOW_MORE:
                place = json.loads(value)
                return partial(self._show, reply, "list", str(place["text"]), max(int(place["offset"]), 0))
            case blocks.EDIT_TEXT:
                return partial(self._form.open_text, reply, Typed.load(value))
        carried = json.loads(value)
        if carried["v"] != messages.VERSION or not isinstance(carried["job"], str):
            raise ValueError("not of this version")
        return partial(self._go_on, reply, FollowUp(action), carried)

    def _go_on(self, reply: Reply, followup: FollowUp, pressed: dict[str, Any]) -> None:
        """Go on from an answer: by the form, or by a job whose trigger lets a button work once."""
        old = self._intake.journal.find(pressed["job"])
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
        while job.followup is FollowUp.LOOK and (before := self._intake.journal.find(job.follows)):
            job = before
        return job if job is look else with_findings(job, look)

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

    def home_opened(self, event: dict[str, Any]) -> None:
        """Show the Home tab to the person; Slack waits for nothing but the acknowledgement."""
        if event.get("tab") == "home":
            self._intake.begin(lambda: self._show_home(str(event["user"])))

    def _show_home(self, user: str) -> None:
        people = self._intake.people
        voice = people.voice(people.language(user))
        people.slack.call("views.publish", user_id=user, view=pages.home(voice, self._known_groups(user, user)))

"""The command, what it shows to the sender alone, and the Home tab."""

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
from bot.model.message_text import unescape
from bot.slack.blocks import Typed


class Commands:
    """Listens to the command and to the Home tab. Messages to the bot are not read."""

    def __init__(self, intake: Intake, groups: Groups, form: Form, docs_url: str) -> None:
        self._intake = intake
        self._groups = groups
        self._form = form
        self._docs_url = docs_url
        self._shown: dict[str, Callable[..., None]] = {
            "history": self._history,
            "list": self._list,
            "language": self._choose,
        }

    def register(self, app: App) -> None:
        """Register the listeners. That of the command takes any command: see `command`."""
        app.command(re.compile(""))(self.command)
        app.event("app_home_opened")(self.home_opened)

    def command(self, ack: Ack, command: dict[str, Any]) -> None:
        """Answer `/addgroup …`: accept what is surely a group, open the form for what is not, show what is asked for.

        A command of another name is taken as this one. Slack signs only the commands of this app, which has one, and
        the person who manages the app may give it another name, such as one in their own language.
        """
        reply = Reply(self._intake, ack, command["user_id"], Origin.of(command), in_words=True)
        text = unescape(command.get("text", ""))
        typed = Typed(text, trigger=reply.origin.trigger)
        match parse(text, {COMMAND, command.get("command", COMMAND)}):
            case Keyword("help"):
                known = self._known_groups(reply.user, reply.origin.channel)
                reply.tell(lambda language: pages.help_page(language, known, self._docs_url))
            case Keyword(word, rest):
                reply.typed = typed if word == "list" else None  # it may have been meant as the name of a group
                self.show(reply, word, rest)
            case Reading(groups=groups, unclear=None) if groups:
                reply.typed = typed
                self._intake.accept(reply.job(groups, text, reply.origin.trigger), reply)
            case Reading() as reading:
                self._form.open_text(reply, typed, reading)

    def show(self, reply: Reply, word: str, *asked: Any) -> None:
        """Do what a keyword other than help asks for, after the acknowledgement, for who may use the command.

        Anybody may choose a language.
        """
        reply.later(word, partial(self._shown[word], reply, *asked), anybody=word == "language")

    def home_opened(self, event: dict[str, Any]) -> None:
        """Show the Home tab to the person; Slack waits for nothing but the acknowledgement."""
        if event.get("tab") == "home":
            self._intake.begin(lambda: self._show_home(str(event["user"])))

    def _known_groups(self, user: str, channel: str) -> list[Choice]:
        """Return the account's groups for examples, without waiting: none to who is not known to be allowed."""
        return [] if self._intake.people.refusal(user, channel, 0.0) else self._groups.known()

    def _list(self, reply: Reply, text: str, offset: int = 0) -> None:
        """Show the groups whose path has `text`, from the one at `offset` on; where there is none, say so."""
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

    def _show_home(self, user: str) -> None:
        people = self._intake.people
        voice = people.voice(people.language(user))
        people.slack.call("views.publish", user_id=user, view=pages.home(voice, self._known_groups(user, user)))

"""The prompt: what is typed goes to the bot as a command, a button or a form, and what people see is shown."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from textwrap import dedent
from typing import Any

import requests

from bot.model.grammar import Keyword, parse
from bot.sandbox.api import FAULTS, MESSAGES, Api
from bot.sandbox.bot import Bot
from bot.sandbox.fields import Fields, said
from bot.sandbox.keyboard import Keyboard, NotText, is_own, is_setting, leaves, uses_shortcut
from bot.sandbox.screen import PEOPLE, Screen, sentences
from bot.sandbox.workspace import Form, Message, Reply, Workspace

CHANNEL = "C1"
ANSWER_WITHIN = 60.0
_SOON = 1.5  # seconds after which somebody who waits is told so
_COMMAND = re.compile(r"\A\s*/addgroup(?!\S)[^\S\n]*\n?")
_YES = {"y", "yes", "e", "evet"}

Outcomes = frozenset[str]


class Prompt:
    """One person at one terminal, in one channel of a workspace with a bot.

    Ctrl-C while an answer is awaited raises KeyboardInterrupt; what was not awaited is shown with the next answer.
    """

    def __init__(self, workspace: Workspace, api: Api | None, bot: Bot, screen: Screen, keyboard: Keyboard) -> None:
        self._workspace = workspace
        self._api = api
        self._bot = bot.url
        self._busy = bot.busy
        self._screen = screen
        self._keyboard = keyboard
        self._fields = Fields(screen, keyboard, lambda typed: workspace.suggest(self._bot, typed, self._user))
        self._buttons: list[tuple[Message, str]] = []
        self._seen = 0  # messages that were shown
        self._settings: dict[str, Callable[[str], None]] = {
            ":": self._help,
            ":help": self._help,
            ":api": self._fail_next,
            **{f":{language}": partial(self._speak, language) for language in PEOPLE},
        }

    def loop(self) -> int:
        """Read entries until the end of input, and return the last command's exit status."""
        status = 0
        if self._keyboard.tty:
            print()
            self._help()
        while True:
            try:
                entry = self._keyboard.entry(_mark)
                if entry is None or leaves(entry):
                    break
                if not self._keyboard.tty and not entry.strip():
                    continue
                if not self._keyboard.tty:  # a terminal shows what is typed, a pipe does not
                    print()
                    self.echo(entry)
                status = self.enter(entry, status)
            except NotText as error:
                self._screen.say("unreadable", encoding=error.encoding)
                status = 2
            except KeyboardInterrupt:  # while an answer is awaited
                if not self._keyboard.tty:
                    raise
                print()
                self._screen.say("stopped")
                status = 1
        if self._busy():
            self._screen.say("unanswered")
        return status

    def echo(self, entry: str) -> None:
        """Print an entry as it would stand at the prompt."""
        self._screen.text(_mark(entry) + entry)

    def enter(self, entry: str, status: int = 0) -> int:
        """Do what is entered, show what people see, and return the exit status; `status` is the one before."""
        word = entry.strip()
        if leaves(word):
            return status
        if is_setting(word):
            name, _, argument = word.partition(" ")
            self._settings.get(name, self._help)(argument.strip())
            return status
        if uses_shortcut(word):
            return self._use_shortcut()
        if number := re.fullmatch(r"\[?(\d+)\]?", word):
            return self._press(int(number[1]))
        return self._command(entry)

    def _command(self, text: str) -> int:
        """Send one command, with or without `/addgroup` before it."""
        text = _COMMAND.sub("", dedent(text)).rstrip()
        text = text if "\n" in text else text.strip()
        asks = self._keyboard.tty or not text  # a pipe has commands below, no answers to what is unclear
        outcomes = self._do(lambda: self._workspace.command(self._bot, text, self._user, CHANNEL), asks=asks)
        if outcomes:
            return _status(outcomes)
        reading = parse(text)
        if isinstance(reading, Keyword) or not (reading.groups or reading.unclear):
            return 0
        return 2 if reading.unclear else 1

    @property
    def _user(self) -> str:
        return PEOPLE[self._screen.language]

    def _press(self, number: int) -> int:
        message, action = self._buttons[number - 1] if 1 <= number <= len(self._buttons) else (None, "")
        buttons = message.buttons if message else []
        button = next((button for button in buttons if button["action_id"] == action), None)
        if message is None or button is None:  # it may have been there when the message was shown
            self._screen.say("no_button", number=number)
            return 2
        if question := button.get("confirm"):
            self._screen.text(question["text"]["text"])
            yes = self._screen.sentence("confirm", yes=question["confirm"]["text"])
            if (self._fields.ask(f"{yes} ") or "").strip().lower() not in _YES:
                return 1
        return _status(self._do(lambda: self._workspace.press(self._bot, message, action, self._user)))

    def _use_shortcut(self) -> int:
        """Let a message be written by somebody else, and choose the shortcut in its menu."""
        self._screen.say("shortcut")
        text = self._fields.ask("| ")
        if not text:
            return 2
        message = self._workspace.say(dedent(text), "U3", CHANNEL)
        self._seen = len(self._workspace.messages)
        return _status(self._do(lambda: self._workspace.shortcut(self._bot, message, self._user)))

    # What comes of it.

    def _do(self, act: Callable[[], Reply], *, asks: bool = True) -> Outcomes:
        """Do something in Slack, show what comes of it, and return the outcomes of the jobs that it led to.

        A form that opens is filled in, or only shown where it must not ask.
        """
        forms = len(self._workspace.forms)
        return self._follow(self._sent(act), forms, asks)

    def _sent(self, act: Callable[[], Reply]) -> Reply | None:
        try:
            return act()
        except requests.RequestException:
            return None

    def _follow(self, reply: Reply | None, forms: int, asks: bool = True) -> Outcomes:
        """Show what follows the bot's HTTP answer; `forms` is how many had been opened before."""
        if reply and self._told(reply):
            return frozenset()
        if not reply or not self._comes(lambda: len(self._workspace.forms) > forms):
            self._screen.say("no_answer")
            return frozenset()
        if len(self._workspace.forms) > forms:
            return self._fill(self._workspace.forms[-1], asks)
        return self._show_new()

    def _told(self, reply: Reply) -> bool:
        """Show what the bot's own HTTP answer says; tell whether it says anything."""
        told = reply.text
        if view := reply.body.get("view"):
            told = "\n".join(map(said, view["blocks"]))
        if reply.status != 200:
            self._screen.say("http", status=reply.status)
        elif told:
            self._buttons = []
            self._private(Message(CHANNEL, "", told, blocks=reply.body.get("blocks", [])))
            self._screen.end()
        return reply.status != 200 or bool(told)

    def _comes(self, otherwise: Callable[[], bool]) -> bool:
        """Wait until there is something new and the bot has no open job any more, or until something else holds."""
        begun, told = time.monotonic(), not self._keyboard.tty
        while not otherwise() and (self._busy() or len(self._workspace.messages) == self._seen):
            waited = time.monotonic() - begun
            if waited > ANSWER_WITHIN:
                return False
            if waited > _SOON and not told:
                told = True
                self._screen.say("waiting")
            time.sleep(0.02)
        return True

    def _show_new(self) -> Outcomes:
        """Show messages that were not shown; the buttons under them are numbered from 1."""
        new = self._workspace.messages[self._seen :]
        if not new:
            return frozenset()
        self._seen += len(new)
        self._buttons = []
        for message in new:
            if message.private_to:
                self._private(message)
        threads = {message.thread_ts for message in new} - {""}
        for root in [m for m in self._workspace.messages if m.channel == CHANNEL and m.ts in threads]:
            answers = [message for message in new if message.thread_ts == root.ts]
            outcome = next((answer.outcome for answer in reversed(answers) if answer.outcome), root.outcome)
            self._screen.heading(self._screen.sentence("thread") if root.author else "#ops")
            if not root.author:
                self._message(root, outcome)
            for answer in answers:
                self._message(answer, answer.outcome, in_thread=True)
        self._screen.end()
        return frozenset(message.outcome for message in new) - {"", "open"}

    def _private(self, message: Message) -> None:
        self._screen.heading(self._screen.sentence("private"))
        self._message(message, message.outcome)

    def _message(self, message: Message, outcome: str, in_thread: bool = False) -> None:
        self._screen.message(message, outcome, in_thread)
        for button in message.buttons:
            self._buttons.append((message, button["action_id"]))
            self._screen.button(len(self._buttons), button["text"]["text"])

    # The form.

    def _fill(self, form: Form, asks: bool) -> Outcomes:
        """Ask for the form's fields until the bot takes them, and return the outcomes."""
        entered: dict[str, Any] = {}
        while self._fields.fill(form, entered, asks):
            view = form.view
            fields = {block["element"]["action_id"]: entered[block["block_id"]] for block in form.inputs}
            reply = self._sent(partial(self._workspace.submit, self._bot, form, self._user, **fields))
            mistakes = reply.body.get("errors", {}) if reply else {}
            labels = {block["block_id"]: block["label"]["text"] for block in form.inputs}
            for field, sentence in mistakes.items():
                self._screen.text(f"{labels.get(field, field)}: {sentence}", margin=2)
            if form.view is view and not mistakes:
                return self._follow(reply, len(self._workspace.forms))
        self._screen.say("form_closed")
        if asks and self._workspace.close(self._bot, form, self._user):  # which may give the text back
            until = time.monotonic() + _SOON
            self._comes(lambda: time.monotonic() > until)
            self._show_new()
        return frozenset() if asks else _UNCLEAR

    # The console's own settings.

    def _help(self, _argument: str = "") -> None:
        self._screen.say("start")
        rows: list[tuple[str, str]] = [(typed, does) for typed, does in sentences()["help"][self._screen.language]]
        self._screen.table([row for row in rows if self._api or row[0] != ":api"])

    def _speak(self, language: str, _argument: str) -> None:
        self._screen.language = language
        self._screen.say("language")

    def _fail_next(self, name: str) -> None:
        """Let the next call of the API's stand-in fail, or list the ways to fail."""
        if not self._api:
            self._screen.say("api_live")
            return
        ways = [str(code) for code in MESSAGES if code != 200] + list(FAULTS)
        chosen = [way for way in ways if way == name]
        if chosen:
            self._api.faults.append(int(name) if name.isdecimal() else name)
        if name and not chosen:
            self._screen.say("api_unknown", name=name)
        self._screen.say("api" if chosen else "api_list")
        self._screen.table([(way, self._screen.sentence(f"api_{way}")) for way in chosen or ways])


_UNCLEAR: Outcomes = frozenset({"unclear"})


def _mark(entry: str) -> str:
    """Return what stands before an entry: the command, but for the console's own words."""
    return "> " if is_own(entry) else "> /addgroup "


def _status(outcomes: Outcomes) -> int:
    """Return the exit status for the outcomes of jobs: 0 when a group was created, or is there already."""
    if outcomes is _UNCLEAR:
        return 2
    return 0 if outcomes & {"created", "exists"} else 1

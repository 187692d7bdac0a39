"""The prompt: what is typed goes to the bot as a command, a button or a form, and what people see is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from textwrap import dedent
from typing import Any

from bot.model.command import Create, parse
from bot.model.names import UsageError
from bot.sandbox.api import FAULTS, MESSAGES, Api
from bot.sandbox.channel import CHANNEL, Channel, Happened
from bot.sandbox.form_prompt import FormPrompt, asked
from bot.sandbox.keyboard import Keyboard, NotText, is_setting, leaves, uses_shortcut
from bot.sandbox.sentences import commands, fault, say
from bot.sandbox.terminal import PEOPLE, Screen
from bot.sandbox.workspace import Form, Message, Reply, Workspace

_COMMAND = re.compile(r"\A\s*/addgroup(?!\S)[^\S\n]*\n?")
_YES = {"y", "yes", "e", "evet"}


class Prompt:
    """One person at one terminal, in one channel of a workspace with a bot at the address `bot`."""

    def __init__(self, workspace: Workspace, api: Api | None, bot: str, screen: Screen, keyboard: Keyboard) -> None:
        self._workspace = workspace
        self._channel = Channel(workspace)
        self._api = api
        self._bot = bot
        self._screen = screen
        self._keyboard = keyboard
        self._buttons: list[tuple[Message, str]] = []
        self._settings: dict[str, Callable[[str], None]] = {
            ":": self._help,
            ":help": self._help,
            ":api": self._fail_next,
            **{f":{language}": partial(self._speak, language) for language in PEOPLE},
        }

    def loop(self, status: int) -> int:
        """Read entries until the end of input, and return the last command's exit status."""
        if self._keyboard.tty:
            print()
            self._help()
        while True:
            try:
                entry = self._keyboard.entry("> /addgroup ")
                if entry is None or leaves(entry):
                    return status
                if not self._keyboard.tty and entry.strip():  # a terminal shows what is typed, a pipe does not
                    print()
                    self._screen.text(f"> /addgroup {entry}")
                status = self._entered(entry, status)
            except NotText as error:
                self._screen.say("unreadable", encoding=error.encoding)
                status = 2
            except KeyboardInterrupt:  # while an answer is awaited
                if not self._keyboard.tty:
                    raise
                print()
                self._screen.say("stopped")
                status = 1

    def _entered(self, entry: str, status: int) -> int:
        word = entry.strip()
        if not word:
            return status
        if is_setting(word) and "\n" not in word:
            name, _, argument = word.partition(" ")
            if setting := self._settings.get(name):
                setting(argument.strip())
                return status
            self._help()
            return status
        if uses_shortcut(word):
            return self._use_shortcut()
        number = re.fullmatch(r"\[?(\d+)\]?", word)
        return self._press(number[1]) if number else self.run(entry)

    def run(self, text: str) -> int:
        """Send one command, with or without `/addgroup` before it; show what people see, and return its exit status."""
        text = _COMMAND.sub("", dedent(text)).rstrip()
        text = text if "\n" in text else text.strip()
        outcomes = self._do(lambda: self._workspace.command(self._bot, text, self._user, CHANNEL))
        if outcomes:
            return _status(outcomes)
        try:
            return 1 if isinstance(parse(text), Create) else 0
        except UsageError:
            return 2

    @property
    def _user(self) -> str:
        return PEOPLE[self._screen.language]

    def _press(self, number: str) -> int:
        if not 1 <= int(number) <= len(self._buttons):
            self._screen.say("no_button", number=number)
            return 2
        message, action = self._buttons[int(number) - 1]
        button = next((button for button in message.buttons if button["action_id"] == action), None)
        if button is None:  # it was there when the message was shown
            self._screen.say("no_button", number=number)
            return 2
        if (question := button.get("confirm")) and not self._confirmed(question):
            return 1
        return _status(self._do(lambda: self._workspace.press(self._bot, message, action, self._user)))

    def _use_shortcut(self) -> int:
        """Let a message be written by somebody else, and choose the shortcut in its menu."""
        self._screen.say("shortcut")
        lines = [self._keyboard.entry("| ")]
        while self._keyboard.tty and lines[-1]:
            lines.append(self._keyboard.line("| "))
        text = "\n".join(filter(None, lines))
        if not text:
            return 2
        message = self._workspace.say(dedent(text), "U3", CHANNEL)
        return _status(self._do(lambda: self._workspace.shortcut(self._bot, message, self._user)))

    def _confirmed(self, question: dict[str, Any]) -> bool:
        self._screen.text(question["text"]["text"])
        yes = say(self._screen.language, "confirm", yes=question["confirm"]["text"])
        return (asked(self._keyboard, self._screen, f"{yes} ") or "").strip().lower() in _YES

    def _do(self, act: Callable[[], Reply]) -> frozenset[str]:
        """Do something in Slack, show what came of it, and return the outcomes of the jobs that it led to."""
        happened = self._channel.do(act, self._wait)
        self._show(happened)
        return self._fill(happened.form) if happened.form else happened.outcomes

    def _wait(self) -> None:
        if self._keyboard.tty:
            self._screen.say("waiting")

    def _fill(self, form: Form) -> frozenset[str]:
        """Ask for the form's fields until the bot takes them, and return the outcomes."""
        prompt = FormPrompt(
            form, self._keyboard, self._screen, lambda typed: self._workspace.suggest(self._bot, typed, self._user)
        )
        while (fields := prompt.fill()) is not None:
            entered = fields
            happened = self._channel.do(
                lambda: self._workspace.submit(self._bot, form, self._user, **entered),  # noqa: B023  # called at once
                self._wait,
            )
            if not happened.mistakes:
                self._show(happened)
                return happened.outcomes
            prompt.refused(happened.mistakes)
        return frozenset()

    def _show(self, happened: Happened) -> None:
        """Show what came of something; the buttons under it are numbered from 1."""
        if happened.http:
            self._screen.say("http", status=happened.http)
        if happened.silent:
            self._screen.say("no_answer")
        if happened.reply or happened.threads or happened.private:
            self._buttons = []
        for message in [happened.reply] if happened.reply else happened.private:
            self._screen.heading(say(self._screen.language, "private"))
            self._message(message, message.outcome)
        for root, answers in happened.threads:
            outcome = next((answer.outcome for answer in reversed(answers) if answer.outcome), root.outcome)
            self._screen.heading(say(self._screen.language, "thread") if root.author else "#ops")
            if not root.author:
                self._message(root, outcome)
            for answer in answers:
                self._message(answer, answer.outcome, in_thread=True)
        self._screen.end()

    def _message(self, message: Message, outcome: str, in_thread: bool = False) -> None:
        self._screen.message(message, outcome, in_thread)
        for button in message.buttons:
            self._buttons.append((message, button["action_id"]))
            self._screen.button(len(self._buttons), button.get("accessibility_label") or button["text"]["text"])

    # The console's own settings.

    def _help(self, _argument: str = "") -> None:
        self._screen.say("start")
        self._screen.table([row for row in commands(self._screen.language) if self._api or row[0] != ":api"])

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
        self._screen.table([(way, fault(self._screen.language, way)) for way in chosen or ways])


def _status(outcomes: frozenset[str]) -> int:
    """Return the exit status for the outcomes of jobs: 0 when a group was created, or is there already."""
    return 0 if outcomes & {"created", "exists"} else 1

"""/addgroup in a terminal: the real bot in a process of its own, over real HTTP, between stand-ins."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from bot import settings
from bot.model.command import Help, History, OpenForm, parse
from bot.model.names import UsageError
from bot.sandbox import terminal
from bot.sandbox.api import FAULTS, MESSAGES, Api
from bot.sandbox.process import Served
from bot.sandbox.terminal import LOCALES, PEOPLE
from bot.sandbox.workspace import Form, Message, Reply, Workspace

CHANNEL = "C1"

INTRODUCTION = """\
This is /addgroup without Slack: you type what you would type in the channel #ops, and see what people would see there.
Slack and iletiMerkezi are stand-ins on this machine; no real group is made.
"""
LIVE = """\
This is /addgroup without Slack, but with the REAL group API: {url}
Groups that you make here are made in the account of the key {key}.
"""
HELP = """\
  Customers parent=5     like /addgroup Customers parent=5 in Slack; help shows all that the bot understands
  /addgroup              opens the form, whose fields are asked for one by one
  1                      presses the button with this number
  :tr  :en               read the answers in Turkish, in English
  :api 401               let the next API call fail: {codes},
                         {faults}
  quit                   leave
"""
ANSWER_WITHIN = 60.0


def run(text: str | None, *, live: bool, stay: bool) -> int:
    """Run one command, or a prompt without `text` (with `stay`, the prompt follows the command).

    Returns 0 when a group was made or nothing was asked to be made, 1 when it was not made, 2 for a wrong usage; of a
    prompt the last command counts. Raises SettingsError when `live` lacks the credentials.
    """
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, _leave)
    console = _live if live else _sandbox
    with contextlib.suppress(KeyboardInterrupt), console() as bot:  # Ctrl-C while an answer is awaited
        status = 0
        if text is not None:
            print(f"> /addgroup {text}")
            status = bot.run(text)
        if text is None or (stay and sys.stdin.isatty()):
            status = bot.prompt(status)
        return status
    return 128 + signal.SIGINT


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave on a signal, such as that of a terminal that is closed, by way of the end that stops the bot."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


class Console:
    """One person at one terminal, in one channel."""

    def __init__(self, workspace: Workspace, api: Api | None, served: Served) -> None:
        self._workspace = workspace
        self._api = api
        self._bot = served.url
        self._user = PEOPLE["tr" if _turkish() else "en"]
        self._buttons: list[tuple[Message, str]] = []

    def prompt(self, status: int) -> int:
        """Read commands until the end of input, and return the last one's status."""
        if sys.stdin.isatty():
            # Importing readline gives input() line editing and recall; it is missing where Python was built without it.
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401
            print(f"\nType a command, or one of these:\n{_help(self._api)}")
        while True:
            line = _ask("> /addgroup ")
            if line is None or line in ("quit", "exit", ":quit"):
                return status
            if line.startswith(":"):
                self._set(line[1:])
            elif line.isdecimal() and 1 <= int(line) <= len(self._buttons):
                status = self._press(int(line))
            elif line.isdecimal() and self._buttons:
                print("There is no button with this number.")
            elif line:
                status = self.run(line)

    def run(self, text: str) -> int:
        """Send one command, with or without `/addgroup` before it; show what people see, and return its exit status."""
        text = re.sub(r"^/addgroup(?!\S)", "", text.strip()).strip()
        outcomes = self._do(lambda: self._workspace.command(self._bot, text, self._user, CHANNEL))
        if outcomes:
            return 0 if "created" in outcomes else 1
        try:
            return 0 if isinstance(parse(text), Help | History | OpenForm) else 2
        except UsageError:
            return 2

    def _press(self, number: int) -> int:
        message, action = self._buttons[number - 1]
        button = next(button for button in message.buttons if button["action_id"] == action)
        if question := button.get("confirm"):
            sentence, yes = question["text"]["text"], question["confirm"]["text"]
            print(sentence)
            if _ask(f"{yes}? (y/n) ") not in ("y", "yes", "e", "evet"):
                return 1
        outcomes = self._do(lambda: self._workspace.press(self._bot, message, action, self._user))
        return 0 if "created" in outcomes else 1

    def _do(self, act: Callable[[], Reply]) -> set[str]:
        """Do something in Slack, show what came of it, and return the outcomes of the job that it led to."""
        seen, forms = len(self._workspace.messages), len(self._workspace.forms)
        edits = {root.ts: len(root.earlier) for root in self._workspace.roots(CHANNEL)}
        reply = act()
        if reply.status != 200:
            print(f"The bot answered HTTP {reply.status}.")
            return set()
        if mistakes := reply.body.get("errors"):
            raise _Mistakes("\n".join(f"  {field}: {sentence}" for field, sentence in mistakes.items()))
        if reply.text:
            self._buttons = []
            self._show(Message(CHANNEL, "", reply.text, private_to=self._user, blocks=reply.body.get("blocks", [])))
            return set()

        def finished() -> bool:
            return len(self._workspace.forms) > forms or self._answered(seen, edits)

        if not self._workspace.wait_for(finished, ANSWER_WITHIN):
            print("The bot did not answer in a minute.")
            return set()
        if len(self._workspace.forms) > forms:
            return self._fill(self._workspace.forms[-1])
        new = self._workspace.messages[seen:]
        self._buttons = []
        for message in self._roots(new):
            self._show(message, [answer for answer in new if answer.thread_ts == message.ts])
        for message in new:
            if message.private_to:
                self._show(message)
        return {message.outcome for message in new} - {""}

    def _answered(self, seen: int, edits: dict[str, int]) -> bool:
        """Tell whether what was done is answered: in the thread and at the root, or privately."""
        new = self._workspace.messages[seen:]
        threads = {message.thread_ts for message in new if message.thread_ts}
        shown = [root for root in self._workspace.roots(CHANNEL) if root.ts in threads]
        settled = any(message.outcome not in ("", "open") for message in new)
        edited = any(len(root.earlier) > edits.get(root.ts, 0) for root in shown)
        return any(message.private_to for message in new) or (edited and settled)

    def _roots(self, new: list[Message]) -> list[Message]:
        threads = {message.thread_ts for message in new}
        return [root for root in self._workspace.roots(CHANNEL) if root.ts in threads]

    def _show(self, message: Message, thread: list[Message] | None = None) -> None:
        """Show a message, with its thread or as one that only you see, and number the buttons."""
        print("\n(only you see this)" if message.private_to else "\n#ops")
        print(terminal.box(message.text, "Addgroup  "))
        for shown in (message, *(thread or [])):
            if shown is not message:
                print(terminal.box(shown.text, "    └ Addgroup  "))
            for button in shown.buttons:
                self._buttons.append((shown, button["action_id"]))
                print(f"                [{len(self._buttons)}] {button['text']['text']}")
        print()

    def _fill(self, form: Form) -> set[str]:
        """Ask for the form's fields until the bot takes them, and return the outcomes."""
        print(f"\n── {form.view['title']['text']} ──")
        fields: dict[str, Any] = {}
        while True:
            for block in form.view["blocks"]:
                ask = self._ask_parent if block["element"]["type"] == "external_select" else self._ask_text
                if not ask(block, fields):
                    print("The form was closed.")
                    return set()
            try:
                return self._do(lambda: self._workspace.submit(self._bot, form, self._user, **fields))
            except _Mistakes as mistakes:
                print(mistakes)

    def _ask_text(self, block: dict[str, Any], fields: dict[str, Any]) -> bool:
        """Ask for a text of one line or of several, which an empty line ends."""
        default = fields.get(block["block_id"]) or block["element"].get("initial_value", "")
        print(f"{block['label']['text']}{f' [{default}]' if default else ''} (an empty line ends it)")
        lines = []
        while line := _ask("  | ", strip=False):
            lines.append(line)
        if line is not None:
            fields[block["block_id"]] = "\n".join(lines) or default
        return line is not None

    def _ask_parent(self, block: dict[str, Any], fields: dict[str, Any]) -> bool:
        """Ask for a part of a name, and which of the suggestions is meant."""
        default = fields.get(block["block_id"]) or block["element"].get("initial_option")
        shown = f" [{default['text']['text']}]" if default else ""
        while True:
            typed = _ask(f"{block['label']['text']} ({block['hint']['text']}){shown}: ")
            if not typed:
                fields[block["block_id"]] = default
                return typed is not None
            options = self._workspace.suggest(self._bot, typed, self._user)
            for number, option in enumerate(options, 1):
                print(f"  [{number}] {option['text']['text']}")
            if not options:
                print("  No group matches.")
                continue
            answer = _ask("Which one? [1] ")
            chosen = int(answer) if answer and answer.isdecimal() else 1
            if answer is not None and 1 <= chosen <= len(options):
                fields[block["block_id"]] = options[chosen - 1]
                return True
            print("  Nothing was chosen.")

    def _set(self, line: str) -> None:
        word, _, argument = line.partition(" ")
        if word in PEOPLE:
            self._user = PEOPLE[word]
            print({"tr": "Yanıtlar artık Türkçe.", "en": "Answers are in English now."}[word])
        elif word == "api" and self._api and (argument in FAULTS or argument in map(str, MESSAGES)):
            self._api.faults.append(int(argument) if argument.isdecimal() else argument)
            print(f"The next API call ends in: {argument}")
        else:
            print(_help(self._api))


class _Mistakes(Exception):
    """The form was not taken; the text says why, a line a field."""


@contextlib.contextmanager
def _sandbox() -> Iterator[Console]:
    api = Api("sandbox-key", secrets.token_hex(16))
    api.add("Customers", identifier="5")
    print(INTRODUCTION)
    with api, _bot(api, {}) as console:
        yield console


@contextlib.contextmanager
def _live() -> Iterator[Console]:
    environ = settings.environment()
    chosen = settings.read(environ, slack=False)
    print(LIVE.format(url=chosen.api_url, key=f"{chosen.api_key[:4]}…"), flush=True)
    ours = {name: value for name, value in environ.items() if name.startswith("ILETIMERKEZI_")}
    with _bot(None, ours) as console:
        yield console


@contextlib.contextmanager
def _bot(api: Api | None, more: dict[str, str]) -> Iterator[Console]:
    with tempfile.TemporaryDirectory(prefix="addgroup-") as directory, Workspace(secrets.token_hex(16)) as workspace:
        workspace.locales.update(LOCALES)
        served = Served(workspace, api, Path(directory), LOG_LEVEL="WARNING", **more)
        try:
            yield Console(workspace, api, served)
        finally:
            served.stop()


def _ask(question: str, strip: bool = True) -> str | None:
    """Return what is typed, None at the end of input; the question is shown on a terminal alone."""
    try:
        typed = input(question if sys.stdin.isatty() else "")
        return typed.strip() if strip else typed.rstrip()
    except (EOFError, KeyboardInterrupt):
        if sys.stdin.isatty():
            print()
        return None


def _turkish() -> bool:
    return os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("tr")


def _help(api: Api | None) -> str:
    lines = HELP.format(
        codes=", ".join(str(code) for code in MESSAGES if code != 200), faults=", ".join(FAULTS)
    ).splitlines()
    return "\n".join(line for line in lines if api or not line.startswith(("  :api", " " * 20)))

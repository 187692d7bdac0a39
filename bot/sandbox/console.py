"""/addgroup in a terminal: the real bot, over real HTTP, between stand-ins."""

import contextlib
import logging
import os
import re
import secrets
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from typing import Any

from bot.model.names import fold
from bot.sandbox.api import FAULTS, MESSAGES, Api
from bot.sandbox.bot import Bot, variables
from bot.sandbox.terminal import Terminal, sentences, shown
from bot.sandbox.workspace import Form, Json, Message, Reply, Workspace

LEAVE = 20.0
"""How long a group that is being made at the real API may take when somebody leaves, in seconds."""

_PERSON, _CHANNEL = "U1", "C1"
_SOON = 1.5  # seconds after which somebody who waits is told so
_LEAVES = {fold(word) for word in ("quit", "exit", "çık", "çıkış")}
_YES = {"y", "yes", "e", "evet"}
_SETTING = re.compile(r":([a-z]*)(?: +(.*))?")  # an emoji's code has a second colon


def run(text: str | None, live: Mapping[str, str] | None, *, stay: bool) -> int:
    """Run one entry, or a prompt without `text`; with `stay`, on a terminal, the prompt follows the entry.

    `live` are the variables for the real API, None for the stand-in. Returns 0 when the group is there now or none was
    asked for, 1 when it is not, 2 for a wrong usage. Of a prompt the last command counts; one that `stay` opened
    returns 0. Raises SettingsError when `live` lacks the credentials, JournalError, and KeyboardInterrupt when the wait
    for an answer was ended and there is no prompt.
    """
    logging.disable()  # the screen is for what people see in Slack
    for number in (signal.SIGHUP, signal.SIGTERM):  # the terminal was closed: the bot stops as on quit
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    os.environ["no_proxy"] = f"{os.environ.get('no_proxy') or os.environ.get('NO_PROXY') or ''},127.0.0.1"
    terminal = Terminal(text, stay)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="addgroup-"))
        workspace = stack.enter_context(Workspace(secrets.token_hex(16)))
        api = Api("sandbox-key", secrets.token_hex(16)) if live is None else None
        ours = {name: value for name, value in (live or {}).items() if name.startswith("ILETIMERKEZI_")}
        bot = Bot({**variables(workspace, api), **ours, "DATABASE_URL": f"sqlite:///{folder}/journal.db"})
        if api:
            terminal.say("introduction")
            for identifier, name, parent in sentences()["account"]["groups"]:
                api.add(name, parent, identifier)
        else:
            terminal.say("live", url=bot.settings.api_url, key=f"{bot.settings.api_key[:4]}…")
        bot.start()
        stack.callback(bot.stop, LEAVE)
        if api:
            stack.enter_context(api)  # which ends first, so that nobody waits for its silence
        status = Console(workspace, api, bot, terminal).loop()
    return 0 if stay and terminal.asks else status


class Console:
    """One person at one terminal, in one channel of a workspace with a bot.

    Ctrl-C while an answer is awaited leads back to the prompt; what was not awaited is shown with the next answer.
    """

    def __init__(self, workspace: Workspace, api: Api | None, bot: Bot, terminal: Terminal) -> None:
        self._workspace = workspace
        self._api = api
        self._bot = bot
        self._terminal = terminal
        self._buttons: list[tuple[Message, str]] = []
        self._seen = 0  # messages that were shown
        workspace.locales[_PERSON] = {"tr": "tr-TR", "en": "en-US"}[terminal.language]

    def loop(self) -> int:
        """Do what is entered until the end of input, and return the last command's exit status."""
        status = 0
        if self._terminal.asks:
            self._terminal.say("help")
        while True:
            try:
                entry = self._terminal.read()
                if entry is None or fold(entry) in _LEAVES:
                    break
                status = self._enter(entry.strip(), status)
            except UnicodeError:
                self._terminal.say("unreadable")
                status = 2
            except (EOFError, KeyboardInterrupt):
                if not self._terminal.asks:
                    raise
                self._terminal.say("stopped")
                status = 1
        if self._bot.parts.worker.busy():
            self._terminal.say("unanswered")
        return status

    def _enter(self, entry: str, status: int) -> int:
        """Do what is entered, show what people see, and return the exit status; `status` is the one before."""
        if setting := _SETTING.fullmatch(entry):
            self._set(*setting.groups(""))
            return status
        if number := re.fullmatch(r"\[?(\d{1,9})\]?", entry):
            return self._press(number[1])
        return self._do(lambda: self._workspace.command(self._bot.url, entry, _PERSON, _CHANNEL))

    def _set(self, name: str, argument: str) -> None:
        """Choose what the next call of the API comes to."""
        fault = int(argument) if argument.isdecimal() else argument
        if name != "api" or not self._api:
            self._terminal.say("help")
        elif fault in (*FAULTS, *MESSAGES.keys() - {200}):
            self._api.faults.append(fault)
            self._terminal.say("api_chosen", way=fault)
        else:
            self._terminal.say("api")

    def _press(self, number: str) -> int:
        message, action = dict(enumerate(self._buttons, 1)).get(int(number), (Message("", "", ""), ""))
        button = next((button for button in message.buttons if button["action_id"] == action), None)
        if not button:  # it may have been there when the message was shown
            self._terminal.say("no_button", number=number)
            return 2
        if question := button.get("confirm"):
            print(question["text"]["text"])
            yes = self._terminal.sentence("confirm", yes=question["confirm"]["text"])
            if self._terminal.ask(f"{yes} ").strip().lower() not in _YES:
                return 1
        return self._do(lambda: self._workspace.press(self._bot.url, message, action, _PERSON))

    def _do(self, act: Callable[[], Reply]) -> int:
        """Do something in Slack, show what comes of it, and return the exit status."""
        forms = len(self._workspace.forms)
        reply = act()
        if reply.text:
            said = Message(_CHANNEL, "", reply.text, private_to=_PERSON, blocks=reply.body.get("blocks", []))
            self._workspace.messages.append(said)
        return self._show_new() if reply.text else self._follow(forms)

    def _follow(self, forms: int) -> int:
        """Wait for what follows an acknowledgement, and show it; `forms` is how many had been opened before."""
        soon, told = time.monotonic() + _SOON, not self._terminal.asks
        while self._bot.parts.worker.busy() or len(self._workspace.messages) == self._seen:
            if len(self._workspace.forms) > forms:
                return self._fill(self._workspace.forms[-1])
            if not told and time.monotonic() > soon:
                self._terminal.say("waiting")
                told = True
            time.sleep(0.02)
        return self._show_new()

    def _show_new(self) -> int:
        """Show messages that were not shown; the buttons under them are numbered from 1."""
        new = self._workspace.messages[self._seen :]
        self._seen += len(new)
        self._buttons = []
        for message in [message for message in new if message.private_to]:
            self._show("private", message)
        threads = {message.thread_ts for message in new} - {""}
        for root in [message for message in self._workspace.messages if message.ts in threads]:
            self._show("channel", root)
            for answer in [message for message in new if message.thread_ts == root.ts]:
                self._show("thread", answer, "  ")
        outcomes = {message.outcome for message in new} - {"", "open"}
        return 0 if not outcomes or outcomes & {"created", "exists"} else 1

    def _show(self, title: str, message: Message, margin: str = "") -> None:
        """Print one of Slack's messages under a title, and its buttons."""
        text = shown(message.text).rstrip().replace(f"@{_PERSON}", self._terminal.sentence("you"))
        lines = [self._terminal.sentence(title), *(f"  {line}" for line in text.split("\n"))]
        for button in message.buttons:
            self._buttons.append((message, button["action_id"]))
            lines.append(f"  [{len(self._buttons)}] {button['text']['text']}")
        print("", *(f"{margin}{line}" for line in lines), sep="\n")

    def _fill(self, form: Form) -> int:
        """Ask for the form's fields until the bot takes them; where nobody can be asked, only show it."""
        try:
            while True:
                view = form.view  # the bot may put another one in its place
                print(f"\n── {view['title']['text']} ──")
                if self._terminal.asks:
                    self._terminal.say("form")
                fields = {}
                for block in view["blocks"]:
                    if block["type"] == "input":
                        fields[block["element"]["action_id"]] = self._field(block, form.held(block))
                    else:
                        parts = [block.get("text", {}), *block.get("elements", [])]
                        print(shown(" ".join(part["text"] for part in parts if isinstance(part.get("text"), str))))
                if not self._terminal.asks:
                    raise EOFError
                mistakes = self._workspace.submit(self._bot.url, form, _PERSON, **fields).body.get("errors", {})
                for block in form.inputs:
                    if mistake := mistakes.get(block["block_id"]):
                        print(f"  {block['label']['text']}: {mistake}")
                if form.view is view and not mistakes:
                    return self._follow(len(self._workspace.forms))
        except (EOFError, KeyboardInterrupt):
            self._terminal.say("form_closed" if self._terminal.asks else "form_shown")
            return 2

    def _field(self, block: Json, held: Any) -> Any:
        """Ask for a field, text or an option of a menu, which is found by its name or ID; `held` is in it now."""
        menu = block["element"]["type"] == "external_select"
        before = held["text"]["text"] if menu and held else held or ""
        label, hint = block["label"]["text"], block.get("hint", {"text": ""})["text"]
        if not self._terminal.asks:
            print(f"  {label}: {before}")
            return held
        print(f"{label} ({hint})" if hint else label)
        while True:
            typed = self._terminal.ask("  | ", before)
            if not menu:
                return typed
            if typed == before or not typed.strip():
                return held if typed == before else None
            options = self._workspace.suggest(self._bot.url, typed.strip(), _PERSON)
            exact = [option for option in options if option["value"] == f"id:{typed.strip()}"]
            if len(exact or options) == 1:
                return (exact or options)[0]
            print(*(f"    {option['text']['text']}" for option in options), sep="\n")
            self._terminal.say("form_not_chosen")

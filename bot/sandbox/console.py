"""/addgroup in a terminal: the real bot in a process of its own, over real HTTP, between stand-ins."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bot import settings
from bot.command import Help, UsageError, parse
from bot.iletimerkezi import Credentials
from bot.sandbox.api import FAULTS, MESSAGES, Api
from bot.sandbox.process import Served
from bot.sandbox.workspace import Message, Workspace

PEOPLE = {"en": ("U1", "en-US"), "tr": ("U2", "tr-TR")}
"""Who types, by language: the bot remembers a person's language for an hour, so another person types Turkish."""

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
  :tr  :en               read the answers in Turkish, in English
  :api 401               let the next API call fail: {codes},
                         {faults}
  quit                   leave
"""


def run(text: str | None, *, live: bool, stay: bool) -> int:
    """Run one command, or a prompt without `text` (with `stay`, the prompt follows the command).

    Returns 0 when a group was made or nothing was asked to be made, 1 when it was not made, 2 for a wrong usage; of a
    prompt the last command counts. Raises SettingsError when `live` lacks the credentials.
    """
    console = _live if live else _sandbox
    with console() as bot:
        status = 0
        if text is not None:
            print(f"> /addgroup {text}")
            status = bot.run(text)
        if text is None or (stay and sys.stdin.isatty()):
            status = bot.prompt(status)
        return status


class Console:
    """One person at one terminal, in one channel."""

    def __init__(self, workspace: Workspace, api: Api | None, served: Served) -> None:
        self._workspace = workspace
        self._api = api
        self._served = served
        self._user = PEOPLE["tr" if _turkish() else "en"][0]

    def prompt(self, status: int) -> int:
        """Read commands until the end of input, and return the last one's status."""
        if sys.stdin.isatty():
            # Importing readline gives input() line editing and recall; it is missing where Python was built without it.
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401
            print(f"\nType a command, or one of these:\n{_help(self._api)}")
        while True:
            try:
                line = input("/addgroup " if sys.stdin.isatty() else "").strip()
            except (EOFError, KeyboardInterrupt):
                print()
                return status
            if line in ("quit", "exit", ":quit"):
                return status
            if line.startswith(":"):
                self._set(line[1:])
            elif line:
                status = self.run(line.removeprefix("/addgroup").strip())

    def run(self, text: str) -> int:
        """Send one command, show what people see, and return its exit status."""
        seen = len(self._workspace.messages)
        reply = self._workspace.command(self._served.url, text, self._user, CHANNEL)
        if reply.status != 200:
            print(f"The bot answered HTTP {reply.status}.")
            return 1
        if reply.text:
            _show_private(reply.text)
        if not reply.text and not self._workspace.wait_for(lambda: self._finished(seen), 60):
            print("The bot did not answer in a minute.")
            return 1
        for message in self._workspace.messages[seen:]:
            if message.private_to:
                _show_private(message.text)
            elif not message.thread_ts:
                self._show_thread(message)
        return _status(text, {message.outcome for message in self._workspace.messages[seen:]})

    def _finished(self, seen: int) -> bool:
        """Tell whether the command was answered: in the thread and at the root, or privately."""
        new = self._workspace.messages[seen:]
        edited = {message.ts for message in new if message.earlier}
        return any(message.private_to or (message.thread_ts and message.thread_ts in edited) for message in new)

    def _show_thread(self, root: Message) -> None:
        print(f"\n#ops\n{_box(root.text, 'Addgroup  ')}")
        for answer in self._workspace.thread(root):
            print(_box(answer.text, "    └ Addgroup  "))
        print()

    def _set(self, line: str) -> None:
        word, _, argument = line.partition(" ")
        if word in PEOPLE:
            self._user = PEOPLE[word][0]
            print({"tr": "Yanıtlar artık Türkçe.", "en": "Answers are in English now."}[word])
        elif word == "api" and self._api and (argument in FAULTS or argument in map(str, MESSAGES)):
            self._api.faults.append(int(argument) if argument.isdecimal() else argument)
            print(f"The next API call ends in: {argument}")
        else:
            print(_help(self._api))


@contextlib.contextmanager
def _sandbox() -> Iterator[Console]:
    api = Api(Credentials("sandbox-key", secrets.token_hex(16)))
    api.add("Customers", identifier="5")
    print(INTRODUCTION)
    with api, _bot(api, {}) as console:
        yield console


@contextlib.contextmanager
def _live() -> Iterator[Console]:
    environ = settings.environment()
    chosen = settings.read(environ, slack=False)
    print(LIVE.format(url=chosen.api_url, key=f"{chosen.credentials.key[:4]}…"), flush=True)
    ours = {name: value for name, value in environ.items() if name.startswith("ILETIMERKEZI_")}
    with _bot(None, ours) as console:
        yield console


@contextlib.contextmanager
def _bot(api: Api | None, more: dict[str, str]) -> Iterator[Console]:
    with tempfile.TemporaryDirectory(prefix="addgroup-") as directory, Workspace(secrets.token_hex(16)) as workspace:
        workspace.locales.update(PEOPLE.values())
        served = Served(workspace, api, Path(directory), LOG_LEVEL="WARNING", **more)
        try:
            yield Console(workspace, api, served)
        finally:
            served.stop()


def _status(text: str, outcomes: set[str]) -> int:
    if "open" in outcomes:  # the root of a job: the command was accepted
        return 0 if "created" in outcomes else 1
    try:
        return 0 if isinstance(parse(text), Help) else 2
    except UsageError:
        return 2


def _turkish() -> bool:
    return os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("tr")


def _help(api: Api | None) -> str:
    lines = HELP.format(codes=", ".join(map(str, MESSAGES)), faults=", ".join(FAULTS)).splitlines()
    return "\n".join(line for line in lines if api or not line.startswith(("  :api", " " * 20)))


def _show_private(text: str) -> None:
    print(f"\n(only you see this)\n{_box(text, '  Addgroup  ')}\n")


def _box(text: str, lead: str) -> str:
    """Lay out Slack text for a terminal, behind `lead` and indented by its width."""
    margin = "\n" + " " * len(lead)
    return lead + margin.join(_plain(text).splitlines())


def _plain(text: str) -> str:
    """Show Slack's markup as a person would see it: mentions by name, bold without stars, what was escaped as typed."""
    people = {user: f"@you ({language})" for language, (user, _) in PEOPLE.items()}
    text = re.sub(r"<@(\w+)>", lambda match: people.get(match[1], f"@{match[1]}"), text)
    text = re.sub(r"^\*(.+?)\*", _bold, text, flags=re.MULTILINE)
    text = re.sub(r"^> ", "│ ", text, flags=re.MULTILINE)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _bold(match: re.Match[str]) -> str:
    return f"\x1b[1m{match[1]}\x1b[0m" if sys.stdout.isatty() else match[1]

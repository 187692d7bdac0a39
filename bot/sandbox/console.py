"""/addgroup in a terminal: the real bot, over real HTTP, between stand-ins."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

from bot import settings
from bot.sandbox.api import Api
from bot.sandbox.bot import Bot, variables
from bot.sandbox.keyboard import Keyboard, NotText, given
from bot.sandbox.prompt import Prompt
from bot.sandbox.sentences import language_of_terminal
from bot.sandbox.terminal import LOCALES, Screen
from bot.sandbox.workspace import Workspace

_ACCOUNT = (
    ("5", "Customers", ""),
    ("11", "Retail", "5"),
    ("12", "Wholesale", "5"),
    ("20", "Staff", ""),
    ("21", "Field team", "20"),
    ("30", "Agencies", ""),
)
"""The groups of the stand-in's account: id, name, id of the parent."""

LEAVE = 20.0
"""How long a group that is being made at the real API may take when somebody leaves, in seconds."""


def run(text: str | None, *, live: bool, stay: bool) -> int:
    """Run one command, or a prompt without `text`; with `stay`, on a terminal, the prompt follows the command.

    Returns 0 when the group is there now or none was asked for, 1 when it is not, 2 for a wrong usage, 130
    when Ctrl-C ended the wait for an answer. Of a prompt the last command counts; one that `stay` opened returns 0.
    Raises SettingsError when `live` lacks the credentials, and JournalError.
    """
    logging.disable()  # the screen is for what people see in Slack
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, _leave)
    screen, keyboard = Screen(language_of_terminal()), Keyboard()
    try:
        asked = None if text is None else given(text)
        with _live(screen) if live else _sandbox(screen) as (workspace, api, bot):
            prompt = Prompt(workspace, api, bot.url, screen, keyboard)
            return _run(prompt, asked, screen, go_on=stay and keyboard.tty)
    except NotText as error:
        screen.say("unreadable", encoding=error.encoding)
        return 2
    except KeyboardInterrupt:
        print()
        screen.say("stopped_and_left")
        return 0 if stay and keyboard.tty else 128 + signal.SIGINT


def _run(prompt: Prompt, text: str | None, screen: Screen, *, go_on: bool) -> int:
    if text is None:
        return prompt.loop(0)
    screen.text(f"> /addgroup {text}")
    try:
        status = prompt.run(text)
    except KeyboardInterrupt:
        if not go_on:
            raise
        print()
        screen.say("stopped")
    if go_on:
        prompt.loop(0)
        return 0
    return status


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave on a signal, such as that of a terminal that is closed, by way of the end that stops the bot."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


Sandbox = tuple[Workspace, Api | None, Bot]


@contextlib.contextmanager
def _sandbox(screen: Screen) -> Iterator[Sandbox]:
    api = Api("sandbox-key", secrets.token_hex(16))
    for identifier, name, parent in _ACCOUNT:
        api.add(name, parent, identifier)
    screen.say("introduction")
    print(flush=True)
    _use_proxies({})
    with _bot(api, {}) as sandbox, api:  # which ends first, so that nobody who leaves waits for its silence
        yield sandbox


@contextlib.contextmanager
def _live(screen: Screen) -> Iterator[Sandbox]:
    environ = settings.environment()
    chosen = settings.read(environ, slack=False)
    screen.say("live", url=chosen.api_url, key=f"{chosen.api_key[:4]}…")
    print(flush=True)
    ours = {name: value for name, value in environ.items() if name.startswith("ILETIMERKEZI_")}
    _use_proxies(environ)
    with _bot(None, ours) as sandbox:
        yield sandbox


def _use_proxies(environ: dict[str, str]) -> None:
    """Reach the real API through the proxies of these variables, and this machine through none."""
    proxies = {name: value for name, value in environ.items() if name.lower().endswith("_proxy")}
    around = proxies.get("no_proxy") or proxies.get("NO_PROXY") or ""
    around = around if around.strip() == "*" else ",".join(filter(None, [around, "127.0.0.1,localhost"]))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ.update({**proxies, "no_proxy": around, "NO_PROXY": around})


@contextlib.contextmanager
def _bot(api: Api | None, more: dict[str, str]) -> Iterator[Sandbox]:
    with tempfile.TemporaryDirectory(prefix="addgroup-") as folder, Workspace(secrets.token_hex(16)) as workspace:
        workspace.locales.update(LOCALES)
        bot = Bot({**variables(workspace, api), "DATABASE_URL": f"sqlite:///{folder}/journal.db", **more})
        bot.start()
        try:
            yield workspace, api, bot
        finally:
            try:
                bot.stop(LEAVE)
            except KeyboardInterrupt:  # a second Ctrl-C does not want to wait
                shutil.rmtree(folder)
                os._exit(128 + signal.SIGINT)

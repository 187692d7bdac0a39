"""/addgroup in a terminal: the real bot, over real HTTP, between stand-ins."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import NoReturn

from bot import settings
from bot.sandbox.api import Api
from bot.sandbox.bot import Bot, variables
from bot.sandbox.keyboard import Keyboard, NotText, given
from bot.sandbox.prompt import Prompt
from bot.sandbox.screen import LOCALES, Screen, language_of_terminal, sentences
from bot.sandbox.workspace import Workspace

LEAVE = 20.0
"""How long a group that is being made at the real API may take when somebody leaves, in seconds."""


def run(text: str | None, *, live: bool, stay: bool) -> int:
    """Run one entry, or a prompt without `text`; with `stay`, on a terminal, the prompt follows the entry.

    Returns 0 when the group is there now or none was asked for, 1 when it is not, 2 for a wrong usage, 130
    when Ctrl-C ended the wait for an answer. Of a prompt the last command counts; one that `stay` opened returns 0.
    Raises SettingsError when `live` lacks the credentials, and JournalError.
    """
    logging.disable()  # the screen is for what people see in Slack
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, _leave)
    screen, keyboard = Screen(language_of_terminal()), Keyboard()
    go_on = stay and keyboard.tty
    try:
        typed = None if text is None else given(text)
        with _live(screen, keyboard) if live else _sandbox(screen, keyboard) as prompt:
            if typed is None:
                return prompt.loop()
            prompt.echo(typed)
            with contextlib.suppress(KeyboardInterrupt) if go_on else contextlib.nullcontext():
                status = prompt.enter(typed)
            if go_on:
                prompt.loop()
            return 0 if go_on else status
    except NotText as error:
        screen.say("unreadable", encoding=error.encoding)
        return 2
    except KeyboardInterrupt:
        print()
        screen.say("stopped_and_left")
        return 0 if go_on else 128 + signal.SIGINT


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Leave on a signal, such as that of a terminal that is closed, by way of the end that stops the bot."""
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)


@contextlib.contextmanager
def _sandbox(screen: Screen, keyboard: Keyboard) -> Iterator[Prompt]:
    api = Api("sandbox-key", secrets.token_hex(16))
    for identifier, name, parent in (group for groups in sentences()["account"].values() for group in groups):
        api.add(name, parent, identifier)
    screen.say("introduction")
    print(flush=True)
    _use_proxies({})
    with _bot(api, {}, screen, keyboard) as prompt, api:  # which ends first, so that nobody waits for its silence
        yield prompt


@contextlib.contextmanager
def _live(screen: Screen, keyboard: Keyboard) -> Iterator[Prompt]:
    environ = settings.environment()
    chosen = settings.read(environ, slack=False)
    screen.say("live", url=chosen.api_url, key=f"{chosen.api_key[:4]}…")
    print(flush=True)
    _use_proxies(environ)
    ours = {name: value for name, value in environ.items() if name.startswith("ILETIMERKEZI_")}
    with _bot(None, ours, screen, keyboard) as prompt:
        yield prompt


def _use_proxies(environ: Mapping[str, str]) -> None:
    """Reach the real API through the proxies of these variables, and this machine through none."""
    proxies = {name: value for name, value in environ.items() if name.lower().endswith("_proxy")}
    around = proxies.get("no_proxy") or proxies.get("NO_PROXY") or ""
    around = around if around.strip() == "*" else ",".join(filter(None, [around, "127.0.0.1,localhost"]))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    os.environ.update({**proxies, "no_proxy": around, "NO_PROXY": around})


@contextlib.contextmanager
def _bot(api: Api | None, more: Mapping[str, str], screen: Screen, keyboard: Keyboard) -> Iterator[Prompt]:
    with tempfile.TemporaryDirectory(prefix="addgroup-") as folder, Workspace(secrets.token_hex(16)) as workspace:
        workspace.locales.update(LOCALES)
        bot = Bot({**variables(workspace, api), "DATABASE_URL": f"sqlite:///{folder}/journal.db", **more})
        bot.start()
        try:
            yield Prompt(workspace, api, bot, screen, keyboard)
        finally:
            try:
                bot.stop(LEAVE)
            except KeyboardInterrupt:  # a second Ctrl-C does not want to wait
                shutil.rmtree(folder)
                os._exit(128 + signal.SIGINT)

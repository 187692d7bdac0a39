"""A person at the console, in the test's own process."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from bot.sandbox.api import Api
from bot.sandbox.bot import Bot
from bot.sandbox.keyboard import Keyboard
from bot.sandbox.prompt import Prompt
from bot.sandbox.screen import LOCALES, Screen
from bot.sandbox.workspace import Workspace


@pytest.fixture
def person(
    start: Callable[..., Bot], workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Prompt]:
    """Return a prompt whose lines come from a pipe."""
    bot = start()
    workspace.locales.update(LOCALES)

    def at_prompt(piped: str = "", language: str = "en") -> Prompt:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped.encode()), "utf-8"))
        return Prompt(workspace, api, bot, Screen(language), Keyboard())

    return at_prompt

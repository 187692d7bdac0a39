"""The language that people choose: by the command, or by the button under the help."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from bot.journal import JournalError
from bot.journal.journal import Journal
from bot.slack.texts import load, say
from tests.support.provider import Api
from tests.support.slack import Start, answers, seen, told
from tests.support.texts import part
from tests.support.workspace import Workspace


def test_a_choice_holds_everywhere_and_after_a_restart(start: Start, workspace: Workspace) -> None:
    """The answer confirms it in the new language; jobs, help and another process follow, until it is taken back.

    The button under the help is labelled in the other language, and works in both directions.
    """
    here, there = start().url, start().url
    choices = (("language tr", "chosen", "tr"), ("dil auto", "automatic", "en"))
    for number, (typed, key, language) in enumerate(choices, 1):
        workspace.command(here, typed)
        assert told(workspace, say(language, f"language.{key}")), typed
        workspace.command(here, f"Acme {number}")
        assert part(language, "created.heading") in answers(workspace, number)[-1].text, typed
    for language, other in (("en", "tr"), ("tr", "en")):
        reply = workspace.command(there, "help")
        shown = seen(reply) if reply.text else told(workspace, load(language)["help.text"].splitlines()[0])
        assert [button["text"]["text"] for button in shown.buttons] == [{"en": "English", "tr": "Türkçe"}[other]]
        heard = len(workspace.private())
        workspace.press(there, shown, "language")
        assert workspace.wait_for(lambda: len(workspace.private()) > heard)  # noqa: B023  # called at once
        assert workspace.private()[-1].text.startswith(say(other, "language.chosen"))


def test_where_the_settings_fix_the_language_the_answer_says_so(url: str, workspace: Workspace) -> None:
    """The choice counts only in `auto`."""
    workspace.command(url, "language tr")
    assert told(workspace, say("en", "language.fixed"))


def test_a_choice_that_cannot_be_kept_is_told(
    start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person reads it in the language that they have."""
    url = start().url

    def fail(_journal: Journal, _user: str, _language: str) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(Journal, "choose_language", fail)
    workspace.command(url, "language tr")
    assert told(workspace, say("en", "language.failed"))


def test_a_choice_that_cannot_be_read_counts_as_none(
    start: Start, workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """A command is answered although the table of languages fails."""
    url = start().url
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as connection:
        connection.execute("DROP TABLE languages")
    workspace.command(url, "VIP")
    assert answers(workspace, 1)[0].text.startswith("✓ ")
    assert api.made() == 1

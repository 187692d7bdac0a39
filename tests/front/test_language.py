"""The language that people choose: by the command, or by the button under the help."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from bot.journal import JournalError
from bot.journal.journal import Journal
from bot.sandbox.api import Api
from bot.slack.texts import load, say
from tests.support.slack import Start, answers, seen, told
from tests.support.workspace import Workspace


def test_a_choice_holds_everywhere_and_after_a_restart(start: Start, workspace: Workspace) -> None:
    """The answer confirms it in the new language; jobs, help and another process follow, until it is taken back."""
    here, there = start().url, start().url
    workspace.command(here, "Before")
    assert answers(workspace, 1)[0].text.startswith("✓ ")
    assert workspace.command(here, "language tr").text == ""
    assert told(workspace, say("tr", "language.chosen"))
    workspace.command(here, "Sonra")
    assert answers(workspace, 2)[1].text.startswith("✓ ")
    workspace.command(there, "help")
    assert told(workspace, load("tr")["help.text"].splitlines()[0])
    workspace.command(here, "dil auto")
    assert told(workspace, say("en", "language.automatic"))
    workspace.command(here, "After")
    assert answers(workspace, 3)[2].text.startswith("✓ ")


def test_the_button_under_the_help_switches(start: Start, workspace: Workspace) -> None:
    """It is labelled in the other language, and works in both directions."""
    url = start().url
    workspace.command(url, "help")
    english = told(workspace, load("en")["help.text"].splitlines()[0])
    assert [button["text"]["text"] for button in english.buttons] == ["Türkçe"]
    workspace.press(url, english, "language")
    assert told(workspace, say("tr", "language.chosen"))
    reply = workspace.command(url, "yardım")
    turkish = seen(reply) if reply.text else told(workspace, load("tr")["help.text"].splitlines()[0])
    assert [button["text"]["text"] for button in turkish.buttons] == ["English"]
    workspace.press(url, turkish, "language")
    assert told(workspace, say("en", "language.chosen"))


def test_where_the_settings_fix_the_language_the_answer_says_so(start: Start, workspace: Workspace) -> None:
    """The choice counts only in `auto`."""
    workspace.command(start(ADDGROUP_LANGUAGE="en").url, "language tr")
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

"""The journal fails: what cannot be written down is not done, and what was done is told."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

from bot.sandbox.api import Api
from bot.slack.texts import say
from tests.support.texts import part
from tests.support.worker import (
    Logged,
    Outage,
    Start,
    answer,
    both_languages,
    finished,
    locked,
)
from tests.support.workspace import Workspace


@both_languages
def test_what_cannot_be_written_down_is_not_done(
    start: Start, database_url: str, outage: Outage, workspace: Workspace, api: Api, language: str
) -> None:
    """The sender is told privately that nothing was created, the API is not called, and afterwards all is well."""
    url = start(DATABASE_URL=database_url, ADDGROUP_LANGUAGE=language).url
    with outage():
        reply = workspace.command(url, "VIP")
        assert reply.status == 200
        assert reply.text.startswith(say(language, "failure.journal"))
    workspace.command(url, "VIP")
    assert finished(workspace)
    assert len(workspace.roots()) == 1
    assert api.made() == 1


def test_a_locked_file_does_not_delay_the_acknowledgement(start: Start, workspace: Workspace, tmp_path: Path) -> None:
    """Ten people at once hear within Slack's three seconds that nothing was created."""
    url = start(ADDGROUP_LANGUAGE="en").url

    def ask(number: int) -> tuple[str, bool]:
        began = time.monotonic()
        try:
            text = workspace.command(url, f"G{number}").text
        except requests.RequestException as error:
            text = repr(error)
        return text, time.monotonic() - began < 3

    with locked(tmp_path / "journal.db"), ThreadPoolExecutor(10) as pool:
        told = [(text.startswith(say("en", "failure.journal")), soon) for text, soon in pool.map(ask, range(10))]
        assert told == [(True, True)] * 10


def test_a_group_made_while_the_journal_is_away_is_told_as_made(
    start: Start, database_url: str, outage: Outage, workspace: Workspace, api: Api, logged: Logged
) -> None:
    """What the API answered is written down as soon as the database is back."""
    with contextlib.ExitStack() as stack:
        api.mood = lambda: stack.enter_context(outage()) if api.calls[-1][0] == "add-group" else None
        workspace.command(start(DATABASE_URL=database_url).url, "VIP")
        assert logged.wait_for("journal_failed")
    assert finished(workspace)
    (root,) = workspace.roots()
    assert part("en", "created.heading") in answer(workspace, root)
    assert api.made() == 1

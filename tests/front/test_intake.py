"""The door to the journal: what is told when it is not known, or not possible, that a command was written down."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.journal import Unsure, accepting
from bot.journal.database import Database
from bot.journal.journal import Journal
from bot.model.job import Job, Step
from bot.slack.texts import load
from tests.support.provider import Api
from tests.support.slack import Start, answered, code_of, seen, told
from tests.support.workspace import Workspace


@pytest.mark.parametrize(("written", "language"), [(False, "en"), (True, "tr")])
def test_what_is_not_known_is_told_as_not_known(
    url: str, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch, language: str, written: bool
) -> None:
    """Not as "nothing was created": where it was written, the answer comes in the channel, once."""
    writing = Database.writing

    @contextlib.contextmanager
    def broken(database: Database) -> Iterator[Connection]:
        with writing(database) as connection:
            yield connection
            if not written:
                raise Unsure("the connection broke")
        raise Unsure("the connection broke")

    with monkeypatch.context() as breaking:
        breaking.setattr(Database, "writing", broken)
        message = seen(workspace.command(url, "VIP"))
    assert message.text.startswith(load(language)["failure.unsure"])
    assert code_of(message) == "/addgroup VIP"
    workspace.command(url, "Another")
    assert answered(workspace, "Another")
    if written:
        assert answered(workspace, "VIP")
    assert api.made() == 1 + written
    assert len(workspace.roots()) == 1 + written


def test_who_has_too_many_waiting_is_told(
    start: Start, workspace: Workspace, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the number of their own; somebody else is served."""
    monkeypatch.setattr(accepting, "MOST_OPEN_EACH", 1)
    go = api.gates["add-group"] = threading.Event()
    url = start(ADDGROUP_LANGUAGE="tr").url
    workspace.command(url, "A")
    assert api.called.wait(30)
    assert workspace.command(url, "B").text.startswith(load("tr")["failure.busy_own"].format(count=1))
    assert workspace.command(url, "C", user="U2").text == ""
    go.set()
    assert answered(workspace, "A")
    assert answered(workspace, "C")


def test_a_button_that_has_nothing_to_do_starts_nothing(url: str, workspace: Workspace, api: Api) -> None:
    """Forged, or from a message of before: the person is told, and everything goes on working."""
    workspace.command(url, "VIP")
    assert answered(workspace, "VIP")
    answer = next(m for m in workspace.messages if m.thread_ts)
    for number, action in enumerate(("again", "look", "anyway", "confirm"), 1):
        answer.buttons[0]["action_id"] = action
        workspace.press(url, answer, action, user=f"U{number}")
        assert told(workspace, load("en")["button.nothing_left"], f"U{number}")
    assert api.made() == 1


def test_a_damaged_row_stops_nothing(
    start: Start, workspace: Workspace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Commands, answers and the history of the other jobs go on; the damaged one is logged."""
    with contextlib.closing(Journal(f"sqlite:///{tmp_path}/journal.db")) as book:
        book.open()
        book.accept(Job("U1", "C1", "1.1", "bad", [Step(0, "bad")]))
    with contextlib.closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as connection:
        connection.execute("UPDATE steps SET outcome = 'half {'")
    url = start(ADDGROUP_LANGUAGE="en").url
    workspace.command(url, "good")
    assert answered(workspace, "good")
    assert "outcome_unreadable" in caplog.text
    workspace.command(url, "history")
    assert workspace.wait_for(lambda: any("good" in m.text for m in workspace.private()))

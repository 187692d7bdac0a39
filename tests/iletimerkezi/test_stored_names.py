"""Names that the provider stores in another form than they were given."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.journal.database import connect
from bot.journal.history import entries
from bot.sandbox.api import Api
from bot.slack.mrkdwn import as_typed
from bot.slack.texts import say
from tests.support.workspace import Workspace


def test_names_that_were_escaped_are_found(start: Callable[..., Any], workspace: Workspace, api: Api) -> None:
    """As a parent, and as a group that is there already, though the account has them with HTML's escapes."""
    api.add("R&amp;D", identifier="7")
    api.add("Ali&#039;s", "7", identifier="8")
    running = start()
    for number, typed in enumerate(('"R&D"', '"VIP" parent="R&D"', '"Ali\'s" parent="R&D"'), 1):
        workspace.command(running.url, typed)
        assert workspace.finished(number), typed
    assert [group.name for group in api.groups.values()] == ["Customers", "R&amp;D", "Ali&#039;s", "VIP"]
    assert api.groups["97101"].parent == "7"


def test_a_name_that_was_stored_otherwise_is_kept(
    start: Callable[..., Any], workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """Cut or escaped: the history has the name that the provider answered with; where it is the same, nothing."""
    running = start(ADDGROUP_LANGUAGE="en")
    changes: list[tuple[Callable[[str], str], str]] = [
        (html.escape, '"R&D"'),
        (lambda n: n[:5], "Kampanya"),
        (str, "VIP"),
    ]
    for number, (change, typed) in enumerate(changes, 1):
        api.stored = change
        workspace.command(running.url, typed)
        assert workspace.finished(number)
        answer = next(m for m in workspace.messages if m.is_answer and f"ID `{97100 + number}`" in m.text)
        stored = as_typed(api.groups[str(97100 + number)].name)
        assert (say("en", "created.stored.finding", stored=stored) in answer.text) is (change is not str)
    engine = connect(f"sqlite:///{tmp_path}/journal.db")
    assert [entry.steps[0].reason for entry in entries(engine)] == ["", "stored as Kampa", "stored as R&amp;D"]
    engine.dispose()

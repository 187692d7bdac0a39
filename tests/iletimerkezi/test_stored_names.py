"""Names that the provider stores in another form than they were given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.sandbox.api import Api
from bot.sandbox.workspace import Workspace


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

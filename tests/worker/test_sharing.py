"""Sharing the worker: one person's many trees leave room for others, and do not need a thread for every group."""

from __future__ import annotations

import threading

from bot.sandbox.api import Api
from tests.support.worker import Start
from tests.support.workspace import Workspace

TREES, LINES = 40, 12


def test_many_trees_of_one_person_leave_room_for_others(start: Start, workspace: Workspace, api: Api) -> None:
    """Somebody else's single group is answered while most of the trees still wait; the threads are few."""
    api.delay = 0.1
    url = start(ADDGROUP_LANGUAGE="en").url
    before = threading.active_count()
    for tree in range(TREES):
        workspace.command(url, "\n".join(f"T{tree}-{line}" for line in range(LINES)), user="U1")
    workspace.command(url, "Single", user="U2", channel="C2")
    assert workspace.wait_for(lambda: any(m.channel == "C2" and m.thread_ts for m in workspace.messages), 30)
    threads, made = threading.active_count() - before, api.made()
    assert made < TREES * LINES / 2
    assert threads < 120
    assert workspace.finished(TREES + 1, 60)
    assert api.made() == TREES * LINES + 1

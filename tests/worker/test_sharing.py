"""Sharing the worker: one person's many trees leave room for others, and do not need a thread for every group."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from bot.journal.journal import Journal
from bot.model.job import Job
from bot.sandbox.api import Api
from bot.sandbox.workspace import Workspace
from tests.support.worker import Start

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


def test_who_waits_for_a_thread_gets_the_next_one(
    start: Start, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and not when the journal is looked through the next time; also when threads get free during a claim."""
    claim = Journal.claim

    def slow_claim(journal: Journal, *what: Any, **how: Any) -> list[Job]:
        claimed = claim(journal, *what, **how)
        time.sleep(0.2)
        return claimed

    monkeypatch.setattr(Journal, "claim", slow_claim)
    monkeypatch.setattr("bot.worker.pool.POLL", 60.0)
    url = start(ADDGROUP_LANGUAGE="en").url
    for number in range(40):
        workspace.command(url, f"G{number}", channel=f"C{number}")
    assert workspace.finished(40, 20)

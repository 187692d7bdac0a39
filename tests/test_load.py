"""Load: a real `serve` process under more commands than it can carry at once."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from bot.sandbox.api import Api
from bot.slack.texts import say
from tests.support.served import Served
from tests.support.slack import answered
from tests.support.workspace import Workspace

COMMANDS = 100


@pytest.fixture
def served(workspace: Workspace, api: Api, tmp_path: Path) -> Iterator[Served]:
    """Serve with room for fewer calls to the API at once than there will be commands."""
    served = Served(workspace, api, tmp_path, ADDGROUP_LANGUAGE="en", ADDGROUP_API_CALLS="50")
    yield served
    served.kill()


def test_a_hundred_at_once(served: Served, workspace: Workspace, api: Api) -> None:
    """While each call takes two seconds: everybody is acknowledged within Slack's three, and gets one group."""
    api.delay = 2.0
    barrier = Barrier(COMMANDS)

    def send(number: int) -> float:
        barrier.wait(10)
        began = time.monotonic()
        reply = workspace.command(served.url, f"G{number}", user=f"U{number}", channel=f"C{number % 10}")
        assert (reply.status, reply.text) == (200, "")
        return time.monotonic() - began

    with ThreadPoolExecutor(COMMANDS) as pool:
        slowest = max(pool.map(send, range(COMMANDS)))
    print(f"\nslowest acknowledgement of {COMMANDS} at once: {slowest * 1000:.0f} ms")  # noqa: T201  # for who reads it
    assert slowest < 3, "Slack would have told the person that it failed"
    assert workspace.wait_for(lambda: sum(m.outcome == "created" for m in workspace.messages) == COMMANDS, 60)
    assert sorted(group.name for group in api.groups.values() if group.id != "5") == sorted(
        f"G{number}" for number in range(COMMANDS)
    )
    assert api.made() == COMMANDS
    assert served.stop() == 0
    assert sum(bool(m.thread_ts) for m in workspace.messages) == COMMANDS


def test_a_locked_journal_refuses_everybody_truly(
    served: Served, workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """More people than there are threads ask while another program writes: nothing of it is created, even later."""

    def send(number: int) -> str:
        return workspace.command(served.url, f"G{number}", user=f"U{number}").text

    with contextlib.closing(sqlite3.connect(tmp_path / "addgroup.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with ThreadPoolExecutor(COMMANDS) as pool:
            told = list(pool.map(send, range(COMMANDS)))
        other.execute("ROLLBACK")
    assert all(say("en", "failure.journal") in text for text in told)
    workspace.command(served.url, "Last")
    assert answered(workspace, "Last")
    assert api.made() == 1

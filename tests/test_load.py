"""Load: a real `serve` process under more commands than it can carry at once.

How long an acknowledgement takes depends on the machine: the benchmark's row `burst` measures it.
"""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.slack.texts import say
from tests.support.program import BOT
from tests.support.provider import Api
from tests.support.served import Served
from tests.support.slack import answered
from tests.support.until import until
from tests.support.workspace import Workspace

COMMANDS = 100


@pytest.fixture
def served(workspace: Workspace, api: Api, tmp_path: Path) -> Iterator[Served]:
    """Serve with room for fewer calls to the API at once than there will be commands."""
    more = {"ADDGROUP_LANGUAGE": "en", "ADDGROUP_API_CALLS": "50", "ILETIMERKEZI_TIMEOUT": "120"}
    served = Served(workspace, api, tmp_path, BOT, **more)
    yield served
    served.kill()


def at_once(workspace: Workspace, served: Served) -> dict[str, str]:
    """Let a hundred people ask for a group at the same moment, and return what each was told, by the group's name."""
    start = threading.Barrier(COMMANDS)

    def send(number: int) -> str:
        start.wait(60)
        reply = workspace.command(served.url, f"G{number}", user=f"U{number}", channel=f"C{number % 10}")
        assert reply.status == 200
        return reply.text

    with ThreadPoolExecutor(COMMANDS) as pool:
        return dict(zip([f"G{number}" for number in range(COMMANDS)], pool.map(send, range(COMMANDS)), strict=True))


def test_a_hundred_at_once(served: Served, workspace: Workspace, api: Api) -> None:
    """While no call to the API comes back, everybody is acknowledged, and what they are told is true.

    A machine that is too slow to write all commands down in time refuses some: those make no group, the others one.
    """
    go = api.gates["add-group"] = threading.Event()
    told = at_once(workspace, served)
    asked = {name for name, text in told.items() if not text}
    maybe = {name for name, text in told.items() if say("en", "failure.unsure") in text}
    refused = {name for name, text in told.items() if say("en", "failure.journal") in text}
    assert asked | maybe | refused == set(told)
    go.set()
    until(lambda: not workspace.command(served.url, "Last").text)
    asked.add("Last")

    def settled() -> bool:
        return asked <= {m.text.split("`")[1] for m in workspace.messages if m.outcome == "created"}

    assert workspace.wait_for(settled, 120), [m.text for m in workspace.messages]
    assert served.stop() == 0
    made = [group.name for group in api.groups.values() if group.id != "5"]
    assert len(set(made)) == len(made) == api.made()
    assert asked <= set(made) <= asked | maybe
    assert sum(bool(m.thread_ts) for m in workspace.messages) == len(made)


def test_a_locked_journal_refuses_everybody_truly(
    served: Served, workspace: Workspace, api: Api, tmp_path: Path
) -> None:
    """More people than there are threads ask while another program writes: nothing of it is created, even later."""
    with contextlib.closing(sqlite3.connect(tmp_path / "addgroup.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        told = at_once(workspace, served)
        other.execute("ROLLBACK")
    assert all(say("en", "failure.journal") in text for text in told.values()), told
    until(lambda: not workspace.command(served.url, "Last").text)
    assert answered(workspace, "Last")
    assert api.made() == 1

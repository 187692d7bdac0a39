"""A whole bot in a channel with Slack's limit: everybody is answered, and Slack has to refuse little."""

from collections.abc import Callable

import pytest

from bot.sandbox.bot import Bot
from tests.support.workspace import Workspace

COMMANDS = 20


def test_commands_at_once_come_through_a_limited_channel(
    start: Callable[..., Bot], workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its root and its answer, Slack refuses less than once a message, and another channel waits for nothing.

    Anyone who has a root gets the answer next: nobody waits until all the others have their roots. The benchmark
    `limits` holds the refusals to one in four; here the machine may be too busy for that.
    """
    monkeypatch.setattr("bot.slack.pace.FIRST_INTERVAL", 0.1)
    workspace.limit("C1", per_second=10, burst=5)
    bot = start(ADDGROUP_LANGUAGE="en")
    for number in range(COMMANDS):
        workspace.command(bot.url, f"G{number}")
        if number == COMMANDS // 2:
            workspace.command(bot.url, "Elsewhere", channel="C2")
    assert workspace.wait_for(lambda: sum(bool(m.thread_ts) for m in workspace.messages) == COMMANDS + 1, 60)
    first = [message.channel for message in workspace.messages if message.thread_ts].index("C2")
    assert first < COMMANDS
    assert len(workspace.roots("C1")) == COMMANDS
    assert workspace.refusals["C1"] < 2 * COMMANDS
    assert not workspace.refusals["C2"]
    open_roots = [0]
    for message in (message for message in workspace.messages if message.channel == "C1"):
        open_roots.append(open_roots[-1] + (-1 if message.thread_ts else 1))
    assert max(open_roots) <= COMMANDS // 2

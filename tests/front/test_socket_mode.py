"""Socket Mode: a real `serve` process that connects to Slack's stand-in."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.front import socket_mode as socketmode
from bot.sandbox.api import Api
from bot.sandbox.link import Link, link
from bot.sandbox.process import Served, variables
from bot.sandbox.workspace import Workspace
from tests.test_serve import serve


@pytest.fixture
def slack(workspace: Workspace) -> Iterator[Link]:
    with link(workspace) as end:
        yield end


def start(workspace: Workspace, api: Api, directory: Path) -> Served:
    return Served(workspace, api, directory, SLACK_APP_TOKEN="xapp-sandbox", SLACK_SIGNING_SECRET="")


def command(workspace: Workspace, text: str, trigger: str = "1.1") -> dict[str, Any]:
    return {
        "command": "/addgroup",
        "text": text,
        "user_id": "U1",
        "channel_id": "C1",
        "team_id": "T1",
        "trigger_id": trigger,
        "response_url": f"{workspace.url}/response/U1/C1/1",
    }


def test_a_command_is_acknowledged_and_carried(workspace: Workspace, api: Api, slack: Link, tmp_path: Path) -> None:
    """Without a public address and a signing secret; HTTP has the health check alone; twice delivered is once."""
    served = start(workspace, api, tmp_path)
    assert slack.connected()
    for envelope in ("e1", "e2"):
        slack.send(envelope, command(workspace, "my payload team"))
        assert slack.acked(envelope) == {}
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    slack.send("e3", command(workspace, "VIP paernt=5", "1.2"))
    assert slack.acked("e3") == {}
    assert workspace.wait_for(lambda: any("paernt" in m.text for m in workspace.messages if m.private_to))
    assert requests.get(f"{served.url}/healthz", timeout=5).status_code == 200
    assert requests.post(f"{served.url}/slack/events", timeout=5).status_code == 404
    assert served.stop() == 0
    assert api.made() == 1


def test_a_dropped_connection_is_opened_again(workspace: Workspace, api: Api, slack: Link, tmp_path: Path) -> None:
    """Slack refreshes connections every few hours; the bot comes back by itself."""
    served = start(workspace, api, tmp_path)
    assert slack.connected()
    slack.drop()
    assert slack.connected(times=2)
    slack.send("e1", command(workspace, "VIP"))
    assert slack.acked("e1") == {}
    assert served.stop() == 0


def test_the_connection_is_closed_before_the_calls_are_waited_for(
    workspace: Workspace, api: Api, slack: Link, tmp_path: Path
) -> None:
    """SIGTERM: nothing more is taken, and the call under way is finished and answered."""
    api.delay = 0.5
    served = start(workspace, api, tmp_path)
    assert slack.connected()
    slack.send("e1", command(workspace, "VIP"))
    assert slack.acked("e1") == {}
    assert api.called.wait(10)
    assert served.stop(signal.SIGTERM) == 0
    assert any(m.outcome == "created" and m.thread_ts for m in workspace.messages)


def test_a_connection_that_stays_lost_ends_the_process(
    workspace: Workspace, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while the process ends with status 1 and a word in the log, for its supervisor to start it anew."""
    (tmp_path / "sitecustomize.py").write_text("import bot.socketmode\nbot.socketmode.LOST_AFTER = 2.0\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{Path(__file__).parents[2]}")
    with link(workspace) as slack:
        served = start(workspace, api, tmp_path)
        assert slack.connected()
        workspace.faults["apps.connections.open"].extend(["internal_error"] * 1000)
        slack.drop()
        assert served.process.wait(40) == 1
    assert "event=socket_lost" in served.log.read_text()
    assert socketmode.LOST_AFTER == 60


def test_an_app_token_that_slack_refuses_ends_the_start(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 2, the name of the variable and Slack's word for it."""
    ended = serve(tmp_path, {**variables(workspace, api), "SLACK_APP_TOKEN": "xapp-wrong", "SLACK_SIGNING_SECRET": ""})
    assert ended.returncode == 2
    assert "SLACK_APP_TOKEN: invalid_auth" in ended.stderr

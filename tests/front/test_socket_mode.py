"""Socket Mode: a real `serve` process that connects to Slack's stand-in."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from bot.front import socket_mode
from bot.sandbox.api import Api
from bot.sandbox.bot import variables
from tests.support.link import Link, link
from tests.support.program import PATIENT, run_to_end
from tests.support.relay import relay
from tests.support.served import Served, inherited
from tests.support.until import until
from tests.support.workspace import Workspace

Start = Callable[..., Served]


@pytest.fixture
def slack(workspace: Workspace) -> Iterator[Link]:
    with link(workspace) as end:
        yield end


@pytest.fixture
def start(workspace: Workspace, api: Api, tmp_path: Path) -> Iterator[Start]:
    """Start the bot in Socket Mode; keyword arguments are other values for the module's times."""
    started: list[Served] = []

    def _start(**changes: float) -> Served:
        lines = [f"socket_mode.{name} = {value}" for name, value in changes.items()]
        code = "\n".join(["from bot.front import socket_mode", *lines, PATIENT])
        environ = {"SLACK_APP_TOKEN": "xapp-sandbox", "SLACK_SIGNING_SECRET": ""}
        started.append(Served(workspace, api, tmp_path, code, **environ))
        return started[-1]

    yield _start
    for served in started:
        served.kill()


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


def typed(text: str) -> dict[str, Any]:
    """Return what Slack sends when somebody types into the form's menu of parents."""
    return {
        "type": "block_suggestion",
        "user": {"id": "U1", "team_id": "T1"},
        "team": {"id": "T1"},
        "view": {"private_metadata": json.dumps({"channel": "C1"})},
        "action_id": "parent",
        "block_id": "parent",
        "value": text,
    }


def logged(served: Served, part: str) -> str:
    """Wait until a line of the log holds this, and return that line."""

    def lines() -> list[str]:
        return [line for line in served.log.read_text().splitlines() if part in line]

    return until(lines, failed=served.log.read_text)[0]


def health(served: Served) -> int:
    return requests.get(f"{served.url}/healthz", timeout=30).status_code


def test_a_command_is_acknowledged_and_carried(workspace: Workspace, api: Api, slack: Link, start: Start) -> None:
    """Without a public address and a signing secret; HTTP has the health check alone; twice delivered is once."""
    served = start()
    assert slack.connected()
    for envelope in ("e1", "e2"):
        slack.send(envelope, command(workspace, "The payload team"))
        assert slack.acked(envelope) == {}
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    slack.send("e3", command(workspace, "VIP paernt=5", workspace.trigger()))
    assert slack.acked("e3") == {}
    assert workspace.wait_for(lambda: bool(workspace.forms))
    assert health(served) == 200
    assert requests.post(f"{served.url}/slack/events", timeout=30).status_code == 404
    assert served.stop() == 0
    assert api.made() == 1
    assert slack.codes == [1000]
    assert "Traceback" not in served.log.read_text()


@pytest.mark.parametrize(("number", "reason"), [(signal.SIGKILL, "no close frame"), (signal.SIGSTOP, "ping timeout")])
def test_a_peer_that_dies_or_falls_silent_is_noticed(
    workspace: Workspace, slack: Link, start: Start, number: signal.Signals, reason: str
) -> None:
    """The health check fails until there is another connection, and the log has a line for both."""
    address = workspace.socket_url
    with relay(urlsplit(address).port or 0) as (port, process):
        workspace.socket_url = f"ws://127.0.0.1:{port}/"
        served = start(PING=1.0, LONGEST_PAUSE=0.1)
        assert 2 * socket_mode.PING < 10
        logged(served, "event=socket_connected")
        workspace.faults["apps.connections.open"].extend(["internal_error"] * 1000)
        process.send_signal(number)
        assert reason in logged(served, "event=socket_lost")
        until(lambda: health(served) == 503)
        assert "reason=internal_error" in logged(served, "event=socket_not_connected")
        workspace.socket_url = address
        workspace.faults["apps.connections.open"].clear()
    until(lambda: health(served) == 200)
    slack.drop()
    assert logged(served, "received 1000 (OK)")
    assert slack.connected(times=3)
    slack.send("e1", command(workspace, "VIP"))
    assert slack.acked("e1") == {}
    assert served.stop() == 0


def test_a_stop_at_once_after_a_refresh_is_clean(workspace: Workspace, slack: Link, start: Start) -> None:
    """Both connections are closed, and there is no traceback."""
    served = start()
    assert slack.connected()
    slack.disconnect("warning")
    assert served.stop(signal.SIGINT) == 0
    assert slack.left()
    log = served.log.read_text()
    assert not any(part in log for part in ("Traceback", "socket_lost"))
    assert log.count("event=stopped") == 1


@pytest.mark.parametrize("fault", ["internal_error", "link_disabled"])
def test_a_connection_that_stays_lost_ends_the_process(
    workspace: Workspace, slack: Link, start: Start, fault: str
) -> None:
    """After a while the process ends with status 1 and a word in the log, so that its supervisor starts it again."""
    served = start(LOST_AFTER=2.0, STEADY=0.5)
    assert slack.connected()
    if fault == "internal_error":
        workspace.faults["apps.connections.open"].extend([fault] * 1000)
        slack.drop()
    else:
        slack.refuses = fault
        slack.disconnect(fault)
    assert served.process.wait() == 1
    log = served.log.read_text()
    assert "event=socket_given_up" in log
    assert f"event=socket_not_connected reason={fault}" in log
    assert log.count("event=socket_not_connected") < 8
    assert socket_mode.LOST_AFTER == 60


def test_an_app_token_that_slack_refuses_ends_the_start(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 2, the name of the variable and Slack's word for it."""
    wrong = {"SLACK_APP_TOKEN": "xapp-wrong", "SLACK_SIGNING_SECRET": ""}
    ended = run_to_end("serve", cwd=tmp_path, env={**inherited(), **variables(workspace, api), **wrong})
    assert ended.returncode == 2
    assert "SLACK_APP_TOKEN: invalid_auth" in ended.stderr


# Suggestions: the longest answers that there are.


@pytest.mark.parametrize("letters", ["ğüşıöçĞÜŞİÖÇ", "🎉"])
def test_suggestions_of_long_names_fit_into_a_frame(
    workspace: Workspace, api: Api, slack: Link, start: Start, letters: str
) -> None:
    """As many groups as fit are offered, the typed id in any case, and the connection stays."""
    for number in range(105):
        api.add((letters * 60)[:60] + f" {number}", identifier=str(1000 + number))
    served = start()
    assert slack.connected()
    slack.send("e1", typed(""), kind="interactive")
    answer = slack.acked("e1")
    assert answer
    assert 20 < len(answer["options"]) <= 100
    slack.send("e2", typed("1"), kind="interactive")
    answer = slack.acked("e2")
    assert answer
    assert answer["options"][-1]["value"] == "id:1"
    assert max(slack.frames) <= 20_000
    assert "socket_lost" not in served.log.read_text()
    assert served.stop() == 0

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
from bot.sandbox.bot import variables
from tests.support.link import Link, command
from tests.support.program import PATIENT, run_to_end
from tests.support.provider import Api
from tests.support.relay import relay
from tests.support.served import Served, inherited
from tests.support.until import until
from tests.support.workspace import Workspace

Start = Callable[..., Served]


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


def typed(text: str) -> dict[str, Any]:
    """Return what Slack sends when somebody types into the form's menu of parents."""
    return {
        "type": "block_suggestion",
        "user": {"id": "U1", "team_id": "T1"},
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
        slack.send(envelope, command("The payload team"))
        assert slack.acked(envelope) == {}
    assert workspace.wait_for(lambda: any(m.outcome == "created" for m in workspace.messages))
    slack.send("e3", command("VIP paernt=5", trigger_id=workspace.trigger()))
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
    slack.send("e1", command("VIP"))
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


@pytest.mark.parametrize("way", ["internal_error", "link_disabled", "comes and goes"])
def test_a_connection_that_stays_lost_ends_the_process(
    workspace: Workspace, slack: Link, start: Start, way: str
) -> None:
    """After a while the process ends with status 1 and a word in the log, so that its supervisor starts it again.

    No new address, none but refused connections, or none that lasts after its hello; and never a storm of them.
    """
    served = start(LOST_AFTER=2.0, STEADY=0.5)
    assert slack.connected()
    if way == "internal_error":
        workspace.faults["apps.connections.open"].extend([way] * 1000)
        slack.drop()
    else:
        slack.refuses, slack.comes_and_goes = (way, False) if way == "link_disabled" else ("", True)
        slack.disconnect("link_disabled")
    assert served.process.wait() == 1
    log = served.log.read_text()
    failed = (
        f"event=socket_not_connected reason={way}" if "_" in way else "event=socket_lost reason=too_many_websockets"
    )
    assert 0 < log.count(failed) < 8
    assert log.count("event=socket_given_up") == 1
    assert socket_mode.LOST_AFTER == 60


def test_an_app_token_that_slack_refuses_ends_the_start(workspace: Workspace, api: Api, tmp_path: Path) -> None:
    """Exit status 2, the name of the variable and Slack's word for it."""
    wrong = {"SLACK_APP_TOKEN": "xapp-wrong", "SLACK_SIGNING_SECRET": ""}
    ended = run_to_end("serve", cwd=tmp_path, env={**inherited(), **variables(workspace, api), **wrong})
    assert ended.returncode == 2
    assert "SLACK_APP_TOKEN: invalid_auth" in ended.stderr


def test_suggestions_of_long_names_fit_into_a_frame(api: Api, slack: Link, start: Start) -> None:
    """The longest answers that there are: as many groups as fit, the typed id in any case; the connection stays."""
    for number in range(105):
        api.add(f"{'ğüşıöç🎉' * 8} {number}", identifier=str(1000 + number))
    served = start()
    assert slack.connected()
    options = []
    for text in ("", "1"):
        slack.send(f"e{text}", typed(text), kind="interactive")
        options.append((slack.acked(f"e{text}") or {})["options"])
    assert 20 < len(options[0]) <= 100
    assert options[1][-1]["value"] == "id:1"
    assert max(slack.frames) <= 20_000
    assert "socket_lost" not in served.log.read_text()
    assert served.stop() == 0

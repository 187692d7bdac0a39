"""The connection of Socket Mode by itself: what Slack's end may do to it, in this process."""

import base64
import json
import logging
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.front import socket_mode
from bot.front.socket_mode import Connection
from bot.model.job import TryLater
from bot.slack.client import SlackRefused
from tests.support.link import Link, link
from tests.support.relay import Proxy, proxy, relay
from tests.support.until import until
from tests.support.workspace import APP_TOKEN, Workspace

Opens = Callable[..., Connection]


class Listeners:
    """A Bolt app whose command answers with its own text; `held` keeps the one named "slow" from answering."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.slow = threading.Semaphore(0)
        self.app = App(
            client=WebClient("xoxb-1", base_url="http://127.0.0.1:9/"),
            authorize=lambda: AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1"),
            process_before_response=True,
            logger=logging.getLogger("slack_bolt"),
        )
        self.app.command("/addgroup")(self.command)

    def command(self, ack: Ack, command: dict[str, Any]) -> None:
        if command["text"] == "slow":
            self.slow.release()
            self.held.wait(60)
        if command["text"] == "fault":
            raise RuntimeError("a fault of the listener's")
        ack({"text": command["text"]}) if command["text"] else ack()  # in JSON, as the bot's


@pytest.fixture
def slack(workspace: Workspace) -> Iterator[Link]:
    with link(workspace) as end:
        yield end


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test wait between attempts to connect, nor lose what is under way to a machine under load."""
    monkeypatch.setattr(socket_mode, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(socket_mode, "_ACKNOWLEDGE", 60.0)


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    made = Listeners()
    yield made
    made.held.set()


@pytest.fixture
def opens(workspace: Workspace, listeners: Listeners) -> Iterator[Opens]:
    """Open a connection; `lost` and `open_url` as Connection takes them."""
    opened: list[Connection] = []

    def url() -> str:
        headers = {"Authorization": f"Bearer {APP_TOKEN}"}
        try:
            answer = requests.post(f"{workspace.url}/api/apps.connections.open", headers=headers, timeout=30)
        except requests.RequestException as error:  # the test is over
            raise TryLater("unreachable") from error
        return str(answer.json()["url"])

    def _opens(lost: Callable[[], None] = lambda: None, open_url: Callable[[], str] = url) -> Connection:
        opened.append(Connection(listeners.app, open_url, lost))
        opened[-1].open()
        return opened[-1]

    yield _opens
    for connection in opened:
        connection.close()


def command(text: str) -> dict[str, Any]:
    return {"command": "/addgroup", "text": text, "user_id": "U1", "channel_id": "C1", "team_id": "T1"}


def names(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "addgroup"]


def facts(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    return [record.__dict__["fields"] for record in caplog.records if record.message == name]


ACKNOWLEDGED: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("told", {"text": "told"}),
    ("\ud83c", {"text": "\ud83c"}),
    ("ş" * 3_000, {"text": "ş" * 3_000}),
]


def test_acknowledgements(slack: Link, opens: Opens, caplog: pytest.LogCaptureFixture) -> None:
    """A listener's words go with the acknowledgement where Slack takes any."""
    caplog.set_level(logging.DEBUG)
    opens()
    assert slack.connected()
    for number, (text, payload) in enumerate(ACKNOWLEDGED):
        slack.send(f"e{number}", command(text))
        assert slack.acked(f"e{number}") == payload, text[:9]
        slack.send(f"bare{number}", command(text), accepts_response_payload=False)
        assert slack.acked(f"bare{number}") == {}, text[:9]
    assert not [record for record in caplog.records if record.name.startswith("websockets.client")]


MEANINGLESS = ["[]", "null", '{"type": 1}', '{"type": "of another time"}', '{"envelope_id": "e", "payload": 1}']


def test_what_nobody_understands(slack: Link, opens: Opens, caplog: pytest.LogCaptureFixture) -> None:
    """It is passed over, or costs a connection where it is no JSON; a fault costs no other answer."""
    connection = opens()
    until(connection.connected)
    for text in MEANINGLESS:
        slack.say(text)
    slack.send("e1", {"type": "block_actions", "actions": 1, "user": 2})
    slack.send("e2", command("fault"))
    slack.send("e3", {**command("VIP"), "command": "/grup-ekle"})
    slack.send("e4", command("hello"))
    assert slack.acked("e4") == {"text": "hello"}
    until(lambda: "request_failed" in names(caplog))
    assert (slack.codes, {"e1", "e2", "e3"} & {*slack.acks}) == ([], set())
    slack.say(b"\xff\x00")
    assert slack.connected(times=2)


def test_a_slow_listener(slack: Link, opens: Opens, listeners: Listeners) -> None:
    """No acknowledgement waits for another, and a stop lets what is under way be acknowledged.

    It takes nothing more: what comes meanwhile stays without an answer, for Slack to send elsewhere.
    """
    connection = opens()
    until(connection.connected)
    slack.send("e1", command("slow"))
    assert listeners.slow.acquire(timeout=30)
    slack.send("e2", command("quick"))
    assert slack.acked("e2") == {"text": "quick"}
    closing = threading.Thread(target=connection.close)
    closing.start()
    until(lambda: not connection.connected())
    slack.send("e3", command("late"))
    assert not slack.left(seconds=0.3)
    listeners.held.set()
    closing.join(60)
    assert slack.left()
    assert slack.acks == {"e1": {"text": "slow"}, "e2": {"text": "quick"}}
    assert slack.codes == [1000]


@pytest.mark.parametrize("reason", ["warning", ""])
def test_the_next_connection_stands_before_the_old_one_is_left(
    slack: Link, opens: Opens, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    """Slack's refresh is no outage, and what it sends over either connection is answered."""
    caplog.set_level(logging.INFO)
    connection = opens()
    until(connection.connected)
    slack.disconnect(reason)
    assert slack.connected(times=2)
    assert not slack.left(1, seconds=0)
    for over in (0, 1):
        slack.send(f"e{over}", command("hello"), over=over)
        assert slack.acked(f"e{over}") == {"text": "hello"}
    assert facts(caplog, "socket_connected") == [{"connections": 1}, {"connections": 2}]
    assert "socket_lost" not in names(caplog)
    slack.drop()
    until(lambda: "socket_lost" in names(caplog))
    until(connection.connected)


def test_a_refresh_under_load_loses_nothing(slack: Link, opens: Opens, caplog: pytest.LogCaptureFixture) -> None:
    """While commands come without a pause, Slack replaces the connection again and again, and each is answered."""
    caplog.set_level(logging.INFO)
    until(opens().connected)
    for number in range(400):
        slack.send(f"e{number}", command(f"{number}"), over=-1 if number % 2 else 0)
        if number % 100 == 50:
            slack.disconnect("warning")
        elif number % 100 == 99:
            assert slack.connected(number // 100 + 2)
            until(lambda: names(caplog).count("socket_connected") == number // 100 + 2)  # noqa: B023  # called at once
    assert [slack.acked(f"e{number}") for number in range(400)] == [{"text": f"{number}"} for number in range(400)]
    assert not {"socket_lost", "socket_ack_not_sent"} & {*names(caplog)}


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled"])
def test_a_connection_that_slack_turns_off_is_lost(
    slack: Link, opens: Opens, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    """Before its hello or after: it is closed at once, and the next attempts come after pauses."""
    caplog.set_level(logging.INFO)
    connection = opens()
    until(connection.connected)
    slack.refuses = reason
    slack.disconnect(reason)
    until(lambda: len(facts(caplog, "socket_not_connected")) >= 2)
    assert not connection.connected()
    until(lambda: facts(caplog, "socket_lost") == [{"reason": reason}])
    assert all(fact == {"reason": reason} for fact in facts(caplog, "socket_not_connected"))
    slack.refuses = ""
    until(connection.connected)


def test_what_is_sent_again_is_answered(slack: Link, opens: Opens, listeners: Listeners) -> None:
    """A connection that dies before the acknowledgement: Slack sends the envelope again, and the next one answers."""
    connection = opens()
    until(connection.connected)
    slack.send("e1", command("slow"))
    assert listeners.slow.acquire(timeout=30)
    slack.die()
    assert slack.connected(times=2)
    assert listeners.slow.acquire(timeout=30)
    until(connection.connected)
    listeners.held.set()
    assert slack.acked("e1") == {"text": "slow"}
    until(lambda: len(slack.frames) == 2)  # the first one's too, over the connection that there is now


def test_a_connection_without_hello_does_not_count(
    slack: Link, opens: Opens, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up after a while, and another one is opened."""
    monkeypatch.setattr(socket_mode, "OPEN", 0.3)
    slack.greets = False
    connection = opens()
    until(lambda: {"reason": "TimeoutError"} in facts(caplog, "socket_not_connected"))
    assert not connection.connected()
    slack.greets = True
    until(connection.connected)
    until(lambda: bool(slack.codes))


def test_slacks_retry_after_is_kept(opens: Opens, caplog: pytest.LogCaptureFixture) -> None:
    """A rate limit is waited for as long as Slack says, and a refusal for a pause."""
    asked: list[float] = []
    errors = iter([TryLater("ratelimited", 0.5), *[SlackRefused("internal_error")] * 1000])

    def refuse() -> str:
        asked.append(time.monotonic())
        raise next(errors)

    connection = opens(open_url=refuse)
    until(lambda: len(asked) >= 3)
    assert asked[1] - asked[0] >= 0.5 > socket_mode.LONGEST_PAUSE
    assert not connection.connected()
    assert facts(caplog, "socket_not_connected")[0] == {"reason": "ratelimited"}


@pytest.mark.parametrize("address", ["", "http://127.0.0.1/", "ws://127.0.0.1:9/", "ws://["])
def test_an_address_that_leads_nowhere(opens: Opens, caplog: pytest.LogCaptureFixture, address: str) -> None:
    """It is logged by a word, without the address, and tried again."""
    opens(open_url=lambda: f"{address}?ticket=secret" if address else "")
    until(lambda: len(facts(caplog, "socket_not_connected")) >= 2)
    assert "secret" not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_storm_of_reconnects_leaves_nothing_behind(slack: Link, opens: Opens, workspace: Workspace) -> None:
    """After fifty connections that Slack drops at once there are no more threads and descriptors than after one."""
    connection = opens()

    def in_use() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    assert slack.connected()
    until(connection.connected)
    slack.send("e0", command("hello"))
    assert slack.acked("e0") == {"text": "hello"}
    before = in_use()
    for times in range(2, 52):
        slack.die()
        assert slack.connected(times)
    slack.send("e1", command("hello"))
    assert slack.acked("e1") == {"text": "hello"}
    until(lambda: in_use() <= (before[0] + 2, before[1] + 4))
    assert len([method for method, _ in workspace.calls if method == "apps.connections.open"]) == 51


def test_connections_that_come_and_go_count_as_lost(slack: Link, opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hello alone is no connection: after the same time the process is given up, and that once."""
    lost: list[float] = []
    connection = opens(lost=lambda: lost.append(time.monotonic()))
    until(connection.connected)
    monkeypatch.setattr(socket_mode, "LOST_AFTER", 0.5)
    slack.comes_and_goes = True
    slack.disconnect("too_many_websockets")
    until(lambda: bool(lost))
    until(lambda: "socket-mode" not in [thread.name for thread in threading.enumerate()])
    assert len(lost) == 1


def test_a_peer_that_takes_nothing_any_more_is_noticed(
    workspace: Workspace,
    slack: Link,
    opens: Opens,
    listeners: Listeners,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Although the acknowledgements fill all buffers, and one blocks before the pings."""
    monkeypatch.setattr(socket_mode, "PING", 1.0)
    with relay(urlsplit(workspace.socket_url).port or 0) as (port, process):
        workspace.socket_url = f"ws://127.0.0.1:{port}/"
        connection = opens()
        assert slack.connected()
        until(connection.connected)
        for number in range(32):
            slack.send(f"slow{number}", command("slow"))
            assert listeners.slow.acquire(timeout=30)
        for number in range(700):
            slack.send(f"e{number}", command("x" * 19_000))
        process.send_signal(signal.SIGSTOP)
        listeners.held.set()
        until(lambda: "socket_lost" in names(caplog))


@pytest.fixture
def over_tls(workspace: Workspace, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Link]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    with link(workspace, tls) as end:
        yield end


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_the_proxy_of_the_environment_is_used(
    over_tls: Link, opens: Opens, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """TLS goes through it to Slack's own certificate, with the proxy's name and password."""
    with proxy() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}bot:p%40ss@127.0.0.1:{port}")
        opens()
        assert over_tls.connected()
        over_tls.send("e1", command("hello"))
        assert over_tls.acked("e1") == {"text": "hello"}
        ((_, password),) = Proxy.asked
        assert base64.b64decode(password.removeprefix("Basic ")) == b"bot:p@ss"


@pytest.mark.parametrize("wrong", ["http://bot:s3cret@127.0.0.1:9", "socks5://bot:s3cret@127.0.0.1:9"])
def test_a_proxys_password_stays_out_of_the_log(
    over_tls: Link, opens: Opens, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    """A proxy that cannot be used is logged by a word."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HTTPS_PROXY", wrong)
    connection = opens()
    until(lambda: bool(facts(caplog, "socket_not_connected")))
    assert not connection.connected()
    assert "s3cret" not in json.dumps([str(record.__dict__) for record in caplog.records])

"""The connection of Socket Mode by itself: what Slack's end may do to it, in this process."""

import base64
import logging
import os
import signal
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.front import socket_mode
from bot.front.socket_mode import Connection
from bot.model.job import TryLater
from bot.slack.client import SlackClient, SlackRefused
from tests.support.link import Link, command, link
from tests.support.peer import peer
from tests.support.relay import proxy, relay
from tests.support.until import until
from tests.support.workspace import APP_TOKEN, Workspace

Opens = Callable[..., Connection]
Facts = Callable[[str], list[dict[str, Any]]]


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


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Let no test wait between attempts to connect, nor lose what is under way to a machine under load."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(socket_mode, "LONGEST_PAUSE", 0.02)
    monkeypatch.setattr(socket_mode, "_ACKNOWLEDGE", 60.0)


@pytest.fixture
def facts(caplog: pytest.LogCaptureFixture) -> Facts:
    """Return what has been logged of an event."""

    def _facts(name: str) -> list[dict[str, Any]]:
        records = (*caplog.get_records("setup"), *caplog.records)
        return [record.__dict__["fields"] for record in records if record.message == name]

    return _facts


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    made = Listeners()
    yield made
    made.held.set()


@pytest.fixture
def opens(workspace: Workspace, listeners: Listeners) -> Iterator[Opens]:
    """Open a connection; `open_url` as Connection takes it."""
    opened: list[Connection] = []
    with closing(SlackClient(APP_TOKEN, f"{workspace.url}/api/")) as client:

        def url() -> str:
            return str(client.call("apps.connections.open")["url"])

        def _opens(open_url: Callable[[], str] = url) -> Connection:
            opened.append(Connection(listeners.app, open_url, lambda: None))
            opened[-1].open()
            return opened[-1]

        yield _opens
        for connection in opened:
            connection.close()


@pytest.fixture
def connection(slack: Link, opens: Opens) -> Connection:
    """Return a connection that stands."""
    opened = opens()
    assert slack.connected()
    until(opened.connected)
    return opened


ACKNOWLEDGED = ("", "told", "\ud83c", "ş" * 3_000)


@pytest.mark.usefixtures("connection")
def test_acknowledgements(slack: Link, facts: Facts, caplog: pytest.LogCaptureFixture) -> None:
    """A listener's words go with the acknowledgement where Slack takes any."""
    for number, text in enumerate(ACKNOWLEDGED):
        slack.send(f"e{number}", command(text))
        assert slack.acked(f"e{number}") == ({"text": text} if text else {}), text[:9]
        slack.send(f"bare{number}", command(text), accepts_response_payload=False)
        assert slack.acked(f"bare{number}") == {}, text[:9]
    assert facts("socket_connected")
    assert not [record for record in caplog.records if record.name.startswith("websockets.client")]


MEANINGLESS = ["[]", "null", '{"type": 1}', '{"type": "of another time"}', '{"envelope_id": "e", "payload": 1}']


@pytest.mark.usefixtures("connection")
def test_what_nobody_understands(slack: Link, facts: Facts) -> None:
    """It is passed over, or costs a connection where it is no JSON; a fault costs no other answer."""
    for text in MEANINGLESS:
        slack.say(text)
    slack.send("e1", {"type": "block_actions", "actions": 1, "user": 2})
    slack.send("e2", command("fault"))
    slack.send("e3", command("VIP", command="/grup-ekle"))
    slack.send("e4", command("hello"))
    assert slack.acked("e4") == {"text": "hello"}
    until(lambda: facts("request_failed"))
    assert (slack.codes, {"e1", "e2", "e3"} & {*slack.acks}) == ([], set())
    slack.say(b"\xff\x00")
    assert slack.connected(times=2)


def test_a_slow_listener(slack: Link, connection: Connection, listeners: Listeners) -> None:
    """No acknowledgement waits for another, and a stop lets what is under way be acknowledged.

    It takes nothing more: what comes meanwhile stays without an answer, for Slack to send elsewhere.
    """
    slack.send("e1", command("slow"))
    assert listeners.slow.acquire(timeout=30)
    slack.send("e2", command("quick"))
    assert slack.acked("e2") == {"text": "quick"}
    stop = threading.Thread(target=connection.close)
    stop.start()
    until(lambda: not connection.connected())
    slack.send("e3", command("late"))
    assert not slack.left(seconds=0.3)
    listeners.held.set()
    stop.join(60)
    assert slack.left()
    assert slack.acks == {"e1": {"text": "slow"}, "e2": {"text": "quick"}}
    assert slack.codes == [1000]


def test_a_refresh_under_load_loses_nothing(slack: Link, connection: Connection, facts: Facts) -> None:
    """While commands come without a pause, Slack replaces the connection again and again, and each is answered.

    The next one stands before an old one is left, and what comes over either is answered: that is no outage.
    """
    for number in range(400):
        slack.send(f"e{number}", command(f"{number}"), over=-1 if number % 2 else 0)
        if number % 100 == 50:
            slack.disconnect("warning" if number < 200 else "")
        elif number % 100 == 99:
            assert slack.connected(number // 100 + 2)
            until(lambda: len(facts("socket_connected")) == number // 100 + 2)  # noqa: B023  # called at once
    assert [slack.acked(f"e{number}") for number in range(400)] == [{"text": f"{number}"} for number in range(400)]
    assert [fact["connections"] for fact in facts("socket_connected")] == [1, 2, 3, 4, 5]
    assert not facts("socket_lost") + facts("socket_ack_not_sent")
    slack.drop()
    until(lambda: facts("socket_lost"))
    until(connection.connected)


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled"])
def test_a_connection_that_slack_turns_off_is_lost(
    slack: Link, connection: Connection, facts: Facts, reason: str
) -> None:
    """Before its hello or after: it is closed at once, and the next attempts come after pauses."""
    slack.refuses = reason
    slack.disconnect(reason)
    until(lambda: len(facts("socket_not_connected")) >= 2)
    assert not connection.connected()
    until(lambda: facts("socket_lost") == [{"reason": reason}])
    assert all(fact == {"reason": reason} for fact in facts("socket_not_connected"))
    slack.refuses = ""
    until(connection.connected)


def test_what_is_sent_again_is_answered(slack: Link, connection: Connection, listeners: Listeners) -> None:
    """A connection that dies before the acknowledgement: Slack sends the envelope again, and the next one answers."""
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
    slack: Link, opens: Opens, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given up after a while, and another one is opened."""
    monkeypatch.setattr(socket_mode, "OPEN", 0.3)
    slack.greets = False
    connection = opens()
    until(lambda: {"reason": "TimeoutError"} in facts("socket_not_connected"))
    assert not connection.connected()
    slack.greets = True
    until(connection.connected)
    until(lambda: slack.codes)


NOWHERE: dict[str | SlackRefused, str] = {
    SlackRefused("internal_error"): "",
    "": "",
    "http://127.0.0.1/?ticket=s3cret": "",
    "ws://127.0.0.1:9/?ticket=s3cret": "",
    "ws://[?ticket=s3cret": "",
    "wss://127.0.0.1:9/?ticket=s3cret": "http://bot:s3cret@127.0.0.1:9",
    "wss://127.0.0.1:8/?ticket=s3cret": "socks5://bot:s3cret@127.0.0.1:9",
}
"""What Slack says for a new connection, and the proxy there."""


def test_a_way_that_leads_nowhere(
    opens: Opens, facts: Facts, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged by a word, without address or password, and tried again, where Slack says so only later."""
    limited: list[TryLater] = []

    def answer(told: str | Exception) -> str:
        if isinstance(told, Exception):
            raise told
        return told

    def limit() -> str:
        limited.append(TryLater("ratelimited", 60))
        raise limited[-1]

    waits = opens(limit)
    for told, through in NOWHERE.items():
        caplog.clear()
        monkeypatch.setenv("HTTPS_PROXY", through)
        connection = opens(lambda told=told: answer(told))
        until(lambda: len(facts("socket_not_connected")) >= 3)
        connection.close()
        assert not connection.connected()
        assert "s3cret" not in str([record.__dict__ for record in caplog.records]), told
        assert "Traceback" not in caplog.text, told
    assert len(limited) == 1
    assert not waits.connected()


def test_a_storm_of_reconnects_leaves_nothing_behind(slack: Link, connection: Connection, workspace: Workspace) -> None:
    """After fifty connections that Slack drops at once there are no more threads and descriptors than after one."""

    def in_use() -> tuple[int, int]:
        return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    for number in range(2):
        slack.send(f"e{number}", command("hello"))
        assert slack.acked(f"e{number}") == {"text": "hello"}
        if number == 0:
            before = in_use()
            for times in range(2, 52):
                slack.die()
                assert slack.connected(times)
            until(connection.connected)
    until(lambda: in_use() <= (before[0] + 2, before[1] + 4))
    assert len([method for method, _ in workspace.calls if method == "apps.connections.open"]) == 51


def test_a_peer_that_takes_nothing_any_more_is_noticed(
    workspace: Workspace, slack: Link, opens: Opens, listeners: Listeners, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although the acknowledgements fill all buffers, and one blocks before the pings."""
    monkeypatch.setattr(socket_mode, "PING", 1.0)
    with relay(urlsplit(workspace.socket_url).port or 0) as (port, process):
        workspace.socket_url = f"ws://127.0.0.1:{port}/"
        until(opens().connected)
        for number in range(32):
            slack.send(f"slow{number}", command("slow"))
            assert listeners.slow.acquire(timeout=30)
        for number in range(700):
            slack.send(f"e{number}", command("x" * 19_000))
        process.send_signal(signal.SIGSTOP)
        listeners.held.set()
        until(lambda: facts("socket_lost"))


def test_trust_and_the_proxy_are_those_of_the_environment(
    workspace: Workspace, opens: Opens, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS goes through it to Slack's own certificate, with the proxy's name and password."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)
    with link(workspace, tls) as slack, peer(proxy) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"bot:p%40ss@127.0.0.1:{server.port}")
        connection = opens()
        assert slack.connected()
        slack.send("e1", command("hello"))
        assert slack.acked("e1") == {"text": "hello"}
        connection.close()
    (asked,) = server.heard
    assert b"\r\nProxy-Authorization: Basic " + base64.b64encode(b"bot:p@ss") in (asked or b"")

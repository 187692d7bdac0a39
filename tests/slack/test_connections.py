"""Kept connections to Slack: used again, replaced when Slack has closed them, never a message twice, trusted by TLS."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bot.model.job import TryLater
from bot.slack.client import SlackClient
from tests.support.peer import Act, hear, http, over_tls, peer, tunnel
from tests.support.workspace import BOT_TOKEN, Workspace

OK = http(b'{"ok": true}', b"Content-Type: application/json")


def answers(times: int, then: Act = lambda connection: hear(connection, b"}")) -> Act:
    """Answer so many requests on one connection and keep it, then do something else to it."""

    def act(connection: socket.socket) -> bytes | None:
        for _ in range(times):
            if not hear(connection, b"}"):
                return None
            connection.sendall(OK)
        return then(connection)

    return act


def post(slack: SlackClient, text: str = "Hello") -> object:
    return slack.call("chat.postMessage", channel="C1", text=text)


def edit(slack: SlackClient) -> object:
    return slack.call("chat.update", channel="C1", ts="1.1", text="Hello")


def test_one_connection_serves_one_call_after_another(workspace: Workspace) -> None:
    """The Web API and the response_urls are of one host here, so they share it."""
    slack = SlackClient(BOT_TOKEN, f"{workspace.url}/api/")
    url = workspace.response_url("U1", "C1")
    for _ in range(5):
        slack.call("users.info", user="U1")
        post(slack)
        slack.respond(url, {"text": "Hello"})
    assert (len(workspace.calls), workspace.connections) == (15, 1)


def test_refusals_and_limits_keep_the_connection(workspace: Workspace) -> None:
    """What Slack says no to is still a whole answer."""
    slack = SlackClient(BOT_TOKEN, f"{workspace.url}/api/")
    for fault in (500, "ratelimited:1", "internal_error"):
        workspace.faults["chat.postMessage"].append(fault)
        with pytest.raises(TryLater):
            post(slack)
    post(slack)
    assert workspace.connections == 1


def test_many_calls_at_once_leave_few_connections(workspace: Workspace) -> None:
    """As many as were under way together, and those are used again."""
    slack = SlackClient(BOT_TOKEN, f"{workspace.url}/api/")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: post(slack, f"{number}"), range(200)))
    assert len(workspace.messages) == 200
    assert workspace.connections <= 8


def test_a_connection_that_slack_closed_is_replaced_before_use(workspace: Workspace) -> None:
    """Nothing was sent on it, so a message goes out once, at once."""
    slack = SlackClient(BOT_TOKEN, f"{workspace.url}/api/")
    for number in range(3):
        post(slack, f"{number}")
        workspace.hang_up()
    post(slack, "3")
    assert [message.text for message in workspace.messages] == ["0", "1", "2", "3"]
    assert workspace.connections == 4


def test_a_half_closed_connection_is_not_used() -> None:
    """Slack has said that it will send nothing more: a message on it might arrive and never be confirmed."""
    closed = threading.Event()

    def half_closes(connection: socket.socket) -> bytes:
        connection.shutdown(socket.SHUT_WR)
        closed.set()
        return connection.recv(1000)

    with peer(answers(1, half_closes), answers(1)) as server, closing(SlackClient(BOT_TOKEN, server.url)) as slack:
        post(slack)
        assert closed.wait(5)
        post(slack)
    assert server.heard[0] == b""


def test_a_resting_connection_is_kept_alive(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system asks every few seconds whether the other side is there, so no firewall forgets it in silence."""
    made: list[socket.socket] = []
    create = socket.socket.connect

    def connect(connection: socket.socket, address: Any) -> None:
        made.append(connection)
        create(connection, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    with closing(SlackClient(BOT_TOKEN, f"{workspace.url}/api/")) as slack:
        post(slack)
        assert made[0].getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert made[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 30


@pytest.mark.parametrize("call", [post, edit])
def test_a_server_that_hangs_up_on_everybody(call: Callable[[SlackClient], object]) -> None:
    """It is not asked once more, on a new connection or on one that was kept: what was sent may have arrived."""
    for kept in (0, 1):
        with peer(answers(kept)) as server, closing(SlackClient(BOT_TOKEN, server.url)) as slack:
            for _ in range(kept):
                call(slack)
            with pytest.raises(TryLater, match="closed"):
                call(slack)
            assert server.connections == 1


# TLS and proxies.


@pytest.mark.parametrize("through", [lambda act: act, tunnel], ids=["direct", "proxy"])
def test_a_connection_over_tls_is_kept(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, through: Callable[[Act], Act]
) -> None:
    """Also the one through a proxy."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(through(over_tls(answers(3), certificate))) as server:
        if through is tunnel:
            monkeypatch.setenv("HTTPS_PROXY", server.url)
        slack = SlackClient(BOT_TOKEN, server.url.replace("http:", "https:"))
        for _ in range(3):
            edit(slack)
        slack.close()
    assert server.connections == 1


def test_a_proxy_that_is_asked_for_plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """For an address without TLS a proxy gets the request itself; it keeps the connection."""
    with peer(answers(2)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        slack = SlackClient(BOT_TOKEN, "http://slack.invalid/api/")
        edit(slack)
        edit(slack)
        slack.close()
    assert proxy.connections == 1

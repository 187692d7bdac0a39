"""The HTTP server against slow, hostile and broken clients: commands are answered beside them all."""

import os
import socket
from contextlib import ExitStack, suppress

from bot.front.server import MOST_CONNECTIONS
from bot.sandbox.workspace import Workspace
from tests.support.served import Served

HALF_A_BODY = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 70_000


def connect(clients: ExitStack, served: Served, said: bytes = b"") -> socket.socket:
    """Connect, say something, and stay."""
    client = clients.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=60))
    client.sendall(said)
    return client


def all_are_answered(workspace: Workspace, served: Served) -> bool:
    """Send commands one after the other; tell whether the bot answers each, which a stand-in waits long for."""
    return all(workspace.command(served.url, f"G{number}").status == 200 for number in range(20))


def test_clients_that_hold_connections_silence_nobody(workspace: Workspace, served: Served) -> None:
    """Idle ones, unfinished bodies and headers, answers that nobody closes, and garbage, all at the same time."""
    with ExitStack() as clients:
        for count, said in (
            (200, b""),
            (60, HALF_A_BODY),
            (30, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"),
            (30, b"GET /healthz HTTP/1.0\r\n\r\n"),
            (20, b"POST /slack/events HTTP/1.1\r\nX-Slack-Sig"),
            (20, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 50),
            (20, b"\r\n\r\n\x00\xff" * 200),
        ):
            for _ in range(count):
                connect(clients, served, said)
        assert all_are_answered(workspace, served)


def test_more_connections_than_it_holds_do_not_end_it(workspace: Workspace, served: Served) -> None:
    """The longest silent make room for the others, whatever they have said before."""
    for said in (b"", HALF_A_BODY, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"):
        with ExitStack() as clients:
            for _ in range(MOST_CONNECTIONS + 100):
                with suppress(OSError):  # closed already, in favour of a later one
                    connect(clients, served, said)
            assert all_are_answered(workspace, served), said[:30]
            assert len(os.listdir(f"/proc/{served.process.pid}/fd")) < 1024, said[:30]  # noqa: PTH208  # only counted
    assert served.stop() == 0

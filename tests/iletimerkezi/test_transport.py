"""One exchange over real connections: in time, sent at most once, and known whether it can have left."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.iletimerkezi import transport
from bot.iletimerkezi.client import NotSent, Unknown
from bot.iletimerkezi.transport import MAX_ANSWER
from bot.model.names import Group
from bot.sandbox.api import Api
from tests.support.peer import AMPLE, OUTLIVED, SHORT, drips, http, over_tls, peer, says, silent
from tests.support.provider import ADDED, DRIPS, client, content, outcome
from tests.support.served import free_port, state
from tests.support.until import until


@pytest.mark.parametrize("head", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_ends_at_the_deadline(head: bytes) -> None:
    """Each read is in time, and the call ends anyway, whatever part of the answer drips."""
    with peer(drips(head)) as server:
        assert outcome(client(server.url, SHORT).add_group, "A") == Unknown("timeout")
    assert (server.connections, server.heard) == (1, [])


BROKEN = {
    "another protocol": (b"SSH-2.0-OpenSSH\r\n", "closed"),
    "endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "closed"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", "closed"),
    "half a chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n{", "truncated"),
    "no gzip": (http(b"abc", b"Content-Encoding: gzip"), "closed"),
    "nothing": (http(b"", status=b"204 No Content"), "unreadable"),
    "redirect": (http(b"", b"Location: /elsewhere", status=b"307 Moved"), "unreadable"),
    "redirect to no address": (http(b"", b"Location: http://[", status=b"302 Moved"), "unreadable"),
    "redirect to no text": (http(b"", b"Location: \xff", status=b"308 Moved"), "unreadable"),
}


@pytest.mark.parametrize(("answer", "reason"), BROKEN.values(), ids=BROKEN)
def test_an_answer_that_is_no_http_is_unknown(answer: bytes, reason: str) -> None:
    """What breaks HTTP's own rules, or leads elsewhere, leaves it open what was done; nothing more is sent."""
    with peer(says(answer)) as server:
        assert outcome(client(server.url).add_group, "A") == Unknown(reason)
    assert server.heard == [b""]


def test_the_longest_answer_is_read() -> None:
    """An answer of the greatest length that is allowed counts."""
    answer = http(content(group={"id": 7}).ljust(MAX_ANSWER))
    with peer(says(answer)) as server:
        assert client(server.url).add_group("A") == Group("7", "A")


def test_an_answer_is_not_read_beyond_the_longest() -> None:
    """The rest of an answer that is too long is left unread."""
    with peer(says(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b" " * 2 * MAX_ANSWER)) as server:
        assert outcome(client(server.url).add_group, "A") == Unknown("too_large")
    assert server.connections == 1


def test_a_connection_that_the_server_keeps_is_not_used_again() -> None:
    """Every call opens a connection of its own, also when `Connection: close` is ignored, and has its own deadline."""
    with peer(says(ADDED, keep=True), says(ADDED, keep=True), drips(DRIPS["body"])) as server:
        bot = client(server.url, 2.0)
        assert bot.add_group("A") == bot.add_group("A") == Group("7", "A")
        assert outcome(bot.add_group, "A") == Unknown("timeout")
    assert (server.connections, server.heard) == (3, [b"", b""])


def test_many_threads_share_a_client(api: Api) -> None:
    """Calls at the same time do not disturb each other: each has its own answer and its own deadline."""
    api.faults.extend(["silence"] * 8)
    bot = client(api, 4.0)
    with ThreadPoolExecutor(48) as pool:
        outcomes = list(pool.map(lambda number: outcome(bot.add_group, f"group {number}"), range(48)))
    made = [group for group in outcomes if isinstance(group, Group)]
    assert outcomes.count(Unknown("timeout")) == 8
    assert len(made) == 40
    assert all(api.groups[group.id].name == group.name for group in made)
    assert len(api.calls) == 48


# What fails before the request leaves


ADDRESSES = {
    "unknown host": ("https://api.invalid/v1", "unreachable"),
    "refused": (f"http://127.0.0.1:{free_port()}/v1", "unreachable"),
    "refused TLS": (f"https://127.0.0.1:{free_port()}/v1", "unreachable"),
    "no scheme": ("api.iletimerkezi.com/v1", "address"),
    "another scheme": ("ftp://127.0.0.1/v1", "address"),
    "no port": ("http://127.0.0.1:99999/v1", "address"),
    "empty label": ("http://api..invalid/v1", "address"),
    "long label": (f"http://{'a' * 64}.invalid/v1", "address"),
}


@pytest.mark.parametrize(("base", "reason"), ADDRESSES.values(), ids=ADDRESSES)
def test_without_a_connection_nothing_is_sent(base: str, reason: str) -> None:
    """A refused port, an unknown host and an address that is none are told apart from what may have been done."""
    assert outcome(client(base).add_group, "A") == NotSent(reason)


def test_a_connection_that_does_not_come_about_is_not_sent() -> None:
    """A server whose queue is full lets a connection wait until the time is up."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with socket.create_connection(full.getsockname()):
            assert outcome(client(url, SHORT).add_group, "A") == NotSent("connect_timeout")


# What hangs before there is a connection


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let the resolver hang until this event is set."""
    answers, resolve = threading.Event(), socket.getaddrinfo

    def hanging(*args: Any, **options: Any) -> Any:
        assert answers.wait(30)
        return resolve(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    yield answers
    answers.set()
    for thread in exchanges():
        thread.join(AMPLE)


def exchanges() -> list[threading.Thread]:
    """Return the threads of exchanges that are not over."""
    return [thread for thread in threading.enumerate() if thread.name == "exchange"]


def test_a_resolver_that_hangs_is_in_the_deadline(api: Api, resolver: threading.Event) -> None:
    """The call ends in time as one that was not sent, and sends nothing when the address comes at last."""
    assert outcome(client(api, SHORT).add_group, "A") == NotSent("connect_timeout")
    (late,) = exchanges()
    resolver.set()
    late.join(AMPLE)
    assert not late.is_alive()
    assert not api.calls


def test_calls_behind_a_resolver_that_hangs_end_side_by_side(api: Api, resolver: threading.Event) -> None:
    """Many calls do not wait for each other's deadlines."""
    with ThreadPoolExecutor(32) as pool:
        outcomes = list(pool.map(lambda _: outcome(client(api, SHORT).add_group, "A"), range(32)))
    assert outcomes == [NotSent("connect_timeout")] * 32
    resolver.set()


def test_a_call_leaves_no_thread() -> None:
    """Neither an answer nor a silence nor a drip leaves a thread or a connection behind."""
    with peer(says(ADDED), silent, drips(DRIPS["body"]), drips(DRIPS["status line"])) as server:
        for _ in range(4):
            outcome(client(server.url, SHORT).add_group, "A")
        for thread in exchanges():
            thread.join(AMPLE)
        assert not exchanges()
    assert OUTLIVED not in server.heard


def test_without_a_thread_nothing_is_sent(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that allows no more threads is a reason to send it later."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        assert outcome(client(api).add_group, "A") == NotSent("unreachable")
    assert not api.calls


# Right before it is sent


def test_the_right_to_send_is_asked_for_once_when_the_connection_stands(api: Api) -> None:
    """Who has lost it sends nothing; who has it sends once."""
    asked: list[int] = []

    def answer(allowed: bool) -> bool:
        asked.append(len(api.calls))
        return allowed

    bot = client(api)
    assert outcome(bot.add_group, "A", "", lambda: answer(False)) == NotSent("withdrawn")
    assert bot.add_group("B", "", lambda: answer(True)).name == "B"
    assert asked == [0, 0]
    assert [content["request"]["group"]["name"] for _, content in api.calls] == ["B"]


def test_nobody_is_asked_without_a_connection() -> None:
    """The right is looked up as late as possible, so not for a call that ends before."""
    asked: list[None] = []
    base = f"http://127.0.0.1:{free_port()}"
    assert outcome(client(base).add_group, "A", "", lambda: asked.append(None)) == NotSent("unreachable")
    assert asked == []


FROZEN = """
import os, signal, socket, ssl, sys, time
from bot.iletimerkezi.client import Client
from bot.iletimerkezi import transport

def freeze():
    began = time.monotonic()
    os.kill(os.getpid(), signal.SIGSTOP)
    while time.monotonic() < began + 0.9:  # the signal stops this thread a little later
        time.sleep(0.01)

def freezing(call):
    def frozen(*args, **options):
        result = call(*args, **options)
        freeze()
        return result
    return frozen

where, url = sys.argv[1:]
may_send = lambda: True
if where == "resolve":
    socket.getaddrinfo = freezing(socket.getaddrinfo)
elif where == "connect":
    socket.socket.connect = freezing(socket.socket.connect)
elif where == "TLS":
    ssl.SSLSocket.do_handshake = freezing(ssl.SSLSocket.do_handshake)
elif where == "before the look":
    may_send = freezing(may_send)
else:
    transport.Exchange.start = freezing(transport.Exchange.start)
try:
    print(Client(url, "key", "hash", 2.5).add_group("A", "", may_send), flush=True)
except Exception as error:
    print(repr(error), flush=True)
"""


@pytest.mark.parametrize("where", ["start", "resolve", "connect", "TLS", "before the look"])
def test_a_process_that_was_stopped_sends_nothing_late(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Stopped wherever before the request leaves, for longer than the call may take, it wakes up and sends nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(over_tls(says(ADDED), certificate)) as server:
        command = [sys.executable, "-c", FROZEN, where, f"https://127.0.0.1:{server.port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stopped:  # noqa: S603  # our own words
            until(lambda: state(stopped.pid) == "T")
            time.sleep(2.6)  # longer than the call may take
            stopped.send_signal(signal.SIGCONT)
            told, _ = stopped.communicate(timeout=30)
    assert told.startswith("NotSent("), told
    assert not any(server.heard)


def test_a_suspended_machine_sends_nothing_late(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that counts is the one that goes on while a machine is suspended."""
    times = iter([1000.0, 1000.0 + AMPLE])
    monkeypatch.setattr(transport, "now", lambda: next(times))
    assert outcome(client(api).add_group, "A") == NotSent("too_late")
    assert not api.calls


def test_an_address_that_swallows_connections_leaves_time_for_the_next(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with an IPv6 address behind which packets vanish, before a good IPv4 one."""
    resolve = socket.getaddrinfo
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):

        def both(host: str, port: int, *args: Any, **options: Any) -> Any:
            swallowing = resolve("127.0.0.1", full.getsockname()[1], *args, **options)
            return swallowing + resolve(host, port, *args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", both)
        assert client(api, 3.0).add_group("A").id in api.groups

"""One exchange over real connections: in time, sent at most once, over which proxy, whom TLS trusts, what each gets."""

import base64
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot import network
from bot.iletimerkezi.client import MAX_ANSWER, NotSent, Unknown
from bot.model.job import TryLater
from bot.model.names import Group
from bot.network import Misconfigured, problems, proxy_of
from bot.sandbox.api import Api
from bot.slack.client import SlackClient
from tests.support.peer import (
    AMPLE,
    CONNECT,
    OUTLIVED,
    SHORT,
    Act,
    closes,
    drips,
    hear,
    http,
    over_tls,
    peer,
    says,
    silent,
    tunnel,
)
from tests.support.provider import ADDED, DRIPS, client, content, outcome
from tests.support.served import free_port, state
from tests.support.until import until

# What the environment says.


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://slack.com/api/", ""),
        ({"HTTPS_PROXY": "http://p:8080"}, "https://slack.com/api/", "http://p:8080"),
        ({"HTTPS_PROXY": "http://p:8080"}, "wss://wss-primary.slack.com/link", "http://p:8080"),
        ({"HTTPS_PROXY": "http://p:8080"}, "http://slack.com/api/", ""),
        ({"http_proxy": "p:8080"}, "ws://127.0.0.1:9/", "http://p:8080"),
        ({"https_proxy": "user:pass%40word@p:8080"}, "https://slack.com/", "http://user:pass%40word@p:8080"),
        ({"ALL_PROXY": "http://p", "NO_PROXY": "slack.com,example.com"}, "https://hooks.slack.com/", ""),
        ({"ALL_PROXY": "http://p", "no_proxy": "127.0.0.0/8"}, "wss://127.0.0.1/", ""),
        ({"ALL_PROXY": "socks5://p", "no_proxy": "*"}, "wss://slack.com/", ""),
        ({"all_proxy": "socks://p", "https_proxy": "http://p:8080"}, "https://slack.com/", "http://p:8080"),
        ({"HTTP_PROXY": "nonsense://p"}, "https://slack.com/", ""),
    ],
)
def test_the_proxy_of_an_address(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], url: str, proxy: str
) -> None:
    """As the variables say, in capitals or not, with a scheme or without; only the one that is used is judged."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert (proxy_of(url), problems(url)) == (proxy, [])


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "none": (lambda _: None, "No such file or directory"),
    "folder": (Path.mkdir, "Is a directory"),
    "empty": (Path.touch, "it holds no certificate in PEM"),
    "text": (lambda path: path.write_text("Hello"), "it holds no certificate in PEM"),
    "binary": (lambda path: path.write_bytes(bytes(range(256))), "it holds no certificate in PEM"),
}


@pytest.mark.parametrize(("make", "why"), FILES.values(), ids=FILES)
def test_authorities_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make: Callable[[Path], object], why: str
) -> None:
    """One sentence says which variable, which file, and why."""
    make(path := tmp_path / "authorities.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    (sentence,) = problems("https://slack.com/api/")
    assert sentence.startswith("SSL_CERT_FILE must name a file of certificates in PEM")
    assert sentence.endswith(f"{path}: {why}.")
    assert [call("https://127.0.0.1:1", AMPLE) for call in (slack, provider)] == ["tls", "tls"]


# Both clients, and both ways.

Call = Callable[[str, float], object]


def slack(url: str, timeout: float = AMPLE) -> object:
    """Call Slack; return "" or the word for why that failed."""
    try:
        SlackClient("xoxb-of-tests", url, timeout).call("chat.postMessage", channel="C1", text="Hello")
    except TryLater as error:
        return error.why.partition("_")[0] if error.why.startswith("proxy") else error.why
    return ""


def provider(url: str, timeout: float = AMPLE) -> object:
    """Call the provider; return "" or the word for why nothing was sent."""
    found = outcome(client(url, timeout).add_group, "A")
    return found.reason if isinstance(found, NotSent) else "" if isinstance(found, Group) else found


both = pytest.mark.parametrize("call", [slack, provider])
ways = pytest.mark.parametrize("through", [lambda act: act, tunnel], ids=["direct", "proxy"])


@both
@pytest.mark.parametrize(
    "address",
    [
        "http://u:hid/den@proxy:8080",
        "http://user:hid#den@127.0.0.1:1",
        "ftp://u:hidden@proxy",
        "http://",
        "'http://u:hidden@proxy:8080'",
        "socks5h://u:hidden@proxy",
        "https://u:hidden@proxy",
        "http://u:hidden%C5%9F@proxy",
        "user:hidden@:x",
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_and_stays_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, call: Call, address: str
) -> None:
    """The sentence names the variable and not its value, which may hold a password; no call is made."""
    caplog.set_level("DEBUG")
    monkeypatch.setenv("https_proxy", address)
    (sentence,) = problems("https://slack.com/api/", "https://api.invalid/v1")
    assert sentence.startswith(
        "https_proxy must be the address of an HTTP proxy, such as http://proxy.example.com:8080; a SOCKS"
    )
    with pytest.raises(Misconfigured):
        proxy_of("wss://slack.com/")
    assert call("https://127.0.0.1:1", AMPLE) == "proxy"
    with pytest.raises(NotSent) as error:
        client("https://127.0.0.1:1").add_group("A")
    assert "den" not in sentence + "".join(traceback.format_exception(error.value)) + caplog.text


TRUSTED = {"of another host": "SSL_CERT_FILE", "for requests": "REQUESTS_CA_BUNDLE", "for curl": "CURL_CA_BUNDLE"}


@both
@ways
@pytest.mark.parametrize("name", TRUSTED.values(), ids=TRUSTED)
def test_a_server_that_cannot_be_trusted_gets_nothing(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, call: Call, through: Callable[[Act], Act], name: str
) -> None:
    """A certificate of another host, or that only another program is told to trust, ends the call in time."""
    monkeypatch.setenv(name, str(certificate))
    host = "localhost" if name == "SSL_CERT_FILE" else "127.0.0.1"
    with peer(through(over_tls(says(ADDED), certificate))) as server:
        if through is tunnel:
            monkeypatch.setenv("HTTPS_PROXY", server.url)
        assert call(f"https://{host}:{server.port}", AMPLE) == "tls"
    assert (server.connections, server.heard) == (1, [])


REFUSING: dict[str, tuple[Act, float, str]] = {
    "407": (says(http(b"", status=b"407 Proxy Authentication Required"), end=CONNECT), AMPLE, "proxy"),
    "403": (says(http(b"", status=b"403 Forbidden"), end=CONNECT), AMPLE, "proxy"),
    "close": (lambda _: None, AMPLE, "proxy"),
    "another protocol": (says(b"SSH-2.0-OpenSSH\r\n", end=CONNECT), AMPLE, "proxy"),
    "silence": (silent, SHORT, "connect_timeout"),
    "drip": (drips(DRIPS["headers"], end=CONNECT), SHORT, "connect_timeout"),
    "no TLS": (says(b"HTTP/1.1 400 Bad Request\r\n\r\n", end=b""), AMPLE, "tls"),
    "silence in TLS": (silent, SHORT, "connect_timeout"),
    "drip in TLS": (drips(b"\x16\x03\x03\x40\x00", end=b""), SHORT, "connect_timeout"),
}


@both
@pytest.mark.parametrize("how", REFUSING)
def test_who_opens_no_way_gets_nothing(monkeypatch: pytest.MonkeyPatch, call: Call, how: str) -> None:
    """A proxy that refuses, or a server that does not finish TLS's handshake in time, never sees the request."""
    act, timeout, reason = REFUSING[how]
    with peer(act) as server:
        url = f"https://127.0.0.1:{server.port}"
        if "TLS" not in how:
            url = "https://api.invalid/v1"
            monkeypatch.setenv("HTTPS_PROXY", server.url)
        assert call(url, timeout) == reason
        until(lambda: server.connections == 1)  # it may be accepted after the caller has left
    assert b"POST" not in b"".join(filter(None, server.heard))


PROXY_USER, PROXY_PASSWORD = "office@home", "pass:w/rd#1"
SIGNED_IN = f"{quote(PROXY_USER, safe='')}:{quote(PROXY_PASSWORD, safe='')}"


@both
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_gets_its_password_and_no_error_shows_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, call: Call, scheme: str
) -> None:
    """User and password in the proxy's address go to the proxy, decoded, and nowhere else."""
    caplog.set_level("DEBUG")
    heard: list[bytes] = []

    def act(connection: socket.socket) -> None:
        heard.append(hear(connection, CONNECT))
        connection.sendall(http(b"", status=b"407 Proxy Authentication Required"))

    with peer(act) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}{SIGNED_IN}@127.0.0.1:{proxy.port}")
        assert call("https://api.invalid/v1", AMPLE) == "proxy"
        with pytest.raises(NotSent) as error:
            client("https://api.invalid/v1").add_group("A")
    pair = base64.b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode())
    assert b"\r\nProxy-Authorization: Basic " + pair + b"\r\n" in heard[0]
    assert heard[0].startswith(b"CONNECT api.invalid:443 ")
    told = "".join(traceback.format_exception(error.value)) + caplog.text
    assert not any(part in told for part in (PROXY_PASSWORD, SIGNED_IN, pair.decode(), "rd%2F"))


def test_plain_http_goes_through_a_proxy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy gets the whole request with its address, and its answer counts."""
    heard: list[bytes] = []

    def act(connection: socket.socket) -> None:
        heard.append(hear(connection))
        connection.sendall(ADDED)

    with peer(act) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:pass@127.0.0.1:{proxy.port}")
        assert client("http://api.invalid:81/v1").add_group("A") == Group("7", "A")
    assert heard[0].startswith(b"POST http://api.invalid:81/v1/add-group/json HTTP/1.1\r\nHost: api.invalid:81\r\n")
    assert b"\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n" in heard[0]


@both
def test_neither_a_password_file_nor_a_cookie_changes_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    """By itself, requests would send what ~/.netrc says in place of the token, and Slack's cookies back to it."""
    (tmp_path / "netrc").write_text("default login other password hidden-word")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[bytes] = []

    def act(connection: socket.socket) -> None:
        for _ in range(2):
            seen.append(hear(connection, b"}"))
            connection.sendall(http(b'{"ok": true}', b"Set-Cookie: b=hidden; path=/"))

    with peer(act) as server:
        call(server.url, AMPLE)
        bot = SlackClient("xoxb-of-tests", server.url)
        for _ in range(2):
            bot.call("chat.postMessage", channel="C1", text="Hello")
        bot.close()
    assert (len([*filter(None, seen)]), server.connections) == (3, 2)
    assert (b"Authorization: Bearer xoxb-of-tests" in seen[0]) == (call is slack)
    assert not any(word in b"".join(seen) for word in (b"Basic", b"Cookie"))


def noting(done: list[str], name: str) -> Callable[..., object]:
    """Return a method of TLS contexts that writes down its name when it is called."""
    call = getattr(ssl.SSLContext, name)

    def noted(*arguments: object) -> object:
        done.append(name)
        return call(*arguments)

    return noted


def test_authorities_are_read_once(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many threads share what was read, and its protocols: to set them again would free what another thread copies."""
    done: list[str] = []
    for name in ("load_verify_locations", "set_alpn_protocols"):
        monkeypatch.setattr(ssl.SSLContext, name, noting(done, name))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    network._trusting.cache_clear()
    assert not problems()
    with peer(over_tls(says(ADDED), certificate)) as server, ThreadPoolExecutor(8) as pool:
        url = f"https://127.0.0.1:{server.port}"
        assert list(pool.map(lambda _: provider(url), range(24))) == [""] * 24
    assert done == ["load_verify_locations", "set_alpn_protocols"]


# What an answer brings.


@ways
@pytest.mark.parametrize(
    ("act", "timeout", "expected"),
    [
        (says(ADDED, keep=True), AMPLE, Group("7", "A")),
        (closes, AMPLE, Unknown("closed")),
        (silent, 1.0, Unknown("timeout")),
        (drips(DRIPS["body"]), 1.0, Unknown("timeout")),
    ],
    ids=["answer", "close", "silence", "drip"],
)
def test_over_tls_a_call_ends_as_without(
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    through: Callable[[Act], Act],
    act: Act,
    timeout: float,
    expected: object,
) -> None:
    """Neither TLS nor a proxy's tunnel changes what an answer means, or lets one outlive the deadline."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(through(over_tls(act, certificate))) as server:
        if through is tunnel:
            monkeypatch.setenv("HTTPS_PROXY", server.url)
        assert outcome(client(f"https://127.0.0.1:{server.port}", timeout).add_group, "A") == expected
    assert server.connections == 1
    assert not any(server.heard)


HALF = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n{"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b" " * 2 * MAX_ANSWER
ANSWERS: dict[str, tuple[Act, object]] = {
    **{f"drip in {part}": (drips(head), Unknown("timeout")) for part, head in DRIPS.items()},
    "another protocol": (says(b"SSH-2.0-OpenSSH\r\n"), Unknown("closed")),
    "endless header": (says(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000), Unknown("closed")),
    "two lengths": (says(b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n"), Unknown("closed")),
    "half a chunk": (says(HALF), Unknown("truncated")),
    "no gzip": (says(http(b"abc", b"Content-Encoding: gzip")), Unknown("closed")),
    "nothing": (says(http(b"", status=b"204 No Content")), Unknown("unreadable")),
    "redirect": (says(http(b"", b"Location: /elsewhere", status=b"307 Moved")), Unknown("unreadable")),
    "redirect to no address": (says(http(b"", b"Location: http://[", status=b"302 Moved")), Unknown("unreadable")),
    "the longest": (says(http(content(group={"id": 7}).ljust(MAX_ANSWER))), Group("7", "A")),
    "too long": (says(ENDLESS), Unknown("too_large")),
}


@pytest.mark.parametrize(("act", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_read_as_far_as_it_goes(act: Act, expected: object) -> None:
    """What breaks HTTP's own rules, leads elsewhere or drips leaves it open what was done; nothing more is sent."""
    with peer(act) as server:
        assert (
            outcome(client(server.url, SHORT if expected == Unknown("timeout") else AMPLE).add_group, "A") == expected
        )
    assert server.connections == 1
    assert not any(server.heard)


def test_a_connection_that_the_server_keeps_is_not_used_again() -> None:
    """Every call opens a connection of its own, also when `Connection: close` is ignored."""
    with peer(says(ADDED, keep=True), says(ADDED, keep=True), drips(DRIPS["body"]), silent) as server:
        bot = client(server.url, 1.0)
        assert bot.add_group("A") == bot.add_group("A") == Group("7", "A")
        assert [outcome(bot.add_group, "A") for _ in range(2)] == [Unknown("timeout")] * 2
    assert server.connections == 4
    assert OUTLIVED not in server.heard


def test_many_threads_share_a_client(api: Api) -> None:
    """Calls at the same time do not disturb each other: each has its own answer and its own deadline."""
    api.faults.extend(["silence"] * 8)
    bot = client(api, 3.0)
    with ThreadPoolExecutor(48) as pool:
        outcomes = list(pool.map(lambda number: outcome(bot.add_group, f"group {number}"), range(48)))
    made = [group for group in outcomes if isinstance(group, Group)]
    assert (outcomes.count(Unknown("timeout")), len(made), len(api.calls)) == (8, 40, 48)
    assert all(api.groups[group.id].name == group.name for group in made)


# What fails before the request leaves.

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
    asked: list[None] = []
    assert outcome(client(base).add_group, "A", "", lambda: asked.append(None)) == NotSent(reason)
    assert asked == []  # the right to send is looked up as late as possible


def test_an_address_that_swallows_connections(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends at the deadline, and leaves time for the next: an IPv6 address without a way, before a good IPv4 one."""
    resolve = socket.getaddrinfo
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        port = full.getsockname()[1]
        assert outcome(client(f"http://127.0.0.1:{port}", SHORT).add_group, "A") == NotSent("connect_timeout")

        def both_addresses(host: str, wanted: int, *args: Any, **options: Any) -> Any:
            return resolve("127.0.0.1", port, *args, **options) + resolve(host, wanted, *args, **options)

        monkeypatch.setattr(socket, "getaddrinfo", both_addresses)
        assert client(api, 3.0).add_group("A").id in api.groups


def test_a_resolver_that_hangs_is_in_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calls end in time and side by side; what connects when the address comes at last is closed unused."""
    answers, resolve = threading.Event(), socket.getaddrinfo

    def hanging(*args: Any, **options: Any) -> Any:
        assert answers.wait(30)
        return resolve(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    with peer(hear) as server:
        with ThreadPoolExecutor(16) as pool:
            outcomes = list(pool.map(lambda _: outcome(client(server.url, SHORT).add_group, "A"), range(16)))
        assert outcomes == [NotSent("connect_timeout")] * 16
        answers.set()
        until(lambda: server.heard)
    assert not any(server.heard)


# Right before it is sent.


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


FROZEN = """
import os, signal, ssl, sys, threading, time
from bot.iletimerkezi.client import Client

def freezing(call):
    def frozen(*args, **options):
        result = call(*args, **options)
        began = time.monotonic()
        os.kill(os.getpid(), signal.SIGSTOP)
        while time.monotonic() < began + 0.9:  # the signal stops this thread a little later
            time.sleep(0.01)
        return result
    return frozen

where, url = sys.argv[1:]
may_send = lambda: True
if where == "start":
    threading.Thread.start = freezing(threading.Thread.start)
elif where == "TLS":
    ssl.SSLSocket.do_handshake = freezing(ssl.SSLSocket.do_handshake)
else:
    may_send = freezing(may_send)
try:
    print(Client(url, "key", "hash", 1.5).add_group("A", "", may_send), flush=True)
except Exception as error:
    print(repr(error), flush=True)
"""


@pytest.mark.parametrize("where", ["start", "TLS", "before the look"])
def test_a_process_that_was_stopped_sends_nothing_late(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """Stopped wherever before the request leaves, for longer than the call may take, it wakes up and sends nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(over_tls(says(ADDED), certificate)) as server:
        command = [sys.executable, "-c", FROZEN, where, f"https://127.0.0.1:{server.port}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as stopped:  # noqa: S603  # our own words
            until(lambda: state(stopped.pid) == "T")
            time.sleep(1.6)  # longer than the call may take
            stopped.send_signal(signal.SIGCONT)
            told, _ = stopped.communicate(timeout=30)
    assert told.startswith("NotSent("), told
    assert not any(server.heard)


def test_a_suspended_machine_sends_nothing_late(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that counts is the one that goes on while a machine is suspended."""
    now = network.boottime()
    monkeypatch.setattr(network, "boottime", lambda: now)

    def suspended() -> bool:
        nonlocal now
        now += AMPLE
        return True

    assert outcome(client(api).add_group, "A", "", suspended) == NotSent("too_late")
    assert not api.calls

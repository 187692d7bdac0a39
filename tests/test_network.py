"""One exchange over real connections: in time, sent at most once, over which proxy, whom TLS trusts, what each gets."""

import base64
import socket
import ssl
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot import network
from bot.iletimerkezi.client import MAX_ANSWER, NotSent, Unknown
from bot.model.job import TryLater
from bot.model.names import Group
from bot.network import Misconfigured, problems, proxy_of
from bot.slack.client import SlackClient
from tests.support.peer import (
    AMPLE,
    CONNECT,
    LEFT,
    SHORT,
    Act,
    Peer,
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
from tests.support.provider import ADDED, DRIPS, Api, client, content, outcome
from tests.support.relay import proxy
from tests.support.served import free_port
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
    "text": (lambda path: path.write_text("Hello"), "it holds no certificate in PEM"),
    "binary": (lambda path: path.write_bytes(bytes(range(256))), "it holds no certificate in PEM"),
}


def test_authorities_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One sentence says which variable, which file, and why."""
    for name, (make, why) in FILES.items():
        make(path := tmp_path / name)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        (sentence,) = problems("https://slack.com/api/")
        assert sentence.startswith("SSL_CERT_FILE must name a file of certificates in PEM")
        assert sentence.endswith(f"{path}: {why}.")
    assert [call("https://127.0.0.1:1", AMPLE) for call in (slack, provider)] == ["tls", "tls"]


# Both clients, and both ways.


def notes(answer: bytes, end: bytes = b"}") -> Act:
    """Answer two requests over one connection, and return what came."""

    def act(connection: socket.socket) -> bytes:
        heard = b""
        for _ in range(2):
            heard += hear(connection, end)
            connection.sendall(answer)
        return heard

    return act


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
        *["http://u:hid/den@proxy:8080", "http://user:hid#den@127.0.0.1:1", "'http://u:hidden@proxy:8080'", "http://"],
        *["ftp://u:hidden@proxy", "socks5h://u:hidden@proxy", "https://u:hidden@proxy", "user:hidden@:x"],
        "http://u:hidden%C5%9F@proxy",
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


REFUSED = http(b"", status=b"407 Proxy Authentication Required")
REFUSING: dict[str, tuple[Act, float, str]] = {
    "407": (says(REFUSED, end=CONNECT), AMPLE, "proxy"),
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
    with peer(notes(REFUSED, CONNECT)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}{SIGNED_IN}@127.0.0.1:{proxy.port}")
        assert call("https://api.invalid/v1", AMPLE) == "proxy"
        with pytest.raises(NotSent) as error:
            client("https://api.invalid/v1").add_group("A")
    pair = base64.b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode())
    for heard in proxy.heard:
        assert (heard or b"").startswith(b"CONNECT api.invalid:443 ")
        assert b"\r\nProxy-Authorization: Basic " + pair + b"\r\n" in (heard or b"")
    told = "".join(traceback.format_exception(error.value)) + caplog.text
    assert not any(part in told for part in (PROXY_PASSWORD, SIGNED_IN, pair.decode(), "rd%2F"))


def test_plain_http_goes_through_a_proxy_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy gets the whole request with its address, and its answer counts."""
    with peer(notes(ADDED)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://user:pass@127.0.0.1:{proxy.port}")
        assert client("http://api.invalid:81/v1").add_group("A") == Group("7", "A")
    heard = proxy.heard[0] or b""
    assert heard.startswith(b"POST http://api.invalid:81/v1/add-group/json HTTP/1.1\r\nHost: api.invalid:81\r\n")
    assert b"\r\nProxy-Authorization: Basic dXNlcjpwYXNz\r\n" in heard


@both
def test_neither_a_password_file_nor_a_cookie_changes_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    """By itself, requests would send what ~/.netrc says in place of the token, and Slack's cookies back to it."""
    (tmp_path / "netrc").write_text("default login other password hidden-word")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with peer(notes(http(b'{"ok": true}', b"Set-Cookie: b=hidden; path=/"))) as server:
        bot = SlackClient("xoxb-of-tests", server.url)
        for _ in range(2):
            bot.call("chat.postMessage", channel="C1", text="Hello")
        bot.close()
        call(server.url, AMPLE)
    seen = b"".join(filter(None, server.heard))
    assert (seen.count(b"POST /"), seen.count(b"Authorization: Bearer xoxb-of-tests")) == (3, 3 if call is slack else 2)
    assert not any(word in seen for word in (b"Basic", b"Cookie"))


def test_authorities_are_read_once(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many threads share what was read, and its protocols: to set them again would free what another thread copies."""
    told: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", lambda _, protocols: told.append(protocols))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert not problems()
    with peer(over_tls(says(ADDED), certificate)) as server, ThreadPoolExecutor(8) as pool:
        url = f"https://127.0.0.1:{server.port}"
        assert list(pool.map(lambda _: provider(url), range(24))) == [""] * 24
    assert (told, network.context.cache_info().misses) == ([["http/1.1"]], 1)


# What an answer brings.

HALF = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n99\r\n{"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b" " * 2 * MAX_ANSWER
ANSWERS: dict[str, tuple[Act, object]] = {
    "answer": (says(ADDED, keep=True), Group("7", "A")),
    "close": (closes, Unknown("closed")),
    "silence": (silent, Unknown("timeout")),
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
    "a success of another shape": (says(http(content(groups=[]))), Unknown("undocumented")),
    "a server's fault": (says(http(b"<html>", status=b"502 Bad Gateway")), Unknown("server_error")),
    "too long": (says(ENDLESS), Unknown("too_large")),
}


OVER_TLS = ("answer", "close", "silence", "drip in body")


@pytest.mark.parametrize("way", ["plain", "TLS", "TLS through a proxy"])
def test_an_answer_is_read_as_far_as_it_goes(certificate: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """What breaks HTTP's rules, leads elsewhere or drips leaves it open what was done; nothing more is sent.

    Many calls at once have each their own answer and deadline.
    """
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    rows = ANSWERS if way == "plain" else {name: ANSWERS[name] for name in OVER_TLS}
    with ExitStack() as stack:
        if "proxy" in way:
            monkeypatch.setenv("HTTPS_PROXY", stack.enter_context(peer(proxy)).url)
        servers: dict[str, Peer] = {}
        calls: dict[str, Callable[[], object]] = {}
        for name, (act, expected) in rows.items():
            server = servers[name] = stack.enter_context(peer(act if way == "plain" else over_tls(act, certificate)))
            url = server.url if way == "plain" else f"https://127.0.0.1:{server.port}"
            bot = client(url, LEFT if expected == Unknown("timeout") else AMPLE)
            calls[name] = partial(bot.add_group, "A")
        with ThreadPoolExecutor(len(calls)) as pool:
            found = dict(zip(calls, pool.map(outcome, calls.values()), strict=True))
        assert calls["answer"]() == Group("7", "A")  # over a connection of its own, although the server keeps the first
    assert found == {name: expected for name, (_, expected) in rows.items()}
    assert {name: server.connections for name, server in servers.items()} == {**dict.fromkeys(rows, 1), "answer": 2}
    assert not any(part for server in servers.values() for part in server.heard)
    assert servers["silence"].heard == [None], "the client hangs up, not the server"


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


def test_without_a_connection_nothing_is_sent() -> None:
    """A refused port, an unknown host and an address that is none are told apart from what may have been done."""
    asked: list[None] = []
    for name, (base, reason) in ADDRESSES.items():
        found = outcome(client(base).add_group, "A", "", lambda: asked.append(None))
        assert (name, found) == (name, NotSent(reason))
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
        assert client(api, 6.0).add_group("A").id in api.groups


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


class Right:
    """What is asked for right before a request leaves."""

    @staticmethod
    def granted() -> bool:
        return True


@pytest.mark.parametrize(
    ("owner", "name"), [(socket, "getaddrinfo"), (ssl.SSLSocket, "do_handshake"), (Right, "granted")]
)
def test_after_a_stop_nothing_is_sent_late(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    """Stopped or suspended wherever before the request leaves, for longer than the call may take, it sends nothing."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    passed, clock, call = [0.0], network.boottime, getattr(owner, name)
    monkeypatch.setattr(network, "boottime", lambda: clock() + passed[0])

    def stopped(*args: Any, **options: Any) -> Any:
        result = call(*args, **options)
        passed[0] = AMPLE
        return result

    monkeypatch.setattr(owner, name, stopped)
    with peer(over_tls(says(ADDED), certificate)) as server:
        found = outcome(client(f"https://127.0.0.1:{server.port}").add_group, "A", "", Right.granted)
    assert passed == [AMPLE]
    assert found in (NotSent("connect_timeout"), NotSent("too_late"))
    assert not any(server.heard)

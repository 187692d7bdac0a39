"""The way out, for Slack and the provider alike: its proxy, which authorities TLS trusts, what each side gets."""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import certifi
import pytest

from bot.iletimerkezi.client import NotSent, Unknown
from bot.model.job import TryLater
from bot.model.names import Group
from bot.network import BadProxy, context, problems, proxy_of
from bot.slack.client import SlackClient
from tests.support.peer import (
    AMPLE,
    CONNECT,
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
from tests.support.provider import ADDED, DRIPS, client, outcome
from tests.support.served import free_port


@pytest.mark.parametrize(
    ("environ", "url", "proxy"),
    [
        ({}, "https://slack.com/api/", ""),
        ({"HTTPS_PROXY": "http://p:8080"}, "https://slack.com/api/", "http://p:8080"),
        ({"HTTPS_PROXY": "http://p:8080"}, "wss://wss-primary.slack.com/link", "http://p:8080"),
        ({"HTTPS_PROXY": "http://p:8080"}, "http://slack.com/api/", ""),
        ({"http_proxy": "p:8080"}, "ws://127.0.0.1:9/", "http://p:8080"),
        ({"https_proxy": "user:pass%40word@p:8080"}, "https://slack.com/", "http://user:pass%40word@p:8080"),
        ({"ALL_PROXY": "https://p"}, "https://slack.com/", "https://p"),
        ({"ALL_PROXY": "https://p", "NO_PROXY": "slack.com,example.com"}, "https://hooks.slack.com/", ""),
        ({"ALL_PROXY": "https://p", "no_proxy": "*"}, "wss://slack.com/", ""),
    ],
)
def test_the_proxy_of_an_address(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], url: str, proxy: str
) -> None:
    """As the variables say, in capitals or not, with a scheme or without."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert proxy_of(url) == proxy


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"HTTPS_PROXY": "http://u:hid/den@proxy:8080"}, "HTTPS_PROXY must be an address such as http://"),
        ({"https_proxy": "http://user:hid#den@127.0.0.1:1"}, "https_proxy must be"),
        ({"ALL_PROXY": "ftp://u:hidden@proxy"}, "ALL_PROXY must be"),
        ({"HTTPS_PROXY": "http://"}, "HTTPS_PROXY must be"),
        ({"HTTPS_PROXY": "'http://u:hidden@proxy:8080'"}, "HTTPS_PROXY must be"),
        ({"HTTPS_PROXY": "http://proxy:99999"}, "HTTPS_PROXY must be"),
        ({"all_proxy": "socks5h://u:hidden@proxy"}, "all_proxy names a SOCKS proxy"),
        ({"all_proxy": "socks://u:hidden@proxy", "https_proxy": "http://proxy:8080"}, ""),
        ({"all_proxy": "socks://u:hidden@proxy", "no_proxy": "slack.com"}, ""),
        ({"HTTP_PROXY": "nonsense://u:hidden@proxy"}, ""),
    ],
)
def test_only_the_proxy_that_would_be_used_is_judged(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], said: str
) -> None:
    """The sentence names the variable and not its value, which may hold a password."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = problems("https://slack.com/api/", "https://slack.com/api/")
    assert [sentence.startswith(said) for sentence in found] == [True] * bool(said)
    assert "den" not in "".join(found)
    if said:
        with pytest.raises(BadProxy):
            proxy_of("wss://slack.com/")


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


# Both clients.

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


@both
@pytest.mark.parametrize(
    ("act", "timeout", "reason"),
    [
        (says(b"HTTP/1.1 400 Bad Request\r\n\r\n", end=b""), AMPLE, "tls"),
        (silent, SHORT, "connect_timeout"),
        (drips(b"\x16\x03\x03\x40\x00", end=b""), SHORT, "connect_timeout"),
    ],
    ids=["no TLS", "silence", "drip"],
)
def test_tls_that_does_not_come_about(call: Call, act: Act, timeout: float, reason: str) -> None:
    """A server that does not finish TLS's handshake in time never sees the request."""
    with peer(act) as server:
        assert call(f"https://127.0.0.1:{server.port}", timeout) == reason
    assert b"POST" not in b"".join(filter(None, server.heard))


def test_authorities_are_read_once_and_again_when_they_change(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Many threads share what was read, and its protocols; who is taken out of the file is not trusted any more.

    To set the protocols again would free what another thread copies.
    """
    done: list[str] = []
    read, set_protocols = ssl.SSLContext.load_verify_locations, ssl.SSLContext.set_alpn_protocols

    def counted_read(context: ssl.SSLContext, bundle: str) -> None:
        done.append("read")
        read(context, bundle)

    def counted_set(context: ssl.SSLContext, protocols: list[str]) -> None:
        done.append("set")
        set_protocols(context, protocols)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted_read)
    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", counted_set)
    bundle = tmp_path / "authorities.pem"
    shutil.copy(certificate, bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with peer(over_tls(says(ADDED), certificate)) as server:
        url = f"https://127.0.0.1:{server.port}"
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(lambda _: provider(url), range(40))) == [""] * 40
        assert done == ["read", "set"]
        assert context() is context()
        shutil.copy(certifi.where(), bundle)
        assert [provider(url), slack(url)] == ["tls", "tls"]
    assert done == ["read", "set"] * 2
    bundle.unlink()
    assert [provider(url), slack(url)] == ["tls", "tls"]


@ways
@pytest.mark.parametrize(
    ("act", "timeout", "expected"),
    [
        (says(ADDED, keep=True), AMPLE, Group("7", "A")),
        (closes, AMPLE, Unknown("closed")),
        (silent, 2.0, Unknown("timeout")),
        (drips(DRIPS["body"]), 2.0, Unknown("timeout")),
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
        bot = client(f"https://127.0.0.1:{server.port}", timeout)
        assert outcome(bot.add_group, "A") == expected
    assert server.connections == 1
    assert not any(server.heard)


PROXIES: dict[str, tuple[Act, float, str]] = {
    "407": (says(http(b"", status=b"407 Proxy Authentication Required"), end=CONNECT), AMPLE, "proxy"),
    "403": (says(http(b"", status=b"403 Forbidden"), end=CONNECT), AMPLE, "proxy"),
    "close": (lambda _: None, AMPLE, "proxy"),
    "another protocol": (says(b"SSH-2.0-OpenSSH\r\n", end=CONNECT), AMPLE, "proxy"),
    "silence": (silent, SHORT, "connect_timeout"),
    "drip": (drips(DRIPS["headers"], end=CONNECT), SHORT, "connect_timeout"),
}


@both
@pytest.mark.parametrize(("act", "timeout", "reason"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_opens_no_way_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, call: Call, act: Act, timeout: float, reason: str
) -> None:
    """A proxy that refuses, or does not answer in time, sees the host's name and not the request."""
    with peer(act) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert call("https://api.invalid/v1", timeout) == reason
    assert proxy.connections == 1
    assert not any(proxy.heard)


PROXY_USER, PROXY_PASSWORD = "büro@home", "pass:wörd/ş#1"
SIGNED_IN = f"{quote(PROXY_USER, safe='')}:{quote(PROXY_PASSWORD, safe='')}"


@both
@pytest.mark.parametrize("scheme", ["http://", "https://", ""])
def test_a_proxy_gets_its_password_and_no_error_shows_it(
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: Call,
    scheme: str,
) -> None:
    """User and password in the proxy's address go to the proxy, decoded, and nowhere else.

    A proxy over TLS is trusted as a server is; one without a scheme is spoken to without TLS.
    """
    caplog.set_level("DEBUG")
    heard: list[bytes] = []

    def act(connection: socket.socket) -> None:
        heard.append(hear(connection, CONNECT))
        connection.sendall(http(b"", status=b"407 Proxy Authentication Required"))

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(over_tls(act, certificate) if scheme == "https://" else act) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}{SIGNED_IN}@127.0.0.1:{proxy.port}")
        assert call("https://api.invalid/v1", AMPLE) == "proxy"
        with pytest.raises(NotSent) as error:
            client("https://api.invalid/v1").add_group("A")
    pair = base64.b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode())
    assert b"\r\nProxy-Authorization: Basic " + pair + b"\r\n" in heard[0]
    assert heard[0].startswith(b"CONNECT api.invalid:443 ")
    told = "".join(traceback.format_exception(error.value)) + caplog.text
    assert not any(part in told for part in (PROXY_PASSWORD, SIGNED_IN, pair.decode(), "rd%2F"))


@both
@pytest.mark.parametrize(
    "address",
    [
        "http://user:pa#ss-word@127.0.0.1:1",
        "http://user:ss-word@127.0.0.1:99999",
        "socks5://user:ss-word@127.0.0.1:1",
        "user:ss-word@:x",
        "http://user:ss-word@127.0.0.1:9",
    ],
)
def test_a_proxy_that_is_none_stays_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, call: Call, address: str
) -> None:
    """An address that cannot be used, or where nobody is, is the proxy's fault, and no error quotes it."""
    caplog.set_level("DEBUG")
    monkeypatch.setenv("HTTPS_PROXY", address)
    assert call("https://127.0.0.1:1", AMPLE) == "proxy"
    with pytest.raises(NotSent) as error:
        client("https://127.0.0.1:1").add_group("A")
    assert "ss-word" not in "".join(traceback.format_exception(error.value)) + caplog.text


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
@pytest.mark.parametrize("exception", ["127.0.0.1", "127.0.0.0/8", "example.com, 127.0.0.1", "*"])
def test_a_host_may_be_called_without_the_proxy(monkeypatch: pytest.MonkeyPatch, call: Call, exception: str) -> None:
    """NO_PROXY names hosts and networks."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with peer(says(http(b'{"ok": true}'), end=b"}")) as server:
        assert call(server.url, AMPLE) == "proxy"
        monkeypatch.setenv("NO_PROXY", exception)
        assert call(server.url, AMPLE) in ("", Unknown("unreadable"))


@both
def test_a_password_file_for_the_host_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    """By itself, requests would send what ~/.netrc says in place of the token."""
    (tmp_path / "netrc").write_text("default login other password hidden-word")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[bytes] = []
    with peer(lambda connection: seen.append(hear(connection, b"}"))) as server:
        call(server.url, AMPLE)
    assert b"Basic" not in seen[0]
    assert (b"Authorization: Bearer xoxb-of-tests" in seen[0]) == (call is slack)


def test_a_cookie_is_not_sent_back() -> None:
    """Slack's answers carry some; what one call brought is nothing for the next."""
    seen: list[bytes] = []

    def act(connection: socket.socket) -> None:
        for _ in range(2):
            seen.append(hear(connection, b"}"))
            connection.sendall(http(b'{"ok": true}', b"Set-Cookie: b=hidden; path=/"))

    with peer(act) as server:
        bot = SlackClient("xoxb-of-tests", server.url)
        for _ in range(2):
            bot.call("chat.postMessage", channel="C1", text="Hello")
        bot.close()
    assert (len(seen), server.connections) == (2, 1)
    assert b"Cookie" not in b"".join(seen)

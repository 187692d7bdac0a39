"""TLS and proxies: who is trusted, what a proxy sees, and that none of it changes what an answer means."""

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

from bot import network
from bot.iletimerkezi.client import NotSent, Unknown
from bot.model.group import Group
from bot.sandbox.api import Api
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


def test_a_server_without_tls_gets_nothing(api: Api) -> None:
    """Over https, a server that speaks plain HTTP does not see the request."""
    bot = client(f"https://127.0.0.1:{api.port}/v1")
    assert outcome(bot.add_group, "A") == NotSent("tls")
    assert not api.calls


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_that_cannot_be_trusted_gets_nothing(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A certificate that nobody vouches for, or of another host, ends the call before the request leaves."""
    for name in ("SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    if host == "localhost":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(over_tls(says(ADDED), certificate)) as server:
        bot = client(f"https://{host}:{server.port}")
        assert outcome(bot.add_group, "A") == NotSent("tls")
    assert (server.connections, server.heard) == (1, [])


def test_authorities_are_read_once_and_again_when_they_change(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Many threads share what was read; who is taken out of the file is not trusted any more."""
    reads: list[str] = []
    read = ssl.SSLContext.load_verify_locations

    def counted(context: ssl.SSLContext, bundle: str) -> None:
        reads.append(bundle)
        read(context, bundle)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", counted)
    bundle = tmp_path / "authorities.pem"
    shutil.copy(certificate, bundle)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with peer(over_tls(says(ADDED), certificate)) as server:
        bot = client(f"https://127.0.0.1:{server.port}")
        assert bot.add_group("A") == Group("7", "A")
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(bot.add_group, "A" * 40)) == [Group("7", "A")] * 40
        assert reads == [str(bundle)]
        shutil.copy(certifi.where(), bundle)
        assert outcome(bot.add_group, "A") == NotSent("tls")
    assert reads == [str(bundle)] * 2


def test_authorities_that_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file without certificates is a fault of TLS, and nothing is sent."""
    (tmp_path / "authorities.pem").write_text("Dear diary")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))
    with peer(silent) as server:
        bot = client(f"https://127.0.0.1:{server.port}")
        assert outcome(bot.add_group, "A") == NotSent("tls")
    assert not any(server.heard)


@pytest.mark.parametrize("act", [silent, drips(b"\x16\x03\x03\x40\x00", end=b"")], ids=["silence", "drip"])
def test_tls_that_does_not_come_about_is_not_sent(act: Act) -> None:
    """A server that does not finish TLS's handshake in time never sees the request."""
    with peer(act) as server:
        bot = client(f"https://127.0.0.1:{server.port}", SHORT)
        assert outcome(bot.add_group, "A") == NotSent("connect_timeout")
    assert not any(server.heard)


@pytest.mark.parametrize("through", [lambda act: act, tunnel], ids=["direct", "proxy"])
@pytest.mark.parametrize(
    ("act", "timeout", "expected"),
    [
        (says(ADDED, keep=True), AMPLE, Group("7", "A")),
        (closes, AMPLE, Unknown("closed")),
        (silent, 2 * SHORT, Unknown("timeout")),
        (drips(DRIPS["body"]), 2 * SHORT, Unknown("timeout")),
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


@pytest.mark.parametrize(("act", "timeout", "reason"), PROXIES.values(), ids=PROXIES)
def test_a_proxy_that_opens_no_way_gets_nothing(
    monkeypatch: pytest.MonkeyPatch, act: Act, timeout: float, reason: str
) -> None:
    """A proxy that refuses, or does not answer in time, sees the host's name and not the request."""
    with peer(act) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert outcome(client("https://api.invalid/v1", timeout).add_group, "A") == NotSent(reason)
    assert proxy.connections == 1
    assert not any(proxy.heard)


def test_a_proxy_that_is_not_there_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection to the proxy is the proxy's fault, not the server's."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    assert outcome(client("https://api.invalid/v1").add_group, "A") == NotSent("proxy")


def test_a_proxy_that_is_spoken_to_over_tls_is_trusted_as_a_server_is(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authorities that the environment names count for the proxy too: it is asked, and its refusal counts."""
    with peer(over_tls(PROXIES["403"][0], certificate)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"https://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert outcome(client("https://api.invalid/v1").add_group, "A") == NotSent("proxy")
    assert (proxy.connections, proxy.heard) == (1, [b""])


PROXY_USER, PROXY_PASSWORD = "büro@home", "pass:wörd/#1"
SIGNED_IN = f"{quote(PROXY_USER, safe='')}:{quote(PROXY_PASSWORD, safe='')}"


def heads(proxy_answer: bytes) -> tuple[list[bytes], Act]:
    """Return a list for the heads of CONNECT requests, and a proxy that fills it."""
    heard: list[bytes] = []

    def act(connection: socket.socket) -> None:
        heard.append(hear(connection, CONNECT))
        connection.sendall(proxy_answer)

    return heard, act


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_gets_its_password_and_no_error_shows_it(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    """User and password in the proxy's address go to the proxy, decoded, and nowhere else."""
    heard, act = heads(http(b"", status=b"407 Proxy Authentication Required"))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(over_tls(act, certificate) if scheme == "https" else act) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{SIGNED_IN}@127.0.0.1:{proxy.port}")
        with pytest.raises(NotSent) as error:
            client("https://api.invalid/v1").add_group("A")
    pair = base64.b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode())
    assert b"\r\nProxy-Authorization: Basic " + pair + b"\r\n" in heard[0]
    assert heard[0].startswith(b"CONNECT api.invalid:443 ")
    told = "".join(traceback.format_exception(error.value))
    assert not any(part in told for part in (PROXY_PASSWORD, SIGNED_IN, pair.decode(), "rd%2F"))
    assert error.value == NotSent("proxy")


@pytest.mark.parametrize(
    "address",
    ["http://user:pa#ss-word@127.0.0.1:1", "http://user:ss-word@127.0.0.1:99999", "socks5://user:ss-word@127.0.0.1:1"],
)
def test_a_proxy_address_that_is_none_stays_secret(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """An address that cannot be used is the proxy's fault, and no error quotes it."""
    monkeypatch.setenv("HTTPS_PROXY", address)
    with pytest.raises(NotSent) as error:
        client("https://127.0.0.1:1").add_group("A")
    assert error.value == NotSent("proxy")
    assert "ss-word" not in "".join(traceback.format_exception(error.value))


def test_a_proxy_without_a_scheme_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """`host:port` names a proxy that is spoken to without TLS, as with other programs."""
    heard, act = heads(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    with peer(act) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"localhost:{proxy.port}")
        assert outcome(client("https://api.invalid/v1").add_group, "A") == NotSent("proxy")
    assert heard[0].startswith(b"CONNECT api.invalid:443 ")


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


@pytest.mark.parametrize("exception", ["127.0.0.1", "127.0.0.0/8", "example.com, 127.0.0.1", "*"])
def test_a_host_may_be_called_without_the_proxy(api: Api, monkeypatch: pytest.MonkeyPatch, exception: str) -> None:
    """NO_PROXY names hosts and networks."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert outcome(client(api).add_group, "A") == NotSent("proxy")
    monkeypatch.setenv("NO_PROXY", exception)
    assert client(api).add_group("A").id in api.groups


def test_many_threads_may_use_the_shared_context_at_once(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The protocols of the shared context are set once: to set them again would free what another thread copies."""
    set_again: list[object] = []
    set_protocols = ssl.SSLContext.set_alpn_protocols

    def counted(context: ssl.SSLContext, protocols: list[str]) -> None:
        set_again.append(protocols)
        set_protocols(context, protocols)

    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", counted)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(over_tls(says(ADDED), certificate)) as server, ThreadPoolExecutor(8) as pool:
        bot = client(f"https://127.0.0.1:{server.port}")
        assert list(pool.map(bot.add_group, "A" * 40)) == [Group("7", "A")] * 40
    assert len(set_again) <= 1
    assert network.context() is network.context()

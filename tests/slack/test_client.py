"""Calls to Slack: whom they trust over TLS, and what their failures mean."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot import tls
from bot.app import web_client
from bot.model.job import TryLater
from bot.sandbox.workspace import BOT_TOKEN
from bot.settings import Settings, read
from bot.slack.client import called, tell
from tests.support.peer import CONNECT, Act, http, over_tls, peer, says, tunnel

FINE = says(http(b'{"ok": true}', b"Content-Type: application/json"), end=CONNECT)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ssl.SSLContext]]:
    """Return the default contexts that are made from here on, as at the start of a process."""
    contexts: list[ssl.SSLContext] = []
    make = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        contexts.append(make())
        return contexts[-1]

    for name in ("create_default_context", "_create_default_https_context"):
        monkeypatch.setattr(ssl, name, counted)
    for kept in (tls.of_machine, tls.open_urls):
        kept.cache_clear()
    yield contexts
    for kept in (tls.of_machine, tls.open_urls):
        kept.cache_clear()


def settings_of(url: str) -> Settings:
    """Return settings with which Slack is at this address."""
    return read({"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_API_URL": f"{url}/api/"}, slack=False, api=False)


@pytest.mark.parametrize("through", [lambda act: act, tunnel], ids=["direct", "proxy"])
def test_the_authorities_are_read_once(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, made: list[ssl.SSLContext], through: Callable[[Act], Act]
) -> None:
    """For every call of every client and every private answer, also through a proxy: to read them costs 35 ms."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(through(over_tls(FINE, certificate))) as server:
        if through is tunnel:
            monkeypatch.setenv("HTTPS_PROXY", server.url)
        url = server.url.replace("http:", "https:")
        for _ in range(2):
            slack = web_client(settings_of(url))
            assert called(slack.auth_test)["ok"]
            assert called(slack.auth_test)["ok"]
            tell(f"{url}/response", {"text": "VIP"})
    assert (len(made), server.connections) == (1, 6)


@pytest.mark.parametrize("through", [lambda act: act, tunnel], ids=["direct", "proxy"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_who_cannot_be_trusted_gets_no_token(
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    made: list[ssl.SSLContext],
    through: Callable[[Act], Act],
    host: str,
) -> None:
    """A certificate that nobody vouches for, or of another host, ends the call before the request leaves."""
    if host == "localhost":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with peer(through(over_tls(FINE, certificate))) as server:
        if through is tunnel:
            monkeypatch.setenv("HTTPS_PROXY", server.url)
        url = f"https://{host}:{server.port}"
        for call in (lambda: called(web_client(settings_of(url)).auth_test), lambda: tell(f"{url}/response", {})):
            with pytest.raises(TryLater, match="URLError"):
                call()
    assert (server.connections, server.heard) == (2, [])

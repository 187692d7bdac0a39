"""Through which proxy an address is reached: the same for HTTP and WebSockets, and looked up once a host."""

from __future__ import annotations

import pytest

from bot import proxies
from bot.proxies import proxy_of


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


def test_the_environment_is_looked_through_once_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """And again when a variable of proxies changes."""
    asked: list[str] = []

    def look(url: str) -> dict[str, str]:
        asked.append(url)
        return {}

    monkeypatch.setattr(proxies, "get_environ_proxies", look)
    for path in ("chat.postMessage", "chat.update", "users.info"):
        proxy_of(f"https://once.example.com/api/{path}")
    assert asked == ["https://once.example.com"]
    monkeypatch.setenv("NO_PROXY", "once.example.com")
    proxy_of("https://once.example.com/api/users.info")
    assert len(asked) == 2

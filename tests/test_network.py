"""The way out: through which proxy, whom TLS trusts, and what is said of variables that cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.network import BadProxy, problems, proxy_of


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

"""HTTP to Slack over kept connections: few, checked before use, and one deadline for a whole exchange."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError
from urllib3.util import Timeout

from bot import trust
from bot.model.job import TryLater

IDLE = 30.0
"""How long a connection may rest before it is replaced, in seconds: less than servers and firewalls keep one."""

MOST_KEPT = 32
"""How many connections to one host are kept; more are opened when more calls are under way, and closed after them."""

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read, in bytes."""

_ATTEMPTS = 3  # when Slack closes its connections, the next one from the pool may be closed too


class Exchanged(NamedTuple):
    """An answer: the HTTP status, the headers (looked up in any case) and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """Posts to Slack, each exchange within `timeout` seconds. Safe to use from many threads.

    Proxies are those of the environment (HTTPS_PROXY, NO_PROXY, with or without a scheme). Redirects are not followed.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._adapter = _Adapter(max_retries=0, pool_maxsize=MOST_KEPT)

    def post(self, url: str, headers: Mapping[str, str], body: bytes, repeatable: bool) -> Exchanged:
        """Post `body` and return the answer. Raises TryLater, and ValueError when the address is none.

        When a kept connection turns out to be closed, the request goes out again at once on another one: always when
        it cannot have arrived whole, and when it is `repeatable` also if only the answer is missing.
        """
        request = requests.Request("POST", url, dict(headers), data=body).prepare()
        for _ in range(_ATTEMPTS):
            try:
                return self._exchange(request)
            except _Stale as stale:
                if stale.whole and not repeatable:
                    break
        raise TryLater("closed")

    def close(self) -> None:
        """Close the kept connections."""
        self._adapter.close()

    def _exchange(self, request: requests.PreparedRequest) -> Exchanged:
        timeout: Any = Timeout(total=self._timeout)  # requests passes it on to urllib3
        proxies = {name: _with_scheme(proxy) for name, proxy in get_environ_proxies(request.url or "").items()}
        try:
            with self._adapter.send(request, stream=True, timeout=timeout, proxies=proxies) as response:
                return Exchanged(response.status_code, response.headers, _read(response))
        except (requests.RequestException, HTTPError, OSError) as error:
            why = _why(error)
        raise TryLater(why)  # outside the except: the error names the address, which may be a secret


def _with_scheme(proxy: str) -> str:
    """Return a proxy's address as requests understands it, also when it was set as user:password@host:port."""
    return proxy if "://" in proxy else f"http://{proxy}"


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for part in response.iter_content(16 * 1024):
        body += part
        if len(body) > MAX_ANSWER:
            raise requests.exceptions.ContentDecodingError
    return bytes(body)


def _why(error: Exception) -> str:
    """Return a word for the log that says why an exchange failed."""
    inner = error.args[0] if error.args else None
    if isinstance(error, requests.Timeout) or isinstance(inner, ReadTimeoutError):
        return "timeout"
    if isinstance(error, requests.ConnectionError) and isinstance(inner, ProtocolError):
        return "closed"
    words = (word for kind, word in _WORDS.items() if isinstance(error, kind))
    return next(words, type(error).__name__)


# The special ones first: most are ConnectionErrors themselves.
_WORDS: dict[type[Exception], str] = {
    requests.exceptions.ContentDecodingError: "too_large",
    requests.exceptions.SSLError: "tls",
    requests.exceptions.ProxyError: "proxy",
    requests.exceptions.InvalidProxyURL: "proxy",
    requests.ConnectionError: "unreachable",
}


class _Stale(Exception):
    """A kept connection was closed before its answer began; `whole` says that the request may have arrived whole."""

    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole


_CLOSED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class _Until(io.RawIOBase):
    """A socket's bytes until a deadline: a socket's own timeout is one for each read."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket) -> None:
        self._raw = raw
        self._connection = connection
        seconds = connection.gettimeout()
        self._ends = None if seconds is None else time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._ends is not None:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            self._connection.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response whose head and body must arrive within the time that was left when it was awaited."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_Until(self.fp.detach(), sock))


class _Kept:
    """A connection that knows whether it was used before, and when last."""

    _answers = 0
    _used = 0.0

    @property
    def is_connected(self) -> bool:
        """Whether it can be used: urllib3 asks before each use, and replaces it if not."""
        rested = time.monotonic() - self._used
        return rested < IDLE and bool(super().is_connected)  # type: ignore[misc]

    def connect(self) -> None:
        self._answers = 0
        super().connect()  # type: ignore[misc]

    def request(self, *args: Any, **options: Any) -> None:
        try:
            super().request(*args, **options)  # type: ignore[misc]
        except _CLOSED:
            if self._answers:
                raise _Stale(whole=False) from None
            raise

    def getresponse(self) -> Any:
        try:
            response = super().getresponse()  # type: ignore[misc]
        except _CLOSED:
            if self._answers:
                raise _Stale(whole=True) from None
            raise
        self._answers += 1
        self._used = time.monotonic()
        return response


class _Connection(_Kept, HTTPConnection):
    response_class = _Response


class _SecureConnection(_Kept, HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """requests' adapter with these connections, and with the one TLS context of the process."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self._adopt(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if proxy.lower().startswith("https"):
            options["proxy_ssl_context"] = trust.context()
        manager = super().proxy_manager_for(proxy, **options)
        self._adopt(manager)
        return manager

    @staticmethod
    def _adopt(manager: Any) -> None:
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def build_connection_pool_key_attributes(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> Any:
        host, _tls = super().build_connection_pool_key_attributes(request, verify=True)
        return host, {"ssl_context": trust.context()} if host["scheme"] == "https" else {}

    def cert_verify(self, *_: Any) -> None:
        """Leave the authorities to the context: requests would have them read again for each connection."""

"""HTTP to Slack over kept connections: few, checked before use, and one deadline for a whole exchange."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from urllib3 import (
    BaseHTTPResponse,
    HTTPConnectionPool,
    HTTPSConnectionPool,
    PoolManager,
    ProxyManager,
    Timeout,
    exceptions,
)
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Url, parse_url

from bot import trust
from bot.model.job import TryLater
from bot.proxies import authorization, proxy_of

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
        self._managers: dict[str, PoolManager] = {}  # by proxy
        self._lock = threading.Lock()

    def post(self, url: str, headers: Mapping[str, str], body: bytes, repeatable: bool) -> Exchanged:
        """Post `body` and return the answer. Raises TryLater, and ValueError when the address is none.

        When a kept connection turns out to be closed, the request goes out again at once on another one: always when
        it cannot have arrived whole, and when it is `repeatable` also if only the answer is missing.
        """
        address = parse_url(str(url))  # what a payload calls an address may be anything
        if address.scheme not in ("https", "http") or not address.host:
            raise ValueError("no address")
        for _ in range(_ATTEMPTS):
            try:
                return self._exchange(address, headers, body)
            except _Stale as stale:
                if stale.whole and not repeatable:
                    break
        raise TryLater("closed")

    def close(self) -> None:
        """Close the kept connections."""
        with self._lock:
            for manager in self._managers.values():
                manager.clear()

    def _exchange(self, address: Url, headers: Mapping[str, str], body: bytes) -> Exchanged:
        options: dict[str, Any] = {"redirect": False, "retries": False, "preload_content": False}
        options |= {"assert_same_host": False, "timeout": Timeout(total=self._timeout)}
        try:
            pool, target = self._pool(address)
            answer = pool.urlopen("POST", target, body, headers, **options)
            try:
                return Exchanged(answer.status, answer.headers, _read(answer))
            finally:
                answer.close()  # the connection too, if there was more to read
        except (exceptions.HTTPError, OSError) as error:
            why = _why(error)
        raise TryLater(why)  # outside the except: the error names the address, which may be a secret

    def _pool(self, address: Url) -> tuple[HTTPConnectionPool, str]:
        """Return the connections to a server, through its proxy if it has one, and the target to ask for there."""
        secure = address.scheme == "https"
        proxy = proxy_of(address.url)
        with self._lock:
            if proxy not in self._managers:
                self._managers[proxy] = _manager(proxy)
            manager = self._managers[proxy]
        tls = {"ssl_context": trust.context()} if secure else {}
        pool = manager.connection_from_host(address.host, address.port, address.scheme, pool_kwargs=tls)
        return pool, address.url if proxy and not secure else address.request_uri


def _manager(proxy: str) -> PoolManager:
    """Return what keeps the connections that go through one proxy, or directly."""
    if proxy:
        parts = parse_url(proxy)
        tls = trust.context() if parts.scheme == "https" else None
        made: PoolManager = ProxyManager(
            proxy, proxy_headers=authorization(parts), proxy_ssl_context=tls, maxsize=MOST_KEPT
        )
    else:
        made = PoolManager(maxsize=MOST_KEPT)
    made.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return made


class _TooLarge(exceptions.HTTPError):
    """More came than MAX_ANSWER."""


def _read(answer: BaseHTTPResponse) -> bytes:
    body = bytearray()
    for part in answer.stream(16 * 1024):
        body += part
        if len(body) > MAX_ANSWER:
            raise _TooLarge
    return bytes(body)


def _why(error: Exception) -> str:
    """Return a word for the log that says why an exchange failed."""
    words = (word for kind, word in _WORDS.items() if isinstance(error, kind))
    return next(words, type(error).__name__)


# The special ones first: a connection that could not be made counts as late too.
_WORDS: dict[type[Exception], str] = {
    _TooLarge: "too_large",
    exceptions.SSLError: "tls",
    exceptions.ProxyError: "proxy",
    exceptions.ProxySchemeUnknown: "proxy",
    exceptions.LocationParseError: "proxy",
    exceptions.NewConnectionError: "unreachable",
    exceptions.TimeoutError: "timeout",
    exceptions.ProtocolError: "closed",
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

"""One exchange over HTTP: one deadline for all of it, sent at most once, and known whether it can have left.

Each exchange runs in a thread of its own, and its caller waits for that thread until the deadline and no longer. So
whatever hangs or drips (the resolver, a proxy, a TLS handshake, an answer), the call ends in time; and the thread must
pass one gate before it sends, which the end of the wait closes.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import unquote

from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection, ProxyConfig
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError, ReadTimeoutError
from urllib3.util import Url, parse_url

from bot import trust

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read unless a call allows more, in bytes."""

_PORTS = {"http": 80, "https": 443}


class Failed(Exception):
    """There is no answer.

    `connected` is whether the connection stood, TLS and proxy included: before that no byte of the request has left.
    `reason` is then one of timeout, closed, truncated, too_large, else one of unreachable, connect_timeout, tls, proxy,
    address.
    """

    def __init__(self, reason: str, connected: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.connected = connected


class Transport:
    """Sends requests, each exchange within `timeout` seconds all in all. Safe to use from many threads.

    Every exchange opens a connection of its own: on a kept one that a firewall has silently dropped, a request would
    vanish and its outcome be unknown. HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count as they do for requests.
    """

    def __init__(self, timeout: float, headers: Mapping[str, str]) -> None:
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", "Connection": "close", "Accept-Encoding": "identity"}
        self._headers.update(headers)

    def post(self, url: str, content: Mapping[str, Any], most: int = MAX_ANSWER) -> tuple[int, bytes]:
        """Send `content` as JSON, and return the HTTP status and the body of up to `most` bytes. Raises Failed."""
        exchange = _Exchange(url, json.dumps(content).encode(), self._headers, self._timeout, most)
        try:
            exchange.start()
        except RuntimeError as error:  # the machine allows no more threads
            raise Failed("unreachable", connected=False) from error
        return exchange.wait()


class _Exchange(threading.Thread):
    """The thread of one exchange, and what it shares with the caller that waits for it."""

    def __init__(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float, most: int) -> None:
        super().__init__(name="exchange", daemon=True)
        self._url = url
        self._body = body
        self._headers = headers
        self._timeout = timeout
        self._most = most
        self._lock = threading.Lock()
        self._sent = False  # the request may have left
        self._over = False  # the caller waits no longer
        self._socket: socket.socket | None = None
        self._result: tuple[int, bytes] | Failed | None = None

    def wait(self) -> tuple[int, bytes]:
        """Return what the exchange brought. Raises Failed, at the deadline at the latest."""
        self.join(self._timeout)
        with self._lock:
            self._over = True
            result = self._result or Failed("timeout" if self._sent else "connect_timeout", self._sent)
            self._result = None
            self._shut()
        try:
            if isinstance(result, Failed):
                raise result
            return result
        finally:
            del result  # it would refer to itself through its traceback, and keep the connection open

    def run(self) -> None:
        try:
            self._result = self._exchange()
        except Failed as failed:
            self._result = failed
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            self._result = _after_sending(error) if self._sent else Failed("address", connected=False)
            self._result.__cause__ = error
        finally:
            with self._lock:
                self._shut()
                if self._socket:
                    self._socket.close()

    def _exchange(self) -> tuple[int, bytes]:
        connection, target, headers = _route(self._url, self._timeout)
        connection.watch = self._watch
        with contextlib.closing(connection):
            _connect(connection)
            self._pass_gate()
            connection.request("POST", target, self._body, {**self._headers, **headers}, preload_content=False)
            with contextlib.closing(connection.getresponse()) as response:
                body = bytearray()
                for part in response.stream(64 * 1024):
                    body += part
                    if len(body) > self._most:
                        raise Failed("too_large", connected=True)
                return response.status, bytes(body)

    def _shut(self) -> None:
        """End the connection in both directions, which wakes a thread that waits for it."""
        if self._socket:
            with contextlib.suppress(OSError):  # the other side was faster
                self._socket.shutdown(socket.SHUT_RDWR)

    def _watch(self, connection: socket.socket) -> None:
        """Have the connection shut when the caller stops waiting. Raises Failed when it has stopped already."""
        with self._lock:
            # A duplicate, because TLS takes the socket itself over.
            self._socket = connection.dup()
            if self._over:
                connection.close()
                raise Failed("connect_timeout", connected=False)

    def _pass_gate(self) -> None:
        """Note that the request leaves from here on. Raises Failed when the caller has stopped waiting."""
        with self._lock:
            if self._over:
                raise Failed("connect_timeout", connected=False)
            self._sent = True


class _Plain(HTTPConnection):
    """A connection that shows its socket as soon as there is one."""

    watch: Any = None

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self.watch(connection)
        return connection


class _Secure(_Plain, HTTPSConnection):
    """The same, over TLS to the server, or to a proxy."""


def _route(url: str, timeout: float) -> tuple[_Plain, str, dict[str, str]]:
    """Return a connection not yet made, the request's target and the headers that only the proxy needs.

    Raises Failed for addresses that are none, and for authorities that cannot be read.
    """
    server = _parsed(url, "address")
    proxy = _proxy(url)
    first = proxy or server
    options: dict[str, Any] = {"timeout": timeout}
    if "https" in (server.scheme, first.scheme):
        options["ssl_context"] = _authorities()
    if proxy:
        options |= {"proxy": proxy, "proxy_config": ProxyConfig(options.get("ssl_context"), False, None, None)}
    kind = _Secure if "ssl_context" in options else _Plain
    connection = kind(str(first.host).strip("[]"), first.port or _PORTS[str(first.scheme)], **options)
    if not proxy:
        return connection, server.request_uri, {}
    if server.scheme == "http":
        return connection, server.url, _authorization(proxy)
    port = server.port or _PORTS["https"]
    connection.set_tunnel(str(server.host).strip("[]"), port, _authorization(proxy), str(proxy.scheme))
    return connection, server.request_uri, {}


def _connect(connection: _Plain) -> None:
    """Connect, through the proxy's tunnel and TLS where there are such. Raises Failed."""
    try:
        connection.connect()
    except (HTTPError, HTTPException, OSError, ValueError) as error:
        tls = isinstance(error, ssl.SSLError)
        late = isinstance(error, TimeoutError | ConnectTimeoutError) and not isinstance(error, NewConnectionError)
        if late:
            reason = "connect_timeout"
        elif connection.proxy and not (tls and connection.has_connected_to_proxy):
            reason = "proxy"
        elif tls:
            reason = "tls"
        else:
            reason = "address" if isinstance(error, ValueError) else "unreachable"
        raise Failed(reason, connected=False) from error


def _after_sending(error: Exception) -> Failed:
    """Return what an error means that came when the request could have left."""
    if isinstance(error, TimeoutError | ReadTimeoutError):
        return Failed("timeout", connected=True)
    return Failed("truncated" if isinstance(error, ProtocolError) else "closed", connected=True)


def _parsed(url: str, reason: str) -> Url:
    """Return the parts of an address. Raises Failed, without the address: a proxy's may hold a password."""
    try:
        parts = parse_url(url)
        if parts.scheme in _PORTS and parts.host:
            return parts
    except (HTTPError, ValueError):
        pass
    raise Failed(reason, connected=False)


def _proxy(url: str) -> Url | None:
    """Return the proxy that the environment names for an address."""
    proxy = select_proxy(url, get_environ_proxies(url))
    return _parsed(proxy if "://" in proxy else f"http://{proxy}", "proxy") if proxy else None


def _authorization(proxy: Url) -> dict[str, str]:
    """Return the header with the user and password in a proxy's address."""
    if not proxy.auth:
        return {}
    user, _, password = proxy.auth.partition(":")
    pair = f"{unquote(user)}:{unquote(password)}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def _authorities() -> ssl.SSLContext:
    try:
        return trust.context()
    except OSError as error:
        raise Failed("tls", connected=False) from error

"""Connections to the provider: directly or through the proxy of the environment, each told apart when it fails."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection, ProxyConfig
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util import Url, parse_url

from bot import trust
from bot.proxies import authorization, proxy_of

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


class Connection(HTTPConnection):
    """A connection that shows its socket as soon as there is one."""

    watch: Any = None

    def _new_conn(self) -> socket.socket:
        connection = super()._new_conn()
        self.watch(connection)
        return connection


class _SecureConnection(Connection, HTTPSConnection):
    """The same, over TLS to the server, or to a proxy."""


def route(url: str, timeout: float) -> tuple[Connection, str, dict[str, str]]:
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
    kind = _SecureConnection if "ssl_context" in options else Connection
    connection = kind(str(first.host).strip("[]"), first.port or _PORTS[str(first.scheme)], **options)
    if not proxy:
        return connection, server.request_uri, {}
    if server.scheme == "http":
        return connection, server.url, authorization(proxy)
    port = server.port or _PORTS["https"]
    connection.set_tunnel(str(server.host).strip("[]"), port, authorization(proxy), str(proxy.scheme))
    return connection, server.request_uri, {}


def connect(connection: Connection) -> None:
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
    proxy = proxy_of(url)
    return _parsed(proxy, "proxy") if proxy else None


def _authorities() -> ssl.SSLContext:
    try:
        return trust.context()
    except OSError as error:
        raise Failed("tls", connected=False) from error

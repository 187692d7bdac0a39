"""One exchange over HTTP: one deadline for all of it, one connection, sent once, and known whether it can have left."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from bot import tls
from bot.iletimerkezi.deadline import Deadline, Watch

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read, in bytes."""

_POOL = 256  # more connection objects than there are ever threads, so that urllib3 has nothing to warn of


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
    """Sends requests to one host, each exchange within `timeout` seconds all in all. Safe to use from many threads.

    Every exchange opens a connection of its own: on a kept one that a firewall has silently dropped, a request would
    vanish and its outcome be unknown. Proxies and certificates are those that requests finds in the environment.
    """

    def __init__(self, timeout: float, headers: Mapping[str, str]) -> None:
        self._timeout = timeout
        self._watch = Watch()
        self._session = _Session()
        self._session.headers.update({"Connection": "close", "Accept-Encoding": "identity", **headers})
        adapter = _Adapter(max_retries=0, pool_maxsize=_POOL)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def post(self, url: str, content: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send `content` as JSON, and return the HTTP status and the body. Raises Failed.

        The only place that knows the errors of requests and urllib3.
        """
        with Deadline(self._timeout, self._watch) as deadline:
            token = _deadline.set(deadline)
            try:
                with self._session.post(
                    url,
                    json=content,
                    timeout=Timeout(total=self._timeout),  # type: ignore[arg-type]  # requests passes it on to urllib3
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    body = _read(response)
                if deadline.cut:  # what looks like the answer's end may be our own cut
                    raise Failed("timeout", connected=True)
                return response.status_code, body
            except (requests.RequestException, HTTPError, OSError) as error:
                raise _translated(error, deadline) from error
            finally:
                _deadline.reset(token)


def _read(response: requests.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(16 * 1024):
        size += len(part)
        if size > MAX_ANSWER:
            raise Failed("too_large", connected=True)
        parts.append(part)
    return b"".join(parts)


def _translated(error: Exception, deadline: Deadline) -> Failed:
    """Say of a failure whether anything can have reached the server, and why it failed."""
    if deadline.connected:
        if deadline.passed or isinstance(error, requests.ReadTimeout):
            return Failed("timeout", connected=True)
        truncated = isinstance(error, requests.exceptions.ChunkedEncodingError)
        return Failed("truncated" if truncated else "closed", connected=True)
    if deadline.passed:
        return Failed("connect_timeout", connected=False)
    reasons = (reason for kind, reason in _BEFORE_SENDING.items() if isinstance(error, kind))
    return Failed(next(reasons, "address"), connected=False)


# The special ones first: all but the last are ConnectionErrors themselves.
_BEFORE_SENDING: dict[type[Exception], str] = {
    requests.exceptions.SSLError: "tls",
    requests.exceptions.ProxyError: "proxy",
    requests.ConnectionError: "unreachable",
}


_deadline: ContextVar[Deadline] = ContextVar("deadline of the exchange under way in this thread")


class _Session(requests.Session):
    """Looks proxies and certificates up in the environment once, as all requests go to one host."""

    def __init__(self) -> None:
        super().__init__()
        self._environment: Any = None

    def merge_environment_settings(self, *args: Any, **options: Any) -> Any:
        self._environment = self._environment or super().merge_environment_settings(*args, **options)
        return self._environment

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        """Leave redirects alone: requests would read their body whole and parse their Location, followed or not."""
        return


class _Watched:
    """A connection that reports to the deadline of its exchange."""

    def _new_conn(self) -> socket.socket:
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        _deadline.get().watch(connection)
        return connection

    def _tunnel(self) -> None:
        super()._tunnel()  # type: ignore[misc]
        _deadline.get().check()  # a proxy's answer that was cut looks like a whole one

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        _deadline.get().stand()


class _Connection(_Watched, HTTPConnection):
    pass


class _SecureConnection(_Watched, HTTPSConnection):
    """A connection for which the authorities that requests has named are not read again."""

    def connect(self) -> None:
        bundle = self.ca_certs
        tls_to_proxy = self.proxy is not None and self.proxy.scheme == "https"  # which needs to be told the authorities
        if bundle and not tls_to_proxy:
            self.ssl_context, self.ca_certs = tls.trusting(bundle), None
        try:
            super().connect()
        finally:
            self.ca_certs = bundle  # the pool connects the same object again


class _NoReuse:
    """Closes what a pool would keep, also when the server ignores `Connection: close`."""

    def _put_conn(self, conn: Any) -> None:
        if conn:
            conn.close()
        super()._put_conn(conn)  # type: ignore[misc]


class _Pool(_NoReuse, HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(_NoReuse, HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """requests' adapter with connections that report to the exchange's deadline."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self._adopt(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> PoolManager:
        manager: PoolManager = super().proxy_manager_for(*args, **options)
        self._adopt(manager)
        return manager

    @staticmethod
    def _adopt(manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

"""The way out: one exchange by `requests`, its trust, its proxy, its deadline, and whether it can have left."""

import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from http.client import HTTPResponse
from typing import Any, NamedTuple

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ProtocolError

from bot import __version__

_ADDRESSES = 3  # an address that swallows connections leaves time for as many others, less one
_HEADERS = {"User-Agent": f"addgroup-bot/{__version__}", "Accept-Encoding": "identity"}
_OPTIONS = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
if hasattr(socket, "TCP_KEEPIDLE"):  # macOS has none; a firewall that drops an idle connection is noticed meanwhile
    _OPTIONS += [(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 15), (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5)]
    _OPTIONS += [(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 2)]
# In a user and a password, what is not plain ASCII cannot be sent.
_PROXY = r"(http://)?((?:(?![@/?#%])[!-~]|%[0-7][0-9A-Fa-f])*@)?([\w.-]+|\[[0-9A-Fa-f:.]+\])(:[1-9]\d{0,4})?/?"


@dataclass(eq=False)
class Misconfigured(Exception):
    """A variable of the way out cannot be used: a sentence that names it; `reason` is tls or proxy."""

    reason: str
    sentence: str


def proxy_of(url: str) -> str:
    """Return the address of the proxy for an http, https, ws or wss URL, "" where there is none.

    HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count as they do for requests. A proxy without a scheme, such as
    user:password@host:port, is an HTTP proxy. Raises Misconfigured, whose sentence does not show the address.
    """
    url = re.sub("^ws", "http", url)
    named = select_proxy(url, get_environ_proxies(url))
    if not named:
        return ""
    if re.fullmatch(_PROXY, named, re.ASCII):
        return named if "://" in named else f"http://{named}"
    variable = next((name for name in os.environ if name.lower().endswith("_proxy") and os.environ[name] == named), "")
    sentence = (
        f"{variable} must be the address of an HTTP proxy, such as http://proxy.example.com:8080; a SOCKS proxy, "
        "and one that is itself reached over https://, cannot be used. Percent-encode special characters in its user "
        "and password, which must be in ASCII."
    )
    raise Misconfigured("proxy", sentence)


@lru_cache(maxsize=1)  # reading the authorities takes about 30 ms of CPU
def context() -> ssl.SSLContext:
    """Return the TLS context that all connections share: it trusts the authorities in SSL_CERT_FILE, else certifi's.

    Raises Misconfigured.
    """
    file = os.environ.get("SSL_CERT_FILE") or certifi.where()
    made = _Shared(ssl.PROTOCOL_TLS_CLIENT)
    try:
        made.load_verify_locations(file)
    except OSError as error:
        why = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        sentence = f"SSL_CERT_FILE must name a file of certificates in PEM that the bot may read; {file}: {why}."
        raise Misconfigured("tls", sentence) from error
    ssl.SSLContext.set_alpn_protocols(made, ["http/1.1"])
    return made


def problems(*urls: str) -> list[str]:
    """Return a sentence for each fault of the variables that decide how these addresses are reached."""
    found = []
    looks: list[Callable[[], object]] = [context, *(partial(proxy_of, url) for url in urls)]
    for look in looks:
        try:
            look()
        except Misconfigured as error:
            found.append(error.sentence)
    return list(dict.fromkeys(found))


class _Shared(ssl.SSLContext):
    """A context that many threads use at once, so its protocols are set once, when it is made."""

    def set_alpn_protocols(self, alpn_protocols: object) -> None:
        """Do nothing: urllib3 calls this for each connection, while OpenSSL may be copying them for another thread."""


@dataclass(eq=False)
class Failed(Exception):
    """There is no answer.

    `connected` is whether the connection stood, TLS and proxy included: before that no byte of the request has left.
    `reason` is then one of timeout, closed, truncated, too_large, else one of unreachable, connect_timeout, tls, proxy,
    address, withdrawn, too_late. `proxy_status` is the HTTP status with which a proxy refused the way, or 0.
    """

    reason: str
    connected: bool
    proxy_status: int = 0


class Answer(NamedTuple):
    """The HTTP status, the headers (looked up in any case) and the body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections(HTTPAdapter):
    """Sends requests over up to 32 connections to each host, kept until `close`. Safe to use from many threads.

    A request with `Connection: close` has one of its own. The variables of proxies are read once for each address.
    This is what requests' Session sends with. The Session itself would follow redirects, keep cookies, put a password
    of ~/.netrc in place of the token and trust REQUESTS_CA_BUNDLE.
    """

    def __init__(self) -> None:
        super().__init__(pool_maxsize=32)
        self._proxy_of = lru_cache(maxsize=64)(proxy_of)

    def exchange(
        self, request: requests.Request, timeout: float, most: int, may_send: Callable[[], bool] = lambda: True
    ) -> Answer:
        """Send a request once, and return the answer of up to `most` bytes, within `timeout` seconds. Raises Failed.

        `may_send` is asked once, when the connection stands and before the first byte of the request leaves: when it
        says no, or the time is over by then, nothing is sent. It must not raise.
        """
        _now.deadline, _now.may_send, _now.sent = boottime() + timeout, may_send, False
        _now.closing = request.headers.get("Connection") == "close"
        proxy = ""
        try:
            prepared = request.prepare()
            prepared.headers = CaseInsensitiveDict({**_HEADERS, **prepared.headers})
            proxy = self._proxy_of(request.url)
            seconds = (timeout / _ADDRESSES, None)
            with self.send(prepared, stream=True, timeout=seconds, proxies={"all": proxy}) as answer:
                body = answer.raw.read(most + 1, decode_content=True)
            if len(body) <= most:
                return Answer(answer.status_code, answer.headers, body)
            failed = Failed("too_large", connected=True)
        except Misconfigured as error:
            failed = Failed(error.reason, connected=False)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            failed = _failed(error, bool(proxy))
        raise failed  # outside the except: the error names the address, which may be a secret

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        """Return a pool of our connections."""
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = _SecureConnection if isinstance(pool, HTTPSConnectionPool) else _PlainConnection
        pool.conn_kw["socket_options"] = _OPTIONS
        return pool

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> Any:
        """Say what tells pools apart: the server, and `context()`."""
        server, _ = super().build_connection_pool_key_attributes(*args, **options)
        return server, {"ssl_context": context()} if server["scheme"] == "https" else {}

    def cert_verify(self, *args: Any) -> None:
        """Leave it to the context: requests would add the authorities of certifi to it."""


def boottime() -> float:
    """Return seconds of a clock that goes on while the process is stopped or the machine suspended."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)  # Linux
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def _failed(error: Exception, proxied: bool) -> Failed:
    """Return what an error of the libraries means, by whether the request can have left."""
    if isinstance(error, requests.Timeout) or boottime() >= _now.deadline:
        return Failed("timeout" if _now.sent else "connect_timeout", connected=_now.sent)
    if _now.sent:
        return Failed("truncated" if isinstance(error, ProtocolError) else "closed", connected=True)
    if isinstance(error, requests.exceptions.SSLError):
        return Failed("tls", connected=False)
    if not isinstance(error, requests.ConnectionError):
        return Failed("address", connected=False)
    refused = re.search(r"Tunnel connection failed: (\d{3})", str(error))
    return Failed("proxy" if proxied else "unreachable", False, int(refused[1]) if refused else 0)


_now = threading.local()
"""Of the exchange of a thread: `deadline`, `may_send`, whether it is `closing` the connection and has `sent`."""

_openers = ThreadPoolExecutor(128, "open")
"""Threads that look hosts up and connect: nothing ends a resolver that hangs, so its caller leaves it behind."""


class _Incoming(socket.SocketIO):
    """What comes over a connection, until the deadline; a socket's own timeout begins again with each byte."""

    _sock: socket.socket

    def readinto(self, buffer: Any) -> int | None:
        left = _now.deadline - boottime()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return super().readinto(buffer)


class _Response(HTTPResponse):
    """An answer that is read until the deadline, and ends its connection if the request says so."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fp.raw.__class__ = _Incoming  # the file that the socket has made

    def begin(self) -> None:
        super().begin()
        self.will_close = self.will_close or _now.closing


class _Connection:
    """A connection that is opened in time, and over which a request leaves only in time and with the right to."""

    sock: Any
    timeout: Any
    connect: Callable[[], None]
    response_class: Any = _Response

    def _new_conn(self) -> socket.socket:
        opening: Future[socket.socket] = _openers.submit(super()._new_conn)  # type: ignore[misc]
        try:
            opened = opening.result(_now.deadline - boottime())
        except TimeoutError:
            opening.add_done_callback(_hang_up)
            raise Failed("connect_timeout", connected=False) from None
        opened.settimeout(max(0.001, _now.deadline - boottime()))  # for the handshake of TLS
        return opened

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()
        allowed = _now.may_send()
        self.timeout = _now.deadline - boottime()
        if self.timeout <= 0:
            raise Failed("too_late", connected=False)
        if not allowed:
            raise Failed("withdrawn", connected=False)
        _now.sent = True
        super().request(*args, **options)  # type: ignore[misc]


def _hang_up(late: Future[socket.socket]) -> None:
    if not late.exception():
        late.result().close()


class _PlainConnection(_Connection, HTTPConnection):
    """A connection without TLS."""


class _SecureConnection(_Connection, HTTPSConnection):
    """The same, over TLS."""

"""Every way out: one exchange by `requests`, its trust, its proxy, its deadline, and whether it can have left."""

import contextlib
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from http.client import HTTPException
from typing import Any, NamedTuple
from urllib.parse import unquote

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProtocolError
from urllib3.util import parse_url

from bot import __version__

_ADDRESSES = 3  # an address that swallows connections leaves time for as many others, less one
_HEADERS = {"User-Agent": f"addgroup-bot/{__version__}", "Accept-Encoding": "identity"}
_KEEPALIVE = {"TCP_NODELAY": 1, "TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2}
_OPTIONS = [(socket.IPPROTO_TCP, getattr(socket, name, 0), value) for name, value in _KEEPALIVE.items()]
_OPTIONS = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *(each for each in _OPTIONS if each[1])]
"""A firewall that drops an idle connection is noticed while it is idle. macOS has no TCP_KEEPIDLE."""


class Misconfigured(Exception):
    """A variable of the way out cannot be used: a sentence that names it; `reason` is tls or proxy."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


def proxy_of(url: str) -> str:
    """Return the address of the proxy for an http, https, ws or wss URL, "" where there is none.

    HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count as they do for requests. A proxy without a scheme, such as
    user:password@host:port, is an HTTP proxy. Raises Misconfigured, whose sentence does not show the address.
    """
    url = re.sub("^ws", "http", url)
    named = select_proxy(url, get_environ_proxies(url))
    if not named:
        return ""
    proxy = named if "://" in named else f"http://{named}"
    with contextlib.suppress(HTTPError, ValueError):
        parts = parse_url(proxy)
        if parts.scheme == "http" and parts.host and parts.port != 0 and unquote(parts.auth or "").isascii():
            return proxy
    variable = next((name for name in os.environ if name.lower().endswith("_proxy") and os.environ[name] == named), "")
    sentence = (
        f"{variable} must be the address of an HTTP proxy, such as http://proxy.example.com:8080; a SOCKS proxy, "
        "and one that is itself reached over https://, cannot be used. Percent-encode special characters in its user "
        "and password, which must be in ASCII."
    )
    raise Misconfigured("proxy", sentence)


def context() -> ssl.SSLContext:
    """Return the TLS context that all connections share: it trusts the authorities in SSL_CERT_FILE, else certifi's.

    Raises Misconfigured.
    """
    file = os.environ.get("SSL_CERT_FILE") or certifi.where()
    try:
        return _trusting(file)
    except OSError as error:
        why = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        sentence = f"SSL_CERT_FILE must name a file of certificates in PEM that the bot may read; {file}: {why}."
        raise Misconfigured("tls", sentence) from error


def problems(*urls: str) -> list[str]:
    """Return a sentence for each fault of the variables that decide how these addresses are reached."""
    found: dict[str, None] = {}
    looks: list[Callable[[], object]] = [context, *(partial(proxy_of, url) for url in urls)]
    for look in looks:
        try:
            look()
        except Misconfigured as error:
            found[str(error)] = None
    return list(found)


@lru_cache(maxsize=1)  # reading the authorities takes about 30 ms of CPU
def _trusting(file: str) -> ssl.SSLContext:
    made = _Shared(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(file)
    ssl.SSLContext.set_alpn_protocols(made, ["http/1.1"])
    return made


class _Shared(ssl.SSLContext):
    """A context that many threads use at once, so its protocols are set once, when it is made."""

    def set_alpn_protocols(self, alpn_protocols: object) -> None:
        """Do nothing: urllib3 calls this for each connection, while OpenSSL may be copying them for another thread."""


class Failed(Exception):
    """There is no answer.

    `connected` is whether the connection stood, TLS and proxy included: before that no byte of the request has left.
    `reason` is then one of timeout, closed, truncated, too_large, else one of unreachable, connect_timeout, tls, proxy,
    address, withdrawn, too_late. `proxy_status` is the HTTP status with which a proxy refused the way, or 0.
    """

    def __init__(self, reason: str, connected: bool, proxy_status: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.connected = connected
        self.proxy_status = proxy_status


class Answer(NamedTuple):
    """The HTTP status, the headers (looked up in any case) and the body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections(HTTPAdapter):
    """Sends requests over up to 32 connections to each host, kept until `close`. Safe to use from many threads.

    This is what requests' Session sends with. The Session itself would follow redirects, keep cookies, put a password
    of ~/.netrc in place of the token and trust REQUESTS_CA_BUNDLE.
    """

    def __init__(self) -> None:
        super().__init__(pool_maxsize=32)

    def exchange(
        self, request: requests.Request, timeout: float, most: int, may_send: Callable[[], bool] = lambda: True
    ) -> Answer:
        """Send a request once, and return the answer of up to `most` bytes, within `timeout` seconds. Raises Failed.

        `may_send` is asked once, when the connection stands and before the first byte of the request leaves: when it
        says no, or the time is over by then, nothing is sent. It must not raise.
        """
        return _Exchange(partial(self._answer, request, timeout, most), timeout, may_send).wait()

    def _answer(self, request: requests.Request, timeout: float, most: int) -> Answer:
        prepared, proxy = request.prepare(), proxy_of(request.url)
        prepared.headers = CaseInsensitiveDict({**_HEADERS, **prepared.headers})
        proxies = {"https": proxy, "http": proxy} if proxy else {}
        with self.send(prepared, stream=True, timeout=(timeout / _ADDRESSES, None), proxies=proxies) as answer:
            body = answer.raw.read(most + 1, decode_content=True)
        if len(body) > most:
            raise Failed("too_large", connected=True)
        return Answer(answer.status_code, answer.headers, body)

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


_leaving = threading.Lock()  # what an exchange does first over a connection, and what its caller does last


class _Exchange(threading.Thread):
    """One exchange in a thread of its own, for which its caller waits until the deadline and no longer.

    So whatever hangs or drips (the resolver above all), the call ends in time; and the thread must pass one gate before
    it sends, which the end of the wait closes.
    """

    def __init__(self, answer: Callable[[], Answer], timeout: float, may_send: Callable[[], bool]) -> None:
        super().__init__(name="exchange", daemon=True)
        self._answer, self._timeout, self._may_send = answer, timeout, may_send
        self._deadline = boottime() + timeout
        self._over = False  # the caller waits no longer
        self._connection: Any = None  # over which the request leaves
        self._socket: Any = None
        self._result: Answer | Failed | None = None

    def wait(self) -> Answer:
        """Return what the exchange brought. Raises Failed, at the deadline at the latest."""
        self.start()
        self.join(self._timeout)
        with _leaving:
            self._over, sent = True, self._connection is not None
            result = self._result or Failed("timeout" if sent else "connect_timeout", connected=sent)
            if not self._result and sent and self._connection.last == id(self):
                with contextlib.suppress(OSError):  # ends what drips; the other end may have ended it
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
        if isinstance(result, Failed):
            raise result
        return result

    def run(self) -> None:
        """Carry it out, in the thread."""
        try:
            self._result = self._answer()
        except Failed as failed:
            self._result = failed
        except Misconfigured as error:
            self._result = Failed(error.reason, connected=False)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            reason = "truncated" if isinstance(error, ProtocolError) else "closed"
            sent = self._connection is not None
            self._result = Failed(reason if sent else "address", connected=sent)

    def leave(self, connection: Any) -> None:
        """Note that the request leaves now, over this connection. Raises Failed when it must not."""
        allowed = self._may_send()
        with _leaving:
            if boottime() >= self._deadline:
                raise Failed("too_late", connected=False)
            if self._over:
                raise Failed("connect_timeout", connected=False)
            if not allowed:
                raise Failed("withdrawn", connected=False)
            self._connection, self._socket, connection.last = connection, connection.sock, id(self)


class _Connection:
    """A connection that tells why it could not be made, and its exchange when the request is about to leave."""

    sock: Any
    proxy: Any

    def connect(self) -> None:
        try:
            return super().connect()  # type: ignore[misc,no-any-return]
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            failed = self._failed(error)
        raise failed  # outside the except: the error names the address, which may be a secret

    def request(self, *args: Any, **options: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange: Any = threading.current_thread()
        exchange.leave(self)
        super().request(*args, **options)  # type: ignore[misc]

    def _failed(self, error: Exception) -> Failed:
        refused = re.search(r"Tunnel connection failed: (\d{3})", str(error))
        if isinstance(error, TimeoutError | ConnectTimeoutError) and not isinstance(error, NewConnectionError):
            reason = "connect_timeout"
        elif isinstance(error, ssl.SSLError):
            reason = "tls"
        elif self.proxy:
            reason = "proxy"
        else:
            reason = "address" if isinstance(error, ValueError) else "unreachable"
        return Failed(reason, connected=False, proxy_status=int(refused[1]) if refused else 0)


class _PlainConnection(_Connection, HTTPConnection):
    """A connection without TLS."""


class _SecureConnection(_Connection, HTTPSConnection):
    """The same, over TLS."""

"""Every way out: `requests` with the authorities that TLS trusts, the proxy, and one bound for a whole exchange."""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import os
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies, select_proxy
from urllib3 import HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.util import parse_url

from bot import __version__

_ADDRESSES = 3  # an address that swallows connections leaves time for as many others, less one, and for the answer
_HEADERS = {"User-Agent": f"addgroup-bot/{__version__}", "Accept-Encoding": "identity"}
_ALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 2}  # in seconds, and how often

# What the environment says.


class BadProxy(ValueError):
    """The proxy that would be used cannot be; the text is a sentence that names its variable and not its value."""


def proxy_of(url: str) -> str:
    """Return the address of the proxy for an http, https, ws or wss URL, "" where there is none.

    HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count as they do for requests. A proxy without a scheme, such as
    user:password@host:port, is an HTTP proxy. Raises BadProxy, and ValueError when the URL is none.
    """
    parts = urlsplit(url)
    origin = f"{parts.scheme.replace('ws', 'http', 1)}://{parts.netloc}"
    return _proxy(origin, tuple(os.environ.get(name) for name in _VARIABLES))


_VARIABLES = [name for kind in ("https", "http", "all", "no") for name in (f"{kind}_proxy", f"{kind.upper()}_PROXY")]


@lru_cache(maxsize=64)  # requests looks through the whole environment each time
def _proxy(origin: str, _variables: tuple[str | None, ...]) -> str:
    named = select_proxy(origin, get_environ_proxies(origin))
    if not named:
        return ""
    proxy = named if "://" in named else f"http://{named}"
    variable = next((name for name in os.environ if name.lower().endswith("_proxy") and os.environ[name] == named), "")
    if proxy.lower().startswith("socks"):
        raise BadProxy(f"{variable} names a SOCKS proxy, which the bot cannot use. Set HTTPS_PROXY to an HTTP proxy.")
    with contextlib.suppress(HTTPError, ValueError):
        parts = parse_url(proxy)
        if parts.scheme in ("http", "https") and parts.host and parts.port != 0:
            return proxy
    raise BadProxy(
        f"{variable} must be an address such as http://proxy.example.com:8080. "
        "Percent-encode special characters in its user and password."
    )


def context() -> ssl.SSLContext:
    """Return the TLS context that all connections share: it trusts the authorities in SSL_CERT_FILE, else certifi's.

    It is made once, because reading the authorities takes about 30 ms of CPU, and again when the file has changed.
    Raises OSError when the file cannot be read or holds no certificate.
    """
    file = os.environ.get("SSL_CERT_FILE") or certifi.where()
    found = Path(file).stat()
    with _making:
        return _trusting(file, (found.st_mtime_ns, found.st_size, found.st_ino))


def problems(*urls: str) -> list[str]:
    """Return a sentence for each fault of the variables that decide how these addresses are reached."""
    found = []
    try:
        context()
    except OSError as error:
        why = "it holds no certificate in PEM" if isinstance(error, ssl.SSLError) else error.strerror
        file = os.environ.get("SSL_CERT_FILE")
        found.append(f"SSL_CERT_FILE must name a file of certificates in PEM that the bot may read; {file}: {why}.")
    for url in urls:
        try:
            proxy_of(url)
        except BadProxy as error:
            found.append(str(error))
    return list(dict.fromkeys(found))


_making = threading.Lock()


@lru_cache(maxsize=1)
def _trusting(file: str, _version: tuple[int, ...]) -> ssl.SSLContext:
    made = _Shared(ssl.PROTOCOL_TLS_CLIENT)
    made.load_verify_locations(file)
    ssl.SSLContext.set_alpn_protocols(made, ["http/1.1"])
    return made


class _Shared(ssl.SSLContext):
    """A context that many threads use at once, so its protocols are set once, when it is made."""

    def set_alpn_protocols(self, alpn_protocols: object) -> None:
        """Do nothing: urllib3 calls this for each connection, while OpenSSL may be copying them for another thread."""


# One exchange.


class Failed(Exception):
    """There is no answer.

    `connected` is whether the connection stood, TLS and proxy included: before that no byte of the request has left.
    `reason` is then one of timeout, closed, truncated, too_large, else one of unreachable, connect_timeout, tls, proxy,
    address; `proxy_status` is the HTTP status with which a proxy refused the way, or 0.
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


class Session(requests.Session):
    """Posts, and does nothing by itself: no redirect, no cookie, no ~/.netrc, no repetition. Safe for many threads.

    A request that is prepared without the session takes nothing from it or from the environment.

    Up to `kept` connections to one host are kept for the next exchanges. `gate` is called when a new one stands, before
    the first byte of the request leaves; what it raises ends the exchange.
    """

    def __init__(self, kept: int, gate: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.trust_env = False
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(kept, gate))

    def exchange(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float, most: int) -> Answer:
        """Post `body` and return the answer of up to `most` bytes, within `timeout` seconds. Raises Failed.

        Twice that time may pass where a proxy is connected to, and any where the system looks for the host's address.
        """
        try:
            proxy = proxy_of(url)
            through = {"https": proxy, "http": proxy} if proxy else {}
            request = requests.Request("POST", url, {**_HEADERS, **headers}, data=body).prepare()
            options: dict[str, Any] = {"timeout": Timeout(total=timeout), "proxies": through, "allow_redirects": False}
            with self.send(request, stream=True, **options) as answer:
                content = bytearray()
                for part in answer.iter_content(64 * 1024):
                    content += part
                    if len(content) > most:
                        raise Failed("too_large", connected=True)
                return Answer(answer.status_code, answer.headers, bytes(content))
        except BadProxy as error:
            raise Failed("proxy", connected=False) from error
        except (requests.RequestException, OSError, ValueError) as error:
            failed = _failed(error)
        raise failed  # outside the except: the error names the address, which may be a secret

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return none: requests would read the whole answer and parse its Location even for a caller that goes on."""


_NO_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)


def _failed(error: Exception) -> Failed:
    """Return what an error means that `_Connection.connect` has not judged."""
    if isinstance(error, requests.RequestException):
        if isinstance(error, _NO_ADDRESS):
            return Failed("address", connected=False)
        late = isinstance(error, requests.Timeout) or any(isinstance(part, ReadTimeoutError) for part in error.args)
        cut = isinstance(error, requests.exceptions.ChunkedEncodingError)
        return Failed("timeout" if late else "truncated" if cut else "closed", connected=True)
    return Failed("address" if isinstance(error, ValueError) else "tls", connected=False)  # context() could not read


class _Adapter(HTTPAdapter):
    """Pools of our connections, which trust `context()`."""

    def __init__(self, kept: int, gate: Callable[[], None]) -> None:
        self._plain, self._secure = (partial(kind, kept, gate) for kind in (_PlainConnection, _SecureConnection))
        super().__init__(pool_maxsize=max(1, kept))

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **options)
        pool.ConnectionCls = self._secure if isinstance(pool, HTTPSConnectionPool) else self._plain
        return pool

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> Any:
        server, _ = super().build_connection_pool_key_attributes(*args, **options)
        return server, {"ssl_context": context()} if server["scheme"] == "https" else {}

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = context()
        return super().proxy_manager_for(proxy, **options)

    def cert_verify(self, *args: Any) -> None:
        """Leave it to the context: requests would add the authorities of certifi to it."""

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Return the proxy's user and password in UTF-8; requests knows Latin-1 alone."""
        user, _, password = (parse_url(proxy).auth or "").partition(":")
        pair = base64.b64encode(f"{unquote(user)}:{unquote(password)}".encode()).decode()
        return {"Proxy-Authorization": f"Basic {pair}"} if user else {}


# A connection.


class _Until(io.RawIOBase):
    """A socket's bytes until a deadline: a socket's own timeout is one for each read."""

    def __init__(self, raw: io.RawIOBase, connection: socket.socket) -> None:
        self._raw = raw
        self._connection = connection
        self._ends = time.monotonic() + (connection.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
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


class _LastResponse(_Response):
    """A response after which the connection ends, also when the server would keep it."""

    def begin(self) -> None:
        super().begin()
        self.will_close = True


class _Connection:
    """A connection that tells why it could not be made, and asks the gate when it stands."""

    response_class: Any
    timeout: Any

    def __init__(self, kept: int, gate: Callable[[], None], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._gate = gate
        self.response_class = _Response if kept else _LastResponse

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            failed = _not_connected(self, error)
        else:
            return self._gate()
        raise failed

    def _new_conn(self) -> socket.socket:
        whole, begun = float(self.timeout), time.monotonic()
        self.timeout = whole / _ADDRESSES  # for each address of the host
        try:
            connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        finally:
            self.timeout = whole
        connection.settimeout(max(0.001, whole - (time.monotonic() - begun)))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _ALIVE.items():  # a firewall that drops an idle connection is noticed while it is idle
            if hasattr(socket, name):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return connection


class _PlainConnection(_Connection, HTTPConnection):
    """A connection without TLS."""


class _SecureConnection(_Connection, HTTPSConnection):
    """The same, over TLS to the server, or to a proxy."""


def _not_connected(connection: Any, error: Exception) -> Failed:
    tls = isinstance(error, ssl.SSLError)
    refused = re.search(r"Tunnel connection failed: (\d{3})", str(error))
    if isinstance(error, TimeoutError | ConnectTimeoutError) and not isinstance(error, NewConnectionError):
        reason = "connect_timeout"
    elif connection.proxy and not (tls and connection.has_connected_to_proxy):
        reason = "proxy"
    elif tls:
        reason = "tls"
    else:
        reason = "address" if isinstance(error, ValueError) else "unreachable"
    return Failed(reason, connected=False, proxy_status=int(refused[1]) if refused else 0)

"""The client of iletiMerkezi's group API: what is sent, and what each answer means.

    ApiError
    ├── NotSent    nothing reached the server: safe to send again
    ├── Rejected   the server said no, with a code: nothing was created
    └── Unknown    the server may have done it: only a person may send it again

A call that was answered as documented returns its result; every other ending is one of these three errors. What
separates NotSent from Unknown is one fact, whether the connection stood: before that no byte of the request left.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError
from urllib3.util import Timeout

from bot import __version__

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read, in bytes."""

_POOL = 256  # more connection objects than there are ever threads, so that urllib3 has nothing to warn of

USER_AGENT = f"addgroup-bot/{__version__}"


class ApiError(Exception):
    """A call that did not end in its documented result."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.args == getattr(other, "args", None)

    def __hash__(self) -> int:
        return hash((type(self), self.args))


class NotSent(ApiError):
    """Nothing reached the server, so nothing was done: safe to send again.

    `reason` is one of unreachable, connect_timeout, tls, proxy, address.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Rejected(ApiError):
    """The server refused, so nothing was done.

    `code` is the number in the answer's body and `message` the server's own sentence, in Turkish as a rule.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message


class Unknown(ApiError):
    """The server may have done what was asked. Do not send it again; look the result up.

    `reason` is one of timeout, closed, truncated, too_large, unreadable, undocumented, server_error, contradiction.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Credentials:
    """What authenticates a call; never shown in a `repr`."""

    key: str
    hash: str

    def __repr__(self) -> str:
        return "Credentials(…)"

    @classmethod
    def from_secret(cls, key: str, secret: str) -> Credentials:
        """Compute the hash as the provider describes: hex(HMAC-SHA256(key=secret, message=key))."""
        return cls(key, hmac.new(secret.encode(), key.encode(), hashlib.sha256).hexdigest())


@dataclass(frozen=True)
class Group:
    """A group in the account; ids are text, `parent` is the parent's id and "" for a main group."""

    id: str
    name: str
    parent: str = ""


@dataclass(frozen=True)
class Balance:
    """What the account has left."""

    amount: str
    sms: str


class Client:
    """Calls the API at `base`, each call within `timeout` seconds all in all. Safe to use from many threads.

    Every call opens a connection of its own: on a kept one that a firewall has silently dropped, a request would
    vanish and its outcome be unknown.
    """

    def __init__(self, base: str, credentials: Credentials, timeout: float) -> None:
        self._base = base.rstrip("/")
        self._credentials = credentials
        self._timeout = timeout
        self._session = _Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Connection": "close", "Accept-Encoding": "identity"})
        adapter = _DeadlineAdapter(max_retries=0, pool_maxsize=_POOL)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def add_group(self, name: str, parent: str = "") -> Group:
        """Create a group under the group with the id `parent`, or a main group, and return it with its id.

        Raises ApiError; after Unknown the group may exist.
        Source: the provider's page of the method, https://www.a2psmsapi.com/en/rehber/grup/ekle/json
        """
        status, body = self._post("add-group", {"group": {"name": name, "parent": parent}})
        return Group(decode_added(status, body), name, parent)

    def get_groups(self) -> tuple[Group, ...]:
        """Return every group of the account, parents before their subgroups. Raises ApiError."""
        return decode_groups(*self._post("get-groups", {}))

    def get_balance(self) -> Balance:
        """Return the balance; the provider's own advice for checking credentials. Raises ApiError."""
        return decode_balance(*self._post("get-balance", {}))

    def _post(self, method: str, fields: Mapping[str, Any]) -> tuple[int, bytes]:
        """Send one request and return the HTTP status and the body. The only place that knows requests' errors."""
        authentication = {"key": self._credentials.key, "hash": self._credentials.hash}
        deadline = _Deadline(self._timeout)
        token = _deadline.set(deadline)
        try:
            with self._session.post(
                f"{self._base}/{method}/json",
                json={"request": {"authentication": authentication, **fields}},
                timeout=Timeout(total=self._timeout),  # type: ignore[arg-type]  # requests passes it on to urllib3
                allow_redirects=False,
                stream=True,
            ) as response:
                body = _read(response)
            if deadline.cut:  # what looks like the answer's end may be our own cut
                raise Unknown("timeout")
            return response.status_code, body
        except (requests.RequestException, HTTPError, OSError) as error:
            raise _translated(error, deadline) from error
        finally:
            deadline.cancel()
            _deadline.reset(token)


def decode_added(status: int, body: bytes) -> str:
    """Return the new group's id from add-group's answer (HTTP status and body). Raises Rejected or Unknown."""
    group = _decode(status, body).get("group")
    identifier = _identifier(group.get("id")) if isinstance(group, dict) else ""
    if not identifier:
        raise Unknown("undocumented")
    return identifier


def decode_groups(status: int, body: bytes) -> tuple[Group, ...]:
    """Return the groups of get-groups' answer, in both of its published shapes. Raises Rejected or Unknown."""
    return tuple(_walk(_listed(_decode(status, body).get("groups", "missing")), ""))


def decode_balance(status: int, body: bytes) -> Balance:
    """Return the balance of get-balance's answer. Raises Rejected or Unknown."""
    balance = _decode(status, body).get("balance")
    if not isinstance(balance, dict):
        raise Unknown("undocumented")
    return Balance(str(balance.get("amount", "")), str(balance.get("sms", "")))


def _decode(status: int, body: bytes) -> dict[str, Any]:
    """Return the `response` object of an answer that says 200, or raise what else it says.

    The number in the body decides. Only a claim of success needs the HTTP status beside it, which mirrors that
    number; and a failure of the server itself (5xx but for the documented 503) leaves open what was done.
    """
    try:
        response = json.loads(body)["response"]
        said = response["status"]
        code, message = int(said["code"]), said.get("message")
    except (ValueError, RecursionError, LookupError, TypeError, OverflowError) as error:
        raise Unknown("server_error" if status >= 500 else "unreadable") from error
    if code == 200:
        if not 200 <= status < 300:
            raise Unknown("contradiction")
        return dict(response)
    if code < 400:
        raise Unknown("undocumented")
    if 500 <= code < 600 and code != 503:
        raise Unknown("server_error")
    raise Rejected(code, "; ".join([str(message or ""), *_field_errors(response)]).strip("; "))


def _field_errors(response: dict[str, Any]) -> list[str]:
    """Return what an answer with code 422 says of single fields."""
    errors = response.get("errors")
    return [f"{field}: {text}" for field, text in errors.items()] if isinstance(errors, dict) else []


def _identifier(value: object) -> str:
    """Return an id as text; ids come as numbers and as text. Empty when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return ""
    return str(value).strip()


def _listed(groups: object) -> list[Any]:
    """Return a level of groups as a list: it comes as [{…}], {"group": [{…}]}, {"group": {…}} or nothing."""
    if isinstance(groups, dict):
        groups = groups.get("group")
    if isinstance(groups, dict):
        return [groups]
    return groups if isinstance(groups, list) else [groups] if groups else []


def _walk(groups: list[Any], parent: str) -> Iterator[Group]:
    """Yield groups of any depth, parents first; an entry is {"id", "name", "children": …}."""
    pending = [(groups, parent)]
    while pending:
        level, parent = pending.pop()
        for entry in level:
            if not isinstance(entry, dict) or not _identifier(entry.get("id")):
                raise Unknown("undocumented")
            group = Group(_identifier(entry["id"]), str(entry.get("name") or ""), parent)
            yield group
            if children := _listed(entry.get("children")):
                pending.append((children, group.id))


def _read(response: requests.Response) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in response.iter_content(16 * 1024):
        size += len(part)
        if size > MAX_ANSWER:
            raise Unknown("too_large")
        parts.append(part)
    return b"".join(parts)


def _translated(error: Exception, deadline: _Deadline) -> ApiError:
    """Say of a failure of requests whether anything can have reached the server, and why it failed."""
    if deadline.connected:
        if deadline.passed or isinstance(error, requests.ReadTimeout):
            return Unknown("timeout")
        if isinstance(error, requests.exceptions.ChunkedEncodingError):
            return Unknown("truncated")
        return Unknown("closed")
    if deadline.passed:
        return NotSent("connect_timeout")
    return NotSent(next((reason for kind, reason in _BEFORE_SENDING.items() if isinstance(error, kind)), "address"))


# The special ones first: all but the last are ConnectionErrors themselves.
_BEFORE_SENDING: dict[type[Exception], str] = {
    requests.exceptions.SSLError: "tls",
    requests.exceptions.ProxyError: "proxy",
    requests.ConnectionError: "unreachable",
}


class _Deadline:
    """Ends a call when its time is up, however slowly the other side drips: requests' timeout is one per read."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._timer: threading.Timer | None = None
        self.connected = False
        self.cut = False

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._ends

    def watch(self, connection: socket.socket) -> None:
        """Shut the connection down when the time is up, handshakes of a proxy and of TLS included."""
        # Through a duplicate: TLS takes the socket itself over, and a close of it must not race with the shutdown.
        self._watched = connection.dup()
        self._timer = threading.Timer(max(self._ends - time.monotonic(), 0), self._cut)
        self._timer.daemon = True
        self._timer.start()

    def check(self) -> None:
        """Raise when the time is up already."""
        if self.passed:
            raise ConnectTimeoutError("connecting took all the time of the call")

    def stand(self) -> None:
        """Note that the request may leave from here on. Raises when the time is up already."""
        self.check()
        self.connected = True

    def cancel(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer.join()
            self._watched.close()

    def _cut(self) -> None:
        self.cut = True
        with contextlib.suppress(OSError):  # the other side was faster
            self._watched.shutdown(socket.SHUT_RDWR)


_deadline: ContextVar[_Deadline] = ContextVar("deadline of the call under way in this thread")


class _Session(requests.Session):
    """Leaves redirects alone: requests would read their body whole and parse their Location, followed or not."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        return None


class _Watched:
    """A connection that reports to the deadline of its call."""

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
    pass


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


class _DeadlineAdapter(HTTPAdapter):
    """requests' adapter with connections that report to the call's deadline."""

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

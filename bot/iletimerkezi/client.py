"""The client of iletiMerkezi's group API: what is sent, and what each answer means.

    ApiError
    ├── NotSent    nothing reached the server: safe to send again
    ├── Rejected   the server said no, with a code: nothing was created
    └── Unknown    the server may have done it: only a person may send it again

A call that was answered as documented returns its result; every other ending is one of these three errors. What
separates NotSent from Unknown is one fact, whether the connection stood: before that no byte of the request left.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot import __version__
from bot.iletimerkezi.transport import Failed, Transport
from bot.model.group import Group

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
class Balance:
    """What the account has left."""

    amount: str
    sms: str


class Client:
    """Calls the API at `base`, each call within `timeout` seconds all in all. Safe to use from many threads."""

    def __init__(self, base: str, credentials: Credentials, timeout: float) -> None:
        self._base = base.rstrip("/")
        self._credentials = credentials
        self._transport = Transport(timeout, {"User-Agent": USER_AGENT})

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
        """Send one request and return the HTTP status and the body. Raises NotSent or Unknown."""
        authentication = {"key": self._credentials.key, "hash": self._credentials.hash}
        content = {"request": {"authentication": authentication, **fields}}
        try:
            return self._transport.post(f"{self._base}/{method}/json", content)
        except Failed as error:
            raise (Unknown if error.connected else NotSent)(error.reason) from error


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

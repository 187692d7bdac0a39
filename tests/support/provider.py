"""What tests of the group API share: its answers, its client, and the outcome of a call."""

import contextlib
import json
import socket
import time
from collections.abc import Callable
from typing import Any

from bot.iletimerkezi.client import MAX_ANSWER, ApiError, Client
from bot.model.names import Group
from bot.sandbox import api as stand_in
from bot.sandbox.api import Api as Sandbox
from bot.sandbox.loopback import Answer, Request
from tests.support.peer import AMPLE, http

KEY, HASH = "key-of-tests", "hash-of-tests"

Act = Callable[[Sandbox, Request, socket.socket], Answer | None]
"""What happens to a request instead of its answer."""


class Api(Sandbox):
    """The sandbox's provider, in which more can go wrong: ACTS.

    `shape` is what get-groups makes of the account's groups, `stored` what the account makes of a name.
    """

    def __init__(self) -> None:
        super().__init__(KEY, HASH)
        self.shape: Callable[[Any], Any] = lambda tree: tree
        self.stored: Callable[[str], str] = str

    def add(self, name: str, parent: str = "", identifier: str = "") -> Group:
        return super().add(self.stored(name), parent, identifier)

    def tree(self) -> Any:
        return self.shape(super().tree())

    def fail_as(self, fault: str, request: Request, connection: socket.socket) -> Answer | None:
        act = ACTS.get(fault)
        return act(self, request, connection) if act else super().fail_as(fault, request, connection)


def client(at: Sandbox | str, timeout: float = AMPLE) -> Client:
    """Return a client of the stand-in, or of whatever is at an address."""
    if isinstance(at, str):
        return Client(at, KEY, HASH, timeout)
    return Client(f"{at.url}/v1", at.key, at.hash, timeout)


def content(code: object = 200, message: object = "Mesaj", **fields: object) -> bytes:
    """Return an answer's body as the provider words it."""
    return json.dumps({"response": {"status": {"code": code, "message": message}, **fields}}).encode()


def outcome(call: Callable[..., object], *arguments: object) -> object:
    """Return what a call returns, or the ApiError that it raises."""
    try:
        return call(*arguments)
    except ApiError as error:
        return error


ADDED = http(content(group={"id": 7, "name": "A"}))
"""The answer to add-group."""

DRIPS = {
    "status line": b"",
    "headers": b"HTTP/1.1 200 OK\r\nX: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
    "body without length": b"HTTP/1.1 200 OK\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n999\r\n",
    "redirect": b"HTTP/1.1 307 Moved\r\nLocation: /\r\nContent-Length: 9999\r\n\r\n",
}
"""Beginnings of answers, each up to where it drips."""


def _drip(_api: Sandbox, _request: Request, connection: socket.socket) -> None:
    """Send an answer of 20 seconds, a byte at a time, each in time for a timeout that counts only single reads."""
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
        for _ in range(400):
            time.sleep(0.05)
            connection.sendall(b" ")


def _says(status: int, body: bytes, **headers: str) -> Act:
    return lambda _api, _request, _connection: Answer(status, body, headers)


ACTS: dict[str, Act] = {
    "drip": _drip,
    "shape": _says(200, b'{"response": {"status": {"code": 200, "message": "ok"}, "groups": []}}'),
    "text": _says(200, b"OK"),
    "oversized": _says(200, b" " * (MAX_ANSWER + 1)),
    "redirect": lambda api, _request, _connection: Answer(307, b"", {"Location": f"{api.url}/v1/add-group/json"}),
    "quote": lambda _api, request, _connection: stand_in.answer(422, request.body.decode()),
    "code": _says(400, b'{"response": {"status": {"code": 99999999999, "message": "?"}}}'),
    "id": _says(200, rb'{"response": {"status": {"code": 200}, "group": {"id": "5\u0000\ud800"}}}'),
}
"""Ways to fail beyond the stand-in's own.

`quote` refuses with the request in its message, `code` with a number that no database holds, `id` tells a wrong id.
"""

SHAPES: dict[str, Callable[[Any], Any]] = {
    "list": lambda tree: tree,
    "group": lambda tree: {"group": tree},
    "numbered": lambda tree: {str(2 * place): group for place, group in enumerate(tree)},
    "single": lambda tree: tree[0] if len(tree) == 1 else tree,
    "child": lambda tree: [{**group, "children": {"child": group["children"]}} for group in tree],
    "unknown": lambda tree: {"items": tree},
    "empty": lambda _: [],
}
"""What get-groups may make of the account: published, plausible and unknown shapes, and a lie."""

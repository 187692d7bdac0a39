"""What tests of the group API share: its answers, its client, and the outcome of a call."""

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

from bot.iletimerkezi.client import ApiError, Client
from bot.sandbox.api import Api as Sandbox
from bot.sandbox.loopback import Answer
from tests.support.peer import AMPLE, http

KEY, HASH = "key-of-tests", "hash-of-tests"


class Api(Sandbox):
    """The sandbox's provider, in which more can go wrong; it also fails with a success of another `shape`, or a `text`.

    `delay` is how long each call takes, in seconds, and `gates` has an event that a method waits for.
    """

    def __init__(self) -> None:
        super().__init__(KEY, HASH)
        self.called = threading.Event()  # set from the first call of add-group on
        self.list_faults: deque[int | str] = deque()  # of the next calls of get-groups
        self.mood: Callable[[], int | str | None] = lambda: None  # what happens to a call for which no fault is set
        self.delay = 0.0
        self.gates: dict[str, threading.Event] = {}

    def made(self, method: str = "add-group") -> int:
        """Count the calls of a method."""
        return sum(called == method for called, _ in self.calls)

    def next_fault(self, method: str) -> int | str | None:
        with self._lock:
            if method == "add-group":
                self.called.set()
            listed = self.list_faults.popleft() if self.list_faults and method == "get-groups" else None
        fault = listed or super().next_fault(method) or self.mood()
        time.sleep(self.delay)
        if gate := self.gates.get(method):
            while not gate.wait(0.05) and not self._closing.is_set():
                pass
        return fault

    def fail_as(self, fault: str, connection: socket.socket) -> Answer | None:
        odd = {"shape": content(groups=[]), "text": b"OK"}
        return Answer(200, odd[fault]) if fault in odd else super().fail_as(fault, connection)


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

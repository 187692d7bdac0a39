"""The group API's stand-in: keeps groups in memory, refuses as the provider does, and fails when it is told to."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from bot.iletimerkezi.client import Credentials
from bot.iletimerkezi.transport import MAX_ANSWER
from bot.model.group import Group
from bot.sandbox.loopback import Answer, Loopback, Request

MESSAGES = {
    200: "İşlem başarılı",
    400: "İstek çözümlenemedi",
    401: "Üyelik bilgileri hatalı",
    402: "Bakiye yetersiz",
    404: "API istek yapılan yönteme sahip değil",
    422: "İstek içerisindeki değerler doğrulanamadı",
    461: "Grup adını boş bırakamazsınız.",
    463: "Böyle bir grup bulunamadı.",
    503: "Sunucu geçici olarak servis dışı",
}
"""The provider's own sentences, by code."""

FAULTS = ("silence", "close", "half", "drip", "html", "shape", "text", "oversized", "redirect", "lost", "late")
"""Ways to fail. `lost` and `late` do what was asked and then close, or fall silent; the others do nothing."""


class Api(Loopback):
    """Serves add-group, get-groups and get-balance; `calls` records each as (method, body)."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self.credentials = credentials
        self.groups: dict[str, Group] = {}
        self.calls: list[tuple[str, Any]] = []
        self.called = threading.Event()  # set from the first call on
        self.headers: list[dict[str, str]] = []
        self.faults: deque[int | str] = deque()
        self.mood: Callable[[], int | str | None] = lambda: None  # what happens to a call for which no fault is set
        self.delay = 0.0
        self._lock = threading.Lock()
        self._next = 97101

    def add(self, name: str, parent: str = "", identifier: str = "") -> Group:
        """Put a group into the account, as if somebody had made it in the panel."""
        with self._lock:
            group = Group(identifier or str(self._next), name, parent)
            self._next += not identifier
            self.groups[group.id] = group
            return group

    def made(self, method: str = "add-group") -> int:
        """Count the calls of a method."""
        return sum(called == method for called, _ in self.calls)

    def respond(self, request: Request, connection: socket.socket) -> Answer | None:
        path = re.fullmatch("/v1/([a-z-]+)/json", request.path)
        method = path[1] if path else request.path
        body = json.loads(request.body)
        with self._lock:
            self.calls.append((method, body))
            self.headers.append(dict(request.headers))
            self.called.set()
            fault = self.faults.popleft() if self.faults else self.mood()
        if self.delay:
            time.sleep(self.delay)
        if isinstance(fault, int):
            return _answer(fault)
        if fault in ("lost", "late"):
            self._do(method, body)
        if fault:
            return self._fail(fault, connection)
        return self._do(method, body)

    def _do(self, method: str, body: dict[str, Any]) -> Answer:
        given = body["request"]["authentication"]
        if (given["key"], given["hash"]) != (self.credentials.key, self.credentials.hash):
            return _answer(401)
        if method == "get-balance":
            return _answer(200, balance={"amount": 10.584, "sms": 67})
        if method == "get-groups":
            return _answer(200, groups=self._children(""))
        if method != "add-group":
            return _answer(404)
        name, parent = body["request"]["group"]["name"], body["request"]["group"]["parent"]
        if not name:
            return _answer(461)
        if parent and parent not in self.groups:
            return _answer(463)
        group = self.add(name, parent)
        return _answer(200, group={"id": int(group.id), "name": name})

    def _children(self, parent: str) -> list[dict[str, Any]]:
        """Return the groups under a parent as get-groups shows them: ids and counts as text."""
        return [
            {"id": group.id, "name": group.name, "count": "0", "children": self._children(group.id)}
            for group in tuple(self.groups.values())
            if group.parent == parent
        ]

    def _fail(self, fault: str, connection: socket.socket) -> Answer | None:
        match fault:
            case "silence" | "late":
                self.silence(connection)
            case "half":
                connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"response": {"status"')
            case "drip":
                self._drip(connection)
            case "html":
                return Answer(502, b"<html><body>Bad Gateway</body></html>", {"Content-Type": "text/html"})
            case "shape":
                return Answer(200, b'{"response": {"status": {"code": 200, "message": "ok"}, "groups": []}}')
            case "text":
                return Answer(200, b"OK")
            case "oversized":
                return Answer(200, b" " * (MAX_ANSWER + 1))
            case "redirect":
                return Answer(307, b"", {"Location": f"{self.url}/v1/add-group/json"})
        return None

    def _drip(self, connection: socket.socket) -> None:
        """Send an answer of 20 seconds, a byte at a time, each in time for a timeout that counts only single reads."""
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n")
            for _ in range(400):
                if self._closing.wait(0.05):
                    return
                connection.sendall(b" ")
        except OSError:
            return


def _answer(code: int, **fields: Any) -> Answer:
    status = {"code": code, "message": MESSAGES.get(code, "Bilinmeyen hata")}
    content = json.dumps({"response": {"status": status, **fields}}, ensure_ascii=False).encode()
    return Answer(code, content, {"Content-Type": "application/json"})

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

FAULTS: tuple[str, ...] = (
    "silence",
    "close",
    "half",
    "drip",
    "html",
    "shape",
    "text",
    "oversized",
    "redirect",
    "quote",
    "code",
    "id",
)
FAULTS += ("lost", "late")
"""Ways to fail. `lost` and `late` do what was asked and then close, or fall silent; the others do nothing.

`quote` refuses with the request in its message, `code` with a number that no database holds, `id` tells a wrong id.
"""

Tree = list[dict[str, Any]]
"""Groups as get-groups shows them, each with its subgroups under `children`."""

SHAPES: dict[str, Callable[[Tree], Any]] = {
    "list": lambda tree: tree,
    "group": lambda tree: {"group": tree},
    "numbered": lambda tree: {str(2 * place): group for place, group in enumerate(tree)},
    "single": lambda tree: tree[0] if len(tree) == 1 else tree,
    "child": lambda tree: [{**group, "children": {"child": group["children"]}} for group in tree],
    "unknown": lambda tree: {"items": tree},
    "empty": lambda _: [],
}
"""What get-groups may make of the account: published, plausible and unknown shapes, and a lie."""


class Api(Loopback):
    """Serves add-group, get-groups and get-balance to who has its key and hash; `calls` records each as (method, body).

    A list that is late or lies: `delays` has seconds and `gates` an event to wait for, by method; `shape` is what
    get-groups makes of the account, one of SHAPES or any function.
    """

    def __init__(self, key: str, hash: str) -> None:  # noqa: A002  # the provider's word
        super().__init__()
        self.key = key
        self.hash = hash
        self.groups: dict[str, Group] = {}
        self.calls: list[tuple[str, Any]] = []
        self.called = threading.Event()  # set from the first call of add-group on
        self.headers: list[dict[str, str]] = []
        self.faults: deque[int | str] = deque()  # of the next calls, except get-groups
        self.list_faults: deque[int | str] = deque()  # of the next calls of get-groups
        self.mood: Callable[[], int | str | None] = lambda: None  # what happens to a call for which no fault is set
        self.delay = 0.0  # of every call, in seconds
        self.delays: dict[str, float] = {}
        self.gates: dict[str, threading.Event] = {}
        self.shape: Callable[[Tree], Any] = SHAPES["list"]
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
        body = _parsed(request)
        with self._lock:
            self.calls.append((method, body))
            self.headers.append(dict(request.headers))
            if method == "add-group":
                self.called.set()
            faults = self.list_faults if method == "get-groups" else self.faults
            fault = faults.popleft() if faults else self.mood()
        if delay := self.delay + self.delays.get(method, 0.0):
            time.sleep(delay)
        if gate := self.gates.get(method):
            while not gate.wait(0.05) and not self._closing.is_set():
                pass
        if isinstance(fault, int):
            return _answer(fault)
        if fault in ("lost", "late"):
            self._do(method, body)
        if fault:
            return self._fail(fault, request, connection)
        return self._do(method, body)

    def _do(self, method: str, body: Any) -> Answer:
        """Do what is asked. A field that is misnamed or in the wrong place is ignored, as the provider ignores it."""
        asked = _part(body, "request")
        if not asked:
            return _answer(400)
        given = _part(asked, "authentication")
        if (given.get("key"), given.get("hash")) != (self.key, self.hash):
            return _answer(401)
        if method == "get-balance":
            return _answer(200, balance={"amount": 10.584, "sms": 67})
        if method == "get-groups":
            return _answer(200, groups=self.shape(self._tree()))
        if method != "add-group":
            return _answer(404)
        name, parent = (_text(_part(asked, "group").get(field)) for field in ("name", "parent"))
        if not name:
            return _answer(461)
        if parent and parent not in self.groups:
            return _answer(463)
        group = self.add(name, parent)
        return _answer(200, group={"id": int(group.id), "name": name})

    def _tree(self) -> Tree:
        """Return the account as get-groups shows it: ids and counts as text."""
        with self._lock:
            groups = tuple(self.groups.values())
        shown: dict[str, dict[str, Any]] = {
            group.id: {"id": group.id, "name": group.name, "count": "0", "children": []} for group in groups
        }
        top: Tree = []
        for group in groups:
            (shown[group.parent]["children"] if group.parent in shown else top).append(shown[group.id])
        return top

    def _fail(self, fault: str, request: Request, connection: socket.socket) -> Answer | None:
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
            case "quote":
                return _answer(422, request.body.decode())
            case "code":
                return Answer(400, b'{"response": {"status": {"code": 99999999999, "message": "?"}}}')
            case "id":
                return Answer(200, rb'{"response": {"status": {"code": 200}, "group": {"id": "5\u0000\ud800"}}}')
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


def _parsed(request: Request) -> Any:
    """Return the body as JSON; None when it is none."""
    try:
        return json.loads(request.body) if "json" in request.headers.get("content-type", "") else None
    except ValueError:
        return None


def _part(holder: Any, name: str) -> dict[str, Any]:
    """Return an object in an object; an empty one when there is none."""
    part = holder.get(name) if isinstance(holder, dict) else None
    return part if isinstance(part, dict) else {}


def _text(value: object) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _answer(code: int, message: str = "", **fields: Any) -> Answer:
    """Return an answer; one of 422 also tells what is wrong with which field."""
    if code == 422:
        fields["errors"] = {"name": ["Geçersiz değer."]}
    status = {"code": code, "message": message or MESSAGES.get(code, "Bilinmeyen hata")}
    content = json.dumps({"response": {"status": status, **fields}}, ensure_ascii=False).encode()
    return Answer(code, content, {"Content-Type": "application/json"})

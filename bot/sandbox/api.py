"""The group API's stand-in: keeps groups in memory, refuses as the provider does, and fails when it is told to."""

import contextlib
import json
import re
import socket
import threading
from collections import deque
from typing import Any

from bot.model.names import Group
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

FAULTS = ("silence", "close", "half", "html", "lost", "late")
"""Ways to fail. `lost` and `late` do what was asked and then close, or fall silent; the others do nothing."""


class Api(Loopback):
    """Serves add-group, get-groups and get-balance to who has its key and hash; `calls` has each as (method, body)."""

    def __init__(self, key: str, hash: str) -> None:  # noqa: A002  # the provider's word
        super().__init__()
        self.key = key
        self.hash = hash
        self.groups: dict[str, Group] = {}
        self.calls: list[tuple[str, Any]] = []
        self.faults: deque[int | str] = deque()  # of the next calls, except get-groups
        self._lock = threading.Lock()
        self._next = 97101

    def add(self, name: str, parent: str = "", identifier: str = "") -> Group:
        """Put a group into the account, as if somebody had made it in the panel."""
        with self._lock:
            group = Group(identifier or str(self._next), name, parent)
            self._next += not identifier
            self.groups[group.id] = group
            return group

    def next_fault(self, method: str) -> int | str | None:
        """Return how the call of a method that just came fails, None when it does not."""
        with self._lock:
            return self.faults.popleft() if self.faults and method != "get-groups" else None

    def respond(self, request: Request, connection: socket.socket) -> Answer | None:
        path = re.fullmatch("/v1/([a-z-]+)/json", request.path)
        method = path[1] if path else request.path
        body = None
        with contextlib.suppress(ValueError):
            body = json.loads(request.body) if "json" in request.headers.get("content-type", "") else None
        with self._lock:
            self.calls.append((method, body))
        fault = self.next_fault(method)
        if isinstance(fault, int):
            return answer(fault)
        done = self._do(method, body) if fault in (None, "lost", "late") else None
        return self.fail_as(fault, connection) if fault else done

    def _do(self, method: str, body: Any) -> Answer:
        """Do what is asked. A field that is misnamed or in the wrong place is ignored, as the provider ignores it."""
        match body:
            case {"request": {"authentication": {"key": self.key, "hash": self.hash}} as asked}:
                group = asked.get("group")
            case {"request": {}}:
                return answer(401)
            case _:
                return answer(400)
        if method == "get-balance":
            return answer(200, balance={"amount": 10.584, "sms": 67})
        if method == "get-groups":
            return answer(200, groups=self.tree())
        if method != "add-group":
            return answer(404)
        given = [group.get(field) if isinstance(group, dict) else None for field in ("name", "parent")]
        name, parent = (str(value) if isinstance(value, str | int) else "" for value in given)
        if not name:
            return answer(461)
        if parent and parent not in self.groups:
            return answer(463)
        made = self.add(name, parent)
        return answer(200, group={"id": int(made.id), "name": made.name})

    def tree(self) -> Any:
        """Return the account as get-groups shows it: ids and counts as text, subgroups under `children`."""
        with self._lock:
            groups = tuple(self.groups.values())
        shown: dict[str, dict[str, Any]] = {
            group.id: {"id": group.id, "name": group.name, "count": "0", "children": []} for group in groups
        }
        top: list[dict[str, Any]] = []
        for group in groups:
            (shown[group.parent]["children"] if group.parent in shown else top).append(shown[group.id])
        return top

    def fail_as(self, fault: str, connection: socket.socket) -> Answer | None:
        """Fail in one of the ways."""
        if fault in ("silence", "late"):
            self.silence(connection)
        if fault == "half":
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"response": {"status"')
        if fault == "html":
            return Answer(502, b"<html><body>Bad Gateway</body></html>", {"Content-Type": "text/html"})
        return None


def answer(code: int, message: str = "", **fields: Any) -> Answer:
    """Return an answer; one of 422 also tells what is wrong with which field."""
    if code == 422:
        fields["errors"] = {"name": ["Geçersiz değer."]}
    status = {"code": code, "message": message or MESSAGES.get(code, "Bilinmeyen hata")}
    content = json.dumps({"response": {"status": status, **fields}}, ensure_ascii=False).encode()
    return Answer(code, content, {"Content-Type": "application/json"})

"""HTTP on loopback: a server whose answers a stand-in decides, and requests that never go through a proxy."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import requests


def local_request(method: str, url: str, **options: Any) -> requests.Response:
    """Send a request to this machine as requests.request would, whatever proxies the environment names."""
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, **options)


@dataclass(frozen=True)
class Request:
    """What came in; header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What goes out: raw bytes, so that an answer can also be broken."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Loopback:
    """A server that runs from `with` to its end, one thread a connection; connections are kept open between requests.

    A subclass overrides `respond`; it may also act on the socket itself and return None, which closes the connection.
    `ahead` is how far its clock is ahead of the machine's, in seconds. `pause` is called with "connect" and "answer"
    before either is done: a test may stand for a network there.
    """

    def __init__(self) -> None:
        self.ahead = 0.0
        self.pause: Callable[[str], None] = lambda _moment: None
        self._closing = threading.Event()
        self._server = self.listen()
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def listen(self) -> Server:
        """Return the server that listens on loopback for this stand-in."""
        return Server(self)

    def respond(self, request: Request, connection: socket.socket) -> Answer | None:
        """Answer one request."""
        raise NotImplementedError

    def silence(self, connection: socket.socket) -> None:
        """Say nothing until the other side hangs up or the server ends."""
        connection.settimeout(0.1)
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1024):
                    return

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()


class Server(ThreadingHTTPServer):
    """The server behind a Loopback."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, owner: Loopback) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that its other side broke."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.owner.pause("connect")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.owner.pause("answer")
        whole = len(body) == length  # else the process that sends it was killed
        answer = self.server.owner.respond(Request(self.path, headers, body), self.connection) if whole else None
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST  # noqa: N815

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.server.owner.ahead)

    def log_message(self, *args: object) -> None:
        """Say nothing: what matters is recorded by the stand-in."""

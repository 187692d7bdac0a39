"""HTTP on loopback: a server whose answers a stand-in decides, and requests that never go through a proxy."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping
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
class Answer:
    """What goes out: raw bytes, so that an answer can also be broken."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Request(BaseHTTPRequestHandler):
    """What came in over a connection of the server `owner`: `path`, `headers`, which are found in any case, `body`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    body = b""

    def __init__(self, owner: Loopback, *connection: Any) -> None:
        self.owner = owner
        super().__init__(*connection)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        whole = len(self.body) == length  # else the process that sends it was killed
        answer = self.owner.respond(self, self.connection) if whole else None
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *args: object) -> None:
        """Say nothing: what matters is recorded by the stand-in."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 512

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that its other side broke."""


class Loopback:
    """A server that runs from `with` to its end, one thread a connection; connections are kept open between requests.

    A subclass overrides `respond`; it may also act on the socket itself and return None, which closes the connection.
    """

    handler: type[Request] = Request

    def __init__(self) -> None:
        self._closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), lambda *connection: self.handler(self, *connection))
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"

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

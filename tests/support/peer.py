"""A server on loopback whose every move a test decides, for what the stand-ins do not do."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

AMPLE = 20.0  # seconds, for what ends by itself
SHORT = 0.3  # seconds, for what must run out of time before it is sent
LEFT = 2.0  # seconds, for what must run out of time after it was sent, also on a busy machine

Act = Callable[[socket.socket], bytes | None]
"""What a server does to a connection; it returns what it heard, where that matters."""


@dataclass
class Peer:
    """A server on loopback: its port, how many connections it had, and what its acts heard."""

    port: int
    connections: int = 0
    heard: list[bytes | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def peer(*acts: Act) -> Iterator[Peer]:
    """Run a server that does to each connection the next of `acts` (the last again and again), then closes it."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            act = acts[min(server.connections, len(acts) - 1)]
            server.connections += 1
            self.request.settimeout(AMPLE)
            with suppress(OSError):
                server.heard.append(act(self.request))

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as listener:
        server = Peer(listener.server_address[1])
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        listener.shutdown()


CONNECT = b"\r\n\r\n"


def hear(connection: socket.socket, end: bytes = b"}}") -> bytes:
    """Return a request, read to its `end`: that of the JSON, or CONNECT."""
    heard = b""
    while not heard.endswith(end) and (part := connection.recv(65536)):
        heard += part
    return heard


def silent(connection: socket.socket) -> None:
    """Listen, and never answer."""
    while connection.recv(65536):
        pass


def closes(connection: socket.socket) -> None:
    """Hang up once the request is there."""
    hear(connection)


def says(answer: bytes, end: bytes = b"}}", keep: bool = False) -> Act:
    """Answer, end the answer unless the connection is to be kept, and return what comes after the request."""

    def act(connection: socket.socket) -> bytes:
        hear(connection, end)
        connection.sendall(answer)
        if not keep:
            connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)

    return act


OUTLIVED = b"nobody hung up"


def drips(head: bytes, end: bytes = b"}}") -> Act:
    """Send `head`, then a byte now and then, each in time, until the client hangs up."""

    def act(connection: socket.socket) -> bytes:
        hear(connection, end)
        connection.sendall(head)
        for _ in range(1500):
            time.sleep(0.02)
            connection.sendall(b"x")
        return OUTLIVED

    return act


def http(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """Return an HTTP answer."""
    return b"\r\n".join((b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), *lines, b"", body))


def over_tls(act: Act, certificate: Path) -> Act:
    """Do the same over TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def secured(connection: socket.socket) -> bytes | None:
        with context.wrap_socket(connection, server_side=True) as tls:
            return act(tls)

    return secured


def tunnel(act: Act) -> Act:
    """Accept a proxy's CONNECT, then be the server behind it."""

    def act_behind(connection: socket.socket) -> bytes | None:
        hear(connection, CONNECT)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return act(connection)

    return act_behind

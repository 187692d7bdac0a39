"""A TCP relay in a process of its own, which a test can kill or freeze, and a proxy."""

import contextlib
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.peer import CONNECT, hear


def pump(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes on in one direction until either end is gone."""
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def join(one: socket.socket, other: socket.socket) -> None:
    """Pass bytes on in both directions until either end is gone."""
    back = threading.Thread(target=pump, args=(other, one), daemon=True)
    back.start()
    pump(one, other)
    back.join()


class Server(socketserver.ThreadingTCPServer):
    """Listens on a free port of loopback."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, handler: type[socketserver.BaseRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@contextmanager
def relay(port: int) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run a relay to a port of loopback; yield its own port and its process."""
    command = [sys.executable, "-m", "tests.support.relay", str(port)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own
        assert process.stdout
        try:
            yield int(process.stdout.readline()), process
        finally:
            process.kill()


def proxy(connection: socket.socket) -> bytes:
    """Be a proxy for CONNECT to a port of loopback, as an act of a `peer`; return what was asked for."""
    asked = hear(connection, CONNECT)
    connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    with socket.create_connection(("127.0.0.1", int(asked.split()[1].rpartition(b":")[2]))) as onward:
        join(connection, onward)
    return asked


def main() -> None:
    """Relay to the port that is given, and print the own one."""

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as onward:
                join(self.request, onward)

    with Server(Relay) as server:
        print(server.port, flush=True)  # noqa: T201  # for the test
        server.serve_forever()


if __name__ == "__main__":
    main()

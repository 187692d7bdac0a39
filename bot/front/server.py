"""The HTTP server: waitress, with limits that keep slow and hostile clients from silencing the bot.

waitress reads whole requests in its own loop before a thread sees them, so a slow client costs no thread.
"""

from __future__ import annotations

import logging
import socket
import time
from typing import Any
from wsgiref.types import WSGIApplication

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer

from bot.front.http import MAX_BODY

THREADS = 64
"""Requests that are handled at once; each takes milliseconds."""

MOST_CONNECTIONS = 400
"""Open connections at most. One more closes the one that has been silent longest.

Each may have a second file, which holds a long body: together they stay below the 1,024 that most systems allow.
"""

KEEP_ALIVE = 95
"""How long a connection may be silent, in seconds: longer than the proxies of hosting companies keep one."""

DRAIN = 2.0
"""How long requests in flight may take to finish at the stop, in seconds."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address, of IPv6 too (`::` takes IPv4 as well). Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server((str(address[0]), port), family=family, backlog=1024, dualstack_ipv6=both)


class _Channel(HTTPChannel):
    """A connection on which a byte now and then is no activity: only a whole request is."""

    def handle_read(self) -> None:
        begun, before = self.request, self.last_activity
        super().handle_read()
        if begun and self.request:
            self.last_activity = before


class Server(TcpWSGIServer):
    """Serves a WSGI application on a listening socket, from `run` until `stop`; `close` is for after that.

    waitress's own would accept nothing at its limit until somebody leaves.
    """

    channel_class = _Channel
    _map: dict[int, Any]  # what is open, by descriptor: connections, the listening socket and a pipe

    def __init__(
        self, app: WSGIApplication, listener: socket.socket, threads: int = THREADS, connections: int = MOST_CONNECTIONS
    ) -> None:
        """Serve with so many `threads`, and so many `connections` at most."""
        logging.getLogger("waitress").setLevel(logging.ERROR)  # it would log a line for each request that waits
        limits = Adjustments(
            threads=threads,
            connection_limit=connections,
            channel_timeout=KEEP_ALIVE,
            max_request_header_size=16 * 1024,
            max_request_body_size=MAX_BODY + 1,  # waitress refuses what is as long as this
            inbuf_overflow=64 * 1024,  # a longer body waits in a file, so that many of them fit into memory
            log_socket_errors=False,
            ident=None,
        )
        super().__init__(app, {}, _sock=listener, adj=limits, bind_socket=False)
        self.port: int = listener.getsockname()[1]
        self._stopping = False

    def run(self) -> None:
        """Serve until `stop`; then accept nothing more, and finish what is in flight, for at most DRAIN seconds."""
        while not self._stopping:
            self._turn(1.0)
        before = -1
        while before < len(self._map):  # until a turn accepts nobody, and has read what the last one sent
            before = len(self._map)
            self._turn(0.0)
        wasyncore.dispatcher.close(self)  # and not its pipe, to which `stop` writes
        end = time.monotonic() + DRAIN
        while time.monotonic() < end and any(c.requests or c.request or c.total_outbufs_len for c in self._channels()):
            self._turn(0.05)
        self.task_dispatcher.shutdown(timeout=1)
        for channel in self._channels():
            channel.handle_close()

    def stop(self) -> None:
        """Let `run` come to its end. Any thread and a signal's handler may call it."""
        if not self._stopping:
            self._stopping = True
            self.pull_trigger()

    def handle_accept(self) -> None:
        """Accept one who waits, and make room at the limit by closing the one that has been silent longest.

        That can be done at once: nobody else gets its descriptor in this turn, whose events are still the old one's.
        """
        super().handle_accept()
        silent = [channel for channel in self._channels() if not channel.requests]
        if silent and len(self._map) >= self.adj.connection_limit:
            min(silent, key=lambda channel: channel.last_activity).handle_close()

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(seconds, use_poll=True, map=self._map, count=1)  # select() fails from descriptor 1024 on

    def _channels(self) -> list[_Channel]:
        channels: Any = self.active_channels  # by descriptor; the stubs say otherwise
        return list(channels.values())

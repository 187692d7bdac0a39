"""One WebSocket connection to Slack: opened, read in a thread of its own, and closed."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from bot import network
from bot.log import event
from bot.network import proxy_of

PING = 4.0
"""Seconds between pings, and seconds that each may stay unanswered: a silent peer is noticed after both."""

OPEN = 10.0
"""Seconds that opening a connection may take, from the TCP connection to Slack's hello."""

_CLOSE = 1.0  # Slack does not always end the TCP connection after the closing handshake
_LONGEST = 16 * 1024 * 1024  # bytes of a message from Slack
_GIVEN_UP = {"too_many_websockets", "link_disabled"}  # Slack sends nothing more over a connection with these

Message = dict[str, Any]


class Link:
    """A connection to Slack.

    It counts as up from Slack's `hello` until it ends. `leaving` is set when another is needed in its place: Slack has
    announced that it will close this one, or it has ended. `reason` is a word for the log that says why.
    Source: https://docs.slack.dev/apis/events-api/using-socket-mode
    """

    def __init__(self, url: str, take: Callable[[Link, Message], None], ended: Callable[[Link], None]) -> None:
        """Prepare a connection to `url`, which holds a secret ticket; `take` gets each envelope."""
        self.leaving = threading.Event()
        self.reason = ""
        self.connections = 0  # how many Slack counts for this app
        self._url = url
        self._take = take
        self._ended = ended
        self._greeted = self._over = self._closing = False
        self._changed = threading.Condition()
        self._socket: ClientConnection | None = None
        self._timer: threading.Timer | None = None

    def open(self) -> bool:
        """Connect, and wait for Slack's hello; tell whether the connection is up."""
        threading.Thread(target=self._run, name="socket-link", daemon=True).start()
        with self._changed:
            if not self._changed.wait_for(lambda: self._greeted or self._over, OPEN):
                self.reason = "no_hello"
            return self._greeted and not self._over

    @property
    def up(self) -> bool:
        """Whether Slack can send over this connection."""
        return self._greeted and not self._over

    def send(self, text: str) -> bool:
        """Send a message; tell whether the connection took it."""
        try:
            if self._socket:
                self._socket.send(text)
                return True
        except (ConnectionClosed, OSError):
            pass
        return False

    def close(self) -> None:
        """Close the connection; this takes a second at most."""
        with self._changed:
            self._closing = True
        if self._timer:
            self._timer.cancel()
        if self._socket:
            self._socket.close()

    def close_in(self, seconds: float) -> None:
        """Close the connection after a while, unless Slack does it first."""
        self._timer = threading.Timer(seconds, self.close)
        self._timer.daemon = True
        self._timer.start()

    def _run(self) -> None:
        word = "fault"
        try:
            with connect(self._url, **_options(self._url)) as opened:
                self._read(opened)
            word = "closed"
        except (WebSocketException, OSError, ValueError, ImportError) as error:  # ImportError: no SOCKS at hand
            word = _word(error)
        finally:
            self._end(word)

    def _read(self, opened: ClientConnection) -> None:
        _bound_sends(opened)
        with self._changed:
            self._socket = opened
            if self._closing:
                return
        for received in opened:
            message = _decoded(received)
            match message.get("type"):
                case "hello":
                    self._greet(message)
                case "disconnect":
                    if self._announced(str(message.get("reason", ""))):
                        return
                case _:
                    self._take(self, message)

    def _greet(self, hello: Message) -> None:
        connections = hello.get("num_connections")
        with self._changed:
            self.connections = connections if isinstance(connections, int) else 0
            self._greeted = True
            self._changed.notify_all()

    def _announced(self, reason: str) -> bool:
        """Note that Slack will close this connection; tell whether it is of no use from now on."""
        self.reason = reason or "disconnect"
        self.leaving.set()
        return reason in _GIVEN_UP

    def _end(self, word: str) -> None:
        with self._changed:
            self.reason = self.reason or word
            self._over = True
            self._changed.notify_all()
        if self._timer:
            self._timer.cancel()
        self._ended(self)
        self.leaving.set()


def _options(url: str) -> dict[str, Any]:
    """Return how to connect: with the same trust and the same proxies as every other call of this process."""
    proxy = proxy_of(url)
    return {
        "ssl": network.context() if url.startswith("wss:") else None,
        "proxy": proxy or None,
        "proxy_ssl": network.context() if proxy.startswith("https:") else None,
        "compression": None,  # so that a frame has the size of what is sent
        "open_timeout": OPEN,
        "ping_interval": PING,
        "ping_timeout": PING,
        "close_timeout": _CLOSE,
        "max_size": _LONGEST,
        "logger": logging.Logger("websockets", logging.CRITICAL),  # lower levels hold the ticket, bodies and tracebacks
    }


def _bound_sends(opened: ClientConnection) -> None:
    """Have the system give up on bytes that nobody takes: a blocked send would keep the pings waiting behind it."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
    if option is not None:
        with contextlib.suppress(OSError):  # the connection may have ended already
            opened.socket.setsockopt(socket.IPPROTO_TCP, option, int(2 * PING * 1000))


def _decoded(received: str | bytes) -> Message:
    """Return a message of Slack's; what cannot be read is logged and becomes one without a type."""
    try:
        message = json.loads(received)
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        event("socket_message_not_read", level=logging.WARNING, length=len(received))
        return {}
    return message


def _word(error: Exception) -> str:
    """Return a word for the log. The errors' own texts may hold the ticket or a proxy's password."""
    match error:
        case ConnectionClosed(rcvd=None, sent=None):
            return "no_close_frame"
        case ConnectionClosed(rcvd=None):
            return "ping_timeout"
        case ConnectionClosed(rcvd=received):
            return f"closed_{received.code}" if received else "closed"
        case InvalidStatus():
            return f"http_{error.response.status_code}"
        case _:
            return type(error).__name__

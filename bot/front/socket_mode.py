"""Socket Mode: keeps a connection to Slack up, answers its envelopes, and says when it stays lost.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import App
from slack_bolt.response import BoltResponse
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from bot import network
from bot.front.http import MAX_ANSWER, dispatch
from bot.log import event
from bot.metrics import metrics
from bot.model.job import TryLater
from bot.slack.client import SlackRefused

PING = 4.0
"""Seconds between pings, and seconds that each may stay unanswered: a silent peer is noticed after both."""

OPEN = 10.0
"""Seconds that opening a connection may take, and then Slack's hello."""

LOST_AFTER = 60.0
"""How long the connection may be lost, in seconds, before the process ends; Slack's own refreshes take a few."""

STEADY = 10.0
"""How long a connection must last, in seconds, to be no part of a series that comes and goes."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
"""The pauses between attempts to connect grow between these, in seconds, where Slack does not ask for more."""

_RETIRED = 10.0  # seconds in which Slack may still send over a connection whose end it has announced
_ACKNOWLEDGE, _CLOSE = 3.0, 1.0  # seconds at the stop; Slack does not always end TCP after the closing handshake
_THREADS = 32  # envelopes at once, as many as requests over HTTP; most take milliseconds, forms wait for Slack
_GIVEN_UP = ("too_many_websockets", "link_disabled")  # Slack sends nothing more over a connection with these

Message = dict[str, Any]


class _Link:
    """One connection. It is up from Slack's hello to its end; `leaving` is set when another is needed in its place."""

    def __init__(self) -> None:
        self.socket: ClientConnection | None = None
        self.up_at: float | None = None
        self.leaving = threading.Event()
        self.reason = ""
        self.connections: object = None  # how many Slack counts for this app

    def send(self, text: str) -> bool:
        """Send a text; tell whether the connection took it."""
        with contextlib.suppress(ConnectionClosed, OSError):
            if self.socket:
                self.socket.send(text)
                return True
        return False


class Connection:
    """Keeps a Socket Mode connection for a Bolt app, and calls `lost` once it has been gone for LOST_AFTER seconds.

    `open_url` asks Slack (apps.connections.open) for the URL of a new connection, each time that one is needed; it
    raises TryLater or SlackRefused.
    """

    def __init__(self, app: App, open_url: Callable[[], str], lost: Callable[[], None]) -> None:
        self._app, self._open_url, self._lost = app, open_url, lost
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="envelope")
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._links: set[_Link] = set()
        self._current: _Link | None = None
        self._up_at: float | None = None  # since when there has been a connection
        self._ended_at: float | None = None
        self._lost_at = time.monotonic()  # since when there has been none that lasts

    def open(self) -> None:
        """Connect, and keep the connection up from now on; returns at once."""
        for name, target in (("socket-mode", self._keep), ("socket-watch", self._watch)):
            threading.Thread(target=target, name=name, daemon=True).start()

    def connected(self) -> bool:
        """Tell whether Slack can reach the bot: a connection stands, and Slack has said hello on it."""
        return self._current is not None and not self._closing.is_set()

    def close(self) -> None:
        """Take nothing more from Slack, let what is under way be acknowledged, and close: a few seconds at most."""
        with self._lock:
            self._closing.set()
            links = tuple(self._links)
        _within(_ACKNOWLEDGE, self._pool.shutdown)
        _within(2 * _CLOSE, *(link.socket.close for link in links if link.socket))

    def _keep(self) -> None:
        """Open a connection whenever there is none, or the current one is about to end."""
        failures, pause = 0, 0.0
        while not self._closing.wait(pause):
            link, asked = _Link(), 0.0
            try:
                url = self._open_url()
            except (TryLater, SlackRefused) as error:
                asked = min(getattr(error, "seconds", None) or 0.0, LOST_AFTER)
                self._not_connected(str(error))
            else:
                threading.Thread(target=self._serve, args=(link, url), name="socket-link", daemon=True).start()
                link.leaving.wait()
            steady = link.up_at is not None and time.monotonic() - link.up_at >= STEADY
            failures = 0 if steady else min(failures + 1, 30)
            grown = min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE) if failures else 0.0
            pause = max(grown * random.uniform(0.5, 1), asked)  # noqa: S311  # no secret: bots shall not come together

    def _not_connected(self, reason: str) -> None:
        if not self._closing.is_set():
            event("socket_not_connected", level=logging.WARNING, reason=reason)

    def _serve(self, link: _Link, url: str) -> None:
        """Read one connection to its end."""
        word = "fault"
        try:
            with connect(url, **_options(url)) as link.socket:
                _bound_sends(link.socket)
                with self._lock:
                    self._links.add(link)
                while not (self._closing.is_set() and not link.up_at) and link.reason not in _GIVEN_UP:
                    seconds = OPEN if not link.up_at else _RETIRED if link.leaving.is_set() else None
                    try:
                        received = link.socket.recv(seconds)
                    except TimeoutError:
                        word = "no_hello"
                        break
                    self._read(link, received)
        except (WebSocketException, OSError, ValueError, network.Misconfigured) as error:
            word = _word(error)
        finally:
            self._end(link, word)

    def _read(self, link: _Link, received: str | bytes) -> None:
        message = _decoded(received)
        match message.get("type"):
            case "hello":
                self._greet(link, message.get("num_connections"))
            case "disconnect":
                link.reason = str(message.get("reason") or "disconnect")
                if link.reason not in _GIVEN_UP:  # those end now: first the end, then the next
                    link.leaving.set()
            case _ if isinstance(message.get("envelope_id"), str) and isinstance(message.get("payload"), dict):
                self._take(link, message)

    def _greet(self, link: _Link, connections: object) -> None:
        """Make this the current connection."""
        with self._lock:
            before, self._current, link.up_at = self._current, link, time.monotonic()
            self._up_at = self._up_at or link.up_at
        if before:
            event("socket_refreshed", reason=before.reason, connections=connections)
        elif self._ended_at is None:
            event("socket_connected", connections=connections)
        else:
            event("socket_back", seconds=link.up_at - self._ended_at, connections=connections)

    def _end(self, link: _Link, word: str) -> None:
        """Note that a connection has ended; only the current one's end makes the bot deaf."""
        link.reason = link.reason or word
        with self._lock:
            self._links.discard(link)
            lost = link is self._current
            if lost:
                self._ended_at = time.monotonic()
                self._lost_at = self._ended_at if self._lasts() else self._lost_at
                self._current = self._up_at = None
        if lost and not self._closing.is_set():
            event("socket_lost", level=logging.WARNING, reason=link.reason)
        elif not link.up_at:
            self._not_connected(link.reason)
        link.leaving.set()

    def _lasts(self) -> bool:
        return self._up_at is not None and time.monotonic() - self._up_at >= STEADY

    def _watch(self) -> None:
        """Count the time without a connection, and end the process when that lasts."""
        looked = self._lost_at
        while not self._closing.wait(1.0):
            with self._lock:
                now, deaf = time.monotonic(), self._current is None
                seconds = 0.0 if self._lasts() else now - self._lost_at
            if deaf:
                metrics.socket_mode_lost(now - looked)
            looked = now
            if seconds > LOST_AFTER:
                event("socket_given_up", level=logging.ERROR, seconds=seconds)
                self._lost()
                return

    def _take(self, link: _Link, envelope: Message) -> None:
        """Answer an envelope at once and in a thread of its own, so that no acknowledgement waits for another."""
        with self._lock:
            if not self._closing.is_set():
                self._pool.submit(self._answer, link, envelope, time.monotonic())

    def _answer(self, link: _Link, envelope: Message, came: float) -> None:
        again = {"x-slack-retry-num": "retry_attempt", "x-slack-retry-reason": "retry_reason"}  # as HTTP says it
        headers = {name: str(envelope[key]) for name, key in again.items() if envelope.get(key) is not None}
        response = dispatch(self._app, envelope["payload"], headers)
        if response.status != 200:
            what = {"type": envelope.get("type"), "command": envelope["payload"].get("command")}
            event("socket_not_answered", level=logging.WARNING, status=response.status, **what)
            return
        text = acknowledgement(envelope, response)
        current = self._current  # takes what the one that brought the envelope cannot take any more
        if link.send(text) or (current and current.send(text)):
            metrics.acknowledged(time.monotonic() - came)
        else:
            event("socket_ack_not_sent", level=logging.WARNING, type=envelope.get("type"))


def _within(seconds: float, *calls: Callable[[], object]) -> None:
    """Make calls at the same time, and wait for them so long at most."""
    threads = [threading.Thread(target=call, daemon=True) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds)


def acknowledgement(envelope: Message, response: BoltResponse) -> str:
    """Return the text that acknowledges an envelope with Bolt's response; a bare one where Slack would not take it."""
    bare = {"envelope_id": envelope["envelope_id"]}
    if not response.body or not envelope.get("accepts_response_payload", True):
        return json.dumps(bare)
    is_json = response.headers.get("content-type", [""])[0].startswith("application/json")
    payload = json.loads(response.body) if is_json else {"text": response.body}
    text = json.dumps({**bare, "payload": payload})  # in ASCII: a character a byte, and half an emoji does no harm
    if len(text) <= MAX_ANSWER:
        return text
    event("socket_ack_too_long", level=logging.ERROR, bytes=len(text), type=envelope.get("type"))
    return json.dumps(bare)


def _options(url: str) -> dict[str, Any]:
    """Return how to connect: with the same trust and the same proxies as every other call of this process."""
    proxy = network.proxy_of(url)
    return {
        "ssl": network.context() if url.startswith("wss:") else None,
        "proxy": proxy or None,
        "compression": None,  # so that a frame has the size of what is sent
        "open_timeout": OPEN,
        "ping_interval": PING,
        "ping_timeout": PING,
        "close_timeout": _CLOSE,
        "max_size": 16 * 1024 * 1024,
    }


def _bound_sends(opened: ClientConnection) -> None:
    """Have the system give up on bytes that nobody takes: a blocked send would keep the pings waiting behind it."""
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
        with contextlib.suppress(OSError):  # the connection may have ended already
            opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2 * PING * 1000))


def _decoded(received: str | bytes) -> Message:
    """Return a message of Slack's; what cannot be read is logged and becomes one without a type."""
    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(received)
        if isinstance(message, dict):
            return message
    event("socket_message_not_read", level=logging.WARNING, length=len(received))
    return {}


def _word(error: Exception) -> str:
    """Return a word for the log. The errors' own texts may hold the ticket or a proxy's password."""
    if isinstance(error, InvalidStatus):
        return f"http_{error.response.status_code}"
    if not isinstance(error, ConnectionClosed):
        return type(error).__name__
    if error.rcvd:
        return "closed" if isinstance(error, ConnectionClosedOK) else f"closed_{error.rcvd.code}"
    return "ping_timeout" if error.sent else "no_close_frame"

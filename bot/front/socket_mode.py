"""Socket Mode: keeps a connection to Slack up, answers its envelopes, and says when it stays lost.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

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
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from bot import network
from bot.front.http import MAX_ANSWER, dispatch
from bot.log import event
from bot.metrics import ACKNOWLEDGEMENTS, LOST
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

LONGEST_PAUSE = 15.0
"""The pauses between attempts to connect grow from one second to this, in seconds, where Slack asks for no more."""

_ACKNOWLEDGE, _CLOSE = 3.0, 1.0  # seconds at the stop
_THREADS = 32  # envelopes at once, as many as requests over HTTP; most take milliseconds, forms wait for Slack
_GIVEN_UP = ("too_many_websockets", "link_disabled")  # Slack sends nothing more over a connection with these


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
        self._links: list[ClientConnection] = []  # those that Slack has greeted, the newest last
        self._changed_at = self._lost_at = time.monotonic()  # there is one, or none, since; none that lasts, since

    def open(self) -> None:
        """Connect, and keep the connection up from now on; returns at once."""
        for name, target in (("socket-mode", self._keep), ("socket-watch", self._watch)):
            threading.Thread(target=target, name=name, daemon=True).start()

    def connected(self) -> bool:
        """Tell whether Slack can reach the bot: a connection stands, and Slack has said hello on it."""
        return bool(self._links) and not self._closing.is_set()

    def close(self) -> None:
        """Take nothing more from Slack, let what is under way be acknowledged, and close: a few seconds at most."""
        self._closing.set()
        acknowledging = threading.Thread(target=self._pool.shutdown, daemon=True)
        acknowledging.start()
        acknowledging.join(_ACKNOWLEDGE)
        for link in tuple(self._links):
            link.close()

    def _keep(self) -> None:
        """Open a connection whenever there is none, or the newest one is about to end."""
        failures, pause = 0, 0.0
        while not self._closing.wait(pause):
            began, leaving, asked = time.monotonic(), threading.Event(), 0.0
            try:
                url = self._open_url()
            except (TryLater, SlackRefused) as error:
                asked = min(getattr(error, "seconds", None) or 0.0, LOST_AFTER)
                event("socket_not_connected", level=logging.WARNING, reason=str(error))
            else:
                threading.Thread(target=self._serve, args=(url, leaving), name="socket-link", daemon=True).start()
                leaving.wait()
            failures = 0 if time.monotonic() - began >= STEADY else min(failures + 1, 30)
            grown = min(2.0 ** (failures - 1), LONGEST_PAUSE) if failures else 0.0
            pause = max(grown * random.uniform(0.5, 1), asked)  # noqa: S311  # no secret: bots shall not come together

    def _watch(self) -> None:
        """Count the time without a connection, and end the process when that lasts."""
        looked = self._lost_at
        while not self._closing.wait(1.0):
            now = time.monotonic()
            with self._lock:
                lasts = self._links and now - self._changed_at >= STEADY
                seconds = 0.0 if lasts else now - self._lost_at
                deaf_since = now if self._links else max(looked, self._changed_at)
            LOST.inc(now - deaf_since)
            looked = now
            if seconds > LOST_AFTER:
                event("socket_given_up", level=logging.ERROR, seconds=seconds)
                self._lost()
                return

    def _serve(self, url: str, leaving: threading.Event) -> None:
        """Read one connection to its end; `leaving` is set as soon as another is needed in its place."""
        link, reason = None, "closed"
        try:
            with connect(url, **_options(url)) as link:
                if hasattr(socket, "TCP_USER_TIMEOUT"):  # a send that nobody takes would keep the pings waiting
                    with contextlib.suppress(OSError):  # Slack may have closed it already: what it said is still read
                        link.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2 * PING * 1000))
                seconds: float | None = OPEN
                while reason not in _GIVEN_UP and not (seconds and self._closing.is_set()):
                    match json.loads(link.recv(seconds)):
                        case {"type": "hello", **more}:
                            self._greet(link, more.get("num_connections"))
                            seconds = None
                        case {"type": "disconnect", **more}:
                            reason = str(more.get("reason") or "disconnect")
                            if reason not in _GIVEN_UP:  # those end now: first the end, then the next
                                leaving.set()  # until Slack closes this one, it may still send over it
                        case {"envelope_id": str(), "payload": dict()} as envelope if not self._closing.is_set():
                            with contextlib.suppress(RuntimeError):  # the stop has just begun
                                self._pool.submit(self._answer, link, envelope, time.monotonic())
        except (WebSocketException, OSError, ValueError, network.Misconfigured) as error:
            reason = reason if leaving.is_set() else _word(error)
        self._end(link, reason, refreshed=leaving.is_set())
        leaving.set()

    def _greet(self, link: ClientConnection, connections: object) -> None:
        """Count this connection from Slack's hello on."""
        with self._lock:
            now, refreshed = time.monotonic(), bool(self._links)
            seconds = now - self._changed_at
            self._changed_at = self._changed_at if refreshed else now
            self._links.append(link)
        if refreshed:
            event("socket_refreshed", connections=connections)
        else:
            event("socket_connected", connections=connections, seconds=seconds)

    def _end(self, link: ClientConnection | None, reason: str, refreshed: bool) -> None:
        """Note that a connection has ended; only the last one's end makes the bot deaf."""
        with self._lock:
            greeted = link in self._links
            self._links = [each for each in self._links if each is not link]
            lost = greeted and not self._links
            if lost:
                now = time.monotonic()
                self._lost_at = now if now - self._changed_at >= STEADY else self._lost_at
                self._changed_at = now
        if not self._closing.is_set() and (lost or not (greeted or refreshed)):
            event("socket_lost" if lost else "socket_not_connected", level=logging.WARNING, reason=reason)

    def _answer(self, link: ClientConnection, envelope: dict[str, Any], came: float) -> None:
        """Answer an envelope, in a thread of its own, so that no acknowledgement waits for another."""
        response = dispatch(self._app, envelope["payload"])
        if response.status != 200:
            what = {"type": envelope.get("type"), "command": envelope["payload"].get("command")}
            event("socket_not_answered", level=logging.WARNING, status=response.status, **what)
            return
        text = acknowledgement(envelope, response)
        for each in (link, *self._links):  # another takes what the one that brought it cannot take any more
            with contextlib.suppress(ConnectionClosed, OSError):
                each.send(text)
                ACKNOWLEDGEMENTS.observe(time.monotonic() - came)
                return
        event("socket_ack_not_sent", level=logging.WARNING, type=envelope.get("type"))


def acknowledgement(envelope: dict[str, Any], response: BoltResponse) -> str:
    """Return the text that acknowledges an envelope with Bolt's response; a bare one where Slack would not take it."""
    bare = {"envelope_id": envelope["envelope_id"]}
    if not response.body or not envelope.get("accepts_response_payload", True):
        return json.dumps(bare)
    is_json = response.headers.get("content-type", [""])[0].startswith("application/json")
    payload = json.loads(response.body) if is_json else {"text": response.body}
    text = json.dumps({**bare, "payload": payload})  # in ASCII: a character a byte, and half an emoji does no harm
    return text if len(text) <= MAX_ANSWER else json.dumps(bare)


def _options(url: str) -> dict[str, Any]:
    """Return how to connect: with the same trust and the same proxies as every other call of this process."""
    return {
        "ssl": network.context() if url.startswith("wss:") else None,
        "proxy": network.proxy_of(url) or None,
        "compression": None,  # so that a frame has the size of what is sent
        "open_timeout": OPEN,
        "ping_interval": PING,
        "ping_timeout": PING,
        "close_timeout": _CLOSE,
        "max_size": 16 * 1024 * 1024,
    }


def _word(error: Exception) -> str:
    """Return a word for the log. The errors' own texts may hold the ticket or a proxy's password."""
    if isinstance(error, InvalidStatus):
        return f"http_{error.response.status_code}"
    if isinstance(error, ConnectionClosed):  # 1000 in order, 1006 without a word, 1011 no answer to a ping
        frame = error.rcvd or error.sent
        return f"closed_{frame.code if frame else 1006}"
    return type(error).__name__

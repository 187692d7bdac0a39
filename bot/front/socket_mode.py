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
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from bot import network
from bot.front.http import dispatch
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
"""How long a connection must last after its hello, in seconds, to be no part of a series that comes and goes."""

LONGEST_PAUSE = 15.0
"""The pauses between attempts to connect grow from one second to this, in seconds, where Slack asks for no more."""

_ACKNOWLEDGE, _CLOSE = 3.0, 1.0  # seconds at the stop
_THREADS = 32  # envelopes at once; most take milliseconds, forms wait for Slack
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
        self._links: list[ClientConnection] = []  # those that Slack has greeted, the newest last
        self._greeted_at = 0.0  # the newest
        LOST.set_function(lambda: float(not self.connected()))

    def open(self) -> None:
        """Connect, and keep the connection up from now on; returns at once."""
        threading.Thread(target=self._keep, name="socket-mode", daemon=True).start()

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
        pause, asked, steady_at = 0.0, 0.0, time.monotonic()
        # Not all at the same moment: bots should not all come at once.
        while not self._closing.wait(max(pause * random.uniform(0.5, 1), asked)):  # noqa: S311  # no secret
            began, asked, leaving = time.monotonic(), 0.0, threading.Event()
            try:
                url = self._open_url()
            except (TryLater, SlackRefused) as error:
                asked = min(getattr(error, "seconds", None) or 0.0, LOST_AFTER)
                event("socket_not_connected", level=logging.WARNING, reason=str(error))
            else:
                threading.Thread(target=self._serve, args=(url, leaving), name="socket-link", daemon=True).start()
                leaving.wait()
            now = time.monotonic()
            if began < self._greeted_at <= now - STEADY:
                pause, steady_at = 0.0, now
            else:
                pause = min(2 * pause or 1.0, LONGEST_PAUSE)
            if not self._links and now - steady_at > LOST_AFTER:
                event("socket_given_up", level=logging.ERROR, seconds=now - steady_at)
                self._lost()
                return

    def _serve(self, url: str, leaving: threading.Event) -> None:
        """Read one connection to its end; `leaving` is set as soon as another is needed in its place."""
        link, reason = None, "closed"
        try:
            # With the same trust and the same proxies as every other call of this process.
            with connect(
                url,
                ssl=network.context() if url.startswith("wss:") else None,
                proxy=network.proxy_of(url) or None,
                compression=None,  # so that a frame has the size of what is sent
                ping_interval=PING,
                ping_timeout=PING,
                close_timeout=_CLOSE,
            ) as link:
                # A send that nobody takes would keep the pings waiting. Not every system has this, and Slack may have
                # closed the connection already: what it said is still read.
                with contextlib.suppress(OSError, AttributeError):
                    link.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(2 * PING * 1000))
                while reason not in _GIVEN_UP:
                    match json.loads(link.recv(None if link in self._links else OPEN)):
                        case {"type": "disconnect", **more}:
                            reason = str(more.get("reason"))
                            if reason not in _GIVEN_UP:  # those end now: first the end, then the next
                                leaving.set()  # until Slack closes this one, it may still send over it
                        case _ if self._closing.is_set():
                            pass  # Slack sends it over another process's connection
                        case {"type": "hello", **more}:
                            self._greeted_at = time.monotonic()
                            self._links.append(link)
                            event("socket_connected", connections=more.get("num_connections"))
                        case {"envelope_id": str(), "payload": dict()} as envelope:
                            self._pool.submit(self._answer, link, envelope, time.monotonic())
        except (WebSocketException, OSError, ValueError, RuntimeError, network.Misconfigured) as error:
            # Texts of other errors may hold the ticket or a proxy's password.
            told = str(error) if isinstance(error, ConnectionClosed | InvalidStatus) else type(error).__name__
            reason = reason if leaving.is_set() else told
        greeted = link in self._links
        if link and greeted:
            self._links.remove(link)
        if not self._closing.is_set() and not (greeted and self._links):
            event("socket_lost" if greeted else "socket_not_connected", level=logging.WARNING, reason=reason)
        leaving.set()

    def _answer(self, link: ClientConnection, envelope: dict[str, Any], came: float) -> None:
        """Answer an envelope, in a thread of its own, so that no acknowledgement waits for another."""
        response = dispatch(self._app, envelope["payload"])
        if response.status != 200:
            return  # what nobody listens to, or what was logged
        answer = {"envelope_id": envelope["envelope_id"]}
        if response.body and envelope.get("accepts_response_payload"):
            answer["payload"] = json.loads(response.body)
        for each in (link, *self._links):  # another takes what the one that brought it cannot take any more
            with contextlib.suppress(ConnectionClosed, OSError):
                each.send(json.dumps(answer))  # in ASCII, so half an emoji does no harm
                ACKNOWLEDGEMENTS.observe(time.monotonic() - came)
                return
        event("socket_ack_not_sent", level=logging.WARNING, type=envelope.get("type"))

"""Socket Mode: keeps a connection to Slack up, replaces it in time, and says when it stays lost."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable

from slack_bolt import App

from bot.front.envelopes import Envelope, Envelopes
from bot.front.socket_link import Link
from bot.log import event
from bot.metrics import metrics
from bot.model.job import TryLater
from bot.slack.client import SlackRefused

LOST_AFTER = 60.0
"""How long the connection may be lost, in seconds, before the process ends; Slack's own refreshes take a few."""

STEADY = 10.0
"""How long a connection must last, in seconds, to be no part of a series that comes and goes."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
"""The pauses between attempts to connect grow between these, in seconds, where Slack does not ask for more."""

_RETIRED = 5.0  # seconds in which Slack may still send over a connection that has been replaced
_CLOSE = 2.0  # seconds that closing a connection may take
_ACKNOWLEDGE = 3.0  # seconds that Slack waits for an acknowledgement


class Connection:
    """Keeps a Socket Mode connection for a Bolt app, and calls `lost` once it has been gone for LOST_AFTER seconds.

    `open_url` asks Slack (apps.connections.open) for the URL of a new connection, each time that one is needed; it
    raises TryLater or SlackRefused.
    """

    def __init__(self, app: App, open_url: Callable[[], str], lost: Callable[[], None]) -> None:
        self._open_url = open_url
        self._lost = lost
        self._envelopes = Envelopes(app)
        self._pauses = _Pauses()
        self._outage = _Outage()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._links: set[Link] = set()
        self._current: Link | None = None

    def open(self) -> None:
        """Connect, and keep the connection up from now on; returns at once."""
        for name, target in (("socket-mode", self._keep), ("socket-watch", self._watch)):
            threading.Thread(target=target, name=name, daemon=True).start()

    def connected(self) -> bool:
        """Tell whether Slack can reach the bot: a connection stands, and Slack has said hello on it."""
        current = self._current
        return current is not None and current.up and not self._closing.is_set()

    def close(self) -> None:
        """Take nothing more from Slack, let what is under way be acknowledged, and close: a few seconds at most."""
        self._envelopes.refuse()
        with self._lock:
            self._closing.set()
        self._envelopes.finish(_ACKNOWLEDGE)
        with self._lock:
            closing = [threading.Thread(target=link.close, daemon=True) for link in self._links]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(_CLOSE)

    def _keep(self) -> None:
        """Open a connection whenever there is none, or the current one is about to end."""
        while not self._closing.wait(self._pauses.next()):
            if (link := self._opened()) and self._replace(link):
                began = time.monotonic()
                link.leaving.wait()
                if time.monotonic() - began >= STEADY:
                    self._pauses.reset()

    def _opened(self) -> Link | None:
        """Open one connection, or log why that did not work."""
        try:
            link = Link(self._open_url(), self._take, self._ended)
        except (TryLater, SlackRefused) as error:
            self._pauses.at_least(error.seconds if isinstance(error, TryLater) else None)
            self._not_opened(str(error))
            return None
        with self._lock:
            if self._closing.is_set():
                return None
            self._links.add(link)
        if link.open():
            return link
        link.close()
        self._not_opened(link.reason)
        return None

    def _not_opened(self, reason: str) -> None:
        if not self._closing.is_set():
            event("socket_not_connected", level=logging.WARNING, reason=reason)

    def _replace(self, link: Link) -> bool:
        """Make this the current connection, and let go of the one before; False if it has ended already."""
        with self._lock:
            if not link.up:
                return False
            before, self._current = self._current, link
            seconds = None if before else self._outage.up()
        if before:
            before.close_in(_RETIRED)
            event("socket_refreshed", reason=before.reason, connections=link.connections)
        elif seconds is None:
            event("socket_connected", connections=link.connections)
        else:
            event("socket_back", seconds=seconds, connections=link.connections)
        return True

    def _ended(self, link: Link) -> None:
        """Note that a connection has ended; only the current one's end makes the bot deaf."""
        with self._lock:
            self._links.discard(link)
            if link is not self._current:
                return
            self._current = None
            self._outage.down()
        if not self._closing.is_set():
            event("socket_lost", level=logging.WARNING, reason=link.reason)

    def _take(self, link: Link, envelope: Envelope) -> None:
        self._envelopes.take(envelope, lambda text: link.send(text) or self._send(text))

    def _send(self, text: str) -> bool:
        """Send over the current connection what the one that it belongs to could not take any more."""
        current = self._current
        return current is not None and current.send(text)

    def _watch(self) -> None:
        while not self._closing.wait(1.0):
            with self._lock:
                self._outage.count()
                seconds = self._outage.seconds()
            if seconds > LOST_AFTER:
                event("socket_given_up", level=logging.ERROR, seconds=seconds)
                self._lost()
                return


class _Pauses:
    """The pauses between attempts: none at first, then growing, and never all bots at the same moment."""

    def __init__(self) -> None:
        self._attempts = 0
        self._least = 0.0

    def next(self) -> float:
        """Return how long to wait before the next attempt, in seconds."""
        grown = min(FIRST_PAUSE * 2 ** (self._attempts - 1), LONGEST_PAUSE) if self._attempts else 0.0
        pause = max(grown * random.uniform(0.5, 1), self._least)  # noqa: S311  # no secret
        self._attempts, self._least = min(self._attempts + 1, 30), 0.0
        return pause

    def at_least(self, seconds: float | None) -> None:
        """Make the next pause as long as Slack asks for, within reason."""
        self._least = min(seconds or 0.0, LOST_AFTER)

    def reset(self) -> None:
        """Begin again with no pause."""
        self._attempts = 0


class _Outage:
    """How long there has been no connection that lasts. One that comes and goes at once does not count as back."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._down: float | None = None
        self._up: float | None = None
        self._counted = self._began

    def count(self) -> None:
        """Add the time without a connection to the metrics."""
        now = time.monotonic()
        if self._up is None:
            metrics.socket_mode_lost(now - self._counted)
        self._counted = now

    def up(self) -> float | None:
        """Note that there is a connection; return the seconds since the last one ended, None if it is the first."""
        self.count()
        self._up = time.monotonic()
        return None if self._down is None else self._up - self._down

    def down(self) -> None:
        """Note that the connection has ended."""
        now = time.monotonic()
        if self._lasts(now):
            self._began = now
        self._down, self._up, self._counted = now, None, now

    def seconds(self) -> float:
        """Return how long it has lasted, 0 if there is none."""
        now = time.monotonic()
        return 0.0 if self._lasts(now) else now - self._began

    def _lasts(self, now: float) -> bool:
        return self._up is not None and now - self._up >= STEADY

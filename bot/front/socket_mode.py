"""Socket Mode: the connection that the bot opens to Slack, watched, so that one that stays lost ends the process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from http.client import HTTPException

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackClientError

from bot.logs import event

LOST_AFTER = 60.0
"""How long the connection may be lost, in seconds, before the process ends; Slack's own refreshes take a few."""

_LOOK = 1.0


class Connection:
    """Keeps a Socket Mode connection for a Bolt app, and calls `lost` once it has been gone for LOST_AFTER seconds."""

    def __init__(self, app: App, app_token: str, lost: Callable[[], None]) -> None:
        # The SDK logs envelopes at its lower levels: its logger is one of those that logs.quiet() keeps quiet.
        self._handler = SocketModeHandler(app, app_token, logger=logging.getLogger("slack_bolt"))
        self._lost = lost
        self._closed = threading.Event()

    def open(self) -> None:
        """Connect, and watch the connection from now on; a Slack that does not answer counts as a lost connection."""
        self._try_to_connect()
        threading.Thread(target=self._watch, name="socket-mode", daemon=True).start()

    def connected(self) -> bool:
        """Tell whether the connection stands."""
        return bool(self._handler.client.is_connected())

    def close(self) -> None:
        """Take nothing more from Slack."""
        self._closed.set()
        self._handler.close()  # type: ignore[no-untyped-call]

    def _try_to_connect(self) -> None:
        try:
            self._handler.connect()  # type: ignore[no-untyped-call]
        except (SlackClientError, OSError, ValueError, HTTPException) as error:
            event("socket_not_connected", level=logging.WARNING, reason=type(error).__name__)

    def _watch(self) -> None:
        seen = time.monotonic()
        while not self._closed.wait(_LOOK):
            if self.connected():
                seen = time.monotonic()
            elif time.monotonic() - seen > LOST_AFTER:
                event("socket_lost", level=logging.ERROR, seconds=time.monotonic() - seen)
                self._lost()
                return
            elif not self._handler.client.auto_reconnect_enabled or self._handler.client.current_session is None:
                self._try_to_connect()

"""The processes: HTTP under gunicorn, Socket Mode beside it, and a stop that loses nothing."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk.errors import SlackApiError, SlackClientError

from bot import __version__
from bot.app import Bot, web_client
from bot.logs import event
from bot.settings import Settings, SettingsError
from bot.web import Web

STOP = 22
"""How long what is under way may take to finish, in seconds; 25 with what gunicorn takes before. Heroku kills at 30."""

_THREADS = 32  # requests at once; each takes milliseconds


def serve(settings: Settings) -> None:
    """Serve until a signal says stop. Raises SettingsError when Slack refuses the token."""
    _check_token(settings)
    _Gunicorn(settings).run()


def _check_token(settings: Settings) -> None:
    """Refuse to start with a token that Slack refuses; a Slack that does not answer is no reason not to start."""
    try:
        web_client(settings).auth_test()
    except SlackApiError as error:
        if error.response.get("error") in ("invalid_auth", "account_inactive", "token_revoked", "token_expired"):
            raise SettingsError([f"Slack refuses SLACK_BOT_TOKEN: {error.response['error']}."]) from error
        event("slack_not_asked", level=logging.WARNING, reason=error.response.get("error"))
    except (SlackClientError, OSError) as error:
        event("slack_not_asked", level=logging.WARNING, reason=type(error).__name__)


class _Logger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's messages in the bot's own log; no access log."""

    def setup(self, cfg: Config) -> None:
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with one process that holds the bot: built after the fork, stopped after the last request.

    In Socket Mode the same process holds the connection, and HTTP serves the health check alone.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop: list[Callable[[], None]] = []
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        options: dict[str, Any] = {
            "bind": f"{settings.host}:{settings.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": _THREADS,
            "worker_connections": 1000,
            "graceful_timeout": STOP + 5,
            "control_socket_disable": True,
            "logger_class": _Logger,
            "worker_exit": lambda _arbiter, _worker: self._finish(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Web:
        bot = Bot(self._settings)
        bot.start()
        self._stop = [lambda: bot.stop(STOP)]
        if self._settings.socket_mode:
            socket = SocketModeHandler(bot.bolt, self._settings.slack_app_token, logger=logging.getLogger("slack_bolt"))
            socket.connect()  # type: ignore[no-untyped-call]
            self._stop.insert(0, socket.close)
        event("started", version=__version__, mode="socket" if self._settings.socket_mode else "http")
        return bot.web

    def _finish(self) -> None:
        for stop in self._stop:
            stop()
        event("stopped")
        sys.stderr.flush()

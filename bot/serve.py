"""The processes: one that takes commands in, one that carries them, and a stop that loses nothing."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger
from slack_sdk.web import SlackResponse

from bot import __version__
from bot.app import Bot, web_client
from bot.front.http import HttpApp
from bot.front.socket_mode import Connection
from bot.journal.journal import Journal
from bot.journal.wakeup import Wakeup
from bot.logs import event
from bot.model.job import TryLater
from bot.settings import Settings, SettingsError
from bot.slack.client import SlackRefused, called

STOP = 22
"""How long what is under way may take to finish, in seconds; 25 with what gunicorn takes before. Heroku kills at 30."""

_THREADS = 32  # requests at once; each takes milliseconds


def serve(settings: Settings, environ: dict[str, str]) -> int:
    """Serve until a signal says stop, and return the exit status: 0, or 1 when Socket Mode's connection stayed lost.

    Raises SettingsError when Slack refuses a token, and JournalError when the journal cannot be used.
    """
    _check_tokens(settings)
    _prepare(settings, environ)
    server = _Gunicorn(settings)
    try:
        server.run()
    except SystemExit as stopped:
        return 1 if server.lost.value else int(stopped.code or 0)
    return 0


def _check_tokens(settings: Settings) -> None:
    """Refuse to start with a token that Slack refuses; a Slack that does not answer is no reason not to start."""
    slack = web_client(settings)
    _check("SLACK_BOT_TOKEN", slack.auth_test)
    if settings.socket_mode:
        _check("SLACK_APP_TOKEN", lambda: slack.apps_connections_open(app_token=settings.slack_app_token))


def _check(name: str, call: Callable[[], SlackResponse]) -> None:
    try:
        called(call)
    except SlackRefused as error:
        raise SettingsError([f"Slack refuses {name}: {error.error}."]) from error
    except TryLater as error:
        event("slack_not_asked", level=logging.WARNING, token=name, reason=error.why)


def _prepare(settings: Settings, environ: dict[str, str]) -> None:
    """Make the journal's tables, in a process that ends before the bot's threads begin."""
    if "DYNO" in environ and settings.database_url.startswith("sqlite"):
        event(
            "journal_will_not_last", level=logging.WARNING, remedy="this disk is emptied at every restart; add Postgres"
        )
    journal = Journal(settings.database_url)
    journal.open()
    journal.close()


class _Logger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's messages in the bot's own log; no access log."""

    def setup(self, cfg: Config) -> None:
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with two processes: one takes commands in, the other carries them, so that no command waits for work.

    In Socket Mode the first holds the connection, and HTTP serves the health check alone. What has threads is built
    after the fork, and stopped after the last request. `lost` says across the processes that the connection stayed
    lost.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop: list[Callable[[], None]] = []
        self._wakeup = Wakeup()
        self._carries = False
        self.lost = multiprocessing.Value("b", 0)
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        options: dict[str, Any] = {
            "bind": f"{settings.host}:{settings.port}",
            "workers": 2,
            "worker_class": "gthread",
            "threads": _THREADS,
            "worker_connections": 1000,
            "graceful_timeout": STOP + 5,
            "control_socket_disable": True,
            "logger_class": _Logger,
            "pre_fork": self._choose,
            "worker_exit": lambda _arbiter, _worker: self._finish(),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def _choose(self, arbiter: Any, worker: Any) -> None:
        """Let the process that is about to be forked carry, if there is none that does; it gets no requests then."""
        taking_in = sum(bool(other.sockets) for other in arbiter.WORKERS.values())
        self._carries = taking_in > len(arbiter.WORKERS) - taking_in
        if self._carries:
            worker.sockets = []

    def load(self) -> HttpApp:
        bot = Bot(self._settings, self._wakeup)
        if self._carries:
            bot.start()
            self._stop = [lambda: bot.stop(STOP)]
            event("started", part="carrier", pid=os.getpid(), version=__version__)
            return bot.web
        self._stop = [bot.close]
        if self._settings.socket_mode:
            connection = Connection(bot.bolt, self._connection_url, self._end)
            connection.open()
            bot.also_healthy = connection.connected
            self._stop.insert(0, connection.close)
        mode = "socket" if self._settings.socket_mode else "http"
        event("started", part="front", pid=os.getpid(), version=__version__, mode=mode)
        return bot.web

    def _connection_url(self) -> str:
        """Ask Slack where to connect to. Raises SlackRefused or TryLater."""
        slack, token = web_client(self._settings), self._settings.slack_app_token
        return str(called(lambda: slack.apps_connections_open(app_token=token)).get("url", ""))

    def _end(self) -> None:
        """End the process as a signal would, so that its supervisor starts it anew."""
        self.lost.value = 1
        os.kill(os.getppid(), signal.SIGTERM)

    def _finish(self) -> None:
        for stop in self._stop:
            stop()
        event("stopped", part="carrier" if self._carries else "front")
        sys.stderr.flush()

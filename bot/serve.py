"""`python -m bot serve`: the bot behind its HTTP server, from the start to a stop that loses nothing."""

import logging
import os
import signal
import socket
import threading
import time

from bot import __version__, log, metrics
from bot.bot import Bot
from bot.front.http import metrics_app
from bot.front.server import Server, listen
from bot.log import event
from bot.model.job import TryLater
from bot.model.outcome import OUTCOMES
from bot.settings import Settings, SettingsError
from bot.slack.client import BAD_TOKEN, SlackClient, SlackRefused, slack_client

STOP = 20
"""How long jobs under way may take to finish at the stop, in seconds."""

END = 24.5
"""How long the whole stop may take, in seconds; what still runs then is ended. Heroku kills everything after 30."""

_SAME_SIGNAL = 0.2  # seconds; a terminal and the program that runs `serve` in it may both pass one on


class Serve:
    """Serves with `settings`, which were read from `environ`, until a signal says stop."""

    def __init__(self, settings: Settings, environ: dict[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._server: Server | None = None
        self._stopped_at: float | None = None
        self._status = 0

    def run(self) -> int:
        """Serve, let what is under way finish, and return the exit status: 1 when Socket Mode's connection stayed lost.

        Raises SettingsError when Slack refuses a token, JournalError when the journal cannot be used, and SystemExit
        when a port cannot.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
                signal.signal(number, lambda _number, _frame: self._signalled())
        threading.excepthook = _end_with
        _check_tokens(self._settings)
        if "DYNO" in self._environ and self._settings.database_url.startswith("sqlite"):
            remedy = "this disk is emptied at every restart; add Postgres"
            event("journal_will_not_last", level=logging.WARNING, remedy=remedy)
        bot = Bot(self._settings, self._lost)
        listener = self._listen("PORT", self._settings.port)
        if self._settings.metrics_port:
            self._serve_metrics(bot)
        bot.start()
        self._server = Server(bot.front.web, listener)
        mode = "socket" if self._settings.socket_mode else "http"
        event("started", pid=os.getpid(), version=__version__, mode=mode)
        self._server.run()
        late = threading.Timer(END - (time.monotonic() - (self._stopped_at or 0.0)), self._end_late)
        late.daemon = True
        late.start()
        bot.stop(STOP)
        event("stopped")
        return self._status

    def _listen(self, name: str, port: int) -> socket.socket:
        """Return a socket at a port; end with status 1 where its address is in use, or none of this machine."""
        host = self._settings.host
        try:
            return listen(host, port)
        except OSError as error:
            log.say(f"HOST and {name}: cannot listen at {host}:{port}: {error.strerror}.")
            raise SystemExit(1) from error

    def _serve_metrics(self, bot: Bot) -> None:
        """Answer /metrics until the end of this process, the stop included."""
        listener = self._listen("METRICS_PORT", self._settings.metrics_port)
        metrics.begin(OUTCOMES)
        server = Server(metrics_app(bot.journal.backlog), listener, threads=2, connections=16)
        threading.Thread(target=server.run, name="metrics", daemon=True).start()

    def _signalled(self) -> None:
        """Stop at the first signal; end at once at a second one, or before anything was begun."""
        if self._server is None:
            raise SystemExit(0)
        if self._stopped_at is None:
            self._stop()
        elif time.monotonic() - self._stopped_at > _SAME_SIGNAL:
            os._exit(1)

    def _lost(self) -> None:
        """Stop because Socket Mode's connection stayed lost: a supervisor then starts the bot again."""
        self._status = 1
        self._stop()

    def _stop(self) -> None:
        self._stopped_at = self._stopped_at or time.monotonic()
        if self._server:
            self._server.stop()

    def _end_late(self) -> None:
        event("stopped_late", level=logging.WARNING, seconds=END)
        logging.shutdown()
        os._exit(self._status)


def _end_with(dead: threading.ExceptHookArgs) -> None:
    """End the process with a thread that died of a fault: half a bot would keep what it holds, and do nothing."""
    name = dead.thread.name if dead.thread else "?"
    event("thread_died", level=logging.ERROR, thread=name, trace=dead.exc_value)
    logging.shutdown()
    os._exit(1)


def _check_tokens(settings: Settings) -> None:
    """Refuse to start with a token that Slack refuses. No answer, or a word that is not known, keeps nobody waiting."""
    calls = [("SLACK_BOT_TOKEN", slack_client(settings), "auth.test")]
    if settings.socket_mode:
        app = SlackClient(settings.slack_app_token, settings.slack_api_url)
        calls.append(("SLACK_APP_TOKEN", app, "apps.connections.open"))
    for name, slack, method in calls:
        try:
            slack.call(method)
        except (SlackRefused, TryLater) as error:
            if str(error) in BAD_TOKEN:
                raise SettingsError([f"Slack refuses {name}: {error}."]) from error
            event("slack_not_asked", level=logging.WARNING, token=name, reason=str(error))

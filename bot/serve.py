"""The two processes: the front, which is this one, and the worker, its child; and a stop that loses nothing."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time

from bot import __version__, log
from bot.front.front import Front
from bot.front.metrics_page import metrics_app
from bot.front.server import Server, listen
from bot.journal.wakeup import Bell
from bot.log import event
from bot.metrics import FOLDER, folder
from bot.model.job import TryLater
from bot.model.outcome import OUTCOMES
from bot.settings import Settings, SettingsError
from bot.slack.client import BAD_TOKEN, SlackClient, SlackRefused, slack_client

STOP = 22
"""How long jobs under way may take to finish at the stop, in seconds."""

END = 24.5
"""How long the whole stop may take, in seconds; what still runs then is killed. Heroku kills everything after 30."""

LAST_WORDS = 10.0
"""How long a worker may take to end once it is silent for good, in seconds."""

_SAME_SIGNAL = 0.2  # seconds; a terminal and the program that runs `serve` in it may both pass one on
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0  # seconds before a worker that died is replaced
_STEADY = 30.0  # a worker that lived so long, in seconds, did not die at its start


def serve(settings: Settings, environ: dict[str, str]) -> int:
    """Serve until a signal says stop; `environ` is what the settings were read from, for the worker to read as well.

    Returns the exit status: 0, or 1 when the port cannot be used or Socket Mode's connection stayed lost. Raises
    SettingsError when Slack refuses a token, and JournalError when the journal cannot be used at the start.
    """
    if not settings.metrics_port:
        return _Processes(settings, environ).run()
    with contextlib.ExitStack() as until_the_end:
        try:
            path = until_the_end.enter_context(folder(OUTCOMES))
        except OSError as error:
            log.say(f"METRICS_PORT: no room for the metrics in a temporary folder: {error.strerror}.")
            return 1
        return _Processes(settings, {**environ, FOLDER: path}).run()


class _CannotListen(Exception):
    """An address is in use, or none of this machine; the message names the variables."""


class _Processes:
    """A front in this process and a worker in another, from `run` until a signal says stop."""

    def __init__(self, settings: Settings, environ: dict[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._worker = WorkerProcess(environ)
        self._server: Server | None = None
        self._stopped_at: float | None = None
        self._status = 0

    def run(self) -> int:
        """Serve, and return the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup has it
                signal.signal(number, lambda _number, _frame: self._signalled())
        _check_tokens(self._settings)
        _warn_of_a_passing_disk(self._settings, self._environ)
        front = Front(self._settings, self._worker.bell.ring, {"worker": self._worker.bell.alive}, self._lost)
        front.open()
        try:
            listener = self._listen("PORT", self._settings.port)
            if self._settings.metrics_port:
                self._serve_metrics(front)
        except _CannotListen as error:
            log.say(str(error))
            return 1
        self._server = Server(front.web, listener)
        self._worker.start()
        front.connect()
        mode = "socket" if self._settings.socket_mode else "http"
        event("started", part="front", pid=os.getpid(), version=__version__, mode=mode)
        self._server.run()
        self._finish(front)
        return self._status

    def _listen(self, name: str, port: int) -> socket.socket:
        host = self._settings.host
        try:
            return listen(host, port)
        except OSError as error:
            raise _CannotListen(f"HOST and {name}: cannot listen at {host}:{port}: {error.strerror}.") from error

    def _serve_metrics(self, front: Front) -> None:
        """Answer /metrics until the end of this process, the stop included."""
        listener = self._listen("METRICS_PORT", self._settings.metrics_port)
        server = Server(metrics_app(self._environ[FOLDER], front.backlog), listener, threads=2, connections=16)
        threading.Thread(target=server.run, name="metrics", daemon=True).start()

    def _finish(self, front: Front) -> None:
        """Let the worker finish, and close."""
        late = threading.Timer(END - (time.monotonic() - (self._stopped_at or 0.0)), self._end_late)
        late.daemon = True
        late.start()
        self._worker.stop()
        front.hang_up()
        self._worker.join()
        front.close()
        event("stopped", part="front")

    def _signalled(self) -> None:
        """Stop at the first signal; end at once at a second one, or before anything was begun."""
        if self._server is None:
            raise SystemExit(0)
        if self._stopped_at is None:
            self._stop()
        elif time.monotonic() - self._stopped_at > _SAME_SIGNAL:
            self._end(1)

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
        self._end(self._status)

    def _end(self, status: int) -> None:
        """End both processes now."""
        self._worker.kill()
        os._exit(status)


class WorkerProcess:
    """The worker: started again, after a pause that grows, whenever it dies. `bell` wakes it and knows if it lives."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.bell = Bell()
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="worker", daemon=True)

    def start(self) -> None:
        """Start the worker, and keep one running from now on."""
        self._keeper.start()

    def stop(self) -> None:
        """Let the worker finish what is under way, and start no other."""
        with self._starting:
            self._stopping.set()
        if self._process:
            self._process.terminate()

    def join(self) -> None:
        """Wait for the worker's end."""
        self._keeper.join()

    def kill(self) -> None:
        """End the worker at once."""
        if self._process:
            self._process.kill()

    def _keep(self) -> None:
        # Inherited by the worker: the terminal's signals are for the front, which tells the worker when to stop.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            ended = self._run()
            if self._stopping.is_set():
                return
            if time.monotonic() - began > _STEADY:
                pause = _FIRST_PAUSE
            event("worker_ended", level=logging.ERROR, status=ended, again_in=pause)
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _run(self) -> int | str:
        """Run one worker to its end; return its exit status, or why it could not be started."""
        command = [sys.executable, "-m", "bot.worker", str(STOP)]
        with self.bell.connect() as link, self._starting:
            if self._stopping.is_set():
                return 0
            try:
                self._process = subprocess.Popen(command, env=self._environ, stdin=link.fileno())  # noqa: S603
            except OSError as error:
                return f"not started: {error.strerror}"
        self.bell.listen()
        try:
            return self._process.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return "hung"


def _check_tokens(settings: Settings) -> None:
    """Refuse to start with a token that Slack refuses. No answer, or a word that is not known, keeps nobody waiting."""
    _check("SLACK_BOT_TOKEN", slack_client(settings), "auth.test")
    if settings.socket_mode:
        app = SlackClient(settings.slack_app_token, settings.slack_api_url)
        _check("SLACK_APP_TOKEN", app, "apps.connections.open")


def _check(name: str, slack: SlackClient, method: str) -> None:
    try:
        slack.call(method)
    except (SlackRefused, TryLater) as error:
        if str(error) in BAD_TOKEN:
            raise SettingsError([f"Slack refuses {name}: {error}."]) from error
        event("slack_not_asked", level=logging.WARNING, token=name, reason=str(error))


def _warn_of_a_passing_disk(settings: Settings, environ: dict[str, str]) -> None:
    if "DYNO" in environ and settings.database_url.startswith("sqlite"):
        event(
            "journal_will_not_last", level=logging.WARNING, remedy="this disk is emptied at every restart; add Postgres"
        )

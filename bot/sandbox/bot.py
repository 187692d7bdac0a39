"""The whole bot in this process: front, worker and HTTP server on loopback, wired to the stand-ins.

`serve` runs the same front and worker, in a process each.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Mapping

from bot import settings
from bot.front.front import Front
from bot.front.server import Server, listen
from bot.journal.wakeup import Bell, Wakeup
from bot.sandbox.api import Api
from bot.sandbox.workspace import BOT_TOKEN, Workspace
from bot.worker.worker import Worker


class Bot:
    """Serves at `url`, from `start` to `stop`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read the settings from `environ`. Raises SettingsError."""
        chosen = settings.read(environ)
        self._file = chosen.database_url.partition(":///")[2]
        self._bell = Bell()
        self._link = self._bell.connect()
        wakeup = Wakeup(self._link)
        self._front = Front(chosen, self._bell.ring, {"worker": self._bell.alive}, lambda: None)
        self.worker = Worker(chosen, wakeup)
        self._server = Server(self._front.web, listen("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.port}"
        listening = (self._server.run, self._bell.listen, wakeup.listen)
        self._threads = [threading.Thread(target=target, daemon=True) for target in listening]

    def start(self) -> None:
        """Begin to serve. Raises JournalError."""
        self._front.open()
        self.worker.start()
        for thread in self._threads:
            thread.start()

    def alive(self) -> bool:
        """Tell whether the worker has shown a sign of life."""
        return self._bell.alive()

    def busy(self) -> bool:
        """Tell whether a job is open in the SQLite journal; two seconds after its answer one no longer counts."""
        unanswered = "answered_at IS NULL OR answered_at > strftime('%s', 'now') - 2"
        with contextlib.closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True)) as journal:
            return bool(journal.execute(f"SELECT 1 FROM jobs WHERE closed_at IS NULL AND ({unanswered})").fetchone())  # noqa: S608

    def stop(self, seconds: float) -> None:
        """Take nothing more, and let what is under way finish, for at most so long."""
        self._server.stop()
        self.worker.stop(seconds)
        self._bell.close()
        for thread in self._threads:
            thread.join()
        self._link.close()
        self._server.close()
        self._front.close()


def variables(workspace: Workspace, api: Api | None) -> Mapping[str, str]:
    """Return the settings of a bot between the stand-ins; without `api` those of the real API stay as they are."""
    slack = {
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": workspace.signing_secret,
        "SLACK_APP_TOKEN": "",
        "SLACK_API_URL": f"{workspace.url}/api/",
        "HOST": "127.0.0.1",
        "DATABASE_URL": "",
    }
    if api is None:
        return slack
    return slack | {
        "ILETIMERKEZI_API_KEY": api.key,
        "ILETIMERKEZI_API_HASH": api.hash,
        "ILETIMERKEZI_API_SECRET": "",
        "ILETIMERKEZI_API_URL": f"{api.url}/v1",
    }

"""The whole bot in this process, behind its HTTP server on loopback, wired to the stand-ins."""

import threading
from collections.abc import Mapping

from bot import settings
from bot.bot import Bot as Parts
from bot.front.server import Server, listen
from bot.sandbox.api import Api
from bot.sandbox.workspace import BOT_TOKEN, Workspace

THREADS = 8
"""How many requests are handled at once: nobody but one person, or one test, sends any."""


class Bot:
    """Serves at `url`, from `start` to `stop`."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read the settings from `environ`. Raises SettingsError."""
        self.settings = settings.read(environ)
        self.parts = Parts(self.settings, lambda: None)
        self._server = Server(self.parts.front.web, listen("127.0.0.1", 0), threads=THREADS)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        """Begin to serve. Raises JournalError."""
        self.parts.start()
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Take nothing more, and let what is under way finish, for at most so long; a second time does nothing."""
        if not self._thread.is_alive():
            return
        self._server.stop()
        self._thread.join()
        self.parts.stop(seconds)
        self._server.close()


def variables(workspace: Workspace, api: Api | None) -> Mapping[str, str]:
    """Return the settings of a bot between the stand-ins; without `api` those of the real API stay as they are."""
    slack = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_SIGNING_SECRET": workspace.signing_secret, "SLACK_APP_TOKEN": ""}
    slack |= {"SLACK_API_URL": f"{workspace.url}/api/", "HOST": "127.0.0.1", "DATABASE_URL": ""}
    if api is None:
        return slack
    key = {"ILETIMERKEZI_API_KEY": api.key, "ILETIMERKEZI_API_HASH": api.hash, "ILETIMERKEZI_API_SECRET": ""}
    return {**slack, **key, "ILETIMERKEZI_API_URL": f"{api.url}/v1"}

"""What every test shares: stand-ins on loopback, and a bot between them, in this process, behind real HTTP."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from bot import settings
from bot.app import Bot
from bot.iletimerkezi import Credentials
from bot.sandbox.api import Api
from bot.sandbox.process import variables
from bot.sandbox.workspace import Workspace


@pytest.fixture(autouse=True)
def _no_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's proxies and the developer's own settings out of the tests."""
    for name in tuple(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("SLACK_", "ILETIMERKEZI_", "ADDGROUP_")):
            monkeypatch.delenv(name)


@pytest.fixture
def api() -> Iterator[Api]:
    with Api(Credentials("key-of-tests", "hash-of-tests")) as stand_in:
        stand_in.add("Customers", identifier="5")
        yield stand_in


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with Workspace("signing-secret-of-tests") as stand_in:
        yield stand_in


@dataclass
class Running:
    """A bot in this process and the address at which it serves."""

    bot: Bot
    url: str


@pytest.fixture
def start(workspace: Workspace, api: Api) -> Iterator[Callable[..., Running]]:
    """Start a bot between the stand-ins; keyword arguments are further variables of its environment."""
    with ExitStack() as stack:

        def _start(**environ: str) -> Running:
            bot = Bot(settings.read({**variables(workspace, api), "ILETIMERKEZI_TIMEOUT": "1", **environ}))
            stack.callback(bot.stop)
            server = make_server("127.0.0.1", 0, bot.web, _Server, _Quiet)
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return Running(bot, f"http://127.0.0.1:{server.server_port}")

        yield _start


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 256


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""

"""A real `serve` process on loopback, wired to the stand-ins."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import socket
from pathlib import Path
from typing import ClassVar

import requests

from bot.sandbox.bot import variables
from bot.sandbox.loopback import local_request
from bot.sandbox.workspace import Workspace
from tests.support.program import PATIENT, Program
from tests.support.provider import Api
from tests.support.until import until


class Served:
    """`python -m bot serve`, started at once and ready when the constructor returns; else it raises AssertionError.

    `code` may change the bot before it runs; `more` are variables beyond those of the stand-ins; `log` is the file that
    gets its standard error. conftest kills what a failed test leaves in `running`.
    """

    running: ClassVar[set[Served]] = set()

    def __init__(
        self, workspace: Workspace, api: Api | None, directory: Path, code: str = PATIENT, **more: str
    ) -> None:
        self.port = int(more.get("PORT") or free_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = directory / f"serve-{self.port}.log"
        self._environ = {**inherited(), **variables(workspace, api), "PORT": str(self.port), **more}
        with self.log.open("ab") as log, Path(os.devnull).open() as nothing:
            streams = nothing.fileno(), log.fileno(), log.fileno()
            self.process = Program(code, ("serve",), directory, self._environ, streams)
        self.running.add(self)
        with contextlib.ExitStack() as unless_ready:  # Ctrl-C may come before it is
            unless_ready.callback(self.kill)
            until(self._ready, seconds=60, failed=self.log.read_text)
            unless_ready.pop_all()

    def _ready(self) -> bool:
        assert self.process.poll() is None, f"serve did not start:\n{self.log.read_text()}"
        try:
            return local_request("GET", f"{self.url}/healthz", timeout=20).status_code == 200
        except requests.RequestException:
            return False

    def stop(self, number: int = signal.SIGTERM, seconds: float = 60) -> int:
        """Send a signal to the process and return its exit status."""
        self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash of the machine would."""
        self.process.kill()
        self.running.discard(self)


def children(process: int) -> list[int]:
    """Return the ids of the processes that a process has started, from whichever of its threads."""
    found: list[str] = []
    with contextlib.suppress(OSError):  # it has ended
        for thread in Path(f"/proc/{process}/task").iterdir():
            found += (thread / "children").read_text().split()
    return [int(child) for child in found]


def state(process: int) -> str:
    """Return the letter for what a process does, such as S while it waits and Z when it has ended; "" without one."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def inherited() -> dict[str, str]:
    """Return the process's variables without those of the bot and of proxies, which would reach past the sandbox.

    Nor those of a `make test PYTHON=…`, which the `make` of a test would take for its own.
    """
    return {name: value for name, value in os.environ.items() if not _REACHES_OUT.match(name)}


_REACHES_OUT = re.compile(
    r"SLACK_|ILETIMERKEZI_|ADDGROUP_|(DATABASE_URL(_FILE)?|DYNO|HOST|(METRICS_)?PORT|LOG_LEVEL|LOG_FORMAT|.*_proxy|"
    r"MAKE.*|MFLAGS|PYTHON|TEXT)$",
    re.IGNORECASE,
)


def listens(port: int) -> bool:
    """Whether somebody listens at a port on loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    """Return a port on loopback that nobody uses, below those that the system gives to connections of others.

    Until this process ends, no test of this machine gets it again: a socket with its name says so.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        claim = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError), socket.socket() as probe:
            claim.bind(f"\0addgroup-test-port-{port}")
            probe.bind(("127.0.0.1", port))
            _CLAIMS.append(claim)
            return port
        claim.close()


_CLAIMS: list[socket.socket] = []

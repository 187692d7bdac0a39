"""Two real serves on one journal: one is killed, frozen or stopped, and the other goes on without sending twice."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from bot.journal.tables import steps
from bot.sandbox.api import Api
from bot.sandbox.workspace import Workspace
from tests.support.relay import join
from tests.support.served import Served
from tests.support.slack import answered
from tests.support.texts import part
from tests.support.until import until


@pytest.fixture
def serves(workspace: Workspace, api: Api, tmp_path: Path, database_url: str) -> Iterator[list[Served]]:
    """Two serves that share a journal; what a test starts beside them is ended too."""
    more = {"DATABASE_URL": database_url, "ADDGROUP_LANGUAGE": "en", "ILETIMERKEZI_TIMEOUT": "3"}
    running = [Served(workspace, api, tmp_path, **more) for _ in range(2)]
    yield running
    for served in running:
        served.kill()


def sent(api: Api) -> list[str]:
    return sorted(body["request"]["group"]["name"] for method, body in api.calls if method == "add-group")


def test_what_a_killed_serve_held_is_adopted(workspace: Workspace, api: Api, serves: list[Served]) -> None:
    """The one that lives answers its jobs and its own; the request under way is looked up, and none is sent twice."""
    dead, living = serves
    api.faults.append("silence")
    assert workspace.command(dead.url, "A").status == 200
    until(lambda: sent(api) == ["A"])
    dead.process.send_signal(signal.SIGSTOP)  # so that it accepts, and begins nothing more
    dead.kill()
    for number in range(5):
        assert workspace.command(living.url, f"B{number}").status == 200
    for name in ("A", *(f"B{number}" for number in range(5))):
        assert answered(workspace, name, 40)
    assert sent(api) == ["A", *(f"B{number}" for number in range(5))]
    assert "event=adopted" in living.log.read_text()
    assert living.stop() == 0


def test_a_frozen_serve_says_nothing_when_it_wakes_up(workspace: Workspace, api: Api, serves: list[Served]) -> None:
    """It was adopted meanwhile: it drops what it held, answers nothing twice, and goes on with what comes."""
    frozen, living = serves
    gate = api.gates["add-group"] = threading.Event()
    assert workspace.command(frozen.url, "A").status == 200
    until(lambda: sent(api) == ["A"])
    os.kill(frozen.process.pid, signal.SIGSTOP)
    until(lambda: "event=adopted" in living.log.read_text(), seconds=40)
    gate.set()
    assert answered(workspace, "A", 40)
    os.kill(frozen.process.pid, signal.SIGCONT)
    assert workspace.command(frozen.url, "C").status == 200
    assert answered(workspace, "C", 20)
    until(lambda: "event=taken_over" in frozen.log.read_text())
    assert sent(api) == ["A", "C"]
    (root,) = (each for each in workspace.roots() if "`A`" in each.text)
    assert len(workspace.thread(root)) == 1
    for served in serves:
        assert served.stop() == 0


def sending(engine: Engine) -> bool:
    """Tell whether it is written down that a request is about to leave."""
    with engine.connect() as connection:
        return connection.scalar(select(steps.c.state)) == "sending"


class SlowTls:
    """A TLS server before the stand-in, which begins its handshakes when it is let."""

    def __init__(self, port: int, certificate: Path) -> None:
        self.let = threading.Event()
        self._onward = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            self.let.wait(60)
            with (
                self._context.wrap_socket(client, server_side=True) as secured,
                socket.create_connection(("127.0.0.1", self._onward)) as onward,
            ):
                join(secured, onward)

    def close(self) -> None:
        self._listener.close()


def test_a_serve_that_is_frozen_before_the_first_byte_sends_nothing(
    workspace: Workspace, api: Api, tmp_path: Path, database_url: str, engine: Engine, certificate: Path
) -> None:
    """Within the TLS handshake, for longer than a take-over; its call could take a minute, so only its hold is over."""
    slow = SlowTls(api.port, certificate)
    more = {"DATABASE_URL": database_url, "ADDGROUP_LANGUAGE": "en"}
    address = {"ILETIMERKEZI_API_URL": f"https://127.0.0.1:{slow.port}/v1", "SSL_CERT_FILE": str(certificate)}
    frozen = Served(workspace, api, tmp_path, ILETIMERKEZI_TIMEOUT="60", **more, **address)
    living = Served(workspace, api, tmp_path, ILETIMERKEZI_TIMEOUT="1", **more)
    try:
        workspace.command(frozen.url, "A parent=5")
        until(lambda: sending(engine))
        os.kill(frozen.process.pid, signal.SIGSTOP)
        assert answered(workspace, "A", 40)
        (answer,) = (m for m in workspace.messages if m.thread_ts)
        assert part("en", "unknown.heading") in answer.text
        slow.let.set()
        os.kill(frozen.process.pid, signal.SIGCONT)
        until(lambda: "event=taken_over" in frozen.log.read_text())
        assert sent(api) == []
        assert [frozen.stop(), living.stop()] == [0, 0]
    finally:
        frozen.kill()
        living.kill()
        slow.close()

"""Two real serves on one journal: one is killed, frozen or stopped, and the other goes on without sending twice."""

import signal
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from bot.journal.tables import steps
from bot.sandbox.api import Api
from tests.support.journal import on_postgresql, on_sqlite
from tests.support.relay import Server, join
from tests.support.served import Served
from tests.support.slack import answered
from tests.support.texts import part
from tests.support.until import until
from tests.support.workspace import Workspace


@pytest.fixture
def serve(workspace: Workspace, api: Api, tmp_path: Path, database_url: str) -> Iterator[Callable[..., Served]]:
    """Start serves that share a journal."""
    with ExitStack() as stack:

        def _serve(**environ: str) -> Served:
            more = {"DATABASE_URL": database_url, "ADDGROUP_LANGUAGE": "en", "ILETIMERKEZI_TIMEOUT": "3", **environ}
            served = Served(workspace, api, tmp_path, **more)
            stack.callback(served.kill)
            return served

        yield _serve


def sent(api: Api) -> list[str]:
    return sorted(body["request"]["group"]["name"] for method, body in api.calls if method == "add-group")


@on_sqlite
def test_what_a_killed_serve_held_is_adopted(workspace: Workspace, api: Api, serve: Callable[..., Served]) -> None:
    """The one that lives answers its jobs and its own; the request under way is looked up, and none is sent twice."""
    dead, living = serve(), serve()
    api.faults.append("silence")
    assert workspace.command(dead.url, "A").status == 200
    until(lambda: sent(api) == ["A"])
    dead.process.send_signal(signal.SIGSTOP)  # so that it accepts, and begins nothing more
    dead.kill()
    names = [f"B{number}" for number in range(5)]
    for name in names:
        assert workspace.command(living.url, name).status == 200
    for name in ("A", *names):
        assert answered(workspace, name, 90)
    assert sent(api) == ["A", *names]
    assert "event=adopted" in living.log.read_text()
    assert living.stop() == 0


@on_postgresql
def test_a_frozen_serve_says_nothing_when_it_wakes_up(
    workspace: Workspace, api: Api, serve: Callable[..., Served]
) -> None:
    """It was adopted meanwhile: it drops what it held, answers nothing twice, and goes on with what comes."""
    frozen, living = serve(), serve()
    gate = api.gates["add-group"] = threading.Event()
    assert workspace.command(frozen.url, "A").status == 200
    until(lambda: sent(api) == ["A"])
    frozen.process.send_signal(signal.SIGSTOP)
    until(lambda: "event=adopted" in living.log.read_text(), seconds=90)
    gate.set()
    assert answered(workspace, "A", 90)
    frozen.process.send_signal(signal.SIGCONT)
    assert workspace.command(frozen.url, "C").status == 200
    assert answered(workspace, "C", 90)
    until(lambda: "event=taken_over" in frozen.log.read_text())
    assert sent(api) == ["A", "C"]
    (root,) = (each for each in workspace.roots() if "`A`" in each.text)
    assert len(workspace.thread(root)) == 1
    assert [frozen.stop(), living.stop()] == [0, 0]


@contextmanager
def slow_tls(port: int, certificate: Path) -> Iterator[tuple[int, threading.Event]]:
    """Run a TLS server before the stand-in; it begins its handshakes when the event is set."""
    let, context = threading.Event(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            let.wait(60)
            onward = socket.create_connection(("127.0.0.1", port))
            with suppress(OSError), onward, context.wrap_socket(self.request, server_side=True) as secured:
                join(secured, onward)

    with Server(Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.port, let
        server.shutdown()


@on_sqlite
def test_a_serve_that_is_frozen_before_the_first_byte_sends_nothing(
    workspace: Workspace, api: Api, serve: Callable[..., Served], engine: Engine, certificate: Path
) -> None:
    """Within the TLS handshake, for longer than a take-over; its call could take a minute, so only its hold is over."""

    def sending() -> bool:
        with engine.connect() as connection:
            return connection.scalar(select(steps.c.state)) == "sending"

    with slow_tls(api.port, certificate) as (port, let):
        address = {"ILETIMERKEZI_API_URL": f"https://127.0.0.1:{port}/v1", "SSL_CERT_FILE": str(certificate)}
        frozen, living = serve(ILETIMERKEZI_TIMEOUT="60", **address), serve(ILETIMERKEZI_TIMEOUT="1")
        workspace.command(frozen.url, "A parent=5")
        until(sending)
        frozen.process.send_signal(signal.SIGSTOP)
        assert answered(workspace, "A", 90)
        (answer,) = (m for m in workspace.messages if m.thread_ts)
        assert part("en", "unknown.heading") in answer.text
        let.set()
        frozen.process.send_signal(signal.SIGCONT)
        until(lambda: "event=taken_over" in frozen.log.read_text())
        assert sent(api) == []
        assert [frozen.stop(), living.stop()] == [0, 0]

"""Real serves on one journal: some are killed or frozen, and another goes on without sending twice."""

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
from sqlalchemy.exc import OperationalError

from bot.journal import tables
from bot.journal.tables import steps
from tests.support.program import BOT
from tests.support.provider import Api
from tests.support.relay import Server, join
from tests.support.served import Served
from tests.support.slack import answered
from tests.support.texts import part
from tests.support.until import until
from tests.support.workspace import Workspace

QUICK = """
from bot.journal import holding
from bot.worker import create_groups, worker
holding.EVERY = worker.EVERY = 0.5
holding.TAKE_OVER = 4.0
create_groups.LOOK_UP_AFTER = 0.1
"""
"""Lets a serve look four times as often, and take over after twice as many looks: a busy machine holds it up."""


@pytest.fixture
def serve(workspace: Workspace, api: Api, tmp_path: Path, database_url: str) -> Iterator[Callable[..., Served]]:
    """Start serves that share a journal; a call of theirs may take two minutes, so that only their hold ends before."""
    with ExitStack() as stack:

        def _serve(**environ: str) -> Served:
            more = {"DATABASE_URL": database_url, "ADDGROUP_LANGUAGE": "en", "ILETIMERKEZI_TIMEOUT": "120", **environ}
            served = Served(workspace, api, tmp_path, QUICK + BOT, **more)
            stack.callback(served.kill)
            return served

        yield _serve


def sent(api: Api) -> list[str]:
    return sorted(body["request"]["group"]["name"] for method, body in api.calls if method == "add-group")


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


def state_of(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.scalar(select(steps.c.state).where(steps.c.name == name))


def frozen_between_writes(served: Served, engine: Engine) -> bool:
    """Freeze a process, unless it holds the database at that moment, which on SQLite it would never let go."""
    served.process.send_signal(signal.SIGSTOP)
    try:
        with engine.begin() as connection:
            tables.lock(connection)
    except OperationalError:
        served.process.send_signal(signal.SIGCONT)
        return False
    return True


def test_what_dead_and_frozen_serves_held_is_adopted(
    workspace: Workspace, api: Api, serve: Callable[..., Served], engine: Engine, certificate: Path
) -> None:
    """Four on one journal: one is killed and one frozen during a call, one before the first byte of another.

    The one that lives answers all their jobs and its own: what may have been sent is looked up. Those that wake up send
    nothing, answer nothing twice, and go on with what comes; one that then learns an ID may correct the answer.
    """
    with slow_tls(api.port, certificate) as (port, let):
        address = {"ILETIMERKEZI_API_URL": f"https://127.0.0.1:{port}/v1", "SSL_CERT_FILE": str(certificate)}
        dead, frozen, handshaking, living = serve(), serve(), serve(**address), serve(ILETIMERKEZI_TIMEOUT="1")
        api.faults.append("silence")
        assert workspace.command(dead.url, "Dead").status == 200
        until(lambda: sent(api) == ["Dead"])
        gate = api.gates["add-group"] = threading.Event()
        assert workspace.command(frozen.url, "Frozen").status == 200
        until(lambda: sent(api) == ["Dead", "Frozen"])
        assert workspace.command(handshaking.url, "Handshake parent=5").status == 200
        until(lambda: state_of(engine, "Handshake") == "sending")
        for each in (dead, frozen, handshaking):
            until(lambda: frozen_between_writes(each, engine))  # noqa: B023  # called at once
        dead.kill()
        gate.set()
        names = [f"Own {number}" for number in range(5)]
        for name in names:
            assert workspace.command(living.url, name).status == 200
        for name in ("Dead", "Frozen", "Handshake", *names):
            assert answered(workspace, name, 90), name
        assert "event=adopted" in living.log.read_text()
        let.set()
        for each in (frozen, handshaking):
            each.process.send_signal(signal.SIGCONT)
            log = each.log
            until(lambda: "event=taken_over" in log.read_text(), failed=log.read_text)  # noqa: B023  # called at once
        assert workspace.command(frozen.url, "Last").status == 200
        assert answered(workspace, "Last", 90)
        assert sent(api) == sorted(["Dead", "Frozen", "Last", *names])
        for name, endings in (("Dead", ["unknown"]), ("Frozen", ["unknown", "created"]), ("Handshake", ["unknown"])):
            (root,) = (each for each in workspace.roots() if f"`{name}`" in each.text)
            (told,) = workspace.thread(root)
            assert [each for each in endings if part("en", f"{each}.heading") in told.text], told.text
        assert [each.stop() for each in (frozen, handshaking, living)] == [0, 0, 0]

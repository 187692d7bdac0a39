"""Slack's end of Socket Mode, for tests: a WebSocket that sends envelopes, as strict as Slack's.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import json
import ssl
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection as Connection
from websockets.sync.server import serve

from tests.support.workspace import Workspace

MAX_FRAME = 20_480
"""Longest frame that Slack takes, in bytes; over a longer one it closes the connection with 1009."""


class Link:
    """The connections that bots have opened.

    `acks` are what they answered, by envelope id; `frames` the sizes of what they sent, in bytes; `codes` how their
    connections were closed. An envelope that was not acknowledged when its connection ended is sent again over another.
    """

    def __init__(self) -> None:
        self.acks: dict[str, dict[str, Any]] = {}
        self.frames: list[int] = []
        self.codes: list[int | None] = []
        self.greets = True  # whether a new connection gets a hello
        self.refuses = ""  # the reason with which a new connection is turned away
        self.comes_and_goes = False  # whether a new connection is turned off right after its hello
        self._connections: list[Connection] = []
        self._open: dict[str, tuple[Connection, dict[str, Any]]] = {}  # envelopes without an answer
        self._tickets: set[str] = set()
        self._times = 0
        self._changed = threading.Condition()

    def connected(self, times: int = 1, seconds: float = 30) -> bool:
        """Wait until bots have connected so many times and one is connected."""
        with self._changed:
            return self._changed.wait_for(lambda: self._times >= times and bool(self._connections), seconds)

    def left(self, connections: int = 0, seconds: float = 30) -> bool:
        """Wait until no more than so many connections are left."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._connections) <= connections, seconds)

    def send(
        self, envelope_id: str, payload: dict[str, Any], kind: str = "slash_commands", over: int = -1, **more: Any
    ) -> None:
        """Send what somebody did to the bot: a `kind` of envelope, over the newest connection or another."""
        envelope = {"type": kind, "envelope_id": envelope_id, "accepts_response_payload": True, "payload": payload}
        with self._changed:
            self._send(self._connections[over], {**envelope, **more})

    def acked(self, envelope_id: str, seconds: float = 30) -> dict[str, Any] | None:
        """Wait for the answer to an envelope: {} for a bare one, None when there was none."""
        with self._changed:
            self._changed.wait_for(lambda: envelope_id in self.acks, seconds)
            return self.acks.get(envelope_id)

    # What happens to connections.

    def drop(self) -> None:
        """Close every connection."""
        for connection in self._now():
            connection.close()

    def disconnect(self, reason: str) -> None:
        """Announce the end of the newest connection, which stays open."""
        self._now()[-1].send(json.dumps(_disconnect(reason)))

    def say(self, text: str | bytes) -> None:
        """Send anything over the newest connection."""
        self._now()[-1].send(text)

    def die(self) -> None:
        """End every connection without a close frame, as the system does for a process that was killed."""
        for connection in self._now():
            connection.close_socket()

    def _now(self) -> tuple[Connection, ...]:
        with self._changed:
            return tuple(self._connections)

    # The server's side.

    def ticket(self, connection: Connection, request: Request) -> Response | None:
        """Let each address of a connection be used once."""
        with self._changed:
            if request.path not in self._tickets:
                self._tickets.add(request.path)
                return None
        return connection.respond(HTTPStatus.NOT_FOUND, "used already\n")

    def take(self, connection: Connection) -> None:
        """Serve one connection until it ends."""
        with suppress(ConnectionClosed):
            if self._greet(connection):
                for message in connection:
                    self._read(message)
        self._forget(connection)

    def _greet(self, connection: Connection) -> bool:
        with self._changed:
            if reason := self.refuses:
                connection.send(json.dumps(_disconnect(reason)))
            elif self.greets:
                self._connections.append(connection)
                connection.send(json.dumps({"type": "hello", "num_connections": len(self._connections)}))
                if self.comes_and_goes:
                    connection.send(json.dumps(_disconnect("too_many_websockets")))
                self._send_again(tuple(self._open))
            self._times += 1
            self._changed.notify_all()
            return not reason

    def _send(self, connection: Connection, envelope: dict[str, Any]) -> None:
        self._open[envelope["envelope_id"]] = (connection, envelope)
        connection.send(json.dumps(envelope))

    def _read(self, message: str | bytes) -> None:
        answer = json.loads(message)
        with self._changed:
            self.frames.append(len(message.encode() if isinstance(message, str) else message))
            self.acks[answer["envelope_id"]] = answer.get("payload") or {}
            self._open.pop(answer["envelope_id"], None)
            self._changed.notify_all()

    def _forget(self, connection: Connection) -> None:
        with self._changed:
            self.codes.append(connection.close_code)
            if connection in self._connections:
                self._connections.remove(connection)
            if self._connections:
                self._send_again([key for key, (owner, _) in self._open.items() if owner is connection])
            self._changed.notify_all()

    def _send_again(self, envelope_ids: Iterable[str]) -> None:
        for envelope_id in envelope_ids:
            self._send(self._connections[-1], {**self._open[envelope_id][1], "retry_reason": "timeout"})


def _disconnect(reason: str) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}


def command(text: str, **more: str) -> dict[str, Any]:
    """Return what Slack sends of a command."""
    sent = {"command": "/addgroup", "text": text, "user_id": "U1", "channel_id": "C1", "team_id": "T1"}
    return {**sent, "trigger_id": "1.1", **more}


@contextmanager
def link(workspace: Workspace, tls: ssl.SSLContext | None = None) -> Iterator[Link]:
    """Let bots of a workspace connect by Socket Mode, with `tls` over wss."""
    end = Link()
    limits: dict[str, Any] = {"max_size": MAX_FRAME, "compression": None, "close_timeout": 1}
    with serve(end.take, "127.0.0.1", 0, ssl=tls, process_request=end.ticket, **limits) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        workspace.socket_url = f"ws{'s' if tls else ''}://127.0.0.1:{server.socket.getsockname()[1]}/link/"
        yield end

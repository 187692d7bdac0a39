"""Slack's end of Socket Mode, for tests: a WebSocket that sends envelopes, as strict as Slack's.

Source: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, cast

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from tests.support.workspace import Workspace

MAX_FRAME = 20_480
"""Longest frame that Slack takes, in bytes; over a longer one it closes the connection with 1009."""


class _Connection(ServerConnection):
    """A connection that can fall silent: then nothing goes out any more, no answer to a ping either."""

    silent = False

    def send_data(self) -> None:
        if self.silent:
            self.protocol.data_to_send()  # and drop it
        else:
            super().send_data()


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
        self._connections: list[_Connection] = []
        self._open: dict[str, tuple[_Connection, dict[str, Any]]] = {}  # envelopes without an answer
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

    def silence(self) -> None:
        """Send nothing more over the connections that there are, and leave them open."""
        for connection in self._now():
            connection.silent = True

    def die(self) -> None:
        """End every connection without a close frame, as the system does for a process that was killed."""
        for connection in self._now():
            connection.close_socket()

    def _now(self) -> tuple[_Connection, ...]:
        with self._changed:
            return tuple(self._connections)

    # The server's side.

    def ticket(self, connection: ServerConnection, request: Request) -> Response | None:
        """Let each address of a connection be used once."""
        with self._changed:
            if request.path not in self._tickets:
                self._tickets.add(request.path)
                return None
        return connection.respond(HTTPStatus.NOT_FOUND, "used already\n")

    def take(self, accepted: ServerConnection) -> None:
        """Serve one connection until it ends."""
        connection = cast(_Connection, accepted)  # serve() makes no others here
        try:
            if self._greet(connection):
                for message in connection:
                    self._read(message)
        except ConnectionClosed:
            pass
        finally:
            self._forget(connection)

    def _greet(self, connection: _Connection) -> bool:
        with self._changed:
            if reason := self.refuses:
                connection.send(json.dumps(_disconnect(reason)))
            elif self.greets:
                connection.send(json.dumps(_hello(len(self._connections) + 1)))
                self._connections.append(connection)
                if self.comes_and_goes:
                    connection.send(json.dumps(_disconnect("too_many_websockets")))
                for _, envelope in tuple(self._open.values()):
                    self._send(connection, _again(envelope))
            self._times += 1
            self._changed.notify_all()
            return not reason

    def _send(self, connection: _Connection, envelope: dict[str, Any]) -> None:
        self._open[envelope["envelope_id"]] = (connection, envelope)
        connection.send(json.dumps(envelope))

    def _read(self, message: str | bytes) -> None:
        answer = json.loads(message)
        with self._changed:
            self.frames.append(len(message.encode() if isinstance(message, str) else message))
            self.acks[answer["envelope_id"]] = answer.get("payload") or {}
            self._open.pop(answer["envelope_id"], None)
            self._changed.notify_all()

    def _forget(self, connection: _Connection) -> None:
        with self._changed:
            self.codes.append(connection.close_code)
            if connection in self._connections:
                self._connections.remove(connection)
            for owner, envelope in tuple(self._open.values()):
                if owner is connection and self._connections:
                    self._send(self._connections[-1], _again(envelope))
            self._changed.notify_all()


def _hello(connections: int) -> dict[str, Any]:
    debug = {"host": "applink-1", "build_number": 1, "approximate_connection_time": 18060}
    info = {"app_id": "A1"}
    return {"type": "hello", "num_connections": connections, "debug_info": debug, "connection_info": info}


def _disconnect(reason: str) -> dict[str, Any]:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}


def _again(envelope: dict[str, Any]) -> dict[str, Any]:
    return {**envelope, "retry_attempt": envelope.get("retry_attempt", 0) + 1, "retry_reason": "timeout"}


@contextmanager
def link(workspace: Workspace, tls: ssl.SSLContext | None = None) -> Iterator[Link]:
    """Let bots of a workspace connect by Socket Mode, with `tls` over wss."""
    end = Link()
    with serve(
        end.take,
        "127.0.0.1",
        0,
        ssl=tls,
        process_request=end.ticket,
        max_size=MAX_FRAME,
        compression=None,
        close_timeout=1,
        create_connection=_Connection,
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        workspace.socket_url = f"ws{'s' if tls else ''}://127.0.0.1:{server.socket.getsockname()[1]}/link/"
        yield end

"""Slack's end of Socket Mode, for tests: a WebSocket that sends envelopes. Needs the package websockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from bot.sandbox.workspace import Workspace


class Link:
    """The connections that bots have opened; `acks` are what they answered, by envelope id."""

    def __init__(self) -> None:
        self.acks: dict[str, dict[str, Any]] = {}
        self._connections: list[ServerConnection] = []
        self._times = 0
        self._changed = threading.Condition()

    def connected(self, times: int = 1, seconds: float = 30) -> bool:
        """Wait until bots have connected so many times."""
        with self._changed:
            return self._changed.wait_for(lambda: self._times >= times and bool(self._connections), seconds)

    def send(self, envelope_id: str, payload: dict[str, Any]) -> None:
        """Send a slash command to the bot that is connected."""
        envelope = {"type": "slash_commands", "envelope_id": envelope_id, "accepts_response_payload": True}
        with self._changed:
            self._connections[-1].send(json.dumps({**envelope, "payload": payload}))

    def acked(self, envelope_id: str, seconds: float = 10) -> dict[str, Any] | None:
        """Wait for the answer to an envelope: {} for a bare one, None when there was none."""
        with self._changed:
            self._changed.wait_for(lambda: envelope_id in self.acks, seconds)
            return self.acks.get(envelope_id)

    def drop(self) -> None:
        """Close every connection, as Slack does when it refreshes them."""
        for connection in tuple(self._connections):
            connection.close()

    def take(self, connection: ServerConnection) -> None:
        """Serve one connection until it ends."""
        connection.send(json.dumps({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A1"}}))
        with self._changed:
            self._connections.append(connection)
            self._times += 1
            self._changed.notify_all()
        try:
            for message in connection:
                answer = json.loads(message)
                with self._changed:
                    self.acks[answer["envelope_id"]] = answer.get("payload") or {}
                    self._changed.notify_all()
        except ConnectionClosed:
            pass
        finally:
            with self._changed:
                self._connections.remove(connection)


@contextmanager
def link(workspace: Workspace) -> Iterator[Link]:
    """Let bots of a workspace connect by Socket Mode."""
    end = Link()
    with serve(end.take, "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        workspace.socket_url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/link"
        yield end
        server.shutdown()

"""One exchange over HTTP: one deadline for all of it, sent at most once, and known whether it can have left.

Each exchange runs in a thread of its own, and its caller waits for that thread until the deadline and no longer. So
whatever hangs or drips (the resolver, a proxy, a TLS handshake, an answer), the call ends in time; and the thread must
pass one gate before it sends, which the end of the wait closes.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

from bot.iletimerkezi.connection import Failed, connect, route

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read unless a call allows more, in bytes."""


class Transport:
    """Sends requests, each exchange within `timeout` seconds all in all. Safe to use from many threads.

    Every exchange opens a connection of its own: on a kept one that a firewall has silently dropped, a request would
    vanish and its outcome be unknown. HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY count as they do for requests.
    """

    def __init__(self, timeout: float, headers: Mapping[str, str]) -> None:
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", "Connection": "close", "Accept-Encoding": "identity"}
        self._headers.update(headers)

    def post(self, url: str, content: Mapping[str, Any], most: int = MAX_ANSWER) -> tuple[int, bytes]:
        """Send `content` as JSON, and return the HTTP status and the body of up to `most` bytes. Raises Failed."""
        exchange = _Exchange(url, json.dumps(content).encode(), self._headers, self._timeout, most)
        try:
            exchange.start()
        except RuntimeError as error:  # the machine allows no more threads
            raise Failed("unreachable", connected=False) from error
        return exchange.wait()


class _Exchange(threading.Thread):
    """The thread of one exchange, and what it shares with the caller that waits for it."""

    def __init__(self, url: str, body: bytes, headers: Mapping[str, str], timeout: float, most: int) -> None:
        super().__init__(name="exchange", daemon=True)
        self._url = url
        self._body = body
        self._headers = headers
        self._timeout = timeout
        self._most = most
        self._lock = threading.Lock()
        self._sent = False  # the request may have left
        self._over = False  # the caller waits no longer
        self._socket: socket.socket | None = None
        self._result: tuple[int, bytes] | Failed | None = None

    def wait(self) -> tuple[int, bytes]:
        """Return what the exchange brought. Raises Failed, at the deadline at the latest."""
        self.join(self._timeout)
        with self._lock:
            self._over = True
            result = self._result or Failed("timeout" if self._sent else "connect_timeout", self._sent)
            self._result = None
            self._shut()
        try:
            if isinstance(result, Failed):
                raise result
            return result
        finally:
            del result  # it would refer to itself through its traceback, and keep the connection open

    def run(self) -> None:
        try:
            self._result = self._exchange()
        except Failed as failed:
            self._result = failed
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            self._result = _after_sending(error) if self._sent else Failed("address", connected=False)
            self._result.__cause__ = error
        finally:
            with self._lock:
                self._shut()
                if self._socket:
                    self._socket.close()
                if self._over:
                    self._result = None  # nobody takes it, and its traceback holds the connection

    def _exchange(self) -> tuple[int, bytes]:
        connection, target, headers = route(self._url, self._timeout)
        connection.watch = self._watch
        with contextlib.closing(connection):
            connect(connection)
            self._pass_gate()
            connection.request("POST", target, self._body, {**self._headers, **headers}, preload_content=False)
            with contextlib.closing(connection.getresponse()) as response:
                body = bytearray()
                for part in response.stream(64 * 1024):
                    body += part
                    if len(body) > self._most:
                        raise Failed("too_large", connected=True)
                return response.status, bytes(body)

    def _shut(self) -> None:
        """End the connection in both directions, which wakes a thread that waits for it."""
        if self._socket:
            with contextlib.suppress(OSError):  # the other side was faster
                self._socket.shutdown(socket.SHUT_RDWR)

    def _watch(self, connection: socket.socket) -> None:
        """Have the connection shut when the caller stops waiting. Raises Failed when it has stopped already."""
        with self._lock:
            # A duplicate, because TLS takes the socket itself over.
            self._socket = connection.dup()
            if self._over:
                connection.close()
                raise Failed("connect_timeout", connected=False)

    def _pass_gate(self) -> None:
        """Note that the request leaves from here on. Raises Failed when the caller has stopped waiting."""
        with self._lock:
            if self._over:
                raise Failed("connect_timeout", connected=False)
            self._sent = True


def _after_sending(error: Exception) -> Failed:
    """Return what an error means that came when the request could have left."""
    if isinstance(error, TimeoutError | ReadTimeoutError):
        return Failed("timeout", connected=True)
    return Failed("truncated" if isinstance(error, ProtocolError) else "closed", connected=True)

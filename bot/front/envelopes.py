"""Answers the envelopes of Socket Mode: hands each to Bolt in a thread of a pool, and sends its acknowledgement."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_bolt.response import BoltResponse

from bot.front.answer_size import MAX_ANSWER
from bot.log import event
from bot.metrics import metrics
from bot.model.job import new_id

_THREADS = 32  # envelopes at once, as many as requests over HTTP; most take milliseconds, forms wait for Slack

Envelope = dict[str, Any]


class Envelopes:
    """Answers envelopes at once and in any order, so that no acknowledgement waits for another."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="envelope")
        self._lock = threading.Lock()
        self._running: set[Future[None]] = set()
        self._closed = False

    def take(self, envelope: Envelope, send: Callable[[str], bool]) -> None:
        """Answer an envelope soon; `send` sends a text to Slack and tells whether it went out."""
        if not isinstance(envelope.get("envelope_id"), str) or not isinstance(envelope.get("payload"), dict):
            return  # a kind of message that asks for no answer
        with self._lock:
            if self._closed:
                return
            future = self._pool.submit(self._answer, envelope, send, time.monotonic())
            self._running.add(future)
        future.add_done_callback(self._done)

    def refuse(self) -> None:
        """Take nothing more."""
        with self._lock:
            self._closed = True

    def finish(self, seconds: float) -> None:
        """Give what is under way so many seconds to be acknowledged; to be called after `refuse`."""
        wait(tuple(self._running), seconds)
        self._pool.shutdown(wait=False)

    def _answer(self, envelope: Envelope, send: Callable[[str], bool], came: float) -> None:
        request = BoltRequest(mode="socket_mode", body=envelope["payload"], headers=_headers(envelope))
        response = self._app.dispatch(request)
        if response.status != 200:
            what = {"type": envelope.get("type"), "command": envelope["payload"].get("command")}
            event("socket_not_answered", level=logging.WARNING, status=response.status, **what)
        elif send(acknowledgement(envelope, response)):
            metrics.acknowledged(time.monotonic() - came)
        else:
            event("socket_ack_not_sent", level=logging.WARNING, type=envelope.get("type"))

    def _done(self, future: Future[None]) -> None:
        """Log what Bolt itself stumbles over: a payload that Slack never sends."""
        with self._lock:
            self._running.discard(future)
        if error := future.exception():
            event("request_failed", level=logging.ERROR, reference=new_id(), trace=error)


def acknowledgement(envelope: Envelope, response: BoltResponse) -> str:
    """Return the text that acknowledges an envelope with Bolt's response; a bare one where Slack would not take it."""
    bare = {"envelope_id": envelope["envelope_id"]}
    payload = _payload(response)
    if not payload or not envelope.get("accepts_response_payload", True):
        return json.dumps(bare)
    text = json.dumps({**bare, "payload": payload})  # in ASCII: a character a byte, and half an emoji does no harm
    if len(text) > MAX_ANSWER:
        event("socket_ack_too_long", level=logging.ERROR, bytes=len(text), type=envelope.get("type"))
        return json.dumps(bare)
    return text


def _payload(response: BoltResponse) -> Any:
    if not response.body:
        return None
    kind = response.headers.get("content-type", [""])[0]
    return json.loads(response.body) if kind.startswith("application/json") else {"text": response.body}


def _headers(envelope: Envelope) -> dict[str, str | Sequence[str]]:
    """Return what HTTP would say of a payload that Slack sends again."""
    known = {"x-slack-retry-num": envelope.get("retry_attempt"), "x-slack-retry-reason": envelope.get("retry_reason")}
    return {name: str(value) for name, value in known.items() if value is not None}

"""The WSGI applications: what Slack signed goes to Bolt, in the form that Socket Mode delivers; health; metrics."""

from __future__ import annotations

import json
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from prometheus_client import make_wsgi_app
from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.journal import JournalError
from bot.journal.holding import Backlog
from bot.log import event
from bot.metrics import ACKNOWLEDGEMENTS, JOURNAL_UP, OLDEST, OPEN_JOBS, REGISTRY, UNSIGNED
from bot.model.job import new_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EVENTS, HEALTH = "/slack/events", "/healthz"

MAX_BODY = 1024 * 1024
"""Longest body that the server reads, in bytes; Slack's are a few KB, a form full of names some hundred."""

MAX_ANSWER = 19_800
"""Longest answer, in bytes, also over HTTP.

Slack closes a Socket Mode connection (1009) over which a frame of more than 20,480 bytes comes.
"""


class _Refused(Exception):
    """A request that is not let in; nothing of its body is logged."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class HttpApp:
    """The WSGI application.

    The signature is checked here and not by Bolt, which logs the body of what it refuses and trips over malformed
    headers and bodies before it looks at the signature. Bolt then gets the decoded payload as it would over a socket:
    its own decoding of a form loses every body that contains the word "payload".
    Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
    """

    def __init__(self, app: App | None, signing_secret: str, checks: Mapping[str, Callable[[], bool]]) -> None:
        """Serve `app`, or only the health check where `app` is None (in Socket Mode).

        `checks` tell of each part of the bot, by its name, whether it works; they must not wait.
        """
        self._app = app
        self._signing_secret = signing_secret
        self._checks = checks

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            response = self._answer(environ)
        except _Refused as refused:
            # Anybody may send a path.
            path = environ.get("PATH_INFO", "")[:100].encode("ascii", "backslashreplace").decode()
            event("refused", level=logging.WARNING, status=refused.status.value, reason=str(refused), path=path)
            response = BoltResponse(status=refused.status, body=refused.status.phrase)
        content = response.body.encode()
        lines = [(name, value) for name, values in response.headers.items() for value in values]
        status = HTTPStatus(response.status)
        start_response(f"{status.value} {status.phrase}", [*lines, ("Content-Length", str(len(content)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    def _answer(self, environ: WSGIEnvironment) -> BoltResponse:
        began = time.monotonic()
        path = environ.get("PATH_INFO", "")
        if path == HEALTH:
            failing = ", ".join(part for part, works in self._checks.items() if not works())
            return BoltResponse(status=503 if failing else 200, body=f"failing: {failing}" if failing else "ok")
        if path != EVENTS or self._app is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "wrong path")
        # The server has read the body, has bounded it by MAX_BODY, and knows its length.
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if b"ssl_check=1" in (body or environ.get("QUERY_STRING", "").encode()).split(b"&"):
            # Slack asks this without a signature, also as a GET, to see whether the certificate is in order.
            # Source: https://docs.slack.dev/interactivity/implementing-slash-commands
            return BoltResponse(status=200)
        self._verify(environ, body)
        payload = _payload(body.decode(), environ.get("CONTENT_TYPE", "").startswith("application/json"))
        response = dispatch(self._app, payload)
        ACKNOWLEDGEMENTS.observe(time.monotonic() - began)
        return response

    def _verify(self, environ: WSGIEnvironment, body: bytes) -> None:
        stamp, signature = (environ.get(f"HTTP_X_SLACK_{name}", "") for name in ("REQUEST_TIMESTAMP", "SIGNATURE"))
        try:
            valid = SignatureVerifier(self._signing_secret).is_valid(body, stamp, signature)
        except (ValueError, TypeError, OverflowError):  # what is no number, no ASCII or no UTF-8
            valid = False
        if not valid:
            UNSIGNED.inc()
            reason = "signature missing, wrong, or five minutes off this machine's clock"
            raise _Refused(HTTPStatus.UNAUTHORIZED, reason)


def dispatch(app: App, payload: dict[str, Any]) -> BoltResponse:
    """Hand a payload to Bolt; return its answer, or one of 400 to a payload that Slack never sends.

    The boundary for what Bolt itself stumbles over.
    """
    try:
        return app.dispatch(BoltRequest(body=payload, mode="socket_mode", headers={}))
    except Exception as error:  # noqa: BLE001  # the boundary towards Slack
        event("request_failed", level=logging.ERROR, reference=new_id(), trace=error)
        return BoltResponse(status=400, body="Bad Request")


def fits(answer: dict[str, Any]) -> bool:
    """Tell whether an answer is short enough; as Bolt writes it, in ASCII."""
    return len(json.dumps(answer)) <= MAX_ANSWER


def metrics_app(backlog: Callable[[], Backlog]) -> WSGIApplication:
    """Return the page of what is counted, with the journal's `backlog`, which may raise JournalError and must not hang.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    page: WSGIApplication = make_wsgi_app(REGISTRY)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            found = backlog()
        except JournalError:
            found = None
        JOURNAL_UP.set(found is not None)
        OPEN_JOBS.set(found.open_jobs if found else math.nan)
        OLDEST.set(found.oldest if found else math.nan)
        return page(environ, start_response)

    return app


def _payload(body: str, json_body: bool) -> dict[str, Any]:
    """Decode what Slack posts: JSON (events), a form (commands), or a form whose field `payload` is JSON (all else)."""
    try:
        if json_body:
            payload = json.loads(body)
        else:
            form = dict(parse_qsl(body, keep_blank_values=True, strict_parsing=True, max_num_fields=100))
            payload = json.loads(form["payload"]) if "payload" in form else form
    except (ValueError, RecursionError) as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, "body is neither a form nor JSON") from error
    if not isinstance(payload, dict):
        raise _Refused(HTTPStatus.BAD_REQUEST, "payload is not an object")
    return payload

"""The WSGI application: lets in what Slack signed and hands it to Bolt in the form that Socket Mode delivers."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.log import event
from bot.metrics import metrics
from bot.model.job import new_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

EVENTS = "/slack/events"
HEALTH = "/healthz"
MAX_BODY = 1024 * 1024
"""Longest body that the server reads, in bytes; Slack's are a few KB, a form full of names some hundred."""

FRESH, STALE, PATIENCE = 1.0, 2.0, 1.0
"""Seconds after which the bot's parts are asked again, how old their answers may be, and how long they may take."""

_SSL_CHECK = re.compile(r"(?:^|&)ssl_check=1(?:&|$)")
# Slack asks this without a signature, to see whether the certificate is in order.
# Source: https://docs.slack.dev/interactivity/implementing-slash-commands

Answer = tuple[HTTPStatus, str, dict[str, list[str]]]


class _Refused(Exception):
    """A request that is not let in; nothing of its body is logged."""

    def __init__(self, status: HTTPStatus, reason: str, headers: dict[str, list[str]] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers or {}


class Health:
    """Whether the bot's parts work, as `checks` tell by name: asked seldom, by one thread, however many want to know.

    The threads of the server are for acknowledgements: nobody waits for an answer where the last one is young enough,
    or where the parts have had PATIENCE to answer.
    """

    def __init__(self, checks: Mapping[str, Callable[[], bool]]) -> None:
        self._checks = checks
        self._lock = threading.Lock()
        self._looker: threading.Thread | None = None
        self._began_at = self._looked_at = float("-inf")
        self._failing: list[str] = []
        self._asked = "the health check"

    def failing(self) -> list[str]:
        """Return the parts that do not work, or do not answer."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at > FRESH and not (self._looker and self._looker.is_alive()):
                self._began_at = now
                self._looker = threading.Thread(target=self._look, name="health", daemon=True)
                self._looker.start()
            looker, left = self._looker, self._began_at + PATIENCE - now
        if looker and now - self._looked_at > STALE:
            looker.join(max(0.0, left))
        return self._failing if time.monotonic() - self._looked_at <= STALE else [self._asked]

    def _look(self) -> None:
        failing = []
        for name, works in self._checks.items():
            self._asked = name
            if not works():
                failing.append(name)
        self._failing, self._looked_at = failing, time.monotonic()


class HttpApp:
    """The WSGI application.

    The signature is checked here and not by Bolt, which logs the body of what it refuses and trips over malformed
    headers and bodies before it looks at the signature. Bolt then gets the decoded payload as it would over a socket:
    its own decoding of a form loses every body that contains the word "payload".
    Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
    """

    def __init__(self, app: App | None, signing_secret: str, checks: Mapping[str, Callable[[], bool]]) -> None:
        """Serve `app`, or only the health check where `app` is None (in Socket Mode).

        `checks` tell of each part of the bot, by its name, whether it works.
        """
        self._app = app
        self._signing_secret = signing_secret
        self._health = Health(checks)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            status, body, headers = self._answer(environ)
        except _Refused as refused:
            path = (
                environ.get("PATH_INFO", "")[:100].encode("ascii", "backslashreplace").decode()
            )  # anybody may send one
            event("refused", level=logging.WARNING, status=refused.status.value, reason=refused.reason, path=path)
            status, body, headers = refused.status, refused.status.phrase, refused.headers
        content = body.encode()
        lines = [(name, value) for name, values in headers.items() for value in values]
        if "content-type" not in {name.lower() for name in headers}:
            lines.append(("Content-Type", "text/plain; charset=utf-8"))
        start_response(f"{status.value} {status.phrase}", [*lines, ("Content-Length", str(len(content)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        began = time.monotonic()
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path == HEALTH:
            _allow(method, "GET", "HEAD")
            failing = self._health.failing()
            if failing:
                return HTTPStatus.SERVICE_UNAVAILABLE, f"failing: {', '.join(failing)}", {}
            return HTTPStatus.OK, "ok", {}
        if path != EVENTS or self._app is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "wrong path")
        if method == "GET" and _SSL_CHECK.search(environ.get("QUERY_STRING", "")):
            return HTTPStatus.OK, "", {}
        _allow(method, "POST")
        body = _body(environ)
        if _SSL_CHECK.search(body):
            return HTTPStatus.OK, "", {}
        self._verify(environ, body)
        payload = _payload(body, json_body=environ.get("CONTENT_TYPE", "").startswith("application/json"))
        response = dispatch(self._app, payload)
        metrics.acknowledged(time.monotonic() - began)
        return HTTPStatus(response.status), response.body, {name: list(v) for name, v in response.headers.items()}

    def _verify(self, environ: WSGIEnvironment, body: str) -> None:
        timestamp = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "")
        signature = environ.get("HTTP_X_SLACK_SIGNATURE", "")
        # What is not plain ASCII would raise inside the verifier.
        readable = timestamp.isascii() and timestamp.isdecimal() and signature.isascii() and len(timestamp) < 20
        if not readable or not SignatureVerifier(self._signing_secret).is_valid(body, timestamp, signature):
            raise _Refused(
                HTTPStatus.UNAUTHORIZED, "signature missing, wrong, or five minutes off this machine's clock"
            )


def dispatch(app: App, payload: dict[str, Any], headers: Mapping[str, str] | None = None) -> BoltResponse:
    """Hand a payload to Bolt; return its answer, or one of 400 to a payload that Slack never sends.

    The boundary for what Bolt itself stumbles over.
    """
    try:
        return app.dispatch(BoltRequest(body=payload, mode="socket_mode", headers={**(headers or {})}))
    except Exception as error:  # noqa: BLE001  # the boundary towards Slack
        event("request_failed", level=logging.ERROR, reference=new_id(), trace=error)
        return BoltResponse(status=400, body="Bad Request")


def _allow(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "wrong method", {"Allow": [", ".join(allowed)]})


def _body(environ: WSGIEnvironment) -> str:
    """Return the body, which the server has read already, has bounded by MAX_BODY, and knows the length of."""
    try:
        return str(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)), "utf-8")
    except UnicodeDecodeError as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, "body is not text") from error


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

"""The WSGI applications: what Slack signed goes to Bolt, in the form that Socket Mode delivers; health; metrics."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from prometheus_client import CollectorRegistry, Metric, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily
from slack_bolt import App
from slack_bolt.request import BoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier

from bot.cache import Cache
from bot.journal import JournalError
from bot.journal.reading import Backlog
from bot.log import event
from bot.metrics import metrics
from bot.model.job import new_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EVENTS, HEALTH = "/slack/events", "/healthz"

MAX_BODY = 1024 * 1024
"""Longest body that the server reads, in bytes; Slack's are a few KB, a form full of names some hundred."""

MAX_ANSWER = 20_000
"""Longest answer, in bytes, also over HTTP.

Slack closes a Socket Mode connection (1009) over which a frame of more than 20,480 bytes comes.
"""

FRESH, PATIENCE = 1.0, 1.0
"""Seconds after which a part of the bot is asked again whether it works, and how long it may take to say so."""

_SSL_CHECK = re.compile(r"(?:^|&)ssl_check=1(?:&|$)")
# Slack asks this without a signature, to see whether the certificate is in order.
# Source: https://docs.slack.dev/interactivity/implementing-slash-commands


class _Refused(Exception):
    """A request that is not let in; nothing of its body is logged."""

    def __init__(self, status: HTTPStatus, reason: str, **headers: str) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers


class HttpApp:
    """The WSGI application.

    The signature is checked here and not by Bolt, which logs the body of what it refuses and trips over malformed
    headers and bodies before it looks at the signature. Bolt then gets the decoded payload as it would over a socket:
    its own decoding of a form loses every body that contains the word "payload".
    Source: https://docs.slack.dev/authentication/verifying-requests-from-slack
    """

    def __init__(self, app: App | None, signing_secret: str, checks: Mapping[str, Callable[[], bool]]) -> None:
        """Serve `app`, or only the health check where `app` is None (in Socket Mode).

        `checks` tell of each part of the bot, by its name, whether it works; JournalError is no.
        """
        self._app = app
        self._signing_secret = signing_secret
        self._parts = list(checks)
        self._works: Cache[str, bool] = Cache(lambda part: checks[part](), FRESH)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        try:
            response = self._answer(environ)
        except _Refused as refused:
            # Anybody may send a path.
            path = environ.get("PATH_INFO", "")[:100].encode("ascii", "backslashreplace").decode()
            event("refused", level=logging.WARNING, status=refused.status.value, reason=str(refused), path=path)
            response = BoltResponse(status=refused.status, body=refused.status.phrase, headers={**refused.headers})
        content = response.body.encode()
        lines = [(name, value) for name, values in response.headers.items() for value in values]
        status = HTTPStatus(response.status)
        start_response(f"{status.value} {status.phrase}", [*lines, ("Content-Length", str(len(content)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [content]

    def _answer(self, environ: WSGIEnvironment) -> BoltResponse:
        began = time.monotonic()
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if path == HEALTH:
            _allow(method, "GET", "HEAD")
            failing = ", ".join(part for part in self._parts if not self._working(part))
            return BoltResponse(status=503 if failing else 200, body=f"failing: {failing}" if failing else "ok")
        if path != EVENTS or self._app is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "wrong path")
        body = _body(environ)
        if _SSL_CHECK.search(body or environ.get("QUERY_STRING", "")):
            return BoltResponse(status=200)
        _allow(method, "POST")
        self._verify(environ, body)
        payload = _payload(body, json_body=environ.get("CONTENT_TYPE", "").startswith("application/json"))
        response = dispatch(self._app, payload)
        metrics.acknowledged(time.monotonic() - began)
        return response

    def _working(self, part: str) -> bool:
        try:
            return self._works.get(part, PATIENCE)
        except (TimeoutError, JournalError):
            return False

    def _verify(self, environ: WSGIEnvironment, body: str) -> None:
        timestamp = environ.get("HTTP_X_SLACK_REQUEST_TIMESTAMP", "")
        signature = environ.get("HTTP_X_SLACK_SIGNATURE", "")
        # What is not plain ASCII would raise inside the verifier.
        readable = timestamp.isascii() and timestamp.isdecimal() and signature.isascii() and len(timestamp) < 20
        if not readable or not SignatureVerifier(self._signing_secret).is_valid(body, timestamp, signature):
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
    """Tell whether an answer is short enough, with room for what goes around it; as Bolt writes it, in ASCII."""
    return len(json.dumps(answer)) <= MAX_ANSWER - 200


def metrics_app(registry: CollectorRegistry, backlog: Callable[[], Backlog]) -> WSGIApplication:
    """Return the page of a registry and of the journal's `backlog`, which may raise JournalError and must not hang.

    Source: https://prometheus.io/docs/instrumenting/exposition_formats/
    """
    registry.register(_OfJournal(backlog))
    return make_wsgi_app(registry)


class _OfJournal:
    """Reads the journal for each scrape."""

    def __init__(self, backlog: Callable[[], Backlog]) -> None:
        self._backlog = backlog

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges; without an answer of the journal only that there is none."""
        try:
            found = self._backlog()
        except JournalError:
            found = None
        yield GaugeMetricFamily("addgroup_journal_up", "Whether the journal can be read.", int(found is not None))
        if found:
            age = "Age of the oldest job that is not answered yet."
            yield GaugeMetricFamily("addgroup_open_jobs", "Jobs that are not answered yet.", found.open_jobs)
            yield GaugeMetricFamily("addgroup_oldest_open_job_seconds", age, found.oldest)


def _allow(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "wrong method", Allow=", ".join(allowed))


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

"""Calls to Slack's Web API and to response_urls, and what their answers mean."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import requests

from bot.log import event
from bot.metrics import metrics
from bot.model.job import TryLater
from bot.network import Answer as HttpAnswer
from bot.network import Connections, Failed
from bot.settings import Settings

TIMEOUT = 10.0
"""How long one call to Slack may take, in seconds."""

PROBE_AFTER = 15.0
"""After how many seconds Slack is tried again when it asks for more than the longest time."""

LONGEST_RETRY_AFTER = 120.0
"""How long Slack is left alone at most, in seconds. Slack asks for a minute at most; a day is a mistake somewhere."""

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read, in bytes."""

_PASSING = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_PASSING |= {"team_added_to_org", "org_login_required"}  # while a workspace moves into an Enterprise organization

# Source: https://docs.slack.dev/reference/methods/auth.test#errors
_TOKEN_REFUSED = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}

BAD_TOKEN = frozenset(_TOKEN_REFUSED) | {"missing_scope", "not_allowed_token_type", "no_permission", "access_denied"}
BAD_TOKEN |= {"forbidden_team"}
"""Words with which Slack says that a token is no good, or not for this. Any other may pass, known or not."""

# A call that may go out twice: it reads, or the second one changes nothing (a trigger_id opens one view). It does when
# a kept connection turns out to be closed; the next one from the pool may be closed too.
_ATTEMPTS = 3
_REPEATABLE = {"auth.test", "users.info", "usergroups.users.list", "apps.connections.open", "chat.update"}
_REPEATABLE |= {"views.open", "views.publish"}


def slack_client(settings: Settings, timeout: float = TIMEOUT) -> SlackClient:
    """Return a client for the bot's token."""
    return SlackClient(settings.slack_bot_token, settings.slack_api_url, timeout)


class SlackRefused(Exception):
    """Slack does not let the bot do this, and will not later; `error` is Slack's word for why."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class TokenRefused(TryLater):
    """Slack does not take the token. That says nothing about what was asked for, which waits for another token."""


class Answer(dict[str, Any]):
    """What Slack answered, and the HTTP `headers` that came with it."""

    def __init__(self, content: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(content)
        self.headers = headers


class SlackClient:
    """Calls Slack with `token` at `base_url`, each call within `timeout` seconds. Safe to use from many threads.

    Raises SlackRefused, TryLater or its kind TokenRefused. Their texts are single words: Slack's own, or for what went
    wrong on the way.
    """

    def __init__(self, token: str, base_url: str, timeout: float = TIMEOUT) -> None:
        self._token = token
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._connections = Connections()

    def call(self, method: str, **arguments: Any) -> Answer:
        """Call a method of the Web API, for example "chat.postMessage". Raises SlackRefused or TryLater."""
        with _counted(method):
            return self._call(method, arguments)

    def _call(self, method: str, arguments: Mapping[str, Any]) -> Answer:
        # Only the methods that write take JSON: https://docs.slack.dev/apis/web-api/#post_bodies
        if method.startswith(("chat.", "views.")):
            kind, body = "application/json; charset=utf-8", json.dumps(arguments)
        else:
            kind, body = "application/x-www-form-urlencoded", _form(arguments)
        answer = self._post(f"{self._base_url}/{method}", kind, body, method, self._token)
        content = _decoded(answer.body)
        if answer.status == 200 and content.get("ok") is True:
            return Answer(content, answer.headers)
        word = str(content.get("error", ""))
        if not re.fullmatch("[a-z0-9_]+", word):  # a page that is not Slack's
            word = f"http_{answer.status}"
        if answer.status == 429 or answer.status >= 500 or word in _PASSING or word.startswith("http_"):
            raise TryLater(word, _retry_after(method, answer.headers))
        if word in _TOKEN_REFUSED:
            raise TokenRefused(word)
        raise SlackRefused(word)

    def respond(self, response_url: str, message: Mapping[str, Any]) -> None:
        """Say something to one person alone, through the response_url of what they did. Raises SlackRefused, TryLater.

        Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
        """
        alone = {"response_type": "ephemeral", "replace_original": False, "unfurl_links": False, "unfurl_media": False}
        with _counted("response_url"):
            self._respond(response_url, json.dumps({**alone, **message}))

    def _respond(self, response_url: str, body: str) -> None:
        answer = self._post(str(response_url), "application/json; charset=utf-8", body, "response_url", "")
        if answer.status == 429 or answer.status >= 500:
            raise TryLater(f"http_{answer.status}", _retry_after("response_url", answer.headers))
        if answer.status != 200:
            raise SlackRefused(f"http_{answer.status}")

    def within(self, seconds: float) -> SlackClient:
        """Return a client whose calls take so long at most, over the same connections."""
        client = copy.copy(self)
        client._timeout = seconds
        return client

    def close(self) -> None:
        """Close the kept connections."""
        self._connections.close()

    def _post(self, url: str, kind: str, body: str, method: str, token: str) -> HttpAnswer:
        headers = {"Content-Type": kind, **({"Authorization": f"Bearer {token}"} if token else {})}
        request = requests.Request("POST", url, headers, data=body)
        until = time.monotonic() + self._timeout
        for left in reversed(range(_ATTEMPTS if method in _REPEATABLE else 1)):
            try:
                return self._connections.exchange(request, until - time.monotonic(), MAX_ANSWER)
            except Failed as error:
                failed = error
            if failed.reason != "closed" or not failed.kept or not left or time.monotonic() >= until:
                break
        if failed.reason == "address":
            raise SlackRefused("bad_address")
        raise TryLater(f"proxy_{failed.proxy_status}" if failed.proxy_status else failed.reason)


@contextlib.contextmanager
def _counted(method: str) -> Iterator[None]:
    """Count a call that fails."""
    try:
        yield
    except (SlackRefused, TryLater) as error:
        metrics.slack_refused(method, str(error))
        raise


def _form(arguments: Mapping[str, Any]) -> str:
    """Return arguments as a form. Half a surrogate pair, which JSON can carry, becomes a question mark."""
    values = {name: int(value) if isinstance(value, bool) else value for name, value in arguments.items()}
    return urlencode(values, errors="replace")


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _retry_after(method: str, headers: Mapping[str, str]) -> float | None:
    """Return what Retry-After says, in seconds, bounded; None when it says nothing, or to come back at once."""
    said = headers.get("Retry-After", "").strip()
    if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", said):
        return None
    seconds = float(said)
    if seconds > LONGEST_RETRY_AFTER:
        event("retry_after_bounded", level=logging.WARNING, method=method, said=said[:20], seconds=PROBE_AFTER)
        return PROBE_AFTER
    return seconds or None

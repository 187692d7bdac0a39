"""Calls to Slack's Web API and to response_urls, and what their answers mean."""

from __future__ import annotations

import copy
import json
import logging
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import requests

from bot.log import event
from bot.metrics import REFUSALS
from bot.model.job import TryLater
from bot.network import Answer as HttpAnswer
from bot.network import Connections, Failed
from bot.settings import Settings

TIMEOUT = 10.0
"""How long one call to Slack may take, in seconds."""

LONGEST_RETRY_AFTER = 120.0
"""How long Slack is left alone at most, in seconds. Slack asks for a minute at most; a day is a mistake somewhere."""

RESPONSE_URL = "response_url"
"""What a call to one is called in the metrics."""

JSON = "application/json; charset=utf-8"

MAX_ANSWER = 1024 * 1024
"""Longest answer that is read, in bytes."""

_PASSING = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_PASSING |= {"team_added_to_org", "org_login_required"}  # while a workspace moves into an Enterprise organization

# Source: https://docs.slack.dev/reference/methods/auth.test#errors
TOKEN_REFUSED = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"}
_PASSING |= TOKEN_REFUSED  # it says nothing about what was asked for, which waits for another token

_REPEATABLE = {"auth.test", "users.info", "usergroups.users.list", "views.open", "views.publish"}
"""Methods that are called once more where a kept connection broke: they read, or a second call changes nothing."""

BAD_TOKEN = frozenset(TOKEN_REFUSED) | {"missing_scope", "not_allowed_token_type", "no_permission", "access_denied"}
BAD_TOKEN |= {"forbidden_team"}
"""Words with which Slack says that a token is no good, or not for this. Any other may pass, known or not."""


def slack_client(settings: Settings, timeout: float = TIMEOUT) -> SlackClient:
    """Return a client for the bot's token."""
    return SlackClient(settings.slack_bot_token, settings.slack_api_url, timeout)


class SlackRefused(Exception):
    """Slack does not let the bot do this, and will not later; as text it is Slack's word for why."""


Answer = dict[str, Any]
"""What Slack answered; `headers` are the HTTP headers that came with it, which are looked up in any case."""


class SlackClient:
    """Calls Slack with `token` at `base_url`, each call within `timeout` seconds. Safe to use from many threads.

    Raises SlackRefused or TryLater. Their texts are single words: Slack's own, or for what went wrong on the way.
    """

    def __init__(self, token: str, base_url: str, timeout: float = TIMEOUT) -> None:
        self._token = token
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._connections = Connections()

    def call(self, method: str, **arguments: Any) -> Answer:
        """Call a method of the Web API, for example "chat.postMessage". Raises SlackRefused or TryLater.

        Arguments are text, numbers, and where the method writes whatever JSON holds.
        Source: https://docs.slack.dev/apis/web-api/#post_bodies
        """
        if method.startswith(("chat.", "views.")):
            kind, body = JSON, json.dumps(arguments)
        else:  # half a surrogate pair, which JSON can carry, becomes a question mark
            kind, body = "application/x-www-form-urlencoded", urlencode(arguments, errors="replace")
        headers = {"Content-Type": kind, "Authorization": f"Bearer {self._token}"}
        return self._post(method, f"{self._base_url}/{method}", body, headers)

    def respond(self, response_url: str, message: Mapping[str, Any]) -> None:
        """Say something to one person alone, through the response_url of what they did. Raises SlackRefused, TryLater.

        Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
        """
        alone = {"response_type": "ephemeral", "replace_original": False, "unfurl_links": False, "unfurl_media": False}
        self._post(RESPONSE_URL, str(response_url), json.dumps({**alone, **message}), {"Content-Type": JSON})

    def tell(self, user: str, response_url: str, message: Mapping[str, Any]) -> None:
        """Say something to one person alone: where they are, or as a direct message where that is no longer possible.

        Raises SlackRefused or TryLater.
        """
        if response_url:
            try:
                self.respond(response_url, message)
            except SlackRefused as error:
                event("response_url_refused", level=logging.WARNING, user=user, error=str(error))
            else:
                return
        self.call("chat.postMessage", channel=user, **message)

    def within(self, seconds: float) -> SlackClient:
        """Return a client whose calls take so long at most, over the same connections."""
        client = copy.copy(self)
        client._timeout = seconds
        return client

    def close(self) -> None:
        """Close the kept connections."""
        self._connections.close()

    def _post(self, method: str, url: str, body: str, headers: Mapping[str, str]) -> Answer:
        error: SlackRefused | TryLater
        request = requests.Request("POST", url, headers, data=body)
        try:
            return _read(method, self._exchange(request, method in _REPEATABLE))
        except Failed as failed:
            word = f"proxy_{failed.proxy_status}" if failed.proxy_status else failed.reason
            error = SlackRefused("bad_address") if failed.reason == "address" else TryLater(word)
        except (SlackRefused, TryLater) as refused:
            error = refused
        REFUSALS.labels(method, str(error)).inc()
        raise error from None

    def _exchange(self, request: requests.Request, again: bool) -> HttpAnswer:
        """Send a request, and once `again` where the connection broke, all within the same time. Raises Failed."""
        until = time.monotonic() + self._timeout
        try:
            return self._connections.exchange(request, self._timeout, MAX_ANSWER)
        except Failed as failed:
            if failed.reason != "closed" or not again:
                raise
        return self._connections.exchange(request, max(until - time.monotonic(), 0.01), MAX_ANSWER)


def _read(method: str, answer: HttpAnswer) -> Answer:
    """Return what Slack answered; a response_url answers with its status alone. Raises SlackRefused or TryLater."""
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        content = None
    content = content if isinstance(content, dict) else {}
    if answer.status == 200 and (content.get("ok") is True or method == RESPONSE_URL):
        return {**content, "headers": answer.headers}
    word = str(content.get("error", ""))
    if not re.fullmatch("[a-z0-9_]+", word) or method == RESPONSE_URL:  # a page that is not Slack's
        word = f"http_{answer.status}"
    passing = word.startswith("http_") and method != RESPONSE_URL
    if answer.status == 429 or answer.status >= 500 or word in _PASSING or passing:
        said = answer.headers.get("Retry-After", "").strip()
        seconds = min(float(said), LONGEST_RETRY_AFTER) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", said) else None
        raise TryLater(word, seconds or None)
    raise SlackRefused(word)

"""Calls to Slack, and what their failures mean. The only place that knows the SDK's errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot import tls
from bot.model.job import TryLater

TIMEOUT = 10
"""How long one call to Slack may take, in seconds."""

_PASSING = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_PASSING |= {"team_added_to_org", "org_login_required"}  # while a workspace moves into an Enterprise organization


class SlackRefused(Exception):
    """Slack does not let the bot do this, and will not later; `error` is Slack's word for why."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def called(call: Callable[[], SlackResponse]) -> SlackResponse:
    """Make a call of the Web API. Raises SlackRefused or TryLater, without Slack's texts, which may hold a URL."""
    try:
        return call()
    except SlackApiError as error:
        status, word = error.response.status_code, str(error.response.get("error", ""))
        if not re.fullmatch("[a-z0-9_]+", word):  # the SDK's own sentence about a page that is not Slack's
            word = f"http_{status}"
        if status == 429 or status >= 500 or word in _PASSING or word.startswith("http_"):
            raise TryLater(word, _seconds(error.response.headers)) from error
        raise SlackRefused(word) from error
    except (SlackClientError, OSError, ValueError, HTTPException) as error:
        raise TryLater(type(error).__name__) from error


def tell(response_url: str, message: dict[str, Any]) -> None:
    """Say something to one person alone, through the response_url of what they did. Raises SlackRefused or TryLater."""
    webhook = WebhookClient(response_url, timeout=TIMEOUT, retry_handlers=[], ssl=tls.of_machine())
    try:
        answer = webhook.send(
            response_type="ephemeral", replace_original=False, unfurl_links=False, unfurl_media=False, **message
        )
    except (SlackClientError, OSError, ValueError, HTTPException) as error:
        raise TryLater(type(error).__name__) from error
    if answer.status_code == 429 or answer.status_code >= 500:
        raise TryLater(str(answer.status_code), _seconds(answer.headers))
    if answer.status_code != 200:
        raise SlackRefused(str(answer.status_code))


def _seconds(headers: Any) -> float | None:
    """Return what Retry-After says, in seconds; None when it says nothing, or to come back at once."""
    value = next((v for name, v in headers.items() if name.lower() == "retry-after"), None)
    value = value[0] if isinstance(value, list) and value else value
    return float(value) or None if isinstance(value, str) and value.isdecimal() else None

"""Where answers go: a root message in the channel, its thread, or privately where the bot may not post."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot.jobs import Job, Thread
from bot.logs import event
from bot.slack import blocks
from bot.slack.blocks import Message

TIMEOUT = 10
"""How long one call to Slack may take, in seconds."""

_PASSING = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}


class MayNotPost(Exception):
    """Slack does not let the bot say this here, and will not later; `error` is Slack's word for why."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class TryLater(Exception):
    """Something stands in the way for now; `seconds` is how long to wait, None when nobody said."""

    def __init__(self, why: str, seconds: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.seconds = seconds


class Conversation:
    """Tells people about their jobs. Every method raises MayNotPost or TryLater when it did not work."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._quiet_until: dict[str, float] = {}  # by channel: Slack's limits are a channel's

    def post_root(self, job: Job) -> Thread:
        """Post the root message: who asked for what, and the result where there is one."""
        posted = self._post(job, channel=job.channel, **blocks.root(job))
        return Thread(posted["channel"], posted["ts"])

    def edit_root(self, job: Job, thread: Thread) -> None:
        """Let the root show the result."""
        message = blocks.root(job)
        called(lambda: self._client.chat_update(channel=thread.channel, ts=thread.ts, **message))

    def post_answer(self, job: Job, thread: Thread) -> None:
        """Post the final answer in the thread."""
        for message in blocks.answer(job):
            self._post(job, channel=thread.channel, thread_ts=thread.ts, **message)

    def answer_privately(self, job: Job) -> None:
        """Give the final answer to the one who asked, alone: where they typed, or as a direct message."""
        messages = blocks.private(job)
        try:
            if job.response_url:
                for message in messages:
                    tell(job.response_url, message)
                return
        except MayNotPost as error:
            event("response_url_refused", level=logging.WARNING, job=job.id, error=error.error)
        for message in messages:
            self._post(job, channel=job.user, **message)

    def _post(self, job: Job, **message: Any) -> SlackResponse:
        options = {"unfurl_links": False, "unfurl_media": False, "metadata": _metadata(job), **message}
        channel = options["channel"]
        wait = self._quiet_until.get(channel, 0.0) - time.monotonic()
        if wait > 0:
            raise TryLater("ratelimited", wait)
        try:
            return called(lambda: self._client.chat_postMessage(**options))
        except TryLater as later:
            if later.seconds:
                self._quiet_until[channel] = time.monotonic() + later.seconds
            raise


def tell(response_url: str, message: Message) -> None:
    """Say something to one person alone, through the response_url of what they did. Raises MayNotPost or TryLater."""
    webhook = WebhookClient(response_url, timeout=TIMEOUT, retry_handlers=[])
    try:
        answer = webhook.send(
            response_type="ephemeral", replace_original=False, unfurl_links=False, unfurl_media=False, **message
        )
    except (SlackClientError, OSError, ValueError, HTTPException) as error:
        raise TryLater(type(error).__name__) from error
    if answer.status_code == 429 or answer.status_code >= 500:
        raise TryLater(str(answer.status_code), _seconds(answer.headers))
    if answer.status_code != 200:
        raise MayNotPost(str(answer.status_code))


def called(call: Callable[[], SlackResponse]) -> SlackResponse:
    """Make a call of the Web API. The only place that knows its errors; none of their texts, which may hold a URL."""
    try:
        return call()
    except SlackApiError as error:
        status, word = error.response.status_code, str(error.response.get("error", ""))
        if status == 429 or status >= 500 or word in _PASSING:
            raise TryLater(word or str(status), _seconds(error.response.headers)) from error
        raise MayNotPost(word or str(status)) from error
    except (SlackClientError, OSError, ValueError, HTTPException) as error:
        raise TryLater(type(error).__name__) from error


def _seconds(headers: Any) -> float | None:
    """Return what Retry-After says, in seconds; None when it says nothing."""
    value = next((v for name, v in headers.items() if name.lower() == "retry-after"), None)
    value = value[0] if isinstance(value, list) and value else value
    return float(value) if isinstance(value, str) and value.isdecimal() else None


def _metadata(job: Job) -> dict[str, Any]:
    """Return what programs read in a message: the job, and its outcome once it is settled."""
    return {"event_type": "addgroup", "event_payload": {"job": job.id, "outcome": job.state}}

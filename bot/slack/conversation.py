"""Where answers go: a root message in the channel, its thread, or privately where the bot may not post."""

from __future__ import annotations

import http.client
import logging
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.jobs import Job
from bot.logs import event
from bot.slack import blocks

TIMEOUT = 10
"""How long one call to Slack may take, in seconds."""


class MayNotPost(Exception):
    """Slack does not let the bot post in this channel; `error` is Slack's word for why."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True)
class Thread:
    """The thread under a root message: the channel as Slack returned it, and the root's ts."""

    channel: str
    ts: str


class Conversation:
    """Tells people about their jobs."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def open(self, job: Job) -> Thread:
        """Post the root message that names who asked for what. Raises MayNotPost."""
        posted = self._post(job, channel=job.channel, text=blocks.root_text(job))
        return Thread(posted["channel"], posted["ts"])

    def answer(self, job: Job, thread: Thread) -> None:
        """Post the final answer under the root, then edit the root to the result. Raises MayNotPost."""
        self._post(job, channel=thread.channel, thread_ts=thread.ts, text=blocks.answer_text(job))
        try:
            self._client.chat_update(channel=thread.channel, ts=thread.ts, text=blocks.root_text(job))
        except (SlackClientError, OSError, http.client.HTTPException) as error:
            event("root_not_edited", level=logging.WARNING, job=job.id, error=_reason(error))

    def answer_privately(self, job: Job) -> None:
        """Give the final answer to the one who asked, alone."""
        tell(job.response_url, blocks.private_text(job), job=job.id)

    def _post(self, job: Job, **message: Any) -> dict[str, Any]:
        try:
            posted = self._client.chat_postMessage(
                unfurl_links=False, unfurl_media=False, metadata=_metadata(job), **message
            )
            return {"channel": posted["channel"], "ts": posted["ts"]}
        except (SlackClientError, OSError, http.client.HTTPException) as error:
            raise MayNotPost(_reason(error)) from error


def tell(response_url: str, text: str, job: str | None = None) -> None:
    """Say something to one person alone, through the `response_url` of what they did."""
    try:
        answer = WebhookClient(response_url, timeout=TIMEOUT, retry_handlers=[]).send(
            text=text, response_type="ephemeral", unfurl_links=False, unfurl_media=False
        )
        if answer.status_code != 200:
            event("not_told", level=logging.ERROR, status=answer.status_code, job=job)
    except (SlackClientError, OSError, ValueError, http.client.HTTPException) as error:
        event("not_told", level=logging.ERROR, error=_reason(error), job=job)


def _metadata(job: Job) -> dict[str, Any]:
    """Return what programs read in a message: the job, and its outcome once it is settled."""
    outcome = job.steps[0].outcome
    return {
        "event_type": "addgroup",
        "event_payload": {"job": job.id, "outcome": type(outcome).__name__.lower() if outcome else "open"},
    }


def _reason(error: Exception) -> str:
    """Return Slack's word for an error, or the kind of the exception: never its text, which may hold a URL."""
    if isinstance(error, SlackApiError):
        return str(error.response.get("error") or error.response.status_code)
    return type(error).__name__

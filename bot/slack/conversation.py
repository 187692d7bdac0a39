"""Where answers go: a root message in the channel, its thread, or privately where the bot may not post."""

from __future__ import annotations

import logging
import time
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.jobs import Job, Thread
from bot.logs import event
from bot.slack import blocks, wording
from bot.slack.calls import SlackRefused, TryLater, called, tell


class Conversation:
    """Tells people about their jobs. Every method raises SlackRefused or TryLater when it did not work."""

    def __init__(self, client: WebClient, audit_channel: str = "", audit_language: str = "en") -> None:
        self._client = client
        self._audit_channel = audit_channel
        self._audit_language = audit_language
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
        except SlackRefused as error:
            event("response_url_refused", level=logging.WARNING, job=job.id, error=error.error)
        for message in messages:
            self._post(job, channel=job.user, **message)

    def audit(self, job: Job) -> None:
        """Say in the audit channel, if there is one, what was created, or whom the bot refused."""
        if self._audit_channel and (text := wording.audit(self._audit_language, job)):
            self._post(job, channel=self._audit_channel, **blocks.plain(text))

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


def _metadata(job: Job) -> dict[str, Any]:
    """Return what programs read in a message: the job, and its outcome once it is settled."""
    return {"event_type": "addgroup", "event_payload": {"job": job.id, "outcome": job.state}}

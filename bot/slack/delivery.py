"""Where answers go: a root message in the channel, its thread, or privately where the bot may not post."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.logs import event
from bot.model.job import Job, Thread, TryLater
from bot.slack import messages, tree, wording
from bot.slack.client import SlackRefused, called, tell
from bot.slack.messages import Message


class Delivery:
    """Tells people about their jobs. Every method raises SlackRefused or TryLater when it did not work."""

    def __init__(self, client: WebClient, audit_channel: str = "", audit_language: str = "en") -> None:
        self._client = client
        self._audit_channel = audit_channel
        self._audit_language = audit_language
        self._quiet_until: dict[str, float] = {}  # by channel: Slack's limits are a channel's
        self._said: Counter[tuple[str, str]] = Counter()  # messages of an answer that came to its end only in part

    def post_root(self, job: Job) -> Thread:
        """Post the root message: who asked for what, and the result where there is one."""
        posted = self._post(job, channel=job.channel, **messages.root(job))
        return Thread(posted["channel"], posted["ts"])

    def edit_root(self, job: Job, thread: Thread, created: int | None = None) -> None:
        """Let the root show the result: that of the job, or `created` groups of the jobs that went on from it."""
        message = messages.root(job, created)
        called(lambda: self._client.chat_update(channel=thread.channel, ts=thread.ts, **message))

    def post_answer(self, job: Job, thread: Thread) -> None:
        """Post the final answer in the thread."""
        options = {"channel": thread.channel, "thread_ts": thread.ts}
        self._say(job, "thread", messages.answer(job), lambda message: self._post(job, **options, **message))

    def answer_privately(self, job: Job) -> None:
        """Give the final answer to the one who asked, alone: where they typed, or as a direct message."""
        private = messages.private(job)
        try:
            if job.response_url:
                self._say(job, "response_url", private, lambda message: tell(job.response_url, message))
                return
        except SlackRefused as error:
            event("response_url_refused", level=logging.WARNING, job=job.id, error=error.error)
        self._say(job, "direct", private, lambda message: self._post(job, channel=job.user, **message))

    def audit(self, job: Job) -> None:
        """Say in the audit channel, if there is one, what was created, or whom the bot refused."""
        if self._audit_channel and (text := wording.audit(self._audit_language, job)):
            lines = [messages.plain(part) for part in tree.texts(text.splitlines())]
            self._say(job, "audit", lines, lambda message: self._post(job, channel=self._audit_channel, **message))

    def _say(self, job: Job, where: str, messages: list[Message], say: Callable[[Message], object]) -> None:
        """Say all messages, going on with the one at which an earlier attempt of this process was put off."""
        for message in messages[self._said[job.id, where] :]:
            say(message)
            self._said[job.id, where] += 1
        del self._said[job.id, where]

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

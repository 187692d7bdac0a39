"""Where answers go: a root message in the channel, its thread, or privately where the bot may not post."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from bot.log import event
from bot.model.job import Job, Thread, TryLater
from bot.model.next_job import Count
from bot.model.outcome import FollowUp
from bot.slack import messages
from bot.slack.blocks import Message
from bot.slack.client import Answer, SlackClient, SlackRefused
from bot.slack.pace import Bucket, Pace, Rank
from bot.slack.texts import LANGUAGES, Voice, say

POST, UPDATE = "chat.postMessage", "chat.update"

UPDATES_AT_ONCE = 8

R = TypeVar("R")


class Posted(NamedTuple):
    """Where an answer stands: the ts of its last message, which has the buttons; `apart` when it is in no thread."""

    ts: str
    apart: bool


class Delivery:
    """Tells people about their jobs. Every method raises SlackRefused or TryLater when it did not work.

    Slack limits messages by channel, and edits by workspace: about 50 a minute. Half of these are left to the edits
    that show a result.
    Source: https://docs.slack.dev/apis/web-api/rate-limits
    """

    def __init__(
        self,
        slack: SlackClient,
        audit_channel: str = "",
        audit_language: str = "en",
        voice: Callable[[str], Voice] = Voice,
    ) -> None:
        """`voice` returns how the bot speaks a language, and what it can name in it."""
        self._slack = slack
        self._voice = voice
        self._audit_channel = audit_channel
        self._audit_language = audit_language
        self._posts = Pace()
        self._edits = Pace(UPDATES_AT_ONCE)
        self._progress = Bucket(per_second=0.4, burst=10)
        self._said: Counter[tuple[str, str]] = Counter()  # messages of an answer that came to its end only in part
        self._refused: dict[str, str] = {}  # Slack's word for why, by job, until its answer is given

    def post_root(self, job: Job) -> Thread:
        """Post the root message: who asked for what, and the result where there is one.

        It stands in the channel, or in the thread of the message that the job replies to.
        """
        rank = Rank.RESULT if job.settled else Rank.SPARE
        place = {"channel": job.channel, **({"thread_ts": job.reply_to} if job.reply_to else {})}
        posted = self._post(job, rank, **place, **messages.root(self._voice(job.language), job))
        channel, ts = posted.get("channel"), posted.get("ts")
        if not isinstance(channel, str) or not isinstance(ts, str):
            raise SlackRefused("no_ts")  # so that nothing can stand under it
        return Thread(channel, ts)

    def edit_root(self, job: Job, thread: Thread, count: Count | None = None, *, progress: bool = False) -> None:
        """Let the root show the result: that of the job, or the `count` of the jobs that went on from it too.

        What shows only progress (always so while the job is not settled) is left out, with TryLater, when edits become
        many.
        """
        rank = Rank.SPARE if progress or not job.settled else Rank.ANSWER
        if rank == Rank.SPARE and (wait := self._progress.take()):
            raise TryLater("progress", wait)
        message = messages.root(self._voice(job.language), job, count, edited=True)
        with self._edits.turn(UPDATE, job.id, job.accepted_at, rank):
            self._slack.call(UPDATE, channel=thread.channel, ts=thread.ts, **message)

    def post_answer(self, job: Job, thread: Thread) -> Posted:
        """Post the final answer in the thread."""
        options = {"channel": thread.channel, "thread_ts": job.reply_to or thread.ts}
        told = messages.answer(self._voice(job.language), job)
        posted = self._say(job, "thread", told, lambda message: self._tell(job, **options, **message))
        self._refused.pop(job.id, None)
        ts, message = (posted.get("ts"), posted.get("message")) if posted else (None, None)
        apart = isinstance(message, dict) and not message.get("thread_ts")
        return Posted(ts if isinstance(ts, str) else "", apart)

    def name_answer(self, job: Job) -> None:
        """Let an answer whose root is gone say itself who asked for what."""
        if job.thread and job.answer_ts:
            alone = replace(job, thread=Thread(job.thread.channel, job.answer_ts))
            message = messages.answer(self._voice(job.language), alone)[-1]
            with self._edits.turn(UPDATE, job.id, job.accepted_at, Rank.ANSWER):
                self._slack.call(UPDATE, channel=job.thread.channel, ts=job.answer_ts, **message)

    def remove_buttons(self, job: Job, used: Collection[FollowUp]) -> None:
        """Remove the buttons that were `used`, and what they make needless, from the answer in the thread."""
        if job.thread and job.answer_ts:
            answer = messages.answer(self._voice(job.language), job, used=used)
            message = {"blocks": [], **answer[-1]}  # no blocks keeps the old
            with self._edits.turn(UPDATE, job.id, job.accepted_at, Rank.SPARE):
                self._slack.call(UPDATE, channel=job.thread.channel, ts=job.answer_ts, **message)

    def answer_privately(self, job: Job) -> None:
        """Give the final answer to the one who asked, alone: where they typed, or as a direct message."""
        private = messages.private(self._voice(job.language), job, self._refused.pop(job.id, ""))
        try:
            if job.response_url:
                self._say(job, "private", private, lambda told: self._slack.respond(job.response_url, told))
                return
        except SlackRefused as error:
            event("response_url_refused", level=logging.WARNING, job=job.id, error=error.error)
        self._say(job, "private", private, lambda message: self._tell(job, channel=job.user, **message))

    def tell_damaged(self, reference: str, user: str, response_url: str) -> None:
        """Tell somebody, in every language, that their command can no longer be read."""
        told = messages.plain("\n".join(say(each, "failure.damaged", reference=reference) for each in LANGUAGES))
        if response_url:
            self._slack.respond(response_url, told)
        elif user:
            self._slack.call(POST, channel=user, **told)

    def audit(self, job: Job) -> None:
        """Say in the audit channel, if there is one, what was created, or which person was refused."""
        if self._audit_channel:
            lines = messages.audit(self._voice(self._audit_language), job)
            self._say(job, "audit", lines, lambda message: self._tell(job, channel=self._audit_channel, **message))

    def _say(self, job: Job, where: str, messages: list[Message], say: Callable[[Message], R]) -> R | None:
        """Say all messages, going on with the one at which an earlier attempt of this process was put off.

        Returns what saying the last one returned.
        """
        said = None
        for message in messages[self._said[job.id, where] :]:
            said = say(message)
            self._said[job.id, where] += 1
        del self._said[job.id, where]
        return said

    def _tell(self, job: Job, **message: Any) -> Answer:
        return self._post(job, Rank.ANSWER, **message)

    def _post(self, job: Job, rank: Rank, **message: Any) -> Answer:
        options = {"unfurl_links": False, "unfurl_media": False, "metadata": _metadata(job), **message}
        try:
            with self._posts.turn(options["channel"], job.id, job.accepted_at, rank):
                return self._slack.call(POST, **options)
        except SlackRefused as error:
            if options["channel"] == job.channel:
                self._refused[job.id] = error.error
            raise


def _metadata(job: Job) -> dict[str, Any]:
    """Return what programs read in a message: the job, and its outcome once it is settled."""
    return {"event_type": "addgroup", "event_payload": {"job": job.id, "outcome": job.state}}

"""Where answers go: a root message in the channel, its thread, or privately where the bot may not post."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from bot.model.job import Job, Thread
from bot.model.next_job import Count
from bot.model.outcome import FollowUp
from bot.slack import messages
from bot.slack.blocks import Message
from bot.slack.client import SlackClient, SlackRefused
from bot.slack.pace import SPARE, Pace
from bot.slack.texts import Voice

POST, UPDATE = "chat.postMessage", "chat.update"


class Delivery:
    """Tells people about their jobs. Every method raises SlackRefused or TryLater when it did not work.

    Slack limits messages by channel, and edits by workspace.
    Source: https://docs.slack.dev/apis/web-api/rate-limits
    """

    def __init__(
        self, slack: SlackClient, audit_channel: str = "", language: str = "en", voice: Callable[[str], Voice] = Voice
    ) -> None:
        """`language` is the audit channel's; `voice` returns how the bot speaks one, and what it can name in it."""
        self._slack = slack
        self._voice = voice
        self._audit_channel = audit_channel
        self._audit_language = language
        self._pace = Pace()
        self._said: Counter[tuple[str, str]] = Counter()  # messages of an answer that came to its end only in part

    def post_root(self, job: Job) -> Thread:
        """Post the root message: who asked for what, and the result where there is one.

        It stands in the channel, or in the thread of the message that the job replies to.
        """
        thread = {"thread_ts": job.reply_to} if job.reply_to else {}
        with_answer = 2 if job.settled else SPARE
        posted = self._post(job, messages.root(self._voice(job.language), job), with_answer, job.channel, **thread)
        channel, ts = posted.get("channel"), posted.get("ts")
        if not channel or not ts:
            raise SlackRefused("no_ts")  # so that nothing can stand under it
        return Thread(channel, ts)

    def edit_root(self, job: Job, thread: Thread, count: Count | None = None) -> None:
        """Let the root show the result: that of the job, or the `count` of the jobs that went on from it too.

        While the job is not settled, that is only progress: it is left out, with TryLater, where Slack limits edits.
        """
        root = messages.root(self._voice(job.language), job, count, edited=True)
        self._edit(job, thread, root, 1 if job.settled else SPARE)

    def post_answer(self, job: Job, thread: Thread) -> str:
        """Post the final answer in the thread; return the ts of its last message, which has the buttons."""
        place = {"channel": thread.channel, "thread_ts": job.reply_to or thread.ts}
        return str(self._say(job, messages.answer(self._voice(job.language), job), **place).get("ts") or "")

    def edit_answer(self, job: Job, used: Collection[FollowUp]) -> None:
        """Let the answer in the thread say what is so now, without the buttons that were `used` or are needless now."""
        if job.thread and job.answer_ts:
            answer = messages.answer(self._voice(job.language), job, used=used)
            place = Thread(job.thread.channel, job.answer_ts)
            self._edit(job, place, {"blocks": [], **answer[-1]}, SPARE)  # no blocks keeps the old

    def answer_privately(self, job: Job) -> None:
        """Give the final answer to the one who asked, alone: where they typed, or as a direct message."""
        self._say(job, messages.private(self._voice(job.language), job))

    def audit(self, job: Job) -> None:
        """Say in the audit channel, if there is one, what was created, or which person was refused."""
        if self._audit_channel:
            self._say(job, messages.audit(self._voice(self._audit_language), job), channel=self._audit_channel)

    def _say(self, job: Job, told: list[Message], **place: str) -> dict[str, Any]:
        """Say all messages at a place, or privately at none; from the one on at which this process was put off before.

        Returns what Slack said of the last one.
        """
        said, key = dict[str, Any](), (job.id, str(place))
        while left := told[self._said[key] :]:
            if place:
                said = self._post(job, left[0], len(left), **place)
            else:
                self._slack.tell(job.user, job.response_url, left[0])
            self._said[key] += 1
        del self._said[key]
        return said

    def _post(self, job: Job, message: Message, left: int, channel: str, **thread: str) -> dict[str, Any]:
        payload = {"job": job.id, "outcome": job.state}  # for programs that read the message
        metadata = {"event_type": "addgroup", "event_payload": payload}
        with self._pace.turn(channel, job.id, left):
            return self._slack.call(
                POST, channel=channel, metadata=metadata, unfurl_links=False, unfurl_media=False, **thread, **message
            )

    def _edit(self, job: Job, place: Thread, message: Message, left: int) -> None:
        with self._pace.turn(UPDATE, job.id, left):
            self._slack.call(UPDATE, channel=place.channel, ts=place.ts, **message)

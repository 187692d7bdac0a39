"""What people do in Slack: the command. Answers Slack at once; what takes time is the worker's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from slack_bolt import Ack, App
from slack_bolt.response import BoltResponse

from bot.command import Help, History, OpenForm, ParentName, UsageError, parse
from bot.jobs import Duplicate, Job, Step, new_id
from bot.journal import Accepted, Busy, JournalError
from bot.logs import event
from bot.slack import blocks
from bot.slack.conversation import MayNotPost, TryLater, tell
from bot.slack.people import People
from bot.worker import Worker

COMMAND = "/addgroup"


class Listeners:
    """Registers with a Bolt app everything that Slack may send it."""

    def __init__(self, people: People, worker: Worker, errands: Executor) -> None:
        """Hand jobs to the worker; run what must not delay an acknowledgement in `errands`."""
        self._people = people
        self._worker = worker
        self._errands = errands

    def register(self, app: App) -> None:
        """Register the listeners and the boundary at which an unexpected fault becomes a reference id."""
        app.command(COMMAND)(self.command)
        app.error(self.failed)

    def command(self, ack: Ack, command: dict[str, Any]) -> None:
        """Answer `/addgroup …`: privately for help and mistakes, else accept the job. Nothing follows the ack."""
        text = unescape(command.get("text", ""))
        try:
            parsed = parse(text)
            if isinstance(parsed, OpenForm):
                raise UsageError("no_form")
            if isinstance(parsed, History):
                raise UsageError("no_history")
            if isinstance(parsed, Help):
                self._reply(ack, command, blocks.help_text)
                return
            if parsed.groups and isinstance(parsed.groups[0].parent, ParentName):
                raise UsageError("parent_name", part=parsed.groups[0].parent.name)
        except UsageError as mistake:
            error = mistake
            self._reply(ack, command, lambda language: blocks.usage_text(language, error))
            return
        job = Job(
            user=command["user_id"],
            channel=command["channel_id"],
            trigger=command["trigger_id"],
            typed=text,
            response_url=command["response_url"],
            steps=[Step(position, group.name, group.parent) for position, group in enumerate(parsed.groups)],
            language=self._people.known_language(command["user_id"]),
        )
        try:
            accepted = self._worker.accept(job)
        except JournalError as error:
            event("not_accepted", level=logging.ERROR, job=job.id, reason=str(error))
            self._errands.submit(self._withdraw, job)
            self._reply(ack, command, blocks.journal_failure_text)
            return
        event("accepted", job=job.id, user=job.user, channel=job.channel, how=type(accepted).__name__.lower())
        match accepted:
            case Accepted():
                ack()
            case Busy():
                self._reply(ack, command, blocks.busy_text)
            case Duplicate() as duplicate:
                self._reply(ack, command, lambda language: blocks.duplicate_text(language, job.steps[0], duplicate))

    def failed(self, error: Exception, body: dict[str, Any]) -> BoltResponse:
        """Log an unexpected fault with a reference and tell it to the person; HTTP 200, or Slack would hide it."""
        reference = new_id()
        event("request_failed", level=logging.ERROR, reference=reference, trace=error)
        user = body.get("user_id")
        language = self._people.known_language(user) if isinstance(user, str) else ""
        return BoltResponse(status=200, body=blocks.failure_text(language or "en", reference))

    def _reply(self, ack: Ack, command: dict[str, Any], text: Callable[[str], str]) -> None:
        """Tell the sender alone: in the ack where their language is known, else as soon as Slack has said it."""
        user, response_url = command["user_id"], command["response_url"]
        if language := self._people.known_language(user):
            ack(text(language))
            return
        self._errands.submit(lambda: self._tell(response_url, text(self._people.language(user))))
        ack()

    def _tell(self, response_url: str, text: str) -> None:
        try:
            tell(response_url, text)
        except (MayNotPost, TryLater) as error:
            event("not_told", level=logging.WARNING, error=str(error))

    def _withdraw(self, job: Job) -> None:
        """Take back what was perhaps written although the journal failed: the person is told that nothing was done."""
        try:
            self._worker.withdraw(job)
        except JournalError as error:
            event("not_withdrawn", level=logging.ERROR, job=job.id, reason=str(error))


def unescape(text: str) -> str:
    """Undo Slack's escaping of the three characters, and of no other (`&copy;` stays as it is typed).

    Source: https://docs.slack.dev/messaging/formatting-message-text#escaping
    """
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

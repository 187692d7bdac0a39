"""The door to the journal: hands over what people ask for, and tells them privately where it does not go through."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor

from slack_bolt import Ack

from bot.jobs import Duplicate, Job
from bot.journal import Accepted, Busy, JournalError
from bot.logs import event
from bot.slack import blocks
from bot.slack.blocks import Message
from bot.slack.conversation import MayNotPost, TryLater, tell
from bot.slack.people import People
from bot.texts import say
from bot.worker import Worker

Said = Callable[[str], Message]
"""What is told, by language."""


class Reply:
    """Answers one thing that a person did in Slack, to that person alone, and acknowledges it exactly once."""

    def __init__(self, ack: Ack, people: People, errands: Executor, user: str, response_url: str) -> None:
        self.user = user
        self.response_url = response_url
        self.language = people.known_language(user)
        self._ack = ack
        self._people = people
        self._errands = errands

    def done(self) -> None:
        """Acknowledge without a word."""
        self._ack()

    def tell(self, said: Said) -> None:
        """Acknowledge, and say something as soon as the person's language is known."""
        self._errands.submit(self._tell, said)
        self._ack()

    def _tell(self, said: Said) -> None:
        try:
            tell(self.response_url, said(self._people.language(self.user)))
        except (MayNotPost, TryLater) as error:
            event("not_told", level=logging.WARNING, user=self.user, error=str(error))


class CommandReply(Reply):
    """The same for a slash command, whose acknowledgement can carry words where the language is known already."""

    def tell(self, said: Said) -> None:
        """Acknowledge with the words, or say them as soon as the person's language is known."""
        if self.language:
            self._ack(response_type="ephemeral", **said(self.language))
        else:
            super().tell(said)


class Intake:
    """Accepts jobs."""

    def __init__(self, worker: Worker, errands: Executor) -> None:
        self._worker = worker
        self._errands = errands

    def accept(self, job: Job, reply: Reply) -> None:
        """Write a job down and acknowledge; or tell the person why it was not accepted. Nothing follows the ack."""
        try:
            accepted = self._worker.accept(job)
        except JournalError as error:
            event("not_accepted", level=logging.ERROR, job=job.id, reason=str(error))
            self._errands.submit(self._withdraw, job)
            reply.tell(lambda language: blocks.plain(say(language, "failure.journal")))
            return
        event("accepted", job=job.id, user=job.user, channel=job.channel, how=type(accepted).__name__.lower())
        match accepted:
            case Accepted(fresh=False, user=first) if not job.typed_now:
                reply.tell(lambda language: blocks.plain(say(language, "button.used", who=f"<@{first}>")))
            case Accepted():
                reply.done()
            case Busy():
                reply.tell(lambda language: blocks.plain(say(language, "failure.busy")))
            case Duplicate():
                reply.tell(lambda language: blocks.duplicate(job, language))

    def _withdraw(self, job: Job) -> None:
        """Take back what was perhaps written although the journal failed: the person is told that nothing was done."""
        try:
            self._worker.withdraw(job)
        except JournalError as error:
            event("not_withdrawn", level=logging.ERROR, job=job.id, reason=str(error))

"""The door to the journal: hands over what people ask for, and tells them privately where it does not go through."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial

from slack_bolt import Ack

from bot.front.answer_size import fits
from bot.front.make_sure import Answer, MakeSure
from bot.journal.journal import Accepted, Busy, Journal, JournalError, Unsure
from bot.logs import event
from bot.model.job import Job, TryLater
from bot.model.outcome import Duplicate
from bot.slack import messages, wording
from bot.slack.access import Access
from bot.slack.client import SlackRefused
from bot.slack.messages import Message
from bot.slack.mrkdwn import mention
from bot.slack.texts import LANGUAGES, Language, say
from bot.slack.users import Users

Said = Callable[[Language], Message]
"""What is told, by language."""


class Reply:
    """Answers one thing that a person did in Slack, to that person alone, and acknowledges it exactly once."""

    def __init__(self, ack: Ack, users: Users, errands: Executor, user: str, response_url: str) -> None:
        self.user = user
        self.response_url = response_url
        self.language = users.known_language(user)
        self._ack = ack
        self._users = users
        self._errands = errands

    def done(self) -> None:
        """Acknowledge without a word."""
        self._ack()

    def tell(self, said: Said, unless: Callable[[], str] | None = None) -> None:
        """Acknowledge, and say something as soon as the person's language is known.

        With `unless`, which returns why the person may not know it, that is said instead.
        """
        self._errands.submit(self.tell_later, said, unless).add_done_callback(self._log_fault)
        self._ack()

    def tell_at_once(self, said: Said) -> None:
        """Acknowledge and say something, without asking Slack for anything where the acknowledgement can carry it."""
        self.tell(said)

    def tell_later(self, said: Said, unless: Callable[[], str] | None = None) -> None:
        """Say something after the acknowledgement."""
        try:
            reason, voice = unless() if unless else "", self._users.voice(self._users.language(self.user))
            message = messages.plain(wording.denied(voice, reason)) if reason else said(voice)
            self._users.slack.respond(self.response_url, message)
        except (SlackRefused, TryLater) as error:
            event("not_told", level=logging.WARNING, user=self.user, error=str(error))

    def _log_fault(self, told: Future[None]) -> None:
        if error := told.exception():
            event("not_told", level=logging.ERROR, user=self.user, trace=error)


class CommandReply(Reply):
    """The same for a slash command, whose acknowledgement can carry words where the language is known already."""

    def tell(self, said: Said, unless: Callable[[], str] | None = None) -> None:
        """Acknowledge with the words where nothing is to be found out before and they fit, else say them later."""
        words = said(self._users.voice(self.language)) if self.language and not unless else {}
        if words and fits(words):
            self._ack(response_type="ephemeral", **words)
        else:
            super().tell(said, unless)

    def tell_at_once(self, said: Said) -> None:
        """Acknowledge with the words, in every language where the person's is not known."""
        languages = [self.language] if self.language else LANGUAGES
        texts = [said(self._users.voice(language))["text"] for language in languages]
        self._ack(response_type="ephemeral", **messages.plain("\n".join(texts)))


class Intake:
    """Accepts jobs, and makes the replies to what people do; `errands` run what must not delay an acknowledgement."""

    def __init__(self, journal: Journal, users: Users, access: Access, errands: Executor) -> None:
        self.users = users
        self.access = access
        self._journal = journal
        self._errands = errands
        self._unsure = MakeSure(journal, self._conclude)

    def reply(self, ack: Ack, user: str, response_url: str, command: bool = False) -> Reply:
        """Return what answers one thing that a person did, a `command` or anything else."""
        kind = CommandReply if command else Reply
        return kind(ack, self.users, self._errands, user, response_url)

    def accept(self, job: Job, reply: Reply) -> None:
        """Write a job down and acknowledge; or tell the person why it was not accepted. Nothing follows the ack."""
        try:
            answer = self._journal.accept(job)
        except Unsure as error:
            event("unsure_whether_accepted", level=logging.ERROR, job=job.id, reason=str(error))
            self._unsure.add(job, reply)
            reply.tell(lambda language: messages.plain(say(language, "failure.unsure")))
            return
        except JournalError as error:
            event("not_accepted", level=logging.ERROR, job=job.id, reason=str(error))
            reply.tell(lambda language: messages.plain(say(language, "failure.journal")))
            return
        self._log(job, answer)
        if said := self._said(job, answer):
            reply.tell(*said)
        else:
            reply.done()

    def _conclude(self, job: Job, answer: Answer, reply: Reply) -> None:
        """Go on as usual with a job of which nobody knew for a while whether it was accepted."""
        self._log(job, answer)
        if said := self._said(job, answer):
            reply.tell_later(*said)

    @staticmethod
    def _log(job: Job, answer: Answer) -> None:
        event("accepted", job=job.id, user=job.user, channel=job.channel, how=type(answer).__name__.lower())

    def _said(self, job: Job, answer: Answer) -> tuple[Said, Callable[[], str] | None] | None:
        """Return what to tell, and what keeps it from a person; None when the job itself will answer."""
        match answer:
            case Accepted(fresh=False, user=first) if job.followup:
                return lambda language: messages.plain(say(language, "button.used", who=mention(first))), None
            case Accepted():
                return None
            case Busy(own=0):
                return lambda language: messages.plain(say(language, "failure.busy")), None
            case Busy(own=count):
                return lambda language: messages.plain(say(language, "failure.busy_own", count=count)), None
            case Duplicate():
                # It names others and their groups, so it is only for who may use the command.
                return lambda language: messages.duplicate(job, language), partial(self._refusal, job)

    def _refusal(self, job: Job) -> str:
        return self.access.refusal(job.user, job.channel)

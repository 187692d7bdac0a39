"""Accepts what people ask for: writes it into the journal, or tells them why that did not work."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from typing import Any, TypeVar

from slack_bolt import Ack

from bot.front.reply import CommandReply, Errands, FormReply, Reply
from bot.journal.accepting import Accepted, Busy
from bot.journal.errors import JournalError, Unsure
from bot.journal.journal import Journal
from bot.log import event
from bot.model.job import Job, kind_of
from bot.model.outcome import FollowUp
from bot.slack import messages
from bot.slack.handing_back import Typed
from bot.slack.mrkdwn import mention
from bot.slack.people import People
from bot.slack.texts import say

R = TypeVar("R", bound=Reply)


class Intake:
    """Accepts jobs, and makes the replies to what people do; `errands` run what must not delay an acknowledgement."""

    def __init__(self, journal: Journal, people: People, errands: Executor) -> None:
        self.people = people
        self._journal = journal
        self._errands = Errands(errands)

    def reply(self, ack: Ack, user: str, response_url: str) -> Reply:
        """Return what answers one thing that a person did: a button pressed, a shortcut chosen."""
        return self._reply(Reply, ack, user, response_url)

    def command_reply(self, ack: Ack, user: str, response_url: str) -> CommandReply:
        """Return what answers a command."""
        return self._reply(CommandReply, ack, user, response_url)

    def form_reply(self, ack: Ack, user: str, response_url: str) -> FormReply:
        """Return what answers a form that was submitted."""
        return self._reply(FormReply, ack, user, response_url)

    def accept(self, job: Job, reply: Reply) -> None:
        """Write a job down and acknowledge; or tell the person why it was not accepted. Nothing follows the ack."""
        try:
            answer = self._journal.accept(job)
        except Unsure as error:
            event("unsure_whether_accepted", level=logging.ERROR, job=job.id, reason=str(error))
            reply.tell_at_once(lambda language: messages.plain(say(language, "failure.unsure")))
            return
        except JournalError as error:
            event("not_accepted", level=logging.ERROR, job=job.id, reason=str(error))
            reply.decline(_typed(job), "failure.journal")
            return
        self._conclude(job, answer, reply)

    def _reply(self, kind: type[R], ack: Ack, user: str, response_url: str) -> R:
        return kind(ack, self.people, self._errands, user, response_url)

    def _conclude(self, job: Job, answer: Accepted | Busy, reply: Reply) -> None:
        """Acknowledge a job that the journal has answered, and tell what the job itself will not."""
        event("accepted", job=job.id, user=job.user, channel=job.channel, how=type(answer).__name__.lower())
        match answer:
            case Accepted(fresh=False, user=first) if job.followup:
                reply.tell(lambda language: messages.plain(say(language, "button.used", who=mention(first))))
            case Accepted():
                reply.done()
            case Busy(own=0):
                reply.decline(_typed(job), "failure.busy")
            case Busy(own=count):
                reply.decline(_typed(job), "failure.busy_own", count=count)


def channel_of(body: dict[str, Any]) -> str:
    """Return the channel in which a button was pressed or a shortcut chosen."""
    return str((body.get("channel") or {}).get("id") or body["container"]["channel_id"])


def kind_in(body: dict[str, Any]) -> str:
    """Return the kind of that channel, "" where the payload does not say it."""
    return kind_of(str((body.get("channel") or {}).get("name") or ""))


def _typed(job: Job) -> Typed | None:
    """Return what was typed for a job; None for one that a button started, which is there to be pressed again."""
    return Typed(job.typed, job.reply_to) if job.followup in (None, FollowUp.EDIT) else None

"""Taking in: what one person does is accepted as a job, or answered to that person alone; it is acknowledged once."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, ParamSpec

from slack_bolt import Ack

from bot.front.http import fits
from bot.journal import JournalError, Unsure
from bot.journal.accepting import Accepted, Busy
from bot.journal.journal import Journal
from bot.log import event
from bot.model.grammar import NewGroup
from bot.model.job import Job, TryLater, kind_of, steps_of
from bot.model.outcome import FollowUp
from bot.slack import wording
from bot.slack.blocks import Message, Typed, plain, with_text
from bot.slack.client import SlackRefused
from bot.slack.people import People
from bot.slack.texts import LANGUAGES, Language, say, say_plain
from bot.slack.wording import mention

P = ParamSpec("P")

Said = Callable[[Language], Message]
"""What is told, by language."""

PAUSES = (1.0, 3.0, 10.0, 30.0)
"""How long to wait before each further attempt to tell something, in seconds; a thread is held for so long."""

ERRANDS = 16
"""How many private answers may wait at once for Slack, the journal or the list of groups."""


@dataclass(frozen=True)
class Origin:
    """Where something was asked for; a form carries it in its private_metadata.

    `channel_kind` is as in a Job. The answer comes in the thread of the message `reply_to` (its ts). `trigger` is what
    the person did first: forms that go back to the same make one job. Only of a form: the answered `job` that it goes
    on from, the name of the `parent` that it was opened with, for which an option is too short, digests of what its
    fields were `opened` with, by action_id, and how often it has `asked` back.
    """

    channel: str
    response_url: str = field(default="", repr=False)
    job: str = ""
    reply_to: str = ""
    parent: str = ""
    trigger: str = ""
    opened: dict[str, str] = field(default_factory=dict, repr=False)
    asked: int = 0
    channel_kind: str = ""

    @classmethod
    def of(cls, body: dict[str, Any]) -> Origin:
        """Return where a command was typed, a button pressed or a shortcut chosen; on the Home tab, that is the person.

        What is posted to a person is a direct message.
        """
        channel = body.get("channel") or {"id": body.get("channel_id"), "name": body.get("channel_name")}
        identifier = channel.get("id") or body.get("container", {}).get("channel_id")
        kind = kind_of(str(channel.get("name") or "")) if identifier else "dm"
        response_url = str(body.get("response_url") or "")
        return cls(identifier or body["user"]["id"], response_url, trigger=body["trigger_id"], channel_kind=kind)

    @classmethod
    def load(cls, text: str) -> Origin:
        """Read what `dump` wrote. Raises ValueError or TypeError."""
        return cls(**json.loads(text))

    def dump(self) -> str:
        """Return it as text."""
        return json.dumps(asdict(self), ensure_ascii=False)


class Intake:
    """The one way in: whatever a person does has a Reply, and becomes a job here."""

    def __init__(self, journal: Journal, people: People) -> None:
        self.journal = journal
        self.people = people
        self.closing = threading.Event()
        self._errands = ThreadPoolExecutor(ERRANDS, thread_name_prefix="errand")

    def begin(self, errand: Callable[[], None]) -> None:
        """Run what must not delay an acknowledgement as soon as a thread is free. Its fault is logged."""
        self._errands.submit(errand).add_done_callback(_log_fault)

    def close(self) -> None:
        """Let the errands finish that have begun. Nothing may come in any more."""
        self.closing.set()
        self._errands.shutdown()

    def accept(self, job: Job, reply: Reply) -> None:
        """Write a job down and acknowledge; or tell the person why it was not accepted. Nothing follows the ack."""
        # What was typed is given back; a button is there to be pressed again.
        back = Typed(job.typed, job.reply_to) if job.followup in (None, FollowUp.EDIT) else None
        try:
            answer = self.journal.accept(job)
        except Unsure as error:
            event("unsure_whether_accepted", level=logging.ERROR, job=job.id, reason=str(error))
            reply.tell(sentence("failure.unsure"), back, at_once=True)
            return
        except JournalError as error:
            event("not_accepted", level=logging.ERROR, job=job.id, reason=str(error))
            reply.decline("failure.journal", back)
            return
        event("accepted", job=job.id, user=job.user, channel=job.channel, how=type(answer).__name__.lower())
        match answer:
            case Busy(own=own):
                reply.decline("failure.busy_own" if own else "failure.busy", back, count=own)
            case Accepted(fresh=False, user=first) if job.followup:
                reply.tell(sentence("button.used", who=mention(first)), back)
            case Accepted(fresh=False) if reply.field:
                reply.tell(sentence("form.used"), back)
            case Accepted():
                reply.done()

    def find(self, job: str) -> Job | None:
        """Return the job of an id, None where there is none or none is meant. Raises JournalError."""
        return self.journal.find(job) if job else None


class Reply:
    """Answers one thing that a person did in Slack, to that person alone, and acknowledges it exactly once."""

    def __init__(  # noqa: PLR0913, PLR0917  # what it answers, and how Slack shows an answer to that
        self, intake: Intake, ack: Ack, user: str, origin: Origin, in_words: bool = False, field: str = ""
    ) -> None:
        """Answer what `user` did; `in_words` where Slack shows a text in the acknowledgement, as to a command.

        A form that was submitted has a `field` (a block_id): there stands why it is not accepted, and it stays open.
        """
        self.user = user
        self.origin = origin
        self._intake = intake
        self._people = intake.people
        self._ack = ack
        self._acknowledged = False
        self._in_words = in_words
        self.field = field

    @property
    def language(self) -> str:
        """The person's language, "" while it is not known."""
        return self._people.known_language(self.user)

    def done(self, **answer: Any) -> None:
        """Acknowledge, without a word if there is no `answer`; a second time does nothing."""
        if not self._acknowledged:
            self._acknowledged = True
            self._ack(**answer)

    def later(self, work: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
        """Acknowledge, and do what may take longer, with these arguments."""
        self.done()
        self._intake.begin(partial(work, *arguments, **named))

    def tell(self, said: Said, back: Typed | None = None, at_once: bool = False) -> None:
        """Acknowledge, and say something: in the acknowledgement where that can carry it, else soon afterwards.

        Where the person's language is not known, words `at_once` come in every language, for later ones may be lost;
        others wait until it is. What is given `back` was not accepted, and stands below.
        """
        languages = self._languages()
        voices = [self._people.voice(each) for each in languages] if at_once or len(languages) == 1 else []
        if self._in_words and voices and not self._acknowledged:
            first, *others = map(said, voices)
            message = plain("\n\n".join(each["text"] for each in (first, *others))) if others else first
            words = with_text(voices[0], message, back)
            if len(words) == 1 and fits(words[0]):
                self.done(response_type="ephemeral", **words[0])
                return
        self.later(self._say, said, back)

    def decline(self, key: str, back: Typed | None = None, **values: object) -> None:
        """Acknowledge, and say by a sentence of the texts why something was not accepted."""
        if self.field:
            self.mistake(" ".join(say_plain(language, key, **values) for language in self._languages()))
        else:
            self.tell(sentence(key, **values), back, at_once=True)

    def mistake(self, sentence: str, field: str = "") -> None:
        """Acknowledge a form, and show a sentence at a field of it."""
        self.done(response_action="errors", errors={field or self.field: sentence})
        event("form_refused", user=self.user, field=field or self.field)

    def refused(self, seconds: float, back: Typed | None = None) -> bool:
        """Tell whether the person may not do this where they are, which then was said; asking takes `seconds` at most.

        What they typed is given `back` where that is not known for now.
        """
        reason = self._people.refusal(self.user, self.origin.channel, seconds)
        if reason:
            event("denied", user=self.user, channel=self.origin.channel, reason=reason)
            typed = back if reason == "unknown" else None
            self.tell(lambda voice: plain(wording.denied(voice, reason)), typed, at_once=True)
        return bool(reason)

    def job(self, groups: Iterable[NewGroup], typed: str, trigger: str) -> Job:
        """Return the job that creates groups for this person, where they are; `trigger` is what they did."""
        return Job(
            user=self.user,
            channel=self.origin.channel,
            channel_kind=self.origin.channel_kind,
            trigger=trigger,
            typed=typed,
            steps=steps_of(groups),
            response_url=self.origin.response_url,
            language=self.language,
            reply_to=self.origin.reply_to,
        )

    def _languages(self) -> Sequence[str]:
        """Return the language of the person, or all while it is not known."""
        known = self.language
        return [known] if known else LANGUAGES

    def _say(self, said: Said, back: Typed | None) -> None:
        """Say it through the response_url, soon: it may fail for a passing reason."""
        voice = self._people.voice(self._people.language(self.user))
        left = with_text(voice, said(voice), back)
        for pause in (*PAUSES, None):
            try:
                while left:
                    self._respond(left[0])
                    del left[0]
                return
            except SlackRefused as error:
                event("not_told", level=logging.WARNING, user=self.user, error=error.error)
                return
            except TryLater as error:
                over = pause is None or self._intake.closing.wait(max(pause, error.seconds or 0.0))
                event("not_told" if over else "told_later", level=logging.WARNING, user=self.user, error=error.why)
                if over:
                    return

    def _respond(self, message: Message) -> None:
        """Say it where it was asked for; as a direct message where that cannot be, as on the Home tab."""
        if self.origin.response_url:
            try:
                self._people.slack.respond(self.origin.response_url, message)
            except SlackRefused as error:
                event("response_url_refused", level=logging.WARNING, user=self.user, error=error.error)
            else:
                return
        self._people.slack.call("chat.postMessage", channel=self.user, **message)


def _log_fault(done: Future[None]) -> None:
    if error := done.exception():
        event("not_told", level=logging.ERROR, trace=error)


def sentence(key: str, **values: object) -> Said:
    """Return what says one sentence of the texts."""
    return lambda language: plain(say(language, key, **values))

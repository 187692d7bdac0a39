"""Taking in: what one person does is accepted as a job, or answered to that person alone; it is acknowledged once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from slack_bolt import Ack

from bot.front.http import fits
from bot.journal import JournalError, Unsure
from bot.journal.accepting import Accepted, Busy
from bot.journal.journal import Journal
from bot.log import event
from bot.model.grammar import NewGroup
from bot.model.job import Job, Step, TryLater, kind_of
from bot.slack import wording
from bot.slack.blocks import Message, Typed, plain, with_text
from bot.slack.client import SlackRefused
from bot.slack.people import People
from bot.slack.texts import LANGUAGES, Language, say, say_plain

NOTHING = Typed("")

Said = Callable[[Language], Message]
"""What is told, by language."""

PAUSES = (1.0, 3.0, 10.0, 30.0)
"""How long to wait before each further attempt to tell something, in seconds; a thread is held for so long."""

WITHIN = 10.0
"""How long may take what only the person waits for who asked: who they are, and the list of groups; in seconds."""

ERRANDS = 16
"""How many private answers may wait at once for Slack, the journal or the list of groups."""


@dataclass(frozen=True)
class Origin:
    """Where something was asked for; a form carries it in its private_metadata.

    `channel_kind` is as in a Job. The answer comes in the thread of the message `reply_to` (its ts). `trigger` is what
    the person did first: forms that go back to the same make one job. Only of a form: the answered `job` that it goes
    on from, the name of the `parent` that was typed, for which an option is too short, digests of what its fields were
    `opened` with, by action_id, and how often it has `asked` back.
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


class Intake:
    """The one way in: whatever a person does has a Reply, and becomes a job here."""

    def __init__(self, journal: Journal, people: People) -> None:
        self.journal = journal
        self.people = people
        self.closing = threading.Event()
        self._errands = ThreadPoolExecutor(ERRANDS, thread_name_prefix="errand")

    def begin(self, errand: Callable[[], None]) -> None:
        """Run what must not delay an acknowledgement as soon as a thread is free. What it raises is logged."""
        self._errands.submit(errand).add_done_callback(_log_fault)

    def close(self) -> None:
        """Let the errands finish that have begun. Nothing may come in any more."""
        self.closing.set()
        self._errands.shutdown()

    def accept(self, job: Job, reply: Reply) -> None:
        """Write a job down and acknowledge; or tell the person why it was not accepted. Nothing follows the ack."""
        try:
            answer = self.journal.accept(job)
        except JournalError as error:
            unsure = isinstance(error, Unsure)
            event("not_accepted", level=logging.ERROR, job=job.id, unsure=unsure, reason=str(error))
            reply.decline("failure.unsure" if unsure else "failure.journal")
            return
        repeated = isinstance(answer, Accepted) and not answer.fresh
        how = "repeated" if repeated else type(answer).__name__.lower()
        event("accepted", job=job.id, user=job.user, channel=job.channel, how=how)
        match answer:
            case Busy(own=own):
                reply.decline("failure.busy_own" if own else "failure.busy", count=own)
            case Accepted(fresh=False, user=first) if job.followup or reply.field:
                key = "button.used" if job.followup else "form.used"
                reply.tell(sentence(key, who=wording.mention(first)), give_back=True)
            case Accepted():
                reply.done()


@dataclass
class Reply:
    """Answers one thing that a person did in Slack, to that person alone, and acknowledges it exactly once.

    It is `in_words` where Slack shows a text in the acknowledgement, as to a command. A form that was submitted has a
    `field` (a block_id): there stands why it is not accepted, and it stays open. What was `typed` is given back with
    the reason where it is not accepted.
    """

    intake: Intake
    ack: Ack
    user: str
    origin: Origin
    in_words: bool = False
    field: str = ""
    typed: Typed = NOTHING
    acknowledged: bool = False

    def __post_init__(self) -> None:
        self.user = str(self.user)  # whatever a payload holds

    @property
    def language(self) -> str:
        """The person's language, "" while it is not known."""
        return self.intake.people.known_language(self.user)

    def done(self, **answer: Any) -> None:
        """Acknowledge, without a word if there is no `answer`; a second time does nothing."""
        if not self.acknowledged:
            self.acknowledged = True
            self.ack(**answer)

    def later(self, what: str, work: Callable[[], None], anybody: bool = False) -> None:
        """Acknowledge, and do what may take longer, if the person may use the command or `anybody` may do this.

        Where the journal fails, `[what] failed` in the texts is said.
        """

        def errand() -> None:
            try:
                if anybody or not self.refused(WITHIN):
                    work()
            except JournalError as error:
                event("errand_failed", level=logging.ERROR, user=self.user, what=what, reason=str(error))
                self.tell(sentence(f"{what}.failed"))

        self.done()
        self.intake.begin(errand)

    def tell(self, said: Said, give_back: bool = False) -> None:
        """Acknowledge, and say something: in the acknowledgement where that can carry it, else soon afterwards.

        Where the person's language is not known, sentences come in every language, for later ones may be lost; a page
        with a button waits until it is. To `give_back` what was typed, it stands below.
        """
        back = self.typed if give_back else NOTHING
        if self.in_words and not self.acknowledged:
            voices = [self.intake.people.voice(each) for each in self._languages()]
            told = [said(voice) for voice in voices]
            if len(told) > 1 and "blocks" not in told[0]:
                told = [plain("\n\n".join(each["text"] for each in told))]
            words = with_text(voices[0], told[0], back)
            if len(told) == len(words) == 1 and fits(words[0]):
                self.done(response_type="ephemeral", **words[0])
                return
        self.done()
        self.intake.begin(lambda: self._say(said, back))

    def decline(self, key: str, **values: object) -> None:
        """Acknowledge, and say by a sentence of the texts why something was not accepted, and give back what it was."""
        if self.field:
            self.mistake(" ".join(say_plain(language, key, **values) for language in self._languages()))
        else:
            self.tell(sentence(key, **values), give_back=True)

    def mistake(self, said: str, field: str = "") -> None:
        """Acknowledge a form, and show a sentence at a field of it."""
        self.done(response_action="errors", errors={field or self.field: said})

    def refused(self, seconds: float, give_back: bool = False) -> bool:
        """Tell whether the person may not do this where they are, which then was said; asking takes `seconds` at most.

        To `give_back` what was typed, it stands below where it is not known for now whether they may.
        """
        reason = self.intake.people.refusal(self.user, self.origin.channel, seconds)
        if reason:
            event("denied", user=self.user, channel=self.origin.channel, reason=reason)
            self.tell(lambda voice: plain(wording.denied(voice, reason)), give_back and reason == "unknown")
        return bool(reason)

    def job(self, groups: Iterable[NewGroup], trigger: str) -> Job:
        """Return the job that creates groups for this person, where they are; `trigger` is what they did."""
        at = self.origin
        steps = [Step(place, group.name, group.parent, group.above) for place, group in enumerate(groups)]
        job = Job(self.user, at.channel, trigger, self.typed.text, steps, at.response_url, self.language)
        return replace(job, channel_kind=at.channel_kind, reply_to=at.reply_to)

    def _languages(self) -> tuple[str, ...]:
        """Return the language of the person, or all while it is not known."""
        return (self.language,) if self.language else LANGUAGES

    def _say(self, said: Said, back: Typed) -> None:
        """Say it soon, and again where that fails for a passing reason. Raises SlackRefused or TryLater in the end."""
        people, pauses = self.intake.people, iter(PAUSES)
        voice = people.voice(people.language(self.user))
        left = with_text(voice, said(voice), back)
        while left:
            try:
                people.slack.tell(self.user, self.origin.response_url, left[0])
                del left[0]
            except TryLater as error:
                pause = next(pauses, None)
                if pause is None or self.intake.closing.wait(max(pause, error.seconds or 0.0)):
                    raise
                event("told_later", level=logging.WARNING, user=self.user, error=error.why)


def _log_fault(done: Future[None]) -> None:
    error = done.exception()
    if isinstance(error, SlackRefused | TryLater):  # that is no fault of the bot
        event("not_told", level=logging.WARNING, error=str(error))
    elif error:
        event("not_told", level=logging.ERROR, trace=error)


def sentence(key: str, **values: object) -> Said:
    """Return what says one sentence of the texts."""
    return lambda language: plain(say(language, key, **values))

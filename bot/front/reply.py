"""Replies: what one person is told, alone, about one thing that they did in Slack, which is acknowledged once."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Any

from slack_bolt import Ack

from bot.front import form_view
from bot.front.answer_size import fits
from bot.log import event
from bot.model.job import TryLater
from bot.slack import messages, wording
from bot.slack.blocks import section
from bot.slack.client import SlackRefused
from bot.slack.handing_back import Typed, with_text
from bot.slack.messages import Message
from bot.slack.people import People
from bot.slack.texts import LANGUAGES, Language, say, say_plain

Said = Callable[[Language], Message]
"""What is told, by language."""

PAUSES = (1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 300.0, 300.0, 300.0, 300.0)
"""How long to wait before each further attempt at a response_url, in seconds: it lives for half an hour.

Source: https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
"""

MOST_LATER = 2000
"""How many things may wait to be told once more."""


class Errands:
    """Runs, in `threads`, what must not delay an acknowledgement; and runs it again later, without holding a thread."""

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._later: list[tuple[float, int, Callable[[], None]]] = []  # a heap: when, and what
        self._ids = itertools.count()
        self._changed = threading.Condition()
        self._started = False

    def begin(self, work: Callable[[], None]) -> None:
        """Do some work as soon as a thread is free. Its fault is logged."""
        self._threads.submit(work).add_done_callback(_log_fault)

    def again(self, seconds: float, work: Callable[[], None]) -> None:
        """Do some work after so many seconds; when very much waits already, it is dropped."""
        with self._changed:
            if len(self._later) >= MOST_LATER:
                event("not_told", level=logging.ERROR, every=60.0, error="too many wait")
                return
            heapq.heappush(self._later, (time.monotonic() + seconds, next(self._ids), work))
            if not self._started:
                threading.Thread(target=self._run, name="errands", daemon=True).start()
                self._started = True
            self._changed.notify()

    def _run(self) -> None:
        with contextlib.suppress(RuntimeError):  # the threads are shut down
            while True:
                with self._changed:
                    while not self._later or self._later[0][0] > time.monotonic():
                        self._changed.wait(self._later[0][0] - time.monotonic() if self._later else None)
                    work = heapq.heappop(self._later)[2]
                self.begin(work)


def _log_fault(done: Future[None]) -> None:
    if error := done.exception():
        event("not_told", level=logging.ERROR, trace=error)


class Reply:
    """Answers one thing that a person did in Slack, to that person alone, and acknowledges it exactly once."""

    def __init__(self, ack: Ack, people: People, errands: Errands, user: str, response_url: str) -> None:
        self.user = user
        self.response_url = response_url
        self.language = people.known_language(user)
        self.acknowledged = False
        self._ack = ack
        self._people = people
        self._errands = errands

    def done(self, **answer: Any) -> None:
        """Acknowledge, without a word if there is no `answer`; a second time does nothing."""
        if not self.acknowledged:
            self.acknowledged = True
            self._ack(**answer)

    def later(self, work: Callable[[], None]) -> None:
        """Acknowledge, and do what may take longer."""
        self._errands.begin(work)
        self.done()

    def tell(self, said: Said, unless: Callable[[], str] | None = None, back: Typed | None = None) -> None:
        """Acknowledge, and say something as soon as the person's language is known.

        With `unless`, which returns why the person may not know it, that is said instead. What is given `back` was not
        accepted, and stands below.
        """
        self.later(lambda: self._say(said, unless, back))

    def tell_at_once(self, said: Said, back: Typed | None = None) -> None:
        """Acknowledge and say something, in the acknowledgement itself where that can carry it."""
        self.tell(said, back=back)

    def decline(self, back: Typed | None, key: str, **values: object) -> None:
        """Acknowledge, and say by a sentence of the texts why something was not accepted."""
        self.tell_at_once(lambda language: messages.plain(say(language, key, **values)), back)

    def too_old(self) -> None:
        """Acknowledge, and say of a button that nobody knows any more what it belongs to."""
        self.decline(None, "button.stale")

    def _say(self, said: Said, unless: Callable[[], str] | None, back: Typed | None) -> None:
        reason, voice = unless() if unless else "", self._people.voice(self._people.language(self.user))
        denied = [messages.plain(wording.denied(voice, reason))] if reason else []
        self._respond(denied or _messages(voice, said(voice), back), 0)

    def _respond(self, left: list[Message], tried: int) -> None:
        """Say the messages through the response_url, as long as it lives; the first may fail for a passing reason."""
        try:
            while left:
                if self.response_url:
                    self._people.slack.respond(self.response_url, left[0])
                else:  # as for what is pressed on the Home tab
                    self._people.slack.call("chat.postMessage", channel=self.user, **left[0])
                left = left[1:]
        except SlackRefused as error:
            event("not_told", level=logging.WARNING, user=self.user, error=error.error)
        except TryLater as error:
            last = tried >= len(PAUSES)
            event("not_told" if last else "told_later", level=logging.WARNING, user=self.user, error=error.why)
            if not last:
                pause = max(PAUSES[tried], error.seconds or 0.0)
                self._errands.again(pause, lambda: self._respond(left, tried + 1))


class CommandReply(Reply):
    """The same for a slash command, whose acknowledgement can carry words where the language is known already."""

    def tell(self, said: Said, unless: Callable[[], str] | None = None, back: Typed | None = None) -> None:
        """Acknowledge with the words where nothing is to be found out before and they fit, else say them later."""
        if not self.language or unless or not self._told([self.language], said, back):
            super().tell(said, unless, back)

    def tell_at_once(self, said: Said, back: Typed | None = None) -> None:
        """Acknowledge with the words, in every language where the person's is not known: later words may be lost."""
        language = self.language or self._people.known_language(self.user)  # which may have been found out since
        if not language:
            self._people.prefetch(self.user)  # for the next time
        if not self._told([language] if language else LANGUAGES, said, back):
            super().tell(said, back=back)

    def _told(self, languages: Sequence[str], said: Said, back: Typed | None) -> bool:
        """Acknowledge with words in these languages, if one message can carry them and none went before."""
        if self.acknowledged:
            return False
        voices = [self._people.voice(language) for language in languages]
        words = _messages(voices[0], _together([said(voice) for voice in voices]), back)
        if len(words) > 1 or not fits(words[0]):
            return False
        self.done(response_type="ephemeral", **words[0])
        return True


class FormReply(Reply):
    """The same for a form that was submitted: it stays open with what it holds when that is not accepted."""

    field = form_view.NAME
    """The block_id of its first field."""

    def decline(self, back: Typed | None, key: str, **values: object) -> None:
        """Say why at the form's first field."""
        if self.acknowledged:
            super().decline(back, key, **values)
        else:
            languages = [self.language] if self.language else LANGUAGES
            self.mistake(self.field, " ".join(say_plain(language, key, **values) for language in languages))

    def mistake(self, field: str, sentence: str) -> None:
        """Acknowledge, and show a sentence at a field."""
        self.done(response_action="errors", errors={field: sentence})
        event("form_refused", user=self.user, field=field)


def _together(said: list[Message]) -> Message:
    """Return one message of what is said in several languages."""
    if len(said) == 1:
        return said[0]
    message = messages.plain("\n\n".join(each["text"] for each in said))
    if any("blocks" in each for each in said):
        message["blocks"] = [block for each in said for block in each.get("blocks", [section(each["text"])])]
    return message


def _messages(language: Language, message: Message, back: Typed | None) -> list[Message]:
    return with_text(language, message, back) if back and back.text.strip() else [message]

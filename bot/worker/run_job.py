"""Runs a job from accepted to answered: one function, the same for a new job and for one found after a crash.

It looks at where the job and each of its steps stand, and goes on from there.
"""

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.journal.journal import Journal
from bot.log import event
from bot.model.job import Job, Thread, TryLater
from bot.model.next_job import base_of, counted
from bot.model.outcome import LOOKS, MOST_LOOKS, FollowUp, NotSent, Unknown
from bot.slack.client import TOKEN_REFUSED, SlackRefused
from bot.slack.delivery import Delivery
from bot.slack.people import People
from bot.worker.create_groups import GroupCreator

ATTEMPTS_TO_LOOK = 3
"""How often Slack is asked once more who somebody is, before not knowing it is a refusal."""

TOO_OLD = 3600.0
"""How old a job may be for its steps to be sent, in seconds: what a restored backup holds was sent long ago."""

FAULTS = 8
"""After how many unexpected errors a job is answered as far as it came. After twice as many it is closed unanswered."""


class JobRunner:
    """Runs jobs that this process holds in the journal."""

    def __init__(self, journal: Journal, creator: GroupCreator, delivery: Delivery, people: People) -> None:
        self._journal = journal
        self._creator = creator
        self._delivery = delivery
        self._people = people

    def run(self, job: Job) -> float | None:
        """Carry a job as far as it goes now; return None when it is done, or in how many seconds it can go on.

        Raises TryLater when something stands in the way, TakenOver when another process has it, JournalError.
        """
        if job.faults >= 2 * FAULTS:
            event("given_up", level=logging.ERROR, job=job.id, user=job.user, channel=job.channel, faults=job.faults)
            self._journal.mark_closed(job)
            return None
        if job.faults >= FAULTS or job.age + time.monotonic() - job.read_at > TOO_OLD:
            self._cut_short(job)
        if not job.begun:
            self._creator.prefetch()  # while Slack says who it is
        self._admit(job)
        if wait := self._creator.settle(job, lambda: self._show(job)):
            return wait
        if job.answered and job.looked_for and not _until_look(job):
            self._look_again(job)
        answered_before = job.answered
        if not answered_before:
            if not job.told:
                self._edit_answer(job, FollowUp)  # of before a look found more
                self._answer(job)
            job.told = True  # and not again, should this not be written at once
            self._journal.mark_answered(job)
            job.told = False
        if not (job.denied or job.refused):
            self._finish_root(job)
            self._remove_buttons(job)
        if answered_before:  # perhaps less than is known by now
            self._edit_answer(job, {way for _, way in self._journal.went_on(job)})
        if job.looked_for:
            return _until_look(job)
        with _at_best(job, "not_audited", logging.ERROR):
            self._delivery.audit(job)
        self._journal.mark_closed(job)
        event("done", job=job.id)
        return None

    def correct(self, job: Job) -> None:
        """Write down which groups were made, of a job that another process has taken over. Raises JournalError."""
        for step in job.steps:
            if step.result and not step.outcome and self._journal.correct(job, replace(step, outcome=step.result)):
                event("corrected", job=job.id, step=step.position)

    def _cut_short(self, job: Job) -> None:
        """Settle what was waiting for too long as not sent. After faults, what may have been sent is unknown."""
        failed = job.faults >= FAULTS
        for step in job.steps:
            if step.waits:
                step.result = step.result or NotSent("failed" if failed else "too_old")
            elif failed and not step.outcome:
                step.result = step.result or Unknown(step.reason or "crashed", None, looks=MOST_LOOKS)
        if left := [replace(step, outcome=step.result) for step in job.steps if step.result and not step.outcome]:
            self._journal.settle(job, *left)
            for step in left:
                job.steps[step.position] = step
            event("cut_short", level=logging.WARNING, job=job.id, failed=failed, steps=len(left))

    def _admit(self, job: Job) -> None:
        """Refuse the job if the person may not have it done, and find out their language."""
        if not job.begun and (reason := self._refusal(job)):
            self._journal.deny(job, reason)
            event("denied", job=job.id, user=job.user, channel=job.channel, reason=reason)
        if not job.language:
            self._journal.set_language(job, self._people.language(job.user))

    def _refusal(self, job: Job) -> str:
        """Return why the person may not have the job done, "" when they may; a refused token says nothing of them."""
        try:
            return self._people.refusal(job.user, job.channel)
        except TryLater as later:
            if job.attempts < ATTEMPTS_TO_LOOK or later.why in TOKEN_REFUSED:
                raise
            return "unknown"

    def _show(self, job: Job) -> None:
        """Let the root show how far the job is, if Slack lets it through: the groups do not wait for it."""
        with contextlib.suppress(TryLater), _at_best(job, "root_not_posted"):
            if job.thread:
                self._edit_root(job)
            else:
                self._journal.set_root(job, self._delivery.post_root(job), final=False)

    def _answer(self, job: Job) -> None:
        """Answer in the thread, or privately where the bot may not post."""
        if not (job.denied or job.refused):
            try:
                if not job.thread:
                    self._journal.set_root(job, self._delivery.post_root(job), final=True)
                if job.thread:
                    job.answer_ts = self._delivery.post_answer(job, job.thread)
                    return
            except SlackRefused as error:
                event("answer_refused", level=logging.WARNING, job=job.id, error=str(error))
        with _at_best(job, "answer_undeliverable", logging.ERROR):
            self._delivery.answer_privately(job)

    def _finish_root(self, job: Job) -> None:
        """Let the root show the result, or leave it to the job of a button that was pressed since the answer.

        Where it was deleted the answer takes its place: it names all, and what follows hangs under it.
        """
        if job.rootless or job.root_final or self._journal.went_on(job):
            return
        try:
            self._edit_root(job)
            job.root_final = True
        except SlackRefused as error:
            event("root_not_edited", level=logging.WARNING, job=job.id, error=str(error))
            if str(error) == "message_not_found" and job.thread and job.answer_ts:
                self._journal.set_root(job, Thread(job.thread.channel, job.answer_ts), final=True)
                self._edit_answer(job, ())

    def _remove_buttons(self, job: Job) -> None:
        """Remove the button that started the job from the answer that it was under, and from those that repeat it."""
        before = self._journal.find(job.follows) if job.follows else None
        while before:
            went_on = dict(self._journal.went_on(before))
            self._edit_answer(before, {*went_on.values(), job.followup})
            look = next((each for each, way in went_on.items() if way is FollowUp.LOOK and each != job.id), "")
            before = self._journal.find(look) if look else None

    def _look_again(self, job: Job) -> None:
        """Look for what is neither confirmed nor found. A find, or the last look, ends it, and is answered once more.

        A button that was pressed meanwhile ends it too: the person reads that one's answer.
        """
        pressed = bool(self._journal.went_on(job))
        stop = pressed or job.faults >= FAULTS
        looks = job.looked_for if stop else self._creator.look_again(job)
        if over := stop or not all(each.looked_for for each in looks.values()):
            looks = {at: replace(each, looks=MOST_LOOKS) for at, each in looks.items()}
        self._journal.look_again(job, looks, news=over and not pressed)

    def _edit_answer(self, job: Job, used: Iterable[FollowUp | None]) -> None:
        """Let an answer that was given say what is known by now, without the buttons that were used."""
        with contextlib.suppress(TryLater), _at_best(job, "answer_not_edited"):
            self._delivery.edit_answer(job, {way for way in used if way})

    def _edit_root(self, job: Job) -> None:
        """Let the root show what is made of what was asked for; of a single group, what was tried last."""
        chain = self._journal.chain(job.origin) if job.follows else [job]
        if not job.thread or any(each.answer_ts == job.thread.ts for each in chain):
            return  # an answer stands in the root's place
        base = base_of(job, chain)
        if len(base.steps) > 1:
            self._delivery.edit_root(base, job.thread, counted(base, chain))
        else:
            self._delivery.edit_root(job, job.thread)


def _until_look(job: Job) -> float:
    """Return in how many seconds the next look is due for a job that is answered, 0.0 for now."""
    looked = min(each.looks for each in job.looked_for.values())
    return max(0.0, (job.answered_at or 0.0) + LOOKS[looked] - time.monotonic())


@contextlib.contextmanager
def _at_best(job: Job, name: str, level: int = logging.WARNING) -> Iterator[None]:
    """Go on without what Slack refuses, and log it as the event of this name."""
    try:
        yield
    except SlackRefused as error:
        event(name, level=level, job=job.id, error=str(error))

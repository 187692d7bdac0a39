"""Runs a job from accepted to answered: one function, the same for a new job and for one found after a crash.

It looks at where the job and each of its steps stand, and goes on from there. Calls to Slack that need not wait for the
group API, or for each other, run beside it.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import replace

from bot.journal.journal import Journal
from bot.log import event
from bot.model.job import Job, Thread, TryLater
from bot.model.next_job import base_of, counted
from bot.model.outcome import MOST_LOOKS, WAITING, FollowUp, NotSent, Unknown
from bot.slack.client import SlackRefused
from bot.slack.delivery import Delivery
from bot.slack.people import People
from bot.worker.create_groups import GroupCreator

ATTEMPTS_TO_LOOK = 3
"""How often Slack is asked who somebody is, before not knowing it is a refusal."""

TOO_OLD = 3600.0
"""How old a job may be for its steps to be sent, in seconds: what a restored backup holds was sent long ago."""

LOOKS = (60.0, 300.0)
"""How long after its answer the bot looks again for a group that is neither confirmed nor found, in seconds."""

FAULTS = 8
"""After how many unexpected errors a job is answered as far as it came. After twice as many it is closed unanswered."""


class JobRunner:
    """Runs jobs that this process holds in the journal. `beside` runs the calls to Slack that need not wait."""

    def __init__(
        self,
        journal: Journal,
        creator: GroupCreator,
        delivery: Delivery,
        people: People,
        beside: Executor,
    ) -> None:
        self._journal = journal
        self._creator = creator
        self._delivery = delivery
        self._people = people
        self._beside = beside
        self._orphans: set[str] = set()  # jobs whose root was seen to be gone, until they are closed
        self._audited: set[str] = set()  # jobs whose audit line was posted, until they are closed

    def run(self, job: Job) -> float | None:
        """Carry a job as far as it goes now; return None when it is done, or in how many seconds it can go on.

        Raises TryLater when something stands in the way, TakenOver when another process has it, JournalError.
        """
        if not job.steps:
            self._set_aside(job)
            return None
        if job.faults >= 2 * FAULTS:
            self._give_up(job)
            return None
        if job.faults >= FAULTS:
            self._settle_unfinished(job)
        elif job.waited > TOO_OLD:
            self._settle_waiting(job, "too_old")
        self._admit(job)
        self._creator.prepare(job)
        if job.refused:
            self._answer_privately(job)
            self._journal.mark_answered(job)
            self._journal.mark_closed(job)
            event("done", job=job.id)
            return None
        with self._while_running(self._try_root, job, when=not job.thread and not job.settled):
            if wait := self._creator.settle(job, lambda: self._show_progress(job)):
                return wait
        if job.answered and job.looked_for and not _until_look(job):
            self._look_again(job)
        with (
            self._while_running(self._finish_root, job, when=job.thread is not None and not job.root_final),
            self._while_running(self._remove_buttons, job, when=bool(job.follows)),
            self._while_running(self._audit, job, when=not job.looked_for and job.id not in self._audited),
        ):
            if not job.answered:
                if job.answer_ts:  # what was told before a look found more
                    self._correct_answer(job, buttons=False)
                self._answer(job)
                self._journal.mark_answered(job)
            elif job.answer_ts:  # which may say less than is known by now
                self._correct_answer(job)
        if job.id in self._orphans:
            self._stand_alone(job)
        self._orphans.discard(job.id)
        if job.looked_for:
            return _until_look(job)
        self._journal.mark_closed(job)
        self._audited.discard(job.id)
        event("done", job=job.id)
        return None

    @contextlib.contextmanager
    def _while_running(self, call: Callable[[Job], None], job: Job, when: bool) -> Iterator[None]:
        """Make a call beside what the `with` does, and wait for it at the end, so that a released job is at rest."""
        if not when:
            yield
            return
        running = self._beside.submit(call, job)
        try:
            yield
        finally:
            running.result()

    def _admit(self, job: Job) -> None:
        """Find out the person's language, and refuse the job if the person may not have it done."""
        if not job.language:
            known = self._people.known_language(job.user) or "en"
            self._journal.set_language(job, known if job.faults >= FAULTS else self._people.language(job.user))
        if not job.begun and (reason := self._refusal(job)):
            self._journal.deny(job, reason)
            event("denied", job=job.id, user=job.user, channel=job.channel, reason=reason)

    def _set_aside(self, job: Job) -> None:
        """Close a job whose row is damaged, and tell who asked for it."""
        if not job.answered:
            with _at_best(job, "not_told", logging.ERROR):
                self._delivery.tell_damaged(job.id, job.user, job.response_url)
        self._journal.mark_answered(job)
        self._journal.mark_closed(job)

    def _give_up(self, job: Job) -> None:
        """Close a job that cannot even be answered."""
        event("given_up", level=logging.ERROR, job=job.id, user=job.user, channel=job.channel, faults=job.faults)
        self._journal.mark_closed(job)

    def _settle_unfinished(self, job: Job) -> None:
        """Settle what a fault keeps from being finished; what may have been sent is unknown."""
        self._settle_waiting(job, "failed")
        sending = [step for step in job.steps if not step.outcome]
        for step in sending:
            step.outcome = Unknown(step.reason or "crashed", None, looks=MOST_LOOKS)
        if sending:
            self._journal.settle(job, *sending)

    def _settle_waiting(self, job: Job, reason: str) -> None:
        """Settle what was not sent as never to be sent."""
        waiting = [step for step in job.steps if step.state == WAITING]
        for step in waiting:
            step.outcome = NotSent(reason)
        if waiting:
            self._journal.settle(job, *waiting)
            event("not_sent", level=logging.WARNING, job=job.id, reason=reason, steps=len(waiting))

    def _refusal(self, job: Job) -> str:
        """Return why the person may not have this done, "" if they may; Slack gets some chances to say who they are."""
        return self._people.refusal(job.user, job.channel, patient=job.attempts < ATTEMPTS_TO_LOOK)

    def _try_root(self, job: Job) -> None:
        """Post the root if Slack lets it through; the group does not wait for it."""
        try:
            with _at_best(job, "root_refused"):
                self._journal.set_root(job, self._delivery.post_root(job), final=False)
        except TryLater as later:
            event("root_delayed", level=logging.WARNING, job=job.id, error=later.why)

    def _show_progress(self, job: Job) -> None:
        with contextlib.suppress(SlackRefused, TryLater):
            self._edit_root(job)

    def _answer(self, job: Job) -> None:
        if job.denied or job.refused:
            self._answer_privately(job)
            return
        try:
            if not job.thread:
                self._journal.set_root(job, self._delivery.post_root(job), final=True)
            if job.thread:
                posted = self._delivery.post_answer(job, job.thread)
                job.answer_ts = posted.ts
                if posted.apart:
                    self._orphans.add(job.id)
        except SlackRefused as error:
            event("answer_refused", level=logging.WARNING, job=job.id, error=error.error)
            self._answer_privately(job)

    def _answer_privately(self, job: Job) -> None:
        with _at_best(job, "answer_undeliverable", logging.ERROR):
            self._delivery.answer_privately(job)

    def _finish_root(self, job: Job) -> None:
        """Let the root show the result, or leave it to the job of a button that was pressed since the answer."""
        if job.denied or job.rootless or (job.answered and self._journal.went_on(job)):
            return
        with _at_best(job, "root_not_edited"):
            try:
                self._edit_root(job)
            except SlackRefused as error:
                if error.error == "message_not_found":
                    self._orphans.add(job.id)
                raise

    def _stand_alone(self, job: Job) -> None:
        """Put the answer in the place of a root that was deleted: it names all, and what follows hangs under it."""
        with _at_best(job, "answer_not_named"):
            self._delivery.name_answer(job)
            if job.thread and job.answer_ts:
                self._journal.set_root(job, Thread(job.thread.channel, job.answer_ts), final=True)

    def _remove_buttons(self, job: Job) -> None:
        """Remove the button that started the job from the answer that it was under, and from those that repeat it."""
        before = None if job.denied or job.refused else self._journal.find(job.follows)
        while before:
            went_on = dict(self._journal.went_on(before))
            with contextlib.suppress(TryLater), _at_best(job, "buttons_not_removed"):
                self._delivery.remove_buttons(before, {*went_on.values(), *([job.followup] if job.followup else [])})
            look = next((each for each, way in went_on.items() if way is FollowUp.LOOK and each != job.id), "")
            before = self._journal.find(look) if look else None

    def _look_again(self, job: Job) -> None:
        """Look for what is neither confirmed nor found. A find, or the last look, ends it, and is answered once more.

        A button that was pressed meanwhile ends it too: the person reads that one's answer.
        """
        pressed = bool(self._journal.went_on(job))
        stop = pressed or job.faults >= FAULTS
        looks = {
            at: before if stop else self._creator.look(job, job.steps[at], before.reason, before.looks + 1)
            for at, before in job.looked_for.items()
        }
        if over := stop or not all(each.looked_for for each in looks.values()):
            looks = {at: replace(each, looks=MOST_LOOKS) for at, each in looks.items()}
        self._journal.look_again(job, looks, news=over and not pressed)

    def _correct_answer(self, job: Job, *, buttons: bool = True) -> None:
        """Let an answer that was given say what is known by now."""
        used = {way for _, way in self._journal.went_on(job)} if buttons else set(FollowUp)
        with contextlib.suppress(TryLater), _at_best(job, "answer_not_edited"):
            self._delivery.remove_buttons(job, used)

    def _audit(self, job: Job) -> None:
        with _at_best(job, "not_audited", logging.ERROR):
            self._delivery.audit(job)
        self._audited.add(job.id)

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
        event(name, level=level, job=job.id, error=error.error)

"""Sending and settling: what was written down comes back."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, update

from bot.journal.accepting import Accepted
from bot.journal.journal import Journal
from bot.journal.tables import jobs, steps
from bot.model.job import Job, Thread
from bot.model.names import Group
from bot.model.outcome import Created, Duplicate, Exists, FollowUp, NotSent, Outcome, Rejected, Unknown
from tests.support.journal import (
    CREATED,
    UNCLEAR,
    Open,
    held,
    reread,
    sent,
    typed,
)


@pytest.mark.parametrize(("age", "gone", "sent_too"), [(0, "", False), (86_400, "", False), (86_400, "97101", True)])
def test_a_group_that_was_created_is_not_sent(
    book: Journal, engine: Engine, age: int, gone: str, sent_too: bool
) -> None:
    """At any age the journal itself knows that it exists, until somebody has seen that it was deleted."""
    sent(book, typed(), CREATED)
    with engine.begin() as connection:
        connection.execute(update(steps).values(settled_at=steps.c.settled_at - age))
    job = held(book, typed(user="U2"))
    (made,) = book.created_as("vıp", "")
    assert (made.id, made.user, made.age >= age) == ("97101", "U1", True)
    assert book.created_as("VIP", "5") == []
    assert book.mark_sending(job, job.steps[0], {gone}) == sent_too


@pytest.mark.parametrize("outcome", [None, CREATED, UNCLEAR], ids=["under way", "created", "unclear"])
def test_what_another_job_has_sent_is_not_sent_again(
    book: Journal, open_journal: Open, engine: Engine, outcome: Outcome | None
) -> None:
    """The same group turned up in another job between acceptance and sending: skipped, with the reason, on disk."""
    late = held(book, typed("another"))
    sent(open_journal(), typed("VIP", "U2"), outcome)
    with engine.begin() as connection:
        connection.execute(update(steps).where(steps.c.job == late.id).values(name="VIP", name_key="vip"))
    (step,) = late.steps
    step.name = "VIP"
    assert not book.mark_sending(late, step)
    if outcome is CREATED:
        assert isinstance(step.outcome, Exists)
        assert (step.outcome.id, step.outcome.user) == (CREATED.id, "U2")
    else:
        assert isinstance(step.outcome, Duplicate)
        assert (step.state, step.outcome.user) == ("duplicate", "U2")
    assert reread(book, late).steps[0].outcome == step.outcome


@pytest.mark.parametrize(
    "outcome",
    [
        Created("97101"),
        Rejected(461, "Grup adını boş bırakamazsınız."),
        Rejected(499, ""),
        NotSent("connect_timeout"),
        Unknown("timeout", None),
        Unknown("crashed", ()),
        Unknown("server_error", ("97101", "97102")),
        Duplicate("U2", 12.5, "created", "97101"),
    ],
    ids=repr,
)
def test_every_outcome_comes_back(book: Journal, outcome: Outcome) -> None:
    """What was settled is what the next process finds."""
    job = sent(book, typed("VIP parent=5"))
    job.steps[0].outcome = outcome
    book.settle(job, job.steps[0])
    found = reread(book, job)
    assert found.settled
    assert found.steps[0].state == job.steps[0].state
    assert found.steps[0].outcome == outcome


def test_a_refusal_in_odd_characters_is_kept(book: Journal) -> None:
    """JSON can carry NUL and half an emoji, which databases refuse; what the API said is not lost for it."""
    job = sent(book)
    job.steps[0].outcome = Rejected(422, "a NUL \x00 and half an emoji \ud83d")
    book.settle(job, job.steps[0])
    found = reread(book, job)
    assert isinstance(found.steps[0].outcome, Rejected)
    assert found.steps[0].outcome.message.startswith("a NUL ")


def test_how_far_a_job_came_comes_back(book: Journal) -> None:
    """Language, root, that a request left, and why it has no answer."""
    job = sent(book)
    book.set_language(job, "tr")
    book.set_root(job, Thread("C7", "12.34"), final=False)
    job.steps[0].reason = "closed"
    book.mark_unanswered(job, job.steps[0])
    found = reread(book, job)
    assert (found.language, found.thread, found.root_final, found.settled) == (
        "tr",
        Thread("C7", "12.34"),
        False,
        False,
    )
    assert (found.steps[0].state, found.steps[0].reason) == ("sending", "closed")
    assert found.steps[0].look_from is None


def test_groups_that_the_bot_has_made_are_known(book: Journal) -> None:
    """By their ids, of any job."""
    sent(book, typed("A"), Created("1"))
    sent(book, typed("B"), Created("2"))
    sent(book, typed("C"))
    assert book.created_here(["2", "3"]) == {"2"}
    assert book.created_here([]) == set()


@pytest.mark.parametrize(("age", "told"), [(0, True), (590, True), (601, False)])
def test_groups_that_were_made_just_now_are_told_to_every_process(
    book: Journal, open_journal: Open, engine: Engine, age: int, told: bool
) -> None:
    """With their names and parents, for as long as RECENT; what was not made is not among them."""
    made = Group("97101", "VIP Müşteri", "5")
    sent(book, typed('"VIP Müşteri" parent=5'), Created(made.id))
    sent(book, typed("B"), UNCLEAR)
    sent(book, typed("C"))
    with engine.begin() as connection:
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - age))
    for reader in (book, open_journal()):
        assert reader.recently_created() == ([made] if told else [])


def test_only_groups_that_are_new_can_be_asked_for(book: Journal, engine: Engine) -> None:
    """By when they were made, not by when they were asked for."""
    sent(book, typed("A"), Created("1"))
    sent(book, typed("B"), Created("2"))
    with engine.begin() as connection:
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - 300))
        connection.execute(update(steps).where(steps.c.name == "A").values(settled_at=steps.c.settled_at - 30))
    assert [group.id for group in book.recently_created(20)] == ["2"]
    assert {group.id for group in book.recently_created(40)} == {"1", "2"}


def test_faults_are_counted(book: Journal) -> None:
    """So that a job that ends its process does not begin at nought."""
    job = held(book)
    for number in (1, 2):
        book.count_fault(job)
        assert reread(book, job).faults == job.faults == number


def test_how_old_a_job_is_comes_with_it(book: Journal, engine: Engine) -> None:
    """By the database's clock."""
    job = held(book)
    with engine.begin() as connection:
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - 7200))
    assert reread(book, job).age == pytest.approx(7200, abs=5)


def test_steps_are_settled_together(book: Journal) -> None:
    """Those that are named, each with its own outcome."""
    job = held(book, typed("A\nB\nC"))
    book.settle_all(job, {0: NotSent("failed"), 2: Unknown("crashed", None)})
    assert [step.state for step in job.steps] == ["not_sent", "waiting", "unknown"]
    found = reread(book, job)
    assert [step.outcome for step in found.steps] == [NotSent("failed"), None, Unknown("crashed", None)]


# Unknown outcomes that nobody has settled.


def follow_up(book: Journal, old: Job, followup: FollowUp, outcome: Outcome | None = None, user: str = "U1") -> Job:
    """Let somebody press a button under an answer; the new job is brought to its end with an outcome."""
    job = typed(f"{followup} {old.id}", user, followup=followup, follows=old.id, origin=old.origin)
    job.trigger = f"{followup}:{old.id}"
    assert isinstance(book.accept(job), Accepted)
    if outcome:
        job.steps[0].outcome = outcome
        book.settle(job, job.steps[0])
        book.mark_answered(job)
        book.mark_closed(job)
    return job


def unsettled(book: Journal) -> list[str]:
    return [job.id for job in book.unsettled(10)]


def test_unknown_outcomes_are_listed_newest_first(book: Journal) -> None:
    """Those of settled jobs with a known outcome are not."""
    first, second = sent(book, typed("A"), UNCLEAR), sent(book, typed("B"), UNCLEAR)
    sent(book, typed("C"), CREATED)
    assert unsettled(book) == [second.id, first.id]
    assert [job.id for job in book.unsettled(1)] == [second.id]


@pytest.mark.parametrize("followup", [FollowUp.LOOK, FollowUp.ANYWAY])
def test_what_somebody_went_on_from_is_settled(book: Journal, followup: FollowUp) -> None:
    """A look-up stands in its place until it is settled itself; what was sent again ends it."""
    old = sent(book, typed(), UNCLEAR)
    new = follow_up(book, old, followup, UNCLEAR)
    assert unsettled(book) == [new.id]


def test_sending_what_was_looked_up_settles_the_look_up_too(book: Journal) -> None:
    """The button under a look-up goes on from the job that was looked up."""
    old = sent(book, typed(), UNCLEAR)
    look = follow_up(book, old, FollowUp.LOOK, UNCLEAR)
    again = follow_up(book, look, FollowUp.LOOK, UNCLEAR)
    assert unsettled(book) == [again.id]
    last = follow_up(book, old, FollowUp.ANYWAY, CREATED)
    assert unsettled(book) == []
    assert [job.id for job in book.chain(old.id)] == [old.id, look.id, again.id, last.id]


def test_sending_the_rest_of_a_tree_settles_nothing(book: Journal) -> None:
    """It leaves the step alone whose outcome is unknown; so does somebody who was refused."""
    old = sent(book, typed(), UNCLEAR)
    follow_up(book, old, FollowUp.AGAIN, NotSent("tls"))
    denied = follow_up(book, old, FollowUp.ANYWAY, user="U9")
    book.deny(denied, "guest")
    assert unsettled(book) == [old.id]


# Languages.


def test_a_choice_of_language_is_kept(book: Journal, open_journal: Open) -> None:
    """For every process, until it is changed or taken back."""
    assert book.known_language("U1") == ""
    for language in ("tr", "en", "en", ""):
        book.choose_language("U1", language)
        assert open_journal().known_language("U1") == language
        assert book.known_language("U2") == ""

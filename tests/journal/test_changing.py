"""Sending, settling and reading: what was written down comes back."""

import pytest
from sqlalchemy import Engine, select, update

from bot.journal.journal import Journal
from bot.journal.tables import jobs, steps
from bot.model.job import Job, Thread
from bot.model.names import Group
from bot.model.outcome import Created, Denied, Duplicate, FollowUp, NotSent, Outcome, Rejected, Unknown
from tests.support.journal import CREATED, UNCLEAR, Open, accepted, held, on_sqlite, reread, sent, typed


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


OUTCOMES = [
    Created("97101"),
    Rejected(461, "Grup adını boş bırakamazsınız."),
    Rejected(499, "a NUL \x00 and half an emoji \ud83d"),  # JSON can carry what databases refuse
    NotSent("connect_timeout"),
    Unknown("timeout", None),
    Unknown("crashed", ()),
    Unknown("server_error", ("97101", "97102")),
    Duplicate("U2", 12.5, "created", "97101"),
]


def test_every_outcome_comes_back(book: Journal) -> None:
    """What was settled, in one go, is what the next process finds; the rest of a tree stays as it was."""
    job = held(book, typed("\n".join(f"G{number} parent=5" for number in range(len(OUTCOMES) + 1))))
    for step, outcome in zip(job.steps, OUTCOMES, strict=False):
        step.outcome = outcome
    book.settle(job, *job.steps[:-1])
    found = reread(book, job)
    assert [step.outcome for step in found.steps] == [*OUTCOMES, None]
    assert [step.state for step in found.steps] == [step.state for step in job.steps]


def test_how_far_a_job_came_comes_back(book: Journal, engine: Engine) -> None:
    """Language, root, faults, that a request left and why it has no answer; its age by the database's clock."""
    job = sent(book)
    book.set_language(job, "tr")
    book.set_root(job, Thread("C7", "12.34"), final=False)
    for _ in range(2):
        book.count_fault(job)
    job.steps[0].reason = "closed"
    book.settle(job, job.steps[0])
    job.answer_ts = "12.35"
    book.mark_answered(job)
    with engine.begin() as connection:
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - 7200))
    found = reread(book, job)
    for name in ("language", "thread", "root_final", "faults", "answer_ts", "answered", "settled"):
        assert getattr(found, name) == getattr(job, name), name
    assert (found.steps[0].state, found.steps[0].reason, found.steps[0].look_from) == ("sending", "closed", None)
    assert found.faults == 2
    assert found.age == pytest.approx(7200, abs=60)


AGES = [(0, 0, True), (540, 0, True), (601, 0, False), (540, 60, True), (540, 121, False)]


def test_groups_that_were_made_just_now_are_told_to_every_process(
    book: Journal, open_journal: Open, engine: Engine
) -> None:
    """With their names and parents, by when they were made, for as long as RECENT; what was not made is not there."""
    made = Group("97101", "VIP Müşteri", "5")
    sent(book, typed('"VIP Müşteri" parent=5'), Created(made.id))
    sent(book, typed("B"), UNCLEAR)
    sent(book, typed("C"))
    with engine.connect() as connection:
        when = select(jobs.c.accepted_at, steps.c.settled_at).join(steps).where(steps.c.group_id == made.id)
        accepted_at, settled_at = connection.execute(when).one()
    for job_age, made_ago, told in AGES:
        with engine.begin() as connection:
            connection.execute(update(jobs).values(accepted_at=accepted_at - job_age))
            connection.execute(update(steps).values(settled_at=settled_at - made_ago))
        for reader in (book, open_journal()):
            found = reader.recently_created(120) if made_ago else reader.recently_created()
            assert found == ([made] if told else []), (job_age, made_ago)


def follow_up(book: Journal, old: Job, followup: FollowUp, outcome: Outcome | None = None, user: str = "U1") -> Job:
    """Let somebody press a button under an answer; the new job is brought to its end with an outcome."""
    job = typed(f"{followup} {old.id}", user, followup=followup, follows=old.id, origin=old.origin)
    job.trigger = f"{followup}:{old.id}"
    accepted(book, job)
    if outcome:
        job.steps[0].outcome = outcome
        book.settle(job, job.steps[0])
        book.mark_answered(job)
        book.mark_closed(job)
    return job


def test_what_went_on_from_an_answer(book: Journal) -> None:
    """By which button, in the order in which they were pressed; nobody who was refused went on.

    Every step is settled as denied then, and the same button starts another job.
    """
    old = sent(book, typed("A"), UNCLEAR)
    rest = follow_up(book, old, FollowUp.AGAIN, NotSent("tls"))
    denied = follow_up(book, old, FollowUp.ANYWAY, user="U9")
    book.deny(denied, "guest")
    assert [step.outcome for step in reread(book, denied).steps] == [Denied("guest")]
    look = follow_up(book, old, FollowUp.LOOK, UNCLEAR)
    again = follow_up(book, look, FollowUp.LOOK, UNCLEAR)
    last = follow_up(book, old, FollowUp.ANYWAY, CREATED)
    chain = [old, rest, denied, look, again, last]
    assert [job.id for job in book.chain(old.id)] == [job.id for job in chain]
    pressed = [(rest.id, FollowUp.AGAIN), (look.id, FollowUp.LOOK), (last.id, FollowUp.ANYWAY)]
    assert sorted(book.went_on(old)) == sorted(pressed)
    assert [job.id for job in book.recent(3)] == [job.id for job in reversed(chain[3:])]


@on_sqlite
def test_a_choice_of_language_is_kept(book: Journal, open_journal: Open) -> None:
    """For every process, until it is changed or taken back."""
    assert book.known_language("U1") == ""
    for language in ("tr", "en", "en", ""):
        book.choose_language("U1", language)
        assert open_journal().known_language("U1") == language
        assert book.known_language("U2") == ""

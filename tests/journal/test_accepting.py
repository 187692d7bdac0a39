"""Accepting jobs: what is written, what is refused, and when it is not accepted again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, text, update

from bot.journal import accepting, tables
from bot.journal.accepting import Accepted, Busy
from bot.journal.errors import JournalError, Unsure
from bot.journal.journal import Journal
from bot.journal.tables import jobs, steps
from bot.model.job import Job, Step
from bot.model.names import ParentId
from bot.model.outcome import FollowUp, NotSent, Outcome, Rejected
from tests.support.journal import (
    CREATED,
    UNCLEAR,
    Open,
    accepted,
    at_once,
    count,
    held,
    refused,
    reread,
    sent,
    typed,
)


def test_a_job_comes_back_as_it_was_accepted(book: Journal) -> None:
    """Who, where, what was typed, in which language, and each step with its parent."""
    job = typed('"VIP  Müşteri" parent=5', language="tr")
    claimed = reread(book, held(book, job))
    for name in ("id", "user", "channel", "trigger", "typed", "language", "response_url", "thread", "answered"):
        assert getattr(claimed, name) == getattr(job, name)
    assert [(s.position, s.name, s.parent, s.state) for s in claimed.steps] == [
        (0, "VIP Müşteri", ParentId("5"), "waiting")
    ]


def test_a_job_is_written_whole_or_not_at_all(book: Journal, engine: Engine) -> None:
    """GroupCreator that cannot be written take their job with them."""
    job = typed()
    job.steps.append(Step(0, "in the place of the first"))
    with pytest.raises(JournalError):
        book.accept(job)
    assert not count(engine)


def test_the_same_trigger_is_one_job(book: Journal, open_journal: Open, engine: Engine) -> None:
    """Slack delivers once more, also to another process at the same moment: accepted, and nothing new is written."""
    same = [typed("VIP") for _ in range(8)]
    for job in same:
        job.trigger = "once"
    books = (book, open_journal())
    answers = at_once(*[lambda n=n, job=job: books[n % 2].accept(job) for n, job in enumerate(same)])
    assert [type(answer) for answer in answers] == [Accepted] * 8
    assert count(engine) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("VIP", "VIP"),
        ("VIP", "vip"),
        ("VIP", '"VIP"'),
        ("VIP müşteri", "“vip   MÜŞTERİ”"),
        ("IĞDIR", "ığdır"),
        ("ığdır", "İğdir"),
        ("istanbul parent=5", "parent=５ İSTANBUL"),
        ("e\u0301", "É"),
        ("VIP\u200b", "VIP"),
    ],
)
def test_the_same_group_is_not_accepted_again(book: Journal, first: str, second: str) -> None:
    """Neither case, in Turkish too, nor quotes nor white space get around it; who asked first is told."""
    accepted(book, typed(first, "U1"))
    answer = refused(book, typed(second, "U2"))
    assert (answer.user, answer.step_state, answer.group_id) == ("U1", "waiting", "")
    assert 0 <= answer.age < 5


@pytest.mark.parametrize("second", ["VIP parent=6", "VIP", "VIP2 parent=5"])
def test_another_group_is_accepted(book: Journal, second: str) -> None:
    """The same name under another parent is another group."""
    accepted(book, typed("VIP parent=5"), typed(second))


@pytest.mark.parametrize(
    ("outcome", "age", "state"),
    [
        (None, 0, "sending"),
        (None, 86400, "sending"),
        (CREATED, 0, ""),
        (UNCLEAR, 0, "unknown"),
        (UNCLEAR, 590, "unknown"),
        (UNCLEAR, 601, ""),
        (Rejected(461, ""), 0, ""),
        (NotSent("tls"), 0, ""),
    ],
)
def test_how_long_a_group_is_not_accepted_again(
    book: Journal, engine: Engine, outcome: Outcome | None, age: int, state: str
) -> None:
    """While it is under way, and for ten minutes after it was left unclear; one that was created is looked up later."""
    sent(book, typed(), outcome)
    with engine.begin() as connection:
        connection.execute(update(steps).values(settled_at=steps.c.settled_at - age, sent_at=steps.c.sent_at - age))
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - age))
    job = typed(user="U2")
    if not state:
        accepted(book, job)
        assert not reread(book, job).settled
    else:
        answer = refused(book, job)
        assert (answer.user, answer.step_state) == ("U1", state)
        assert answer.age == pytest.approx(age, abs=5)


def test_of_many_at_once_one_is_accepted(book: Journal, open_journal: Open) -> None:
    """Two processes are asked for the same group by sixteen people at the same moment."""
    books = (book, open_journal())
    same = [typed("VIP", f"U{n}") for n in range(16)]
    at_once(*[lambda n=n, job=job: books[n % 2].accept(job) for n, job in enumerate(same)])
    assert sorted(reread(book, job).state for job in same) == ["duplicate"] * 15 + ["open"]


def test_a_lock_that_is_kept_lets_nobody_wait_longer_than_slack(book: Journal, engine: Engine) -> None:
    """Of many who ask meanwhile each is refused in the three seconds that Slack waits, and nothing is written."""

    def ask(number: int) -> bool:
        began = time.monotonic()
        with pytest.raises(JournalError):
            book.accept(typed(f"G{number}"))
        return time.monotonic() - began < 3

    with engine.begin() as connection:
        tables.lock(connection)
        assert at_once(*[lambda n=n: ask(n) for n in range(8)]) == [True] * 8
    assert not count(engine)
    accepted(book, typed())


def test_past_the_bound_nothing_is_accepted(book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many open jobs: nothing is written, until one of them is answered."""
    monkeypatch.setattr(accepting, "MOST_OPEN", 2)
    first = held(book, typed("A"))
    accepted(book, typed("B"))
    assert isinstance(book.accept(typed("C")), Busy)
    assert count(engine) == 2
    book.mark_answered(first)
    accepted(book, typed("C"))


def test_a_job_without_steps_is_not_accepted(book: Journal, engine: Engine) -> None:
    """Nothing would ever be done for it, and nothing could be answered."""
    job = typed()
    job.steps.clear()
    with pytest.raises(ValueError, match="step"):
        book.accept(job)
    assert not count(engine)


def test_a_job_that_was_accepted_may_be_accepted_again(book: Journal, engine: Engine) -> None:
    """Anyone who does not know whether it was written asks once more; it is written once."""
    job, twin = typed("VIP", "U1"), typed("vip", "U2")
    for known in (False, True):
        for each in (job, twin):
            assert book.accept(each) == (Accepted(False, each.user) if known else Accepted())
    assert [reread(book, each).refused for each in (job, twin)] == [False, True]
    assert count(engine) == 2


def test_a_button_that_was_refused_may_be_tried_again(book: Journal, engine: Engine) -> None:
    """Its trigger is left for others, and still it is the same job."""
    first = held(book, typed("VIP", "U1"))
    pressed = typed("VIP", "U2", followup=FollowUp.AGAIN)
    assert refused(book, pressed).user == "U1"
    book.settle_all(first, {0: NotSent("tls")})
    book.mark_closed(first)
    again = typed("VIP", "U3", followup=FollowUp.AGAIN)
    again.trigger = pressed.trigger
    assert book.accept(again) == Accepted()
    assert count(engine) == 3


def test_one_person_does_not_take_every_place(book: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past their own bound they are refused, with their number, while others are accepted."""
    monkeypatch.setattr(accepting, "MOST_OPEN_EACH", 2)
    first = held(book, typed("A", "U1"))
    accepted(book, typed("B", "U1"))
    assert book.accept(typed("C", "U1")) == Busy(own=2)
    accepted(book, typed("D", "U2"))
    book.mark_answered(first)
    accepted(book, typed("E", "U1"))


def come_together(book: Journal, engine: Engine, *some: Job) -> list[Accepted | Busy | Exception]:
    """Accept jobs that all come while the first of them waits for another writer; return answers and errors."""

    def accept(job: Job) -> Accepted | Busy | Exception:
        try:
            return book.accept(job)
        except JournalError as error:
            return error

    with ThreadPoolExecutor(len(some)) as pool:
        with engine.begin() as connection:
            tables.lock(connection)
            answers = [pool.submit(accept, job) for job in some]
            time.sleep(0.3)  # nothing tells that they wait
        return [answer.result(10) for answer in answers]


def test_an_odd_job_spoils_no_other(book: Journal, engine: Engine) -> None:
    """A name that the database cannot store fails alone; those that come at the same moment are accepted."""
    odd = typed("odd")
    odd.steps[0].name = "half an emoji \ud83d"
    answers = come_together(book, engine, *[typed(f"G{number}") for number in range(6)], odd)
    assert answers[:-1] == [Accepted()] * 6
    assert isinstance(answers[-1], JournalError)
    assert count(engine) == 6


@pytest.mark.parametrize("seconds", [0.3, 1.0, 1.5])
def test_what_is_told_as_not_written_is_never_written(book: Journal, engine: Engine, seconds: float) -> None:
    """Another program writes for a while: what was refused is not in the journal, not even later; the rest is."""

    def ask(number: int) -> tuple[str, object]:
        time.sleep(number * 0.1)
        job = typed(f"G{number}")
        try:
            return job.id, book.accept(job)
        except JournalError as error:
            return job.id, type(error)

    with ThreadPoolExecutor(16) as pool:
        with engine.begin() as connection:
            tables.lock(connection)
            asked = [pool.submit(ask, number) for number in range(16)]
            time.sleep(seconds)
        answers = dict(each.result(20) for each in asked)
    assert Unsure not in answers.values()
    assert {job.id for job in book.recent(99)} == {job for job, answer in answers.items() if answer == Accepted()}


def test_a_commit_that_nobody_heard_of_is_unsure(book: Journal, engine: Engine) -> None:
    """The server ends the connection in the middle of the commit: not known, and known when it is asked again."""
    if engine.dialect.name == "sqlite":
        pytest.skip("a commit of SQLite has no connection to lose")
    kill = "BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END"
    when = "AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE FUNCTION die() RETURNS trigger AS '{kill}' LANGUAGE plpgsql"))
        connection.execute(text(f"CREATE CONSTRAINT TRIGGER die {when}"))
    job = typed()
    with pytest.raises(Unsure):
        book.accept(job)
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER die ON jobs"))
    assert book.accept(job) == Accepted()
    assert count(engine) == 1

"""Accepting jobs: what is written, what is refused, and when it is not accepted again."""

from __future__ import annotations

import copy
import itertools
import random
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, delete, text, update

from bot.journal import accepting, database
from bot.journal.database import jobs, steps
from bot.journal.errors import JournalError, Unsure
from bot.journal.journal import Accepted, Busy, Journal
from bot.model.followup import FollowUp
from bot.model.job import Job, Step
from bot.model.names import ParentId
from bot.model.outcome import SENDING, Duplicate, NotSent, Outcome, Rejected
from tests.support.journal import (
    CREATED,
    UNCLEAR,
    Open,
    accepted,
    at_once,
    batch,
    count,
    dump,
    held,
    sent,
    shape,
    typed,
)


def test_a_job_comes_back_as_it_was_accepted(book: Journal) -> None:
    """Who, where, what was typed, in which language, and each step with its parent."""
    job = typed('"VIP  Müşteri" parent=5', language="tr")
    claimed = held(book, job)
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
    assert not book.claim(1)


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
    answer = book.accept(typed(second, "U2"))
    assert isinstance(answer, Duplicate)
    assert (answer.user, answer.step_state, answer.group_id) == ("U1", "waiting", "")
    assert 0 <= answer.age < 5
    assert len(book.claim(9)) == 1


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
    answer = book.accept(typed(user="U2"))
    assert isinstance(answer, Duplicate if state else Accepted)
    if isinstance(answer, Duplicate):
        assert (answer.user, answer.step_state) == ("U1", state)
        assert answer.age == pytest.approx(age, abs=5)


def test_of_many_at_once_one_is_accepted(book: Journal, open_journal: Open) -> None:
    """Two processes are asked for the same group by sixteen people at the same moment."""
    books = (book, open_journal())
    answers = at_once(*[lambda n=n: books[n % 2].accept(typed("VIP", f"U{n}")) for n in range(16)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Accepted"] + ["Duplicate"] * 15


def tree(top: str, below: str) -> Job:
    """Return the job of one group under another that is new."""
    job = typed(top)
    job.steps.append(Step(1, below, above=0))
    return job


def anything(rolls: random.Random) -> Job:
    """Return a job that may well be in the way of others."""
    name = rolls.choice("ABC")
    job = (
        tree(name, rolls.choice("ABC"))
        if rolls.random() < 0.3
        else typed(name, followup=FollowUp.ANOTHER if rolls.random() < 0.1 else None)
    )
    job.user = job.asker = f"U{rolls.randrange(5)}"
    trigger, followup = rolls.choice(
        [("{0}", None), ("{1}", None), ("again:{1}", FollowUp.AGAIN), ("look:{1}", FollowUp.LOOK)]
    )
    job.trigger, job.followup = trigger.format(job.id, rolls.randrange(4)), followup or job.followup
    if followup is FollowUp.LOOK:
        job.steps = [Step(0, name, parent_id="", stage=SENDING, reason="closed", sent_ago=3600.0)]
    return job


def test_one_go_is_as_one_after_another(book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes together is answered and written as if each had come when those before it were written."""
    for seed in range(30):
        rolls = random.Random(seed)
        monkeypatch.setattr(accepting, "MOST_OPEN", rolls.randint(3, 9))
        before, together = ([anything(rolls) for _ in range(number)] for number in (3, 9))
        one_by_one, *in_goes = [came(book, engine, before, together, sizes) for sizes in ([1] * 9, [9], [4, 5])]
        for result in in_goes:
            assert result == one_by_one, f"seed {seed}"


def came(
    book: Journal, engine: Engine, before: list[Job], together: list[Job], sizes: list[int]
) -> tuple[list[object], list[Any]]:
    """Accept jobs, some before and the others in goes of these sizes; return the answers and what is written."""
    for job in copy.deepcopy(before):
        book.accept(job)
    some = iter(copy.deepcopy(together))
    answers = [answer for size in sizes for answer in batch(engine, *itertools.islice(some, size))]
    written = timeless(engine)
    with engine.begin() as connection:
        connection.execute(delete(steps))
        connection.execute(delete(jobs))
    return [shape(answer) for answer in answers], written


def timeless(engine: Engine) -> list[Any]:
    """Return all that the tables of jobs and steps hold, and of times only whether they are there."""
    return [
        {name: value is None if name.endswith("_at") else without_age(value) for name, value in row._mapping.items()}
        for rows in dump(engine)
        for row in rows
    ]


def without_age(value: Any) -> Any:
    return re.sub(r'"age": [^,]+', "", value) if isinstance(value, str) else value


def test_a_lock_that_is_kept_lets_nobody_wait_longer_than_slack(book: Journal, engine: Engine) -> None:
    """Of many who ask meanwhile each is refused in the three seconds that Slack waits, and nothing is written."""

    def ask(number: int) -> bool:
        began = time.monotonic()
        with pytest.raises(JournalError):
            book.accept(typed(f"G{number}"))
        return time.monotonic() - began < 3

    with engine.begin() as connection:
        database.lock(connection)
        assert at_once(*[lambda n=n: ask(n) for n in range(8)]) == [True] * 8
    assert not count(engine)
    accepted(book, typed())


def test_past_the_bound_nothing_is_accepted(book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many open jobs: nothing is written, until one of them is answered."""
    monkeypatch.setattr(accepting, "MOST_OPEN", 2)
    accepted(book, typed("A"), typed("B"))
    assert isinstance(book.accept(typed("C")), Busy)
    assert count(engine) == 2
    (first,) = book.claim(1)
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
    """Anyone who does not know whether it was written asks once more, and gets the same answer; it is written once."""
    job, twin = typed("VIP", "U1"), typed("vip", "U2")
    for _ in range(2):
        assert book.accept(job) == Accepted()
        answer = book.accept(twin)
        assert isinstance(answer, Duplicate)
        assert answer.user == "U1"
        assert twin.settled
    assert count(engine) == 2


def test_a_button_that_was_refused_may_be_tried_again(book: Journal, engine: Engine) -> None:
    """Its trigger is left for others, and still it is the same job."""
    accepted(book, typed("VIP", "U1"))
    pressed = typed("VIP", "U2", followup=FollowUp.AGAIN)
    assert [type(book.accept(pressed)) for _ in range(2)] == [Duplicate] * 2
    assert count(engine) == 2


def test_one_person_does_not_take_every_place(book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Past their own bound they are refused, with their number, while others are accepted; in a batch too."""
    monkeypatch.setattr(accepting, "MOST_OPEN_EACH", 2)
    jobs_of_one = [typed(name, "U1") for name in "ABC"]
    assert batch(engine, *jobs_of_one, typed("D", "U2")) == [Accepted(), Accepted(), Busy(own=2), Accepted()]
    assert book.accept(typed("E", "U1")) == Busy(own=2)
    job = next(job for job in book.claim(9) if job.user == "U1")
    book.mark_answered(job)
    accepted(book, typed("E", "U1"))


def come_together(book: Journal, engine: Engine, *some: Job) -> list[Accepted | Duplicate | Busy | Exception]:
    """Accept jobs that all come while the first of them waits for another writer; return answers and errors."""

    def accept(job: Job) -> Accepted | Duplicate | Busy | Exception:
        try:
            return book.accept(job)
        except JournalError as error:
            return error

    with ThreadPoolExecutor(len(some)) as pool:
        with engine.begin() as connection:
            database.lock(connection)
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
            database.lock(connection)
            asked = [pool.submit(ask, number) for number in range(16)]
            time.sleep(seconds)
        answers = dict(each.result(20) for each in asked)
    assert Unsure not in answers.values()
    assert {job.id for job in book.claim(99)} == {job for job, answer in answers.items() if answer == Accepted()}


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

"""Accepting jobs: what is written, what is refused, and when it is not accepted again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, text, update

from bot.journal import JournalError, Unsure, accepting, journal, tables
from bot.journal.accepting import Accepted, Busy
from bot.journal.journal import Journal
from bot.journal.tables import jobs, steps
from bot.model.job import Job, Step, Thread
from bot.model.outcome import Exists, FollowUp, NotSent, Outcome, Rejected
from tests.support.journal import (
    CREATED,
    UNCLEAR,
    Open,
    accepted,
    at_once,
    count,
    ended,
    on_postgresql,
    on_sqlite,
    refused,
    reread,
    sent,
    typed,
)
from tests.support.until import until


def test_a_job_comes_back_as_it_was_accepted(book: Journal) -> None:
    """Every fact of it and of its steps, however the parent was given; a text loses what no database stores."""
    plain = typed('"VIP  Müşteri" parent=5')
    tree = typed('Kök\n A\nB parent="X y"', followup=FollowUp.AGAIN, follows="1234", origin="12", asker="U0")
    tree = replace(tree, thread=Thread("C7", "1.2"), reply_to="1.1", root_final=True, language="tr", channel_kind="")
    tree = replace(tree, steps=[*tree.steps, Step(3, "D", stage="sending", confirmed_id="9", reason="timeout")])
    for job in (plain, tree):
        accepted(book, job)
        found = reread(book, job)
        assert found == replace(job, accepted_at=found.accepted_at, age=found.age, read_at=found.read_at)
        assert found.accepted_at == pytest.approx(time.time(), abs=60)
    odd = replace(typed("odd"), typed="half \ud83d and NUL \x00")
    accepted(book, odd)
    assert reread(book, odd).typed == "half ? and NUL "


def test_what_is_no_job_is_not_accepted(book: Journal, engine: Engine) -> None:
    """One without steps, for which nothing could be answered; one whose steps cannot all be written."""
    with pytest.raises(ValueError, match="step"):
        book.accept(replace(typed(), steps=[]))
    job = typed()
    job.steps.append(Step(0, "in the place of the first"))
    with pytest.raises(JournalError):
        book.accept(job)
    assert not count(engine)


def test_the_same_trigger_is_one_job(book: Journal, open_journal: Open, engine: Engine) -> None:
    """Slack delivers once more, also to another process at the same moment: accepted, and nothing new is written."""
    same = [replace(typed("VIP"), trigger="once") for _ in range(8)]
    books = (book, open_journal())
    answers = at_once(*[lambda n=n, job=job: books[n % 2].accept(job) for n, job in enumerate(same)])
    assert sorted(isinstance(answer, Accepted) and answer.fresh for answer in answers) == [False] * 7 + [True]
    assert count(engine) == 1


SAME = [
    ("VIP", "vip", True),
    ("Quoted", '"Quoted"', True),
    ("VIP müşteri", "“vip   MÜŞTERİ”", True),
    ("IĞDIR", "ığdır", True),
    ("Sığdır", "SİĞDİR", True),
    ("istanbul parent=5", "parent=５ İSTANBUL", True),
    ("e\u0301", "É", True),
    ("Zero\u200b", "Zero", True),
    ("By name parent=X", 'BY NAME parent="x"', True),
    ("Other parent=5", "Other parent=6", False),
    ("Main parent=5", "Main", False),
    ("Name parent=5", "Name2 parent=5", False),
]


@on_sqlite
def test_which_groups_are_the_same(book: Journal) -> None:
    """Neither case, in Turkish too, nor quotes nor white space make another group; another parent does."""
    for first, second, same in SAME:
        accepted(book, typed(first, "U1"))
        job = typed(second, "U2")
        accepted(book, job)
        assert reread(book, job).refused == same, (first, second)


AGES: list[tuple[Outcome | None, int, str]] = [
    (None, 0, "sending"),
    (None, 86400, "sending"),
    (CREATED, 0, ""),
    (UNCLEAR, 0, "unknown"),
    (UNCLEAR, 590, "unknown"),
    (UNCLEAR, 601, ""),
    (Rejected(461, ""), 0, ""),
    (NotSent("tls"), 0, ""),
]


def test_how_long_a_group_is_not_accepted_again(book: Journal, engine: Engine) -> None:
    """While it is under way, and for ten minutes after it was left unclear; one that was created is looked up later."""
    waiting = typed("Waiting", "U1")
    accepted(book, waiting)
    twin = refused(book, typed("waiting", "U2"))
    assert (twin.user, twin.step_state, twin.group_id, 0 <= twin.age < 5) == ("U1", "waiting", "", True)
    for number, (outcome, age, state) in enumerate(AGES):
        first = sent(book, typed(f"G{number}"), outcome)
        with engine.begin() as connection:
            late = {"settled_at": steps.c.settled_at - age, "sent_at": steps.c.sent_at - age}
            connection.execute(update(steps).where(steps.c.job == first.id).values(late))
            aged = update(jobs).where(jobs.c.id == first.id).values(accepted_at=jobs.c.accepted_at - age)
            connection.execute(aged)
        job = typed(f"g{number}", "U2")
        if state:
            twin = refused(book, job)
            assert (twin.user, twin.step_state) == ("U1", state), AGES[number]
            assert twin.age == pytest.approx(age, abs=5)
        else:
            accepted(book, job)
            assert not reread(book, job).settled, AGES[number]


def test_of_many_at_once_one_is_accepted(book: Journal, open_journal: Open) -> None:
    """Two processes are asked for the same group by sixteen people at the same moment."""
    books = (book, open_journal())
    same = [typed("VIP", f"U{n}") for n in range(16)]
    at_once(*[lambda n=n, job=job: books[n % 2].accept(job) for n, job in enumerate(same)])
    assert sorted(reread(book, job).state for job in same) == ["duplicate"] * 15 + ["open"]


def test_past_a_bound_nothing_is_accepted(book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many open jobs, of all or of one person, who is told the number: nothing is written until one is answered."""
    monkeypatch.setattr(accepting, "MOST_OPEN", 3)
    monkeypatch.setattr(accepting, "MOST_OPEN_EACH", 2)
    first = typed("A", "U1")
    accepted(book, first, typed("B", "U1"))
    assert book.accept(typed("C", "U1")) == Busy(own=2)
    accepted(book, typed("D", "U2"))
    assert book.accept(typed("E", "U3")) == Busy(own=0)
    assert (count(engine), book.backlog().open_jobs) == (3, 3)
    book.mark_answered(first)
    accepted(book, typed("C", "U1"))


def test_a_job_may_be_accepted_again(book: Journal, engine: Engine) -> None:
    """Where nobody knows whether it was written: it is written once. A button that was refused is left for others."""
    job, twin = typed("VIP", "U1"), typed("vip", "U2", followup=FollowUp.AGAIN)
    for known in (False, True):
        for each in (job, twin):
            assert book.accept(each) == (Accepted(False, each.user) if known else Accepted())
    assert [reread(book, each).refused for each in (job, twin)] == [False, True]
    job.steps[0].outcome = NotSent("tls")
    book.settle(job, *job.steps)
    book.mark_closed(job)
    assert book.accept(replace(typed("VIP", "U3", followup=FollowUp.AGAIN), trigger=twin.trigger)) == Accepted()
    assert count(engine) == 3


@on_sqlite
def test_jobs_give_way_to_those_that_are_accepted(book: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """No job begins while a command waits for the journal, unless that takes too long."""
    monkeypatch.setattr(journal, "PATIENCE", 60.0)
    writing, go_on = threading.Event(), threading.Event()

    def held_up(*arguments: Any) -> Any:
        writing.set()
        assert go_on.wait(60)
        return accepting.accept(*arguments)

    def begins() -> bool:
        book.give_way()
        return go_on.is_set()

    monkeypatch.setattr(journal, "accept", held_up)
    with ThreadPoolExecutor(2) as pool:
        command = pool.submit(book.accept, typed())
        assert writing.wait(60)
        book.give_way()  # too long
        monkeypatch.setattr(journal, "GIVEN_WAY", 60.0)
        job = pool.submit(begins)
        until(lambda: job.running() or job.done())
        go_on.set()
        assert job.result(60), "it began before the command was accepted"
        assert command.result(60) == Accepted()


def test_an_odd_job_spoils_no_other(book: Journal, engine: Engine) -> None:
    """A name that the database cannot store fails alone; those that come at the same moment are accepted."""
    odd = typed("odd")
    odd.steps[0].name = "half an emoji \ud83d"
    some = [*(typed(f"G{number}") for number in range(6)), odd]
    with ThreadPoolExecutor(len(some)) as pool, engine.begin() as connection:
        tables.lock(connection)
        asked = [pool.submit(book.accept, job) for job in some]
        time.sleep(0.3)  # nothing tells that they wait
        connection.commit()
        answers = [ended(each) for each in asked]
    assert answers[:-1] == [Accepted()] * 6
    assert isinstance(answers[-1], JournalError)
    assert count(engine) == 6


@on_sqlite
def test_what_is_told_as_not_written_is_never_written(
    book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program writes for longer than is waited: what was refused is not in the journal, not even later."""
    with engine.begin() as connection, monkeypatch.context() as hasty:
        tables.lock(connection)
        hasty.setattr("bot.journal.journal.PATIENCE", 0.1)
        answers = at_once(*[lambda n=n: book_refuses(book, typed(f"G{n}")) for n in range(16)])
    accepted(book, typed("last"))
    assert "the database is too slow" in answers
    assert [job.typed for job in book.recent(99)] == ["last"]


def book_refuses(book: Journal, job: Job) -> str:
    """Let a job be refused, and return why."""
    with pytest.raises(JournalError) as raised:
        book.accept(job)
    assert not isinstance(raised.value, Unsure)
    return str(raised.value)


@on_postgresql
def test_a_commit_that_nobody_heard_of_is_unsure(book: Journal, engine: Engine) -> None:
    """The server ends the connection in the middle of the commit: not known, and known when it is asked again."""
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


@pytest.mark.parametrize("made", [False, True])
def test_what_another_job_has_sent_is_not_sent_again(
    book: Journal, open_journal: Open, engine: Engine, made: bool
) -> None:
    """The same group turned up in another job between acceptance and sending: skipped, with the reason, on disk."""
    late = typed("another")
    accepted(book, late)
    sent(open_journal(), typed("VIP", "U2"), CREATED if made else None)
    with engine.begin() as connection:
        connection.execute(update(steps).where(steps.c.job == late.id).values(name="VIP", name_key="vip"))
    (step,) = late.steps
    step.name = "VIP"
    assert not book.mark_sending(late, step)
    assert step.outcome == reread(book, late).steps[0].outcome
    assert (step.state, getattr(step.outcome, "user", "")) == ("exists" if made else "duplicate", "U2")
    assert not made or (isinstance(step.outcome, Exists) and step.outcome.id == CREATED.id)

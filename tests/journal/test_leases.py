"""Leases: a job belongs to the process that holds it, as long as that lives."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, update

from bot.journal import lease as liveness
from bot.journal.database import jobs, processes
from bot.journal.journal import Journal, LostLease
from bot.journal.lease import UNCHANGED, UNCHANGED_AND_OVER
from bot.model.followup import FollowUp
from bot.model.outcome import Duplicate
from tests.support.journal import (
    CHANGES,
    Open,
    accepted,
    at_once,
    dump,
    expire,
    held,
    process,
    sent,
    typed,
)
from tests.support.until import until


def test_a_lease_holds_until_it_ends(book: Journal, open_journal: Open, engine: Engine) -> None:
    """Another process takes the job over when the lease was not renewed, and not before."""
    job = held(book)
    other = open_journal()
    assert not other.claim(1)
    expire(engine, book)
    book.heartbeat()
    assert not other.claim(1)
    expire(engine, book)
    assert [claimed.id for claimed in other.claim(1)] == [job.id]


def test_what_a_dead_process_held_is_taken_over_once(book: Journal, open_journal: Open, engine: Engine) -> None:
    """Of many processes that see the lease end, each job goes to one."""
    some = [typed(name) for name in "ABCDEFGH"]
    accepted(book, *some)
    assert len(book.claim(8)) == 8
    others = [open_journal() for _ in range(4)]
    expire(engine, book)
    taken = at_once(*[lambda other=other: other.claim(8) for other in others])
    assert sorted(job.id for jobs in taken for job in jobs) == sorted(job.id for job in some)


def test_an_expired_process_that_goes_on_is_registered_anew(book: Journal, open_journal: Open, engine: Engine) -> None:
    """Another one has removed it meanwhile; its next renewal brings it back, and it holds what it claims."""
    expire(engine, book)
    other = open_journal()
    book.heartbeat()
    held(book)
    assert not other.claim(1)


@pytest.mark.parametrize("change", CHANGES)
def test_who_has_lost_a_job_changes_nothing(book: Journal, open_journal: Open, engine: Engine, change: str) -> None:
    """Every change by the process from which it was taken over raises LostLease, and leaves the job as it is."""
    job = held(book)
    expire(engine, book)
    (taken,) = open_journal().claim(1)
    before = dump(engine)
    with pytest.raises(LostLease):
        CHANGES[change](book, job)
    assert dump(engine) == before
    assert taken.id == job.id
    assert (job.language, job.thread, job.answered, job.steps[0].state) == ("", None, False, "waiting")


@contextlib.contextmanager
def in_one_batch(book: Journal, number: int) -> Iterator[None]:
    """Let so many changes come before the first of them begins."""
    batch = book._changing
    batch._led = True
    yield
    while len(batch._waiting) < number:
        time.sleep(0.001)  # nothing tells that a thread has begun to wait
    batch._waiting[0].called.release()


def test_a_lost_job_in_a_batch_of_changes_is_lost_alone(book: Journal, open_journal: Open, engine: Engine) -> None:
    """What comes while others write is one transaction, in which each job is looked at by itself."""
    accepted(book, *map(typed, "ABCD"))
    some, other = book.claim(4), open_journal()
    with engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == some[1].id).values(process=other.process))
    with ThreadPoolExecutor(4) as pool:
        with in_one_batch(book, len(some)):
            changes = [pool.submit(book.mark_answered, job) for job in some]
        errors = [change.exception(10) for change in changes]
    assert [type(error) for error in errors] == [type(None), LostLease, type(None), type(None)]
    found = [book.find(job.id) for job in some]
    assert [job.answered for job in found if job] == [True, False, True, True]
    assert [job.answered for job in some] == [True, False, True, True]


def test_twins_in_a_batch_of_changes_are_sent_once(book: Journal) -> None:
    """Of two steps for the same group that are about to be sent at the same moment, one is."""
    accepted(book, typed("VIP", "U1"), typed("VIP", "U2", followup=FollowUp.ANOTHER))
    some = book.claim(2)
    for job in some:
        job.followup = None  # as where twins only show when the name of a parent has become an id
    with ThreadPoolExecutor(2) as pool:
        with in_one_batch(book, 2):
            sent_too = [pool.submit(book.mark_sending, job, job.steps[0]) for job in some]
        assert sorted(sent.result(10) for sent in sent_too) == [False, True]
    (twin,) = [job.steps[0].outcome for job in some if job.steps[0].outcome]
    assert isinstance(twin, Duplicate)
    assert twin.step_state == "sending"


def test_a_step_is_sent_once(book: Journal) -> None:
    """Anyone who finds it in another state than waiting may not send it."""
    job = sent(book)
    with pytest.raises(LostLease):
        book.mark_sending(job, job.steps[0])


def test_what_a_killed_process_held_is_free_at_once(database_url: str, book: Journal) -> None:
    """A process that was killed is buried; as long as it lives, it is not."""
    job = typed()
    accepted(book, job)
    script = "journal.heartbeat(); print(*[job.id for job in journal.claim(1)], flush=True); sys.stdin.read()"
    with process(database_url, script) as other:
        assert other.stdin
        assert other.stdout
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == f"{job.id}\n"
        book.drop_dead_processes()
        assert not book.claim(1), "a living process was buried"
        other.kill()
        other.wait(10)
    assert not book.claim(1), "its lease has not ended"
    book.drop_dead_processes()
    assert [claimed.id for claimed in book.claim(1)] == [job.id]


def test_a_process_of_another_machine_is_not_buried(
    database_url: str, book: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it lives cannot be seen from here, so its lease counts."""
    accepted(book, typed())
    other = elsewhere(database_url, monkeypatch)
    assert len(other.claim(1)) == 1
    other.close()
    book.drop_dead_processes()
    assert not book.claim(1)


def test_who_leaves_lets_go(book: Journal, open_journal: Open) -> None:
    """The next process takes the jobs at once."""
    job = held(book)
    other = open_journal()
    book.deregister()
    assert [claimed.id for claimed in other.claim(1)] == [job.id]


def test_a_closed_journal_shows_no_sign_of_life(database_url: str) -> None:
    """Who has closed it is dead to the others, even if the process lives on."""
    closed = Journal(database_url)
    closed.close()
    # A process that is just being started has a copy of our sockets for a moment.
    until(lambda: not liveness.alive(closed.process))


def elsewhere(url: str, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """Return the journal of a process on another machine, whose signs of life cannot be seen from here."""
    with monkeypatch.context() as other_machine:
        other_machine.setattr(liveness, "machine", lambda: "another machine")
        other_machine.setattr(liveness, "show", lambda _process: None)
        other = Journal(url)
        other.heartbeat()
    return other


def test_a_lease_that_nobody_renews_ends(
    database_url: str, book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many looks, and after fewer where it is over by the clock; what is renewed in time does not end."""
    other = elsewhere(database_url, monkeypatch)
    job = held(other)
    for _ in range(UNCHANGED + 3):
        other.heartbeat()
        book.drop_dead_processes()
    assert not book.claim(1), "taken from a living process"
    for _ in range(UNCHANGED):
        assert not book.claim(1), "taken too early"
        book.drop_dead_processes()
    assert [claimed.id for claimed in book.claim(1)] == [job.id]
    other.close()


@pytest.mark.parametrize(("seconds", "looks"), [(-3600, UNCHANGED_AND_OVER), (3600, UNCHANGED)])
def test_a_clock_that_jumps_ends_no_lease_and_prolongs_none(
    database_url: str, book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch, seconds: float, looks: int
) -> None:
    """Forward: a living process has time to renew. Back: a dead one is not taken for alive for an hour."""
    other = elsewhere(database_url, monkeypatch)
    job = held(other)
    book.drop_dead_processes()
    with engine.begin() as connection:
        connection.execute(update(processes).values(lease_until=processes.c.lease_until + seconds))
    book.drop_dead_processes()
    assert not book.claim(1), "taken from a process that has had no time to renew"
    other.heartbeat()
    with engine.begin() as connection:
        connection.execute(update(processes).values(lease_until=processes.c.lease_until + seconds))
    for _ in range(looks):
        book.drop_dead_processes()
        assert not book.claim(1), "taken too early"
    book.drop_dead_processes()
    assert [claimed.id for claimed in book.claim(1)] == [job.id]
    other.close()

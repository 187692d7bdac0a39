"""Claiming jobs: in their order, fairly, and each by one process."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text, update

from bot.journal.claiming import FURTHEST, shared
from bot.journal.database import jobs
from bot.journal.journal import Journal
from bot.model.job import Job
from tests.support.journal import (
    Open,
    accepted,
    held,
    process,
    run_together,
    sent,
    shift,
    typed,
)


def test_jobs_are_claimed_in_their_order_and_no_more_than_asked(book: Journal) -> None:
    """Oldest first, at most so many, each once."""
    accepted(book, *[typed(name) for name in "ABCDE"])
    carrying: list[Job] = []
    for expected in (["A", "B"], ["C", "D"], ["E"], []):
        claimed = book.claim(2, carrying)
        assert [job.typed for job in claimed] == expected
        carrying += claimed


def test_what_this_process_carries_is_not_claimed_again(book: Journal) -> None:
    """A job in its name that it does not carry was dropped by a fault, and is free."""
    accepted(book, typed("A"), typed("B"))
    carrying = book.claim(2)
    assert not book.claim(2, carrying)
    assert [job.id for job in book.claim(2, carrying[:1])] == [job.id for job in carrying[1:]]


def test_a_postponed_job_is_free_when_it_is_due(book: Journal, open_journal: Open, engine: Engine) -> None:
    """Not before, and then for any process; the attempts are remembered."""
    job = held(book)
    job.attempts = 3
    book.release(job, 60)
    other = open_journal()
    assert not other.claim(1)
    with engine.begin() as connection:
        connection.execute(update(jobs).values(due_at=jobs.c.due_at - 60))
    assert [(claimed.id, claimed.attempts) for claimed in other.claim(1)] == [(job.id, 3)]


def test_no_job_is_claimed_by_two_processes(database_url: str, book: Journal) -> None:
    """Real processes that claim at the same moment share the jobs out."""
    some = [typed(f"G{number}") for number in range(60)]
    accepted(book, *some)
    script = (
        "journal.heartbeat(); carrying = []\n"
        "while claimed := journal.claim(2, carrying): carrying += claimed\n"
        "print(*[job.id for job in carrying], flush=True); sys.stdin.read()"
    )
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: process(database_url, script), range(4)))
    claimed = " ".join(run_together(started)).split()
    assert sorted(claimed) == sorted(job.id for job in some)


# Fairly.


def test_who_has_few_goes_before_who_has_many(book: Journal) -> None:
    """One person's forty commands came first: another's next one is claimed among the first anyway."""
    accepted(book, *[typed(f"A{number}", "U1") for number in range(40)], typed("B", "U2"), typed("C", "U3"))
    assert [job.user for job in book.claim(4)] == ["U1", "U2", "U3", "U1"]


def test_what_a_person_has_already_counts(book: Journal) -> None:
    """Who holds some of this process's places waits for who holds none."""
    accepted(book, *[typed(f"A{number}", "U1") for number in range(9)])
    carrying = book.claim(3)
    accepted(book, typed("B1", "U2"), typed("B2", "U2"))
    assert [job.typed for job in book.claim(3, carrying)] == ["B1", "B2", "A3"]


def test_some_places_are_kept(book: Journal) -> None:
    """One person alone gets half of them, so that the next command of anybody else is begun at once."""
    accepted(book, *[typed(f"A{number}", "U1") for number in range(40)])
    carrying = book.claim(32, keep_some=True)
    assert len(carrying) == 16
    assert not book.claim(16, carrying, keep_some=True)
    accepted(book, *[typed(f"B{number}", "U2") for number in range(40)])
    carrying += book.claim(16, carrying, keep_some=True)
    assert len(carrying) == 24


@pytest.mark.parametrize("most", [1, 2, 3])
def test_nobody_is_kept_waiting_by_an_empty_process(most: int) -> None:
    """However few places there are, one is given out where nothing is held."""
    assert shared([("a", "U1"), ("b", "U1")], {}, most, keep_some=True)


# Clocks.


@pytest.mark.parametrize("seconds", [60, 3600, 86400])
def test_a_clock_that_is_set_back_delays_no_new_job(book: Journal, engine: Engine, seconds: float) -> None:
    """It was accepted in what is now the future, and is carried at once; it is not taken for an old one."""
    accepted(book, typed())
    shift(engine, seconds)
    (job,) = book.claim(1)
    assert job.age == 0


def test_a_due_time_that_cannot_be_is_due(book: Journal, engine: Engine) -> None:
    """A job waits for some seconds, the clock is set back an hour, and the process that knew better is gone."""
    job = held(book)
    book.release(job, 30)
    shift(engine, FURTHEST)
    assert [claimed.id for claimed in book.claim(1)] == [job.id]


def test_who_knows_that_a_job_is_due_need_not_ask_the_clock(book: Journal, engine: Engine) -> None:
    """A small step back: the process that put the job off measures by itself."""
    job = held(book)
    book.release(job, 30)
    assert not book.claim(1, without=[job.id], ready=[])
    assert [claimed.id for claimed in book.claim(1, ready=[job.id])] == [job.id]


def test_a_job_that_could_not_be_released_is_left_for_a_while(book: Journal) -> None:
    """It is still in this process's name, and not claimed again while it is named."""
    job = held(book)
    assert not book.claim(1, without=[job.id])
    assert [claimed.id for claimed in book.claim(1)] == [job.id]


@pytest.mark.parametrize(("seconds", "sent_ago"), [(-40, 40), (3600, 3600), (2, 2)])
def test_a_request_is_not_sent_in_the_future(book: Journal, engine: Engine, seconds: float, sent_ago: float) -> None:
    """What a clock that was set back says is still some time, so a look-up does not wait for an hour."""
    sent(book)
    shift(engine, seconds)
    (found,) = book.claim(1)
    assert found.steps[0].sent_ago == pytest.approx(sent_ago, abs=1.9)


# Rows that cannot be read.

DAMAGE = {
    "an unknown state": "UPDATE steps SET state = 'postponed'",
    "an unknown outcome": """UPDATE steps SET state = 'blessed', outcome = '{}'""",
    "a field of a newer version": """UPDATE steps SET state = 'created', outcome = '{"id": "1", "colour": "red"}'""",
    "an outcome without its fields": """UPDATE steps SET state = 'created', outcome = '{}'""",
    "no JSON": """UPDATE steps SET state = 'created', outcome = '{"id": '""",
    "a list": """UPDATE steps SET state = 'created', outcome = '[]'""",
    "an outcome of what waits": """UPDATE steps SET outcome = '{"id": "1"}'""",
    "a state without its outcome": "UPDATE steps SET state = 'created'",
    "an unknown button": "UPDATE jobs SET followup = 'rename', follows = 'x'",
    "no steps": "DELETE FROM steps",
    "a step is missing": "UPDATE steps SET position = 1",
    "under itself": "UPDATE steps SET above = 0",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_row_that_cannot_be_read_stops_nobody(
    book: Journal, engine: Engine, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """Every other job is found and claimed; this one is logged once, and stays for who can read it."""
    bad, good = typed("bad"), typed("good")
    accepted(book, bad)
    with engine.begin() as connection:
        connection.execute(text(DAMAGE[damage]))
    accepted(book, good)
    with caplog.at_level(logging.ERROR, "addgroup"):
        assert [[job.id for job in book.claim(9, [good])] for _ in range(3)] == [[good.id], [], []]
        assert book.find(bad.id) is None
        assert [job.id for job in book.recent(9)] == [good.id]
    logged = [record for record in caplog.records if record.getMessage() == "job_unreadable"]
    assert [record.__dict__["fields"]["job"] for record in logged] == [bad.id]
    with engine.connect() as connection:
        row = select(jobs.c.process, jobs.c.closed_at).where(jobs.c.id == bad.id)
        assert connection.execute(row).one() == (None, None)


def test_a_value_of_another_type_stops_nobody(tmp_path: Path) -> None:
    """SQLite stores anything in any column."""
    book = Journal(f"sqlite:///{tmp_path}/journal.db")
    book.open()
    for column in ("accepted_at", "attempts", "faults", "user", "typed", "root_ts"):
        bad, good = typed(f"bad {column}"), typed(f"good {column}")
        accepted(book, bad)
        with contextlib.closing(sqlite3.connect(tmp_path / "journal.db")) as file:
            file.execute(f"UPDATE jobs SET {column} = x'00ff' WHERE id = ?", (bad.id,))  # noqa: S608  # our words
            file.commit()
        accepted(book, good)
        assert good.id in [job.id for job in book.claim(99)]
        assert book.find(bad.id) is None
    book.close()

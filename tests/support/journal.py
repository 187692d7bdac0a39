"""Jobs and journals as the tests of the journal make and look at them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, func, select, text, update

from bot.journal.accepting import Accepted
from bot.journal.journal import Journal
from bot.journal.tables import jobs, steps
from bot.model.grammar import Reading, parse
from bot.model.job import PUBLIC, Job, Step, Thread, new_id
from bot.model.outcome import Created, Duplicate, Outcome, Unknown
from tests.support.program import Piped
from tests.support.served import inherited

T = TypeVar("T")
Open = Callable[[], Journal]

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For a test in which no SQL decides: once, on the quicker database."""

on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

CREATED = Created("97101")
UNCLEAR = Unknown("timeout", ())


def typed(what: str = "VIP", user: str = "U1", **more: Any) -> Job:
    """Return the job of a command as a person types it."""
    command = parse(what)
    assert isinstance(command, Reading)
    identifier = new_id()
    asked = [Step(at, each.name, each.parent, each.above) for at, each in enumerate(command.groups)]
    url, facts = "https://hooks.slack.test/response", {"channel_kind": PUBLIC, **more}
    return Job(user, "C1", f"trigger-{identifier}", what, asked, url, id=identifier, **facts)


def accepted(book: Journal, *some: Job) -> None:
    """Accept jobs that nothing stands in the way of."""
    for job in some:
        assert isinstance(book.accept(job), Accepted)


def held(book: Journal, job: Job | None = None) -> Job:
    """Accept a job and claim it."""
    job = job or typed()
    accepted(book, job)
    return job


def reread(book: Journal, job: Job) -> Job:
    """Return a job as it stands in the journal."""
    found = book.find(job.id)
    assert found
    return found


def refused(book: Journal, job: Job) -> Duplicate:
    """Accept a job that is written down as a duplicate, and return as whose."""
    assert book.accept(job) == Accepted()
    written = reread(book, job)
    assert written.refused
    return next(step.outcome for step in written.steps if isinstance(step.outcome, Duplicate))


def sent(book: Journal, job: Job | None = None, outcome: Outcome | None = None) -> Job:
    """Bring a job as far as its one request having left, and with an outcome to its end."""
    claimed = held(book, job)
    (step,) = claimed.steps
    assert book.mark_sending(claimed, step)
    if outcome:
        step.outcome = outcome
        book.settle(claimed, step)
        book.mark_answered(claimed)
        book.mark_closed(claimed)
    return claimed


def lose(engine: Engine, book: Journal) -> None:
    """Let a process lose all its jobs, as when another one has buried it."""
    with engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.process == book.process).values(process=None))


def dump(engine: Engine) -> list[Any]:
    """Return all that the tables of jobs and steps hold."""
    with engine.connect() as connection:
        return [connection.execute(select(table).order_by(*table.primary_key)).all() for table in (jobs, steps)]


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(jobs)) or 0


def lock_waited_for(engine: Engine) -> bool:
    """Whether a connection to this PostgreSQL database waits for another's lock."""
    mine = "datname = current_database() AND wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return bool(connection.scalar(text(f"SELECT count(*) FROM pg_stat_activity WHERE {mine}")))  # noqa: S608


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Make calls at the same moment, each in a thread of its own, and return what they returned."""
    barrier = threading.Barrier(len(calls))

    def call(function: Callable[[], T]) -> T:
        barrier.wait(60)
        return function()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def ended(future: Future[Any]) -> object:
    """Wait for a call, and return its result or its error."""
    return future.exception(60) or future.result()


def process(url: str, script: str) -> Piped:
    """Start a process that waits for a line on its standard input, and then runs `script` on a journal."""
    start = (
        "import sys; from bot.journal.journal import Journal; sys.stdin.readline(); journal = Journal(sys.argv[1])\n"
    )
    return Piped(start + script, url, env=inherited())


def run_together(*some: Piped) -> list[str]:
    """Let processes go at the same moment, and return what they print."""
    for one in some:
        one.stdin.write("\n")
    printed = [one.stdout.read() for one in some]
    assert [one.wait() for one in some] == [0] * len(some)
    for one in some:
        one.__exit__()
    return printed


CHANGES: dict[str, Callable[[Journal, Job], object]] = {
    "spoken": lambda book, job: book.set_language(job, "tr"),
    "opened": lambda book, job: book.set_root(job, Thread("C1", "1.1"), final=True),
    "sending": lambda book, job: book.mark_sending(job, job.steps[0]),
    "unclear": lambda book, job: book.settle(job, Step(0, "VIP", reason="timeout")),
    "settle": lambda book, job: book.settle(job, Step(0, "VIP", outcome=CREATED)),
    "deny": lambda book, job: book.deny(job, "guest"),
    "answered": lambda book, job: book.mark_answered(job),
    "fault": lambda book, job: book.count_fault(job),
    "finished": lambda book, job: book.mark_closed(job),
}
"""Every change that a process makes to a job that it holds, by name."""


def shift(engine: Engine, seconds: float) -> None:
    """Set the database's clock back, or forward with a negative number: what was written is in its future then."""
    with engine.begin() as connection:
        for table in (jobs, steps):
            times = [column for column in table.c if column.name.endswith("_at")]
            connection.execute(update(table).values({column: column + seconds for column in times}))

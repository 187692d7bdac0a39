"""Faults of the database and of clocks: a JournalError, and no harm."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from bot.journal.errors import JournalError
from bot.journal.journal import Journal
from bot.journal.tables import metadata
from bot.model.job import Job, Step
from tests.support.journal import (
    CHANGES,
    CREATED,
    accepted,
    held,
    process,
    run_together,
    typed,
)
from tests.support.postgresql import started

EVERYTHING: dict[str, Callable[[Journal, Job], object]] = {
    **CHANGES,
    "accept": lambda book, job: book.accept(job),
    "unsettled": lambda book, _job: book.unsettled(1),
    "choose_language": lambda book, _job: book.choose_language("U1", "tr"),
    "made": lambda book, job: book.created_here([job.id]),
    "chain": lambda book, job: book.chain(job.id),
    "created_as": lambda book, _job: book.created_as("VIP", ""),
    "made_lately": lambda book, _job: book.recently_created(),
    "find": lambda book, job: book.find(job.id),
    "recent": lambda book, _job: book.recent(1),
    "keep": lambda book, _job: book.keep(),
    "holds": lambda book, job: book.holds(job),
    "correct": lambda book, job: book.correct(job, Step(0, "VIP", outcome=CREATED)),
    "let_go": lambda book, _job: book.let_go(),
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
    with pytest.raises(JournalError, match="SQLITE_BUSY"):
        book.accept(typed())
    with pytest.raises(JournalError, match="SQLITE_BUSY"):
        book.ping()
    locker.close()
    book.ping()
    accepted(book, typed())
    book.close()


def test_a_lock_that_is_never_released_holds_nobody_up_for_ever(tmp_path: Path) -> None:
    """Whether they acknowledge, carry or hold the lease, and however many they are: each gets a JournalError."""
    book = Journal(f"sqlite:///{tmp_path}/journal.db")
    book.open()
    job = held(book)
    locker = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    others: list[Callable[[], object]] = [lambda: book.mark_answered(job), book.keep]
    calls: list[Callable[[], object]] = [*[lambda: book.accept(typed())] * 8, *others]
    with ThreadPoolExecutor(len(calls)) as pool:
        errors = [failed.exception(30) for failed in [pool.submit(call) for call in calls]]
    assert [type(error) for error in errors] == [JournalError] * len(calls)
    assert book.recently_created() == [], "who only reads need not wait"
    locker.close()
    assert [found.id for found in book.recent(99)] == [job.id]
    book.close()


WRITERS = {
    "bot": "while True: journal.keep()",
    "threads of a bot": "import threading\n"
    "for _ in range(8): threading.Thread(target=lambda: [journal.keep() for _ in iter(int, 1)]).start()",
    "other": "import sqlite3\n"
    "other = sqlite3.connect(sys.argv[1].removeprefix('sqlite:///'), 9, isolation_level=None)\n"
    "while True: other.executescript('BEGIN IMMEDIATE; UPDATE processes SET lease_until = 0; COMMIT')",
}


@pytest.mark.parametrize("writer", WRITERS)
def test_an_acknowledgement_gets_through_beside_a_writer(tmp_path: Path, writer: str) -> None:
    """Another process writes to the same file as fast as it can: each is accepted while Slack still waits."""
    url = f"sqlite:///{tmp_path}/journal.db"
    book = Journal(url)
    book.open()
    with process(url, "journal.keep(); print('writes', flush=True)\n" + WRITERS[writer]) as other:
        other.stdin.write("\n")
        assert other.stdout.readline() == "writes\n"
        for number in range(30):
            began = time.monotonic()
            accepted(book, typed(f"G{number}"))
            assert time.monotonic() - began < 3, "Slack would have told the person that it failed"
    book.close()


@pytest.fixture
def server_directory() -> Iterator[str]:
    """Return a directory outside of pytest's own, which another user than root may not enter."""
    with tempfile.TemporaryDirectory() as directory:
        yield directory


def test_a_server_that_stops_and_comes_back(server_directory: str) -> None:
    """PostgreSQL goes away: a JournalError; when it is back, or has only closed connections, the journal works."""
    server = started(server_directory)
    book = Journal(server.get_uri())
    try:
        book.open()
        server.psql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();")
        accepted(book, typed("A"))
        server.cleanup()
        for call in (lambda: book.accept(typed("B")), book.ping):
            with pytest.raises(JournalError):
                call()
        server = started(server_directory)
        book.ping()
        accepted(book, typed("C"))
        assert [job.typed for job in book.recent(9)] == ["C", "A"]
    finally:
        book.close()
        server.cleanup()


def test_a_journal_that_takes_no_writes_is_not_well(book: Journal, engine: Engine) -> None:
    """It can be read, and the last write failed: health says so, until a write goes through."""
    book.ping()
    metadata.drop_all(engine)
    with pytest.raises(JournalError):
        book.choose_language("U1", "tr")
    assert book._database.failing
    with pytest.raises(JournalError):
        book.ping()
    book.open()
    book.choose_language("U1", "tr")
    book.ping()
    assert not book._database.failing


def test_a_full_disk_is_a_journal_error(tmp_path: Path) -> None:
    """Nothing is half written, what is there can be read, and it goes on when there is room again."""
    url = f"sqlite:///{tmp_path}/journal.db"
    script = """
import resource, signal
from bot.journal.errors import JournalError
from tests.support.journal import typed
journal.open(); journal.keep()
job = typed("before"); journal.accept(job)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
accepted, failed = 0, []
for call in [lambda n=n: journal.accept(typed(f"G{n}")) for n in range(30)] + [lambda: journal.set_language(job, "tr")]:
    try:
        call(); accepted += 1
    except JournalError:
        failed.append(call)
assert failed and journal._database.failing
assert journal.find(job.id).typed == "before"
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
for call in failed: call()
journal.ping()
print(len(journal.recent(99)), accepted + len(failed))
"""
    assert run_together(process(url, script)) == ["31 31\n"]


@pytest.mark.parametrize("damage", ["overwritten", "read-only", "no database", "empty"])
def test_a_file_that_is_damaged_is_a_journal_error(tmp_path: Path, damage: str) -> None:
    """With the reason, from every call, and no foreign error that would end a thread; an empty file is a new one."""
    file = tmp_path / "journal.db"
    book = Journal(f"sqlite:///{file}")
    book.open()
    accepted(book, *[typed(f"G{number}") for number in range(50)])
    book.close()
    content = file.read_bytes()
    if damage == "read-only":
        with contextlib.closing(sqlite3.connect(file)) as locked:
            locked.execute("PRAGMA journal_mode=DELETE")
        content = file.read_bytes()
    changed = {"overwritten": content[:2048] + b"\xff" * (len(content) - 2048), "no database": b"Dear database\n" * 999}
    for rest in tmp_path.glob("journal.db?*"):
        rest.unlink()
    file.write_bytes(changed.get(damage, b"" if damage == "empty" else content))
    url = f"sqlite:///file:{file}?mode=ro&uri=true" if damage == "read-only" else f"sqlite:///{file}"
    again = Journal(url)
    if damage == "empty":
        again.open()
        assert not again.recent(1)
    else:
        for call in (again.open, again.keep, lambda: again.accept(typed())):
            with pytest.raises(JournalError):
                call()
    again.close()
